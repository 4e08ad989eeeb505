//! Base64 (RFC 4648 section 4, padded, canonical) of BinaryEquals values.

/// The bytes, or nothing when the text is not exactly what an encoder would have written.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return None;
    }
    let mut decoded = Vec::with_capacity(bytes.len() / 4 * 3);
    let mut quads = bytes.chunks_exact(4).peekable();
    while let Some(quad) = quads.next() {
        let padding = if quads.peek().is_none() {
            quad.iter().rev().take_while(|byte| **byte == b'=').take(2).count()
        } else {
            0
        };
        let mut bits = 0_u32;
        for byte in quad.iter().take(4 - padding) {
            bits = (bits << 6) | sextet(*byte)?;
        }
        bits <<= 6 * padding;
        let [_, triple @ ..] = bits.to_be_bytes();
        let (kept, dropped) = triple.split_at_checked(3 - padding)?;
        // Bits that no byte holds must be zero: one value has one spelling.
        if dropped.iter().any(|byte| *byte != 0) {
            return None;
        }
        decoded.extend_from_slice(kept);
    }
    Some(decoded)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_section_10_vectors() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decode("/+8A"), Some(vec![0xff, 0xef, 0x00]));
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in
            ["Zg", "Zg=", "Zh==", "Zm9=", "====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm 9", "_-8A", "\u{e9}abc"]
        {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}

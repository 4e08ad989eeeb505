//! Pairs of a query or form, and the percent-encoding of signatures.
//!
//! Reading is WHATWG form decoding (`+` is a space, a bad `%` stays); writing is AWS's `UriEncode`: only
//! `A-Z a-z 0-9 - . _ ~` stay as they are, hex is upper case (S3 API Reference, "Signature
//! Calculations"). Both sides of a signature come through here, so what is equal decoded is equal signed.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode};

/// Everything but the unreserved characters of RFC 3986.
pub(crate) const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, for whole paths.
pub(crate) const STRICT_PATH: &AsciiSet = &STRICT.remove(b'/');

/// Whether a body with this content type is read as a form: one that says so, or says nothing. One rule for
/// whoever reads parameters and whoever looks for credentials, so that neither finds what the other never saw.
#[must_use]
pub fn is_form(content_type: &[u8]) -> bool {
    let kind = content_type.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    kind.is_empty() || kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// Raw (name, value) pairs, still encoded; empty pairs are skipped, a missing `=` is an empty value.
pub(crate) fn raw_pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let at = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(at).unwrap_or((pair, b""));
        (name, value.get(1..).unwrap_or_default())
    })
}

/// Decoded bytes of a name or a value.
pub(crate) fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.contains(&b'+') {
        let spaced: Vec<u8> = raw.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
        return Cow::Owned(percent_decode(&spaced).collect());
    }
    percent_decode(raw).into()
}

/// Decode and encode again: the canonical spelling of a name or a value.
pub(crate) fn canonical(raw: &[u8]) -> Cow<'_, str> {
    if raw.iter().all(|&byte| unreserved(byte)) {
        return String::from_utf8_lossy(raw);
    }
    Cow::Owned(encode(&decode(raw)))
}

/// Percent-encode everything but unreserved characters.
pub(crate) fn encode(plain: &[u8]) -> String {
    percent_encoding::percent_encode(plain, STRICT).to_string()
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_have_one_canonical_form() {
        for raw in ["a b", "a+b", "a%20b", "%61%20%62"] {
            assert_eq!(canonical(raw.as_bytes()), "a%20b");
        }
        assert_eq!(canonical(b"%2b%zz%"), "%2B%25zz%25");
        assert_eq!(canonical("é~*".as_bytes()), "%C3%A9~%2A");
    }

    #[test]
    fn pairs_split_at_the_first_equal_sign() {
        let pairs: Vec<_> = raw_pairs(b"a=b=c&&d&=e").collect();
        assert_eq!(pairs, [(&b"a"[..], &b"b=c"[..]), (b"d", b""), (b"", b"e")]);
    }
}

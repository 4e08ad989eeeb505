//! PEM: the blocks of one kind in a text (RFC 7468, the strict form of its section 3, with any white space around lines).

use data_encoding::BASE64;

/// Why a text is not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPem {
    /// A block has no end, or what is in it is no base64.
    #[error("it is not well-formed PEM")]
    Form,
    /// A block of another kind, such as a private key, is in it.
    #[error("it holds something else")]
    Other,
    /// There is no block.
    #[error("there is nothing in it")]
    Nothing,
    /// More blocks than anybody asked for.
    #[error("there is too much in it")]
    TooMany,
}

/// What is in the blocks of this kind (`CERTIFICATE`, `X509 CRL`), in order. Text outside of blocks is explanation; blocks of
/// another kind are not.
///
/// # Errors
/// [`BadPem`].
pub fn blocks(text: &str, kind: &str, count_max: usize) -> Result<Vec<Vec<u8>>, BadPem> {
    let (begin, end) = (format!("-----BEGIN {kind}-----"), format!("-----END {kind}-----"));
    let mut found = Vec::new();
    let mut inside: Option<String> = None;
    for line in text.split(['\n', '\r']).map(str::trim) {
        match &mut inside {
            None if line == begin => {
                if found.len() == count_max {
                    return Err(BadPem::TooMany);
                }
                inside = Some(String::new());
            }
            None if line.starts_with("-----BEGIN ") => return Err(BadPem::Other),
            None => {}
            Some(base64) if line == end => {
                found.push(BASE64.decode(base64.as_bytes()).map_err(|_| BadPem::Form)?);
                inside = None;
            }
            Some(base64) => base64.push_str(line),
        }
    }
    match (inside, found.is_empty()) {
        (Some(_), _) => Err(BadPem::Form),
        (None, true) => Err(BadPem::Nothing),
        (None, false) => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    //! Texts that are PEM, nearly PEM, and something else.

    use super::*;

    #[test]
    fn blocks_of_one_kind_are_read_and_others_are_not_ignored() {
        let one = "-----BEGIN CERTIFICATE-----\r\nAQID\r\nBAUG\r\n-----END CERTIFICATE-----\r\n";
        assert_eq!(blocks(one, "CERTIFICATE", 2).unwrap(), [[1, 2, 3, 4, 5, 6]]);
        let two = format!("subject: x\n{one}\n{one}");
        assert_eq!(blocks(&two, "CERTIFICATE", 2).unwrap().len(), 2);
        assert_eq!(blocks(&two, "CERTIFICATE", 1), Err(BadPem::TooMany));
        assert_eq!(blocks(one, "X509 CRL", 1), Err(BadPem::Other));
        let key = format!("{one}-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n");
        assert_eq!(blocks(&key, "CERTIFICATE", 1), Err(BadPem::Other));
        // However lines end.
        assert_eq!(blocks(&key.replace('\n', "\r"), "CERTIFICATE", 1), Err(BadPem::Other));
        assert_eq!(blocks("AQID", "CERTIFICATE", 1), Err(BadPem::Nothing));
        for broken in [
            "-----BEGIN CERTIFICATE-----\nAQID\n",
            "-----BEGIN CERTIFICATE-----\nAQ!D\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nAQIDBA\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nProc-Type: 4\n\nAQID\n-----END CERTIFICATE-----",
        ] {
            assert_eq!(blocks(broken, "CERTIFICATE", 1), Err(BadPem::Form), "{broken}");
        }
    }
}

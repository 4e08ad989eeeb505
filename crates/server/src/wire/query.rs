//! AWS Query in: query string and form body to pairs of name and value.
//!
//! Answers for: decoding, and which pairs belong to a signature rather than to the operation. Refuses
//! to repair anything: a broken escape or bytes that are not UTF-8 end the request, since another
//! reader could see other parameters in them. What a name means, and that it may come only once, is
//! decided by `service::params`.

use daypass_model::limits::REQUEST_PARAMETERS_MAX;
use thiserror::Error;

/// Names besides the operation's own parameters: `Action`, `Version` and what a signature needs.
const OTHER_NAMES_MAX: usize = 20;

/// Why pairs could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    /// The query string is not well-formed.
    #[error("The query string contains a syntax error.")]
    QueryString,
    /// The form is not well-formed.
    #[error("The request body is not a well-formed form.")]
    Form,
    /// The body is not a form, so its parameters would be missed.
    #[error("The request body must be application/x-www-form-urlencoded.")]
    ContentType,
    /// More pairs than any operation could need.
    #[error("The request has too many parameters.")]
    TooMany,
}

impl QueryError {
    /// The code on the wire.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::QueryString => "MalformedQueryString",
            _ => "MalformedInput",
        }
    }
}

/// Every pair of the request, in order: those of the query string, then for POST those of the form.
/// The body of any other method carries no parameters.
///
/// # Errors
/// See [`QueryError`].
pub fn pairs(
    method: &str,
    query: &str,
    content_type: &str,
    body: &[u8],
) -> Result<Vec<(String, String)>, QueryError> {
    let mut pairs = Vec::new();
    read(query.as_bytes(), &mut pairs, QueryError::QueryString)?;
    if method == "POST" && !body.is_empty() {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(QueryError::ContentType);
        }
        read(body, &mut pairs, QueryError::Form)?;
    }
    Ok(pairs)
}

/// The pairs without those that belong to a signature in the request itself: every `X-Amz-…` of a
/// presigned request (in any case) and the names of Signature Version 2.
pub fn without_authentication(pairs: Vec<(String, String)>) -> impl Iterator<Item = (String, String)> {
    pairs.into_iter().filter(|(name, _)| !is_authentication(name))
}

/// Does a pair with this name belong to the signature?
#[must_use]
pub fn is_authentication(name: &str) -> bool {
    // No operation of the models has a parameter with any of these names.
    const VERSION_2: [&str; 7] = [
        "AWSAccessKeyId",
        "Expires",
        "SecurityToken",
        "Signature",
        "SignatureMethod",
        "SignatureVersion",
        "Timestamp",
    ];
    name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("X-Amz-")) || VERSION_2.contains(&name)
}

fn read(text: &[u8], pairs: &mut Vec<(String, String)>, wrong: QueryError) -> Result<(), QueryError> {
    for piece in text.split(|b| *b == b'&').filter(|piece| !piece.is_empty()) {
        if pairs.len() == REQUEST_PARAMETERS_MAX + OTHER_NAMES_MAX {
            return Err(QueryError::TooMany);
        }
        // A value may contain `=`: only the first one divides.
        let mut halves = piece.splitn(2, |b| *b == b'=');
        let mut half = || decoded(halves.next().unwrap_or_default());
        let (Some(name), Some(value)) = (half(), half()) else { return Err(wrong) };
        pairs.push((name, value));
    }
    Ok(())
}

/// `+` is a space, `%XX` a byte, and all of it UTF-8.
fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => nibble(*rest.next()?)? << 4 | nibble(*rest.next()?)?,
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

    fn got(query: &str) -> Vec<(String, String)> {
        pairs("GET", query, "", b"").unwrap()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn plus_is_a_space_and_escapes_are_utf8_bytes() {
        let expected = owned(&[("Name", "a b+c"), ("N m", "ñ/日"), ("Empty", ""), ("Bare", "")]);
        assert_eq!(got("Name=a+b%2Bc&N%20m=%C3%B1%2f%e6%97%a5&Empty=&Bare"), expected);
    }

    #[test]
    fn only_the_first_equals_sign_divides() {
        let expected = owned(&[("PolicyArns.member.1.arn", "=arn:aws:iam::1:p/x"), ("B", "a=b")]);
        assert_eq!(got("PolicyArns.member.1.arn==arn%3Aaws:iam::1:p/x&&B=a=b&"), expected);
    }

    #[test]
    fn broken_escapes_and_bytes_that_are_not_utf8_end_the_request() {
        for text in ["A=%", "A=%4", "A=%G1", "A=%-1", "%=1", "A=%FF", "A=%C3", "A=%ED%A0%80"] {
            let error = pairs("GET", text, "", b"").unwrap_err();
            assert_eq!(
                (error.clone(), error.code()),
                (QueryError::QueryString, "MalformedQueryString"),
                "{text}"
            );
            let error = pairs("POST", "", FORM, text.as_bytes()).unwrap_err();
            assert_eq!((error.clone(), error.code()), (QueryError::Form, "MalformedInput"), "{text}");
        }
    }

    #[test]
    fn a_post_has_the_parameters_of_both_places_and_a_get_only_of_the_url() {
        let both = owned(&[("A", "1"), ("B", "2")]);
        assert_eq!(pairs("POST", "A=1", FORM, b"B=2").unwrap(), both);
        assert_eq!(pairs("POST", "A=1", "", b"B=2").unwrap(), both);
        assert_eq!(pairs("GET", "A=1", FORM, b"B=2").unwrap(), owned(&[("A", "1")]));
        assert_eq!(pairs("POST", "A=1", "application/json", b"{}"), Err(QueryError::ContentType));
        assert_eq!(pairs("POST", "A=1", "application/json", b"").unwrap(), owned(&[("A", "1")]));
    }

    #[test]
    fn both_places_keep_a_repeated_name_so_that_it_can_be_refused() {
        assert_eq!(pairs("POST", "A=1", FORM, b"A=1").unwrap(), owned(&[("A", "1"), ("A", "1")]));
    }

    #[test]
    fn what_belongs_to_a_signature_is_split_off() {
        let all = got(
            "Action=GetCallerIdentity&X-Amz-Algorithm=a&X-Amz-Security-Token=t&x-amz-signature=s&X-Amz-User-Agent=u\
             &AWSAccessKeyId=k&SignatureVersion=2&Signature=s&X-AmzFoo=1&RoleArn=r",
        );
        let rest: Vec<_> = without_authentication(all).collect();
        assert_eq!(rest, owned(&[("Action", "GetCallerIdentity"), ("X-AmzFoo", "1"), ("RoleArn", "r")]));
    }

    #[test]
    fn the_names_of_a_signature_are_no_parameters_of_any_operation() {
        for operation in daypass_service::shapes::OPERATIONS {
            assert!(
                operation.input.members.iter().all(|member| !is_authentication(member.name)),
                "{}",
                operation.name
            );
        }
    }

    #[test]
    fn the_number_of_pairs_is_bounded() {
        assert_eq!(pairs("POST", "", FORM, "A&".repeat(2021).as_bytes()), Err(QueryError::TooMany));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(query in ".{0,60}", body in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = pairs("POST", &query, "", &body);
        }

        #[test]
        fn what_a_client_encodes_comes_back(name in "\\PC{1,8}", value in ".{0,20}") {
            let encode = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
            let query = format!("{}={}", encode(&name), encode(&value));
            prop_assert_eq!(got(&query), vec![(name, value)]);
        }
    }
}

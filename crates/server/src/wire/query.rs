//! AWS Query in: query string and form body to pairs of name and value.
//!
//! Answers for: decoding, and which pairs belong to a signature rather than to the operation. Refuses
//! to repair anything: a broken escape or bytes that are not UTF-8 end the request, since another
//! reader could see other parameters in them. What a name means, and that it may come only once, is
//! decided by `service::params`.

use daypass_authn::sigv4::{PRESIGNED_PARAMETERS, VERSION_2_PARAMETERS, is_form};
use daypass_model::limits::REQUEST_PARAMETERS_MAX;
use jiff::Timestamp;
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

/// Every pair of the request, in order: those of the query string, then for POST those of the form. The body of
/// any other method carries no parameters.
///
/// Only what makes a presigned request, or one of Signature Version 2, is left out, and `Timestamp`, a parameter that all
/// actions once had ("Common Parameters" of the API references of 2012). Anything else, however much it looks like a signature's,
/// could be a parameter that somebody relies on: it is for `service::params` to refuse or ignore.
///
/// # Errors
/// See [`QueryError`].
pub fn pairs(
    method: &str,
    query: &str,
    content_type: &[u8],
    body: &[u8],
) -> Result<Vec<(String, String)>, QueryError> {
    let mut pairs = of_query(query)?;
    if pairs.iter().any(|(name, _)| name == "X-Amz-Signature") {
        pairs.retain(|(name, _)| !PRESIGNED_PARAMETERS.contains(&name.as_str()));
    }
    add_form(method, content_type, body, &mut pairs)?;
    let has = |wanted: &str| pairs.iter().any(|(name, _)| name == wanted);
    if has("Signature") && has("AWSAccessKeyId") {
        pairs.retain(|(name, _)| !VERSION_2_PARAMETERS.contains(&name.as_str()));
    }
    // SDKs of a time between the two versions say it here too; what counts is the time that they signed.
    let is_time =
        |(name, value): &(String, String)| name == "Timestamp" && value.parse::<Timestamp>().is_ok();
    if pairs.iter().filter(|(name, _)| name == "Timestamp").count() == 1 {
        pairs.retain(|pair| !is_time(pair));
    }
    Ok(pairs)
}

/// The same where nothing is signed, for browsers: so nothing is left out that a page does not know.
///
/// # Errors
/// See [`QueryError`].
pub fn all_pairs(
    method: &str,
    query: &str,
    content_type: &[u8],
    body: &[u8],
) -> Result<Vec<(String, String)>, QueryError> {
    let mut pairs = of_query(query)?;
    add_form(method, content_type, body, &mut pairs)?;
    Ok(pairs)
}

fn of_query(query: &str) -> Result<Vec<(String, String)>, QueryError> {
    let mut pairs = Vec::new();
    read(query.as_bytes(), &mut pairs, QueryError::QueryString)?;
    Ok(pairs)
}

fn add_form(
    method: &str,
    content_type: &[u8],
    body: &[u8],
    pairs: &mut Vec<(String, String)>,
) -> Result<(), QueryError> {
    if method == "POST" && !body.is_empty() {
        if !is_form(content_type) {
            return Err(QueryError::ContentType);
        }
        read(body, pairs, QueryError::Form)?;
    }
    Ok(())
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

    const FORM: &[u8] = b"application/x-www-form-urlencoded; charset=utf-8";

    fn got(query: &str) -> Vec<(String, String)> {
        pairs("GET", query, b"", b"").unwrap()
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
            let error = pairs("GET", text, b"", b"").unwrap_err();
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
        assert_eq!(pairs("POST", "A=1", b"", b"B=2").unwrap(), both);
        assert_eq!(pairs("GET", "A=1", FORM, b"B=2").unwrap(), owned(&[("A", "1")]));
        assert_eq!(pairs("POST", "A=1", b"application/json", b"{}"), Err(QueryError::ContentType));
        assert_eq!(pairs("POST", "A=1", b"application/json", b"").unwrap(), owned(&[("A", "1")]));
    }

    #[test]
    fn both_places_keep_a_repeated_name_so_that_it_can_be_refused() {
        assert_eq!(pairs("POST", "A=1", FORM, b"A=1").unwrap(), owned(&[("A", "1"), ("A", "1")]));
    }

    #[test]
    fn the_signature_of_a_presigned_request_is_left_out_and_nothing_else() {
        let signature = PRESIGNED_PARAMETERS.map(|name| format!("{name}=x")).join("&");
        let more =
            "X-Amz-Policy=p&x-amz-date=d&X-Amz-User-Agent=u&Expires=1&Timestamp=t&Signature=s&RoleArn=r";
        let all = got(&format!("Action=GetCallerIdentity&{signature}&{more}"));
        assert_eq!(all.len(), 1 + 7);
        assert!(!all.iter().any(|(name, _)| name == "X-Amz-Region-Set"));
        assert!(!all.iter().any(|(name, _)| PRESIGNED_PARAMETERS.contains(&name.as_str())));
        // Without a signature in the query, and in a form, they are parameters like any other.
        let unsigned = signature.replace("X-Amz-Signature=x&", "");
        assert_eq!(got(&unsigned).len(), 8);
        assert_eq!(pairs("POST", "", FORM, signature.as_bytes()).unwrap().len(), 9);
        assert_eq!(pairs("POST", &signature, FORM, signature.as_bytes()).unwrap().len(), 9);
    }

    #[test]
    fn of_what_a_browser_asks_nothing_is_left_out() {
        let names = PRESIGNED_PARAMETERS.iter().chain(&VERSION_2_PARAMETERS);
        let query: Vec<String> = names.map(|name| format!("{name}=x")).collect();
        let query = format!("{}&Timestamp=2026-01-15T12:00:00Z&A=1", query.join("&"));
        let many = PRESIGNED_PARAMETERS.len() + VERSION_2_PARAMETERS.len() + 2;
        assert_eq!(all_pairs("GET", &query, b"", b"").unwrap().len(), many);
        assert_eq!(all_pairs("POST", "", FORM, query.as_bytes()).unwrap().len(), many);
        assert_eq!(all_pairs("POST", "A=1", b"text/plain", b"B=2"), Err(QueryError::ContentType));
    }

    #[test]
    fn the_parameters_of_a_whole_signature_of_version_2_are_left_out() {
        let signature = VERSION_2_PARAMETERS.map(|name| format!("{name}=x")).join("&");
        let all = format!("Action=GetSessionToken&{signature}&signature=s&RoleArn=r");
        let rest = owned(&[("Action", "GetSessionToken"), ("signature", "s"), ("RoleArn", "r")]);
        assert_eq!(got(&all), rest);
        assert_eq!(pairs("POST", "", FORM, all.as_bytes()).unwrap(), rest);
        // Without one of the two there is no signature, and they may be somebody's parameters.
        assert_eq!(got("AWSAccessKeyId=x&Expires=y").len(), 2);
        assert_eq!(got("Signature=x&Expires=y").len(), 2);
        // A time of its own beside another signature is none of an operation's parameters; anything else may be.
        assert_eq!(got("Timestamp=2026-11-28T06:45:00Z&A=1"), owned(&[("A", "1")]));
        assert_eq!(got("Timestamp=2026-11-28T06%3A45%3A00.000Z"), []);
        assert_eq!(got("Timestamp=60&A=1").len(), 2);
        assert_eq!(got("Timestamp=2026-11-28T06:45:00Z&Timestamp=2026-11-28T06:45:00Z").len(), 2);
    }

    #[test]
    fn the_names_of_a_signature_are_no_parameters_of_any_operation() {
        let members =
            daypass_service::shapes::OPERATIONS.iter().flat_map(|operation| operation.input.members);
        let names: Vec<&str> = PRESIGNED_PARAMETERS.into_iter().chain(VERSION_2_PARAMETERS).collect();
        for member in members {
            assert!(!names.iter().any(|name| name.eq_ignore_ascii_case(member.name)), "{}", member.name);
        }
    }

    #[test]
    fn the_number_of_pairs_is_bounded() {
        assert_eq!(pairs("POST", "", FORM, "A&".repeat(2021).as_bytes()), Err(QueryError::TooMany));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(query in ".{0,60}", body in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = pairs("POST", &query, b"", &body);
        }

        #[test]
        fn what_a_client_encodes_comes_back(name in "\\PC{1,8}", value in ".{0,20}") {
            let encode = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
            let query = format!("{}={}", encode(&name), encode(&value));
            prop_assert_eq!(got(&query), vec![(name, value)]);
        }
    }
}

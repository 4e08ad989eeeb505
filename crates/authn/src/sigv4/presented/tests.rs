//! What a request presents is found by its names and within its bounds; requests made by hand are in `tests/it`.

use super::*;

fn with(headers: &[(&str, &str)]) -> HttpRequest {
    headers
        .iter()
        .fold(HttpRequest::new("GET", "/", ""), |request, (name, value)| request.with_header(name, *value))
}

#[test]
fn a_field_is_known_by_its_name_and_not_by_its_length() {
    let unknown = [4, 10, 13, 16, 20, 21].map(|length| "a".repeat(length));
    let headers: Vec<_> = unknown.iter().map(|name| (name.as_str(), "x")).collect();
    let request = with(&headers);
    let fields = Fields::of(&request).unwrap();
    let found = [
        fields.authorization,
        fields.amz_date,
        fields.date,
        fields.token,
        fields.host,
        fields.payload_hash,
        fields.region_set,
    ];
    assert_eq!((found, fields.s3_session), ([None; 7], false));
}

#[test]
fn two_authorizations_are_refused_at_once_and_others_that_come_twice_later() {
    let twice = |name| with(&[(name, "a"), (name, "b")]);
    assert!(Fields::of(&twice("authorization")).is_err());
    for name in ["host", "date", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"] {
        assert!(Fields::of(&twice(name)).unwrap().refuse_repeated().is_err(), "{name}");
    }
}

#[test]
fn what_is_no_authorization_is_told_by_its_hash() {
    assert_eq!(hash_of(b""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

#[test]
fn a_head_is_as_long_as_it_may_be() {
    let request = |length: usize| HttpRequest::new("GET", "/", "").with_header("x", "a".repeat(length));
    // Method, path and the name of the field take five.
    assert!(presented(&request(REQUEST_HEAD_BYTES_MAX - 5)).is_ok());
    assert_eq!(presented(&request(REQUEST_HEAD_BYTES_MAX - 4)).unwrap_err(), AuthError::HeadTooLarge);
    let other = HttpRequest::new("POST", "/abc?d=ef", "body").with_header("ab", "cde");
    assert_eq!(other.head_size(), 4 + 4 + 4 + 2 + 3);
}

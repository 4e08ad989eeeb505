//! Signature Version 2, the protocol of STS's first years: parameters in the query or the form, one HMAC over them.
//!
//! It covers method, host, path and parameters, and no header field. Whatever of a request it does not cover and could
//! mean something is refused here: a query beside a form, a body beside a query, every `x-amz-*` field.
//!
//! Governing documents: AWS General Reference, "Signature Version 2 signing process"; AWS STS, "Using Temporary
//! Security Credentials" (API version 2011-06-15), where the token is the parameter `SecurityToken`, and signed; for the
//! window `RequestExpired` in the Amazon EC2 API Reference, "Error codes".

use std::fmt;

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use daypass_model::{Secret, rfc3339_seconds};
use jiff::{SignedDuration, Timestamp};

use super::form::{decode, encode, is_form, raw_pairs};
use super::presented::Fields;
use super::{AuthError, HttpRequest};

/// The parameters that belong to the signature and to no operation.
pub const VERSION_2_PARAMETERS: [&str; 7] = [
    "AWSAccessKeyId",
    "SignatureVersion",
    "SignatureMethod",
    "Timestamp",
    "Expires",
    "SecurityToken",
    "Signature",
];

/// How far the time of a request may lie from now, either way. `Expires` gets no more: a request is good for as long as
/// it can be captured and sent again.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// A well-formed Signature Version 2. Nothing in it is verified until [`verify`](Version2::verify) says so.
#[derive(Clone)]
pub struct Version2 {
    /// The access key id as given: 1–128 printable ASCII characters.
    pub access_key_id: String,
    /// The session token, if any came. A credential: never log it.
    pub session_token: Option<String>,
    method: hmac::Algorithm,
    time: Time,
    signature: String,
}

#[derive(Clone, Copy)]
enum Time {
    Made(Timestamp),
    Expires(Timestamp),
}

impl Version2 {
    /// Read the parameters of a request that holds some of them, and nothing of another credential.
    pub(super) fn read(request: &HttpRequest) -> Result<Self, AuthError> {
        let fields = Fields::of(request)?;
        fields.refuse_repeated()?;
        if fields.authorization.is_some() {
            return Err(AuthError::SignatureVersion2); // `AWS id:signature`, Amazon S3's own form of it
        }
        if fields.token.is_some() {
            return Err(AuthError::TwoCredentials);
        }
        let [id, version, method, made, expires, token, signature] = values(parameters(request)?)?;
        let needed = |value: Option<String>, name| value.ok_or(AuthError::Version2Missing { name });
        let wrong = |name| AuthError::Version2Value { name };
        if needed(version, "SignatureVersion")? != "2" {
            return Err(wrong("SignatureVersion"));
        }
        let method = match needed(method, "SignatureMethod")?.as_str() {
            "HmacSHA256" => hmac::HMAC_SHA256,
            "HmacSHA1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            _ => return Err(wrong("SignatureMethod")),
        };
        let time = match (made, expires) {
            (Some(_), Some(_)) => return Err(AuthError::Version2TwoTimes),
            (None, None) => return Err(AuthError::Version2Missing { name: "Timestamp" }),
            (Some(text), None) => Time::Made(moment(&text).ok_or(wrong("Timestamp"))?),
            (None, Some(text)) => Time::Expires(moment(&text).ok_or(wrong("Expires"))?),
        };
        let access_key_id = needed(id, "AWSAccessKeyId")?;
        if !(1..=128).contains(&access_key_id.len()) || !access_key_id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong("AWSAccessKeyId"));
        }
        let signature = needed(signature, "Signature")?;
        Ok(Self { access_key_id, session_token: token, method, time, signature })
    }

    /// Check the time, what the signature leaves open, and the signature. `tolerated_unsigned` are `x-amz-*` fields
    /// (lower case) that a proxy in front adds.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(
        &self,
        request: &HttpRequest,
        tolerated_unsigned: &[&str],
        secret_access_key: &Secret,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        self.check_time(now)?;
        let unsigned = |name: &str| {
            name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
                && !tolerated_unsigned.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        // INVARIANT (signed-fields): as in Signature Version 4, but here nothing of a field is ever signed.
        if request.headers.iter().any(|(name, _)| unsigned(name)) {
            return Err(AuthError::SignatureDoesNotMatch);
        }
        let text = string_to_sign(request)?;
        let signature =
            BASE64.decode(self.signature.as_bytes()).map_err(|_| AuthError::SignatureDoesNotMatch)?;
        let key = hmac::Key::new(self.method, secret_access_key.expose());
        // Compares in constant time.
        hmac::verify(&key, text.as_bytes(), &signature).map_err(|_| AuthError::SignatureDoesNotMatch)
    }

    fn check_time(&self, now: Timestamp) -> Result<(), AuthError> {
        let (name, time, oldest) = match self.time {
            Time::Made(time) => ("Timestamp", time, now.saturating_sub(WINDOW)),
            Time::Expires(time) => ("Expires", time, Ok(now)),
        };
        let newest = now.saturating_add(WINDOW);
        match (oldest, newest) {
            (Ok(oldest), Ok(newest)) if (oldest..=newest).contains(&time) => Ok(()),
            _ => Err(AuthError::Version2Expired { name, time: rfc3339_seconds(time) }),
        }
    }
}

/// Prints neither signature nor session token.
impl fmt::Debug for Version2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version2")
            .field("access_key_id", &self.access_key_id)
            .field("has_session_token", &self.session_token.is_some())
            .finish_non_exhaustive()
    }
}

/// All parameters of the request, still encoded: the query of a GET, the form of a POST. What comes in the other place
/// is not signed, so nothing may be there.
fn parameters(request: &HttpRequest) -> Result<&[u8], AuthError> {
    let (parameters, elsewhere) = match request.method.as_str() {
        "GET" => (request.query.as_bytes(), &*request.body),
        "POST" if is_form(request.header("content-type").unwrap_or_default()) => {
            (&*request.body, request.query.as_bytes())
        }
        _ => return Err(AuthError::SignatureVersion2),
    };
    if elsewhere.is_empty() { Ok(parameters) } else { Err(AuthError::SignatureDoesNotMatch) }
}

/// The values of [`VERSION_2_PARAMETERS`]. None may come twice or in another case: another reader could see another.
fn values(parameters: &[u8]) -> Result<[Option<String>; 7], AuthError> {
    let mut values = [const { None }; 7];
    for (name, value) in raw_pairs(parameters) {
        let name = decode(name);
        let mut slots = VERSION_2_PARAMETERS.into_iter().zip(&mut values);
        let Some((known, slot)) = slots.find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes())) else {
            continue;
        };
        if name != known.as_bytes() {
            return Err(AuthError::ParameterCase { name: known });
        }
        let value = String::from_utf8(decode(value).into_owned());
        let value = value.map_err(|_| AuthError::Version2Value { name: known })?;
        if slot.replace(value).is_some() {
            return Err(AuthError::RepeatedField { name: known });
        }
    }
    Ok(values)
}

/// ```text
/// METHOD \n host \n path \n name=value&…      without `Signature`, by the bytes of the names
/// ```
fn string_to_sign(request: &HttpRequest) -> Result<String, AuthError> {
    let pairs = raw_pairs(parameters(request)?).map(|(name, value)| (decode(name), decode(value)));
    let mut pairs: Vec<_> = pairs.filter(|(name, _)| **name != *b"Signature").collect();
    pairs.sort_unstable();
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let host = request.header_text("host").ok_or(AuthError::SignatureDoesNotMatch)?.to_ascii_lowercase();
    let path = if request.path.is_empty() { "/" } else { &request.path };
    Ok(format!("{}\n{host}\n{path}\n{}", request.method, pairs.join("&")))
}

/// Reads ISO 8601 with seconds and a zone, `2010-01-25T15:03:07-07:00` or `2010-01-25T22:03:07.000Z`, and nothing else: a
/// time without a zone would have as many readings as there are zones.
fn moment(text: &str) -> Option<Timestamp> {
    let (day, rest) = text.split_at_checked(19)?;
    let shape = day.bytes().zip(*b"dddd-dd-ddTdd:dd:dd");
    let fits = |(byte, like): (u8, u8)| if like == b'd' { byte.is_ascii_digit() } else { byte == like };
    let fraction = rest.strip_prefix('.').unwrap_or_default();
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let zone = if rest.starts_with('.') { fraction.get(digits..)? } else { rest };
    let fraction_fits = rest.starts_with('.') == (1..=9).contains(&digits);
    let zone_fits = zone == "Z" || (zone.len() == 6 && zone.starts_with(['+', '-']));
    (shape.into_iter().all(fits) && fraction_fits && zone_fits).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calculated with Python's `hmac`. The SHA-1 is over the very same text, whose `SignatureMethod` it contradicts.
    #[test]
    fn the_known_text_has_the_known_signatures() {
        let request = HttpRequest::new(
            "GET",
            "/?Action=GetSessionToken&SecurityToken=abc%2Fd%2Be%3D%3D&SignatureMethod=HmacSHA256&SignatureVersion=2\
             &Timestamp=2026-01-15T12%3A00%3A00Z&Version=2011-06-15&AWSAccessKeyId=ASIAIOSFODNN7EXAMPLE&Signature=x",
            "",
        )
        .with_header("host", "STS.amazonaws.com");
        let text = string_to_sign(&request).unwrap();
        assert_eq!(
            text,
            "GET\nsts.amazonaws.com\n/\nAWSAccessKeyId=ASIAIOSFODNN7EXAMPLE&Action=GetSessionToken\
             &SecurityToken=abc%2Fd%2Be%3D%3D&SignatureMethod=HmacSHA256&SignatureVersion=2\
             &Timestamp=2026-01-15T12%3A00%3A00Z&Version=2011-06-15"
        );
        for (method, signature) in [
            (hmac::HMAC_SHA256, "PyZEMc1UqL9bSQhUZYWCumI9PCMz5k3SafPV0JdfVxE="),
            (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, "0YdfdDjbcHXuNJLkStE7zyC9v60="),
        ] {
            let key = hmac::Key::new(method, b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
            assert_eq!(BASE64.encode(hmac::sign(&key, text.as_bytes()).as_ref()), signature);
        }
    }

    #[test]
    fn times_have_seconds_and_a_zone() {
        let noon: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        for good in [
            "2026-01-15T12:00:00Z",
            "2026-01-15T12:00:00.000Z",
            "2026-01-15T05:00:00-07:00",
            "2026-01-15T17:30:00.0+05:30",
        ] {
            assert_eq!(moment(good), Some(noon), "{good}");
        }
        for bad in [
            "",
            "2026-01-15T12:00:00",
            "2026-01-15",
            "2026-01-15T12:00Z",
            "2026-01-15 12:00:00Z",
            "2026-01-15t12:00:00z",
            "2026-01-15T12:00:00.Z",
            "2026-01-15T12:00:00.1234567890Z",
            "2026-01-15T12:00:00+0700",
            "2026-01-15T12:00:00-07:0é",
            "2026-02-30T12:00:00Z",
            "2026-01-15T12:00:00Z[UTC]",
            "20260115T120000Z",
            "1768478400",
            "+002026-01-15T12:00:00Z",
        ] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }

    #[test]
    fn parameters_are_a_forms_or_a_querys_and_never_both() {
        let post = |content_type: &str, target: &str| {
            let request =
                HttpRequest::new("POST", target, "Action=x").with_header("content-type", content_type);
            parameters(&request).map(<[u8]>::to_vec)
        };
        assert_eq!(post("application/x-www-form-urlencoded; charset=utf-8", "/").unwrap(), b"Action=x");
        for other in ["application/json", "text/plain"] {
            assert_eq!(post(other, "/").unwrap_err(), AuthError::SignatureVersion2, "{other}");
        }
        let both = post("application/x-www-form-urlencoded", "/?Action=y");
        assert_eq!(both.unwrap_err(), AuthError::SignatureDoesNotMatch);
    }
}

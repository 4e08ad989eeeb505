//! What an event repeats of a successful answer: CloudTrail's `responseElements`.
//!
//! Generic over every answer: names begin in lower case, moments are text as CloudTrail writes them, and
//! whatever could be used as a credential is left out. (CloudTrail keeps session tokens; we do not: a log
//! must not hold half of a credential.)

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::request::Reply;
use crate::shapes::lower_first;

/// Members of STS and IAM answers that are worth something to a thief, beside those that [`is_secret`] knows
/// by their ending.
const SECRET: [&str; 8] = [
    "SecretAccessKey",
    "ServiceCredentialSecret",
    "ServiceApiKeyValue",
    "Base32StringSeed",
    "QRCodePNG",
    "PrivateKey",
    "PrivateKeyList",
    "AuthorizationCode",
];

/// `null` for a void reply.
pub(super) fn response_elements(reply: &Reply) -> Value {
    match serde_json::to_value(&**reply) {
        Ok(Value::Object(members)) => {
            let members = logged(members);
            if members.is_empty() { Value::Null } else { Value::Object(members) }
        }
        _ => Value::Null,
    }
}

fn logged(members: Map<String, Value>) -> Map<String, Value> {
    let kept = members.into_iter().filter(|(name, value)| !value.is_null() && !is_secret(name));
    kept.map(|(name, value)| {
        let value = if is_moment(&name) { moment(value) } else { nested(value) };
        (lower_first(&name), value)
    })
    .collect()
}

fn nested(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(logged(members)),
        Value::Array(items) => items.into_iter().map(nested).collect(),
        other => other,
    }
}

/// Services that speak REST begin their names in lower case.
fn is_secret(name: &str) -> bool {
    let mut chars = name.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    let name: String = first.into_iter().chain(chars).collect();
    let name = name.as_str();
    // Whom a token is about is no token.
    if name == "SubjectFromWebIdentityToken" {
        return false;
    }
    SECRET.contains(&name) || ["Token", "Password", "Secret"].iter().any(|end| name.ends_with(end))
}

fn is_moment(name: &str) -> bool {
    name == "Expiration" || name.ends_with("Date")
}

/// `Jul 18, 2023, 4:07:39 PM`
fn moment(value: Value) -> Value {
    match value.as_i64().map(Timestamp::from_second) {
        Some(Ok(at)) => TimeZone::UTC.to_datetime(at).strftime("%b %-d, %Y, %-I:%M:%S %p").to_string().into(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_repeated_without_what_is_secret() {
        let reply: Reply = Box::new(json!({
            "Credentials": {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": 1_689_696_459},
            "AssumedRoleUser": {"AssumedRoleId": "AROA:x", "Arn": "arn"},
            "Tags": [{"Key": "Token", "Value": "kept"}],
            "SourceIdentity": null,
            "credentialSet": [{"credentials": {"accessKeyId": "ASIA", "secretAccessKey": "s", "sessionToken": "t"}}],
            "nextToken": "t", "subjectFromWebIdentityToken": "ada",
        }));
        let expected = json!({
            "credentials": {"accessKeyId": "ASIA", "expiration": "Jul 18, 2023, 4:07:39 PM"},
            "assumedRoleUser": {"assumedRoleId": "AROA:x", "arn": "arn"},
            "tags": [{"key": "Token", "value": "kept"}],
            "credentialSet": [{"credentials": {"accessKeyId": "ASIA"}}],
            "subjectFromWebIdentityToken": "ada",
        });
        assert_eq!(response_elements(&reply), expected);
    }

    #[test]
    fn a_void_reply_has_no_elements() {
        assert_eq!(response_elements(&(Box::new(()) as Reply)), Value::Null);
        assert_eq!(response_elements(&(Box::new(json!({})) as Reply)), Value::Null);
    }

    #[test]
    fn moments_are_written_in_twelve_hours() {
        assert_eq!(moment(json!(1_767_323_045)), json!("Jan 2, 2026, 3:04:05 AM"));
        assert_eq!(moment(json!(1_767_312_000)), json!("Jan 2, 2026, 12:00:00 AM"));
        assert_eq!(moment(json!("as it is")), json!("as it is"));
    }
}

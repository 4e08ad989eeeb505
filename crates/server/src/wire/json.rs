//! JSON out: the answers of Query services to `Accept: application/json`, and AWS JSON 1.1 for
//! daypass's own API.
//!
//! Members that are `None` are left out, as in XML; lists are arrays; a `Time` is a number of seconds.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// A Query service's answer: `{"{Action}Response":{"{Action}Result":{…},"ResponseMetadata":{…}}}`.
///
/// # Errors
/// An output that JSON cannot express: a fault of the action, not of its caller.
pub fn query_reply<T: Serialize + ?Sized>(
    action: &str,
    request_id: &str,
    output: &T,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut response = Map::new();
    match present(serde_json::to_value(output)?) {
        // A void reply.
        Value::Null => {}
        result => {
            response.insert(format!("{action}Result"), result);
        }
    }
    response.insert("ResponseMetadata".to_owned(), json!({ "RequestId": request_id }));
    Ok(json!({ format!("{action}Response"): response }).to_string().into_bytes())
}

/// A Query service's error. `sender` says that the caller is to blame (4xx).
#[must_use]
pub fn query_error(request_id: &str, code: &str, message: &str, sender: bool) -> Vec<u8> {
    let kind = if sender { "Sender" } else { "Receiver" };
    let error = json!({ "Code": code, "Message": message, "Type": kind });
    json!({ "Error": error, "RequestId": request_id }).to_string().into_bytes()
}

/// The answer in AWS JSON 1.1; `{}` for a void reply.
///
/// # Errors
/// As [`query_reply`].
pub fn reply<T: Serialize + ?Sized>(output: &T) -> Result<Vec<u8>, serde_json::Error> {
    let body = match present(serde_json::to_value(output)?) {
        Value::Null => json!({}),
        body => body,
    };
    Ok(body.to_string().into_bytes())
}

/// An error in AWS JSON 1.1.
#[must_use]
pub fn error(code: &str, message: &str) -> Vec<u8> {
    json!({ "__type": code, "message": message }).to_string().into_bytes()
}

/// An error of a service that speaks REST; its code is in a header.
#[must_use]
pub fn rest_error(message: &str) -> Vec<u8> {
    json!({ "message": message }).to_string().into_bytes()
}

/// Without the members that are absent.
fn present(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, member)| !member.is_null());
            Value::Object(members.map(|(name, member)| (name, present(member))).collect())
        }
        Value::Array(items) => items.into_iter().map(present).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Time(i64);

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        user_id: &'static str,
        account: &'static str,
        arn: Option<&'static str>,
        expiration: Time,
        tags: Vec<Option<&'static str>>,
    }

    const OUTPUT: Output = Output {
        user_id: "AIDA",
        account: "123456789012",
        arn: None,
        expiration: Time(1_573_306_481),
        tags: vec![],
    };

    fn parsed(body: &[u8]) -> Value {
        serde_json::from_slice(body).unwrap()
    }

    #[test]
    fn query_services_answer_in_the_same_two_envelopes_as_in_xml() {
        let expected = json!({"GetCallerIdentityResponse": {
            "GetCallerIdentityResult": {"UserId": "AIDA", "Account": "123456789012", "Expiration": 1573306481, "Tags": []},
            "ResponseMetadata": {"RequestId": "r-1"},
        }});
        assert_eq!(parsed(&query_reply("GetCallerIdentity", "r-1", &OUTPUT).unwrap()), expected);
    }

    #[test]
    fn a_void_reply_has_no_result() {
        let expected = json!({"DeleteUserResponse": {"ResponseMetadata": {"RequestId": "r-1"}}});
        assert_eq!(parsed(&query_reply("DeleteUser", "r-1", &()).unwrap()), expected);
        assert_eq!(reply(&()).unwrap(), b"{}");
    }

    #[test]
    fn errors_have_the_captured_form() {
        let message = "Roles may not be assumed by root accounts.";
        let expected = json!({
            "Error": {"Code": "AccessDenied", "Message": message, "Type": "Sender"},
            "RequestId": "r-1",
        });
        assert_eq!(parsed(&query_error("r-1", "AccessDenied", message, true)), expected);
        assert_eq!(parsed(&query_error("r-1", "InternalFailure", "", false))["Error"]["Type"], "Receiver");
        let expected = json!({"__type": "NoSuchEntity", "message": "\"\u{0}"});
        assert_eq!(parsed(&error("NoSuchEntity", "\"\u{0}")), expected);
    }

    #[test]
    fn our_own_api_answers_the_output_itself() {
        let expected =
            json!({"UserId": "AIDA", "Account": "123456789012", "Expiration": 1573306481, "Tags": []});
        assert_eq!(parsed(&reply(&OUTPUT).unwrap()), expected);
    }
}

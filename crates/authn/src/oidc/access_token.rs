//! What a provider says of an access token: OAuth 2.0 access tokens are opaque, so nobody else can read them.
//!
//! Source: Login with Amazon, Developer Guide for Websites, "Verify access tokens"; Facebook, Graph API Reference, `/app`
//! and `/me`.

use serde_json::{Map, Value};

use super::json;

/// Longest answer about an access token that is read, in bytes.
pub const ACCESS_TOKEN_INFO_BYTES_MAX: usize = 16 * 1024;
/// Longest id that is taken from one, in bytes.
const ID_BYTES_MAX: usize = 256;
/// Who says that a token is Amazon's.
const AMAZON: &str = "https://www.amazon.com";

/// For whom and for which application a token is that its provider knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessTokenInfo {
    /// The application that it was issued to.
    pub app_id: String,
    /// The provider's id of whoever signed in there.
    pub user_id: String,
    /// What the application calls itself when it asks for tokens: with Amazon another id than the application's.
    pub client_id: String,
}

/// What a provider answered says nothing of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTokenInfo {
    /// Not in the form that its answers have: it is not the provider, or not well.
    #[error("the answer about an access token has another form")]
    Form,
    /// The token is over, or another's, or something is wrong with it.
    #[error("no information of an access token")]
    Refused,
}

impl AccessTokenInfo {
    /// Read what `/auth/O2/tokeninfo` of Login with Amazon answers.
    ///
    /// # Errors
    /// [`NoTokenInfo`]; so too for a token that is over.
    pub fn of_amazon(text: &[u8]) -> Result<Self, NoTokenInfo> {
        let answer = object(text)?;
        // Seconds that are left.
        let lives = answer.get("exp").and_then(Value::as_i64).is_some_and(|left| left > 0);
        if !lives || answer.get("iss").and_then(Value::as_str) != Some(AMAZON) {
            return Err(NoTokenInfo::Refused);
        }
        Ok(Self {
            app_id: id(&answer, "app_id")?,
            user_id: id(&answer, "user_id")?,
            client_id: id(&answer, "aud")?,
        })
    }

    /// Read what `/app` and `/me` of Facebook's Graph API answer to a token.
    ///
    /// # Errors
    /// [`NoTokenInfo`].
    pub fn of_facebook(app: &[u8], me: &[u8]) -> Result<Self, NoTokenInfo> {
        let app_id = id(&object(app)?, "id")?;
        Ok(Self { client_id: app_id.clone(), app_id, user_id: id(&object(me)?, "id")? })
    }
}

fn object(text: &[u8]) -> Result<Map<String, Value>, NoTokenInfo> {
    let text = Some(text).filter(|text| text.len() <= ACCESS_TOKEN_INFO_BYTES_MAX);
    let object = text.and_then(json::object).ok_or(NoTokenInfo::Form)?;
    if object.contains_key("error") { Err(NoTokenInfo::Refused) } else { Ok(object) }
}

fn id(answer: &Map<String, Value>, name: &str) -> Result<String, NoTokenInfo> {
    let id = answer.get(name).and_then(Value::as_str).ok_or(NoTokenInfo::Refused)?;
    let is_one = (1..=ID_BYTES_MAX).contains(&id.len()) && !id.contains(char::is_control);
    if is_one { Ok(id.to_owned()) } else { Err(NoTokenInfo::Refused) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The example of the Developer Guide.
    fn amazon() -> Value {
        json!({
            "iss": "https://www.amazon.com",
            "user_id": "amzn1.account.K2LI23KL2LK2",
            "aud": "amzn1.application-oa2-client.ABCDEFGHIJKLMNOPQRST",
            "app_id": "amzn1.application.436457DFHDH",
            "exp": 3597,
            "iat": 1_311_280_970,
        })
    }

    fn of_amazon(answer: &Value) -> Result<AccessTokenInfo, NoTokenInfo> {
        AccessTokenInfo::of_amazon(answer.to_string().as_bytes())
    }

    #[test]
    fn amazon_tells_application_client_and_user() {
        let info = of_amazon(&amazon()).unwrap();
        assert_eq!(info.app_id, "amzn1.application.436457DFHDH");
        assert_eq!(info.user_id, "amzn1.account.K2LI23KL2LK2");
        assert_eq!(info.client_id, "amzn1.application-oa2-client.ABCDEFGHIJKLMNOPQRST");
    }

    #[test]
    fn what_does_not_say_all_of_it_says_nothing() {
        for (name, value) in [
            ("iss", json!("https://www.amazon.com/")),
            ("iss", json!("https://www.amazon.com.evil.example")),
            ("iss", Value::Null),
            ("exp", json!(0)),
            ("exp", json!(-1)),
            ("exp", json!("3597")),
            ("exp", json!(1.5)),
            ("user_id", json!("")),
            ("user_id", json!(7)),
            ("user_id", json!(["amzn1.account.K2LI23KL2LK2"])),
            ("app_id", json!("a\nb")),
            ("app_id", json!("a".repeat(257))),
            ("aud", json!(["one", "two"])),
        ] {
            let mut answer = amazon();
            answer[name] = value.clone();
            assert_eq!(of_amazon(&answer), Err(NoTokenInfo::Refused), "{name}: {value}");
        }
        for name in ["iss", "user_id", "aud", "app_id", "exp"] {
            let mut answer = amazon();
            answer.as_object_mut().unwrap().remove(name);
            assert_eq!(of_amazon(&answer), Err(NoTokenInfo::Refused), "without {name}");
        }
        let twice = amazon().to_string().replacen('{', r#"{"user_id":"another","#, 1);
        let padded = format!("{:width$}", amazon().to_string(), width = 16 * 1024);
        assert!(AccessTokenInfo::of_amazon(padded.as_bytes()).is_ok());
        let padded = padded + " ";
        for other in ["", "[]", "null", "<html>", &twice, &padded] {
            assert_eq!(AccessTokenInfo::of_amazon(other.as_bytes()), Err(NoTokenInfo::Form), "{other:.40}");
        }
        let mut both = amazon();
        both["error"] = json!("invalid_token");
        for refused in [r#"{"error":"invalid_token"}"#, &both.to_string()] {
            let info = AccessTokenInfo::of_amazon(refused.as_bytes());
            assert_eq!(info, Err(NoTokenInfo::Refused), "{refused:.40}");
        }
    }

    #[test]
    fn facebook_tells_the_application_and_the_user_apart() {
        let app = br#"{"category":"Games","link":"https://x.example/","name":"App","id":"116"}"#;
        let me = br#"{"name":"Alice","id":"100"}"#;
        let info = AccessTokenInfo::of_facebook(app, me).unwrap();
        assert_eq!((&*info.app_id, &*info.client_id, &*info.user_id), ("116", "116", "100"));
        for ([app, me], why) in [
            ([&br#"{"id":116}"#[..], &me[..]], NoTokenInfo::Refused),
            ([app, br#"{"id":""}"#], NoTokenInfo::Refused),
            ([app, br#"{"error":{"message":"x"}}"#], NoTokenInfo::Refused),
            ([app, br#"{"id":"100","error":null}"#], NoTokenInfo::Refused),
            ([br#"{"id":"116","id":"117"}"#, me], NoTokenInfo::Form),
            ([b"", me], NoTokenInfo::Form),
        ] {
            assert_eq!(AccessTokenInfo::of_facebook(app, me), Err(why));
        }
    }
}

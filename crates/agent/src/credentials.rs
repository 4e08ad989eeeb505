//! Credentials as the server gives them, and the documents that programs read them from.

use daypass_model::{Secret, rfc3339_seconds};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::World;

/// Longest life that others are planned by, in seconds: that of a role's sessions (IAM User Guide, "Quotas").
const LIFE_SECONDS_MAX: i64 = 43_200;

/// Temporary credentials of a role.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    secret: Secret,
    token: Secret,
    /// Unix seconds.
    pub(crate) issued_at: i64,
    /// Unix seconds.
    pub(crate) expires_at: i64,
    /// ARN of the role.
    pub(crate) role_arn: String,
    /// Unique id of the role that the instance had when these were asked for; of its own credentials alone.
    pub(crate) role_id: Option<String>,
}

impl Credentials {
    /// Of an answer with `Credentials` and `RoleArn`, which came at `now`.
    pub(crate) fn read(answer: &Value, now: i64) -> Option<Self> {
        let role_arn = answer.get("RoleArn")?.as_str()?.to_owned();
        let members = answer.get("Credentials")?;
        let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Self {
            access_key_id: text("AccessKeyId")?.to_owned(),
            secret: Secret::new(text("SecretAccessKey")?),
            token: Secret::new(text("SessionToken")?),
            issued_at: now,
            expires_at: members.get("Expiration")?.as_i64()?,
            role_arn,
            role_id: None,
        })
    }

    /// When others are to be asked for: after three quarters of their life, and a little later by chance, so that machines that
    /// began together do not ask together. Of six hours an hour and more is left then, and a quarter of an hour of one hour.
    pub(crate) fn refresh_at(&self, world: &World) -> i64 {
        let life = self.expires_at.saturating_sub(self.issued_at).clamp(0, LIFE_SECONDS_MAX);
        self.issued_at + life / 4 * 3 + world.below((life / 12).max(1))
    }

    /// The document of instance metadata.
    pub(crate) fn of_instance(&self) -> Value {
        json!({
            "Code": "Success",
            "LastUpdated": time(self.issued_at),
            "Type": "AWS-HMAC",
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret.expose_str(),
            "Token": self.token.expose_str(),
            "Expiration": time(self.expires_at),
        })
    }

    /// The document of a container credentials endpoint.
    pub(crate) fn of_container(&self) -> Value {
        json!({
            "RoleArn": self.role_arn,
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret.expose_str(),
            "Token": self.token.expose_str(),
            "Expiration": time(self.expires_at),
            "AccountId": self.account(),
        })
    }

    /// For signing with them.
    pub(crate) fn to_sign_with(&self) -> daypass_authn::sigv4::Credentials<'_> {
        daypass_authn::sigv4::Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret,
            session_token: Some(self.token.expose_str()),
        }
    }

    /// Of an answer of AssumeRoleForPodIdentity, which came at `now`.
    pub(crate) fn of_pod(answer: &Value, now: i64) -> Option<Self> {
        let text = |path: &str| answer.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Self {
            access_key_id: text("/credentials/accessKeyId")?.to_owned(),
            secret: Secret::new(text("/credentials/secretAccessKey")?),
            token: Secret::new(text("/credentials/sessionToken")?),
            issued_at: now,
            // Seconds, perhaps with a fraction.
            expires_at: answer.pointer("/credentials/expiration").and_then(seconds)?,
            role_arn: text("/assumedRoleUser/arn")?.to_owned(),
            role_id: None,
        })
    }

    /// The document of EKS's Pod Identity agent.
    pub(crate) fn of_pod_identity(&self) -> Value {
        let mut document = self.of_container();
        if let Some(members) = document.as_object_mut() {
            members.remove("RoleArn");
        }
        document
    }

    fn account(&self) -> &str {
        self.role_arn.split(':').nth(4).unwrap_or_default()
    }
}

fn seconds(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    number.as_i64().or_else(|| number.to_string().split('.').next()?.parse().ok())
}

/// `YYYY-MM-DDTHH:MM:SSZ`: botocore reads no other form.
pub(crate) fn time(second: i64) -> String {
    rfc3339_seconds(Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    //! Documents to the letter, and when credentials are due.

    use std::sync::Arc;

    use daypass_model::{MockClock, SeededRandom};

    use super::*;

    fn answer() -> Value {
        json!({
            "RoleArn": "arn:aws:iam::111122223333:role/fleet/Worker",
            "Credentials": {
                "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
                "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "SessionToken": "token",
                "Expiration": 1_767_344_645,
            },
        })
    }

    #[test]
    fn documents_are_as_the_guides_have_them() {
        let credentials = Credentials::read(&answer(), 1_767_323_045).unwrap();
        // Amazon EC2 User Guide, "Retrieve security credentials from instance metadata".
        let expected = json!({
            "Code": "Success", "LastUpdated": "2026-01-02T03:04:05Z", "Type": "AWS-HMAC",
            "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "Token": "token", "Expiration": "2026-01-02T09:04:05Z",
        });
        assert_eq!(credentials.of_instance(), expected);
        let container = credentials.of_container();
        assert_eq!(container["AccountId"], "111122223333");
        assert_eq!(container["RoleArn"], "arn:aws:iam::111122223333:role/fleet/Worker");
        assert_eq!(container["Token"], "token");
        assert!(!format!("{credentials:?}").contains("wJalrXUtnFEMI"));
    }

    #[test]
    fn others_are_asked_for_in_the_last_quarter_and_five_minutes_before_the_end() {
        let clock = Arc::new(MockClock::at(Timestamp::UNIX_EPOCH));
        let world = World { clock, random: Arc::new(SeededRandom::new(3)) };
        for life in [21_600, 3600, 1800] {
            let mut answer = answer();
            answer["Credentials"]["Expiration"] = (1000 + life).into();
            let credentials = Credentials::read(&answer, 1000).unwrap();
            let drawn: Vec<i64> = (0..50).map(|_| credentials.refresh_at(&world)).collect();
            assert!(drawn.iter().all(|at| *at >= 1000 + life * 3 / 4 && *at <= 1000 + life - 300), "{life}");
            assert!(drawn.iter().any(|at| *at != drawn[0]), "machines do not ask together");
        }
    }

    #[test]
    fn an_end_that_never_comes_does_not_keep_others_from_being_asked_for() {
        let clock = Arc::new(MockClock::at(Timestamp::UNIX_EPOCH));
        let world = World { clock, random: Arc::new(SeededRandom::new(3)) };
        for end in [i64::MAX, 1000 + 86_400] {
            let mut answer = answer();
            answer["Credentials"]["Expiration"] = end.into();
            assert!(Credentials::read(&answer, 1000).unwrap().refresh_at(&world) <= 1000 + 43_200);
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        for path in
            ["/RoleArn", "/Credentials/AccessKeyId", "/Credentials/SessionToken", "/Credentials/Expiration"]
        {
            let mut answer = answer();
            *answer.pointer_mut(path).unwrap() = Value::Null;
            assert!(Credentials::read(&answer, 0).is_none(), "{path}");
        }
    }
}

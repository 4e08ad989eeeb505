//! Instance metadata: session tokens, the documents that credentials and the region are read from, and nothing else.
//!
//! Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata", "Retrieve security credentials
//! from instance metadata", "Instance metadata categories" and "Instance identity documents".

use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::answer::{Answer, document, text, with};
use crate::credentials::time;
use crate::machine::{Delivery, Facts, Machine};
use crate::shelf::{Refusal, Shown};
use crate::token::{SECONDS_MAX, Tokens};

const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const TOKEN_SECONDS: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");

/// Instance metadata of one machine.
pub(crate) struct Metadata {
    pub(crate) machine: Arc<Machine>,
    pub(crate) tokens: Tokens,
    pub(crate) allow_version_1: bool,
}

impl Metadata {
    /// `PUT`: a session token. On any path but that of tokens, and of another version than the latest, it is forbidden.
    pub(crate) fn put(&self, path: &str, headers: &HeaderMap) -> Answer {
        if path != "/latest/api/token" {
            return text(StatusCode::FORBIDDEN, "");
        }
        let Some((seconds, field)) = seconds(headers) else { return text(StatusCode::BAD_REQUEST, "") };
        let world = &self.machine.world;
        let token = self.tokens.make(world.now() + seconds, &*world.random);
        with(text(StatusCode::OK, token), TOKEN_SECONDS, field)
    }

    /// `GET` of anything below `/latest/`.
    pub(crate) async fn get(&self, path: &str, headers: &HeaderMap) -> Answer {
        let Some(delivery) = self.delivery(headers) else { return text(StatusCode::UNAUTHORIZED, "") };
        // One spelling of each path, but for a slash at its end.
        let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
        let facts = match self.machine.facts().await {
            Shown::Good(facts, _) => facts,
            Shown::Refused(refusal) => return gone(path, &refusal),
            Shown::Nothing => return not_now(),
        };
        let role = facts.profile.as_ref().and_then(|profile| profile.role.as_deref());
        let category = path.strip_prefix("/latest").unwrap_or_default();
        match (category, &facts.profile) {
            ("", _) => lines(&["dynamic", "meta-data"]),
            ("/meta-data", Some(_)) => lines(&["iam/", "instance-id", "placement/"]),
            ("/meta-data", None) => lines(&["instance-id", "placement/"]),
            ("/meta-data/instance-id", _) => text(StatusCode::OK, facts.instance_id.clone()),
            ("/meta-data/placement", _) => lines(&["availability-zone", "region"]),
            ("/meta-data/placement/region", _) => text(StatusCode::OK, facts.region.clone()),
            ("/meta-data/placement/availability-zone", _) => text(StatusCode::OK, zone(&facts)),
            ("/dynamic", _) => lines(&["instance-identity/"]),
            ("/dynamic/instance-identity", _) => lines(&["document"]),
            ("/dynamic/instance-identity/document", _) => document(&identity(&facts)),
            ("/meta-data/iam", Some(_)) => lines(&["info", "security-credentials/"]),
            ("/meta-data/iam/info", Some(profile)) => document(&json!({
                "Code": "Success",
                "LastUpdated": time(facts.at),
                "InstanceProfileArn": profile.arn,
                "InstanceProfileId": profile.id,
            })),
            ("/meta-data/iam/security-credentials", Some(_)) => match role {
                Some(role) => text(StatusCode::OK, role.to_owned()),
                None => text(StatusCode::NOT_FOUND, ""),
            },
            (category, Some(_)) => match category.strip_prefix("/meta-data/iam/security-credentials/") {
                Some(name) if role == Some(name) => self.credentials(name, delivery).await,
                _ => text(StatusCode::NOT_FOUND, ""),
            },
            (_, None) => text(StatusCode::NOT_FOUND, ""),
        }
    }

    async fn credentials(&self, role: &str, delivery: Delivery) -> Answer {
        let is_of_role = |arn: &str| arn.rsplit('/').next() == Some(role);
        let mut shown = self.machine.credentials(delivery).await;
        if matches!(&shown, Shown::Good(credentials, _) if !is_of_role(&credentials.role_arn)) {
            self.machine.role_is_another(delivery);
            shown = self.machine.credentials(delivery).await;
        }
        match shown {
            Shown::Good(credentials, _) if is_of_role(&credentials.role_arn) => {
                document(&credentials.of_instance())
            }
            Shown::Good(..) => {
                // Of another role: whoever asked by the name of this one must not take them for its own.
                self.machine.facts_are_old();
                not_now()
            }
            Shown::Nothing => not_now(),
            Shown::Refused(refusal) => document(&refused(role, &refusal)),
        }
    }

    /// By which version the request asks. A token that is not good is none at all, in either mode.
    pub(crate) fn delivery(&self, headers: &HeaderMap) -> Option<Delivery> {
        let mut tokens = headers.get_all(TOKEN).iter();
        match (tokens.next(), tokens.next()) {
            (None, _) => self.allow_version_1.then_some(Delivery::Version1),
            (Some(token), None) => {
                let is_good = |token: &str| self.tokens.is_good(token, self.machine.world.now());
                token.to_str().is_ok_and(is_good).then_some(Delivery::Version2)
            }
            (Some(_), Some(_)) => None,
        }
    }
}

/// For how long a token is wanted, and the field that says so.
fn seconds(headers: &HeaderMap) -> Option<(i64, HeaderValue)> {
    let mut fields = headers.get_all(TOKEN_SECONDS).iter();
    let field = fields.next().filter(|_| fields.next().is_none())?;
    let digits = field.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let seconds: i64 = digits.parse().ok()?;
    (1..=SECONDS_MAX).contains(&seconds).then(|| (seconds, field.clone()))
}

fn lines(names: &[&str]) -> Answer {
    text(StatusCode::OK, names.join("\n"))
}

/// A region has one zone here; SDKs read the region from its name.
fn zone(facts: &Facts) -> String {
    format!("{}a", facts.region)
}

fn identity(facts: &Facts) -> Value {
    json!({
        "accountId": facts.account,
        "availabilityZone": zone(facts),
        "instanceId": facts.instance_id,
        "region": facts.region,
        "version": "2017-09-30",
    })
}

/// The problem of credentials is told in the place of credentials ("Troubleshoot IAM and Amazon EC2" in the IAM User Guide).
fn refused(role: &str, refusal: &Refusal) -> Value {
    let (code, message) = match refusal.code.as_str() {
        "AccessDenied" => (
            "AssumeRoleUnauthorizedAccess",
            format!(
                "EC2 cannot assume the role {role}. Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc."
            ),
        ),
        code => (code, refusal.message.clone()),
    };
    json!({"Code": code, "Message": message, "LastUpdated": time(refusal.at)})
}

/// The server does not know the machine any more.
fn gone(path: &str, refusal: &Refusal) -> Answer {
    if path.starts_with("/latest/meta-data/iam/security-credentials/") {
        return document(&json!({
            "Code": refusal.code, "Message": refusal.message, "LastUpdated": time(refusal.at),
        }));
    }
    text(StatusCode::NOT_FOUND, "")
}

fn not_now() -> Answer {
    text(StatusCode::SERVICE_UNAVAILABLE, "")
}

//! The facts of a call that conditions can ask about: the global `aws:` keys.
//!
//! Which key is present when is as telling as its value (a missing key is not an empty one): see
//! "AWS global condition context keys" in the IAM User Guide. Nothing here comes from a header that the
//! caller is free to set, but `aws:UserAgent` and `aws:Referer`, which AWS defines as such.

use std::net::IpAddr;

use daypass_model::{AccountId, rfc3339_seconds};
use daypass_policy::Context;
use jiff::Timestamp;

use crate::directory::SpentByCall;
use crate::principal::Principal;

/// The facts of one call, beside who makes it.
#[derive(Debug, Clone)]
pub struct Operation {
    /// UUID; in the answer, the audit and every record the call writes.
    pub request_id: String,
    /// The one moment that the whole call looks at.
    pub now: Timestamp,
    /// The peer's address, or what a trusted proxy says of it.
    pub source_ip: Option<IpAddr>,
    /// Whether it came over TLS; absent where nobody can say.
    pub secure: Option<bool>,
    /// The region the request was signed for.
    pub region: String,
    /// `User-Agent`
    pub user_agent: Option<String>,
    /// `Referer`
    pub referer: Option<String>,
    /// What the call has spent.
    pub spent: SpentByCall,
}

/// The value of a condition key that a check adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A single-valued key.
    One(String),
    /// A multivalued key, even if it holds one value.
    Many(Vec<String>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::One(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::One(text)
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::Many(texts)
    }
}

/// Everything known of `principal` and the call, a one-time code `mfa_given` with it, and what the check adds. What is known comes last and stays: a
/// check may hold keys that a service said, and none of them replaces a fact.
pub(crate) fn context(
    op: &Operation,
    principal: Option<&Principal>,
    mfa_given: bool,
    owner: AccountId,
    added: &[(String, Value)],
) -> Context {
    let mut context = Context::new();
    add(&mut context, added);
    of_request(&mut context, op);
    match principal {
        Some(principal) => of_principal(&mut context, principal, op.now),
        None => of_nobody(&mut context),
    }
    if mfa_given {
        context.insert("aws:MultiFactorAuthPresent", "true");
        context.insert("aws:MultiFactorAuthAge", "0");
    }
    context.insert("aws:ResourceAccount", owner.to_string());
    context
}

fn add(context: &mut Context, keys: &[(String, Value)]) {
    for (key, value) in keys {
        match value {
            Value::One(text) => context.insert(key, text.clone()),
            Value::Many(texts) => context.insert_list(key, texts.clone()),
        }
    }
}

fn of_request(context: &mut Context, op: &Operation) {
    context.insert("aws:CurrentTime", rfc3339_seconds(op.now));
    context.insert("aws:EpochTime", op.now.as_second().to_string());
    context.insert("aws:ViaAWSService", "false".to_owned());
    if let Some(secure) = op.secure {
        context.insert("aws:SecureTransport", secure.to_string());
    }
    if !op.region.is_empty() {
        context.insert("aws:RequestedRegion", op.region.clone());
    }
    if let Some(ip) = op.source_ip {
        context.insert("aws:SourceIp", ip.to_string());
    }
    if let Some(agent) = &op.user_agent {
        context.insert("aws:UserAgent", agent.clone());
    }
    if let Some(referer) = &op.referer {
        context.insert("aws:Referer", referer.clone());
    }
}

/// A request without credentials.
fn of_nobody(context: &mut Context) {
    context.insert("aws:PrincipalType", "Anonymous");
    context.insert("aws:PrincipalAccount", "anonymous");
    context.insert("aws:userid", "anonymous");
    context.insert("aws:PrincipalIsAWSService", "false");
}

/// A service is of no account and has no id.
fn of_service(context: &mut Context, name: &str) {
    context.insert("aws:PrincipalIsAWSService", "true");
    context.insert("aws:PrincipalServiceName", name.to_owned());
    context.insert_list("aws:PrincipalServiceNamesList", vec![name.to_owned()]);
}

/// What policies may ask about the principal itself.
fn of_principal(context: &mut Context, principal: &Principal, now: Timestamp) {
    match principal.vouched() {
        // It has no ARN of its own yet, as recorded.
        Some(vouched) => {
            add(context, &vouched.keys);
            if let Some(name) = vouched.service_name() {
                return of_service(context, name);
            }
        }
        None => context.insert("aws:PrincipalArn", principal.principal_arn().to_owned()),
    }
    context.insert("aws:PrincipalAccount", principal.account.to_string());
    context.insert("aws:PrincipalType", principal.kind().to_owned());
    context.insert("aws:PrincipalIsAWSService", "false".to_owned());
    context.insert("aws:userid", principal.user_id.clone());
    if let Some(name) = principal.user_name() {
        context.insert("aws:username", name.to_owned());
    }
    for tag in &principal.tags() {
        context.insert(&format!("aws:PrincipalTag/{}", tag.key), tag.value.clone());
    }
    let Some(session) = &principal.session else { return };
    let claims = &session.claims;
    if let Ok(issued) = Timestamp::from_second(claims.issued_at) {
        context.insert("aws:TokenIssueTime", rfc3339_seconds(issued));
    }
    // Present with every temporary credential, absent with long-term keys; true only where the session itself was asked for with MFA.
    context.insert("aws:MultiFactorAuthPresent", claims.mfa_authenticated_at.is_some().to_string());
    if let Some(at) = claims.mfa_authenticated_at {
        context.insert("aws:MultiFactorAuthAge", (now.as_second() - at).max(0).to_string());
    }
    if let Some(source) = &claims.source_identity {
        context.insert("aws:SourceIdentity", source.clone());
    }
    for (key, values) in &claims.federation {
        match values.as_slice() {
            [one] if !key.ends_with(":amr") => context.insert(key, one.clone()),
            _ => context.insert_list(key, values.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::principal::Identity;
    use crate::vouched::Vouched;

    fn op() -> Operation {
        Operation {
            request_id: String::new(),
            now: "2026-01-15T12:00:00Z".parse().unwrap(),
            source_ip: None,
            secure: None,
            region: String::new(),
            user_agent: None,
            referer: None,
            spent: SpentByCall::default(),
        }
    }

    #[test]
    fn what_is_known_is_not_replaced_by_what_a_check_adds() {
        let op = op();
        let said = ["AWS:PrincipalType", "aws:CurrentTime", "aws:resourceaccount", "s3:prefix"];
        let added = said.map(|key| (key.to_owned(), Value::from("said")));
        let context = context(&op, None, false, "111122223333".parse().unwrap(), &added);
        for (key, value) in [
            ("aws:PrincipalType", "Anonymous"),
            ("aws:CurrentTime", "2026-01-15T12:00:00Z"),
            ("aws:ResourceAccount", "111122223333"),
            ("s3:prefix", "said"),
        ] {
            assert_eq!(context.get(key).unwrap(), [value]);
        }
    }

    #[test]
    fn a_service_has_a_name_and_no_account() {
        let account: AccountId = "111122223333".parse().unwrap();
        let source =
            ("aws:SourceArn".to_owned(), Value::from("arn:aws:ec2:us-east-1:111122223333:instance/i-1"));
        let service = Vouched { keys: vec![source], ..Vouched::service("ec2.amazonaws.com") };
        let principal = Principal {
            account,
            identity: Identity::Vouched(Arc::new(service)),
            session: None,
            access_key_id: None,
            arn: "ec2.amazonaws.com".into(),
            user_id: "ec2.amazonaws.com".into(),
        };
        let context = context(&op(), Some(&principal), false, account, &[]);
        for (key, value) in [
            ("aws:PrincipalIsAWSService", "true"),
            ("aws:PrincipalServiceName", "ec2.amazonaws.com"),
            ("aws:PrincipalServiceNamesList", "ec2.amazonaws.com"),
            ("aws:SourceArn", "arn:aws:ec2:us-east-1:111122223333:instance/i-1"),
            ("aws:ResourceAccount", "111122223333"),
        ] {
            assert_eq!(context.get(key).unwrap(), [value], "{key}");
        }
        for key in ["aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:userid"] {
            assert!(context.get(key).is_none(), "{key}");
        }
    }
}

//! Who asks, in a case: read from its `principal` and `account`, which must say the same.
//!
//! An engine that is told of a caller who cannot exist would answer "no" for the wrong reason, or "yes" for nobody; so
//! whatever is no caller of the format's list is refused.

use super::{known_members, member, optional_text};
use crate::arn::Arn;
use crate::context::Context;
use crate::json::Node;
use crate::request::{Issuer, Principal};

/// Names of identity providers that are known without an ARN.
const PROVIDERS: [&str; 4] =
    ["cognito-identity.amazonaws.com", "accounts.google.com", "www.amazon.com", "graph.facebook.com"];
/// Actions that an identity provider asks for.
const ASKED_BY_PROVIDERS: [&str; 2] = ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"];

/// The caller, owned. `role_arn` is for role sessions only.
#[derive(Debug)]
pub(super) struct Caller {
    kind: CallerKind,
    account: Option<String>,
    name: String,
    role_arn: String,
    service_linked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallerKind {
    Root,
    User,
    Role,
    Federated,
    Service,
    Provider,
    Anonymous,
}

impl Caller {
    pub(super) fn principal(&self) -> Principal<'_> {
        let name = self.name.as_str();
        let account = self.account.as_deref().unwrap_or_default();
        match self.kind {
            CallerKind::Root => Principal::Root { account },
            CallerKind::User => Principal::User { account, arn: name, id: None },
            CallerKind::Role => Principal::Role {
                account,
                session_arn: name,
                role_arn: &self.role_arn,
                role_id: None,
                service_linked: self.service_linked,
            },
            CallerKind::Federated => Principal::Federated { account, arn: name, issuer: Issuer::Unknown },
            CallerKind::Service => Principal::Service { name },
            CallerKind::Provider => Principal::Provider { account: self.account.as_deref(), name },
            CallerKind::Anonymous => Principal::Anonymous,
        }
    }

    fn new(kind: CallerKind, name: &str, account: Option<&str>) -> Caller {
        Caller {
            kind,
            account: account.map(str::to_owned),
            name: name.to_owned(),
            role_arn: String::new(),
            service_linked: false,
        }
    }
}

/// The caller is told by its ARN or name; the role of a session by `aws:PrincipalArn`, or by its name.
pub(super) fn read_caller(case: &Node, context: &Context, action: &str) -> Result<Caller, String> {
    let account = optional_text(case, "account")?;
    let principal = member(case, "principal")?;
    let anonymous = principal.get("type").and_then(Node::as_str) == Some("Anonymous");
    let name = if anonymous {
        known_members("`principal`", principal, &["type"])?;
        ""
    } else {
        principal.as_str().ok_or("`principal` is neither a name nor anonymous")?
    };
    let caller = match Arn::parse(name) {
        Some(arn) => by_arn(name, &arn, context)?,
        None if anonymous => Caller::new(CallerKind::Anonymous, name, None),
        None => by_name(name, action)?,
    };
    same_account(caller.account.as_deref(), account.as_deref())?;
    Ok(caller)
}

/// Two accounts for one caller: whichever counted, the answer would be about somebody else.
fn same_account(of_caller: Option<&str>, said: Option<&str>) -> Result<(), String> {
    match (of_caller, said) {
        (of_caller, said) if of_caller == said => Ok(()),
        (Some(of_caller), Some(said)) => {
            Err(format!("`account` is `{said}`, and `{of_caller}` in the principal's ARN"))
        }
        (Some(of_caller), None) => Err(format!("`account` is missing: the principal is of `{of_caller}`")),
        (None, _) => Err("`account` is for callers that have an ARN; this one has none".to_owned()),
    }
}

fn by_name(name: &str, action: &str) -> Result<Caller, String> {
    let asks_as_provider = ASKED_BY_PROVIDERS.iter().any(|known| action.eq_ignore_ascii_case(known));
    if PROVIDERS.contains(&name) || (asks_as_provider && name.contains('.')) {
        return Ok(Caller::new(CallerKind::Provider, name, None));
    }
    if name.strip_suffix(".amazonaws.com").is_some_and(|service| !service.is_empty()) {
        return Ok(Caller::new(CallerKind::Service, name, None));
    }
    Err(format!("the principal `{name}` is neither an ARN nor the name of a service or an identity provider"))
}

fn by_arn(name: &str, arn: &Arn<'_>, context: &Context) -> Result<Caller, String> {
    let no_caller = || format!("the principal `{name}` is the ARN of no caller");
    let [_, partition, service, region, account, resource] = arn.fields;
    if partition != "aws" || !region.is_empty() || !is_account(account) {
        return Err(no_caller());
    }
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    let named = !rest.is_empty() && !rest.ends_with('/');
    let of_session = rest
        .split_once('/')
        .is_some_and(|(role, session)| !role.is_empty() && !session.is_empty() && !session.contains('/'));
    let kind = match (service, kind) {
        ("iam", "root") if resource == "root" => CallerKind::Root,
        ("iam", "user") if named => CallerKind::User,
        ("iam", "oidc-provider" | "saml-provider") if named => CallerKind::Provider,
        ("sts", "federated-user") if named => CallerKind::Federated,
        ("sts", "assumed-role") if of_session => CallerKind::Role,
        _ => return Err(no_caller()),
    };
    let mut caller = Caller::new(kind, name, Some(account));
    if kind == CallerKind::Role {
        let role = rest.split('/').next().unwrap_or_default();
        caller.role_arn = match context.get("aws:PrincipalArn") {
            Some([arn]) => arn.clone(),
            _ => format!("arn:aws:iam::{account}:role/{role}"),
        };
        caller.service_linked = caller.role_arn.contains(":role/aws-service-role/");
    }
    Ok(caller)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn read(principal: &str, account: &str, action: &str) -> Result<Caller, String> {
        let text = format!(r#"{{"principal":{principal},"account":{account}}}"#);
        read_caller(&json::parse(&text, 1000).unwrap(), &Context::new(), action)
    }

    fn by(principal: &str, account: &str) -> Result<CallerKind, String> {
        read(&format!("{principal:?}"), account, "s3:GetObject").map(|caller| caller.kind)
    }

    const ACCOUNT: &str = r#""111122223333""#;

    #[test]
    fn every_caller_of_the_format_is_read() {
        for (principal, kind) in [
            ("arn:aws:iam::111122223333:root", CallerKind::Root),
            ("arn:aws:iam::111122223333:user/a/path/alice", CallerKind::User),
            ("arn:aws:sts::111122223333:assumed-role/reader/me", CallerKind::Role),
            ("arn:aws:sts::111122223333:federated-user/Jill", CallerKind::Federated),
            ("arn:aws:iam::111122223333:saml-provider/idp", CallerKind::Provider),
        ] {
            assert_eq!(by(principal, ACCOUNT), Ok(kind), "{principal}");
        }
        assert_eq!(by("s3.amazonaws.com", "null"), Ok(CallerKind::Service));
        assert_eq!(by("accounts.google.com", "null"), Ok(CallerKind::Provider));
        let kind = |action| read(r#""idp.example.com""#, "null", action).map(|caller| caller.kind);
        assert_eq!(kind("sts:AssumeRoleWithWebIdentity"), Ok(CallerKind::Provider));
        assert!(kind("sts:AssumeRole").is_err());
        let anonymous = read(r#"{"type":"Anonymous"}"#, "null", "s3:GetObject").unwrap();
        assert_eq!(anonymous.kind, CallerKind::Anonymous);
    }

    #[test]
    fn an_account_that_is_missing_or_another_is_refused() {
        let alice = "arn:aws:iam::111122223333:user/alice";
        assert_eq!(
            by(alice, "null").unwrap_err(),
            "`account` is missing: the principal is of `111122223333`"
        );
        assert_eq!(
            by(alice, r#""444455556666""#).unwrap_err(),
            "`account` is `444455556666`, and `111122223333` in the principal's ARN"
        );
        let none = "`account` is for callers that have an ARN; this one has none";
        assert_eq!(by("s3.amazonaws.com", ACCOUNT).unwrap_err(), none);
        assert_eq!(read(r#"{"type":"Anonymous"}"#, ACCOUNT, "s3:GetObject").unwrap_err(), none);
    }

    #[test]
    fn what_is_no_caller_is_refused() {
        for name in ["junk", "", "user/alice", ".amazonaws.com", "arn:aws:iam", "111122223333"] {
            let why = by(name, "null").unwrap_err();
            assert!(
                why.ends_with("is neither an ARN nor the name of a service or an identity provider"),
                "{why}"
            );
        }
        for arn in [
            "arn:aws-cn:iam::111122223333:user/alice",
            "arn:aws:iam:us-east-1:111122223333:user/alice",
            "arn:aws:iam::11112222333:user/alice",
            "arn:aws:iam:::user/alice",
            "arn:aws:sts::111122223333:user/alice",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user/a/",
            "arn:aws:iam::111122223333:root/alice",
            "arn:aws:iam::111122223333:role/reader",
            "arn:aws:iam::111122223333:group/readers",
            "arn:aws:iam::111122223333:assumed-role/reader/me",
            "arn:aws:sts::111122223333:assumed-role/reader",
            "arn:aws:sts::111122223333:assumed-role/reader/",
            "arn:aws:sts::111122223333:assumed-role/a/b/c",
        ] {
            let why = by(arn, ACCOUNT).unwrap_err();
            assert_eq!(why, format!("the principal `{arn}` is the ARN of no caller"));
        }
    }
}

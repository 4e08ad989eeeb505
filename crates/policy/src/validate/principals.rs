//! Rules for `Principal` and `NotPrincipal`.
//!
//! They judge the form of what is named. Whether a user or role exists is checked by whoever knows users and
//! roles, with `Policy::principals`.

use super::Kind;
use crate::arn::Arn;
use crate::code::Code;
use crate::document::{Effect, Fault, PrincipalForm, PrincipalText, StatementText, Text};
use crate::principal::{PrincipalKind, is_account};

/// A principal of the wrong JSON type, of an unknown type, or beside its negation.
pub(super) fn check_form(statement: &StatementText, found: &mut Vec<Fault>) {
    if let Some(PrincipalForm::Wrong(code, at)) =
        statement.principal.as_ref().map(|principal| &principal.form)
    {
        found.push(Fault::syntax(*code, *at));
    }
}

pub(super) fn check(kind: Kind, statement: &StatementText, found: &mut Vec<Fault>) {
    match &statement.principal {
        None if kind.takes_principal() => {
            found.push(Fault::rule(Code::MissingPrincipal, "Missing required field Principal", statement.at));
        }
        None => {}
        Some(principal) if !kind.takes_principal() => {
            let message = "Policy document should not specify a principal.";
            found.push(Fault::rule(Code::UnsupportedPrincipalElement, message, principal.at));
        }
        Some(principal) => check_named(kind, statement, principal, found),
    }
}

fn check_named(kind: Kind, statement: &StatementText, principal: &PrincipalText, found: &mut Vec<Fault>) {
    let mut fault = |code, message: &str| found.push(Fault::rule(code, message, principal.at));
    if principal.negated && statement.effect() == Some(Effect::Allow) {
        fault(Code::AllowWithNotPrincipal, "Allow with NotPrincipal is not allowed.");
    }
    if kind == Kind::Trust && principal.negated {
        fault(Code::UnsupportedNotPrincipal, "AssumeRole policy must not contain NotPrincipal field.");
    }
    match &principal.form {
        PrincipalForm::Star if kind == Kind::Trust => {
            fault(Code::InvalidPrincipal, "AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".");
        }
        PrincipalForm::Star | PrincipalForm::Wrong(..) => {}
        PrincipalForm::Map(kinds) if kinds.iter().all(|(_, values)| values.is_empty()) => {
            fault(Code::MissingPrincipal, "Missing required field Principal cannot be empty!");
        }
        PrincipalForm::Map(kinds) => {
            let entries = kinds.iter().flat_map(|(type_, values)| values.iter().map(|value| (*type_, value)));
            found.extend(entries.filter_map(|(type_, value)| entry_fault(kind, type_, value)));
            if kind == Kind::Trust {
                found.extend(cognito_fault(statement, kinds));
            }
        }
    }
}

fn entry_fault(kind: Kind, type_: PrincipalKind, value: &Text) -> Option<Fault> {
    let text = value.value.as_str();
    let valid = match type_ {
        PrincipalKind::Aws => is_aws_principal(kind, text),
        PrincipalKind::Service => is_domain_name(text),
        PrincipalKind::Federated => {
            if kind == Kind::Trust && !is_domain_name(text) && !is_provider_arn(text) {
                let message = "Federated principals must be valid domain names or SAML metadata ARNs";
                return Some(Fault::rule(Code::InvalidPrincipal, message, value.at));
            }
            true
        }
        // Canonical users are S3's: a role trusts none.
        PrincipalKind::CanonicalUser => kind != Kind::Trust,
        PrincipalKind::Star => true,
    };
    (!valid).then(|| {
        let label = type_.name().to_ascii_uppercase();
        let message = format!("Invalid principal in policy: \"{label}\":\"{text}\"");
        Fault::rule(Code::InvalidPrincipal, message, value.at)
    })
}

/// `*`, an account, a unique id, or the ARN of a principal without wildcards.
fn is_aws_principal(kind: Kind, text: &str) -> bool {
    if text == "*" || is_account(text) || is_unique_id(text) {
        return true;
    }
    if text.contains(['*', '?']) {
        return false;
    }
    let trust = kind == Kind::Trust;
    Arn::parse(text).is_some_and(|arn| match arn.service() {
        "iam" | "sts" if is_of_account(&arn) => is_caller(&arn) || (!trust && is_group(&arn)),
        // CloudFront's origin access identities, and principals of other services. A role trusts none.
        "iam" => !trust && text.starts_with("arn:aws:iam::cloudfront:user/"),
        "sts" => false,
        _ => !trust && !arn.service().is_empty() && !arn.resource().is_empty(),
    })
}

/// Whom an ARN may name: the account, a user or role, a session of a role, a federated user.
fn is_caller(arn: &Arn<'_>) -> bool {
    let resource = arn.resource();
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    let named = !name.is_empty() && !name.ends_with('/');
    match (arn.service(), kind) {
        ("iam", "root") => resource == "root",
        ("iam", "user" | "role") | ("sts", "federated-user") => named,
        ("sts", "assumed-role") => named && name.contains('/') && !name.starts_with('/'),
        _ => false,
    }
}

/// Groups are no principals, and policies of other services may name them all the same.
fn is_group(arn: &Arn<'_>) -> bool {
    arn.service() == "iam" && arn.resource().starts_with("group/")
}

/// What IAM and STS have stands in an account of the one partition there is, and in no region.
fn is_of_account(arn: &Arn<'_>) -> bool {
    let [_, partition, _, region, account, _] = arn.fields;
    partition == "aws" && region.is_empty() && is_account(account)
}

/// What a user or role that is gone leaves behind: `AIDA…`, `AROA…`.
fn is_unique_id(text: &str) -> bool {
    let alphanumeric = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (text.starts_with("AIDA") || text.starts_with("AROA")) && (16..=128).contains(&text.len()) && alphanumeric
}

/// At least two labels of letters, digits and hyphens; a path may follow, as in issuers of clusters.
fn is_domain_name(text: &str) -> bool {
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.contains('.') && host.split('.').all(is_label) && !path.contains(['*', '?'])
}

fn is_provider_arn(text: &str) -> bool {
    Arn::parse(text).is_some_and(|arn| {
        let resource = arn.resource();
        arn.service() == "iam"
            && is_of_account(&arn)
            && (resource.starts_with("saml-provider/") || resource.starts_with("oidc-provider/"))
            && !resource.contains(['*', '?'])
    })
}

/// Cognito gives tokens to anybody, so trusting it without a condition trusts everybody.
fn cognito_fault(statement: &StatementText, kinds: &[(PrincipalKind, Vec<Text>)]) -> Option<Fault> {
    let cognito = kinds
        .iter()
        .filter(|(kind, _)| *kind == PrincipalKind::Federated)
        .flat_map(|(_, values)| values)
        .find(|value| value.value == "cognito-identity.amazonaws.com")?;
    let conditional = statement.conditions.iter().any(|operator| !operator.keys.is_empty());
    let open = statement.effect() == Some(Effect::Allow) && !conditional;
    let message = "A condition block must be present for the Cognito provider";
    open.then(|| Fault::rule(Code::MissingConditionForCognito, message, cognito.at))
}

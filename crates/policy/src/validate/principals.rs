//! Rules for `Principal` and `NotPrincipal`.
//!
//! They judge the form of what is named. Whether a user or role exists is checked by whoever knows users and
//! roles, with `Policy::principals`.

use super::Kind;
use crate::arn::Arn;
use crate::document::{Effect, Fault, PrincipalForm, StatementText, Text};
use crate::principal::{PrincipalKind, is_account};

/// A principal of the wrong JSON type, of an unknown type, or beside its negation.
pub(super) fn check_form(statement: &StatementText) -> Result<(), Fault> {
    match statement.principal.as_ref().map(|principal| &principal.form) {
        Some(PrincipalForm::Wrong(at)) => Err(Fault::syntax(*at)),
        _ => Ok(()),
    }
}

pub(super) fn check(kind: Kind, statement: &StatementText) -> Result<(), Fault> {
    let Some(principal) = &statement.principal else {
        return match kind {
            Kind::Trust | Kind::Resource | Kind::Rcp => {
                Err(Fault::rule("Missing required field Principal", statement.at))
            }
            _ => Ok(()),
        };
    };
    if !kind.takes_principal() {
        return Err(Fault::rule("Policy document should not specify a principal.", principal.at));
    }
    if principal.negated && statement.effect() == Some(Effect::Allow) {
        return Err(Fault::rule("Allow with NotPrincipal is not allowed.", principal.at));
    }
    if kind == Kind::Trust && principal.negated {
        return Err(Fault::rule("AssumeRole policy must not contain NotPrincipal field.", principal.at));
    }
    match &principal.form {
        PrincipalForm::Star if kind == Kind::Trust => {
            Err(Fault::rule("AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".", principal.at))
        }
        PrincipalForm::Star => Ok(()),
        PrincipalForm::Map(kinds) => {
            if kinds.iter().all(|(_, values)| values.is_empty()) {
                return Err(Fault::rule("Missing required field Principal cannot be empty!", principal.at));
            }
            let mut entries =
                kinds.iter().flat_map(|(kind, values)| values.iter().map(|value| (*kind, value)));
            entries.try_for_each(|(type_, value)| check_entry(kind, type_, value))?;
            if kind == Kind::Trust { check_cognito(statement, kinds) } else { Ok(()) }
        }
        PrincipalForm::Wrong(at) => Err(Fault::syntax(*at)),
    }
}

fn check_entry(kind: Kind, type_: PrincipalKind, value: &Text) -> Result<(), Fault> {
    let text = value.value.as_str();
    let valid = match type_ {
        PrincipalKind::Aws => is_aws_principal(kind, text),
        PrincipalKind::Service => is_domain_name(text),
        PrincipalKind::Federated => {
            if kind == Kind::Trust && !is_domain_name(text) && !is_provider_arn(text) {
                let message = "Federated principals must be valid domain names or SAML metadata ARNs";
                return Err(Fault::rule(message, value.at));
            }
            true
        }
        // Canonical users are S3's: a role trusts none.
        PrincipalKind::CanonicalUser => kind != Kind::Trust,
        PrincipalKind::Star => true,
    };
    if valid {
        return Ok(());
    }
    let label = type_.name().to_ascii_uppercase();
    Err(Fault::rule(format!("Invalid principal in policy: \"{label}\":\"{text}\""), value.at))
}

/// `*`, an account, a unique id, or the ARN of a principal without wildcards.
fn is_aws_principal(kind: Kind, text: &str) -> bool {
    if text == "*" || is_account(text) || is_unique_id(text) {
        return true;
    }
    if text.contains(['*', '?']) {
        return false;
    }
    Arn::parse(text).is_some_and(|arn| match arn.service() {
        "iam" if arn.resource() == "root" => is_of_account(&arn),
        "iam" | "sts" => is_of_account(&arn) && arn.resource().contains('/'),
        // CloudFront's origin access identities and the like. A role trusts none.
        _ => kind != Kind::Trust && !arn.service().is_empty() && !arn.resource().is_empty(),
    })
}

/// What IAM and STS have stands in an account of the one partition there is, and in no region.
fn is_of_account(arn: &Arn<'_>) -> bool {
    let [_, partition, _, region, account, _] = arn.0;
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
fn check_cognito(statement: &StatementText, kinds: &[(PrincipalKind, Vec<Text>)]) -> Result<(), Fault> {
    let cognito = kinds
        .iter()
        .filter(|(kind, _)| *kind == PrincipalKind::Federated)
        .flat_map(|(_, values)| values)
        .find(|value| value.value == "cognito-identity.amazonaws.com");
    let conditional = statement.conditions.iter().any(|operator| !operator.keys.is_empty());
    match cognito {
        Some(value) if statement.effect() == Some(Effect::Allow) && !conditional => {
            Err(Fault::rule("A condition block must be present for the Cognito provider", value.at))
        }
        _ => Ok(()),
    }
}

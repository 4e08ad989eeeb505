//! What trust policies may ask of a token.
//!
//! Source: IAM User Guide, "Available keys for AWS web identity federation" and "Available keys for AWS STS".

use daypass_authn::oidc::{Claims, VerifiedToken};
use daypass_directory::Value;
use serde_json::Value as Claim;

/// Issuers whose own claims AWS has keys for: exactly this one or, with a slash at the end, whatever begins so.
const CLAIMS_OF_ISSUERS: [(&str, &[&str]); 6] = [
    ("accounts.google.com", &["google/organization_number"]),
    ("token.actions.githubusercontent.com", GITHUB),
    ("token.actions.githubusercontent.com/", GITHUB),
    (
        "gitlab.com",
        &[
            "namespace_id",
            "pipeline_source",
            "project_id",
            "ref_protected",
            "runner_environment",
            "user_access_level",
            "user_email",
            "user_id",
            "user_login",
        ],
    ),
    (
        "agent.buildkite.com",
        &[
            "build_branch",
            "cluster_id",
            "cluster_name",
            "organization_id",
            "organization_slug",
            "pipeline_id",
            "pipeline_slug",
        ],
    ),
    ("oidc.circleci.com/org/", &["oidc.circleci.com/project-id"]),
];

const GITHUB: &[&str] = &[
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "repository_owner_id",
    "workflow",
];

/// Every key of a token for the call that presents it, under the provider's URL without its scheme.
pub(super) fn of_call(provider: &str, token: &VerifiedToken) -> Vec<(String, Value)> {
    let claims = token.claims();
    let mut keys = of_every_issuer(provider, token);
    keys.push((format!("{provider}:oaud"), one_or_many(&claims.audiences)));
    for name in claims_of(provider) {
        if let Some(value) = claims.get(name).and_then(value_of) {
            keys.push((format!("{provider}:{name}"), value));
        }
    }
    keys
}

/// What of them stays with the session, as the session keeps it.
pub(super) fn of_session(
    provider: &str,
    provider_arn: &str,
    token: &VerifiedToken,
) -> Vec<(String, Vec<String>)> {
    let texts = |value| match value {
        Value::One(text) => vec![text],
        Value::Many(texts) => texts,
    };
    let kept = of_every_issuer(provider, token).into_iter().map(|(key, value)| (key, texts(value)));
    kept.chain([("aws:FederatedProvider".to_owned(), vec![provider_arn.to_owned()])]).collect()
}

fn of_every_issuer(provider: &str, token: &VerifiedToken) -> Vec<(String, Value)> {
    let Claims { subject, methods, .. } = token.claims();
    let key = |name: &str| format!("{provider}:{name}");
    let mut keys = vec![(key("aud"), token.audience().into()), (key("sub"), subject.as_str().into())];
    if !methods.is_empty() {
        keys.push((key("amr"), methods.clone().into()));
    }
    keys
}

fn claims_of(provider: &str) -> impl Iterator<Item = &'static str> {
    let of_issuer = move |issuer: &str| {
        if issuer.ends_with('/') { provider.starts_with(issuer) } else { provider == issuer }
    };
    CLAIMS_OF_ISSUERS
        .into_iter()
        .filter(move |(issuer, _)| of_issuer(issuer))
        .flat_map(|(_, names)| names)
        .copied()
}

/// A claim as conditions compare it. Objects and null are no values.
fn value_of(claim: &Claim) -> Option<Value> {
    let scalar = |claim: &Claim| match claim {
        Claim::String(text) => Some(text.clone()),
        Claim::Number(number) => Some(number.to_string()),
        Claim::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    match claim {
        Claim::Array(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>().map(Value::Many),
        _ => scalar(claim).map(Value::One),
    }
}

fn one_or_many(texts: &[String]) -> Value {
    match texts {
        [one] => Value::One(one.clone()),
        _ => Value::Many(texts.to_vec()),
    }
}

//! Claims of OpenID Connect tokens that are condition keys, where AWS has more of an issuer than of any.
//!
//! Source: IAM User Guide, "Available keys for AWS web identity federation".

use crate::issuers;

/// What tokens of every issuer have: an audience, perhaps the one that stood there before it, a subject, ways of signing in.
const OF_EVERY_ISSUER: [&str; 4] = ["amr", "aud", "oaud", "sub"];

/// Issuers whose own claims AWS has keys for: exactly this one or, with a slash at the end, whatever begins so. `*` stands
/// for one part of a host's name.
const OF_ISSUERS: [(&str, &[&str]); 9] = [
    ("accounts.google.com", &["google/organization_number"]),
    ("token.actions.githubusercontent.com", GITHUB),
    ("token.actions.githubusercontent.com/", GITHUB),
    ("token.actions.*.ghe.com", GITHUB),
    ("github.com/enterprises/", GITHUB),
    ("idcs-*.identity.oraclecloud.com", &["rpst_id"]),
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

/// Issuers of access tokens, which have no claims: what is known of such a token.
const OF_ACCESS_TOKENS: [(&str, &[&str]); 2] =
    [("graph.facebook.com", &["app_id", "id"]), ("www.amazon.com", &["app_id", "user_id"])];

/// Issuers that are trusted by their names: nobody makes a provider of them, so nobody sets anything for one.
const TRUSTED_BY_NAME: [&str; 4] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"];

/// The claims of an issuer (a URL without its scheme) that are condition keys beyond those that every issuer has.
pub fn claims_of_issuer(issuer: &str) -> impl Iterator<Item = &'static str> {
    let is_it = move |known: &str| match known.split_once('*') {
        Some((before, after)) => {
            let part = issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            part.is_some_and(|part| !part.is_empty() && !part.contains(['.', '/']))
        }
        None if known.ends_with('/') => issuer.starts_with(known),
        None => issuer == known,
    };
    OF_ISSUERS.into_iter().filter(move |(known, _)| is_it(known)).flat_map(|(_, names)| names).copied()
}

/// Every name that is a condition key of an issuer with nothing set for it, if the issuer is one whose names are known.
pub(crate) fn all_of_known_issuer(issuer: &str) -> Option<Vec<&'static str>> {
    let to_test = issuers::claims_to_test(issuer);
    let of_access_tokens = OF_ACCESS_TOKENS.iter().find(|(known, _)| *known == issuer);
    let mut names: Vec<&str> = match of_access_tokens {
        Some((_, names)) => names.to_vec(),
        None => claims_of_issuer(issuer).collect(),
    };
    if names.is_empty() && to_test.is_none() {
        return None;
    }
    names.extend(OF_EVERY_ISSUER.into_iter().filter(|_| of_access_tokens.is_none()));
    // One that a policy is asked to test is not called unknown.
    names.extend(to_test.into_iter().flatten().filter(|name| !name.contains(':')));
    Some(names)
}

/// Whether claims can be made condition keys of an issuer by what is set for its provider.
pub(crate) fn can_have_more(issuer: &str) -> bool {
    !TRUSTED_BY_NAME.contains(&issuer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_part_of_a_hosts_name() {
        let has = |issuer: &str| claims_of_issuer(issuer).count() > 0;
        for known in [
            "token.actions.githubusercontent.com",
            "token.actions.githubusercontent.com/octo",
            "token.actions.octo.ghe.com",
            "github.com/enterprises/octo",
            "idcs-0a.identity.oraclecloud.com",
        ] {
            assert!(has(known), "{known}");
        }
        for other in [
            "token.actions.ghe.com",
            "token.actions..ghe.com",
            "token.actions.a.b.ghe.com",
            "token.actions.a/b.ghe.com",
            "token.actions.octo.ghe.com/x",
            "token.actions.octo.ghe.com.evil.example",
            "evil.token.actions.octo.ghe.com",
            "token.actions.githubusercontent.com.evil.example",
            "github.com/enterprises",
            "idcs-.identity.oraclecloud.com",
        ] {
            assert!(!has(other), "{other}");
        }
    }

    #[test]
    fn the_names_of_an_issuer_are_known_or_it_is_anybodys() {
        for (issuer, has, has_not) in [
            ("gitlab.com", "project_id", "project_path"),
            ("gitlab.com", "oaud", "app_id"),
            ("token.actions.githubusercontent.com/octo", "sub", "repository_owner"),
            ("app.terraform.io", "amr", "terraform_project_id"),
            ("cognito-identity.amazonaws.com", "amr", "email"),
            ("www.amazon.com", "user_id", "aud"),
            ("graph.facebook.com", "id", "user_id"),
        ] {
            let names = all_of_known_issuer(issuer).unwrap();
            assert!(names.contains(&has) && !names.contains(&has_not), "{issuer} {names:?}");
        }
        for open in ["idp.example.com", "gitlab.example.com", "oidc.vercel.com/acme", "gitlab.com/x"] {
            assert_eq!(all_of_known_issuer(open), None, "{open}");
        }
    }
}

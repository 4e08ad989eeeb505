//! Issuers of OpenID Connect tokens that serve everybody who has an account with them.
//!
//! It answers for which they are and what a trust policy must say of their tokens. Source: IAM User Guide,
//! "Identity-provider controls for shared OIDC providers".

use std::fmt;

/// Whatever begins with it is GitHub's.
const GITHUB: &str = "token.actions.githubusercontent.com";

/// The issuers, with the claims of which one must be tested. One with a colon is a condition key of its own.
const SHARED: [(&str, &[&str]); 25] = [
    ("accounts.google.com", &["aud", "oaud", "sub"]),
    ("agent.buildkite.com", &["sub"]),
    ("api.pulumi.com/oidc", &["aud"]),
    ("app.terraform.io", &["sub"]),
    ("cognito-identity.amazonaws.com", &["aud"]),
    ("gitlab.com", &["sub"]),
    ("graph.facebook.com", &["app_id", "sub"]),
    ("oidc-configuration.audit-log.githubusercontent.com", &["sub"]),
    ("oidc.codefresh.io", &["sub"]),
    ("oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu", &["sub"]),
    ("oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb", &["sub"]),
    ("oidc.vercel.com", &["aud"]),
    ("proidc.upbound.io", &["sub"]),
    ("rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7", &["sub"]),
    ("rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr", &["sub"]),
    ("rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg", &["sub"]),
    ("rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26", &["sub"]),
    ("sandboxes.cloud", &["aud"]),
    ("scalr.io", &["sub"]),
    // Of Azure Sentinel every customer's tokens have the same subject and audience; sessions are named after a workspace.
    ("sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d", &["sts:RoleSessionName", "sub"]),
    ("studio.datachain.ai/api", &["sub"]),
    (GITHUB, &["sub", "job_workflow_ref"]),
    ("tokens.cloud.shisho.dev", &["sub"]),
    ("vstoken.actions.githubusercontent.com", &["sub"]),
    ("www.amazon.com", &["app_id", "sub"]),
];

/// What values a statement that trusts the issuer must test a claim for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// Any but a lone `*`.
    Claim,
    /// Login with Amazon and Facebook: the same, without wildcards.
    Login,
    /// None that is blank or begins with a `*`, or with a `?`, behind which may be one.
    GitHub,
}

impl Rule {
    pub(crate) const ALL: [Rule; 3] = [Rule::Claim, Rule::Login, Rule::GitHub];
}

/// A provider whose issuer is shared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedIssuer<'a> {
    /// As the provider names it, perhaps with a path of its own behind the name of the table.
    pub(crate) name: &'a str,
    known: &'static str,
    /// Whether nothing of its own stands behind the name of the table.
    is_known_itself: bool,
    claims: &'static [&'static str],
}

impl<'a> SharedIssuer<'a> {
    /// The issuer of a provider (an ARN of an OIDC provider, or a name), if it is a shared one, however it is spelled.
    pub(crate) fn of(provider: &'a str) -> Option<SharedIssuer<'a>> {
        let name = provider.split_once(":oidc-provider/").map_or(provider, |(_, issuer)| issuer);
        let plain = plain(name);
        let rest = |known: &'static str| {
            let rest = plain.strip_prefix(known)?;
            (rest.is_empty() || rest.starts_with('/') || known == GITHUB).then_some(rest.is_empty())
        };
        let (known, claims, is_known_itself) =
            SHARED.iter().find_map(|(known, claims)| Some((*known, *claims, rest(known)?)))?;
        Some(SharedIssuer { name, known, is_known_itself, claims })
    }

    /// What trust in it must say. With a path behind the name of the table a customer may have an issuer of its own, but
    /// with GitHub, where a path is an enterprise's.
    pub(crate) fn rule(&self) -> Option<Rule> {
        match self.known {
            GITHUB => Some(Rule::GitHub),
            _ if !self.is_known_itself => None,
            "graph.facebook.com" | "www.amazon.com" => Some(Rule::Login),
            _ => Some(Rule::Claim),
        }
    }

    /// The condition keys of which one must be tested.
    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        let name = self.name;
        self.claims.iter().map(move |claim| {
            if claim.contains(':') { (*claim).to_owned() } else { format!("{name}:{claim}") }
        })
    }
}

/// The claims of one that is in the table by exactly this name.
pub(crate) fn claims_to_test(issuer: &str) -> Option<&'static [&'static str]> {
    SHARED.iter().find(|(known, _)| *known == issuer).map(|(_, claims)| *claims)
}

/// An issuer without what does not tell it from another: case, scheme, the port of https, dots and slashes at the ends.
fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("https://").unwrap_or(&name);
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    let host = host.strip_suffix(":443").unwrap_or(host).trim_end_matches('.');
    let path = path.trim_end_matches('/');
    if path.is_empty() { host.to_owned() } else { format!("{host}/{path}") }
}

/// The keys, as a sentence names them.
impl fmt::Display for SharedIssuer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keys().collect::<Vec<_>>().join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_issuers_are_known_by_arn_and_name() {
        let arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com/octo";
        let github = SharedIssuer::of(arn).unwrap();
        assert_eq!(github.name, "token.actions.githubusercontent.com/octo");
        assert_eq!(github.rule(), Some(Rule::GitHub));
        assert_eq!(github.keys().next().as_deref(), Some("token.actions.githubusercontent.com/octo:sub"));
        assert_eq!(SharedIssuer::of("cognito-identity.amazonaws.com").unwrap().rule(), Some(Rule::Claim));
        assert!(SharedIssuer::of("gitlab.com.example.org").is_none());
        for spelled in ["GitLab.com", "gitlab.com/", "gitlab.com:443", "https://gitlab.com", "gitlab.com."] {
            let issuer = SharedIssuer::of(spelled).unwrap();
            assert_eq!((issuer.name, issuer.rule()), (spelled, Some(Rule::Claim)));
        }
        for spelled in [
            "Token.Actions.GithubUserContent.com",
            "token.actions.githubusercontent.com.x",
            "token.actions.githubusercontent.com:8443",
        ] {
            assert_eq!(SharedIssuer::of(spelled).unwrap().rule(), Some(Rule::GitHub), "{spelled}");
        }
        assert_eq!(SharedIssuer::of("oidc.vercel.com/acme").unwrap().rule(), None);
    }

    #[test]
    fn the_table_of_the_guide_is_whole() {
        for issuer in [
            "studio.datachain.ai/api",
            "rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26",
            "oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb",
        ] {
            let arn = format!("arn:aws:iam::111122223333:oidc-provider/{issuer}");
            assert_eq!(SharedIssuer::of(&arn).unwrap().to_string(), format!("{issuer}:sub"));
        }
        let sentinel = SharedIssuer::of("sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d").unwrap();
        assert_eq!(sentinel.keys().next().as_deref(), Some("sts:RoleSessionName"));
        assert!(SharedIssuer::of("sts.windows.net/11111111-4d64-4f8c-a055-5bdaffd5e33d").is_none());
        assert!(SharedIssuer::of("rh-oidc.s3.us-east-1.amazonaws.com/another").is_none());
    }
}

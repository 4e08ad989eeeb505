//! Which pod a service account token of a cluster is for. The provider of the cluster verifies it as it does tokens of
//! AssumeRoleWithWebIdentity, with the same keys; it is for `pods.eks.amazonaws.com` and nobody else, and of a pod.
//!
//! Source: Amazon EKS User Guide, "Learn how EKS Pod Identity grants pods access to AWS services"; the claims are those of Kubernetes, "Managing
//! Service Accounts" (bound service account tokens).

use daypass_authn::oidc::{Token, VerifiedToken};
use daypass_directory::{OidcProvider, Operation};
use serde_json::Value;

use super::refused::{Asked, refused};
use super::web_identity::{Provider, unreachable};
use crate::error::Error;
use crate::house::House;

/// Whom a pod's token is for, and no other.
pub(crate) const AUDIENCE: &str = "pods.eks.amazonaws.com";

/// The claims of its time.
const TIMES: [&str; 3] = ["exp", "nbf", "iat"];

/// A pod, as its cluster's issuer says. Every name is of the form that Kubernetes gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) namespace: String,
    pub(crate) service_account: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// The node that it runs on, where the cluster is new enough to say.
    pub(crate) node: Option<String>,
}

/// Verify a pod's token by the provider of its cluster.
///
/// # Errors
/// InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError; that all is to be decided again, where somebody had to
/// be asked.
pub(crate) async fn pod_of_token(
    op: &Operation,
    house: &House,
    provider: &OidcProvider,
    token: &str,
) -> Result<Pod, Error> {
    let asked = Asked { name: &provider.arn, account: Some(provider.account) };
    let verified = verified(op, house, provider, token).await;
    let pod = verified.and_then(|token| Pod::of(&token).ok_or_else(|| invalid(NOT_OF_A_POD)));
    pod.map_err(|error| refused(house, op, asked, error, None))
}

async fn verified(
    op: &Operation,
    house: &House,
    provider: &OidcProvider,
    token: &str,
) -> Result<VerifiedToken, Error> {
    let token = Token::read(token)?;
    if house.settings.is_own_issuer(token.issuer()) {
        return Err(invalid("A token of GetWebIdentityToken is not exchanged for credentials"));
    }
    // Nothing is fetched for what cannot be this cluster's.
    if token.issuer() != provider.record.issuer() {
        return Err(invalid("The token is from another issuer than that of the cluster."));
    }
    token.check_audience(&[AUDIENCE.to_owned()])?;
    let of = Provider::Registered(provider);
    let source = of.source(provider.account, house);
    let found = house.provider_keys.keys(&source, token.key_id(), op.now.as_second()).await?;
    let token = token.verify(&found.keys, |algorithm| of.takes(algorithm), op.now)?;
    // Kubernetes writes numbers (RFC 7519, section 2, NumericDate), and the agent reads nothing else.
    if TIMES.iter().any(|name| token.claims().get(name).is_some_and(|claim| !claim.is_number())) {
        return Err(invalid("The token's times are not of their form: exp, nbf and iat are numbers."));
    }
    // An authorized party would have stood for the audience above.
    if token.claims().audiences != [AUDIENCE] {
        return Err(daypass_authn::oidc::TokenError::Audience.into());
    }
    // Cluster, provider and association may be others by now.
    if found.waited { Err(unreachable().into_conflict()) } else { Ok(token) }
}

const NOT_OF_A_POD: &str = "The token is not one of a pod's service account: it lacks the kubernetes.io claims of a bound token, or they contradict each other.";

fn invalid(message: &str) -> Error {
    Error::new("InvalidIdentityToken", message)
}

impl Pod {
    /// `None` where a claim is missing, has another form, or does not go with the subject.
    fn of(token: &VerifiedToken) -> Option<Self> {
        let claims = token.claims();
        let kubernetes = claims.get("kubernetes.io")?;
        let text = |value: Option<&Value>| value?.as_str().map(str::to_owned);
        let of = |what: &str, member: &str| text(kubernetes.get(what)?.get(member));
        let pod = Self {
            namespace: text(kubernetes.get("namespace"))?,
            service_account: of("serviceaccount", "name")?,
            name: of("pod", "name")?,
            uid: of("pod", "uid")?,
            node: of("node", "name"),
        };
        let service_account_uid = of("serviceaccount", "uid")?;
        let subject = format!("system:serviceaccount:{}:{}", pod.namespace, pod.service_account);
        let is_whole = claims.subject == subject
            && is_label(&pod.namespace)
            && is_subdomain(&pod.service_account)
            && is_subdomain(&pod.name)
            && [&pod.uid, &service_account_uid].into_iter().all(|uid| is_uid(uid));
        is_whole.then_some(pod)
    }
}

/// A label of RFC 1123, as namespaces are called.
pub(crate) fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= 63
        && text.bytes().all(inner)
        && !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A subdomain of RFC 1123, as service accounts and pods are called.
pub(crate) fn is_subdomain(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

/// A UUID, mostly; pods that a node reads from a file have a hash.
fn is_uid(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    //! Names of Kubernetes.

    use super::*;

    #[test]
    fn names_are_of_the_form_that_kubernetes_gives_them() {
        let long = "a".repeat(63);
        for good in ["default", "kube-system", "a", "0", "a--b", &long] {
            assert!(is_label(good) && is_subdomain(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a/b", "a b", "ä", "a:b"] {
            assert!(!is_label(bad) && !is_subdomain(bad), "{bad}");
        }
        assert!(!is_label(&format!("{long}a")) && !is_label("a.b"));
        assert!(is_subdomain("web.v2") && !is_subdomain("web..v2") && !is_subdomain(".web"));
        assert!(!is_subdomain(&vec!["a"; 127].join(".").repeat(2)));
        assert!(is_uid("1f2e3d4c-0000-4000-8000-000000000000") && !is_uid("") && !is_uid("a/b"));
    }
}

//! Who made a call: CloudTrail's `userIdentity` ("CloudTrail userIdentity element" in its User Guide).

use std::borrow::Cow;
use std::collections::BTreeMap;

use daypass_directory::{self as directory, Identity, Principal, Session, User, Vouched};
use daypass_model::{AccessKeyId, AccountId, cut, rfc3339_seconds};
use jiff::Timestamp;
use serde::Serialize;

/// What a provider says of somebody is kept so far, in characters: it may be as long as its token.
const TEXT_MAX: usize = 1024;

/// `userIdentity`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserIdentity<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'a str>,
    /// Who vouches for a caller without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_provider: Option<&'a str>,
    /// The service that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    invoked_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_context: Option<SessionContext<'a>>,
}

/// Who somebody says they are, at the door where people sign in.
pub(crate) struct SigningIn {
    pub(super) account: AccountId,
    /// The user's id and name, if there is such a user.
    user: Option<(String, String)>,
}

impl SigningIn {
    pub(crate) fn of(account: AccountId, user: Option<&User>) -> Self {
        let user = user.map(|user| (user.record.id.to_string(), user.record.name.clone()));
        Self { account, user }
    }
}

/// Present with temporary credentials.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session_issuer: Option<SessionIssuer<'a>>,
    /// Of role sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    web_id_federation_data: Option<WebIdFederationData<'a>>,
    attributes: Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<&'a str>,
    /// By which version of instance metadata the machine that it was issued to tells of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ec2_role_delivery: Option<&'a str>,
}

/// By whose token a session was had; nothing where it was not.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct WebIdFederationData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    federated_provider: Option<&'a str>,
    /// What a provider that needs no registration says of the token; of others nothing, as on AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<BTreeMap<&'a str, Cow<'a, str>>>,
}

/// The role, user or root behind a session.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionIssuer<'a> {
    r#type: &'static str,
    principal_id: &'a str,
    arn: String,
    account_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'a str>,
}

/// Both are text, the second `"true"` or `"false"`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    creation_date: String,
    mfa_authenticated: &'static str,
}

impl<'a> UserIdentity<'a> {
    /// The caller, as its own account sees it.
    pub(super) fn of(principal: &'a Principal) -> Self {
        if let Some(vouched) = principal.vouched() {
            return match vouched.service_name() {
                Some(name) => Self::service(principal.identity_type(), name),
                None => Self::vouched(principal, vouched),
            };
        }
        let session = principal.session.as_deref();
        Self {
            r#type: principal.identity_type(),
            principal_id: Some(Cow::Borrowed(&principal.user_id)),
            arn: Some(&principal.arn),
            account_id: Some(principal.account),
            access_key_id: principal.access_key_id.as_ref().map(AccessKeyId::as_str),
            user_name: principal.user_name(),
            identity_provider: None,
            invoked_by: None,
            session_context: session.map(|session| SessionContext::of(principal, session)),
        }
    }

    /// Whoever says that they are a user. A name that no user has is not repeated: people type passwords there ("AWS Management
    /// Console sign-in events" in the CloudTrail User Guide).
    pub(super) fn signing_in(who: &'a SigningIn) -> Self {
        Self {
            r#type: "IAMUser",
            principal_id: who.user.as_ref().map(|(id, _)| Cow::Borrowed(id.as_str())),
            arn: None,
            account_id: Some(who.account),
            access_key_id: Some(""),
            user_name: Some(who.user.as_ref().map_or("HIDDEN_DUE_TO_SECURITY_REASONS", |(_, name)| name)),
            identity_provider: None,
            invoked_by: None,
            session_context: None,
        }
    }

    /// The caller, as another account sees it.
    pub(super) fn from_elsewhere(principal: &'a Principal) -> Self {
        Self {
            r#type: "AWSAccount",
            principal_id: Some(Cow::Borrowed(&principal.user_id)),
            arn: None,
            account_id: Some(principal.account),
            access_key_id: None,
            user_name: None,
            identity_provider: None,
            invoked_by: None,
            session_context: None,
        }
    }

    /// A service, of no account.
    pub(super) fn service(r#type: &'static str, name: &'a str) -> Self {
        Self {
            r#type,
            principal_id: None,
            arn: None,
            account_id: None,
            access_key_id: None,
            user_name: None,
            identity_provider: None,
            invoked_by: Some(name),
            session_context: None,
        }
    }

    /// Whoever a provider vouches for, of no account: `<provider>:<audience>:<subject>` by a token,
    /// `<name qualifier>:<subject>` by an assertion.
    fn vouched(principal: &'a Principal, vouched: &'a Vouched) -> Self {
        let Vouched { provider, audience, subject, .. } = vouched;
        let (principal_id, provider) = match vouched.assertion() {
            Some(assertion) => {
                let qualifier = assertion.name_qualifier.as_str();
                (format!("{qualifier}:{}", cut(subject, TEXT_MAX)), qualifier)
            }
            None => {
                let (audience, subject) = (cut(audience, TEXT_MAX), cut(subject, TEXT_MAX));
                (format!("{provider}:{audience}:{subject}"), provider.as_str())
            }
        };
        Self {
            r#type: principal.identity_type(),
            principal_id: Some(Cow::Owned(principal_id)),
            arn: None,
            account_id: None,
            access_key_id: None,
            user_name: Some(cut(subject, TEXT_MAX)),
            identity_provider: Some(provider),
            invoked_by: None,
            session_context: None,
        }
    }
}

impl<'a> SessionContext<'a> {
    fn of(principal: &'a Principal, session: &'a Session) -> Self {
        let claims = &session.claims;
        let is_role = matches!(principal.identity, Identity::Role(_));
        let created = Timestamp::from_second(claims.issued_at).unwrap_or(Timestamp::UNIX_EPOCH);
        let mfa_authenticated = if claims.mfa_authenticated_at.is_some() { "true" } else { "false" };
        Self {
            session_issuer: principal.session_issuer().map(|issuer| SessionIssuer::of(principal, issuer)),
            web_id_federation_data: is_role.then(|| WebIdFederationData::of(&claims.federation)),
            attributes: Attributes { creation_date: rfc3339_seconds(created), mfa_authenticated },
            source_identity: claims.source_identity.as_deref(),
            ec2_role_delivery: kept(&claims.federation, "ec2:RoleDelivery"),
        }
    }
}

/// The value of a context key that stays with a session.
fn kept<'a>(kept: &'a [(String, Vec<String>)], key: &str) -> Option<&'a str> {
    kept.iter().find(|(name, _)| name == key).and_then(|(_, values)| values.first()).map(String::as_str)
}

impl<'a> WebIdFederationData<'a> {
    fn of(kept: &'a [(String, Vec<String>)]) -> Self {
        let (of_provider, of_token): (Vec<_>, Vec<_>) =
            kept.iter().partition(|(key, _)| key == "aws:FederatedProvider");
        let provider = of_provider.iter().flat_map(|(_, names)| names).map(String::as_str).next();
        let Some(provider) = provider.filter(|name| !name.contains(":saml-provider/")) else {
            return Self::default();
        };
        let is_registered = provider.starts_with("arn:");
        let attributes = of_token.into_iter().filter(|_| !is_registered).map(|(key, texts)| {
            let text = match texts.as_slice() {
                [one] if !key.ends_with(":amr") => Cow::Borrowed(one.as_str()),
                several => Cow::Owned(serde_json::json!(several).to_string()),
            };
            (key.as_str(), text)
        });
        Self { federated_provider: Some(provider), attributes: Some(attributes.collect()) }
    }
}

impl<'a> SessionIssuer<'a> {
    fn of(principal: &Principal, issuer: directory::SessionIssuer<'a>) -> Self {
        Self {
            r#type: issuer.kind,
            principal_id: issuer.id,
            arn: issuer.arn,
            account_id: principal.account,
            user_name: issuer.name,
        }
    }
}

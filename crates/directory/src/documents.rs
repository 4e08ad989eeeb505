//! The text of a policy that a decision names: for those who are told why.

use daypass_policy::{Determining, PolicyType};

use crate::account_view::{AccountView, AnyPolicy};
use crate::authorize::{Facts, OWN_PASSWORD};
use crate::check::{Check, Grantor};
use crate::principal::{Identity, Issuer, Principal};
use crate::record::InlinePolicy;
use crate::session::name_of_layer;

/// The document in which a statement of a decision stands, as it is stored.
#[must_use]
pub fn document_of<'a>(facts: Facts<'a>, check: &'a Check, found: &Determining<'_>) -> Option<&'a str> {
    let account = facts.view.account(facts.principal.account)?;
    match found.policy_type {
        PolicyType::Identity if found.policy == OWN_PASSWORD.0 => Some(OWN_PASSWORD.1),
        PolicyType::Identity => of_identity(account, facts.principal, &found.policy),
        PolicyType::Boundary => managed(account, &found.policy),
        PolicyType::Session => of_session(account, facts.principal, &found.policy),
        PolicyType::Resource | PolicyType::RoleTrust => match &check.grantor {
            Grantor::Role(role) => Some(&role.record.trust),
            Grantor::Resource(resource) => Some(&resource.record.document),
            Grantor::Nobody | Grantor::PasswordPolicy => None,
        },
        PolicyType::NotNeeded | PolicyType::Rcp | PolicyType::Scp => None,
    }
}

fn of_identity<'a>(account: AccountView<'a>, principal: &'a Principal, id: &str) -> Option<&'a str> {
    let own: &[InlinePolicy] = match &principal.identity {
        Identity::User(user) | Identity::Federated(Issuer::User(user)) => &user.record.inline,
        Identity::Role(role) => &role.record.inline,
        Identity::Root | Identity::Federated(Issuer::Root) | Identity::Vouched(_) => &[],
    };
    let (inline, name) = match id.split_once('/') {
        _ if id.starts_with("arn:") => return managed(account, id),
        Some((group, name)) => (account.group(group)?.record.inline.as_slice(), name),
        None => (own, id),
    };
    inline.iter().find(|policy| policy.name == name).map(|policy| policy.document.as_str())
}

fn of_session<'a>(account: AccountView<'a>, principal: &'a Principal, id: &str) -> Option<&'a str> {
    let layers = principal.session.iter().flat_map(|session| &session.claims.layers).zip(1..);
    let mut named = layers.filter(|(_, n)| name_of_layer(*n) == id);
    named.next().map_or_else(|| managed(account, id), |(layer, _)| layer.inline.as_deref())
}

fn managed<'a>(account: AccountView<'a>, arn: &str) -> Option<&'a str> {
    match account.policy(arn)? {
        AnyPolicy::Aws(policy) => Some(policy.document),
        AnyPolicy::Customer(policy) => {
            let versions = &policy.record.versions;
            let default = versions.iter().find(|version| version.number == policy.record.default_version);
            default.map(|version| version.document.as_str())
        }
    }
}

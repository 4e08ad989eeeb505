//! The text of a policy that a decision names: for those who are told why.

use daypass_policy::{Determining, PolicyType};

use crate::account_view::{AccountView, AnyPolicy};
use crate::authorize::Facts;
use crate::check::{Check, Grantor};
use crate::principal::{Identity, Issuer, Principal};

/// The document in which a statement of a decision stands, as it is stored.
#[must_use]
pub fn document_of<'a>(facts: Facts<'a>, check: &'a Check, found: &Determining<'_>) -> Option<&'a str> {
    let account = facts.view.account(facts.principal.account)?;
    match found.policy_type {
        PolicyType::Identity => of_identity(account, facts.principal, &found.policy),
        PolicyType::Boundary => managed(account, &found.policy),
        PolicyType::Session => of_session(account, facts.principal, &found.policy),
        PolicyType::Resource | PolicyType::RoleTrust => match &check.grantor {
            Grantor::Role(role) => Some(&role.record.trust),
            Grantor::Resource(resource) => Some(&resource.record.document),
            Grantor::Nobody => None,
        },
        PolicyType::NotNeeded | PolicyType::Rcp | PolicyType::Scp => None,
    }
}

/// Inline policies go by their names: a user's own before those of its groups.
fn of_identity<'a>(account: AccountView<'a>, principal: &'a Principal, id: &str) -> Option<&'a str> {
    let inline: Vec<_> = match &principal.identity {
        Identity::User(user) | Identity::Federated(Issuer::User(user)) => {
            let groups = user.record.groups.iter().filter_map(|id| account.group_by_id(id));
            user.record.inline.iter().chain(groups.flat_map(|group| &group.record.inline)).collect()
        }
        Identity::Role(role) => role.record.inline.iter().collect(),
        Identity::Root | Identity::Federated(Issuer::Root) => Vec::new(),
    };
    let inline = inline.into_iter().find(|policy| policy.name == id);
    inline.map(|policy| policy.document.as_str()).or_else(|| managed(account, id))
}

fn of_session<'a>(account: AccountView<'a>, principal: &'a Principal, id: &str) -> Option<&'a str> {
    let layers = principal.session.iter().flat_map(|session| &session.claims.layers);
    managed(account, id).or_else(|| layers.filter_map(|layer| layer.inline.as_deref()).next())
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

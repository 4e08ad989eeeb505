//! The grounds of a decision: the records of the caller's side that it was made on.
//!
//! A write is guarded by them, so that none is made after the right to it was taken away. (A grantor speaks only in
//! calls that write nothing.)

use std::collections::BTreeSet;

use daypass_model::EntityKind;

use crate::account_view::AnyPolicy;
use crate::key;
use crate::principal::{Identity, Issuer, Principal};
use crate::record::KeyOwner;
use crate::view::View;

/// The keys of the records: the caller with its access keys, groups, boundary, and every managed policy.
pub(crate) fn grounds(view: &View, principal: &Principal) -> BTreeSet<String> {
    let id = principal.account;
    let mut places = BTreeSet::new();
    let Some(account) = view.account(id) else { return places };
    let mut arns: Vec<&String> = Vec::new();
    match &principal.identity {
        Identity::Root | Identity::Federated(Issuer::Root) | Identity::Vouched(_) => {}
        Identity::User(user) | Identity::Federated(Issuer::User(user)) => {
            places.insert(key::entity(id, EntityKind::User, &user.record.id));
            arns.extend(user.record.attached.iter().chain(&user.record.boundary));
            for group in user.record.groups.iter().filter_map(|id| account.group_by_id(id)) {
                places.insert(key::entity(id, EntityKind::Group, &group.record.id));
                arns.extend(&group.record.attached);
            }
        }
        Identity::Role(role) => {
            places.insert(key::entity(id, EntityKind::Role, &role.record.id));
            arns.extend(role.record.attached.iter().chain(&role.record.boundary));
        }
    }
    let layers = principal.session.iter().flat_map(|session| &session.layers);
    let of_session = layers.flat_map(|layer| &layer.policies).filter_map(|id| account.policy_by_id(id));
    for policy in arns.into_iter().filter_map(|arn| account.policy(arn)).chain(of_session) {
        // AWS's never change.
        if let AnyPolicy::Customer(policy) = policy {
            places.insert(key::entity(id, EntityKind::Policy, &policy.record.id));
        }
    }
    // INVARIANT (closed-is-gone): with the caller's account, and with those that its session came from.
    places.insert(key::account(id));
    if let Some(session) = &principal.session {
        places.extend(view.origins((&session.claims).into()).map(key::account));
    }
    if let Some(key) = key_that_counts(view, principal) {
        places.insert(key);
    }
    places
}

/// The record of whose key the caller's session ends with, where it does.
fn key_that_counts(view: &View, principal: &Principal) -> Option<String> {
    let first = principal.session.as_ref()?.claims.first_key.as_ref();
    let pointer = view.key_owner(first.filter(|_| view.session_rules().end_with_key)?)?;
    Some(match pointer.owner.as_ref()? {
        KeyOwner::Root => key::account(pointer.account),
        KeyOwner::User(id) => key::entity(pointer.account, EntityKind::User, id),
    })
}

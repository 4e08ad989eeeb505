//! The claims of a new session: whose it is, and for how long.

use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_directory::{Identity, Operation, Principal, Role};
use daypass_model::limits::{
    ROLE_SESSION_SECONDS_DEFAULT, ROOT_SESSION_SECONDS_MAX, USER_SESSION_SECONDS_DEFAULT,
};
use daypass_model::{AccessKeyId, AccountId};

use crate::error::Error;
use crate::house::House;
use crate::lineage::{lineage, principals_above};

/// The user, role or root whose session it is, and what kind of session.
pub(super) struct Subject {
    pub(super) kind: SessionKind,
    pub(super) account: AccountId,
    pub(super) id: String,
    pub(super) arn: String,
}

/// The claims of a session of `of` that `who` asks for and that begins now. Name, policies, tags and source
/// identity are the call's to add.
pub(super) fn begin(
    op: &Operation,
    house: &House,
    who: &Principal,
    of: Subject,
    seconds: i64,
) -> Result<SessionClaims, Error> {
    let above = lineage(op, house, of.account, who.session.as_deref())?;
    let issued_at = op.now.as_second();
    let principals_above = principals_above(who, (of.account, &of.id, issued_at))?;
    Ok(SessionClaims {
        session_id: above.id,
        ancestry: above.ancestry,
        ancestry_ends: above.ends,
        kind: of.kind,
        account: of.account,
        principal_id: of.id,
        principal_arn: of.arn,
        session_name: String::new(),
        issued_at,
        expires_at: issued_at + seconds,
        layers: Vec::new(),
        tags: Vec::new(),
        transitive_tag_keys: Vec::new(),
        source_identity: None,
        mfa_authenticated_at: None,
        federation: Vec::new(),
        chained: who.session.is_some(),
        scoped_layers: 0,
        first_key: first_key(who),
        console: None,
        principals_above,
    })
}

/// The long-term key that a chain of sessions began with: the caller's own, or the one its session came from.
fn first_key(who: &Principal) -> Option<AccessKeyId> {
    match &who.session {
        Some(session) => session.claims.first_key.clone(),
        None => who.access_key_id.clone(),
    }
}

/// For how many seconds a session of a role is asked for.
///
/// # Errors
/// Longer than the role allows.
pub(super) fn seconds_of_role(asked: Option<i64>, role: &Role) -> Result<i64, Error> {
    let seconds = asked.unwrap_or(ROLE_SESSION_SECONDS_DEFAULT);
    if seconds > role.record.session_duration_max {
        return Err(Error::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(seconds)
}

/// Whose session a user or root gets that asks with its own keys, and for how many seconds. The first of `kinds`
/// is a user's, the second root's.
pub(super) fn of_caller(
    who: &Principal,
    kinds: (SessionKind, SessionKind),
    asked: Option<i64>,
) -> Result<(Subject, i64), Error> {
    let seconds = asked.unwrap_or(USER_SESSION_SECONDS_DEFAULT);
    let of = |kind, id| Subject { kind, account: who.account, id, arn: who.arn.clone() };
    match &who.identity {
        Identity::User(user) => Ok((of(kinds.0, user.record.id.to_string()), seconds)),
        // AWS cuts root's sessions to an hour without an error.
        Identity::Root => Ok((of(kinds.1, who.account.to_string()), seconds.min(ROOT_SESSION_SECONDS_MAX))),
        // `Callers::LongTermKeys` lets none of these in; should it ever, they must not become root.
        Identity::Role(_) | Identity::Federated(_) | Identity::Vouched(_) => {
            Err(Error::internal("a session asked for one of its own"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use daypass_directory::Issuer;
    use daypass_directory::record::{RoleRecord, Unknown, Written};
    use daypass_model::{AccessKeyKind, EntityKind, SeededRandom, TagSet, UniqueId};
    use daypass_policy::Policy;
    use daypass_store::Revision;

    use super::*;

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    fn principal(identity: Identity) -> Principal {
        let id = AccessKeyId::generate(AccessKeyKind::Temporary, account(), &SeededRandom::new(1));
        let (arn, user_id) = ("arn:aws:sts::111122223333:someone".into(), "someone".into());
        Principal { account: account(), identity, session: None, access_key_id: Some(id), arn, user_id }
    }

    fn role() -> Identity {
        let trust = r#"{"Version":"2012-10-17","Statement":[]}"#;
        let record = RoleRecord {
            written: Written::by("test"),
            id: UniqueId::generate(EntityKind::Role, &SeededRandom::new(2)),
            name: "Crew".into(),
            path: "/".into(),
            created: 0,
            trust: trust.into(),
            description: None,
            session_duration_max: 3600,
            inline: Vec::new(),
            attached: Vec::new(),
            boundary: None,
            tags: TagSet::new(),
            unknown: Unknown::new(),
        };
        Identity::Role(Arc::new(Role {
            account: account(),
            record,
            revision: Revision::default(),
            arn: "arn:aws:iam::111122223333:role/Crew".into(),
            trust: Arc::new(Policy::parse(trust).unwrap()),
            inline: Vec::new(),
        }))
    }

    #[test]
    fn a_role_or_federated_session_never_becomes_a_session_of_root() {
        for kinds in
            [(SessionKind::User, SessionKind::Root), (SessionKind::Federated, SessionKind::FederatedByRoot)]
        {
            for identity in [role(), Identity::Federated(Issuer::Root)] {
                let refused = of_caller(&principal(identity), kinds, None).err().unwrap();
                assert_eq!(refused.code, "InternalFailure");
            }
            let (root, seconds) = of_caller(&principal(Identity::Root), kinds, None).unwrap();
            assert_eq!((root.kind, root.id.as_str(), seconds), (kinds.1, "111122223333", 3600));
        }
    }
}

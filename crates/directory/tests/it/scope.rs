//! Accounts beside each other: what a caller of one sees of the other, and where its principals are looked up.

use std::sync::Arc;

use daypass_authn::token::MasterKey;
use daypass_directory::record::{RoleRecord, Unknown, UserRecord};
use daypass_directory::{Change, Directory, Scope};
use daypass_model::{AccessKeyId, AccountId, Arn, EntityKind, MockClock, SeededRandom, TagSet, UniqueId};
use daypass_store::MemoryStore;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

fn ours() -> AccountId {
    "111122223333".parse().unwrap()
}

fn theirs() -> AccountId {
    "444455556666".parse().unwrap()
}

fn arn(account: AccountId, resource: &str) -> Arn {
    format!("arn:aws:iam::{account}:{resource}").parse().unwrap()
}

async fn directory() -> Arc<Directory> {
    let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
    let (master, random) = (MasterKey::generate(&SeededRandom::new(1)), Arc::new(SeededRandom::new(2)));
    Directory::open(Arc::new(MemoryStore::new()), master, clock, random).await.unwrap()
}

/// An account with the user `Ann` and the role `Crew`; its root key, and their ids.
async fn account(directory: &Directory, id: AccountId) -> (AccessKeyId, UniqueId, UniqueId) {
    let (key, _) = directory.new_access_key(id, 0).unwrap();
    let key_id = key.id.clone();
    directory.create_account(id, key, "test").await.unwrap();
    let mut change = Change::new("test", &directory.snapshot());
    let user = UserRecord {
        written: change.written(),
        id: UniqueId::generate(EntityKind::User, directory.random()),
        name: "Ann".into(),
        path: "/".into(),
        created: 0,
        access_keys: Vec::new(),
        inline: Vec::new(),
        attached: Vec::new(),
        groups: Vec::new(),
        boundary: None,
        tags: TagSet::new(),
        unknown: Unknown::new(),
    };
    let role = RoleRecord {
        written: change.written(),
        id: UniqueId::generate(EntityKind::Role, directory.random()),
        name: "Crew".into(),
        path: "/".into(),
        created: 0,
        trust: TRUST.into(),
        description: None,
        session_duration_max: 3600,
        inline: Vec::new(),
        attached: Vec::new(),
        boundary: None,
        tags: TagSet::new(),
        unknown: Unknown::new(),
    };
    let ids = (user.id.clone(), role.id.clone());
    change.create(id, user);
    change.create(id, role);
    directory.commit(change).await.unwrap();
    (key_id, ids.0, ids.1)
}

fn scope(directory: &Directory, key: &AccessKeyId) -> Scope {
    let view = directory.snapshot();
    let caller = directory.credential(&view, key.as_str(), None).unwrap().caller;
    Scope::resolve(view, caller, directory.clock().now()).unwrap()
}

#[tokio::test]
async fn a_scope_opens_the_account_of_its_caller_and_knows_no_key_of_another() {
    let directory = directory().await;
    let (our_key, our_user, _) = account(&directory, ours()).await;
    let (their_key, their_user, _) = account(&directory, theirs()).await;
    let scope = scope(&directory, &our_key);
    let seen = scope.account();
    assert_eq!(seen.id(), ours());
    assert!(seen.user_by_id(&our_user).is_some() && seen.user_by_id(&their_user).is_none());
    assert!(scope.key_owner(&our_key).is_some() && scope.key_owner(&their_key).is_none());
    assert_eq!(scope.view().account_of_key(&their_key), Some(theirs()));
}

#[tokio::test]
async fn a_principal_of_any_account_is_found_by_arn_and_by_id_until_it_is_gone() {
    let directory = directory().await;
    account(&directory, ours()).await;
    let (_, user, role) = account(&directory, theirs()).await;
    let view = directory.snapshot();
    for (id, arn) in [(&user, arn(theirs(), "user/Ann")), (&role, arn(theirs(), "role/Crew"))] {
        assert_eq!(view.id_of(&arn).as_ref(), Some(id));
        assert_eq!(view.arn_of(id.as_str()).as_deref(), Some(arn.as_str()));
    }
    let found = view.operator().account(theirs()).unwrap();
    let (user_entity, role_entity) = (found.user_by_id(&user).unwrap(), found.role_by_id(&role).unwrap());
    let mut change = Change::new("test", &view);
    let renamed = UserRecord { name: "Bea".into(), ..user_entity.record.clone() };
    change.rename(theirs(), "Ann", &renamed);
    change.update(theirs(), user_entity.revision, renamed);
    change.remove(theirs(), role_entity.revision, &role_entity.record);
    directory.commit(change).await.unwrap();
    let view = directory.snapshot();
    assert_eq!(view.arn_of(user.as_str()), Some(format!("arn:aws:iam::{}:user/Bea", theirs())));
    assert_eq!((view.arn_of(role.as_str()), view.id_of(&arn(theirs(), "role/Crew"))), (None, None));
}

#[tokio::test]
async fn a_role_of_another_account_brings_the_managed_policies_of_that_account_and_no_more() {
    let directory = directory().await;
    let (key, ..) = account(&directory, ours()).await;
    let (_, _, role) = account(&directory, theirs()).await;
    let scope = scope(&directory, &key);
    let trusting = scope.view().trusting_role(&arn(theirs(), "role/Crew")).unwrap();
    assert_eq!(trusting.role.record.id, role);
    assert!(trusting.policy("arn:aws:iam::aws:policy/ReadOnlyAccess").is_some());
    assert!(trusting.policy("arn:aws:iam::444455556666:policy/None").is_none());
    assert!(scope.view().trusting_role(&arn(theirs(), "user/Ann")).is_none());
    assert!(scope.view().trusting_role(&arn(theirs(), "role/crew")).is_none(), "ARNs keep their case");
}

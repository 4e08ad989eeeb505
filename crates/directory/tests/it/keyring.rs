//! Rotation: what a session token survives, on the node that rotates and on one that only follows the store.

use std::sync::Arc;

use daypass_authn::token::{Keyring, MasterKey, SessionClaims, SessionKind};
use daypass_directory::{BadCredential, Change, Directory, NotRotated, Rotation, key};
use daypass_model::{AccessKeyId, AccessKeyKind, AccountId, MockClock, SeededRandom, SessionId};
use daypass_store::{MemoryStore, Store};
use serde_json::Value;

fn clock() -> Arc<MockClock> {
    Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()))
}

/// `GetSessionToken` by an IAM user, in seconds.
const LONGEST_SESSION: i64 = 36 * 3600;

async fn node(store: &Arc<MemoryStore>, seed: u64) -> Arc<Directory> {
    node_at(store, seed, clock()).await
}

async fn node_at(store: &Arc<MemoryStore>, seed: u64, clock: Arc<MockClock>) -> Arc<Directory> {
    let master = MasterKey::generate(&SeededRandom::new(1));
    Directory::open(store.clone(), master, clock, Arc::new(SeededRandom::new(seed))).await.unwrap()
}

/// A token that the node's active key seals.
fn token(node: &Directory) -> (AccessKeyId, String) {
    token_of(node, node.snapshot().keyring())
}

fn token_of(node: &Directory, keyring: &Keyring) -> (AccessKeyId, String) {
    let account: AccountId = "111122223333".parse().unwrap();
    let id = AccessKeyId::generate(AccessKeyKind::Temporary, account, node.random());
    let claims = SessionClaims {
        session_id: SessionId::generate(account, node.random()),
        ancestry: Vec::new(),
        ancestry_ends: Vec::new(),
        kind: SessionKind::Root,
        account,
        principal_id: account.to_string(),
        principal_arn: account.root_arn(),
        session_name: String::new(),
        issued_at: 1_768_478_400,
        expires_at: 1_768_482_000,
        layers: Vec::new(),
        tags: Vec::new(),
        transitive_tag_keys: Vec::new(),
        source_identity: None,
        mfa_authenticated_at: None,
        federation: Vec::new(),
        chained: false,
        scoped_layers: 0,
        first_key: None,
        console: None,
        principals_above: Vec::new(),
    };
    let sealed = keyring.seal(&claims, &id, 0, node.random()).unwrap();
    (id, sealed.token)
}

fn opens(node: &Directory, (id, token): &(AccessKeyId, String)) -> bool {
    match node.credential(&node.snapshot(), id.as_str(), Some(token)) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error, BadCredential::Token);
            false
        }
    }
}

/// Until `other` has everything `node` has; it follows the store in a task of its own.
pub(crate) async fn caught_up(other: &Directory, node: &Directory) {
    while other.health().unwrap() < node.health().unwrap() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_token_survives_one_rotation_and_not_two() {
    let store = Arc::new(MemoryStore::new());
    let time = clock();
    let (first, second) = (node_at(&store, 2, time.clone()).await, node(&store, 3).await);
    let old = token(&first);
    assert!(opens(&first, &old) && opens(&second, &old), "any node opens it");
    first.rotate_keyring("r1", Rotation::Ordinary).await.unwrap();
    caught_up(&second, &first).await;
    let newer = token(&second);
    assert!(opens(&first, &old) && opens(&second, &old) && opens(&first, &newer));
    time.advance(LONGEST_SESSION);
    first.rotate_keyring("r2", Rotation::Ordinary).await.unwrap();
    caught_up(&second, &first).await;
    // It was opened before and is still in the cache: the key that is gone takes it along.
    assert!(!opens(&first, &old) && !opens(&second, &old));
    assert!(opens(&first, &newer) && opens(&second, &newer));
}

#[tokio::test]
async fn no_ordinary_rotation_ends_a_session_that_may_still_live() {
    let time = clock();
    let node = node_at(&Arc::new(MemoryStore::new()), 2, time.clone()).await;
    node.rotate_keyring("r1", Rotation::Ordinary).await.unwrap();
    let after_first = node.snapshot().keyring().keys();
    time.advance(LONGEST_SESSION - 1);
    let early = node.rotate_keyring("r2", Rotation::Ordinary).await;
    let from = "2026-01-17T00:00:00Z".parse().unwrap();
    assert_eq!(early, Err(NotRotated::TooEarly(from)));
    assert_eq!(node.snapshot().keyring().keys(), after_first);
    time.advance(1);
    node.rotate_keyring("r3", Rotation::Ordinary).await.unwrap();
}

#[tokio::test]
async fn a_compromised_keyring_is_replaced_with_all_its_keys() {
    let node = node(&Arc::new(MemoryStore::new()), 2).await;
    node.rotate_keyring("r1", Rotation::Ordinary).await.unwrap();
    // Whoever has a copy can seal with the key that would be the active one after a rotation.
    let copy = node.snapshot().keyring().keys();
    let stolen = Keyring::new(copy).unwrap().rotate(node.random(), 0);
    let minted = token_of(&node, &stolen);
    assert!(opens(&node, &minted));
    node.rotate_keyring("r2", Rotation::Compromised).await.unwrap();
    assert!(!opens(&node, &minted));
}

#[tokio::test]
async fn a_compromised_key_takes_its_sessions_with_it_at_once() {
    let node = node(&Arc::new(MemoryStore::new()), 2).await;
    let old = token(&node);
    assert!(opens(&node, &old));
    node.rotate_keyring("r", Rotation::Compromised).await.unwrap();
    assert!(!opens(&node, &old));
    assert!(opens(&node, &token(&node)));
}

#[tokio::test]
async fn what_a_newer_daypass_wrote_beside_the_keyring_survives_a_rotation() {
    let store = Arc::new(MemoryStore::new());
    let node = node(&store, 2).await;
    let stored = || async {
        let (_, records) = store.load(key::KEYRING).await.unwrap();
        serde_json::from_slice::<Value>(&records[0].value).unwrap()
    };
    let mut newer = stored().await;
    newer["from_the_future"] = true.into();
    let mut change = Change::new("newer", &node.snapshot());
    change.put(key::KEYRING.into(), &newer);
    node.commit(change).await.unwrap();
    node.rotate_keyring("r", Rotation::Ordinary).await.unwrap();
    let after = stored().await;
    assert_ne!(after["sealed"], newer["sealed"]);
    assert_eq!(after["from_the_future"], true);
}

#[tokio::test]
async fn the_keyring_survives_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let first = node(&store, 2).await;
    first.rotate_keyring("r", Rotation::Ordinary).await.unwrap();
    let old = token(&first);
    drop(first);
    assert!(opens(&*node(&store, 9).await, &old));
}

#[tokio::test]
async fn the_keys_of_tokens_are_made_once_and_rotate_with_the_keyring_on_every_node() {
    let store = Arc::new(MemoryStore::new());
    let (first, second) = (node(&store, 2).await, node(&store, 3).await);
    first.rotate_keyring("r0", Rotation::Ordinary).await.unwrap();
    assert!(first.snapshot().web_identity_keys().is_none(), "a rotation makes none");
    let (a, b) = tokio::join!(first.make_web_identity_keys("a"), second.make_web_identity_keys("b"));
    a.unwrap();
    b.unwrap();
    caught_up(&first, &second).await;
    caught_up(&second, &first).await;
    let keys = |node: &Directory| node.snapshot().web_identity_keys().unwrap().key_set().to_owned();
    let made = keys(&first);
    assert_eq!(made, keys(&second));
    first.make_web_identity_keys("again").await.unwrap();
    assert_eq!(made, keys(&first));
    second.rotate_keyring("r1", Rotation::Compromised).await.unwrap();
    caught_up(&first, &second).await;
    let replaced = keys(&first);
    let ids = |set: &str| -> Vec<String> {
        let set: Value = serde_json::from_str(set).unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].to_string()).collect()
    };
    assert!(ids(&made).iter().all(|id| !ids(&replaced).contains(id)), "every key is another");
    first.rotate_keyring("r2", Rotation::Ordinary).await.unwrap();
    assert!(ids(&replaced).iter().all(|id| ids(&keys(&first)).contains(id)), "those go on to verify");
    drop((first, second));
    let restarted = node(&store, 9).await;
    assert_eq!(ids(&keys(&restarted)).len(), 6);
}

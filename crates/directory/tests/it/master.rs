//! Another master key: everything that is sealed is sealed anew, whatever comes in between, and the old key opens nothing.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use daypass_authn::password::{PasswordHash, Salt};
use daypass_authn::token::MasterKey;
use daypass_directory::record::{
    LoginProfileRecord, MfaDeviceRecord, SamlProviderRecord, Unknown, UserRecord, Written,
};
use daypass_directory::{Change, Directory, MasterNotRotated, NotCommitted, OpenError, key};
use daypass_model::{
    AccessKeyId, AccessKeyKind, AccountId, EntityKind, MockClock, Secret, SeededRandom, TagSet, UniqueId,
};
use daypass_store::{Commit, CommitError, MemoryStore, Store};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::intercepted::Intercepted;

fn old() -> MasterKey {
    MasterKey::generate(&SeededRandom::new(1))
}

fn new() -> MasterKey {
    MasterKey::generate(&SeededRandom::new(100))
}

async fn open<S: Store>(store: &Arc<S>, master: MasterKey) -> Result<Arc<Directory>, OpenError> {
    let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
    Directory::open(store.clone(), master, clock, Arc::new(SeededRandom::new(2))).await
}

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

/// Root with a key, a user with two, a device and three passwords, a SAML provider with two private keys; what they are in clear, in the order of [`secrets`].
async fn furnish(node: &Directory) -> Vec<Secret> {
    let (root_key, root_secret) = node.new_access_key(account(), 0).unwrap();
    node.create_account(account(), root_key, "r").await.unwrap();
    let keys: Vec<_> = (0..2).map(|_| node.new_access_key(account(), 0).unwrap()).collect();
    let (access_keys, mut secrets): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let user = UserRecord {
        written: Written::by("r"),
        id: UniqueId::generate(EntityKind::User, node.random()),
        name: "Ada".into(),
        path: "/".into(),
        created: 0,
        access_keys,
        inline: Vec::new(),
        attached: Vec::new(),
        groups: Vec::new(),
        boundary: None,
        tags: TagSet::default(),
        unknown: Unknown::new(),
    };
    let id = UniqueId::generate(EntityKind::MfaDevice, node.random());
    let (sealed_seed, seed) = node.new_mfa_seed(account(), &id).unwrap();
    let device = MfaDeviceRecord {
        written: Written::by("r"),
        id,
        name: "Phone".into(),
        path: "/".into(),
        created: 0,
        sealed_seed,
        owner: None,
        enabled: None,
        clock_offset: 0,
        last_pair: None,
        tags: TagSet::default(),
        unknown: Unknown::new(),
    };
    let user_id = user.id.clone();
    let mut change = Change::new("r", &node.snapshot());
    change.create(account(), user);
    change.create(account(), device);
    change.create(account(), saml_provider(node));
    node.commit(change).await.unwrap();
    secrets.extend(passwords(node, &user_id).await);
    node.make_web_identity_keys("r").await.unwrap();
    secrets.insert(0, root_secret);
    secrets.push(seed);
    secrets.extend([PEM, PEM].map(Secret::new));
    secrets.push(node.snapshot().web_identity_keys().unwrap().to_text());
    secrets
}

/// The user has a password, and had two before.
async fn passwords(node: &Directory, user: &UniqueId) -> Vec<Secret> {
    let hashes = ["first", "second", "third"]
        .map(|password| PasswordHash::of(&Secret::new(password), &Salt::new(node.random())).unwrap());
    let place = key::login_profile(account(), user);
    let record = LoginProfileRecord {
        written: Written::by("r"),
        created: 0,
        changed: 0,
        sealed_hash: node.seal_password(account(), user, &hashes[0]).unwrap(),
        reset_required: false,
        earlier: Vec::new(),
        last_used: None,
        browsers: Vec::new(),
        browsers_with_code: Vec::new(),
        unknown: Unknown::new(),
    };
    let mut change = Change::new("r", &node.snapshot());
    change.put(place.clone(), &record);
    node.commit(change).await.unwrap();
    for hash in &hashes[1..] {
        let view = node.snapshot();
        let profile = view.operator().account(account()).unwrap().login_profile(user).unwrap().clone();
        let record = node.with_password(account(), user, &profile, hash, 0).unwrap();
        let mut change = Change::new("r", &view);
        change.put(place.clone(), &record);
        node.commit(change).await.unwrap();
    }
    hashes.iter().map(|hash| hash.to_text().clone()).collect()
}

/// A private key and metadata of an identity provider, made for tests.
const PEM: &str = include_str!("../../../authn/tests/it/saml/vectors/responses/decryption-key.pem");
const METADATA: &str = include_str!("../../../authn/tests/it/saml/vectors/responses/rsa2048.metadata.xml");

/// A SAML provider with two private keys.
fn saml_provider(node: &Directory) -> SamlProviderRecord {
    let id = UniqueId::generate(EntityKind::SamlProvider, node.random());
    let pem = Secret::new(PEM);
    let private_keys = (0..2).map(|_| node.new_saml_private_key(account(), &id, &pem, 0).unwrap()).collect();
    SamlProviderRecord {
        written: Written::by("r"),
        id,
        name: "Corp".into(),
        created: 0,
        metadata: METADATA.into(),
        metadata_since: 0,
        encryption: None,
        private_keys,
        tags: TagSet::default(),
        unknown: Unknown::new(),
    }
}

/// Every sealed text of the store, with the place that it is bound to: read from the records as they lie there.
async fn sealed(store: &dyn Store) -> Vec<(String, String)> {
    let (_, records) = store.load("/").await.unwrap();
    let mut found = Vec::new();
    for record in records {
        let Ok(value) = serde_json::from_slice::<Value>(&record.value) else { continue };
        let keys =
            ["root_keys", "access_keys"].into_iter().filter_map(|list| value.get(list)?.as_array()).flatten();
        for of_key in keys {
            let (id, text) = (of_key["id"].as_str().unwrap(), of_key["sealed_secret"].as_str().unwrap());
            found.push((format!("/access-key/{id}"), text.to_owned()));
        }
        let private_keys = value.get("private_keys").and_then(Value::as_array).into_iter().flatten();
        for of_key in private_keys {
            let (id, text) = (of_key["id"].as_str().unwrap(), of_key["sealed_pem"].as_str().unwrap());
            found.push((format!("{}/{id}", record.key), text.to_owned()));
        }
        let earlier = value.get("earlier").and_then(Value::as_array).into_iter().flatten();
        for of_password in earlier {
            let text = of_password["sealed_hash"].as_str().unwrap();
            found.push((format!("{}/earlier", record.key), text.to_owned()));
        }
        for name in ["sealed_seed", "sealed_hash", "sealed"] {
            if let Some(text) = value.get(name).and_then(Value::as_str) {
                found.push((record.key.to_string(), text.to_owned()));
            }
        }
    }
    found
}

/// All of it opens with this key, and nothing with the other.
async fn assert_sealed_with(store: &dyn Store, master: &MasterKey, not: &MasterKey, secrets: &[Secret]) {
    let all = sealed(store).await;
    assert_eq!(all.len(), secrets.len() + 1, "and the keyring");
    let mut left: Vec<&Secret> = secrets.iter().collect();
    for (place, text) in all {
        assert!(not.open(&place, &text).is_err(), "{place} opens with the other key");
        let plain = master.open(&place, &text).map_err(|_| place).unwrap();
        left.retain(|secret| **secret != plain);
    }
    assert!(left.is_empty(), "every secret is what it was");
    let (_, previous) = store.load(key::MASTER_KEY_PREVIOUS).await.unwrap();
    assert!(previous.is_empty(), "the old key is gone");
}

#[tokio::test]
async fn everything_sealed_is_sealed_anew_and_the_old_key_opens_nothing() {
    let store = Arc::new(MemoryStore::new());
    let node = open(&store, old()).await.unwrap();
    let secrets = furnish(&node).await;
    assert_sealed_with(&*store, &old(), &new(), &secrets).await;
    let mut begun = 0;
    node.rotate_master_key("r", new(), || begun += 1).await.unwrap();
    assert_eq!(begun, 1);
    assert!(node.is_sealed_with(&new()) && !node.is_sealed_with(&old()));
    assert_sealed_with(&*store, &new(), &old(), &secrets).await;
    // The node goes on: what it makes now is sealed with the new key.
    let (root_key, _) = node.new_access_key("222233334444".parse().unwrap(), 0).unwrap();
    assert!(new().open(&key::access_key(&root_key.id), &root_key.sealed_secret).is_ok());
    node.create_account("222233334444".parse().unwrap(), root_key, "r").await.unwrap();
    assert!(matches!(open(&store, old()).await, Err(OpenError::WrongMasterKey)));
    open(&store, new()).await.unwrap().health().unwrap();
}

/// A store that takes so many commits more and then none.
fn cut_off(inner: &Arc<MemoryStore>, left: &Arc<AtomicUsize>) -> Arc<Intercepted> {
    let left = left.clone();
    Intercepted::new(inner, move |_| {
        let left = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        ready(left.map(drop).map_err(|_| CommitError::Unavailable("cut off".into())))
    })
}

#[tokio::test]
async fn a_rotation_that_is_cut_off_anywhere_is_finished_by_the_next_start() {
    // The commits of a rotation of so small a store: the new check, one batch, the end.
    for commits in 0..=3 {
        let kept = Arc::new(MemoryStore::new());
        let secrets = furnish(&open(&kept, old()).await.unwrap()).await;
        let store = cut_off(&kept, &Arc::new(AtomicUsize::new(commits)));
        let node = open(&store, old()).await.unwrap();
        let mut begun = false;
        let rotated = node.rotate_master_key("r", new(), || begun = true).await;
        let cut = NotCommitted::Unavailable("cut off".into());
        let expected = match commits {
            0 => Err(MasterNotRotated::NotBegun(cut)),
            1 | 2 => Err(MasterNotRotated::NotFinished(cut)),
            _ => Ok(()),
        };
        assert_eq!((rotated, begun), (expected, commits > 0), "after {commits}");
        // Until then everything can be used: the account's key is read again from its record.
        node.health().unwrap();
        drop(node);
        let (present, other) = if begun { (new(), old()) } else { (old(), new()) };
        assert!(matches!(
            open(&kept, MasterKey::from_text(&other.to_text()).unwrap()).await,
            Err(OpenError::WrongMasterKey)
        ));
        let again = MasterKey::from_text(&present.to_text()).unwrap();
        open(&kept, again).await.unwrap().health().unwrap();
        assert_sealed_with(&*kept, &present, &other, &secrets).await;
    }
}

#[tokio::test]
async fn what_was_cut_off_is_finished_when_asked_again_and_nothing_is_begun_before() {
    let kept = Arc::new(MemoryStore::new());
    let secrets = furnish(&open(&kept, old()).await.unwrap()).await;
    let left = Arc::new(AtomicUsize::new(1));
    let store = cut_off(&kept, &left);
    let node = open(&store, old()).await.unwrap();
    node.rotate_master_key("r", new(), || ()).await.unwrap_err();
    let third = MasterKey::generate(&SeededRandom::new(7));
    left.store(100, Ordering::SeqCst);
    let refused = node.rotate_master_key("r", third, || ()).await;
    assert_eq!(refused, Err(MasterNotRotated::NotBegun(NotCommitted::Conflict)));
    assert!(node.finish_master_rotation("r").await.unwrap());
    assert!(!node.finish_master_rotation("r").await.unwrap());
    assert_sealed_with(&*kept, &new(), &old(), &secrets).await;
}

/// A disk that hangs may still take what nobody waits for any more: until it has said, no other key is tried.
#[tokio::test(start_paused = true)]
async fn while_nobody_knows_which_key_is_in_force_no_other_takes_its_place() {
    let kept = Arc::new(MemoryStore::new());
    let secrets = furnish(&open(&kept, old()).await.unwrap()).await;
    let disk = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
    let hung = disk.clone();
    let store = Intercepted::new(&kept, move |_| {
        let disk = hung.clone();
        async move { disk.acquire().await.map(drop).map_err(|_| CommitError::Unknown) }
    });
    let node = open(&store, old()).await.unwrap();
    disk.forget_permits(Semaphore::MAX_PERMITS);
    let third = || MasterKey::generate(&SeededRandom::new(7));
    let asked = node.rotate_master_key("r", new(), || ()).await;
    assert!(matches!(asked, Err(MasterNotRotated::NotBegun(NotCommitted::Unknown(_)))), "{asked:?}");
    // Asked again, whether with the same key or another one: nothing is begun.
    for key in [new(), third()] {
        let asked = node.rotate_master_key("r", key, || ()).await;
        assert!(matches!(asked, Err(MasterNotRotated::NotBegun(NotCommitted::Unavailable(_)))), "{asked:?}");
    }
    disk.add_permits(1000);
    let asked = node.rotate_master_key("r", third(), || ()).await;
    assert_eq!(asked, Err(MasterNotRotated::NotBegun(NotCommitted::Conflict)), "the first one came true");
    assert!(node.is_sealed_with(&new()));
    assert!(node.finish_master_rotation("r").await.unwrap());
    assert_sealed_with(&*kept, &new(), &old(), &secrets).await;
    open(&kept, new()).await.unwrap().health().unwrap();
}

/// What it takes for sealed with the present key is sealed with the one before.
#[tokio::test]
async fn a_node_that_does_not_follow_the_store_finishes_no_rotation() {
    let kept = Arc::new(MemoryStore::new());
    let secrets = furnish(&open(&kept, old()).await.unwrap()).await;
    let node = open(&kept, old()).await.unwrap();
    let (_, keyring) = kept.load(key::KEYRING).await.unwrap();
    kept.commit(Commit::new().put(key::KEYRING, "junk")).await.unwrap();
    node.revisions().wait_for(Result::is_err).await.unwrap();
    kept.commit(Commit::new().put(key::KEYRING, keyring[0].value.clone())).await.unwrap();
    // Another node begins, and this one is asked for the rest.
    let left = Arc::new(AtomicUsize::new(1));
    let other = open(&cut_off(&kept, &left), old()).await.unwrap();
    other.rotate_master_key("r", new(), || ()).await.unwrap_err();
    let refused = node.finish_master_rotation("r").await.unwrap_err();
    assert_eq!(refused, NotCommitted::Unavailable("this node does not follow the store".into()));
    node.settled().await.unwrap_err();
    open(&kept, new()).await.unwrap().health().unwrap();
    assert_sealed_with(&*kept, &new(), &old(), &secrets).await;
}

#[tokio::test]
async fn what_was_sealed_before_a_rotation_is_not_written_after_it() {
    let store = Arc::new(MemoryStore::new());
    let node = open(&store, old()).await.unwrap();
    let mut secrets = furnish(&node).await;
    let other: AccountId = "222233334444".parse().unwrap();
    let (root_key, secret) = node.new_access_key(other, 0).unwrap();
    let before = node.snapshot();
    node.rotate_master_key("r", new(), || ()).await.unwrap();
    // Decided on a snapshot of before, and on one of now with a key of before.
    let mut change = Change::new("r", &before);
    let user = before.operator().account(account()).unwrap().root().unwrap().record.clone();
    change.put(key::account(other), &user);
    assert_eq!(node.commit(change).await, Err(NotCommitted::Conflict));
    assert_eq!(node.create_account(other, root_key, "r").await, Err(NotCommitted::Conflict));
    let id = AccessKeyId::generate(AccessKeyKind::LongTerm, other, node.random());
    let anew = node.seal_access_key(id, &secret, 0).unwrap();
    node.create_account(other, anew, "r").await.unwrap();
    secrets.push(secret);
    assert_sealed_with(&*store, &new(), &old(), &secrets).await;
}

#[tokio::test]
async fn whoever_writes_meanwhile_loses_nothing() {
    let store = Arc::new(MemoryStore::new());
    let node = open(&store, old()).await.unwrap();
    let mut secrets = furnish(&node).await;
    // More records than one commit of a rotation has.
    let mut made: Vec<AccountId> = Vec::new();
    for n in 0..150_u64 {
        made.push(format!("{}", 300_000_000_000 + n).parse().unwrap());
        let (key, secret) = node.new_access_key(made[made.len() - 1], 0).unwrap();
        node.create_account(made[made.len() - 1], key, "r").await.unwrap();
        secrets.push(secret);
    }
    let writer = {
        let node = node.clone();
        tokio::spawn(async move {
            let mut written = Vec::new();
            for id in made.into_iter().rev() {
                loop {
                    let view = node.snapshot();
                    let account = view.operator().account(id).unwrap().root().unwrap().clone();
                    let (key, secret) = node.new_access_key(id, 0).unwrap();
                    match node.add_root_key(&account, key, false, "w").await {
                        Ok(()) => break written.push(secret),
                        Err(NotCommitted::Conflict) => tokio::task::yield_now().await,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            written
        })
    };
    tokio::task::yield_now().await;
    node.rotate_master_key("r", new(), || ()).await.unwrap();
    secrets.extend(writer.await.unwrap());
    assert_sealed_with(&*store, &new(), &old(), &secrets).await;
    node.health().unwrap();
}

#[tokio::test]
async fn a_node_without_the_new_key_goes_no_further() {
    let store = Arc::new(MemoryStore::new());
    let (node, other) = (open(&store, old()).await.unwrap(), open(&store, old()).await.unwrap());
    furnish(&node).await;
    node.rotate_master_key("r", new(), || ()).await.unwrap();
    let mut revisions = other.revisions();
    revisions.wait_for(Result::is_err).await.unwrap();
    let why = other.health().unwrap_err();
    assert!(why.contains("start this one with the new key"), "{why}");
}

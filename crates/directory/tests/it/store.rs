//! Stores that are not as a directory leaves them, and changes that no store takes.

use std::sync::Arc;

use daypass_authn::token::MasterKey;
use daypass_directory::record::{ResourcePolicyRecord, Unknown, Written};
use daypass_directory::{Change, Directory, NotCommitted, OpenError, key};
use daypass_model::{AccountId, MockClock, SeededRandom};
use daypass_store::{Commit, Invalid, MemoryStore, Store};

use crate::intercepted::Intercepted;

async fn open<S: Store>(store: &Arc<S>) -> Result<Arc<Directory>, OpenError> {
    let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
    let master = MasterKey::generate(&SeededRandom::new(1));
    Directory::open(store.clone(), master, clock, Arc::new(SeededRandom::new(2))).await
}

const ANYBODY: &str = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}"#;

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn policy_of(arn: &str, document: String) -> ResourcePolicyRecord {
    ResourcePolicyRecord { written: Written::by("r"), arn: arn.into(), document, unknown: Unknown::new() }
}

#[tokio::test]
async fn a_change_that_no_store_takes_is_told_from_one_to_try_again() {
    let store = Arc::new(MemoryStore::new());
    let node = open(&store).await.unwrap();
    let before = store.load("/").await.unwrap();
    let mut change = Change::new("r", &node.snapshot());
    let arn = "arn:aws:s3:::shelf";
    change.put(key::resource_policy(account(), arn), &policy_of(arn, " ".repeat(2 * 1024 * 1024)));
    let refused = node.commit(change).await.unwrap_err();
    assert!(matches!(refused, NotCommitted::OutOfBounds(Invalid::ValueTooLarge(_))), "{refused:?}");
    assert_eq!(store.load("/").await.unwrap(), before);
}

#[tokio::test]
async fn a_resource_policy_under_the_key_of_another_resource_is_not_taken_for_its() {
    let store = Arc::new(MemoryStore::new());
    let node = open(&store).await.unwrap();
    let mut change = Change::new("r", &node.snapshot());
    let record = policy_of("arn:aws:s3:::shelf", ANYBODY.into());
    change.put(key::resource_policy(account(), "arn:aws:s3:::other"), &record);
    node.commit(change).await.unwrap_err();
    assert!(node.health().is_err());
    assert!(matches!(open(&store).await, Err(OpenError::Unreadable(_))));
}

#[tokio::test]
async fn a_pointer_whose_key_is_no_access_key_id_stops_the_node() {
    let store = Arc::new(MemoryStore::new());
    let node = open(&store).await.unwrap();
    let pointer = r#"{"v":1,"request_id":"r","account":"111122223333","owner":"root"}"#;
    store.commit(Commit::new().put("/access-key/not an id", pointer)).await.unwrap();
    node.revisions().changed().await.unwrap();
    assert!(node.health().unwrap_err().contains("names no access key id"));
}

#[tokio::test]
async fn a_store_that_lost_one_of_its_first_records_names_it() {
    for lost in [key::MASTER_KEY_CHECK, key::KEYRING] {
        let store = Arc::new(MemoryStore::new());
        drop(open(&store).await.unwrap());
        store.commit(Commit::new().delete(lost)).await.unwrap();
        let Err(error) = open(&store).await else { panic!("it opened without {lost}") };
        assert_eq!(error.to_string(), format!("record `{lost}` cannot be read: it is missing"));
    }
}

#[tokio::test]
async fn of_two_nodes_that_start_on_an_empty_store_both_open() {
    let overtaken = Intercepted::new(&Arc::new(MemoryStore::new()), async |store| {
        drop(open(&store).await.unwrap());
        Ok(())
    });
    open(&overtaken).await.unwrap();
}

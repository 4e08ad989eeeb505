//! What a write answers when the store does not.

use std::sync::Arc;

use daypass_authn::token::MasterKey;
use daypass_directory::{Directory, NotCommitted, NotRotated, Rotation};
use daypass_model::{MockClock, SeededRandom};
use daypass_store::{Fault, MemoryStore};

async fn opened() -> (Arc<MemoryStore>, Arc<Directory>) {
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
    let random = Arc::new(SeededRandom::new(1));
    let master = MasterKey::generate(&*random);
    let directory = Directory::open(store.clone(), master, clock, random).await.unwrap();
    (store, directory)
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_does_not_come_back_is_of_unknown_outcome() {
    let (store, directory) = opened().await;
    store.set_fault(Some(Fault::Stuck));
    let outcome = directory.rotate_keyring("request", Rotation::Ordinary).await;
    let unknown = NotCommitted::Unknown("the store has not answered for 10 seconds".into());
    assert_eq!(outcome, Err(NotRotated::NotCommitted(unknown)));
    store.set_fault(None);
    directory.rotate_keyring("request", Rotation::Ordinary).await.unwrap();
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_by_reading() {
    let (store, directory) = opened().await;
    store.set_fault(Some(Fault::AnswersLost));
    directory.rotate_keyring("request", Rotation::Ordinary).await.unwrap();
}

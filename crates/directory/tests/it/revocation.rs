//! Revocations on more than one node and over restarts, and what they name.

use std::sync::Arc;

use daypass_authn::token::MasterKey;
use daypass_directory::{Descent, Directory, NotRevoked, Revocation, RevocationFailed, key};
use daypass_model::{AccountId, MockClock, SeededRandom, SessionId};
use daypass_store::{Commit, MemoryStore, Store};

use crate::keyring::caught_up;

const NOON: i64 = 1_768_478_400;

async fn node(store: &Arc<MemoryStore>, seed: u64) -> Arc<Directory> {
    let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
    let master = MasterKey::generate(&SeededRandom::new(1));
    Directory::open(store.clone(), master, clock, Arc::new(SeededRandom::new(seed))).await.unwrap()
}

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

/// Two nodes on one store with one account, and a session id of it.
async fn nodes() -> (Arc<MemoryStore>, [Arc<Directory>; 2], SessionId) {
    let store = Arc::new(MemoryStore::new());
    let own = account("111122223333");
    let first = node(&store, 2).await;
    let (record, _) = first.new_access_key(own, NOON).unwrap();
    first.create_account(own, record, "test").await.unwrap();
    let second = node(&store, 3).await;
    let id = SessionId::generate(own, first.random());
    (store, [first, second], id)
}

fn session<'a>(id: SessionId, ancestry: &'a [SessionId], issued_at: i64) -> Descent<'a> {
    let account = id.account().unwrap();
    Descent { id, ancestry, account, principal_id: "AROAX", issued_at, first_key: None }
}

#[tokio::test]
async fn every_node_hears_of_a_revocation_and_a_restart_forgets_none() {
    let (store, [first, second], id) = nodes().await;
    let own = account("111122223333");
    let other = SessionId::generate(own, first.random());
    let away = SessionId::generate(account("444455556666"), first.random());
    first.revoke(own, &Revocation::Session { id, issued_too: true }, "r1").await.unwrap();
    second.revoke(own, &Revocation::Principal { id: "AROAX".into(), before: NOON }, "r2").await.unwrap();
    caught_up(&first, &second).await;
    caught_up(&second, &first).await;
    let again = node(&store, 4).await;
    for (name, node) in [("first", &first), ("second", &second), ("started again", &again)] {
        let view = node.snapshot();
        let revoked = |session: Descent<'_>| view.is_revoked(session);
        assert!(revoked(session(id, &[], NOON)), "{name}: itself");
        assert!(revoked(session(away, &[other, id], NOON)), "{name}: what came from it, elsewhere");
        assert!(revoked(session(other, &[], NOON - 1)), "{name}: of the role, before");
        assert!(!revoked(session(other, &[], NOON)), "{name}: of the role, since");
        assert!(!revoked(session(away, &[], NOON - 1)), "{name}: of a role of that id in another account");
        let of_another = Descent { principal_id: "AROAY", ..session(other, &[], NOON - 1) };
        assert!(!revoked(of_another), "{name}: of another role");
    }
}

#[tokio::test]
async fn two_nodes_that_end_sessions_at_once_both_do() {
    let (_, [first, second], id) = nodes().await;
    let own = account("111122223333");
    let other = SessionId::generate(own, first.random());
    let end = |id| Revocation::Session { id, issued_too: false };
    let (a, b) = (end(id), end(other));
    let (one, two) = tokio::join!(first.revoke(own, &a, "r1"), second.revoke(own, &b, "r2"));
    one.unwrap();
    two.unwrap();
    caught_up(&first, &second).await;
    caught_up(&second, &first).await;
    for node in [&first, &second] {
        for id in [id, other] {
            assert!(node.snapshot().is_revoked(session(id, &[], NOON)));
        }
    }
}

#[tokio::test]
async fn what_is_not_of_the_account_is_not_ended_on_its_word() {
    let (store, [first, _], _) = nodes().await;
    let before = store.load("/").await.unwrap();
    let elsewhere = SessionId::generate(account("444455556666"), first.random());
    let what = Revocation::Session { id: elsewhere, issued_too: true };
    let refused = first.revoke(account("111122223333"), &what, "r1").await;
    assert_eq!(refused, Err(RevocationFailed::NotRevoked(NotRevoked::Elsewhere)));
    let nobody = account("444455556666");
    assert_eq!(first.revoke(nobody, &what, "r2").await, Err(RevocationFailed::NoAccount(nobody)));
    assert_eq!(store.load("/").await.unwrap(), before);
}

/// A node that cannot read a revocation must not go on as if there were none.
#[tokio::test]
async fn a_revocation_that_cannot_be_read_stops_a_node() {
    let (store, [first, _], id) = nodes().await;
    let own = account("111122223333");
    let record = br#"{"v":1,"request_id":"x","at":0,"expires":0,"issued_too":false}"#;
    let places = [
        (format!("{}x", key::revoked_session(own, id)), &record[..]),
        (key::revoked_session(own, id), b"{}"),
        (key::revoked_principal(own, "AROAX"), b"nothing"),
    ];
    for (place, value) in places {
        let store = {
            let (_, records) = store.load("/").await.unwrap();
            let copy = Arc::new(MemoryStore::new());
            let puts = records.iter().map(|record| (record.key.to_string(), record.value.clone())).collect();
            copy.commit(Commit { puts, ..Commit::new() }).await.unwrap();
            copy
        };
        let node = node(&store, 5).await;
        let puts = vec![(place.clone(), value.to_vec().into())];
        store.commit(Commit { puts, ..Commit::new() }).await.unwrap();
        while node.health().is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(node.health().unwrap_err().contains(&place), "{place}");
    }
    assert!(first.health().is_ok());
}

/// An account's calls may be in each other's way without end.
#[tokio::test]
async fn the_operator_stands_behind_none_of_the_accounts_calls() {
    let (_, [first, _], id) = nodes().await;
    let own = account("111122223333");
    let _turn = first.turn(own).await;
    let what = Revocation::Session { id, issued_too: true };
    let revoked = first.revoke(own, &what, "r1");
    tokio::time::timeout(std::time::Duration::from_secs(5), revoked).await.unwrap().unwrap();
    assert!(first.snapshot().is_revoked(session(id, &[], NOON)));
}

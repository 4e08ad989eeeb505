//! Revocations on more than one node and over restarts, and what they name.

use std::sync::Arc;

use daypass_authn::token::{MasterKey, PrincipalAbove};
use daypass_directory::{
    Change, Descent, Directory, NotCommitted, NotRevoked, Revocation, RevocationFailed, key,
};
use daypass_model::limits::{REVOCATIONS_OF_OPERATOR_MAX, REVOCATIONS_PER_ACCOUNT_MAX};
use daypass_model::{AccountId, MockClock, SeededRandom, SessionId};
use daypass_store::{COMMIT_CHANGES_MAX, Commit, MemoryStore, Store};
use serde_json::json;

use crate::intercepted::Intercepted;
use crate::keyring::caught_up;

const NOON: i64 = 1_768_478_400;

async fn node(store: &Arc<MemoryStore>, seed: u64) -> Arc<Directory> {
    open(store.clone(), seed).await
}

async fn open(store: Arc<dyn Store>, seed: u64) -> Arc<Directory> {
    let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
    let master = MasterKey::generate(&SeededRandom::new(1));
    Directory::open(store, master, clock, Arc::new(SeededRandom::new(seed))).await.unwrap()
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
    Descent {
        id,
        ancestry,
        account,
        principal_id: "AROAX",
        issued_at,
        first_key: None,
        principals_above: &[],
    }
}

#[tokio::test]
async fn every_node_hears_of_a_revocation_and_a_restart_forgets_none() {
    let (store, [first, second], id) = nodes().await;
    let own = account("111122223333");
    let other = SessionId::generate(own, first.random());
    let away = SessionId::generate(account("444455556666"), first.random());
    first.revoke(own, &Revocation::Session { id, issued_too: true }, "r1").await.unwrap();
    second
        .revoke(own, &Revocation::Principal { id: "AROAX".into(), before: NOON, issued_too: false }, "r2")
        .await
        .unwrap();
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
async fn a_principals_sessions_end_on_every_node_with_what_they_issued_and_a_restart_forgets_none() {
    let (store, [first, second], id) = nodes().await;
    let own = account("111122223333");
    let what = Revocation::Principal { id: "AIDAX".into(), before: NOON, issued_too: true };
    first.revoke(own, &what, "r1").await.unwrap();
    let later = Revocation::Principal { id: "AIDAX".into(), before: NOON + 60, issued_too: false };
    first.revoke(own, &later, "r2").await.unwrap();
    caught_up(&first, &second).await;
    let again = node(&store, 4).await;
    for (name, node) in [("first", &first), ("second", &second), ("started again", &again)] {
        let view = node.snapshot();
        let revoked = |account: AccountId, above: &str, since: i64| {
            let above = [PrincipalAbove { account, id: above.into(), since }];
            view.is_revoked(Descent { principals_above: &above, ..session(id, &[], NOON + 600) })
        };
        assert!(revoked(own, "AIDAX", NOON - 1), "{name}: from a session of before");
        assert!(!revoked(own, "AIDAX", NOON), "{name}: from one since, which alone was ended later");
        assert!(!revoked(own, "AIDAY", NOON - 1), "{name}: from another's");
        assert!(!revoked(account("444455556666"), "AIDAX", NOON - 1), "{name}: of another account");
        let itself = Descent { principal_id: "AIDAX", ..session(id, &[], NOON + 59) };
        assert!(view.is_revoked(itself), "{name}: itself");
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

/// Revocations of as many principals of an account, over at `expires`.
async fn fill(store: &MemoryStore, own: AccountId, name: &str, count: usize, expires: i64) {
    let filler = |n: usize| {
        let record = json!({"v": 1, "request_id": "filler", "before": NOON, "expires": expires});
        (key::revoked_principal(own, &format!("{name}{n}")), record.to_string().into())
    };
    let all: Vec<_> = (0..count).map(filler).collect();
    for some in all.chunks(COMMIT_CHANGES_MAX) {
        store.commit(Commit { puts: some.to_vec(), ..Commit::new() }).await.unwrap();
    }
}

fn of_principal(id: &str) -> Revocation {
    Revocation::Principal { id: id.to_owned(), before: NOON, issued_too: false }
}

#[tokio::test]
async fn the_operator_has_room_of_their_own_and_takes_out_what_is_over() {
    let (store, _, id) = nodes().await;
    let own = account("111122223333");
    let max = REVOCATIONS_PER_ACCOUNT_MAX + REVOCATIONS_OF_OPERATOR_MAX;
    fill(&store, own, "LIVE", max - 1, NOON + 1).await;
    fill(&store, own, "OVER", 60, NOON).await;
    let node = node(&store, 4).await;
    node.revoke(own, &of_principal("AROAX"), "r1").await.unwrap();
    assert!(node.snapshot().is_revoked(session(id, &[], NOON - 1)));
    let (_, left) = store.load("/").await.unwrap();
    let over = left.iter().filter(|record| record.key.contains("OVER")).count();
    assert_eq!(over, 60 - 50, "each takes some that are over with it");
    let refused = node.revoke(own, &of_principal("AROAY"), "r2").await;
    assert_eq!(refused, Err(RevocationFailed::NotRevoked(NotRevoked::TooMany(max))));
    // What is said already needs no room.
    node.revoke(own, &of_principal("AROAX"), "r3").await.unwrap();
    assert_eq!(store.load("/").await.unwrap().1, left, "nothing is written, nothing taken out");
}

#[tokio::test]
async fn what_is_ended_already_is_not_written_again() {
    let (store, [first, _], id) = nodes().await;
    let own = account("111122223333");
    let alone = Revocation::Session { id, issued_too: false };
    let all = Revocation::Session { id, issued_too: true };
    for (what, writes) in [(&alone, true), (&alone, false), (&all, true), (&alone, false), (&all, false)] {
        let before = store.load("/").await.unwrap();
        first.revoke(own, what, "r").await.unwrap();
        assert_eq!(store.load("/").await.unwrap() != before, writes, "{what:?}");
    }
    let descendant = SessionId::generate(account("444455556666"), first.random());
    assert!(
        first.snapshot().is_revoked(session(descendant, &[id], NOON)),
        "and what came from it stays ended"
    );
}

/// Another node takes out what is over while the operator's word is on its way.
#[tokio::test]
async fn a_revocation_that_something_came_in_the_way_of_is_tried_again() {
    let (inner, _, id) = nodes().await;
    let own = account("111122223333");
    fill(&inner, own, "OVER", 1, NOON).await;
    let store = Intercepted::new(&inner, move |inner| async move {
        let deletes = vec![key::revoked_principal(own, "OVER0")];
        inner.commit(Commit { deletes, ..Commit::new() }).await?;
        Ok(())
    });
    let node = open(store, 4).await;
    node.revoke(own, &Revocation::Session { id, issued_too: false }, "r1").await.unwrap();
    assert!(node.snapshot().is_revoked(session(id, &[], NOON)));
}

/// Of the account's own calls two could each find the last place free.
#[tokio::test]
async fn calls_of_the_account_that_counted_the_same_cannot_both_be_written() {
    let (_, [first, _], id) = nodes().await;
    let own = account("111122223333");
    let other = SessionId::generate(own, first.random());
    let of_session = |id| Revocation::Session { id, issued_too: false };
    let pairs = [[of_session(id), of_session(other)], [of_principal("AROAX"), of_principal("AROAY")]];
    for pair in pairs {
        let view = first.snapshot();
        let mut outcomes = Vec::new();
        for what in &pair {
            let mut change = Change::new("r", &view);
            view.operator().account(own).unwrap().revoke(&mut change, what, NOON).unwrap();
            outcomes.push(first.commit(change).await);
        }
        assert_eq!(outcomes, [Ok(()), Err(NotCommitted::Conflict)], "{pair:?}");
    }
}

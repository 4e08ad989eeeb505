//! Visits whose commits were in another's way: decided again by turns, with one event and no room held by who waits.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use super::sessions::{one_session, post, switch};
use super::sign_in_oidc::World;
use super::visitor::{Person, events};
use super::*;
use crate::mfa::Flaky;
use crate::race::Gate;
use crate::support::ACCOUNT;

const TRUST_ALICE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/login.example"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"login.example:sub":"alice"}}}]}"#;

/// Credentials of the role in sessions of these names.
async fn desks(house: &TestHouse, names: &[String]) -> Vec<Keys> {
    let mut all = Vec::new();
    let user = Keys::of(&house.root("iam", "CreateAccessKey", &[("UserName", "ada")]).await["AccessKey"]);
    for name in names {
        let params = [("RoleArn", ROLE), ("RoleSessionName", name)];
        let answer = house.call(&user, "sts", "AssumeRole", &params).await.unwrap();
        all.push(Keys::of(&answer["Credentials"]));
    }
    let key = [("UserName", "ada"), ("AccessKeyId", user.access_key_id.as_str())];
    house.root("iam", "DeleteAccessKey", &key).await;
    all
}

/// Do something whose first commit is in another's way while it is another's turn: it waits with no room in the audit, and
/// comes to its end in its turn. The events that it left.
async fn waits<T>(house: &TestHouse, store: &Flaky, doing: impl Future<Output = T>) -> (T, Vec<String>) {
    let from = house.audit.lock().unwrap().len();
    let turn = house.house.directory.turn(ACCOUNT.parse().unwrap()).await;
    store.conflicts.store(1, Ordering::SeqCst);
    let mut doing = pin!(doing);
    // Every task of the house gets its turns at the processor, far more often than a commit takes.
    for _ in 0..200 {
        let once = std::future::poll_fn(|context| Poll::Ready(doing.as_mut().poll(context).is_pending()));
        assert!(once.await, "it is not its turn yet");
        tokio::task::yield_now().await;
    }
    assert_eq!(store.conflicts.load(Ordering::SeqCst), 0, "it has tried");
    assert_eq!(house.room.load(Ordering::SeqCst), 0, "who waits holds no room");
    drop(turn);
    let done = doing.await;
    assert_eq!(house.room.load(Ordering::SeqCst), 0);
    let told = |event: &Value| {
        let outcome = event.get("errorCode").map_or("done", |code| code.as_str().unwrap());
        format!("{} {outcome}", event["eventName"].as_str().unwrap())
    };
    (done, events(house, from).iter().map(told).collect())
}

#[tokio::test]
async fn who_waits_for_a_turn_holds_no_room_and_has_one_event() {
    let store = Flaky::new();
    let house = with_role_on(TestHouse::on(store.clone()).await).await;
    let token = house.signin_token(&desk(&house, &[]).await, &[]).await.unwrap();
    let create = house.call(&house.root, "iam", "CreateUser", &[("UserName", "Bob")]);
    let (created, told) = waits(&house, &store, create).await;
    created.unwrap();
    assert_eq!(told, ["CreateUser done"]);
    let (browser, told) = waits(&house, &store, house.login(&token, &[])).await;
    let browser = browser.unwrap();
    assert_eq!(told, ["ConsoleLogin done"]);
    let (other, told) = waits(&house, &store, switch(&house, &browser, ACCOUNT, "Desk")).await;
    let Answer::Entered { id, .. } = other.unwrap() else { panic!("no other role") };
    assert_eq!(told, ["AssumeRole done", "SwitchRole done"]);
    let shown = one_session(&house, &browser, id).await;
    let end = format!("sessions/{id}/revoke");
    let form = [("code", shown.code.as_str()), ("end", "this")];
    let (ended, told) = waits(&house, &store, post(&house, &browser, &end, &form)).await;
    assert!(matches!(ended.unwrap(), Answer::GoTo(_)));
    assert_eq!(told, ["RevokeSession done"]);
    let code = house.your_session(&browser).await.sign_out_code;
    let (out, told) = waits(&house, &store, house.send_form(&browser, "sign-out", &code)).await;
    assert!(matches!(out.unwrap(), Answer::SignedOut { .. }));
    assert_eq!(told, ["ConsoleLogout done"]);
}

#[tokio::test]
async fn a_session_whose_end_is_decided_again_thrice_is_ended_in_one_event() {
    let store = Flaky::new();
    let house = with_role_on(TestHouse::on(store.clone()).await).await;
    let (admin, other) =
        (house.enter(&desk(&house, &[]).await).await, house.enter(&desk(&house, &[]).await).await);
    let shown = one_session(&house, &admin, other.id).await;
    let from = house.audit.lock().unwrap().len();
    store.conflicts.store(3, Ordering::SeqCst);
    let form = [("code", shown.code.as_str()), ("end", "this")];
    post(&house, &admin, &format!("sessions/{}/revoke", other.id), &form).await.unwrap();
    assert_eq!(store.conflicts.load(Ordering::SeqCst), 0);
    let told = events(&house, from);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["eventName"], told[0].get("errorCode")), (&json!("RevokeSession"), None));
    assert!(matches!(house.page(&other).await, Answer::Ended { .. }));
}

/// Whoever is signed out while the call of their page waits is told so, and the event of the call says that it was not made.
#[tokio::test]
async fn nothing_is_ended_by_who_was_signed_out_meanwhile() {
    let store = Flaky::new();
    let house = with_role_on(TestHouse::on(store.clone()).await).await;
    let (admin, other) =
        (house.enter(&desk(&house, &[]).await).await, house.enter(&desk(&house, &[]).await).await);
    let shown = one_session(&house, &admin, other.id).await;
    let code = house.your_session(&admin).await.sign_out_code;
    let form = [("code", shown.code.as_str()), ("end", "this")];
    let place = format!("sessions/{}/revoke", other.id);
    let turn = house.house.directory.turn(ACCOUNT.parse().unwrap()).await;
    store.conflicts.store(1, Ordering::SeqCst);
    let revoke = post(&house, &admin, &place, &form);
    let sign_out = async {
        while store.conflicts.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
        let answer = house.send_form(&admin, "sign-out", &code).await;
        drop(turn);
        answer
    };
    let (revoked, signed_out) = tokio::join!(revoke, sign_out);
    assert!(matches!(signed_out.unwrap(), Answer::SignedOut { .. }));
    assert!(matches!(revoked.unwrap(), Answer::Ended { .. }));
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["errorCode"]),
        (&json!("RevokeSession"), &json!("InvalidClientTokenId"))
    );
    house.your_session(&other).await;
}

/// A morning: yesterday's sessions go, and of those who come at once nobody is in another's way by that.
#[tokio::test]
async fn sixty_who_sign_in_at_once_sweep_the_same_sessions_and_all_get_in() {
    let gate = Gate::of(60);
    let house = Arc::new(with_role_on(TestHouse::on(gate.clone()).await).await);
    let names = |what: &str, many| (0..many).map(|n| format!("{what}-{n}")).collect::<Vec<_>>();
    desk(&house, &[]).await;
    for keys in desks(&house, &names("yesterday", 50)).await {
        house.enter(&keys).await;
    }
    house.clock.advance(3600 + 86_400);
    let mut tokens = Vec::new();
    for keys in desks(&house, &names("today", 60)).await {
        tokens.push(house.signin_token(&keys, &[]).await.unwrap());
    }
    let kept = async || {
        let (_, records) = house.stored().await;
        records.iter().filter(|record| record.key.contains("/console-session/")).count()
    };
    assert_eq!(kept().await, 50);
    let before = gate.made();
    gate.arm();
    let mut coming = tokio::task::JoinSet::new();
    for token in tokens {
        let house = house.clone();
        coming.spawn(async move { house.login(&token, &[]).await.unwrap() });
    }
    let browsers = coming.join_all().await;
    assert_eq!(gate.made() - before, 60, "nobody was decided again");
    assert_eq!(kept().await, 60);
    for browser in browsers {
        house.your_session(&browser).await;
    }
}

/// Where they are in each other's way, since one owner's sessions make room for one another, turns let all of them in.
#[tokio::test]
async fn sixty_of_one_owner_at_once_all_get_in_and_twenty_stay() {
    let gate = Gate::of(60);
    let house = Arc::new(with_role_on(TestHouse::on(gate.clone()).await).await);
    let keys = desk(&house, &[]).await;
    for _ in 0..20 {
        house.enter(&keys).await;
    }
    let mut tokens = Vec::new();
    for _ in 0..60 {
        tokens.push(house.signin_token(&keys, &[]).await.unwrap());
    }
    gate.arm();
    let mut coming = tokio::task::JoinSet::new();
    for token in tokens {
        let house = house.clone();
        coming.spawn(async move { house.login(&token, &[]).await.map(drop) });
    }
    for answer in coming.join_all().await {
        answer.unwrap();
    }
    let (_, records) = house.stored().await;
    let kept = records.iter().filter(|record| record.key.contains("/console-session/")).count();
    assert_eq!(kept, 20, "CONSOLE_SESSIONS_PER_OWNER_MAX");
}

/// Whom a role lets in is asked again where another commit was in the way, though a code is exchanged once.
#[tokio::test]
async fn nobody_gets_in_by_a_provider_whom_the_role_shut_out_meanwhile() {
    let store = Flaky::new();
    let world = World::on(TestHouse::on(store.clone()).await, None, &json!({})).await;
    let house = &world.house;
    for shut_out in [true, false] {
        let mut person = Person::at("192.0.2.1");
        let sent = world.leave(&mut person).await;
        let claims = world.claims(&sent["nonce"]);
        let turn = house.house.directory.turn(ACCOUNT.parse().unwrap()).await;
        store.conflicts.store(1, Ordering::SeqCst);
        let back = world.come_back(&mut person, &sent["state"], &claims);
        let change = async {
            while store.conflicts.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
            let trust = if shut_out { &crate::sessions::TRUST } else { &TRUST_ALICE };
            let update = [("RoleName", "Desk"), ("PolicyDocument", *trust)];
            house.root("iam", "UpdateAssumeRolePolicy", &update).await;
            drop(turn);
        };
        let (came, ()) = tokio::join!(back, change);
        if shut_out {
            assert_eq!(came.unwrap_err().code, "AccessDenied");
            let update = [("RoleName", "Desk"), ("PolicyDocument", TRUST_ALICE)];
            house.root("iam", "UpdateAssumeRolePolicy", &update).await;
        } else {
            assert!(matches!(came.unwrap(), Answer::Entered { .. }), "who is still let in");
        }
    }
}

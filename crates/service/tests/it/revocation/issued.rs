//! RevokeSession of a user, role or root with all that its sessions and keys issued: whoever has somebody's laptop.

use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_model::limits::SESSION_ANCESTRY_MAX;
use serde_json::json;

use super::{assert_ended, assert_lives, assume_elsewhere, revoke, role_elsewhere, scoped};
use crate::answers::ALLOW_ALL;
use crate::sessions::{TRUST, assume, assumed, role, start, told, who_is};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};
use crate::world::{World, claims, sealed, session_id};

async fn own_session(house: &TestHouse, who: &Keys) -> Keys {
    Keys::of(&house.call(who, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"])
}

fn arn(kind: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{kind}")
}

#[tokio::test]
async fn a_users_sessions_end_with_every_session_that_they_or_the_keys_asked_for() {
    let (house, ada) = start().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let (_, guest) = role_elsewhere(&house).await;
    let session = own_session(&house, &ada).await;
    let by_key = assumed(&house, &ada, "Crew", &[]).await;
    let by_session = assumed(&house, &session, "Crew", &[]).await;
    let away = assume_elsewhere(&house, &scoped(&house, &by_session).await, &guest).await;
    let of_bob = assumed(&house, &bob, "Crew", &[]).await;
    let below = [(&by_key, "by her key"), (&by_session, "by her session"), (&away, "in another account")];

    // Her own first: the second says more than the first.
    revoke(&house, json!({"PrincipalArn": arn("user/Ada")})).await.unwrap();
    assert_ended(&house, &session, "her session").await;
    for (who, what) in below {
        assert_lives(&house, who, what).await;
    }
    revoke(&house, json!({"PrincipalArn": arn("user/Ada"), "IncludeIssued": true})).await.unwrap();
    for (who, what) in below {
        assert_ended(&house, who, what).await;
    }
    let listed = json!({"IncludeEnded": true, "AccessKeyId": by_key.access_key_id});
    let listed = house.call_json(&house.root, "ListSessions", &listed).await.unwrap();
    assert_eq!(listed["Sessions"][0]["Status"], "Revoked");
    // To say less afterwards takes nothing back.
    house.clock.advance(1);
    revoke(&house, json!({"PrincipalArn": arn("user/Ada")})).await.unwrap();
    assert_ended(&house, &away, "in another account, still").await;
    for (who, what) in [(&ada, "her keys"), (&of_bob, "the role's for somebody else")] {
        assert_lives(&house, who, what).await;
    }
    house.clock.advance(1);
    assert_lives(&house, &assumed(&house, &ada, "Crew", &[]).await, "what her key asks for since").await;
}

/// The console's and `aws login`'s begin with no key.
#[tokio::test]
async fn what_came_from_a_session_without_a_key_ends_too() {
    let world = World::new().await;
    let (house, laptop) = (&world.house, world.mint(SessionKind::User, -60, 3600, true));
    let trust = [("RoleName", "Tab"), ("AssumeRolePolicyDocument", TRUST)];
    house.call(&house.root, "iam", "CreateRole", &trust).await.unwrap();
    let tab = assumed(house, &laptop, "Tab", &[]).await;
    assert_eq!(claims(house, &tab).first_key, None);
    revoke(house, json!({"PrincipalArn": arn("user/Admin")})).await.unwrap();
    assert_ended(house, &laptop, "hers").await;
    assert_lives(house, &tab, "the role's").await;
    revoke(house, json!({"PrincipalArn": arn("user/Admin"), "IncludeIssued": true})).await.unwrap();
    assert_ended(house, &tab, "the role's").await;
}

#[tokio::test]
async fn the_moment_is_that_of_the_principals_own_sessions() {
    let (house, ada) = start().await;
    let old = own_session(&house, &ada).await;
    house.clock.advance(60);
    let moment = house.clock_now();
    let of_old = assumed(&house, &old, "Crew", &[]).await;
    let since = [assumed(&house, &ada, "Crew", &[]).await, own_session(&house, &ada).await];
    let of_new = assumed(&house, &since[1], "Crew", &[]).await;
    let body = json!({"PrincipalArn": arn("user/Ada"), "IssuedBefore": moment, "IncludeIssued": true});
    revoke(&house, body).await.unwrap();
    assert_ended(&house, &of_old, "issued since then, by a session from before").await;
    for who in since.iter().chain([&of_new]) {
        assert_lives(&house, who, "the key asked since then").await;
    }
}

/// A chain goes on for longer than a session lives: what began with one that is over long ago is reached too, and for as long as
/// it may live.
#[tokio::test]
async fn a_moment_so_long_ago_that_the_sessions_themselves_are_over_still_means_what_they_issued() {
    let (house, ada) = start().await;
    let first = own_session(&house, &ada).await;
    let moment = house.clock_now() + 1;
    let mut worker = assumed(&house, &first, "Crew", &[]).await;
    for _ in 0..50 {
        house.clock.advance(3000);
        worker = assumed(&house, &worker, "Crew", &[]).await;
    }
    let body = json!({"PrincipalArn": arn("user/Ada"), "IssuedBefore": moment});
    let before = house.stored().await;
    revoke(&house, body).await.unwrap();
    assert!(house.stored().await == before, "of herself nothing is left");
    let body = json!({"PrincipalArn": arn("user/Ada"), "IssuedBefore": moment, "IncludeIssued": true});
    revoke(&house, body).await.unwrap();
    assert_ended(&house, &worker, "it came from there").await;
}

#[tokio::test]
async fn a_role_in_the_middle_of_a_chain_ends_what_is_below_it_and_not_above() {
    let (house, ada) = start().await;
    let (_, guest) = role_elsewhere(&house).await;
    let above = own_session(&house, &ada).await;
    let crew = assumed(&house, &above, "Crew", &[]).await;
    let below = assume_elsewhere(&house, &crew, &guest).await;
    let beside = assume_elsewhere(&house, &above, &guest).await;
    revoke(&house, json!({"PrincipalArn": arn("role/Crew"), "IncludeIssued": true})).await.unwrap();
    for (who, what) in [(&crew, "itself"), (&below, "below it, elsewhere")] {
        assert_ended(&house, who, what).await;
    }
    for (who, what) in [(&above, "above it"), (&beside, "beside it")] {
        assert_lives(&house, who, what).await;
    }
}

#[tokio::test]
async fn a_worker_that_renews_itself_names_each_principal_once() {
    let (house, ada) = start().await;
    let first = own_session(&house, &ada).await;
    let mut worker = assumed(&house, &first, "Crew", &[]).await;
    let begun = house.clock_now();
    for _ in 0..20 {
        house.clock.advance(3000);
        worker = assumed(&house, &worker, "Crew", &[]).await;
    }
    let named = claims(&house, &worker).principals_above;
    let ids: Vec<_> = named.iter().map(|above| (above.id[..4].to_owned(), above.since)).collect();
    assert_eq!(ids, [("AIDA".to_owned(), begun), ("AROA".to_owned(), begun)]);
}

/// Tokens of a server that named no principals have the key that their chain began with, and so has what comes of them.
#[tokio::test]
async fn a_chain_from_before_principals_were_named_ends_by_whose_key_began_it() {
    let (house, ada) = start().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let old = async |who: &Keys| {
        let named = assumed(&house, who, "Crew", &[]).await;
        sealed(&house, &SessionClaims { principals_above: Vec::new(), ..claims(&house, &named) })
    };
    let (of_ada, of_bob) = (old(&ada).await, old(&bob).await);
    house.clock.advance(60);
    let below = assumed(&house, &of_ada, "Crew", &[]).await;
    assert!(claims(&house, &below).principals_above.iter().all(|above| above.id.starts_with("AROA")));
    let write = [("UserName", "early")];
    house.call(&below, "iam", "CreateUser", &write).await.unwrap();
    let moment = house.clock_now();
    for (before, lives) in [(moment - 60, true), (moment + 1, false)] {
        let body = json!({"PrincipalArn": arn("user/Ada"), "IssuedBefore": before, "IncludeIssued": true});
        revoke(&house, body).await.unwrap();
        for who in [&of_ada, &below] {
            assert_eq!(who_is(&house, who).await.is_ok(), lives, "{before}");
        }
    }
    assert_lives(&house, &of_bob, "another's key").await;
    house.clock.advance(1);
    assert_lives(&house, &assumed(&house, &ada, "Crew", &[]).await, "since then").await;
}

/// A thief waits until the stolen session is over by itself, and draws out what came of it.
#[tokio::test]
async fn of_a_session_that_is_over_a_long_chain_forgets_the_id_and_not_the_principal() {
    let (house, ada) = start().await;
    role(&house, "Porter", TRUST, ALLOW_ALL, &[]).await;
    let first = own_session(&house, &ada).await;
    let stolen = assumed(&house, &first, "Porter", &[("DurationSeconds", "900")]).await;
    let (id, moment) = (session_id(&house, &stolen), house.clock_now() + 1);
    let mut thief = assumed(&house, &stolen, "Crew", &[]).await;
    house.clock.advance(960);
    let another = assumed(&house, &ada, "Porter", &[]).await;
    for _ in 2..SESSION_ANCESTRY_MAX {
        thief = assumed(&house, &thief, "Crew", &[]).await;
    }
    revoke(&house, json!({"SessionId": id, "IncludeIssued": true})).await.unwrap();
    assert_lives(&house, &thief, "it has forgotten the name, as the command says").await;
    let body = json!({"PrincipalArn": arn("role/Porter"), "IssuedBefore": moment, "IncludeIssued": true});
    revoke(&house, body).await.unwrap();
    assert_ended(&house, &thief, "it came from there").await;
    assert_lives(&house, &another, "since then, of the same role").await;
}

/// The account in the middle of a chain is none of those that its first session and its last are of.
#[tokio::test]
async fn what_came_of_a_closed_accounts_role_ends_however_long_the_chain_is() {
    let (house, ada) = start().await;
    let (theirs, guest) = role_elsewhere(&house).await;
    let allow = [("RoleName", "Guest"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    house.call(&theirs, "iam", "PutRolePolicy", &allow).await.unwrap();
    role(&house, "Porter", &TRUST.replace(ACCOUNT, OTHER), ALLOW_ALL, &[]).await;
    let first = own_session(&house, &ada).await;
    let away = assume_elsewhere(&house, &first, &guest).await;
    let mut last = assumed(&house, &away, "Porter", &[]).await;
    let trust = [("RoleName", "Porter"), ("PolicyDocument", TRUST)];
    house.root("iam", "UpdateAssumeRolePolicy", &trust).await;
    for _ in 0..SESSION_ANCESTRY_MAX {
        house.clock.advance(3000);
        last = assumed(&house, &last, "Porter", &[]).await;
    }
    assert_lives(&house, &last, "it renews itself").await;
    house.house.directory.close_account(OTHER.parse().unwrap(), "r").await.unwrap();
    assert_ended(&house, &last, "its account of origin is closed").await;
}

#[tokio::test]
async fn a_chain_of_more_principals_than_a_token_holds_is_refused_and_none_is_forgotten() {
    let (house, ada) = start().await;
    let mut last = ada.clone();
    for n in 0..=SESSION_ANCESTRY_MAX {
        let name = format!("Link{n}");
        let role = [("RoleName", name.as_str()), ("AssumeRolePolicyDocument", TRUST)];
        house.call(&house.root, "iam", "CreateRole", &role).await.unwrap();
        let allow = [("RoleName", name.as_str()), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
        house.call(&house.root, "iam", "PutRolePolicy", &allow).await.unwrap();
        // What is above is over but for the last.
        house.clock.advance(3000);
        let outcome = assume(&house, &last, &name, &[]).await;
        if n == SESSION_ANCESTRY_MAX {
            let (code, message) = told(outcome);
            assert_eq!(code, "LimitExceeded");
            assert!(message.contains("PrincipalsPerChain: 16"), "{message}");
            break;
        }
        last = Keys::of(&outcome.unwrap()["Credentials"]);
    }
    assert_eq!(claims(&house, &last).principals_above.len(), SESSION_ANCESTRY_MAX);
    revoke(&house, json!({"PrincipalArn": arn("user/Ada"), "IncludeIssued": true})).await.unwrap();
    assert_ended(&house, &last, "it began with her key").await;
}

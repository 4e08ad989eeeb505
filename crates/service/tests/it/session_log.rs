//! ListSessions and GetSessionChain: what an account hears of its sessions.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use daypass_directory::Rotation;
use daypass_service::sessions::{LOOKED_AT_MAX, SessionEntry, SessionIndex, SessionLog, SessionQueue};
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::sessions::{TRUST, assumed, role, start, told, who_is};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};
use crate::world::session_id;

async fn list(house: &TestHouse, who: &Keys, body: Value) -> Value {
    house.call_json(who, "ListSessions", &body).await.unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn ids(answer: &Value) -> Vec<String> {
    let sessions = answer["Sessions"].as_array().unwrap();
    sessions.iter().map(|session| session["SessionId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_kind_of_session_is_listed_the_newest_first_with_what_is_known_of_it() {
    let (house, ada) = start().await;
    let passed = [("SourceIdentity", "ada"), ("Policy", ALLOW_ALL)];
    let of_role = assumed(&house, &ada, "Crew", &passed).await;
    house.clock.advance(1);
    let of_user = Keys::of(&house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    house.clock.advance(1);
    let answer = house.call(&house.root, "sts", "GetFederationToken", &[("Name", "Jill")]).await.unwrap();
    let federated = Keys::of(&answer["Credentials"]);
    house.clock.advance(1);
    let params = [("Policy", ALLOW_ALL), ("DurationSeconds", "60"), ("ScopedSessionDescription", "nightly")];
    let answer = house.call(&of_role, "sts", "GetScopedCredentials", &params).await.unwrap();
    let narrow = Keys::of(&answer["Credentials"]);
    let listed = list(&house, &house.root, json!({})).await;
    let all = [&narrow, &federated, &of_user, &of_role];
    assert_eq!(ids(&listed), all.map(|keys| session_id(&house, keys)));
    assert_eq!((&listed["IsTruncated"], &listed["MayBeIncomplete"]), (&json!(false), &json!(false)));
    let now = house.clock_now();
    let expected = json!({
        "SessionId": session_id(&house, &narrow),
        "Arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/Crew/s1"),
        "Type": "AssumedRole",
        "PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:role/Crew"),
        "PrincipalId": listed["Sessions"][3]["PrincipalId"],
        "SessionName": "s1",
        "AccessKeyId": narrow.access_key_id,
        "Status": "Live",
        "IssuedAt": now,
        "Expires": now + 60,
        "ParentSessionId": session_id(&house, &of_role),
        "RequestedBy": {
            "AccountId": ACCOUNT,
            "Arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/Crew/s1"),
            "AccessKeyId": of_role.access_key_id,
        },
        "SourceIdentity": "ada",
        "SourceIpAddress": "192.0.2.10",
        "MfaAuthenticated": false,
        "SessionPolicyLayers": 2,
        "ScopedPoliciesCount": 1,
        "Description": "nightly",
    });
    assert_eq!(listed["Sessions"][0], expected);
    assert_eq!(listed["Sessions"][1]["Arn"], format!("arn:aws:sts::{ACCOUNT}:federated-user/Jill"));
    assert_eq!(listed["Sessions"][1]["Type"], "FederatedUser");
    assert_eq!(listed["Sessions"][2]["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/Ada"));
    assert_eq!(listed["Sessions"][2]["Type"], "IAMUser");
    let text = listed.to_string();
    for keys in all {
        let token = keys.session_token.as_ref().unwrap();
        assert!(!text.contains(&keys.secret_access_key) && !text.contains(token), "no secret and no token");
    }
}

#[tokio::test]
async fn a_search_means_every_parameter_and_only_what_lives_unless_told() {
    let (house, ada) = start().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    role(&house, "Cook", TRUST, ALLOW_ALL, &[]).await;
    let named = |name| [("SourceIdentity", name)];
    let crew = assumed(&house, &ada, "Crew", &named("ada")).await;
    let cook = assumed(&house, &bob, "Cook", &named("bob")).await;
    let short = assumed(&house, &bob, "Cook", &[("DurationSeconds", "900")]).await;
    let deep = assumed(&house, &crew, "Cook", &[]).await;
    let id = |keys: &Keys| session_id(&house, keys);
    let cook_arn = format!("arn:aws:iam::{ACCOUNT}:role/Cook");
    let search = async |body: Value| {
        let mut found = ids(&list(&house, &house.root, body).await);
        found.sort();
        found
    };
    let sorted = |keys: &[&Keys]| {
        let mut ids: Vec<_> = keys.iter().map(|keys| id(keys)).collect();
        ids.sort();
        ids
    };
    let cases = [
        (json!({"PrincipalArn": cook_arn}), sorted(&[&cook, &short, &deep])),
        (json!({"PrincipalArn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/Crew/s1")}), sorted(&[&crew])),
        (json!({"NamePrefix": "Cre"}), sorted(&[&crew])),
        (json!({"NamePrefix": "s"}), sorted(&[&crew, &cook, &short, &deep])),
        (json!({"NamePrefix": "cre"}), vec![]),
        (json!({"SessionName": "s1", "SourceIdentity": "ada"}), sorted(&[&crew, &deep])),
        (json!({"SourceIdentity": "ada", "PrincipalArn": cook_arn}), sorted(&[&deep])),
        (json!({"SessionName": "s"}), vec![]),
        (json!({"AccessKeyId": ada.access_key_id}), sorted(&[&crew, &deep])),
        (json!({"AccessKeyId": crew.access_key_id}), sorted(&[&crew, &deep])),
        (json!({"AccessKeyId": deep.access_key_id}), sorted(&[&deep])),
    ];
    for (body, expected) in cases {
        assert_eq!(search(body.clone()).await, expected, "{body}");
    }
    // What ends is listed on request, with how it is.
    house.clock.advance(900);
    house.call_json(&house.root, "RevokeSession", &json!({"SessionId": id(&crew)})).await.unwrap();
    house.root("iam", "DeleteRolePolicy", &[("RoleName", "Cook"), ("PolicyName", "p")]).await;
    house.root("iam", "DeleteRole", &[("RoleName", "Cook")]).await;
    assert_eq!(search(json!({})).await, Vec::<String>::new());
    let all = list(&house, &house.root, json!({"IncludeEnded": true})).await;
    for session in all["Sessions"].as_array().unwrap() {
        let known = [
            (&crew, "Revoked"),
            (&cook, "PrincipalDeleted"),
            (&short, "Expired"),
            (&deep, "PrincipalDeleted"),
        ];
        let (_, status) = known.iter().find(|(keys, _)| session["SessionId"] == id(keys)).unwrap();
        assert_eq!(session["Status"], *status);
    }
    assert_eq!(all["Sessions"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn what_the_keyring_no_longer_opens_does_not_live() {
    let (house, ada) = start().await;
    let old = assumed(&house, &ada, "Crew", &[]).await;
    house.clock.advance(1);
    house.house.directory.rotate_keyring("r", Rotation::Ordinary).await.unwrap();
    assert_eq!(ids(&list(&house, &house.root, json!({})).await), [session_id(&house, &old)]);
    let id = session_id(&house, &old);
    house.house.directory.rotate_keyring("r", Rotation::Compromised).await.unwrap();
    assert!(who_is(&house, &old).await.is_err());
    let new = assumed(&house, &ada, "Crew", &[]).await;
    assert_eq!(ids(&list(&house, &house.root, json!({})).await), [session_id(&house, &new)]);
    let all = list(&house, &house.root, json!({"IncludeEnded": true})).await;
    assert_eq!(
        (&all["Sessions"][1]["SessionId"], &all["Sessions"][1]["Status"]),
        (&json!(id), &json!("Revoked"))
    );
}

#[tokio::test]
async fn who_floods_the_log_hides_only_sessions_of_its_own() {
    let house = TestHouse::with_log(SessionLog::in_memory(20)).await;
    let [ada, bob] = [house.user("Ada", Some(ALLOW_ALL)).await, house.user("Bob", None).await];
    let theirs = house.account(OTHER).await;
    let get = async |who: &Keys, seconds: &str| {
        let answer = house.call(who, "sts", "GetSessionToken", &[("DurationSeconds", seconds)]).await;
        Keys::of(&answer.unwrap()["Credentials"])
    };
    let (of_ada, of_root) = (get(&ada, "900").await, get(&theirs, "900").await);
    for _ in 0..60 {
        get(&bob, "129600").await;
    }
    let of_ada_too = get(&ada, "900").await;
    let found = list(&house, &ada, json!({"PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:user/Ada")})).await;
    let mut expected = vec![session_id(&house, &of_ada), session_id(&house, &of_ada_too)];
    expected.sort();
    let mut listed = ids(&found);
    listed.sort();
    assert_eq!(listed, expected);
    assert_eq!(found["MayBeIncomplete"], true);
    assert_eq!(ids(&list(&house, &theirs, json!({})).await), [session_id(&house, &of_root)]);
    let of_bob = json!({"PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:user/Bob")});
    assert_eq!(ids(&list(&house, &ada, of_bob).await).len(), 17);
    // What is over goes first.
    house.clock.advance(900);
    get(&theirs, "900").await;
    let ended = list(&house, &ada, json!({"IncludeEnded": true})).await;
    assert_eq!(ids(&ended).len(), 18, "one of Ada's gave way, none of Bob's");
}

#[tokio::test]
async fn a_chain_is_told_from_its_beginning_and_so_is_what_a_session_issued() {
    let (house, ada) = start().await;
    let first = Keys::of(&house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    let second = assumed(&house, &first, "Crew", &[]).await;
    let mut issued = Vec::new();
    for _ in 0..5 {
        house.clock.advance(1);
        issued.insert(0, session_id(&house, &assumed(&house, &second, "Crew", &[]).await));
    }
    let third = assumed(&house, &second, "Crew", &[]).await;
    assumed(&house, &third, "Crew", &[]).await; // a grandchild is not its own
    let chain = async |id: &str, more: Value| {
        let mut body = more;
        body["SessionId"] = json!(id);
        house.call_json(&house.root, "GetSessionChain", &body).await
    };
    let [one, two] = [session_id(&house, &first), session_id(&house, &second)];
    let answer = chain(&two, json!({"MaxItems": 4})).await.unwrap();
    assert_eq!(
        answer["Origin"],
        json!({"AccountId": ACCOUNT, "Arn": format!("arn:aws:iam::{ACCOUNT}:user/Ada"), "AccessKeyId": ada.access_key_id})
    );
    let links: Vec<_> =
        answer["Chain"].as_array().unwrap().iter().map(|link| link["SessionId"].as_str().unwrap()).collect();
    assert_eq!(links, [&one, &two]);
    assert_eq!(answer["Chain"][0]["Session"]["Type"], "IAMUser");
    assert_eq!(answer["Chain"][1]["Session"]["RequestedBy"]["AccessKeyId"], first.access_key_id);
    let mut found: Vec<_> = answer["Issued"].as_array().unwrap().clone();
    assert_eq!((found.len(), &answer["IsTruncated"]), (4, &json!(true)));
    let rest = chain(&two, json!({"Marker": answer["Marker"]})).await.unwrap();
    found.extend(rest["Issued"].as_array().unwrap().iter().cloned());
    assert_eq!(rest["IsTruncated"], false);
    let found: std::collections::BTreeSet<_> =
        found.iter().map(|session| session["SessionId"].as_str().unwrap().to_owned()).collect();
    issued.push(session_id(&house, &third));
    assert_eq!(found, issued.into_iter().collect());
    // A marker belongs to its session.
    assert_eq!(told(chain(&one, json!({"Marker": answer["Marker"]})).await).0, "ValidationError");
    let unknown = chain("000000000000000000000000deadbeef", json!({})).await;
    assert_eq!(told(unknown).0, "NoSuchEntity");
}

#[tokio::test]
async fn an_account_is_told_of_its_own_sessions_and_of_others_what_cloudtrail_tells() {
    let (house, ada) = start().await;
    let theirs = house.account(OTHER).await;
    let params = [("RoleName", "Guest"), ("AssumeRolePolicyDocument", TRUST)];
    house.call(&theirs, "iam", "CreateRole", &params).await.unwrap();
    let ours = assumed(&house, &ada, "Crew", &[]).await;
    let guest = [("RoleArn", &*format!("arn:aws:iam::{OTHER}:role/Guest")), ("RoleSessionName", "guest")];
    let away = Keys::of(&house.call(&ours, "sts", "AssumeRole", &guest).await.unwrap()["Credentials"]);
    let next = Keys::of(&house.call(&theirs, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    let [our_id, away_id] = [session_id(&house, &ours), session_id(&house, &away)];

    assert_eq!(ids(&list(&house, &house.root, json!({})).await), std::slice::from_ref(&our_id));
    let listed = list(&house, &theirs, json!({})).await;
    assert!(ids(&listed).contains(&away_id) && ids(&listed).contains(&session_id(&house, &next)));
    assert_eq!(ids(&listed).len(), 2);
    let shown = listed["Sessions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|session| session["SessionId"] == away_id)
        .unwrap();
    assert_eq!(shown["RequestedBy"], json!({"AccountId": ACCOUNT}), "not who exactly");
    for hidden in ["SourceIpAddress", "UserAgent"] {
        assert_eq!(shown.get(hidden), None, "{hidden}");
    }
    // Nor can that account find out by searching.
    for key in [&ada.access_key_id, &ours.access_key_id] {
        assert_eq!(ids(&list(&house, &theirs, json!({"AccessKeyId": key})).await), Vec::<String>::new());
    }
    let chain =
        async |who: &Keys, id: &str| house.call_json(who, "GetSessionChain", &json!({"SessionId": id})).await;
    let answer = chain(&theirs, &away_id).await.unwrap();
    assert_eq!(answer["Origin"], json!({"AccountId": ACCOUNT}));
    assert_eq!(answer["Chain"][0], json!({"SessionId": our_id, "AccountId": ACCOUNT}));
    assert_eq!(answer["Chain"][1]["Session"]["SessionId"], away_id);
    // What a session of ours asked for elsewhere is known to us, as it is from our own record of that call.
    let answer = chain(&house.root, &our_id).await.unwrap();
    assert_eq!(answer["Issued"][0]["SessionId"], away_id);
    for (who, id) in [(&theirs, &our_id), (&house.root, &away_id)] {
        assert_eq!(told(chain(who, id).await).0, "NoSuchEntity", "of another account");
    }
}

/// Pushes nothing: a queue that is always full.
struct Full;

impl SessionQueue for Full {
    fn push(&self, _: SessionEntry) -> bool {
        false
    }

    fn caught_up(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn a_full_queue_keeps_nobody_from_a_session_and_is_told_of() {
    let log = SessionLog::new(Arc::new(Mutex::new(SessionIndex::new(10))), Box::new(Full));
    let house = TestHouse::with_log(log).await;
    let ada = house.user("Ada", Some(ALLOW_ALL)).await;
    let session = house.call(&ada, "sts", "GetSessionToken", &[("DurationSeconds", "900")]).await.unwrap();
    let session = Keys::of(&session["Credentials"]);
    house.call(&session, "sts", "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(house.house.session_log.lost(), 1);
    let listed = list(&house, &house.root, json!({})).await;
    assert_eq!((ids(&listed).len(), &listed["MayBeIncomplete"]), (0, &json!(true)));
    // And it can be ended, though nobody knows it.
    let id = session_id(&house, &session);
    house.call_json(&house.root, "RevokeSession", &json!({"SessionId": id})).await.unwrap();
    assert_eq!(told(house.call(&session, "sts", "GetCallerIdentity", &[]).await).0, "ExpiredToken");
    house.clock.advance(900);
    let listed = list(&house, &house.root, json!({})).await;
    assert_eq!(listed["MayBeIncomplete"], false, "what was lost is over");
}

/// 100,000 sessions: pages and searches look at a bounded number of them each, and come to the end.
#[tokio::test]
async fn a_hundred_thousand_sessions_are_paged_and_searched_with_bounded_work() {
    const SESSIONS: usize = 100_000;
    let house = TestHouse::with_log(SessionLog::in_memory(SESSIONS)).await;
    let ada = house.user("Ada", Some(ALLOW_ALL)).await;
    let one = house.call(&ada, "sts", "GetSessionToken", &[("DurationSeconds", "129600")]).await.unwrap();
    let one = session_id(&house, &Keys::of(&one["Credentials"]));
    let template = {
        let log = house.house.session_log.read(0).await;
        (**log.index.get(one.parse().unwrap()).unwrap()).clone()
    };
    let account = ACCOUNT.parse().unwrap();
    for n in 1..SESSIONS {
        let mut id = daypass_model::SessionId::generate(account, house.house.directory.random());
        id.0[8..].copy_from_slice(&(n as u64).to_be_bytes());
        let name = if n == 1 { "needle".into() } else { format!("worker-{n}") };
        let at = template.at + i64::try_from(n / 100).unwrap();
        house.house.session_log.keep(SessionEntry { id, at, session_name: name, ..template.clone() });
    }
    house.clock.advance(1000);
    let (mut seen, mut pages) = (Vec::with_capacity(SESSIONS), 0);
    let mut body = json!({"MaxItems": 1000});
    loop {
        let page = list(&house, &house.root, body.clone()).await;
        seen.extend(ids(&page));
        pages += 1;
        let Some(marker) = page.get("Marker") else { break };
        body["Marker"] = marker.clone();
    }
    assert_eq!((seen.len(), pages), (SESSIONS, 100));
    let log = house.house.session_log.read(0).await;
    let at = |id: &String| log.index.get(id.parse().unwrap()).unwrap().at;
    assert!(seen.windows(2).all(|pair| at(&pair[0]) >= at(&pair[1])), "the newest first");
    assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), SESSIONS, "none twice");
    // The bound itself: of one look, wherever it begins and whatever it is after.
    let mut after = None;
    let mut looks = 0;
    loop {
        let found = log.index.search(Some(account), after, 1000, |entry| entry.session_name == "needle");
        assert!(found.looked_at <= LOOKED_AT_MAX);
        looks += 1;
        after = found.go_on_after;
        if after.is_none() {
            assert_eq!(found.entries.len(), 1, "it is among the oldest");
            break;
        }
        assert!(found.entries.is_empty());
    }
    assert_eq!(looks, SESSIONS / LOOKED_AT_MAX);
    drop(log);
    // The same from outside: short pages that go on, and one session in the end.
    let (mut body, mut found, mut calls) = (json!({"SessionName": "needle"}), Vec::new(), 0);
    loop {
        let page = list(&house, &house.root, body.clone()).await;
        found.extend(ids(&page));
        calls += 1;
        let Some(marker) = page.get("Marker") else { break };
        body["Marker"] = marker.clone();
    }
    assert_eq!((found.len(), calls), (1, 10));
    // One more pushes out the one that ends first.
    let mut id = daypass_model::SessionId::generate(account, house.house.directory.random());
    id.0[8..].copy_from_slice(&[0xff; 8]);
    let short = SessionEntry { id, expires_at: house.clock_now() + 1, ..template };
    house.house.session_log.keep(short);
    let log = house.house.session_log.read(house.clock_now()).await;
    assert!(log.index.get(id).is_none() && log.index.len() == SESSIONS && log.may_be_incomplete);
}

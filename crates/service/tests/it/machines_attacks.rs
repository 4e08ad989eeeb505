//! What a stranger tried with machines and tasks: chains that outlive them, races, ids that come again, an alarm drowned in noise.

use std::sync::Arc;

use daypass_authn::machine::MachineKey;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::machines::{Yard, keys, told, trusting};
use crate::mfa::{Flaky, Spending};
use crate::support::{ACCOUNT, Keys, TestHouse};

const CREW: &str = "arn:aws:iam::111122223333:role/fleet/Crew";

/// `Crew` may be had by machines, tasks and itself.
async fn trusts_itself(yard: &Yard) {
    let services = json!({"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"], "AWS": CREW});
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": services, "Action": "sts:AssumeRole"}]})
    .to_string();
    let trust = [("RoleName", "Crew"), ("PolicyDocument", trust.as_str())];
    yard.house.root("iam", "UpdateAssumeRolePolicy", &trust).await;
}

async fn onward(yard: &Yard, who: &Keys) -> Keys {
    let on = [("RoleArn", CREW), ("RoleSessionName", "on")];
    keys(&yard.house.call(who, "sts", "AssumeRole", &on).await.unwrap())
}

/// Of a long chain the token leaves out sessions that are over. The one from which a task's descend is none.
#[tokio::test]
async fn a_task_ends_with_all_that_came_of_it_however_long_the_chain() {
    let yard = Yard::joined().await;
    trusts_itself(&yard).await;
    let (task, token) = yard.task().await;
    let mut chain = keys(&yard.of_task(&task, &token).await.unwrap());
    for _ in 0..40 {
        yard.house.clock.advance(2400);
        chain = onward(&yard, &chain).await;
    }
    yard.who(&chain).await.unwrap();
    yard.root("DeregisterTask", json!({"TaskId": task})).await;
    assert_eq!(told(yard.who(&chain).await).0, "ExpiredToken");
}

/// Nobody holds the session from which they descend: it is no session to revoke, and would not stay so.
#[tokio::test]
async fn the_place_that_a_machines_sessions_come_from_is_ended_by_deregistering_alone() {
    let yard = Yard::joined().await;
    let answer = yard.credentials().await.unwrap();
    let above = crate::world::claims(&yard.house, &keys(&answer)).ancestry[0].to_string();
    for issued_too in [true, false] {
        let body = json!({"SessionId": above, "IncludeIssued": issued_too});
        let outcome = yard.house.call_json(&yard.house.root, "RevokeSession", &body).await;
        let (code, message) = told(outcome);
        assert_eq!(code, "ValidationError");
        assert!(message.contains("deregister it, or renew the instance's join secret"), "{message}");
    }
    yard.who(&keys(&answer)).await.unwrap();
    yard.root("RenewJoinSecret", json!({"InstanceId": yard.id()})).await;
    assert_eq!(told(yard.who(&keys(&answer)).await).0, "ExpiredToken");
}

#[tokio::test]
async fn no_task_is_left_of_an_instance_that_is_deregistered_meanwhile() {
    for _ in 0..10 {
        let yard = Yard::new().await;
        let register = json!({"InstanceId": yard.id(), "RoleArn": CREW});
        let deregister = json!({"InstanceId": yard.id()});
        let (root, house) = (&yard.house.root, &yard.house);
        let tasks = [(); 3].map(|()| house.call_json(root, "RegisterTask", &register));
        let [a, b, c] = tasks;
        let (.., ended) = tokio::join!(a, b, c, house.call_json(root, "DeregisterInstance", &deregister));
        ended.unwrap();
        let (_, records) = house.stored().await;
        assert!(!records.iter().any(|record| record.key.contains("/task/")));
    }
}

/// What policies say of an instance's ARN, they say of the region that it will have.
#[tokio::test]
async fn a_region_that_is_left_out_is_the_one_of_the_signature_for_policies_too() {
    let yard = Yard::new().await;
    let region = yard.root("RegisterInstance", json!({"InstanceProfileName": "Fleet"})).await;
    let arn = region["InstanceArn"].as_str().unwrap().to_owned();
    let region = arn.split(':').nth(3).unwrap();
    let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    for (denied, resource) in [
        ("daypass:RegisterInstance", json!({"Resource": format!("arn:aws:ec2:{region}:*:instance/*")})),
        (
            "iam:PassRole",
            json!({"Resource": "*", "Condition": {"ArnLike": {
                "iam:AssociatedResourceArn": format!("arn:aws:ec2:{region}:*:instance/*")}}}),
        ),
    ] {
        let mut deny = json!({"Effect": "Deny", "Action": denied});
        deny.as_object_mut().unwrap().extend(resource.as_object().unwrap().clone());
        let policy = json!({"Version": "2012-10-17", "Statement": [allow, deny]}).to_string();
        let name = denied.replace(':', "-");
        let user = yard.house.user(&name, Some(policy.as_str())).await;
        let made = json!({"InstanceProfileName": "Fleet"});
        let outcome = yard.house.call_json(&user, "RegisterInstance", &made).await;
        assert_eq!(told(outcome).0, "AccessDenied", "{denied}");
        let elsewhere = json!({"InstanceProfileName": "Fleet", "Region": "ap-south-1"});
        yard.house.call_json(&user, "RegisterInstance", &elsewhere).await.unwrap();
    }
}

/// Whoever has the secret proves something: the line is not one of those that anybody may use up.
#[tokio::test]
async fn noise_does_not_drown_the_line_about_a_stolen_secret() {
    let yard = Yard::joined().await;
    let thief = MachineKey::generate().unwrap();
    for _ in 0..2000 {
        yard.join(&thief, "no-secret").await.unwrap_err();
    }
    let lines = yard.events("JoinInstance").len();
    assert!(lines < 2000, "noise is rationed: {lines}");
    yard.join(&thief, &yard.secret).await.unwrap_err();
    let last: Value = yard.events("JoinInstance").pop().unwrap();
    assert_eq!(last["errorMessage"], "The join secret was used before, by another machine.");
    assert_eq!(last["recipientAccountId"], ACCOUNT);
}

#[tokio::test]
async fn what_never_got_a_session_takes_no_place_of_a_revocation() {
    let yard = Yard::joined().await;
    let revocations = async || {
        let (_, records) = yard.house.stored().await;
        records.iter().filter(|record| record.key.contains("/revoked-session/")).count()
    };
    let (unused, _) = yard.task().await;
    yard.root("DeregisterTask", json!({"TaskId": unused})).await;
    assert_eq!(revocations().await, 0, "a task that nobody used");
    let renewed = yard.root("RenewJoinSecret", json!({"InstanceId": yard.id()})).await;
    assert_eq!(revocations().await, 0, "a machine that joined and asked for nothing");
    yard.join(&yard.key, renewed["JoinSecret"].as_str().unwrap()).await.unwrap();
    // A task's session is one of its machine, too.
    let ((first, token), (_, _)) = (yard.task().await, yard.task().await);
    let given = yard.of_task(&first, &token).await.unwrap();
    yard.root("DeregisterTask", json!({"TaskId": first})).await;
    assert_eq!(revocations().await, 1);
    assert_eq!(yard.who(&keys(&given)).await.unwrap_err().code, "ExpiredToken");
    yard.root("DeregisterInstance", json!({"InstanceId": yard.id()})).await;
    assert_eq!(revocations().await, 2, "the machine's, and none for the task that nobody used");
}

#[tokio::test]
async fn a_session_that_is_given_while_its_machine_goes_ends_with_it() {
    for _ in 0..20 {
        let yard = Yard::joined().await;
        let (task, token) = yard.task().await;
        let gone = json!({"InstanceId": yard.id()});
        let (given, of_task, _) = tokio::join!(
            yard.credentials(),
            yard.of_task(&task, &token),
            yard.house.call_json(&yard.house.root, "DeregisterInstance", &gone)
        );
        for answer in [given, of_task].into_iter().flatten() {
            assert_eq!(yard.who(&keys(&answer)).await.unwrap_err().code, "ExpiredToken");
        }
    }
}

#[tokio::test]
async fn a_machine_is_written_down_as_used_once() {
    let yard = Yard::joined().await;
    let (task, token) = yard.task().await;
    let records = async || {
        let (_, records) = yard.house.stored().await;
        let of_it =
            records.into_iter().filter(|one| one.key.contains("/instance/") || one.key.contains("/task/"));
        of_it.map(|record| (record.key.clone(), record.revision)).collect::<Vec<_>>()
    };
    let fresh = records().await;
    yard.of_task(&task, &token).await.unwrap();
    let used = records().await;
    assert!(fresh.iter().zip(&used).all(|(before, after)| before.0 == after.0 && before.1 != after.1));
    yard.of_task(&task, &token).await.unwrap();
    yard.credentials().await.unwrap();
    assert_eq!(records().await, used);
}

/// Whether a proof was used before is asked of the store, which takes its time.
#[tokio::test]
async fn what_was_changed_while_a_proof_was_spent_counts() {
    let closed = trusting(&["ecs-tasks.amazonaws.com"]);
    let untrust =
        ("iam", "UpdateAssumeRolePolicy", [("RoleName", "Crew"), ("PolicyDocument", closed.as_str())]);
    for (deregistered, code) in [(false, "AccessDenied"), (true, "InvalidIdentityToken")] {
        let store = Flaky::new();
        let yard = Yard::of(TestHouse::on(store.clone()).await, &trusting(&["ec2.amazonaws.com"])).await;
        yard.join(&yard.key, &yard.secret).await.unwrap();
        let released = Arc::new(Notify::new());
        *store.spending.lock().unwrap() = Spending::Waits(released.clone());
        let change = async {
            // By then the call has its view, and waits.
            tokio::task::yield_now().await;
            if deregistered {
                yard.root("DeregisterInstance", json!({"InstanceId": yard.id()})).await;
            } else {
                let (service, action, params) = &untrust;
                yard.house.root(service, action, params).await;
            }
            released.notify_one();
        };
        let (answer, ()) = tokio::join!(yard.credentials(), change);
        assert_eq!(answer.unwrap_err().code, code);
    }
}

/// Two machines have one secret, and both are there before either of them joins.
#[tokio::test]
async fn of_two_that_join_by_one_secret_at_once_one_joins_and_the_other_is_told_of() {
    let store = Flaky::new();
    let yard = Yard::of(TestHouse::on(store.clone()).await, &trusting(&["ec2.amazonaws.com"])).await;
    let (one, other) = (MachineKey::generate().unwrap(), MachineKey::generate().unwrap());
    let released = Arc::new(Notify::new());
    *store.spending.lock().unwrap() = Spending::Waits(released.clone());
    let release = async {
        for _ in 0..4 {
            tokio::task::yield_now().await;
            released.notify_one();
        }
        // Whatever is decided again spends nothing more.
        *store.spending.lock().unwrap() = Spending::Done;
        released.notify_waiters();
    };
    let (a, b, ()) = tokio::join!(yard.join(&one, &yard.secret), yard.join(&other, &yard.secret), release);
    let refused: Vec<_> = [&a, &b].into_iter().filter_map(|answer| answer.as_ref().err()).collect();
    let [refused] = &refused[..] else { panic!("{a:?} {b:?}") };
    assert_eq!(refused.message, daypass_authn::machine::JOINED_BEFORE);
    let who = if a.is_ok() { &one } else { &other };
    yard.by(who, "GetInstanceCredentials", &[("RoleDelivery", "2.0")]).await.unwrap();
}

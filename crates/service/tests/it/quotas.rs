//! The largest quotas, at their bound and beyond it. What fills an account are copies of what one call wrote, under
//! other names and ids: ten thousand calls would take minutes.

use std::sync::Arc;

use bytes::Bytes;
use daypass_directory::key;
use daypass_service::Error;
use daypass_store::Record;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::answers::{ALLOW_ALL, refusal, refused};
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, TestHouse};

/// A name, and what takes its place in the copies.
const FIRST: &str = "seed-00000";

fn seed(n: usize) -> String {
    format!("seed-{n:05}")
}

/// What the store has now and did not have before.
async fn new_records(house: &TestHouse, before: &[Record]) -> Vec<(String, String)> {
    let (_, records) = house.stored().await;
    let new = records.into_iter().filter(|record| before.iter().all(|known| known.key != record.key));
    new.map(|record| (record.key.to_string(), String::from_utf8(record.value.to_vec()).unwrap())).collect()
}

/// The id of a copy: its last four characters count, in base 32.
fn other_id(id: &str, n: usize) -> String {
    let digit = |place: u32| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[n / 32_usize.pow(place) % 32];
    let end: String = [3, 2, 1, 0].map(digit).map(char::from).iter().collect();
    format!("{}{end}", &id[..id.len() - 4])
}

/// Call once for [`FIRST`], and have `count` of what it made in all.
async fn fill(house: &TestHouse, action: &str, params: &[(&str, &str)], id: &str, count: usize) {
    let (_, before) = house.stored().await;
    let made = house.root("iam", action, params).await;
    let id = made.pointer(id).unwrap().as_str().unwrap();
    let records = new_records(house, &before).await;
    assert_eq!(records.len(), 2, "the entity and its name: {records:?}");
    let copy = |n: usize| {
        let (id, name, of) = (id.to_owned(), seed(n), other_id(id, n));
        let copied = move |text: &str| text.replace(FIRST, &name).replace(&id, &of);
        records.iter().map(move |(key, value)| (copied(key), Bytes::from(copied(value))))
    };
    house.put((1..count).flat_map(copy).collect()).await;
}

#[tokio::test]
async fn an_account_has_five_thousand_users() {
    let house = TestHouse::new().await;
    fill(&house, "CreateUser", &[("UserName", FIRST)], "/User/UserId", 4999).await;
    house.root("iam", "CreateUser", &[("UserName", "last")]).await;
    let full = refusal("LimitExceeded", "Cannot exceed quota for UsersPerAccount: 5000");
    assert_eq!(refused(&house, "CreateUser", &[("UserName", "more")]).await, full);
    let page = house.root("iam", "ListUsers", &[("MaxItems", "1000")]).await;
    assert_eq!((page["Users"].as_array().unwrap().len(), &page["IsTruncated"]), (1000, &json!(true)));
    house.root("iam", "DeleteUser", &[("UserName", &seed(4000))]).await;
    house.root("iam", "CreateUser", &[("UserName", "more")]).await;
    assert_eq!(refused(&house, "CreateUser", &[("UserName", &seed(4000))]).await, full);
}

#[tokio::test]
async fn an_account_has_a_thousand_instance_profiles() {
    let house = TestHouse::new().await;
    let named = |name: &'static str| [("InstanceProfileName", name)];
    fill(&house, "CreateInstanceProfile", &named(FIRST), "/InstanceProfile/InstanceProfileId", 999).await;
    house.root("iam", "CreateInstanceProfile", &named("last")).await;
    let full = refusal("LimitExceeded", "Cannot exceed quota for InstanceProfilesPerAccount: 1000");
    assert_eq!(refused(&house, "CreateInstanceProfile", &named("more")).await, full);
    house.root("iam", "DeleteInstanceProfile", &named("last")).await;
    house.root("iam", "CreateInstanceProfile", &named("more")).await;
}

#[tokio::test]
async fn an_account_has_as_many_mfa_devices_as_users() {
    let house = TestHouse::new().await;
    let (_, before) = house.stored().await;
    house.root("iam", "CreateVirtualMFADevice", &[("VirtualMFADeviceName", FIRST)]).await;
    let records = new_records(&house, &before).await;
    let mut values = records.iter().filter_map(|(_, value)| serde_json::from_str::<Value>(value).ok());
    let device = values.find(|value| value["sealed_seed"].is_string()).unwrap();
    let [id, sealed] = ["id", "sealed_seed"].map(|member| device[member].as_str().unwrap());
    let copy = |n: usize| {
        let (name, of) = (seed(n), other_id(id, n));
        // A seed belongs to one device.
        let (seed, _) =
            house.house.directory.new_mfa_seed(ACCOUNT.parse().unwrap(), &of.clone().into()).unwrap();
        let copied = move |text: &str| text.replace(FIRST, &name).replace(id, &of).replace(sealed, &seed);
        records.iter().map(move |(key, value)| (copied(key), Bytes::from(copied(value))))
    };
    house.put((1..4999).flat_map(copy).collect()).await;
    house.root("iam", "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "last")]).await;
    let full = refusal("LimitExceeded", "Cannot exceed quota for VirtualMFADevicesPerAccount: 5000");
    let more = [("VirtualMFADeviceName", "more")];
    assert_eq!(refused(&house, "CreateVirtualMFADevice", &more).await, full);
    let serial = format!("arn:aws:iam::{ACCOUNT}:mfa/{}", seed(4000));
    house.root("iam", "DeleteVirtualMFADevice", &[("SerialNumber", &serial)]).await;
    house.root("iam", "CreateVirtualMFADevice", &more).await;
}

#[tokio::test]
async fn an_account_has_fifteen_hundred_policies() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let named = |name| [("PolicyName", name), ("PolicyDocument", ALLOW_ALL)];
    fill(&house, "CreatePolicy", &named(FIRST), "/Policy/PolicyId", 1499).await;
    let (one, other) = (named("one"), named("other"));
    let outcomes = race(&house, &gate, ("CreatePolicy", &one), ("CreatePolicy", &other)).await;
    assert_eq!(one_wins(outcomes), "LimitExceeded", "the last one is made once");
    let full = refusal("LimitExceeded", "Cannot exceed quota for PoliciesPerAccount: 1500");
    assert_eq!(refused(&house, "CreatePolicy", &named("more")).await, full);
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{}", seed(1000));
    house.root("iam", "DeletePolicy", &[("PolicyArn", &arn)]).await;
    house.root("iam", "CreatePolicy", &named("more")).await;
    assert_eq!(refused(&house, "CreatePolicy", &named(&seed(1000))).await, full);
}

/// Two hundred calls decide on one snapshot, in which there is room for each of them, but not for all.
#[tokio::test]
async fn a_quota_holds_however_many_calls_decide_at_once() {
    const AT_ONCE: usize = 200;
    let gate = Gate::of(AT_ONCE);
    let house = Arc::new(TestHouse::on(gate.clone()).await);
    let first = [("PolicyName", FIRST), ("PolicyDocument", ALLOW_ALL)];
    fill(&house, "CreatePolicy", &first, "/Policy/PolicyId", 1340).await;
    gate.arm();
    let mut calls = JoinSet::new();
    for n in 0..AT_ONCE {
        let house = house.clone();
        calls.spawn(async move {
            let name = format!("more-{n}");
            let params = [("PolicyName", name.as_str()), ("PolicyDocument", ALLOW_ALL)];
            house.call(&house.root, "iam", "CreatePolicy", &params).await
        });
    }
    let outcomes = calls.join_all().await;
    let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let full =
        outcomes.iter().filter(|o| o.as_ref().is_err_and(|error| error.code == "LimitExceeded")).count();
    assert_eq!((made, full), (160, 40));
}

fn queue(name: &str) -> String {
    format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:{name}")
}

async fn put(house: &TestHouse, name: &str) -> Result<Value, Error> {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;
    let body = json!({"ResourceArn": queue(name), "Policy": policy});
    house.call_json(&house.root, "PutResourcePolicy", &body).await
}

#[tokio::test]
async fn an_account_has_ten_thousand_resource_policies() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let (_, before) = house.stored().await;
    put(&house, FIRST).await.unwrap();
    let records = new_records(&house, &before).await;
    let [(_, value)] = &records[..] else { panic!("{records:?}") };
    let copy = |n| {
        let place = key::resource_policy(ACCOUNT.parse().unwrap(), &queue(&seed(n)));
        (place, Bytes::from(value.replace(FIRST, &seed(n))))
    };
    house.put((1..9999).map(copy).collect()).await;
    gate.arm();
    let (one, other) = tokio::join!(put(&house, "one"), put(&house, "other"));
    assert_eq!(one_wins([one, other]), "LimitExceeded", "the last one is made once");
    let error = put(&house, "more").await.unwrap_err();
    let full = ("LimitExceeded", "Cannot exceed quota for ResourcePoliciesPerAccount: 10000".to_owned());
    assert_eq!((error.code, error.message), full);
    // Another text for a resource that has one takes no room.
    put(&house, &seed(9000)).await.unwrap();
    let body = json!({"ResourceArn": queue(&seed(9000))});
    house.call_json(&house.root, "DeleteResourcePolicy", &body).await.unwrap();
    put(&house, "more").await.unwrap();
    assert_eq!(put(&house, &seed(9000)).await.unwrap_err().code, "LimitExceeded");
}

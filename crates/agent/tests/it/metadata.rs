//! Instance metadata as its guide has it: tokens, versions, documents. Expected values are from the Amazon EC2 User Guide.

use http::Method;
use serde_json::json;

use crate::world::Machine;

const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/";

#[tokio::test]
async fn credentials_are_told_by_a_token() {
    let machine = Machine::new().await;
    let role = machine.get_v2(CREDENTIALS).await;
    assert_eq!(
        (role.status, role.body.as_str(), role.field("content-type")),
        (200, "Worker", Some("text/plain"))
    );
    let said = machine.get_v2(&format!("{CREDENTIALS}Worker")).await;
    let mut document = said.json();
    assert!(document["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    document["AccessKeyId"] = "ASIA".into();
    let expected = json!({
        "Code": "Success", "LastUpdated": "2026-01-02T03:04:05Z", "Type": "AWS-HMAC", "AccessKeyId": "ASIA",
        "SecretAccessKey": "secret", "Token": "token", "Expiration": "2026-01-02T09:04:05Z",
    });
    assert_eq!(document, expected);
    assert_eq!(said.field("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn the_categories_that_sdks_read_are_there_and_no_others() {
    let machine = Machine::new().await;
    for (path, body) in [
        ("/latest/meta-data/instance-id", "i-0123456789abcdef0"),
        ("/latest/meta-data/placement/region", "eu-central-1"),
        ("/latest/meta-data/placement/availability-zone", "eu-central-1a"),
        ("/latest/meta-data/placement/availability-zone/", "eu-central-1a"),
        ("/latest/meta-data/iam/", "info\nsecurity-credentials/"),
        ("/latest/", "dynamic\nmeta-data"),
        ("/latest/meta-data", "iam/\ninstance-id\nplacement/"),
    ] {
        let said = machine.get_v2(path).await;
        assert_eq!((said.status, said.body.as_str()), (200, body), "{path}");
    }
    let info = machine.get_v2("/latest/meta-data/iam/info").await.json();
    assert_eq!(info["Code"], "Success");
    assert_eq!(info["InstanceProfileArn"], "arn:aws:iam::111122223333:instance-profile/Fleet");
    assert_eq!(info["InstanceProfileId"], "AIPAIOSFODNN7EXAMPLE1");
    let identity = machine.get_v2("/latest/dynamic/instance-identity/document").await.json();
    assert_eq!(
        (&identity["accountId"], &identity["region"]),
        (&json!("111122223333"), &json!("eu-central-1"))
    );
    assert_eq!(identity["instanceId"], "i-0123456789abcdef0");
    for path in [
        "/",
        "/latest/user-data",
        "/latest/meta-data/hostname",
        "/2021-07-15/meta-data/instance-id",
        "/latest//meta-data",
        "/latest/meta-data/iam/security-credentials/worker",
        "/latest/meta-data/iam/security-credentials/Other",
        "/latest/meta-data/../meta-data/instance-id",
        "/latest/meta-data/%69nstance-id",
        "/latest/meta-data/instance-id//",
        "/latest/meta-data/instance-id?x",
        "/latestmeta-data",
        "/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance",
    ] {
        assert_eq!(machine.get_v2(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_token_is_asked_for_with_its_life() {
    let machine = Machine::new().await;
    let put = async |path: &str, life: &[&str]| {
        let fields: Vec<_> =
            life.iter().map(|life| ("x-aws-ec2-metadata-token-ttl-seconds", *life)).collect();
        machine.ask(Method::PUT, path, &fields).await.status
    };
    for good in ["1", "21600"] {
        assert_eq!(put("/latest/api/token", &[good]).await, 200, "{good}");
    }
    for bad in ["0", "21601", "-1", "+1", "1.0", "", " ", "one", "99999999999999999999"] {
        assert_eq!(put("/latest/api/token", &[bad]).await, 400, "{bad}");
    }
    assert_eq!(put("/latest/api/token", &[]).await, 400);
    assert_eq!(put("/latest/api/token", &["60", "60"]).await, 400);
    for path in ["/2021-07-15/api/token", "/latest/api/token/", "/latest/meta-data", "/", "/v1/credentials"] {
        assert_eq!(put(path, &["60"]).await, 403, "{path}");
    }
}

#[tokio::test]
async fn a_token_is_good_until_its_life_is_over_and_any_number_may_be() {
    let machine = Machine::new().await;
    let (short, long) = (machine.token(5).await, machine.token(100).await);
    let with = async |token: &str| {
        machine.get("/latest/meta-data/instance-id", &[("x-aws-ec2-metadata-token", token)]).await.status
    };
    for _ in 0..2 {
        assert_eq!((with(&short).await, with(&long).await), (200, 200));
    }
    machine.clock.advance(5);
    assert_eq!((with(&short).await, with(&long).await), (401, 200));
    for bad in ["", "x", &format!("{long}A"), &long.to_lowercase()] {
        assert_eq!(with(bad).await, 401, "{bad}");
    }
    // One machine's token is nothing to another.
    let other = Machine::new().await;
    let fields = [("x-aws-ec2-metadata-token", long.as_str())];
    assert_eq!(other.get("/latest/meta-data/instance-id", &fields).await.status, 401);
}

#[tokio::test]
async fn version_1_is_told_where_it_is_allowed_and_its_credentials_are_others() {
    let machine = Machine::new().await;
    let path = format!("{CREDENTIALS}Worker");
    let by_1 = machine.get(&path, &[]).await.json();
    assert_eq!(machine.stub.params_of_last("GetInstanceCredentials")["RoleDelivery"], "1.0");
    let by_2 = machine.get_v2(&path).await.json();
    assert_ne!(by_1["AccessKeyId"], by_2["AccessKeyId"]);
    let strict = Machine::with(|settings| settings.allow_version_1 = false).await;
    for path in [path.as_str(), CREDENTIALS, "/latest/meta-data/instance-id", "/latest/nothing"] {
        assert_eq!(strict.get(path, &[]).await.status, 401, "{path}");
    }
    assert_eq!(strict.get_v2(&path).await.status, 200);
    assert_eq!(strict.stub.params_of_last("GetInstanceCredentials")["RoleDelivery"], "2.0");
}

#[tokio::test]
async fn a_machine_without_a_role_has_no_credentials() {
    let machine = Machine::new().await;
    machine.stub.role_is(None);
    machine.clock.advance(301);
    for path in [CREDENTIALS.to_owned(), format!("{CREDENTIALS}Worker")] {
        assert_eq!(machine.get_v2(&path).await.status, 404, "{path}");
    }
    assert_eq!(machine.get_v2("/latest/meta-data/iam/info").await.status, 200);
}

#[tokio::test]
async fn other_methods_are_not_answered() {
    let machine = Machine::new().await;
    for method in [Method::POST, Method::DELETE, Method::OPTIONS, Method::PATCH, Method::TRACE] {
        assert_eq!(machine.ask(method, "/latest/meta-data/instance-id", &[]).await.status, 405);
    }
    let head = machine.ask(Method::HEAD, "/latest/meta-data/instance-id", &[]).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn who_asks_too_fast_is_told_to_retry() {
    let machine = Machine::new().await;
    machine.clock.advance(1);
    let token = machine.token(60).await;
    let fields = [("x-aws-ec2-metadata-token", token.as_str())];
    let mut statuses = std::collections::BTreeMap::new();
    for _ in 0..1005 {
        let said = machine.get("/latest/meta-data/instance-id", &fields).await;
        *statuses.entry(said.status).or_insert(0) += 1;
    }
    assert_eq!(statuses, [(200, 999), (503, 6)].into());
    let said = machine.get("/latest/meta-data/instance-id", &fields).await;
    assert_eq!(said.body, "The request could not be completed. Retry the request.\n");
    machine.clock.advance(1);
    assert_eq!(machine.get("/latest/meta-data/instance-id", &fields).await.status, 200);
}

//! What the audit says of calls, in CloudTrail's form.
//!
//! LONG: one test for each rule of the record, and their scarce room; they share their helpers.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daypass_authn::sigv4::{HttpRequest, SigningKeyCache};
use daypass_service::federation::ProviderKeys;
use daypass_service::params::Params;
use daypass_service::sessions::SessionLog;
use daypass_service::{Audit, AuditLog, Error, House, Request, Settings, call};
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::race::{Gate, race};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};

const NOW: &str = "2026-01-15T12:00:00Z";

/// Trusts a whole account with all that AssumeRole can ask for.
fn trust(account: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": account},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }]})
    .to_string()
}

impl TestHouse {
    /// The events of what `calls` does.
    async fn events<T>(&self, calls: impl Future<Output = T>) -> Vec<Value> {
        let before = self.audit.lock().unwrap().len();
        calls.await;
        self.audit.lock().unwrap().iter().skip(before).cloned().collect()
    }

    /// The one event of a call.
    async fn event(&self, who: &Keys, service: &'static str, action: &str, params: &[(&str, &str)]) -> Value {
        let events = self.events(self.call(who, service, action, params)).await;
        let [event] = events.as_slice() else { panic!("one event: {events:#?}") };
        event.clone()
    }

    async fn identity(&self, who: &Keys) -> Value {
        self.event(who, "sts", "GetCallerIdentity", &[]).await["userIdentity"].clone()
    }

    async fn session(&self, who: &Keys, action: &str, params: &[(&str, &str)]) -> Keys {
        Keys::of(&self.call(who, "sts", action, params).await.unwrap()["Credentials"])
    }

    async fn role(&self, name: &str) -> Value {
        let params = [("RoleName", name), ("Path", "/ops/"), ("AssumeRolePolicyDocument", &trust(ACCOUNT))];
        self.root("iam", "CreateRole", &params).await["Role"].clone()
    }
}

#[tokio::test]
async fn long_term_callers_are_named_as_cloudtrail_names_them() {
    let house = TestHouse::new().await;
    let root = json!({
        "type": "Root", "principalId": ACCOUNT, "arn": format!("arn:aws:iam::{ACCOUNT}:root"),
        "accountId": ACCOUNT, "accessKeyId": house.root.access_key_id,
    });
    assert_eq!(house.identity(&house.root).await, root);
    let keys = house.user("Bob", None).await;
    let id = house.root("iam", "GetUser", &[("UserName", "Bob")]).await["User"]["UserId"].clone();
    let user = json!({
        "type": "IAMUser", "principalId": id, "arn": format!("arn:aws:iam::{ACCOUNT}:user/Bob"),
        "accountId": ACCOUNT, "accessKeyId": keys.access_key_id, "userName": "Bob",
    });
    assert_eq!(house.identity(&keys).await, user);
}

#[tokio::test]
async fn a_users_own_session_shows_when_it_began_and_no_issuer() {
    let house = TestHouse::new().await;
    let keys = house.user("Bob", None).await;
    let session = house.session(&keys, "GetSessionToken", &[]).await;
    let identity = house.identity(&session).await;
    assert_eq!((&identity["type"], &identity["userName"]), (&json!("IAMUser"), &json!("Bob")));
    assert_eq!(identity["accessKeyId"], session.access_key_id);
    // Both attributes are text.
    let context = json!({"attributes": {"creationDate": NOW, "mfaAuthenticated": "false"}});
    assert_eq!(identity["sessionContext"], context);
}

#[tokio::test]
async fn a_role_session_shows_its_role_and_source_identity() {
    let house = TestHouse::new().await;
    let keys = house.user("Bob", Some(ALLOW_ALL)).await;
    let role = house.role("Deploy").await;
    let params = [
        ("RoleArn", role["Arn"].as_str().unwrap()),
        ("RoleSessionName", "ada"),
        ("SourceIdentity", "ada@example.com"),
    ];
    let session = house.session(&keys, "AssumeRole", &params).await;
    let expected = json!({
        "type": "AssumedRole", "principalId": format!("{}:ada", role["RoleId"].as_str().unwrap()),
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/ada"),
        "accountId": ACCOUNT, "accessKeyId": session.access_key_id,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role", "principalId": role["RoleId"], "arn": role["Arn"], "accountId": ACCOUNT,
                "userName": "Deploy",
            },
            "webIdFederationData": {},
            "attributes": {"creationDate": NOW, "mfaAuthenticated": "false"},
            "sourceIdentity": "ada@example.com",
        },
    });
    assert_eq!(house.identity(&session).await, expected);
}

#[tokio::test]
async fn a_federated_user_shows_who_issued_it() {
    let house = TestHouse::new().await;
    let keys = house.user("Broker", Some(ALLOW_ALL)).await;
    let broker = house.root("iam", "GetUser", &[("UserName", "Broker")]).await["User"].clone();
    for (issuer, shown) in [
        (
            &keys,
            json!({"type": "IAMUser", "principalId": broker["UserId"], "arn": broker["Arn"],
                        "accountId": ACCOUNT, "userName": "Broker"}),
        ),
        (
            &house.root,
            json!({"type": "Root", "principalId": ACCOUNT, "accountId": ACCOUNT,
                              "arn": format!("arn:aws:iam::{ACCOUNT}:root")}),
        ),
    ] {
        let session = house.session(issuer, "GetFederationToken", &[("Name", "Jill")]).await;
        let expected = json!({
            "type": "FederatedUser", "principalId": format!("{ACCOUNT}:Jill"),
            "arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/Jill"),
            "accountId": ACCOUNT, "accessKeyId": session.access_key_id,
            "sessionContext": {
                "sessionIssuer": shown,
                "attributes": {"creationDate": NOW, "mfaAuthenticated": "false"},
            },
        });
        assert_eq!(house.identity(&session).await, expected);
    }
}

#[tokio::test]
async fn what_a_chained_session_takes_over_is_told() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let arn = house.role("Deploy").await["Arn"].as_str().unwrap().to_owned();
    let params = [("RoleName", "Deploy"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "PutRolePolicy", &params).await;
    let assume = async |who: &Keys, more: &[(&str, &str)]| {
        let params = [("RoleArn", arn.as_str()), ("RoleSessionName", "ada")];
        let mut answer = Value::Null;
        let call =
            async { answer = house.call(who, "sts", "AssumeRole", &[&params, more].concat()).await.unwrap() };
        let events = house.events(call).await;
        (Keys::of(&answer["Credentials"]), events[0]["requestParameters"].clone())
    };
    let tags = [
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "red"),
        ("Tags.member.2.Key", "Cost"),
        ("Tags.member.2.Value", "7"),
        ("TransitiveTagKeys.member.1", "team"),
        ("Policy", ALLOW_ALL),
        ("SourceIdentity", "bob"),
    ];
    let (session, first) = assume(&bob, &tags).await;
    assert_eq!(first.get("incomingTransitiveTags"), None);
    assert_eq!((&first["policy"], &first["sourceIdentity"]), (&json!(ALLOW_ALL), &json!("bob")));
    let (_, second) = assume(&session, &[]).await;
    let inherited = json!({"Team": "red"});
    assert_eq!(
        second,
        json!({"roleArn": arn, "roleSessionName": "ada", "incomingTransitiveTags": inherited})
    );
}

#[tokio::test]
async fn a_federated_user_and_roots_session_are_told() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let mut answer = Value::Null;
    let call =
        async { answer = house.call(&bob, "sts", "GetFederationToken", &[("Name", "Jill")]).await.unwrap() };
    let events = house.events(call).await;
    let user = json!({
        "federatedUserId": format!("{ACCOUNT}:Jill"), "arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/Jill"),
    });
    assert_eq!(events[0]["responseElements"]["federatedUser"], user);
    let issued = house.root("sts", "GetSessionToken", &[]).await;
    let root = Keys::of(&issued["Credentials"]);
    let events = house.events(async { house.call(&root, "iam", "ListUsers", &[]).await }).await;
    let identity = &events[0]["userIdentity"];
    assert_eq!((&identity["type"], &identity["accessKeyId"]), (&json!("Root"), &json!(root.access_key_id)));
    let attributes = json!({"creationDate": NOW, "mfaAuthenticated": "false"});
    assert_eq!(identity["sessionContext"]["attributes"], attributes);
}

#[tokio::test]
async fn an_assume_role_is_told_whole_but_for_its_secrets() {
    let house = TestHouse::new().await;
    let keys = house.user("Bob", Some(ALLOW_ALL)).await;
    let role = house.role("Deploy").await;
    let arn = role["Arn"].as_str().unwrap();
    let params = [
        ("RoleArn", arn),
        ("RoleSessionName", "ada"),
        ("DurationSeconds", "900"),
        ("ExternalId", "ticket-7"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "red"),
        ("TransitiveTagKeys.member.1", "Team"),
    ];
    let mut answer = Value::Null;
    let events =
        house.events(async { answer = house.call(&keys, "sts", "AssumeRole", &params).await.unwrap() }).await;
    let [event] = events.as_slice() else { panic!("one event: {events:#?}") };
    let mut event = event.clone();
    let id = event.as_object_mut().unwrap().remove("eventID").unwrap();
    assert_eq!((id.as_str().unwrap().len(), id.as_str().unwrap().as_bytes()[14]), (36, b'4'));
    assert!(event.as_object_mut().unwrap().remove("userIdentity").is_some());
    assert!(event.as_object_mut().unwrap().remove("requestID").is_some());
    let expected = json!({
        "eventVersion": "1.08", "eventTime": NOW, "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole",
        "additionalEventData": {"SignatureVersion": "SigV4"},
        "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.10",
        "requestParameters": {
            "roleArn": arn, "roleSessionName": "ada", "durationSeconds": 900, "externalId": "ticket-7",
            "tags": [{"key": "Team", "value": "red"}], "transitiveTagKeys": ["Team"],
        },
        "responseElements": {
            "credentials": {
                "accessKeyId": answer["Credentials"]["AccessKeyId"], "expiration": "Jan 15, 2026, 12:15:00 PM",
            },
            "assumedRoleUser": {
                "assumedRoleId": answer["AssumedRoleUser"]["AssumedRoleId"],
                "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/ada"),
            },
            "packedPolicySize": answer["PackedPolicySize"],
            "sessionTokenSize": answer["SessionTokenSize"],
            "sessionTokenUtilization": answer["SessionTokenUtilization"],
        },
        "readOnly": true,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": arn}],
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn a_denial_tells_its_sentence_and_no_parameters() {
    let house = TestHouse::new().await;
    let keys = house.user("Bob", None).await;
    let event = house.event(&keys, "iam", "CreateUser", &[("UserName", "Eve")]).await;
    assert_eq!(event["errorCode"], "AccessDenied");
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/Bob is not authorized to perform: iam:CreateUser on resource: \
         arn:aws:iam::{ACCOUNT}:user/Eve because no identity-based policy allows the iam:CreateUser action"
    );
    assert_eq!(event["errorMessage"], message);
    assert_eq!((&event["requestParameters"], &event["responseElements"]), (&Value::Null, &Value::Null));
    assert!(event.as_object().unwrap().contains_key("requestParameters"), "null, not absent");
    assert_eq!(event["awsRegion"], "us-east-1", "IAM is global");
    let event = house
        .event(
            &keys,
            "sts",
            "AssumeRole",
            &[("RoleArn", "arn:aws:iam::111122223333:role/No"), ("RoleSessionName", "xy")],
        )
        .await;
    assert_eq!((&event["errorCode"], event.get("resources")), (&json!("AccessDenied"), None));
}

#[tokio::test]
async fn other_errors_have_the_models_names_and_keep_the_parameters() {
    let house = TestHouse::new().await;
    let event = house.event(&house.root, "iam", "DeleteUser", &[("UserName", "Nobody")]).await;
    assert_eq!(event["errorCode"], "NoSuchEntityException");
    assert_eq!(event["requestParameters"], json!({"userName": "Nobody"}));
    house.root("iam", "CreateUser", &[("UserName", "Bob")]).await;
    let event = house.event(&house.root, "iam", "CreateUser", &[("UserName", "Bob")]).await;
    assert_eq!(event["errorCode"], "EntityAlreadyExistsException");
    assert_eq!((&event["readOnly"], &event["responseElements"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn a_role_of_another_account_is_heard_of_in_both() {
    let house = TestHouse::new().await;
    let other = house.account(OTHER).await;
    let keys = house.user("Bob", Some(ALLOW_ALL)).await;
    let made = [("RoleName", "Guest"), ("AssumeRolePolicyDocument", &trust(ACCOUNT))];
    house.call(&other, "iam", "CreateRole", &made).await.unwrap();
    let arn = format!("arn:aws:iam::{OTHER}:role/Guest");
    let params = [("RoleArn", arn.as_str()), ("RoleSessionName", "bob")];
    let events = house.events(house.call(&keys, "sts", "AssumeRole", &params)).await;
    let [ours, theirs] = events.as_slice() else { panic!("two events: {events:#?}") };
    assert_eq!(
        (&ours["recipientAccountId"], &theirs["recipientAccountId"]),
        (&json!(ACCOUNT), &json!(OTHER))
    );
    assert!(ours["sharedEventID"].is_string());
    assert_eq!(ours["sharedEventID"], theirs["sharedEventID"]);
    assert_ne!(ours["eventID"], theirs["eventID"]);
    assert_eq!(ours["requestID"], theirs["requestID"]);
    assert_eq!(ours["resources"], json!([{"accountId": OTHER, "type": "AWS::IAM::Role", "ARN": arn}]));
    assert_eq!(ours["userIdentity"]["userName"], "Bob");
    let stranger = json!({"type": "AWSAccount", "principalId": ours["userIdentity"]["principalId"], "accountId": ACCOUNT});
    assert_eq!(theirs["userIdentity"], stranger);
    assert_eq!(theirs["responseElements"], ours["responseElements"]);
}

#[tokio::test]
async fn a_role_of_another_account_that_was_refused_is_heard_of_in_the_callers_only() {
    let house = TestHouse::new().await;
    let other = house.account(OTHER).await;
    let keys = house.user("Bob", Some(ALLOW_ALL)).await;
    let made = [("RoleName", "Closed"), ("AssumeRolePolicyDocument", &trust(OTHER))];
    house.call(&other, "iam", "CreateRole", &made).await.unwrap();
    let arn = format!("arn:aws:iam::{OTHER}:role/Closed");
    let event =
        house.event(&keys, "sts", "AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "bob")]).await;
    assert_eq!(
        (&event["errorCode"], &event["recipientAccountId"]),
        (&json!("AccessDenied"), &json!(ACCOUNT))
    );
    assert_eq!(event.get("sharedEventID"), None);
}

#[tokio::test]
async fn reads_and_writes_are_told_apart_as_cloudtrail_does() {
    let house = TestHouse::new().await;
    let keys = house.user("Bob", Some(ALLOW_ALL)).await;
    for (service, action, params, read_only) in [
        ("sts", "GetSessionToken", &[][..], false),
        ("sts", "GetFederationToken", &[("Name", "Jill")], false),
        ("sts", "GetCallerIdentity", &[], true),
        ("iam", "ListUsers", &[], true),
        ("iam", "CreateUser", &[("UserName", "Eve")], false),
    ] {
        let event = house.event(&keys, service, action, params).await;
        assert_eq!(event["readOnly"], read_only, "{action}");
        assert_eq!(event["responseElements"].is_null(), read_only, "{action}: {event:#}");
    }
}

#[tokio::test]
async fn a_new_access_key_is_told_without_its_secret() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateUser", &[("UserName", "Bob")]).await;
    let event = house.event(&house.root, "iam", "CreateAccessKey", &[("UserName", "Bob")]).await;
    let mut elements = event["responseElements"].clone();
    let id = elements["accessKey"].as_object_mut().unwrap().remove("accessKeyId").unwrap();
    assert!(id.as_str().unwrap().starts_with("AKIA"));
    let rest = json!({"accessKey": {"userName": "Bob", "status": "Active", "createDate": "Jan 15, 2026, 12:00:00 PM"}});
    assert_eq!(elements, rest);
}

#[tokio::test]
async fn who_proved_nothing_is_told_of_without_an_identity_or_parameters() {
    let house = TestHouse::new().await;
    let wrong = Keys { secret_access_key: "wrong".into(), ..house.root.clone() };
    let event = house.event(&wrong, "iam", "CreateUser", &[("UserName", "Eve")]).await;
    assert_eq!(event["errorCode"], "SignatureDoesNotMatch");
    for absent in ["userIdentity", "recipientAccountId", "resources"] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    assert_eq!(event["requestParameters"], Value::Null);
    let event = house.event(&house.root, "sts", "NoSuchThing", &[]).await;
    assert_eq!((&event["errorCode"], event.get("readOnly")), (&json!("InvalidAction"), None));
}

#[tokio::test]
async fn the_key_that_a_failed_call_claimed_is_told_and_nothing_else_that_stood_in_its_place() {
    let house = TestHouse::new().await;
    let wrong = Keys { secret_access_key: "wrong".into(), ..house.root.clone() };
    let event = house.event(&wrong, "sts", "GetCallerIdentity", &[]).await;
    let claimed = json!({"presentedAccessKeyId": house.root.access_key_id});
    assert_eq!(event["additionalEventData"], claimed);
    let event = house.event(&house.root, "sts", "GetCallerIdentity", &[]).await;
    let signed = json!({"SignatureVersion": "SigV4"});
    assert_eq!(event["additionalEventData"], signed, "the identity of a proven caller has the key");
    // As if somebody had put the secret where the id belongs.
    let swapped = Keys { access_key_id: "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00".into(), ..wrong };
    let event = house.event(&swapped, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(event["errorCode"], "InvalidClientTokenId");
    assert!(!event.to_string().contains("wJalrXUtn"), "{event}");
}

#[tokio::test]
async fn what_a_caller_may_choose_freely_is_cut_short() {
    let house = TestHouse::new().await;
    let long = "x".repeat(5000);
    let http = HttpRequest::new("POST", "/", "")
        .with_header("host", "daypass.test")
        .with_header("user-agent", long.clone());
    let http = house.signed(&house.root, "sts", http);
    let params = Params::from_pairs(Vec::new()).map_err(|_| Error::internal("a test"));
    let events = house.events(house.send_http(http, "sts", &long, "2011-06-15", params)).await;
    let length = |event: &Value, name: &str| event[name].as_str().unwrap().len();
    assert_eq!((length(&events[0], "eventName"), length(&events[0], "userAgent")), (128, 1024));
    let arn = format!("arn:aws:iam::111122223333:policy/{}", &long[..1500]);
    let event = house.event(&house.root, "iam", "GetPolicy", &[("PolicyArn", &arn)]).await;
    assert_eq!(length(&event, "errorMessage"), 1024);
}

#[tokio::test]
async fn a_check_tells_who_was_asked_about_and_never_the_request_itself() {
    let house = TestHouse::new().await;
    let keys = house.user("Bob", Some(ALLOW_ALL)).await;
    let http = HttpRequest::new("GET", "/shelf/a.txt?token=hush", "").with_header("host", "store.test");
    let http = house.signed(&keys, "s3", http);
    let header =
        |(name, value): &(String, Vec<u8>)| json!({"Name": name, "Value": String::from_utf8_lossy(value)});
    let mut body = json!({
        "Request": {
            "Method": "GET", "Url": "https://store.test/shelf/a.txt?token=hush",
            "Headers": http.headers.iter().map(header).collect::<Vec<_>>(),
        },
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/a.txt",
        "Context": {"aws:SourceIp": ["192.0.2.7"], "aws:Referer": ["https://store.test/?token=hush"]},
    });
    let events = house.events(house.call_json(&house.root, "CheckRequest", &body)).await;
    let event = &events[0];
    let asked = json!({
        "action": "s3:GetObject", "resource": "arn:aws:s3:::shelf/a.txt", "context": {"aws:SourceIp": ["192.0.2.7"]},
    });
    assert_eq!(event["requestParameters"], asked);
    let context = json!({"aws:SourceIp": ["192.0.2.7"], "AWS:referer": ["https://store.test/?token=hush"]});
    let mut in_other_case = body.clone();
    in_other_case["Context"] = context;
    let again = house.events(house.call_json(&house.root, "CheckRequest", &in_other_case)).await;
    assert_eq!(again[0]["requestParameters"], asked, "condition keys ignore case");
    let bob = format!("arn:aws:iam::{ACCOUNT}:user/Bob");
    assert_eq!(
        event["additionalEventData"],
        json!({"SignatureVersion": "SigV4", "decision": "Allowed", "principalArn": bob})
    );
    assert_eq!((&event["userIdentity"]["type"], &event["readOnly"]), (&json!("Root"), &json!(true)));
    assert_eq!(
        (&event["eventSource"], &event["responseElements"]),
        (&json!("daypass.amazonaws.com"), &Value::Null)
    );
    assert!(!event.to_string().contains("hush") && !event.to_string().contains("Signature="));
    for key in ["aws:referer", "AWS:REFERER"] {
        body["Context"] = json!({key: ["https://store.test/?token=hush"]});
        let events = house.events(house.call_json(&house.root, "CheckRequest", &body)).await;
        assert_eq!(events[0]["requestParameters"]["context"], json!({}), "{key}");
    }
    body["Request"]["Method"] = json!("PUT");
    let events = house.events(house.call_json(&house.root, "CheckRequest", &body)).await;
    let checked = json!({"SignatureVersion": "SigV4", "decision": "ImplicitlyDenied", "authenticationError": "SignatureDoesNotMatch"});
    assert_eq!(events[0]["additionalEventData"], checked);
}

#[tokio::test]
async fn a_call_that_was_decided_twice_has_one_event() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    house.root("iam", "CreateUser", &[("UserName", "Bob")]).await;
    let tag = |key| [("UserName", "Bob"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", "x")];
    let (a, b) = (tag("A"), tag("B"));
    let mut outcomes = [const { None }; 2];
    let events = house
        .events(async { outcomes = race(&house, &gate, ("TagUser", &a), ("TagUser", &b)).await.map(Some) })
        .await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap().is_ok()), "{outcomes:?}");
    assert_eq!(events.len(), 2);
    assert_ne!(events[0]["requestID"], events[1]["requestID"]);
}

#[tokio::test]
async fn a_call_that_is_dropped_on_its_way_has_one_event_too() {
    let house = TestHouse::new().await;
    let user = [("UserName", "Bob")];
    let call = house.call(&house.root, "iam", "CreateUser", &user);
    // One poll: the commit is made, the call still waits to see it.
    let once = async {
        let mut call = std::pin::pin!(call);
        std::future::poll_fn(|context| std::task::Poll::Ready(call.as_mut().poll(context).is_pending())).await
    };
    let events = house.events(async { assert!(once.await, "the call must be under way") }).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["errorCode"], &events[0]["requestParameters"]["userName"]),
        (&json!("InternalFailure"), &json!("Bob"))
    );
}

/// A log whose room can be taken away before or after a call acts.
#[derive(Clone, Default)]
struct Scarce(Arc<Mutex<Room>>);

#[derive(Default)]
struct Room {
    to_reserve: bool,
    to_append: bool,
    outstanding: usize,
    lines: Vec<String>,
}

impl AuditLog for Scarce {
    fn reserve(&self, bytes: usize) -> Result<(), Error> {
        let mut room = self.0.lock().unwrap();
        if !room.to_reserve {
            return Err(Error::unavailable("full"));
        }
        room.outstanding += bytes;
        Ok(())
    }

    fn append(&self, lines: String, reserved: usize) -> bool {
        let mut room = self.0.lock().unwrap();
        room.outstanding -= reserved;
        assert!(reserved == 0 || lines.len() <= reserved, "{} > {reserved}", lines.len());
        if room.to_append {
            room.lines.push(lines);
        }
        room.to_append
    }

    fn give_back(&self, reserved: usize) {
        self.0.lock().unwrap().outstanding -= reserved;
    }
}

/// The same directory behind a scarce audit.
struct ScarceHouse<'a> {
    test: &'a TestHouse,
    log: Scarce,
    house: House,
}

impl<'a> ScarceHouse<'a> {
    fn new(test: &'a TestHouse) -> Self {
        let log = Scarce::default();
        let house = House {
            directory: test.house.directory.clone(),
            audit: Audit::new(Box::new(log.clone())),
            settings: Settings::default(),
            session_log: SessionLog::in_memory(1),
            provider_keys: ProviderKeys::asking_nobody(),
            signing_keys: SigningKeyCache::new(10),
            assertions: daypass_service::federation::Assertions::default(),
            passwords: daypass_service::Passwords::default(),
            refusals: daypass_service::federation::Refusals::default(),
            decisions: daypass_service::DecisionLog::default(),
        };
        Self { test, log, house }
    }

    fn room(&self, to_reserve: bool, to_append: bool) {
        let mut room = self.log.0.lock().unwrap();
        (room.to_reserve, room.to_append) = (to_reserve, to_append);
    }

    /// The code of the outcome, or `ok`.
    async fn call(
        &self,
        who: &Keys,
        service: &'static str,
        action: &str,
        params: &[(&str, &str)],
    ) -> &'static str {
        let pairs: Vec<_> =
            params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body: String = pairs.iter().map(|(name, value)| format!("{name}={value}&")).collect();
        let http = HttpRequest::new("POST", "/", body).with_header("host", "daypass.test");
        let request = Request {
            id: "00000000-0000-4000-8000-000000000000".into(),
            source_ip: None,
            secure: None,
            http: self.test.signed(who, service, http),
            service,
            action: action.into(),
            version: None,
            params: Params::from_pairs(pairs).map_err(|_| Error::internal("a test")),
        };
        let response = call(&self.house, request).await;
        response.outcome.map_or_else(|error| error.code, |_| "ok")
    }
}

#[tokio::test]
async fn without_room_in_the_audit_nothing_is_changed_or_issued_and_reads_go_on() {
    let test = TestHouse::new().await;
    let bob = test.user("Bob", Some(ALLOW_ALL)).await;
    let scarce = ScarceHouse::new(&test);
    scarce.room(false, false);
    let before = test.stored().await.0;
    for (service, action, params) in [
        ("iam", "CreateUser", &[("UserName", "Eve")][..]),
        ("sts", "GetSessionToken", &[]),
        ("sts", "GetFederationToken", &[("Name", "Jill")]),
    ] {
        assert_eq!(scarce.call(&bob, service, action, params).await, "ServiceUnavailable", "{action}");
    }
    assert_eq!(test.stored().await.0, before);
    for (service, action) in [("iam", "ListUsers"), ("sts", "GetCallerIdentity")] {
        assert_eq!(scarce.call(&bob, service, action, &[]).await, "ok", "{action}");
    }
    scarce.room(true, true);
    assert_eq!(scarce.call(&bob, "iam", "CreateUser", &[("UserName", "Eve")]).await, "ok");
    assert_eq!(scarce.log.0.lock().unwrap().lines.len(), 1);
}

#[tokio::test]
async fn credentials_whose_event_cannot_be_written_are_not_returned() {
    let test = TestHouse::new().await;
    let scarce = ScarceHouse::new(&test);
    scarce.room(true, false);
    assert_eq!(scarce.call(&test.root, "sts", "GetSessionToken", &[]).await, "ServiceUnavailable");
    assert_eq!(scarce.call(&test.root, "sts", "GetCallerIdentity", &[]).await, "ok");
}

#[tokio::test]
async fn all_room_is_given_back_and_was_enough() {
    let test = TestHouse::new().await;
    let bob = test.user("Bob", None).await;
    let scarce = ScarceHouse::new(&test);
    scarce.room(true, true);
    // Control characters take six bytes in JSON, and a long description is allowed to hold some.
    let description = "\u{a1}\t\n".repeat(300);
    let policy = format!("{ALLOW_ALL}{}", " ".repeat(5000));
    let params = [("PolicyName", "P"), ("PolicyDocument", policy.as_str()), ("Description", &description)];
    assert_eq!(scarce.call(&test.root, "iam", "CreatePolicy", &params).await, "ok");
    assert_eq!(scarce.call(&bob, "iam", "CreatePolicy", &params).await, "AccessDenied");
    assert_eq!(scarce.call(&test.root, "iam", "DeleteUser", &[("UserName", "Nobody")]).await, "NoSuchEntity");
    assert_eq!(scarce.call(&test.root, "iam", "CreateUser", &[]).await, "ValidationError");
    let room = scarce.log.0.lock().unwrap();
    assert_eq!((room.lines.len(), room.outstanding), (4, 0));
    assert!(room.lines[0].len() > 5000, "the document is in the event");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_its_turn_holds_no_room() {
    let gate = Gate::new();
    let test = TestHouse::on(gate.clone()).await;
    let scarce = ScarceHouse::new(&test);
    scarce.room(true, true);
    let turn = test.house.directory.turn(ACCOUNT.parse().unwrap()).await;
    gate.arm();
    let names = [[("UserName", "Bob")], [("UserName", "BOB")]];
    let [one, other] = names.each_ref().map(|name| scarce.call(&test.root, "iam", "CreateUser", name));
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (done, mut second) = tokio::select! {
        done = &mut one => (done, other),
        done = &mut other => (done, one),
    };
    assert_eq!(done, "ok");
    // The clock of the test goes on when nothing else can: then the call waits for its turn.
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut second).await.is_err());
    assert_eq!(scarce.log.0.lock().unwrap().outstanding, 0);
    // What it had given back it must get again before it acts.
    scarce.room(false, true);
    drop(turn);
    assert_eq!(second.await, "ServiceUnavailable");
    assert_eq!(scarce.log.0.lock().unwrap().outstanding, 0);
}

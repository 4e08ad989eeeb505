//! Services that accounts run: who may speak for one, which roles let it in, and what each account hears of it.
//!
//! `scheduler.internal` is run by the first account of every test house; the roles are another's.

use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};
use crate::world::session_id;

const JOB: &str = "arn:aws:scheduler:eu-west-1:444455556666:job/7";

/// A scheduler, and an account with the role `Nightly`.
struct Scene {
    house: TestHouse,
    /// A user of the account that runs the scheduler.
    scheduler: Keys,
    /// Root of the account with the role.
    customer: Keys,
}

impl Scene {
    async fn new(trust: &str) -> Self {
        let house = TestHouse::new().await;
        let scheduler = house.user("Scheduler", Some(ALLOW_ALL)).await;
        let customer = house.account(OTHER).await;
        let scene = Self { house, scheduler, customer };
        let role = [("RoleName", "Nightly"), ("AssumeRolePolicyDocument", trust)];
        scene.customers("CreateRole", &role).await;
        scene
    }

    async fn customers(&self, action: &str, params: &[(&str, &str)]) -> Value {
        self.house.call(&self.customer, "iam", action, params).await.unwrap()
    }

    async fn trust(&self, document: &str) {
        let params = [("RoleName", "Nightly"), ("PolicyDocument", document)];
        self.customers("UpdateAssumeRolePolicy", &params).await;
    }

    /// The scheduler's user asks for `Nightly`, and for more.
    async fn ask(&self, more: Value) -> Result<Value, (String, String)> {
        self.ask_as(&self.scheduler, more).await
    }

    async fn ask_as(&self, who: &Keys, more: Value) -> Result<Value, (String, String)> {
        let mut body = json!({"ServiceName": "scheduler.internal", "RoleSessionName": "job-7",
            "RoleArn": format!("arn:aws:iam::{OTHER}:role/Nightly")});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.house.call_json(who, "AssumeRoleForService", &body).await;
        answer.map_err(|error| (error.code.to_owned(), error.message))
    }
}

fn trusting(principal: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!(r#","Condition":{condition}"#) };
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"{condition}}}]}}"#
    )
}

const SCHEDULER: &str = r#"{"Service":"scheduler.internal"}"#;

/// What is said whatever keeps the service from a role.
fn no_role() -> (String, String) {
    ("AccessDenied".into(), "Not authorized to perform sts:AssumeRole".into())
}

/// What is said to whoever does not speak for the service.
fn no_voice(who: &str, service: &str, account: &str) -> (String, String) {
    let message = format!(
        "User: {who} is not authorized to perform: daypass:AssumeRoleForService on resource: \
         arn:aws:daypass::{account}:service/{service}"
    );
    ("AccessDenied".into(), message)
}

#[tokio::test]
async fn a_service_gets_a_role_of_another_account_that_trusts_it() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    let answer = scene.ask(json!({"DurationSeconds": 900})).await.unwrap();
    let session = Keys::of(&answer["Credentials"]);
    let who = scene.house.call(&session, "sts", "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(who["Arn"], json!(format!("arn:aws:sts::{OTHER}:assumed-role/Nightly/job-7")));
    assert_eq!(who["Arn"], answer["AssumedRoleUser"]["Arn"]);
    assert_eq!(answer.get("PackedPolicySize"), None);
    // From where the service asked is not told to the role's account, here as in its audit.
    let listed = scene.house.call_json(&scene.customer, "ListSessions", &json!({})).await.unwrap();
    let listed = &listed["Sessions"][0];
    assert_eq!(listed["AccessKeyId"], json!(session.access_key_id));
    assert_eq!((listed.get("SourceIpAddress"), listed.get("UserAgent")), (None, None));
    // It is the role's session and no more: its policies decide.
    let denied = scene.house.call(&session, "iam", "ListRoles", &[]).await.unwrap_err();
    assert!(
        denied.message.ends_with("because no identity-based policy allows the iam:ListRoles action"),
        "{denied}"
    );
    scene.house.clock.advance(901);
    assert_eq!(
        scene.house.call(&session, "sts", "GetCallerIdentity", &[]).await.unwrap_err().code,
        "ExpiredToken"
    );
}

#[tokio::test]
async fn nobody_speaks_for_a_service_of_another_account_or_of_nobody() {
    let scene = Scene::new(&trusting(
        r#"{"Service":["scheduler.internal","nobody.internal","ec2.amazonaws.com"]}"#,
        "",
    ))
    .await;
    // In the role's own account, with every permission, and the same for root's users elsewhere.
    let policy = [("UserName", "Eve"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    scene.customers("CreateUser", &[("UserName", "Eve")]).await;
    scene.customers("PutUserPolicy", &policy).await;
    let eve = Keys::of(&scene.customers("CreateAccessKey", &[("UserName", "Eve")]).await["AccessKey"]);
    let arn = format!("arn:aws:iam::{OTHER}:user/Eve");
    let told = scene.ask_as(&eve, json!({})).await.unwrap_err();
    assert_eq!(told, no_voice(&arn, "scheduler.internal", OTHER));
    // A name that is somebody's and one that is nobody's look alike.
    let told = scene.ask_as(&eve, json!({"ServiceName": "nobody.internal"})).await.unwrap_err();
    assert_eq!(told, no_voice(&arn, "nobody.internal", OTHER));
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/Scheduler");
    for name in
        ["nobody.internal", "SCHEDULER.internal", "scheduler.internal.", "ec2.amazonaws.com", "Nightly"]
    {
        let told = scene.ask(json!({"ServiceName": name})).await.unwrap_err();
        assert_eq!(told, no_voice(&arn, name, ACCOUNT), "{name}");
    }
}

#[tokio::test]
async fn whoever_speaks_for_a_service_must_be_allowed_to_by_role_and_source() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    let nobody = scene.house.user("Nobody", None).await;
    let (code, message) = scene.ask_as(&nobody, json!({})).await.unwrap_err();
    let reason = "because no identity-based policy allows the daypass:AssumeRoleForService action";
    assert!(code == "AccessDenied" && message.ends_with(reason), "{message}");
    let rule = |condition: Value| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "daypass:AssumeRoleForService",
            "Resource": format!("arn:aws:daypass::{ACCOUNT}:service/scheduler.internal"), "Condition": condition}]})
        .to_string()
    };
    let said = json!({"SourceAccount": OTHER, "SourceArn": JOB});
    for (n, (condition, allowed)) in [
        (json!({"ArnLike": {"daypass:RoleArn": format!("arn:aws:iam::{OTHER}:role/*")}}), true),
        (json!({"ArnLike": {"daypass:RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/*")}}), false),
        (json!({"StringEquals": {"daypass:SourceAccount": OTHER}}), true),
        (json!({"StringEquals": {"daypass:SourceAccount": ACCOUNT}}), false),
        (json!({"ArnLike": {"daypass:SourceArn": JOB}}), true),
        (json!({"Null": {"daypass:SourceArn": "true"}}), false),
        // Of whom the service acts for the role may ask, and not who speaks for it: that is the caller's word here.
        (json!({"ArnLike": {"aws:SourceArn": JOB}}), false),
    ]
    .into_iter()
    .enumerate()
    {
        let user = scene.house.user(&format!("U{n}"), Some(&rule(condition.clone()))).await;
        assert_eq!(scene.ask_as(&user, said.clone()).await.is_ok(), allowed, "{condition}");
    }
    let other = rule(json!({})).replace("scheduler.internal", "other.internal");
    let user = scene.house.user("Other", Some(&other)).await;
    assert_eq!(scene.ask_as(&user, json!({})).await.unwrap_err().0, "AccessDenied");
}

#[tokio::test]
async fn a_role_lets_in_the_services_that_it_names_and_nobody_for_being_anybody() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    let is = |value: &str| format!(r#"{{"Bool":{{"aws:PrincipalIsAWSService":"{value}"}}}}"#);
    let named = |name: &str| format!(r#"{{"StringEquals":{{"aws:PrincipalServiceName":"{name}"}}}}"#);
    let list = r#"{"ForAnyValue:StringEquals":{"aws:PrincipalServiceNamesList":"scheduler.internal"}}"#;
    for (trust, lets_in) in [
        (trusting(r#"{"Service":["batch.amazonaws.com","scheduler.internal"]}"#, ""), true),
        (trusting(SCHEDULER, &is("true")), true),
        (trusting(SCHEDULER, &named("scheduler.internal")), true),
        (trusting(SCHEDULER, list), true),
        (trusting(SCHEDULER, &is("false")), false),
        (trusting(SCHEDULER, &named("batch.amazonaws.com")), false),
        (trusting(r#"{"Service":"batch.amazonaws.com"}"#, ""), false),
        (trusting(r#"{"Service":"Scheduler.internal"}"#, ""), false),
        // Everybody is everybody with an account; the account that runs the service is not the service.
        (trusting(r#"{"AWS":"*"}"#, ""), false),
        (trusting(r#"{"AWS":"*"}"#, &is("true")), false),
        (trusting(&format!(r#"{{"AWS":"{ACCOUNT}"}}"#), ""), false),
        (trusting(&format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:user/Scheduler"}}"#), ""), false),
        (trusting(&format!(r#"{{"AWS":"{OTHER}"}}"#), ""), false),
    ] {
        scene.trust(&trust).await;
        let outcome = scene.ask(json!({})).await.map(drop);
        assert_eq!(outcome, if lets_in { Ok(()) } else { Err(no_role()) }, "{trust}");
    }
    // What would be a pattern of services is refused when it is written.
    for pattern in ["*", "*.internal", "scheduler.*", "scheduler", "?cheduler.internal"] {
        let document = trusting(&format!(r#"{{"Service":"{pattern}"}}"#), "");
        let params = [("RoleName", "Nightly"), ("PolicyDocument", document.as_str())];
        let refused =
            scene.house.call(&scene.customer, "iam", "UpdateAssumeRolePolicy", &params).await.unwrap_err();
        let expected = format!(r#"Invalid principal in policy: "SERVICE":"{pattern}""#);
        assert_eq!((refused.code, refused.message), ("MalformedPolicyDocument", expected));
    }
}

#[tokio::test]
async fn a_deny_holds_for_services_whoever_it_names() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    let denies = |principal: &str, condition: &str| {
        let deny = trusting(principal, condition).replace("Allow", "Deny");
        let deny = deny.split_once(r#""Statement":["#).unwrap().1.trim_end_matches("]}").to_owned();
        trusting(SCHEDULER, "").replace("]}", &format!(",{deny}]}}"))
    };
    let not_mine = format!(r#"{{"StringNotEquals":{{"aws:SourceAccount":"{OTHER}"}}}}"#);
    for (trust, said, lets_in) in [
        (denies(r#"{"AWS":"*"}"#, ""), json!({}), false),
        (denies(SCHEDULER, ""), json!({}), false),
        (denies(r#"{"Service":"batch.amazonaws.com"}"#, ""), json!({}), true),
        (denies(SCHEDULER, &not_mine), json!({}), false),
        (denies(SCHEDULER, &not_mine), json!({"SourceAccount": ACCOUNT}), false),
        (denies(SCHEDULER, &not_mine), json!({"SourceAccount": OTHER}), true),
    ] {
        scene.trust(&trust).await;
        assert_eq!(scene.ask(said.clone()).await.is_ok(), lets_in, "{trust} {said}");
    }
}

#[tokio::test]
async fn a_service_that_acts_for_somebody_else_is_no_deputy() {
    let source = r#"{"StringEquals":{"aws:SourceAccount":"444455556666"},"ArnLike":{"aws:SourceArn":"arn:aws:scheduler:*:444455556666:job/*"}}"#;
    let scene = Scene::new(&trusting(SCHEDULER, source)).await;
    let of = |account: &str, arn: &str| json!({"SourceAccount": account, "SourceArn": arn});
    scene.ask(of(OTHER, JOB)).await.unwrap();
    let theirs = "arn:aws:scheduler:eu-west-1:111122223333:job/7";
    for said in [
        json!({}),
        json!({"SourceAccount": OTHER}),
        json!({"SourceArn": JOB}),
        of(ACCOUNT, theirs),
        json!({"SourceArn": theirs}),
        of(OTHER, "arn:aws:queue:eu-west-1:444455556666:job/7"),
    ] {
        assert_eq!(scene.ask(said.clone()).await, Err(no_role()), "{said}");
    }
    for said in
        [of(OTHER, theirs), of("4444", JOB), of(OTHER, "job/7"), of(OTHER, "*"), of(OTHER, "arn:aws:x:y:z:q")]
    {
        assert_eq!(scene.ask(said.clone()).await.unwrap_err().0, "ValidationError", "{said}");
    }
    // Nothing that a service is not asked for makes a key of that name.
    let owner = r#"{"StringEquals":{"aws:SourceOwner":"444455556666"}}"#;
    scene.trust(&trusting(SCHEDULER, owner)).await;
    assert_eq!(scene.ask(of(OTHER, JOB)).await, Err(no_role()));
    let agreed = r#"{"StringEquals":{"sts:ExternalId":"agreed"}}"#;
    scene.trust(&trusting(SCHEDULER, agreed)).await;
    assert_eq!(scene.ask(json!({"ExternalId": "guessed"})).await, Err(no_role()));
    scene.ask(json!({"ExternalId": "agreed"})).await.unwrap();
}

#[tokio::test]
async fn tags_and_a_source_identity_need_their_own_permissions() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    let tagged = json!({"Tags": [{"Key": "Team", "Value": "red"}], "TransitiveTagKeys": ["Team"]});
    let named = json!({"SourceIdentity": "ada"});
    assert_eq!(scene.ask(tagged.clone()).await, Err(no_role()));
    assert_eq!(scene.ask(named.clone()).await, Err(no_role()));
    let all = trusting(SCHEDULER, "")
        .replace(r#""sts:AssumeRole""#, r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]"#);
    scene.trust(&all).await;
    let answer = scene.ask(named).await.unwrap();
    assert_eq!(answer["SourceIdentity"], json!("ada"));
    let session = Keys::of(&scene.ask(tagged).await.unwrap()["Credentials"]);
    let rule = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}]}"#;
    let policy = [("RoleName", "Nightly"), ("PolicyName", "p"), ("PolicyDocument", rule)];
    scene.customers("PutRolePolicy", &policy).await;
    scene.house.call(&session, "iam", "ListRoles", &[]).await.unwrap();
    // A session policy limits it.
    let less = json!({"Policy": ALLOW_ALL.replace("Allow", "Deny")});
    let session = Keys::of(&scene.ask(less).await.unwrap()["Credentials"]);
    let denied = scene.house.call(&session, "iam", "ListRoles", &[]).await.unwrap_err();
    assert!(denied.message.contains("explicit deny in a session policy"), "{denied}");
}

#[tokio::test]
async fn missing_untrusting_and_closed_are_refused_alike() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    let role = |arn: &str| json!({"RoleArn": arn});
    for arn in [
        format!("arn:aws:iam::{OTHER}:role/Missing"),
        format!("arn:aws:iam::{OTHER}:role/nightly"),
        format!("arn:aws:iam::{OTHER}:role/x/Nightly"),
        format!("arn:aws:iam::{OTHER}:user/Nightly"),
        "arn:aws:iam::999988887777:role/Nightly".to_owned(),
        format!("arn:aws:iam::{OTHER}:role/*"),
    ] {
        assert_eq!(scene.ask(role(&arn)).await, Err(no_role()), "{arn}");
    }
    let session = Keys::of(&scene.ask(json!({})).await.unwrap()["Credentials"]);
    scene.house.house.directory.close_account(OTHER.parse().unwrap(), "r").await.unwrap();
    assert_eq!(scene.ask(json!({})).await, Err(no_role()));
    assert!(scene.house.call(&session, "sts", "GetCallerIdentity", &[]).await.is_err());
}

#[tokio::test]
async fn a_service_of_a_closed_account_is_nobodys() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    scene.house.house.directory.close_account(ACCOUNT.parse().unwrap(), "r").await.unwrap();
    assert_eq!(scene.ask(json!({})).await.unwrap_err().0, "InvalidClientTokenId");
    let told = scene.ask_as(&scene.customer, json!({})).await.unwrap_err();
    assert_eq!(told.0, "AccessDenied");
}

#[tokio::test]
async fn a_session_of_the_service_ends_with_the_session_that_asked_for_it() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    let asked = scene.house.call(&scene.scheduler, "sts", "GetSessionToken", &[]).await.unwrap();
    let speaker = Keys::of(&asked["Credentials"]);
    let session = Keys::of(&scene.ask_as(&speaker, json!({})).await.unwrap()["Credentials"]);
    let alone = Keys::of(&scene.ask(json!({})).await.unwrap()["Credentials"]);
    let revoke = json!({"SessionId": session_id(&scene.house, &speaker), "IncludeIssued": true});
    scene.house.call_json(&scene.house.root, "RevokeSession", &revoke).await.unwrap();
    let ask = async |who: &Keys| scene.house.call(who, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(ask(&session).await.unwrap_err().code, "ExpiredToken");
    ask(&alone).await.unwrap();
    // The role's account ends it too, with the role.
    scene.customers("DeleteRole", &[("RoleName", "Nightly")]).await;
    assert!(ask(&alone).await.is_err());
}

#[tokio::test]
async fn both_accounts_hear_of_it_and_the_roles_account_that_the_service_came() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    let before = scene.house.audit.lock().unwrap().len();
    scene.ask(json!({"SourceArn": JOB, "SourceAccount": OTHER})).await.unwrap();
    let events: Vec<Value> = scene.house.audit.lock().unwrap().iter().skip(before).cloned().collect();
    let [own, theirs] = events.as_slice() else { panic!("two events: {events:#?}") };
    assert_eq!(
        (&own["eventName"], &own["recipientAccountId"]),
        (&json!("AssumeRoleForService"), &json!(ACCOUNT))
    );
    assert_eq!(own["userIdentity"]["userName"], json!("Scheduler"));
    assert_eq!(own["requestParameters"]["serviceName"], json!("scheduler.internal"));
    assert_eq!(theirs["eventSource"], json!("sts.amazonaws.com"));
    assert_eq!((&theirs["eventName"], &theirs["recipientAccountId"]), (&json!("AssumeRole"), &json!(OTHER)));
    assert_eq!(theirs["userIdentity"], json!({"type": "AWSService", "invokedBy": "scheduler.internal"}));
    assert_eq!(theirs["sourceIPAddress"], json!("scheduler.internal"));
    assert_eq!(theirs["requestParameters"]["sourceArn"], json!(JOB));
    assert_eq!(theirs["requestParameters"].get("serviceName"), None);
    assert_eq!(theirs["resources"][0]["ARN"], json!(format!("arn:aws:iam::{OTHER}:role/Nightly")));
    assert!(own["sharedEventID"].is_string() && own["sharedEventID"] == theirs["sharedEventID"]);
    let text = theirs.to_string();
    assert!(
        !text.contains("user/Scheduler") && !text.contains("AIDA") && !text.contains("secretAccessKey"),
        "{text}"
    );
    assert!(theirs["responseElements"]["credentials"]["accessKeyId"].is_string());
    // Refused: the account that asked hears of it.
    let before = scene.house.audit.lock().unwrap().len();
    scene.trust(&trusting(r#"{"Service":"batch.amazonaws.com"}"#, "")).await;
    assert_eq!(scene.ask(json!({})).await, Err(no_role()));
    let events: Vec<Value> = scene.house.audit.lock().unwrap().iter().skip(before + 1).cloned().collect();
    let told: Vec<_> = events.iter().map(|event| &event["recipientAccountId"]).collect();
    assert_eq!(told, [&json!(ACCOUNT)]);
}

#[tokio::test]
async fn in_one_account_the_service_has_an_event_of_its_own_all_the_same() {
    let scene = Scene::new(&trusting(SCHEDULER, "")).await;
    let trust = trusting(SCHEDULER, "");
    let role = [("RoleName", "Here"), ("AssumeRolePolicyDocument", trust.as_str())];
    scene.house.root("iam", "CreateRole", &role).await;
    let before = scene.house.audit.lock().unwrap().len();
    scene.ask(json!({"RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/Here")})).await.unwrap();
    let events: Vec<Value> = scene.house.audit.lock().unwrap().iter().skip(before).cloned().collect();
    let names: Vec<_> = events.iter().map(|event| &event["eventName"]).collect();
    assert_eq!(names, [&json!("AssumeRoleForService"), &json!("AssumeRole")]);
    assert_eq!(events[1]["recipientAccountId"], json!(ACCOUNT));
}

#[tokio::test]
async fn the_roles_account_can_ask_why_and_the_other_learns_nothing_of_its_policy() {
    let scene = Scene::new(&trusting(r#"{"Service":"batch.amazonaws.com"}"#, "")).await;
    assert_eq!(scene.ask(json!({})).await, Err(no_role()));
    let id = json!({"RequestId": scene.house.last_request_id()});
    let told = scene.house.call_json(&scene.customer, "ExplainRequest", &id).await.unwrap();
    let decision = &told["Decisions"][0];
    assert_eq!(
        (&decision["Action"], &decision["Decision"]),
        (&json!("sts:AssumeRole"), &json!("ImplicitlyDenied"))
    );
    let told = scene.house.call_json(&scene.house.root, "ExplainRequest", &id).await.unwrap();
    let actions: Vec<_> =
        told["Decisions"].as_array().unwrap().iter().map(|decision| decision["Action"].clone()).collect();
    assert_eq!(actions, [json!("daypass:AssumeRoleForService")]);
}

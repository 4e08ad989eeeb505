//! Machines: who may register one, how one joins, what its key and its tasks' tokens are good for, and what ends with it.
//! LONG: one yard, and everything that may and may not be done in it.

use daypass_authn::machine::{MachineKey, Purpose};
use daypass_authn::sigv4::HttpRequest;
use daypass_directory::key;
use daypass_model::limits::{INSTANCES_PER_ACCOUNT_MAX, TASKS_PER_INSTANCE_MAX};
use daypass_service::params::Params;
use daypass_service::{Error, Settings};
use serde_json::{Map, Value, json};

use crate::race::Gate;
use crate::support::{ACCOUNT, Keys, TestHouse};
use crate::world::claims;

const SERVER: &str = "https://sts.example.com";

/// A house with the role `Crew`, which trusts these services, in the profile `Fleet`, and a machine of that.
pub(crate) struct Yard {
    pub(crate) house: TestHouse,
    pub(crate) arn: String,
    pub(crate) secret: String,
    pub(crate) key: MachineKey,
}

pub(crate) fn trusting(services: &[&str]) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}]})
    .to_string()
}

impl Yard {
    pub(crate) async fn new() -> Self {
        Self::trusted_by(&trusting(&["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"])).await
    }

    async fn trusted_by(trust: &str) -> Self {
        Self::of(TestHouse::new().await, trust).await
    }

    pub(crate) async fn of(house: TestHouse, trust: &str) -> Self {
        let role = [("RoleName", "Crew"), ("Path", "/fleet/"), ("AssumeRolePolicyDocument", trust)];
        house.root("iam", "CreateRole", &role).await;
        let all = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}]})
        .to_string();
        let policy = [("RoleName", "Crew"), ("PolicyName", "all"), ("PolicyDocument", all.as_str())];
        house.root("iam", "PutRolePolicy", &policy).await;
        house.root("iam", "CreateInstanceProfile", &[("InstanceProfileName", "Fleet")]).await;
        let both = [("InstanceProfileName", "Fleet"), ("RoleName", "Crew")];
        house.root("iam", "AddRoleToInstanceProfile", &both).await;
        let made = json!({"InstanceProfileName": "Fleet", "Region": "eu-central-1"});
        let made = house.call_json(&house.root, "RegisterInstance", &made).await.unwrap();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Self {
            house,
            arn: text("InstanceArn"),
            secret: text("JoinSecret"),
            key: MachineKey::generate().unwrap(),
        }
    }

    /// One whose machine joined.
    pub(crate) async fn joined() -> Self {
        let yard = Self::new().await;
        yard.join(&yard.key, &yard.secret).await.unwrap();
        yard
    }

    pub(crate) fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap()
    }

    fn proof(&self, key: &MachineKey, action: &str, params: &[(&str, &str)], at: i64) -> String {
        let purpose = Purpose { instance: &self.arn, action, params };
        let random = self.house.house.directory.random();
        key.prove(&purpose, SERVER, at, random).unwrap().expose_str().to_owned()
    }

    async fn call(&self, action: &str, params: &[(&str, &str)], proof: &str) -> Result<Value, Error> {
        let mut body: Map<String, Value> =
            params.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        body.insert("InstanceArn".into(), self.arn.as_str().into());
        body.insert("Proof".into(), proof.into());
        let params = Params::from_json(Value::Object(body).to_string().as_bytes())
            .map_err(|error| Error::new(error.code(), error.to_string()));
        let http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
        self.house.send_http(http, "daypass", action, "2026-11-01", params).await
    }

    pub(crate) async fn by(
        &self,
        key: &MachineKey,
        action: &str,
        params: &[(&str, &str)],
    ) -> Result<Value, Error> {
        self.call(action, params, &self.proof(key, action, params, self.house.clock_now())).await
    }

    pub(crate) async fn join(&self, key: &MachineKey, secret: &str) -> Result<Value, Error> {
        let public = key.public().text();
        self.by(key, "JoinInstance", &[("PublicKey", &public), ("JoinSecret", secret)]).await
    }

    pub(crate) async fn credentials(&self) -> Result<Value, Error> {
        self.by(&self.key, "GetInstanceCredentials", &[("RoleDelivery", "2.0")]).await
    }

    pub(crate) async fn root(&self, action: &str, body: Value) -> Value {
        self.house.call_json(&self.house.root, action, &body).await.unwrap()
    }

    /// A task with the role `Crew`: its id and token.
    pub(crate) async fn task(&self) -> (String, String) {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/fleet/Crew");
        let made = self.root("RegisterTask", json!({"InstanceId": self.id(), "RoleArn": role})).await;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("TaskId"), text("AuthorizationToken"))
    }

    pub(crate) async fn of_task(&self, task: &str, token: &str) -> Result<Value, Error> {
        self.by(&self.key, "GetTaskCredentials", &[("TaskId", task), ("AuthorizationToken", token)]).await
    }

    pub(crate) async fn who(&self, keys: &Keys) -> Result<Value, Error> {
        self.house.call(keys, "sts", "GetCallerIdentity", &[]).await
    }

    pub(crate) fn events(&self, name: &str) -> Vec<Value> {
        let audit = self.house.audit.lock().unwrap();
        audit.iter().filter(|event| event["eventName"] == name).cloned().collect()
    }
}

pub(crate) fn keys(answer: &Value) -> Keys {
    Keys::of(&answer["Credentials"])
}

pub(crate) fn told(outcome: Result<Value, Error>) -> (&'static str, String) {
    let error = outcome.unwrap_err();
    (error.code, error.message)
}

const NOT_THIS: &str = "There is no such instance, or the machine is not the one that joined as it.";
const NO_SECRET: &str = "The join secret is not that of the instance, or its time is over.";

#[tokio::test]
async fn a_machine_that_joined_gets_its_profiles_role_for_six_hours() {
    let yard = Yard::joined().await;
    let answer = yard.credentials().await.unwrap();
    assert_eq!(answer["RoleArn"], format!("arn:aws:iam::{ACCOUNT}:role/fleet/Crew"));
    // Whatever the role's MaxSessionDuration says of calls: it is an hour here.
    assert_eq!(answer["Credentials"]["Expiration"], yard.house.clock_now() + 21_600);
    let who = yard.who(&keys(&answer)).await.unwrap();
    assert_eq!(who["Arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/Crew/{}", yard.id()));
    let facts = yard.by(&yard.key, "GetInstanceMetadata", &[]).await.unwrap();
    assert_eq!(facts["InstanceId"], yard.id());
    assert_eq!((&facts["AccountId"], &facts["Region"]), (&json!(ACCOUNT), &json!("eu-central-1")));
    assert_eq!(facts["InstanceProfileArn"], format!("arn:aws:iam::{ACCOUNT}:instance-profile/Fleet"));
    assert_eq!(facts["RoleName"], "Crew");
    let role = yard.house.root("iam", "GetRole", &[("RoleName", "Crew")]).await;
    assert_eq!(facts["RoleId"], role["Role"]["RoleId"]);
    assert!(facts["InstanceProfileId"].as_str().unwrap().starts_with("AIPA"));
    let listed = yard.root("ListInstances", json!({})).await["Instances"][0].clone();
    assert_eq!(
        (&listed["JoinedDate"], &listed["JoinedFrom"]),
        (&json!(yard.house.clock_now()), &json!("192.0.2.10"))
    );
    assert_eq!(listed.get("JoinSecretExpiration"), None);
}

#[tokio::test]
async fn the_audit_says_which_service_asked_and_by_which_version_a_session_was_told() {
    let yard = Yard::joined().await;
    let answer = yard.credentials().await.unwrap();
    // "CloudTrail userIdentity element" in the AWS CloudTrail User Guide: AWSService, invokedBy.
    let event = &yard.events("GetInstanceCredentials")[0];
    assert_eq!(event["userIdentity"], json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}));
    assert_eq!(event["recipientAccountId"], ACCOUNT);
    assert!(event["requestParameters"].get("proof").is_none(), "{event}");
    let join = &yard.events("JoinInstance")[0];
    assert!(join["requestParameters"].get("joinSecret").is_none(), "{join}");
    assert!(!join.to_string().contains(&yard.secret));
    let listed = yard.house.call(&keys(&answer), "iam", "ListUsers", &[]).await;
    listed.unwrap();
    let context = &yard.events("ListUsers")[0]["userIdentity"]["sessionContext"];
    assert_eq!(context["ec2RoleDelivery"], "2.0");
    assert_eq!(context["sessionIssuer"]["userName"], "Crew");
}

#[tokio::test]
async fn policies_may_ask_how_a_session_was_told_and_of_which_machine_it_is() {
    let yard = Yard::joined().await;
    let only_2 = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NumericLessThan": {"ec2:RoleDelivery": "2.0"}}},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ArnNotEquals": {"ec2:SourceInstanceARN": yard.arn}}},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:Ec2InstanceSourceVpc": "false"}}}]});
    let only_2 = only_2.to_string();
    let policy = [("RoleName", "Crew"), ("PolicyName", "only-2"), ("PolicyDocument", only_2.as_str())];
    yard.house.root("iam", "PutRolePolicy", &policy).await;
    let by_2 = yard.credentials().await.unwrap();
    let by_1 = yard.by(&yard.key, "GetInstanceCredentials", &[("RoleDelivery", "1.0")]).await.unwrap();
    yard.house.call(&keys(&by_2), "iam", "ListUsers", &[]).await.unwrap();
    let refused = yard.house.call(&keys(&by_1), "iam", "ListUsers", &[]).await.unwrap_err();
    assert_eq!(refused.code, "AccessDenied");
}

#[tokio::test]
async fn a_join_secret_counts_once_and_the_account_hears_of_the_second_who_has_it() {
    let yard = Yard::new().await;
    let thief = MachineKey::generate().unwrap();
    yard.join(&thief, &yard.secret).await.unwrap();
    let (code, message) = told(yard.join(&yard.key, &yard.secret).await);
    assert_eq!(
        (code, message.as_str()),
        ("InvalidIdentityToken", "The join secret was used before, by another machine.")
    );
    let event = yard.events("JoinInstance").pop().unwrap();
    assert_eq!(event["recipientAccountId"], ACCOUNT);
    assert_eq!(event["errorMessage"], message);
    assert_eq!(event["additionalEventData"]["identityProvider"], yard.arn);
    // Whoever joined may say so again, as when the answer was lost.
    yard.join(&thief, &yard.secret).await.unwrap();
    assert_eq!(told(yard.credentials().await).1, NOT_THIS);
    let stolen = yard.by(&thief, "GetInstanceCredentials", &[("RoleDelivery", "2.0")]).await.unwrap();
    let onward = [("RoleArn", "arn:aws:iam::111122223333:role/fleet/Crew"), ("RoleSessionName", "on")];
    let self_trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/fleet/Crew"}, "Action": "sts:AssumeRole"}]});
    let trust = self_trust.to_string();
    let trust = [("RoleName", "Crew"), ("PolicyDocument", trust.as_str())];
    yard.house.root("iam", "UpdateAssumeRolePolicy", &trust).await;
    let chained = yard.house.call(&keys(&stolen), "sts", "AssumeRole", &onward).await.unwrap();
    // The way out: a new secret. The thief's key counts no more, nor does anything that it got, or made of that.
    let renewed = yard.root("RenewJoinSecret", json!({"InstanceId": yard.id()})).await;
    for gone in [&stolen, &chained] {
        assert_eq!(yard.who(&keys(gone)).await.unwrap_err().code, "ExpiredToken");
    }
    let again = yard.by(&thief, "GetInstanceCredentials", &[("RoleDelivery", "2.0")]).await;
    assert_eq!(told(again), ("InvalidIdentityToken", NOT_THIS.into()));
    assert_eq!(told(yard.join(&thief, &yard.secret).await).1, NO_SECRET, "the old secret");
    yard.join(&yard.key, renewed["JoinSecret"].as_str().unwrap()).await.unwrap();
    let mine = yard.credentials().await.unwrap();
    yard.who(&keys(&mine)).await.unwrap();
}

#[tokio::test]
async fn a_join_secret_is_bound_to_its_instance_and_to_its_time() {
    let yard = Yard::new().await;
    let other = yard
        .root("RegisterInstance", json!({"InstanceProfileName": "Fleet", "Region": "eu-central-1"}))
        .await;
    let others_secret = other["JoinSecret"].as_str().unwrap();
    assert_eq!(told(yard.join(&yard.key, others_secret).await), ("InvalidIdentityToken", NO_SECRET.into()));
    yard.house.clock.advance(3600);
    assert_eq!(told(yard.join(&yard.key, &yard.secret).await), ("InvalidIdentityToken", NO_SECRET.into()));
    let short = json!({"InstanceId": yard.id(), "JoinSecretSeconds": 60});
    let short = yard.root("RenewJoinSecret", short).await;
    yard.house.clock.advance(59);
    yard.join(&yard.key, short["JoinSecret"].as_str().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_proof_counts_once_for_one_call_and_with_one_key() {
    let yard = Yard::joined().await;
    let now = yard.house.clock_now();
    let params = [("RoleDelivery", "2.0")];
    let action = "GetInstanceCredentials";
    let proof = yard.proof(&yard.key, action, &params, now);
    yard.call(action, &params, &proof).await.unwrap();
    let used = ("InvalidIdentityToken", "The proof was used before.".to_owned());
    assert_eq!(told(yard.call(action, &params, &proof).await), used);
    // Made for another call, by another key, of another machine.
    let of_join = yard.proof(&yard.key, "JoinInstance", &params, now);
    let of_1 = yard.proof(&yard.key, action, &[("RoleDelivery", "1.0")], now);
    let strange = yard.proof(&MachineKey::generate().unwrap(), action, &params, now);
    let elsewhere = Purpose {
        instance: "arn:aws:ec2:eu-central-1:111122223333:instance/i-00000000000000000",
        action,
        params: &params,
    };
    let elsewhere = yard.key.prove(&elsewhere, SERVER, now, yard.house.house.directory.random()).unwrap();
    for other in [&of_join, &of_1, &strange, elsewhere.expose_str(), "none", ""] {
        let (code, _) = told(yard.call(action, &params, other).await);
        assert!(matches!(code, "InvalidIdentityToken" | "ValidationError"), "{other}");
    }
    for at in [now - 301, now + 301] {
        let (code, message) =
            told(yard.call(action, &params, &yard.proof(&yard.key, action, &params, at)).await);
        assert_eq!(code, "ExpiredTokenException");
        assert!(message.contains("the clock of the machine or of the server is wrong"), "{message}");
    }
    // Of join calls alike: a proof that was seen is no second one.
    let public = yard.key.public().text();
    let params = [("PublicKey", public.as_str()), ("JoinSecret", yard.secret.as_str())];
    let proof = yard.proof(&yard.key, "JoinInstance", &params, now);
    yard.call("JoinInstance", &params, &proof).await.unwrap();
    assert_eq!(told(yard.call("JoinInstance", &params, &proof).await), used);
    let late = yard.proof(&yard.key, "JoinInstance", &params, now - 301);
    assert_eq!(told(yard.call("JoinInstance", &params, &late).await).0, "ExpiredTokenException");
}

#[tokio::test]
async fn a_proof_for_another_server_is_none_where_this_one_knows_its_url() {
    let yard = Yard::joined().await;
    let at = |url: &str| {
        let settings = Settings { public_authority: Some(url.parse().unwrap()), ..Settings::default() };
        yard.house.with_settings(settings)
    };
    let Yard { house: _, arn, secret, key } = &yard;
    let with = |house: TestHouse| Yard {
        house,
        arn: arn.clone(),
        secret: secret.clone(),
        key: MachineKey::read(key.private().clone()).unwrap(),
    };
    with(at(SERVER)).credentials().await.unwrap();
    let refused = told(with(at("https://staging.example.com")).credentials().await);
    assert_eq!(refused, ("InvalidIdentityToken", "The proof was made for another server.".into()));
}

#[tokio::test]
async fn roles_let_services_in_by_their_trust_policy_alone() {
    let denied = ("AccessDenied", "Not authorized to perform sts:AssumeRole".to_owned());
    for services in [&["ecs-tasks.amazonaws.com"][..], &["lambda.amazonaws.com"], &["EC2.amazonaws.com"]] {
        let yard = Yard::trusted_by(&trusting(services)).await;
        yard.join(&yard.key, &yard.secret).await.unwrap();
        assert_eq!(told(yard.credentials().await), denied, "{services:?}");
        let (task, token) = yard.task().await;
        let of_task = yard.of_task(&task, &token).await;
        assert_eq!(of_task.is_ok(), services[0] == "ecs-tasks.amazonaws.com", "{services:?}");
    }
    let yard = Yard::trusted_by(&trusting(&["ec2.amazonaws.com"])).await;
    yard.join(&yard.key, &yard.secret).await.unwrap();
    let (task, token) = yard.task().await;
    assert_eq!(told(yard.of_task(&task, &token).await), denied);
    // The trust policy may ask for which machine.
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": yard.arn}}}]});
    let trust = trust.to_string();
    let update = [("RoleName", "Crew"), ("PolicyDocument", trust.as_str())];
    yard.house.root("iam", "UpdateAssumeRolePolicy", &update).await;
    yard.credentials().await.unwrap();
    let other = trust.replace(yard.id(), "i-00000000000000000");
    let update = [("RoleName", "Crew"), ("PolicyDocument", other.as_str())];
    yard.house.root("iam", "UpdateAssumeRolePolicy", &update).await;
    assert_eq!(told(yard.credentials().await), denied);
}

#[tokio::test]
async fn a_profile_without_a_role_or_that_is_gone_gives_nothing() {
    let yard = Yard::joined().await;
    let session = yard.credentials().await.unwrap();
    let both = [("InstanceProfileName", "Fleet"), ("RoleName", "Crew")];
    yard.house.root("iam", "RemoveRoleFromInstanceProfile", &both).await;
    let denied = ("AccessDenied", "Not authorized to perform daypass:GetInstanceCredentials".to_owned());
    assert_eq!(told(yard.credentials().await), denied);
    let facts = yard.by(&yard.key, "GetInstanceMetadata", &[]).await.unwrap();
    assert_eq!(
        (facts.get("RoleName"), facts.get("RoleId"), facts["InstanceProfileArn"].is_string()),
        (None, None, true)
    );
    // A role made again under the name is another one, which nobody passed to the machine.
    yard.house.root("iam", "DeleteRolePolicy", &[("RoleName", "Crew"), ("PolicyName", "all")]).await;
    yard.house.root("iam", "DeleteRole", &[("RoleName", "Crew")]).await;
    assert_eq!(yard.who(&keys(&session)).await.unwrap_err().code, "InvalidClientTokenId");
    let trust = trusting(&["ec2.amazonaws.com"]);
    yard.house.root("iam", "CreateRole", &[("RoleName", "Crew"), ("AssumeRolePolicyDocument", &trust)]).await;
    assert_eq!(told(yard.credentials().await), denied);
    yard.house.root("iam", "DeleteInstanceProfile", &[("InstanceProfileName", "Fleet")]).await;
    let facts = yard.by(&yard.key, "GetInstanceMetadata", &[]).await.unwrap();
    assert_eq!(facts.get("InstanceProfileArn"), None);
}

#[tokio::test]
async fn tasks_get_their_role_by_their_token_from_their_machine_alone() {
    let yard = Yard::joined().await;
    let (task, token) = yard.task().await;
    let answer = yard.of_task(&task, &token).await.unwrap();
    let who = yard.who(&keys(&answer)).await.unwrap();
    assert_eq!(who["Arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/Crew/{task}"));
    let event = &yard.events("GetTaskCredentials")[0];
    assert_eq!(event["userIdentity"]["invokedBy"], "ecs-tasks.amazonaws.com");
    assert!(!event.to_string().contains(&token));
    let denied = ("AccessDenied", "Not authorized to perform daypass:GetTaskCredentials".to_owned());
    let (other, others_token) = yard.task().await;
    for (task, token) in
        [(&task, &others_token), (&other, &token), (&"0".repeat(32), &token), (&task, &"A".repeat(43))]
    {
        assert_eq!(told(yard.of_task(task, token).await), denied);
    }
    // Another machine of the account, with the right token.
    let made = yard
        .root("RegisterInstance", json!({"InstanceProfileName": "Fleet", "Region": "eu-central-1"}))
        .await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let house = yard.house.with_settings(Settings::default());
    let second = Yard {
        house,
        arn: text("InstanceArn"),
        secret: text("JoinSecret"),
        key: MachineKey::generate().unwrap(),
    };
    second.join(&second.key, &second.secret).await.unwrap();
    assert_eq!(told(second.of_task(&task, &token).await), denied);
    yard.root("DeregisterTask", json!({"TaskId": task})).await;
    assert_eq!(told(yard.of_task(&task, &token).await), denied);
    assert_eq!(yard.who(&keys(&answer)).await.unwrap_err().code, "ExpiredToken");
}

#[tokio::test]
async fn everything_ends_with_the_instance() {
    let yard = Yard::joined().await;
    let (task, token) = yard.task().await;
    let of_machine = yard.credentials().await.unwrap();
    let of_task = yard.of_task(&task, &token).await.unwrap();
    yard.root("DeregisterInstance", json!({"InstanceId": yard.id()})).await;
    for gone in [&of_machine, &of_task] {
        assert_eq!(yard.who(&keys(gone)).await.unwrap_err().code, "ExpiredToken");
    }
    assert_eq!(told(yard.credentials().await), ("InvalidIdentityToken", NOT_THIS.into()));
    assert_eq!(told(yard.join(&yard.key, &yard.secret).await).1, NOT_THIS);
    let (_, records) = yard.house.stored().await;
    let left = |part: &str| records.iter().filter(|record| record.key.contains(part)).count();
    assert_eq!((left("/instance/"), left("/task/")), (0, 0));
    // Policies may name its ARN: nobody else ever has it.
    let again = json!({"InstanceProfileName": "Fleet", "Region": "eu-central-1", "InstanceId": yard.id()});
    let again = yard.house.call_json(&yard.house.root, "RegisterInstance", &again).await;
    let was_there = format!("Instance with id {} was there before.", yard.id());
    assert_eq!(told(again), ("EntityAlreadyExists", was_there));
}

#[tokio::test]
async fn a_role_goes_to_machines_only_by_those_who_may_pass_it() {
    let yard = Yard::joined().await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/fleet/Crew");
    let register = json!({"InstanceProfileName": "Fleet", "InstanceId": "i-0a0a0a0a0a0a0a0a0", "Region": "eu-central-1"});
    let pass = |condition: Value| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "daypass:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": condition}]})
        .to_string()
    };
    let to = |service: &str| pass(json!({"StringEquals": {"iam:PassedToService": service}}));
    let of = |arn: &str| pass(json!({"ArnEquals": {"iam:AssociatedResourceArn": arn}}));
    let right = "arn:aws:ec2:eu-central-1:111122223333:instance/i-0a0a0a0a0a0a0a0a0";
    let without = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "daypass:*", "Resource": "*"}]});
    for (n, (policy, may)) in [
        (without.to_string(), false),
        (to("ecs-tasks.amazonaws.com"), false),
        (of("arn:aws:ec2:eu-central-1:111122223333:instance/i-00000000000000000"), false),
        (of(right), true),
        (to("ec2.amazonaws.com"), true),
    ]
    .into_iter()
    .enumerate()
    {
        let house = yard.house.copy().await;
        let who = house.user(&format!("u{n}"), Some(&policy)).await;
        let outcome = house.call_json(&who, "RegisterInstance", &register).await;
        assert_eq!(outcome.as_ref().is_ok(), may, "{policy}: {outcome:?}");
        // A new secret makes any machine the instance: it is to pass the role once more.
        let renewed = house.call_json(&who, "RenewJoinSecret", &json!({"InstanceId": yard.id()})).await;
        assert_eq!(renewed.is_ok(), policy == to("ec2.amazonaws.com"), "{policy}");
        let task = json!({"InstanceId": yard.id(), "RoleArn": role});
        let task = house.call_json(&who, "RegisterTask", &task).await;
        assert_eq!(task.is_ok(), policy == to("ecs-tasks.amazonaws.com"), "{policy}");
    }
}

#[tokio::test]
async fn nobody_reaches_another_accounts_machines_or_roles() {
    let yard = Yard::joined().await;
    let other = yard.house.account("444455556666").await;
    for (action, body) in [
        ("DeregisterInstance", json!({"InstanceId": yard.id()})),
        ("RenewJoinSecret", json!({"InstanceId": yard.id()})),
        (
            "RegisterInstance",
            json!({"InstanceProfileArn": format!("arn:aws:iam::{ACCOUNT}:instance-profile/Fleet")}),
        ),
    ] {
        assert_eq!(told(yard.house.call_json(&other, action, &body).await).0, "NoSuchEntity", "{action}");
    }
    assert_eq!(
        yard.house.call_json(&other, "ListInstances", &json!({})).await.unwrap()["Instances"],
        json!([])
    );
    // A task with a role of another account.
    yard.house.call(&other, "iam", "CreateInstanceProfile", &[("InstanceProfileName", "Own")]).await.unwrap();
    let own = yard
        .house
        .call_json(&other, "RegisterInstance", &json!({"InstanceProfileName": "Own"}))
        .await
        .unwrap();
    let task = json!({"InstanceId": own["InstanceId"], "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/fleet/Crew")});
    assert!(matches!(
        told(yard.house.call_json(&other, "RegisterTask", &task).await).0,
        "AccessDenied" | "NoSuchEntity"
    ));
}

#[tokio::test]
async fn sessions_of_machines_say_where_they_come_from_and_are_no_longer_chains() {
    let yard = Yard::joined().await;
    let answer = yard.credentials().await.unwrap();
    let said = claims(&yard.house, &keys(&answer));
    assert!(!said.chained && said.first_key.is_none() && said.tags.is_empty());
    assert_eq!(said.ancestry.len(), 1, "the one that ends them all");
    assert_eq!(said.federation[0], ("ec2:RoleDelivery".into(), vec!["2.0".into()]));
}

/// However many calls decide at once.
#[tokio::test]
async fn the_last_two_places_are_two() {
    let gate = Gate::of(3);
    let yard = Yard::of(TestHouse::on(gate.clone()).await, &trusting(&["ecs-tasks.amazonaws.com"])).await;
    for _ in 0..TASKS_PER_INSTANCE_MAX - 2 {
        yard.task().await;
    }
    let task = json!({"InstanceId": yard.id(), "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/fleet/Crew")});
    let call = || yard.house.call_json(&yard.house.root, "RegisterTask", &task);
    gate.arm();
    let (a, b, c) = tokio::join!(call(), call(), call());
    assert_eq!([a, b, c].iter().filter(|answer| answer.is_ok()).count(), 2);
    assert_eq!(
        yard.house.stored().await.1.iter().filter(|record| record.key.contains("/task/")).count(),
        200
    );
}

#[tokio::test]
async fn an_account_has_so_many_instances_and_a_machine_so_many_tasks() {
    let yard = Yard::joined().await;
    let (_, records) = yard.house.stored().await;
    let of = |part: &str| records.iter().find(|record| record.key.contains(part)).unwrap().value.clone();
    let instance: Value = serde_json::from_slice(&of("/instance/")).unwrap();
    let account = ACCOUNT.parse().unwrap();
    let filler = |n: usize| {
        let mut record = instance.clone();
        record["id"] = format!("i-{n:017x}").into();
        (key::instance(account, &format!("i-{n:017x}")), record.to_string().into())
    };
    yard.house.put((1..INSTANCES_PER_ACCOUNT_MAX - 1).map(filler).collect()).await;
    let register = json!({"InstanceProfileName": "Fleet"});
    yard.root("RegisterInstance", register.clone()).await;
    let (code, message) = told(yard.house.call_json(&yard.house.root, "RegisterInstance", &register).await);
    assert_eq!(
        (code, message.as_str()),
        ("LimitExceeded", "Cannot exceed quota for InstancesPerAccount: 5000")
    );
    for _ in 0..TASKS_PER_INSTANCE_MAX {
        yard.task().await;
    }
    let role = format!("arn:aws:iam::{ACCOUNT}:role/fleet/Crew");
    let task = json!({"InstanceId": yard.id(), "RoleArn": role});
    let (code, message) = told(yard.house.call_json(&yard.house.root, "RegisterTask", &task).await);
    assert_eq!((code, message.as_str()), ("LimitExceeded", "Cannot exceed quota for TasksPerInstance: 200"));
    // They go together.
    yard.root("DeregisterInstance", json!({"InstanceId": yard.id()})).await;
    assert_eq!(yard.root("ListTasks", json!({})).await["Tasks"], json!([]));
}

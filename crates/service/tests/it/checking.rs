//! CheckRequest attacked: it must say yes to nothing that its signer did not sign for this service, and must not
//! become a confused deputy of the service that asks.

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_authn::token::SessionKind;
use daypass_model::{Clock, Secret};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answers::ALLOW_ALL;
use crate::support::{ACCOUNT, Keys, OTHER};
use crate::world::{World, asking};

/// The world, asked by its administrator about requests of Alice, whom the shelf's policy lets read.
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) alice: Keys,
}

impl Shop {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let made = world.house.root("iam", "CreateAccessKey", &[("UserName", "Alice")]).await;
        Self { alice: Keys::of(&made["AccessKey"]), world }
    }

    /// Ask as the administrator.
    pub(crate) async fn ask(&self, question: &Value) -> Result<Value, daypass_service::Error> {
        self.world.house.call_json(&self.world.admin, "CheckRequest", question).await
    }

    /// The answer to a question that is one.
    pub(crate) async fn answer(&self, question: &Value) -> Value {
        self.ask(question).await.unwrap_or_else(|error| panic!("{error}: {question}"))
    }

    /// Why the inner signature was not accepted; nobody is named then and nothing allowed.
    pub(crate) async fn inner_error(&self, question: &Value) -> String {
        let answer = self.answer(question).await;
        assert_eq!(answer["Decision"], "ImplicitlyDenied", "{question}");
        for member in ["Principal", "SignatureHash", "PayloadHash", "Expires"] {
            assert_eq!(answer.get(member), None, "{member} of a signature that proves nothing");
        }
        answer["AuthenticationError"]["Code"]
            .as_str()
            .unwrap_or_else(|| panic!("no error: {answer}"))
            .to_owned()
    }

    pub(crate) async fn validation_error(&self, question: &Value) -> String {
        let before = self.world.house.stored().await;
        let error = self.ask(question).await.expect_err("a refusal");
        assert_eq!(error.code, "ValidationError", "{question}");
        assert!(self.world.house.stored().await == before);
        error.message
    }

    pub(crate) fn read(&self) -> HttpRequest {
        self.signed_for("s3", get())
    }

    /// A presigned URL of this signer.
    pub(crate) fn presigned(&self, who: &Keys, expires_seconds: u32) -> HttpRequest {
        let mut http = get();
        let secret = Secret::new(who.secret_access_key.as_str());
        let keys = Credentials {
            access_key_id: &who.access_key_id,
            secret_access_key: &secret,
            session_token: who.session_token.as_deref(),
        };
        let form = SignatureForm::Presigned { expires_seconds };
        sign(&mut http, &keys, "eu-west-1", "s3", form, self.world.house.clock.now()).unwrap();
        http
    }

    pub(crate) fn signed_for(&self, service: &str, http: HttpRequest) -> HttpRequest {
        self.world.house.signed(&self.alice, service, http)
    }
}

pub(crate) fn get() -> HttpRequest {
    HttpRequest::new("GET", "/shelf/a.txt", "").with_header("host", "store.test")
}

/// A question with another value at a JSON pointer.
pub(crate) fn with(question: &Value, place: &str, value: Value) -> Value {
    let mut question = question.clone();
    let (parent, name) = place.rsplit_once('/').unwrap();
    question.pointer_mut(parent).unwrap()[name] = value;
    question
}

pub(crate) fn hex(body: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(body))
}

#[tokio::test]
async fn a_request_that_was_signed_is_answered_with_its_signer_and_the_deciding_statement() {
    let shop = Shop::new().await;
    let answer = shop.answer(&asking(&shop.read())).await;
    assert_eq!(answer["Decision"], "Allowed");
    assert_eq!(answer["Principal"]["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/div/Alice"));
    assert_eq!(answer["PayloadHash"], hex(b""));
    let write = with(&asking(&shop.read()), "/Action", json!("s3:DeleteObject"));
    assert_eq!(shop.answer(&write).await["Decision"], "ImplicitlyDenied");
}

#[tokio::test]
async fn a_request_for_another_host_does_not_count_here() {
    let shop = Shop::new().await;
    let elsewhere = HttpRequest::new("GET", "/shelf/a.txt", "").with_header("host", "evil.test");
    let signed = shop.signed_for("s3", elsewhere);
    assert_eq!(shop.inner_error(&asking(&signed)).await, "SignatureDoesNotMatch");
    // Not even when the captured request is sent on with the right Host beside or instead of the signed one.
    let mut swapped = signed.clone();
    swapped.headers.iter_mut().find(|(name, _)| name == "host").unwrap().1 = b"store.test".to_vec();
    assert_eq!(shop.inner_error(&asking(&swapped)).await, "SignatureDoesNotMatch");
    let mut both = signed.clone();
    both.headers.insert(0, ("host".into(), b"store.test".to_vec()));
    assert_eq!(shop.inner_error(&asking(&both)).await, "IncompleteSignature");
    let other_port =
        with(&asking(&shop.read()), "/Request/Url", json!("https://store.test:8443/shelf/a.txt"));
    assert_eq!(shop.inner_error(&other_port).await, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn the_urls_own_port_may_be_signed_or_left_out() {
    let shop = Shop::new().await;
    let signed = |host: &str| {
        shop.signed_for("s3", HttpRequest::new("GET", "/shelf/a.txt", "").with_header("host", host))
    };
    let own = asking(&signed("store.test:443"));
    assert_eq!(own["Request"]["Url"], "https://store.test/shelf/a.txt");
    assert_eq!(shop.answer(&own).await["Decision"], "Allowed");
    assert_eq!(shop.inner_error(&asking(&signed("store.test:80"))).await, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn requests_to_daypass_itself_are_never_checked_for_a_service() {
    let shop = Shop::new().await;
    for service in ["sts", "iam", "daypass", "signin", "STS", "Iam", "eks", "eks-auth", "rolesanywhere"] {
        let error = shop.inner_error(&asking(&shop.signed_for(service, get()))).await;
        assert_eq!(error, "SignatureDoesNotMatch", "{service}: the scope is wrong");
    }
    let question = asking(&shop.read());
    for action in [
        "sts:AssumeRole",
        "iam:CreateUser",
        "daypass:CheckRequest",
        "signin:Login",
        "STS:AssumeRole",
        "IAM:x",
        "eks:DescribeCluster",
        "eks-auth:AssumeRoleForPodIdentity",
        "rolesanywhere:CreateSession",
    ] {
        shop.validation_error(&with(&question, "/Action", json!(action))).await;
    }
    for resource in [
        "arn:aws:iam::111122223333:role/ci/Build",
        "arn:aws:sts::111122223333:federated-user/x",
        "arn:aws:daypass:::x",
        "arn:aws:eks:eu-west-1:111122223333:cluster/blue",
        "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/x",
    ] {
        shop.validation_error(&with(&question, "/Resource", json!(resource))).await;
        // Nothing would ever ask for it.
        let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": resource}]});
        let policy = json!({"ResourceArn": resource, "Policy": deny.to_string()});
        let refused = shop.world.house.call_json(&shop.world.admin, "PutResourcePolicy", &policy).await;
        assert!(refused.unwrap_err().message.contains("belongs to daypass itself"), "{resource}");
    }
}

#[tokio::test]
async fn a_service_speaks_for_resources_of_its_own_account_only() {
    let shop = Shop::new().await;
    let queue = |account: &str| json!(format!("arn:aws:sqs:eu-west-1:{account}:jobs"));
    let question = with(&asking(&shop.read()), "/Action", json!("sqs:SendMessage"));
    shop.answer(&with(&question, "/Resource", queue(ACCOUNT))).await;
    shop.validation_error(&with(&question, "/Resource", queue(OTHER))).await;
    for resource in ["shelf", "arn:aws", "arn:aws:s3", ""] {
        shop.validation_error(&with(&question, "/Resource", json!(resource))).await;
    }
    for action in ["PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy"] {
        let mut params = json!({"ResourceArn": format!("arn:aws:sqs:eu-west-1:{OTHER}:jobs")});
        if action == "PutResourcePolicy" {
            params["Policy"] = json!(
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#
            );
        }
        let error = shop.world.house.call_json(&shop.world.admin, action, &params).await.expect_err(action);
        let code = if action == "PutResourcePolicy" { "ValidationError" } else { "NoSuchEntity" };
        assert_eq!(error.code, code, "{action}");
    }
}

#[tokio::test]
async fn a_resource_is_not_opened_to_an_account_that_does_not_exist_yet() {
    let shop = Shop::new().await;
    let policy = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "s3:GetObject", "Resource": "*"}]}).to_string()});
    let put = async || shop.world.house.call_json(&shop.world.admin, "PutResourcePolicy", &policy).await;
    let error = put().await.unwrap_err();
    let message = format!("Invalid principal in policy: \"AWS\":\"{OTHER}\"");
    assert_eq!((error.code, error.message), ("MalformedPolicyDocument", message));
    shop.world.house.account(OTHER).await;
    put().await.unwrap();
}

#[tokio::test]
async fn the_policy_of_another_accounts_resource_of_the_same_name_says_nothing() {
    let shop = Shop::new().await;
    let theirs = shop.world.house.account(OTHER).await;
    // Alice's request, put to the service of another account that has no policy for its own shelf.
    let answer = shop.world.house.call_json(&theirs, "CheckRequest", &asking(&shop.read())).await.unwrap();
    assert_eq!(answer["Decision"], "ImplicitlyDenied");
    assert_eq!(answer["DeterminingStatements"], json!([]));
    // An administrator of the first account is nobody there either, and of his policies nothing is told.
    let admin = shop.world.house.signed(&shop.world.admin, "s3", get());
    let answer = shop.world.house.call_json(&theirs, "CheckRequest", &asking(&admin)).await.unwrap();
    assert_eq!(
        (&answer["Decision"], &answer["DeterminingStatements"]),
        (&json!("ImplicitlyDenied"), &json!([]))
    );
    let policy = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Open", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "s3:GetObject", "Resource": "*"}]}).to_string()});
    shop.world.house.call_json(&theirs, "PutResourcePolicy", &policy).await.unwrap();
    let answer = shop.world.house.call_json(&theirs, "CheckRequest", &asking(&admin)).await.unwrap();
    assert_eq!(answer["Decision"], "Allowed", "both accounts allow it now");
    let told: Vec<_> =
        answer["DeterminingStatements"].as_array().unwrap().iter().map(|found| &found["Sid"]).collect();
    assert_eq!(told, ["Open"], "the other account's own statements are not told");
}

#[tokio::test]
async fn whatever_was_signed_cannot_be_changed() {
    let shop = Shop::new().await;
    let put = HttpRequest::new("PUT", "/shelf/a.txt?part=1", "the body").with_header("host", "store.test");
    let question = asking(&shop.signed_for("s3", put));
    assert_eq!(shop.answer(&question).await["PayloadHash"], hex(b"the body"));
    let body = |text: &str| with(&question, "/Request/BodySha256", json!(hex(text.as_bytes())));
    shop.answer(&body("the body")).await;
    assert_eq!(shop.inner_error(&body("another")).await, "XAmzContentSHA256Mismatch");
    for (place, value) in [
        ("/Request/Method", "GET"),
        ("/Request/Url", "https://store.test/shelf/b.txt?part=1"),
        ("/Request/Url", "https://store.test/shelf/a.txt?part=2"),
        ("/Request/Url", "https://store.test/shelf/a.txt"),
    ] {
        assert_eq!(
            shop.inner_error(&with(&question, place, json!(value))).await,
            "SignatureDoesNotMatch",
            "{value}"
        );
    }
}

#[tokio::test]
async fn without_a_signed_payload_hash_the_bodys_hash_must_be_given_and_right() {
    let shop = Shop::new().await;
    let send = HttpRequest::new("POST", "/", "Action=SendMessage").with_header("host", "store.test");
    let question = asking(&shop.signed_for("sqs", send));
    shop.validation_error(&question).await;
    let body = |text: &str| with(&question, "/Request/BodySha256", json!(hex(text.as_bytes())));
    assert_eq!(shop.inner_error(&body("Action=DeleteQueue")).await, "SignatureDoesNotMatch");
    assert!(shop.answer(&body("Action=SendMessage")).await.get("AuthenticationError").is_none());
    for bad in ["", "x", &"A".repeat(64), &hex(b"")[..63]] {
        shop.validation_error(&with(&question, "/Request/BodySha256", json!(bad))).await;
    }
}

#[tokio::test]
async fn an_amz_header_that_was_not_signed_is_refused() {
    let shop = Shop::new().await;
    for name in ["x-amz-acl", "X-Amz-Meta-Owner", "x-amz-copy-source", "x-amz-target"] {
        let http = shop.read().with_header(name, "x");
        assert_eq!(shop.inner_error(&asking(&http)).await, "AccessDenied", "{name}");
    }
    let plain = shop.read().with_header("x-trace", "1");
    assert_eq!(
        shop.answer(&asking(&plain)).await["Decision"],
        "Allowed",
        "other headers may come on the way"
    );
}

#[tokio::test]
async fn half_a_credential_is_a_failure_and_only_none_is_anonymous() {
    let shop = Shop::new().await;
    let policy = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}).to_string()});
    shop.world.house.call_json(&shop.world.admin, "PutResourcePolicy", &policy).await.unwrap();
    let answer = shop.answer(&asking(&get())).await;
    assert_eq!((&answer["Decision"], &answer["Principal"]["Type"]), (&json!("Allowed"), &json!("Anonymous")));
    assert_eq!(answer["Principal"].get("Account"), None);
    let expired = shop.world.mint(SessionKind::User, -7200, 0, true);
    let garbage = Keys { session_token: Some("garbage".into()), ..shop.alice.clone() };
    let wrong = Keys { secret_access_key: "x".repeat(40), ..shop.alice.clone() };
    assert_eq!(answer["Principal"]["Arn"], "anonymous", "as the model of the API says");
    let at = |query: &str| {
        HttpRequest::new("GET", &format!("/shelf/a.txt?{query}"), "").with_header("host", "store.test")
    };
    let failures = [
        (get().with_header("authorization", "AWS4-HMAC-SHA256 Credential=x"), "IncompleteSignature"),
        (get().with_header("authorization", "Bearer x"), "IncompleteSignature"),
        (at("X-Amz-Signature=00"), "IncompleteSignature"),
        (at("Signature=x&Expires=1&SecurityToken=y"), "IncompleteSignature"),
        (at("awsaccesskeyid=x&signature=y"), "IncompleteSignature"),
        (get().with_header("x-amz-s3session-token", "x"), "IncompleteSignature"),
        (shop.world.house.signed(&expired, "s3", get()), "ExpiredToken"),
        (shop.world.house.signed(&garbage, "s3", get()), "InvalidClientTokenId"),
        (shop.world.house.signed(&wrong, "s3", get()), "SignatureDoesNotMatch"),
    ];
    for (http, code) in failures {
        assert_eq!(shop.inner_error(&asking(&http)).await, code, "{http:?}");
    }
}

#[tokio::test]
async fn a_captured_request_ends_when_it_says() {
    let shop = Shop::new().await;
    let header = asking(&shop.read());
    let presigned = asking(&shop.presigned(&shop.alice, 300));
    let now = shop.world.house.clock_now();
    for (question, lasting, payload) in
        [(&header, 900, hex(b"")), (&presigned, 300, "UNSIGNED-PAYLOAD".into())]
    {
        let answer = shop.answer(question).await;
        assert_eq!((&answer["Expires"], &answer["PayloadHash"]), (&json!(now + lasting), &json!(payload)));
        assert_eq!(
            answer["SignatureHash"],
            shop.answer(question).await["SignatureHash"],
            "the same request again"
        );
    }
    shop.world.house.clock.advance(301);
    assert_eq!(shop.inner_error(&presigned).await, "AccessDenied");
    assert_eq!(shop.answer(&header).await["Decision"], "Allowed");
    shop.world.house.clock.advance(600);
    assert_eq!(shop.inner_error(&header).await, "RequestTimeTooSkewed");
}

#[tokio::test]
async fn the_context_cannot_say_who_calls_or_when() {
    let shop = Shop::new().await;
    let question = asking(&shop.read());
    let say = |key: &str, values: Value| with(&question, "/Context", json!({ key: values }));
    for key in [
        "aws:PrincipalArn",
        "aws:userid",
        "aws:username",
        "aws:PrincipalAccount",
        "aws:PrincipalTag/Team",
        "AWS:PrincipalType",
        "aws:CurrentTime",
        "aws:EpochTime",
        "aws:TokenIssueTime",
        "aws:MultiFactorAuthPresent",
        "aws:SourceIdentity",
        "aws:ResourceAccount",
        "aws:ViaAWSService",
        "sts:ExternalId",
        "iam:PolicyARN",
        "daypass:RequestHost",
        "sqs:x",
    ] {
        shop.validation_error(&say(key, json!(["x"]))).await;
    }
    for values in [json!([]), json!(["a", "b"])] {
        shop.validation_error(&say("s3:prefix", values.clone())).await;
        shop.validation_error(&say("aws:SourceIp", values)).await;
    }
    shop.validation_error(&with(&question, "/Context", json!({"s3:prefix": ["a"], "S3:Prefix": ["b"]})))
        .await;
    for key in ["s3:prefix", "aws:SourceIp", "aws:RequestTag/a", "aws:ResourceTag/b"] {
        shop.answer(&say(key, json!(["192.0.2.1"]))).await;
    }
}

#[tokio::test]
async fn the_askers_own_address_is_not_the_callers() {
    let shop = Shop::new().await;
    let policy = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/div/Alice"}, "Action": "s3:GetObject", "Resource": "*",
         "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]}).to_string()});
    shop.world.house.call_json(&shop.world.admin, "PutResourcePolicy", &policy).await.unwrap();
    // Nothing but the shelf's policy lets Alice read.
    shop.world.house.root("iam", "DeleteUserPolicy", &[("UserName", "Alice"), ("PolicyName", "own")]).await;
    shop.world
        .house
        .root("iam", "DetachUserPolicy", &[("UserName", "Alice"), ("PolicyArn", crate::examples::TOOL)])
        .await;
    shop.world
        .house
        .root("iam", "RemoveUserFromGroup", &[("UserName", "Alice"), ("GroupName", "Crew")])
        .await;
    // The asker itself calls from 192.0.2.10.
    let question = asking(&shop.read().with_header("x-forwarded-for", "192.0.2.10"));
    assert_eq!(shop.answer(&question).await["Decision"], "ImplicitlyDenied");
    for (ip, decision) in [("192.0.2.77", "Allowed"), ("198.51.100.7", "ImplicitlyDenied")] {
        let question = with(&question, "/Context", json!({"aws:SourceIp": [ip]}));
        assert_eq!(shop.answer(&question).await["Decision"], decision, "{ip}");
    }
}

#[tokio::test]
async fn an_explicit_deny_wins_over_a_header_that_asks_to_bypass() {
    let shop = Shop::new().await;
    let world = &shop.world;
    world
        .permit(
            &json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:BypassGovernanceRetention", "Resource": "*"}]})
            .to_string(),
        )
        .await;
    let http = HttpRequest::new("DELETE", "/shelf/a.txt", "").with_header("host", "store.test");
    let signed = world.house.signed(
        &world.caller,
        "s3",
        http.with_header("x-amz-bypass-governance-retention", "true"),
    );
    let question = asking(&signed);
    for (action, decision) in
        [("s3:DeleteObject", "Allowed"), ("s3:BypassGovernanceRetention", "ExplicitlyDenied")]
    {
        assert_eq!(shop.answer(&with(&question, "/Action", json!(action))).await["Decision"], decision);
    }
}

#[tokio::test]
async fn asking_needs_the_permission_for_this_resource_host_and_service() {
    let shop = Shop::new().await;
    let world = &shop.world;
    let ask = async |question: &Value| world.house.call_json(&world.caller, "CheckRequest", question).await;
    let permit = async |resource: &str, host: &str, service: &str| {
        world.permit(&json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "daypass:CheckRequest", "Resource": resource,
            "Condition": {"StringEquals": {"daypass:RequestHost": host, "daypass:SigningService": service}}}]}).to_string()).await;
    };
    let question = asking(&shop.read());
    permit("arn:aws:s3:::shelf/*", "store.test", "s3").await;
    ask(&question).await.unwrap();
    for (resource, host, service) in
        [("arn:aws:s3:::other/*", "store.test", "s3"), ("*", "evil.test", "s3"), ("*", "store.test", "sqs")]
    {
        permit(resource, host, service).await;
        assert_eq!(ask(&question).await.unwrap_err().code, "AccessDenied", "{resource} {host} {service}");
    }
}

#[tokio::test]
async fn a_restricted_signer_is_as_restricted_behind_a_service() {
    let shop = Shop::new().await;
    let world = &shop.world;
    let limits = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::shelf/jill/*"}]}"#;
    let jill = [("Name", "Jill"), ("Policy", limits)];
    let answer = world.house.call(&world.admin, "sts", "GetFederationToken", &jill).await.unwrap();
    let jill = Keys::of(&answer["Credentials"]);
    let read = |path: &str| {
        let http = HttpRequest::new("GET", &format!("/shelf/{path}"), "").with_header("host", "store.test");
        with(
            &asking(&world.house.signed(&jill, "s3", http)),
            "/Resource",
            json!(format!("arn:aws:s3:::shelf/{path}")),
        )
    };
    let answer = shop.answer(&read("jill/a.txt")).await;
    assert_eq!(answer["Decision"], "Allowed");
    assert_eq!(answer["Principal"]["SessionIssuer"]["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/Admin"));
    assert_eq!(shop.answer(&read("susan/a.txt")).await["Decision"], "ImplicitlyDenied");
    // The issuer loses it, and so does she.
    world.house.root("iam", "PutUserPolicy", &[("UserName", "Admin"), ("PolicyName", "p"),
        ("PolicyDocument", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"daypass:*","Resource":"*"}]}"#)]).await;
    assert_eq!(shop.answer(&read("jill/a.txt")).await["Decision"], "ImplicitlyDenied");
    world
        .house
        .root(
            "iam",
            "PutUserPolicy",
            &[("UserName", "Admin"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)],
        )
        .await;
    assert_eq!(shop.answer(&read("jill/a.txt")).await["Decision"], "Allowed");
}

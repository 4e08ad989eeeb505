//! AssumeRoleWithWebIdentity: who gets a role by a provider's token, and who does not.

use daypass_authn::oidc::Algorithm;
use daypass_authn::sigv4::HttpRequest;
use daypass_service::Error;
use daypass_service::params::Params;
use serde_json::{Value, json};

use crate::oidc_issuer::Key;
use crate::session_contents::{is_over, noise};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};

mod access_tokens;
mod keys;
mod settings;
mod told;

const ISSUER: &str = "https://issuer.example/realm";
const HOST: &str = "issuer.example/realm";
const ROLE: &str = "arn:aws:iam::111122223333:role/Reader";
const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/issuer.example/realm";
const DENIED: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";

/// A house whose account trusts the issuer, for tokens to `app` of `alice`.
struct World {
    house: TestHouse,
    key: Key,
}

fn trust(condition: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": condition,
    }]})
    .to_string()
}

impl World {
    async fn new() -> World {
        World::trusting(&json!({"StringEquals": {format!("{HOST}:sub"): "alice"}})).await
    }

    async fn trusting(condition: &Value) -> World {
        let (house, key) = (TestHouse::new().await, Key::generate(Algorithm::Es256));
        house.providers.publish(ISSUER, &[("1", &key)]);
        let provider =
            [("Url", ISSUER), ("ClientIDList.member.1", "app"), ("ClientIDList.member.2", "other")];
        house.root("iam", "CreateOpenIDConnectProvider", &provider).await;
        let role = [("RoleName", "Reader"), ("AssumeRolePolicyDocument", &trust(condition))];
        house.root("iam", "CreateRole", &role).await;
        let allowed = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetRole","Resource":"*"}]}"#;
        let policy = [("RoleName", "Reader"), ("PolicyName", "p"), ("PolicyDocument", allowed)];
        house.root("iam", "PutRolePolicy", &policy).await;
        World { house, key }
    }

    fn claims(&self) -> Value {
        let now = self.house.clock_now();
        json!({"iss": ISSUER, "sub": "alice", "aud": "app", "iat": now - 10, "exp": now + 600})
    }

    fn with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    fn token(&self, claims: &Value) -> String {
        self.key.sign(&json!({"alg": "ES256", "kid": "1"}), claims)
    }

    /// An unsigned call with the world's role and session name, and these parameters beside or instead.
    async fn call(&self, more: &[(&str, &str)]) -> Result<Value, Error> {
        let http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
        self.call_with(http, more).await
    }

    async fn call_with(&self, http: HttpRequest, more: &[(&str, &str)]) -> Result<Value, Error> {
        let mut params = vec![("RoleArn", ROLE), ("RoleSessionName", "laptop")];
        params.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        params.extend(more);
        let pairs = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let params = Params::from_pairs(pairs).map_err(|error| Error::new(error.code(), error.to_string()));
        self.house.send_http(http, "sts", "AssumeRoleWithWebIdentity", "2011-06-15", params).await
    }

    async fn present(&self, claims: &Value) -> Result<Value, Error> {
        self.call(&[("WebIdentityToken", &self.token(claims))]).await
    }

    async fn refusal(&self, claims: &Value) -> (&'static str, String) {
        let error = self.present(claims).await.unwrap_err();
        (error.code, error.message)
    }

    async fn whoami(&self, answer: &Value) -> Value {
        let keys = Keys::of(&answer["Credentials"]);
        self.house.call(&keys, "sts", "GetCallerIdentity", &[]).await.unwrap()
    }
}

#[tokio::test]
async fn a_token_becomes_a_session_of_the_role_that_trusts_its_provider() {
    let world = World::new().await;
    let answer = world.present(&world.claims()).await.unwrap();
    assert_eq!(answer["SubjectFromWebIdentityToken"], "alice");
    assert_eq!(answer["Audience"], "app");
    assert_eq!(answer["Provider"], PROVIDER);
    let arn = "arn:aws:sts::111122223333:assumed-role/Reader/laptop";
    assert_eq!(answer["AssumedRoleUser"]["Arn"], arn);
    assert_eq!(answer["Credentials"]["Expiration"], world.house.clock_now() + 3600);
    assert_eq!(world.whoami(&answer).await["Arn"], arn);
    let keys = Keys::of(&answer["Credentials"]);
    world.house.call(&keys, "iam", "GetRole", &[("RoleName", "Reader")]).await.unwrap();
    let denied = world.house.call(&keys, "iam", "ListUsers", &[]).await.unwrap_err();
    assert_eq!(denied.code, "AccessDenied");
}

#[tokio::test]
async fn tokens_that_do_not_verify_are_refused_in_awss_words_and_order() {
    let world = World::new().await;
    let now = world.house.clock_now();
    let invalid = |message: &str| ("InvalidIdentityToken", message.to_owned());
    let unknown = "No OpenIDConnect provider found in your account for https://other.example";
    assert_eq!(world.refusal(&world.with("iss", json!("https://other.example"))).await, invalid(unknown));
    assert_eq!(
        world.refusal(&world.with("aud", json!("stranger"))).await,
        invalid("Incorrect token audience")
    );
    assert_eq!(
        world.refusal(&world.with("sub", Value::Null)).await,
        invalid("Missing a required claim: sub")
    );
    let expired = format!(
        "Token expired: current date/time {now} must be before the expiration date/time {}",
        now - 300
    );
    assert_eq!(world.refusal(&world.with("exp", json!(now - 300))).await, ("ExpiredTokenException", expired));
    let old = ("ExpiredTokenException", "Token too old: 441398".to_owned());
    assert_eq!(world.refusal(&world.with("iat", json!(now - 441_398))).await, old);
    let no_token = world.call(&[("WebIdentityToken", "not-a-token")]).await.unwrap_err();
    let message =
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    assert_eq!((no_token.code, no_token.message.as_str()), ("InvalidIdentityToken", message));
    let thief = Key::generate(Algorithm::Es256).sign(&json!({"alg": "ES256", "kid": "1"}), &world.claims());
    assert_eq!(world.call(&[("WebIdentityToken", &thief)]).await.unwrap_err().code, "InvalidIdentityToken");
    world.present(&world.claims()).await.unwrap();
}

#[tokio::test]
async fn whom_the_role_does_not_trust_hears_the_same_as_of_a_role_that_is_not_there() {
    let world = World::new().await;
    let bob = world.with("sub", json!("bob"));
    assert_eq!(world.refusal(&bob).await, ("AccessDenied", DENIED.to_owned()));
    let token = world.token(&world.claims());
    let missing = "arn:aws:iam::111122223333:role/Nobody";
    let error = world.call(&[("WebIdentityToken", &token), ("RoleArn", missing)]).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("AccessDenied", DENIED));
}

#[tokio::test]
async fn a_star_lets_no_token_in() {
    let world = World::new().await;
    for principal in [json!({"AWS": "*"}), json!({"AWS": ACCOUNT}), json!({"Federated": PROVIDER})] {
        let named = principal["Federated"].is_string();
        let document = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"}]});
        let params = [("RoleName", "Reader"), ("PolicyDocument", &document.to_string())];
        world.house.root("iam", "UpdateAssumeRolePolicy", &params).await;
        assert_eq!(world.present(&world.claims()).await.is_ok(), named, "{document}");
    }
}

#[tokio::test]
async fn another_accounts_provider_opens_no_role() {
    let world = World::new().await;
    let root = world.house.account(OTHER).await;
    let theirs = "arn:aws:iam::444455556666:role/Reader";
    let role =
        [("RoleName", "Reader"), ("AssumeRolePolicyDocument", &trust(&json!({})).replace(ACCOUNT, OTHER))];
    world.house.call(&root, "iam", "CreateRole", &role).await.unwrap();
    let token = world.token(&world.claims());
    let call = [("WebIdentityToken", token.as_str()), ("RoleArn", theirs)];
    let error = world.call(&call).await.unwrap_err();
    assert_eq!(error.message, format!("No OpenIDConnect provider found in your account for {ISSUER}"));
    let provider = [("Url", ISSUER), ("ClientIDList.member.1", "app")];
    world.house.call(&root, "iam", "CreateOpenIDConnectProvider", &provider).await.unwrap();
    world.call(&call).await.unwrap();
}

#[tokio::test]
async fn conditions_see_what_the_token_says() {
    for (condition, claims, allowed) in [
        (json!({"StringEquals": {format!("{HOST}:aud"): "app"}}), json!({}), true),
        (json!({"StringEquals": {format!("{HOST}:aud"): "other"}}), json!({"azp": "other"}), true),
        (json!({"StringEquals": {format!("{HOST}:oaud"): "app"}}), json!({"azp": "other"}), true),
        (json!({"StringEquals": {format!("{HOST}:aud"): "app"}}), json!({"azp": "other"}), false),
        (json!({"StringLike": {format!("{HOST}:SUB"): "al*"}}), json!({}), true),
        (json!({"StringEquals": {format!("{HOST}:sub"): "Alice"}}), json!({}), false),
        (
            json!({"ForAnyValue:StringEquals": {format!("{HOST}:amr"): "mfa"}}),
            json!({"amr": ["pwd", "mfa"]}),
            true,
        ),
        (json!({"ForAnyValue:StringEquals": {format!("{HOST}:amr"): "mfa"}}), json!({}), false),
        (json!({"StringEquals": {format!("{HOST}:email"): "a@b"}}), json!({"email": "a@b"}), false),
        (
            json!({"Bool": {"sts:RoleAuthorizedByIdp": "true"}}),
            json!({"https://aws.amazon.com/roles": [ROLE]}),
            true,
        ),
        (json!({"Bool": {"sts:RoleAuthorizedByIdp": "false"}}), json!({}), true),
        (json!({"StringEquals": {"sts:RoleSessionName": "laptop"}}), json!({}), true),
        (json!({"StringEquals": {"aws:PrincipalType": "User"}}), json!({}), true),
        (json!({"StringEquals": {"aws:userid": PROVIDER}}), json!({}), true),
        (json!({"Null": {"aws:PrincipalArn": "true", "aws:username": "true"}}), json!({}), true),
    ] {
        let world = World::trusting(&condition).await;
        let mut said = world.claims();
        said.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        assert_eq!(world.present(&said).await.is_ok(), allowed, "{condition} {claims}");
    }
}

#[tokio::test]
async fn vendors_claims_are_keys_of_their_own_issuers_only() {
    let github = "https://token.actions.githubusercontent.com";
    let world = World::new().await;
    world.house.providers.publish(github, &[("1", &world.key)]);
    let provider = [("Url", github), ("ClientIDList.member.1", "app")];
    world.house.root("iam", "CreateOpenIDConnectProvider", &provider).await;
    let document = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            "token.actions.githubusercontent.com:repository": "o/r",
            "token.actions.githubusercontent.com:sub": "repo:o/r:ref:refs/heads/main",
        }},
    }]});
    let params = [("RoleName", "Reader"), ("PolicyDocument", &document.to_string())];
    world.house.root("iam", "UpdateAssumeRolePolicy", &params).await;
    let mut claims = world.with("iss", json!(github));
    claims["sub"] = json!("repo:o/r:ref:refs/heads/main");
    assert_eq!(world.refusal(&claims).await.0, "AccessDenied");
    claims["repository"] = json!("o/r");
    world.present(&claims).await.unwrap();
}

#[tokio::test]
async fn tags_and_source_identity_need_permissions_of_their_own_and_stay_with_the_session() {
    let world = World::new().await;
    let mut claims = world.claims();
    claims["https://aws.amazon.com/tags"] =
        json!({"principal_tags": {"Team": ["red"]}, "transitive_tag_keys": ["Team"]});
    claims["https://aws.amazon.com/source_identity"] = json!("alice@corp");
    let answer = world.present(&claims).await.unwrap();
    assert_eq!(answer["SourceIdentity"], "alice@corp");
    assert!(answer["PackedPolicySize"].is_number());
    let document = trust(&json!({"StringEquals": {format!("{HOST}:sub"): "alice"}}));
    for without in [r#","sts:TagSession""#, r#","sts:SetSourceIdentity""#] {
        let params = [("RoleName", "Reader"), ("PolicyDocument", &document.replace(without, ""))];
        world.house.root("iam", "UpdateAssumeRolePolicy", &params).await;
        assert_eq!(world.refusal(&claims).await, ("AccessDenied", DENIED.to_owned()), "{without}");
        world.present(&world.claims()).await.unwrap();
    }
}

#[tokio::test]
async fn tags_that_do_not_fit_say_how_far_they_are_over() {
    let world = World::new().await;
    let tags: Value = (0..50_u32).map(|n| (format!("key-{n}"), json!([noise(n, 200)]))).collect();
    let claims = world.with("https://aws.amazon.com/tags", json!({"principal_tags": tags}));
    assert!(is_over(&world.refusal(&claims).await));
}

#[tokio::test]
async fn what_a_provider_passes_has_the_form_of_parameters() {
    let world = World::new().await;
    let passed = |tags: Value, keys: Value| {
        let tags = json!({"principal_tags": tags, "transitive_tag_keys": keys});
        world.with("https://aws.amazon.com/tags", tags)
    };
    let many: serde_json::Map<_, _> = (0..51).map(|n| (format!("k{n}"), json!(["v"]))).collect();
    for (tags, keys) in [
        (json!({"": ["v"]}), json!([])),
        (json!({"*": ["v"]}), json!([])),
        (json!({"${aws:username}": ["v"]}), json!([])),
        (json!({"k".repeat(129): ["v"]}), json!([])),
        (json!({"Team": ["v".repeat(257)]}), json!([])),
        (json!({"Team": ["a\n\u{0}b"]}), json!([])),
        (json!({"Team": ["\u{1f600}"]}), json!([])),
        (json!({"Team": ["<a>"]}), json!([])),
        (Value::Object(many), json!([])),
        (json!({"Team": ["red"]}), json!(vec!["Team"; 51])),
    ] {
        assert_eq!(world.refusal(&passed(tags.clone(), keys)).await.0, "ValidationError", "{tags}");
    }
    let longest = json!({"k".repeat(128): ["v".repeat(256)], "\u{dc}nit": [""]});
    world.present(&passed(longest, json!([]))).await.unwrap();
}

#[tokio::test]
async fn a_role_that_is_no_arn_is_told_before_anything_of_the_token() {
    let world = World::new().await;
    for role in ["no-arn-of-any-kind-at-all", "arn:aws:s3:::bucket/with-a-name"] {
        let error = world.call(&[("RoleArn", role), ("WebIdentityToken", "x.y.z.w")]).await.unwrap_err();
        assert_eq!(error, Error::validation(format!("{role} is invalid")));
    }
}

#[tokio::test]
async fn a_line_end_behind_the_token_is_passed_over() {
    let world = World::new().await;
    let token = world.token(&world.claims());
    for end in ["\n", "\r\n"] {
        world.call(&[("WebIdentityToken", &format!("{token}{end}"))]).await.unwrap();
    }
    for other in [format!("{token} "), format!(" {token}"), format!("\n{token}")] {
        assert_eq!(
            world.call(&[("WebIdentityToken", &other)]).await.unwrap_err().code,
            "InvalidIdentityToken"
        );
    }
}

#[tokio::test]
async fn roles_that_the_token_does_not_name_are_refused() {
    let world = World::new().await;
    let named = world.with("https://aws.amazon.com/roles", json!(["arn:aws:iam::111122223333:role/Other"]));
    assert_eq!(world.refusal(&named).await.0, "InvalidIdentityToken");
    world.present(&world.with("https://aws.amazon.com/roles", json!([ROLE]))).await.unwrap();
}

#[tokio::test]
async fn nothing_is_fetched_for_a_token_that_no_provider_of_the_account_could_have_signed() {
    let world = World::new().await;
    world.house.providers.asked();
    for claims in [
        world.with("iss", json!("https://internal.example")),
        world.with("iss", json!("http://issuer.example/realm")),
        world.with("iss", json!("https://issuer.example/realm/")),
        world.with("iss", json!("https://ISSUER.example/realm")),
        world.with("aud", json!("stranger")),
        world.with("exp", Value::Null),
    ] {
        world.present(&claims).await.unwrap_err();
        assert!(world.house.providers.asked().is_empty(), "{claims}");
    }
}

#[tokio::test]
async fn half_a_signature_beside_the_token_is_refused_and_a_whole_one_proves_nothing() {
    let world = World::new().await;
    let token = world.token(&world.claims());
    let unsigned = || HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
    let half = unsigned().with_header("authorization", "AWS4-HMAC-SHA256 Credential=AKIA");
    assert!(world.call_with(half, &[("WebIdentityToken", &token)]).await.is_err());
    let stranger = Keys {
        access_key_id: "AKIAQNZGKIQY56JQ7WML".into(),
        secret_access_key: "wrong".into(),
        session_token: None,
    };
    let whole = world.house.signed(&stranger, "sts", unsigned());
    let answer = world.call_with(whole, &[("WebIdentityToken", &token)]).await.unwrap();
    assert_eq!(world.whoami(&answer).await["Arn"], "arn:aws:sts::111122223333:assumed-role/Reader/laptop");
}

#[tokio::test]
async fn what_a_web_identity_session_says_of_its_provider_is_there_in_later_calls() {
    let world = World::new().await;
    let allowed = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
        "Condition": {"StringEquals": {
            format!("{HOST}:sub"): "alice",
            format!("{HOST}:aud"): "app",
            "aws:FederatedProvider": PROVIDER,
        }, "Null": {format!("{HOST}:oaud"): "true", "aws:PrincipalTag/Team": "true"}},
    }]});
    let params = [("RoleName", "Reader"), ("PolicyName", "q"), ("PolicyDocument", &allowed.to_string())];
    world.house.root("iam", "PutRolePolicy", &params).await;
    let answer = world.present(&world.claims()).await.unwrap();
    let keys = Keys::of(&answer["Credentials"]);
    world.house.call(&keys, "iam", "ListUsers", &[]).await.unwrap();
}

#[tokio::test]
async fn duration_and_session_policies_are_bounded_as_for_every_role() {
    let world = World::new().await;
    let token = world.token(&world.claims());
    let long = world.call(&[("WebIdentityToken", &token), ("DurationSeconds", "3601")]).await.unwrap_err();
    let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assert_eq!((long.code, long.message.as_str()), ("ValidationError", message));
    let nothing = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    let answer = world.call(&[("WebIdentityToken", &token), ("Policy", nothing)]).await.unwrap();
    let keys = Keys::of(&answer["Credentials"]);
    let denied = world.house.call(&keys, "iam", "GetRole", &[("RoleName", "Reader")]).await.unwrap_err();
    assert_eq!(denied.code, "AccessDenied");
}

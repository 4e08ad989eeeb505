//! Outbound web identity federation: what tokens say, who verifies them by what, and for how long.
//!
//! Source: AWS STS API Reference, GetWebIdentityToken; IAM API Reference, EnableOutboundWebIdentityFederation.

use data_encoding::BASE64URL_NOPAD;
use daypass_authn::oidc::{Algorithm, KeySet, Token};
use daypass_authn::sigv4::HttpRequest;
use daypass_authn::token::SessionClaims;
use daypass_directory::Rotation;
use daypass_model::{AccessKeyId, AccessKeyKind, Clock};
use daypass_service::federation::{Published, published};
use daypass_service::params::Params;
use daypass_service::{Error, Settings};
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::support::{ACCOUNT, BASE, Keys, OTHER, TestHouse};
use crate::world::claims;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}"#;
const OF_STS: &str = "https://sts.amazonaws.com/";

/// A house whose account issues tokens, with the user `Ada` and the role `/ci/Build`.
struct World {
    house: TestHouse,
    issuer: String,
    ada: Keys,
}

impl World {
    async fn new() -> Self {
        let house = TestHouse::new().await;
        let issuer = enable(&house, &house.root).await.unwrap();
        let ada = house.user("Ada", Some(ALLOW_ALL)).await;
        let tag = [("UserName", "Ada"), ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red")];
        house.root("iam", "TagUser", &tag).await;
        let role = [("RoleName", "Build"), ("Path", "/ci/"), ("AssumeRolePolicyDocument", TRUST)];
        house.root("iam", "CreateRole", &role).await;
        let policy = [("RoleName", "Build"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
        house.root("iam", "PutRolePolicy", &policy).await;
        Self { house, issuer, ada }
    }

    async fn get(&self, who: &Keys, more: &[(&str, &str)]) -> Result<Value, Error> {
        get(&self.house, who, more).await
    }

    async fn token(&self, who: &Keys, more: &[(&str, &str)]) -> String {
        self.get(who, more).await.unwrap()["WebIdentityToken"].as_str().unwrap().to_owned()
    }

    async fn session(&self, more: &[(&str, &str)]) -> Keys {
        let role = [("RoleArn", "arn:aws:iam::111122223333:role/ci/Build"), ("RoleSessionName", "night")];
        let answer =
            self.house.call(&self.ada, "sts", "AssumeRole", &[&role[..], more].concat()).await.unwrap();
        Keys::of(&answer["Credentials"])
    }
}

async fn enable(house: &TestHouse, root: &Keys) -> Result<String, Error> {
    let answer = house.call(root, "iam", "EnableOutboundWebIdentityFederation", &[]).await?;
    Ok(answer["IssuerIdentifier"].as_str().unwrap().to_owned())
}

async fn get(house: &TestHouse, who: &Keys, more: &[(&str, &str)]) -> Result<Value, Error> {
    let mut params = vec![("Audience.member.1", "https://api.example.com"), ("SigningAlgorithm", "ES384")];
    params.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    params.extend(more);
    house.call(who, "sts", "GetWebIdentityToken", &params).await
}

/// A document that everybody may read.
fn document(house: &TestHouse, url: &str) -> Option<Value> {
    let path = url.strip_prefix(BASE).unwrap();
    match published(&house.house, path).unwrap() {
        Published::Document(text) => Some(serde_json::from_str(&text).unwrap()),
        Published::Nothing => None,
    }
}

/// The key set that the issuer's discovery document names.
fn keys(house: &TestHouse, issuer: &str) -> KeySet {
    let discovery = document(house, &format!("{issuer}/.well-known/openid-configuration")).unwrap();
    assert_eq!(discovery["issuer"], issuer);
    let keys = document(house, discovery["jwks_uri"].as_str().unwrap()).unwrap();
    KeySet::parse(keys.to_string().as_bytes()).unwrap()
}

/// Whether a token verifies as whoever believes the issuer does it.
fn verifies(house: &TestHouse, issuer: &str, token: &str) -> bool {
    let read = Token::read(token).unwrap();
    assert_eq!(read.issuer(), issuer);
    read.verify(&keys(house, issuer), Algorithm::is_common, house.clock.now()).is_ok()
}

/// A part of a token.
fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn code(outcome: Result<Value, Error>) -> &'static str {
    outcome.expect_err("a refusal").code
}

#[tokio::test]
async fn a_token_of_a_user_says_who_it_is_and_verifies_by_the_published_keys() {
    let world = World::new().await;
    let tags = [("Tags.member.1.Key", "Job"), ("Tags.member.1.Value", "7"), ("SigningAlgorithm", "RS256")];
    let token = world.token(&world.ada, &tags).await;
    assert!(verifies(&world.house, &world.issuer, &token));
    let header = part(&token, 0);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
    let mut claims = part(&token, 1);
    let jti = claims["jti"].take();
    assert_eq!(jti.as_str().unwrap().len(), 36);
    let now = world.house.clock_now();
    let ada = "arn:aws:iam::111122223333:user/Ada";
    let expected = json!({
        "iss": world.issuer, "aud": "https://api.example.com", "sub": ada, "iat": now, "exp": now + 300, "jti": null,
        OF_STS: {
            "aws_account": ACCOUNT, "source_region": "eu-west-1", "principal_id": ada,
            "principal_tags": {"Team": "red"}, "request_tags": {"Job": "7"},
        },
    });
    assert_eq!(claims, expected);
    let again = world.token(&world.ada, &tags).await;
    assert_ne!(part(&again, 1)["jti"], jti);
}

#[tokio::test]
async fn a_token_of_a_session_names_the_role_and_says_what_the_session_carries() {
    let world = World::new().await;
    let carried = [
        ("SourceIdentity", "ada"),
        ("Tags.member.1.Key", "Cost"),
        ("Tags.member.1.Value", "1"),
        ("DurationSeconds", "1800"),
    ];
    let session = world.session(&carried).await;
    let audiences = [("Audience.member.2", "b"), ("DurationSeconds", "1800")];
    let alone = world.token(&session, &[]).await;
    assert!(verifies(&world.house, &world.issuer, &alone));
    let token = world.token(&session, &audiences).await;
    let claims = part(&token, 1);
    let role = "arn:aws:iam::111122223333:role/ci/Build";
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!(role), &json!(["https://api.example.com", "b"])));
    let expected = json!({
        "aws_account": ACCOUNT, "source_region": "eu-west-1", "principal_id": role, "principal_tags": {"Cost": "1"},
        "original_session_exp": "2026-01-15T12:30:00Z", "source_identity": "ada",
    });
    assert_eq!(claims[OF_STS], expected);
}

#[tokio::test]
async fn no_token_outlives_the_session_that_asks_for_it() {
    let world = World::new().await;
    let session = world.session(&[("DurationSeconds", "900")]).await;
    assert!(world.get(&session, &[("DurationSeconds", "900")]).await.is_ok());
    assert_eq!(
        code(world.get(&session, &[("DurationSeconds", "901")]).await),
        "SessionDurationEscalationException"
    );
    // The five minutes of a call that says nothing are asked for, too.
    world.house.clock.advance(601);
    assert_eq!(code(world.get(&session, &[]).await), "SessionDurationEscalationException");
    assert!(world.get(&session, &[("DurationSeconds", "299")]).await.is_ok());
}

#[tokio::test]
async fn claims_have_as_many_bytes_as_aws_lets_them() {
    let world = World::new().await;
    let long = "x".repeat(1000);
    let call = async |tail: usize| {
        let tail = "y".repeat(tail);
        let names: Vec<_> = (1..=8).map(|n| format!("Audience.member.{n}")).collect();
        let mut params: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), long.as_str())).collect();
        let tags: Vec<_> = (1..=24)
            .map(|n| (format!("Tags.member.{n}.Key"), format!("Tags.member.{n}.Value"), format!("k{n:02}")))
            .collect();
        let value = "z".repeat(256);
        for (key, at, name) in &tags {
            params.extend([(key.as_str(), name.as_str()), (at.as_str(), value.as_str())]);
        }
        params.push(("Audience.member.9", &tail));
        world.get(&world.ada, &params).await
    };
    let base = call(1).await.unwrap();
    let base = BASE64URL_NOPAD
        .decode(base["WebIdentityToken"].as_str().unwrap().split('.').nth(1).unwrap().as_bytes());
    let room = 14_984 - base.unwrap().len();
    assert!(call(1 + room).await.is_ok());
    let error = call(2 + room).await.unwrap_err();
    let told = "The claims of the token have 14985 bytes; they may have 14984.";
    assert_eq!((error.code, error.message.as_str()), ("JWTPayloadSizeExceededException", told));
}

#[tokio::test]
async fn what_is_off_issues_nothing_and_what_it_issued_still_verifies() {
    let world = World::new().await;
    let token = world.token(&world.ada, &[]).await;
    let set = keys(&world.house, &world.issuer).len();
    world.house.root("iam", "DisableOutboundWebIdentityFederation", &[]).await;
    assert_eq!(code(world.get(&world.ada, &[]).await), "OutboundWebIdentityFederationDisabledException");
    assert!(verifies(&world.house, &world.issuer, &token));
    // Whoever trusts the issuer goes on trusting this account.
    assert_eq!(enable(&world.house, &world.house.root).await.unwrap(), world.issuer);
    assert_eq!(keys(&world.house, &world.issuer).len(), set, "no new keys");
    let info = world.house.root("iam", "GetOutboundWebIdentityFederationInfo", &[]).await;
    assert_eq!(info, json!({"IssuerIdentifier": world.issuer, "JwtVendingEnabled": true}));
}

#[tokio::test]
async fn each_account_has_an_issuer_of_its_own_and_nobody_elses_switch() {
    let world = World::new().await;
    let theirs = world.house.account(OTHER).await;
    let get_info =
        async || world.house.call(&theirs, "iam", "GetOutboundWebIdentityFederationInfo", &[]).await;
    assert_eq!(code(get_info().await), "FeatureDisabled");
    let made = world.house.call(&theirs, "iam", "CreateUser", &[("UserName", "Bob")]).await;
    made.unwrap();
    let permit = [("UserName", "Bob"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    world.house.call(&theirs, "iam", "PutUserPolicy", &permit).await.unwrap();
    let bob = world.house.call(&theirs, "iam", "CreateAccessKey", &[("UserName", "Bob")]).await.unwrap();
    let bob = Keys::of(&bob["AccessKey"]);
    assert_eq!(code(world.get(&bob, &[]).await), "OutboundWebIdentityFederationDisabledException");
    let other = enable(&world.house, &theirs).await.unwrap();
    assert_ne!(other, world.issuer);
    let token = world.token(&bob, &[]).await;
    assert_eq!(part(&token, 1)["iss"], other.as_str());
    world.house.call(&theirs, "iam", "DisableOutboundWebIdentityFederation", &[]).await.unwrap();
    world.token(&world.ada, &[]).await;
}

#[tokio::test]
async fn a_token_verifies_after_one_rotation_and_none_after_a_theft() {
    let world = World::new().await;
    let directory = &world.house.house.directory;
    let token = world.token(&world.ada, &[]).await;
    directory.rotate_keyring("r", Rotation::Ordinary).await.unwrap();
    let newer = world.token(&world.ada, &[]).await;
    assert_ne!(part(&newer, 0)["kid"], part(&token, 0)["kid"]);
    for token in [&token, &newer] {
        assert!(verifies(&world.house, &world.issuer, token));
    }
    assert_eq!(keys(&world.house, &world.issuer).len(), 6);
    directory.rotate_keyring("r", Rotation::Compromised).await.unwrap();
    for token in [&token, &newer] {
        assert!(!verifies(&world.house, &world.issuer, token));
    }
    assert!(verifies(&world.house, &world.issuer, &world.token(&world.ada, &[]).await));
    assert_eq!(keys(&world.house, &world.issuer).len(), 4);
}

#[tokio::test]
async fn documents_are_told_of_issuers_alone() {
    let world = World::new().await;
    let house = &world.house.house;
    let path = world.issuer.strip_prefix(BASE).unwrap();
    let known = |path: &str| published(house, path);
    for name in ["openid-configuration", "jwks.json"] {
        let other = format!("/web-identity/00000000-0000-4000-8000-000000000000/.well-known/{name}");
        assert_eq!(known(&other), Some(Published::Nothing));
        for strange in [
            format!("{path}/.well-known/{name}/"),
            format!("{path}/{name}"),
            format!("{path}//.well-known/{name}"),
            format!("{}/.well-known/{name}", path.to_uppercase()),
            format!("/web-identity/x/.well-known/{name}"),
            format!("/web-identity/.well-known/{name}"),
            format!("/web-identity{}/.well-known/{name}", "/".repeat(36)),
        ] {
            assert_eq!(known(&strange), None, "{strange}");
        }
    }
    // The end of the account is that of its issuer.
    world.house.account(OTHER).await;
    house.directory.close_account(ACCOUNT.parse().unwrap(), "r").await.unwrap();
    assert_eq!(document(&world.house, &format!("{}/.well-known/jwks.json", world.issuer)), None);
}

#[tokio::test]
async fn without_a_public_url_nothing_is_enabled() {
    let world = World::new().await;
    let lost = world.house.with_settings(Settings::default());
    assert_eq!(code(get(&lost, &world.ada, &[]).await), "OutboundWebIdentityFederationDisabledException");
    let info = lost.call(&lost.root, "iam", "GetOutboundWebIdentityFederationInfo", &[]).await;
    assert_eq!(code(info), "FeatureDisabled");
    lost.root("iam", "DisableOutboundWebIdentityFederation", &[]).await;
    let before = lost.stored().await;
    let refused = enable(&lost, &lost.root).await.unwrap_err();
    let told = "This server has no public URL, so that nobody could verify its tokens: its operator sets one with --public-url.";
    assert_eq!((refused.code, refused.message.as_str()), ("InvalidInput", told));
    assert!(lost.stored().await == before);
}

/// Whoever is between a verifier and the documents could put keys of their own there.
#[tokio::test]
async fn where_the_documents_are_not_safe_on_their_way_nothing_is_enabled() {
    let (house, enabled) = (TestHouse::new().await, World::new().await);
    let at = |base: &str| {
        house.with_settings(Settings { issuer_base: Some(base.to_owned()), ..Settings::default() })
    };
    for base in ["http://sts.example.net", "http://10.0.0.1:8080", "http://localhost.example.net"] {
        let refused = enable(&at(base), &house.root).await.unwrap_err();
        assert_eq!(refused.code, "InvalidInput", "{base}");
        assert!(refused.message.starts_with("The public URL of this server is not https"), "{refused}");
        // Nor goes on what was enabled before it was so.
        let unsafe_now = Settings { issuer_base: Some(base.to_owned()), ..Settings::default() };
        let refused = get(&enabled.house.with_settings(unsafe_now), &enabled.ada, &[]).await;
        assert_eq!(code(refused), "OutboundWebIdentityFederationDisabledException", "{base}");
    }
    for base in
        ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000", "https://sts.example.net"]
    {
        enable(&at(base), &house.root).await.unwrap();
        house.root("iam", "DisableOutboundWebIdentityFederation", &[]).await;
    }
}

#[tokio::test]
async fn conditions_see_what_is_issued() {
    let world = World::new().await;
    let bob = world.house.user("Bob", None).await;
    let allowed = async |condition: Value, params: &[(&str, &str)]| {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"],
             "Resource": "arn:aws:sts::111122223333:self", "Condition": condition}]});
        let params_of = [("UserName", "Bob"), ("PolicyName", "p"), ("PolicyDocument", &policy.to_string())];
        world.house.root("iam", "PutUserPolicy", &params_of).await;
        match world.get(&bob, params).await {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.code, "AccessDenied");
                false
            }
        }
    };
    let audience =
        json!({"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": "https://api.example.com"}});
    assert!(allowed(audience.clone(), &[]).await);
    assert!(!allowed(audience, &[("Audience.member.2", "b")]).await);
    let short = json!({"NumericLessThanEquals": {"sts:DurationSeconds": "300"}});
    assert!(allowed(short.clone(), &[]).await);
    assert!(!allowed(short, &[("DurationSeconds", "301")]).await);
    let signed = json!({"StringEquals": {"sts:SigningAlgorithm": "ES384"}});
    assert!(allowed(signed.clone(), &[]).await);
    assert!(!allowed(signed, &[("SigningAlgorithm", "RS256")]).await);
    assert!(allowed(json!({"StringEquals": {"sts:SubjectMode": "AWSIdentity"}}), &[]).await);
    let tagged = json!({"StringEquals": {"aws:RequestTag/Job": "7"}});
    let job = |value| [("Tags.member.1.Key", "Job"), ("Tags.member.1.Value", value)];
    assert!(allowed(tagged.clone(), &job("7")).await);
    assert!(!allowed(tagged, &job("8")).await);
}

#[tokio::test]
async fn no_token_of_ours_becomes_credentials() {
    let world = World::new().await;
    let house = &world.house;
    house
        .root(
            "iam",
            "CreateOpenIDConnectProvider",
            &[("Url", &world.issuer), ("ClientIDList.member.1", "app")],
        )
        .await;
    let provider = world.issuer.replace("https://", &format!("arn:aws:iam::{ACCOUNT}:oidc-provider/"));
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}]});
    let role = [("RoleName", "Ours"), ("AssumeRolePolicyDocument", &trust.to_string())];
    house.root("iam", "CreateRole", &role).await;
    let token = world.token(&world.ada, &[("Audience.member.1", "app")]).await;
    let pairs = [
        ("RoleArn", format!("arn:aws:iam::{ACCOUNT}:role/Ours")),
        ("RoleSessionName", "laptop".to_owned()),
        ("WebIdentityToken", token),
    ];
    let params = Params::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value)).to_vec());
    let params = params.map_err(|error| Error::new(error.code(), error.to_string()));
    let http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
    let error =
        house.send_http(http, "sts", "AssumeRoleWithWebIdentity", "2011-06-15", params).await.unwrap_err();
    let told = "A token of GetWebIdentityToken is not exchanged for credentials";
    assert_eq!((error.code, error.message.as_str()), ("InvalidIdentityToken", told));
}

#[tokio::test]
async fn the_audit_tells_of_a_token_and_has_none() {
    let world = World::new().await;
    let token = world.token(&world.ada, &[]).await;
    let events = world.house.audit.lock().unwrap().clone();
    let event = events.iter().rfind(|event| event["eventName"] == "GetWebIdentityToken").unwrap();
    assert_eq!(event["requestParameters"]["audience"], json!(["https://api.example.com"]));
    assert_eq!(event["responseElements"], json!({"expiration": "Jan 15, 2026, 12:05:00 PM"}));
    // By these others have it in their logs.
    let (header, claims) = (part(&token, 0), part(&token, 1));
    let told = &event["additionalEventData"];
    assert_eq!((&told["kid"], &told["jti"]), (&header["kid"], &claims["jti"]));
    assert!(told["kid"].is_string() && told["jti"].is_string());
    for part in token.split('.').skip(1) {
        assert!(!event.to_string().contains(part));
    }
}

#[tokio::test]
async fn two_that_enable_at_once_get_one_issuer() {
    let house = TestHouse::new().await;
    let (a, b) = tokio::join!(enable(&house, &house.root), enable(&house, &house.root));
    let (made, refused) = if a.is_ok() { (a, b) } else { (b, a) };
    assert_eq!(refused.unwrap_err().code, "FeatureEnabled");
    let info = house.root("iam", "GetOutboundWebIdentityFederationInfo", &[]).await;
    assert_eq!(info["IssuerIdentifier"], made.unwrap().as_str());
}

#[tokio::test]
async fn a_token_tells_which_provider_vouched_for_the_session_and_of_a_users_session_the_user() {
    let world = World::new().await;
    let (house, directory) = (&world.house, &world.house.house.directory);
    let session = world.session(&[]).await;
    // As AssumeRoleWithWebIdentity leaves it in the token of the session.
    let provider = "arn:aws:iam::111122223333:oidc-provider/issuer.example";
    let federation = vec![
        ("issuer.example:sub".to_owned(), vec!["alice".to_owned()]),
        ("aws:FederatedProvider".to_owned(), vec![provider.to_owned()]),
    ];
    let vouched = SessionClaims { federation, ..claims(house, &session) };
    let id = AccessKeyId::generate(AccessKeyKind::Temporary, vouched.account, directory.random());
    let sealed = directory.snapshot().keyring().seal(&vouched, &id, 0, directory.random()).unwrap();
    let vouched = Keys {
        access_key_id: id.to_string(),
        secret_access_key: sealed.secret_access_key.expose_str().to_owned(),
        session_token: Some(sealed.token),
    };
    let of_sts = part(&world.token(&vouched, &[]).await, 1)[OF_STS].clone();
    assert_eq!(of_sts["federated_provider"], provider);
    assert_eq!(part(&world.token(&session, &[]).await, 1)[OF_STS]["federated_provider"], Value::Null);

    let own = house.call(&world.ada, "sts", "GetSessionToken", &[("DurationSeconds", "900")]).await.unwrap();
    let told = part(&world.token(&Keys::of(&own["Credentials"]), &[]).await, 1);
    assert_eq!(told["sub"], "arn:aws:iam::111122223333:user/Ada");
    assert_eq!(told[OF_STS]["original_session_exp"], "2026-01-15T12:15:00Z");
    assert_eq!(told[OF_STS]["principal_tags"], json!({"Team": "red"}));
}

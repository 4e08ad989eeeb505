//! STS by the AWS SDK for Rust, a test for each thing that programs do.
//!
//! Answers for: answers and errors as the SDK models them, its credential providers, its correction of clocks. Refuses
//! to know: how the server runs. AWS sources: the STS API Reference, and the developer guide of the SDK.

use std::time::{Duration, SystemTime};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::Client;
use aws_sdk_sts::config::{Config, Region};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::types::Tag;
use aws_smithy_async::time::TimeSource;
use daypass_conformance_rust::{arn, client, configured, environment, given, http, issued, user};

const REGION: Region = Region::from_static("us-east-1");

/// Code and message of a refusal, which must have this status and a request id.
fn refusal<T, E>(outcome: Result<T, SdkError<E>>, status: u16) -> (String, String)
where
    E: ProvideErrorMetadata,
{
    let Err(error) = outcome else { panic!("it was not refused") };
    assert_eq!(error.raw_response().map(|response| response.status().as_u16()), Some(status));
    let about = error.meta();
    assert!(error.request_id().is_some(), "an error has a request id");
    (about.code().unwrap_or_default().to_owned(), about.message().unwrap_or_default().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the server and the SDK go by the machine's clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn session_arn(role: &str, session: &str) -> String {
    let name = role.rsplit('/').next().unwrap_or_default();
    format!("arn:aws:sts::{}:assumed-role/{name}/{session}", given("ACCOUNT"))
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().expect("a tag has both")
}

#[tokio::test]
async fn environment_alone_leads_to_daypass() {
    let who = user().await.get_caller_identity().send().await.unwrap();
    assert_eq!(who.account(), Some(given("ACCOUNT").as_str()));
    assert_eq!(who.arn(), Some(given("USER_ARN").as_str()));
    assert!(who.request_id().is_some());
}

#[tokio::test]
async fn account_of_a_key() {
    let id = std::env::var("AWS_ACCESS_KEY_ID").unwrap();
    let answer = user().await.get_access_key_info().access_key_id(id).send().await.unwrap();
    assert_eq!(answer.account(), Some(given("ACCOUNT").as_str()));
}

#[tokio::test]
async fn session_with_tags_a_policy_and_a_source_identity() {
    let role = given("ROLE");
    let policy =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:TagSession","Resource":"*"}}"#;
    let call = user().await.assume_role().role_arn(&role).role_session_name("job").source_identity("ada");
    let answer = call.tags(tag("Team", "blue")).policy(policy).duration_seconds(900).send().await.unwrap();
    assert_eq!(answer.assumed_role_user().map(|user| user.arn()), Some(session_arn(&role, "job").as_str()));
    assert_eq!(answer.source_identity(), Some("ada"));
    let length = answer.credentials().map(|keys| keys.session_token().len());
    assert_eq!(answer.session_token_size().and_then(|size| usize::try_from(size).ok()), length);
    let session = issued(answer.credentials());
    let left = session.expiry().unwrap().duration_since(now()).unwrap();
    assert!((840..=901).contains(&left.as_secs()), "{left:?}");
    let session = client(session).await;
    assert_eq!(arn(&session).await, session_arn(&role, "job"));
    let next = session.assume_role().role_arn(given("NEXT_ROLE")).role_session_name("next").send().await;
    let (code, message) = refusal(next, 403);
    assert_eq!(code, "AccessDenied");
    assert!(message.contains("because no session policy allows the sts:AssumeRole action"), "{message}");
}

#[tokio::test]
async fn provider_takes_a_role_and_another_from_there() {
    let (role, next) = (given("ROLE"), given("NEXT_ROLE"));
    let loaded = environment().load().await;
    let first =
        AssumeRoleProvider::builder(&role).session_name("first").tags([("Team", "blue")]).configure(&loaded);
    let first = SharedCredentialsProvider::new(first.build().await);
    assert_eq!(arn(&client(first.clone()).await).await, session_arn(&role, "first"));
    let second = AssumeRoleProvider::builder(&next).session_name("second").configure(&loaded);
    let second = second.build_from_provider(first).await;
    let credentials = second.provide_credentials().await.unwrap();
    assert_eq!(credentials.account_id().map(|id| id.as_str().to_owned()), Some(given("ACCOUNT")));
    assert_eq!(arn(&client(second).await).await, session_arn(&next, "second"));
}

#[tokio::test]
async fn profile_takes_a_role() {
    // The harness wrote the profile; its keys are those of the environment.
    let settings = ProviderConfig::without_region().with_region(Some(REGION)).with_http_client(http());
    let provider =
        ProfileFileCredentialsProvider::builder().profile_name("worker").configure(&settings).build();
    assert_eq!(arn(&client(provider).await).await, session_arn(&given("ROLE"), "profiled"));
}

#[tokio::test]
async fn session_of_a_user_by_a_code_which_counts_once() {
    let user = user().await;
    let call = || {
        let call = user.get_session_token().serial_number(given("MFA_SERIAL"));
        call.token_code(given("MFA_CODE")).duration_seconds(900).send()
    };
    let answer = call().await.unwrap();
    assert_eq!(arn(&client(issued(answer.credentials())).await).await, given("USER_ARN"));
    let (code, message) = refusal(call().await, 403);
    assert_eq!(code, "AccessDenied");
    assert!(message.contains("invalid MFA one time pass code"), "{message}");
}

#[tokio::test]
async fn role_that_wants_a_code() {
    let user = user().await;
    let call = || user.assume_role().role_arn(given("MFA_ROLE")).role_session_name("typed");
    assert_eq!(refusal(call().send().await, 403).0, "AccessDenied");
    let typed = call().serial_number(given("MFA_SERIAL")).token_code(given("MFA_CODE"));
    let answer = typed.send().await.unwrap();
    let session = client(issued(answer.credentials())).await;
    assert_eq!(arn(&session).await, session_arn(&given("MFA_ROLE"), "typed"));
}

#[tokio::test]
async fn federated_user() {
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let call = user().await.get_federation_token().name("jill").policy(policy).tags(tag("Team", "blue"));
    let answer = call.send().await.unwrap();
    let expected = format!("arn:aws:sts::{}:federated-user/jill", given("ACCOUNT"));
    assert_eq!(answer.federated_user().map(|user| user.arn()), Some(expected.as_str()));
    let federated = client(issued(answer.credentials())).await;
    assert_eq!(arn(&federated).await, expected);
    assert_eq!(refusal(federated.get_session_token().send().await, 403).0, "AccessDenied");
}

#[tokio::test]
async fn errors_are_those_of_the_model() {
    let user = user().await;
    let call = || user.assume_role().role_arn(given("ROLE")).role_session_name("session");
    let error = call().policy("{").send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    assert!(error.as_service_error().unwrap().is_malformed_policy_document_exception(), "{error:?}");
    // Fifty tags of random letters do not pack.
    let letters = given("LETTERS");
    let tags = (0..50).map(|n| tag(&format!("tag-{n}"), &letters[n * 256..(n + 1) * 256])).collect();
    let error = call().set_tags(Some(tags)).send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_packed_policy_too_large_exception(), "{error:?}");
    let error = user.decode_authorization_message().encoded_message("bm9uZQ").send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_invalid_authorization_message_exception(), "{error:?}");
    assert_eq!(refusal(call().duration_seconds(3601).send().await, 400).0, "ValidationError");
}

#[tokio::test]
async fn denial_is_explained() {
    let call = user().await.decode_authorization_message().encoded_message(given("ENCODED_MESSAGE"));
    let answer = call.send().await.unwrap();
    let told = answer.decoded_message().unwrap();
    for part in [r#""allowed":false"#, r#""action":"s3:GetObject""#, r#""daypass":{"#, &given("DENIED_ARN")] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[tokio::test]
async fn revoked_session() {
    let ended = Credentials::from_keys(given("ENDED_ID"), given("ENDED_SECRET"), Some(given("ENDED_TOKEN")));
    let (code, _) = refusal(client(ended).await.get_caller_identity().send().await, 403);
    assert_eq!(code, "ExpiredToken");
}

#[tokio::test]
async fn wrong_secret_and_unknown_key() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let id = std::env::var("AWS_ACCESS_KEY_ID").unwrap();
    for (id, wanted) in
        [(id.as_str(), "SignatureDoesNotMatch"), ("AKIAIOSFODNN7EXAMPLE", "InvalidClientTokenId")]
    {
        let client = client(Credentials::from_keys(id, secret, None)).await;
        assert_eq!(refusal(client.get_caller_identity().send().await, 403).0, wanted);
    }
}

/// A clock that is late, or early.
#[derive(Debug)]
enum WrongClock {
    Late(Duration),
    Early(Duration),
}

impl TimeSource for WrongClock {
    fn now(&self) -> SystemTime {
        match *self {
            WrongClock::Late(by) => now() - by,
            WrongClock::Early(by) => now() + by,
        }
    }
}

#[tokio::test]
async fn client_corrects_a_clock_that_is_twenty_minutes_off() {
    const OFF: Duration = Duration::from_secs(20 * 60);
    let wrong = |tries, clock| {
        let retries =
            RetryConfig::standard().with_max_attempts(tries).with_initial_backoff(Duration::from_millis(1));
        environment().retry_config(retries).time_source(clock).load()
    };
    for (clock, again, said) in [
        (WrongClock::Late(OFF), WrongClock::Late(OFF), "Signature expired"),
        (WrongClock::Early(OFF), WrongClock::Early(OFF), "Signature not yet current"),
    ] {
        let once = Client::new(&wrong(1, clock).await);
        let (code, message) = refusal(once.get_caller_identity().send().await, 403);
        assert!(code == "SignatureDoesNotMatch" && message.starts_with(said), "{code}: {message}");
        assert_eq!(arn(&Client::new(&wrong(2, again).await)).await, given("USER_ARN"));
    }
}

#[tokio::test]
async fn server_of_one_region_refuses_clients_of_another() {
    let keys = Credentials::from_keys(given("REGIONAL_ID"), given("REGIONAL_SECRET"), None);
    let loaded = configured(keys).await;
    let regional = |region: String| {
        let endpoint = given("REGIONAL_ENDPOINT");
        Client::from_conf(
            Config::from(&loaded).to_builder().endpoint_url(endpoint).region(Region::new(region)).build(),
        )
    };
    assert!(arn(&regional(given("REGIONAL_REGION"))).await.ends_with(":root"));
    let there = regional("ap-southeast-2".to_owned()).get_caller_identity().send().await;
    let (code, message) = refusal(there, 403);
    assert_eq!(code, "SignatureDoesNotMatch");
    assert!(message.contains("Credential should be scoped to a valid region"), "{message}");
}

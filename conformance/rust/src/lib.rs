//! Whom the tests of the AWS SDK for Rust call as.
//!
//! Answers for: clients by the environment, as any program that uses the SDK has them, and what the harness made for a
//! test. Refuses to know: IAM, which makes users and roles; `conformance/test_sdks.py` does that.

use aws_config::retry::RetryConfig;
use aws_config::{ConfigLoader, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::{ProvideCredentials, SharedHttpClient};
use aws_sdk_sts::types::Credentials as Issued;
use aws_smithy_http_client::Builder;

/// What the harness made for this test, under its name in the environment without `DAYPASS_TEST_`.
///
/// # Panics
/// Without the harness.
#[must_use]
pub fn given(name: &str) -> String {
    let name = format!("DAYPASS_TEST_{name}");
    std::env::var(&name)
        .unwrap_or_else(|_| panic!("{name} is not set: conformance/test_sdks.py runs these tests"))
}

/// The configuration that the environment gives: endpoint, region, the keys of a user. One try for each call, so that a
/// refusal is seen.
#[must_use]
pub fn environment() -> ConfigLoader {
    aws_config::from_env().http_client(http()).retry_config(RetryConfig::disabled())
}

/// HTTP without TLS.
#[must_use]
pub fn http() -> SharedHttpClient {
    Builder::new().build_http()
}

/// The same with somebody's credentials.
pub async fn configured(credentials: impl ProvideCredentials + 'static) -> SdkConfig {
    environment().credentials_provider(credentials).load().await
}

/// A client of the user in the environment.
pub async fn user() -> Client {
    Client::new(&environment().load().await)
}

/// A client with somebody's credentials.
pub async fn client(credentials: impl ProvideCredentials + 'static) -> Client {
    Client::new(&configured(credentials).await)
}

/// Credentials of an answer, as clients take them.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn issued(credentials: Option<&Issued>) -> Credentials {
    let issued = credentials.expect("the answer has credentials");
    let (id, secret, token) = (issued.access_key_id(), issued.secret_access_key(), issued.session_token());
    Credentials::new(
        id,
        secret,
        Some(token.to_owned()),
        issued.expiration().to_owned().try_into().ok(),
        "answer",
    )
}

/// The ARN that the client calls under.
///
/// # Panics
/// When it is refused.
pub async fn arn(client: &Client) -> String {
    let who = client.get_caller_identity().send().await.expect("it may ask who it is");
    who.arn().expect("the answer has an ARN").to_owned()
}

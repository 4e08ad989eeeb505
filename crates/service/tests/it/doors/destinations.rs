//! Where a sign-in leads: nowhere but to the console, or to a link of the operator's list.

use daypass_service::Settings;
use daypass_service::doors::SignIn;

use super::*;

async fn house() -> TestHouse {
    let destinations = vec!["https://grafana.example.com/d/".parse().unwrap()];
    let public_authority = Some("https://sts.example.com".parse().unwrap());
    let sign_in = SignIn { destinations, ..SignIn::default() };
    with_role().await.with_settings(Settings { public_authority, sign_in, ..Settings::default() })
}

async fn leads(house: &TestHouse, destination: &str) -> Result<Option<String>, Error> {
    // Signed for the public URL's host.
    let token = {
        let keys = house.direct_desk().await;
        house.signin_token(&keys, &[]).await.unwrap()
    };
    let browser = house.login(&token, &[("Destination", destination)]).await?;
    Ok(house.your_session(&browser).await.destination)
}

impl TestHouse {
    /// Credentials of the role from a copy of the house that anybody may sign for.
    async fn direct_desk(&self) -> Keys {
        desk(&self.with_settings(Settings::default()), &[]).await
    }
}

#[tokio::test]
async fn a_destination_is_the_console_or_a_place_of_the_list() {
    let house = house().await;
    for console in [
        "/console",
        "/console/",
        "/console/iam?x=1#y",
        "https://sts.example.com/console/",
        "https://STS.example.com:443/console",
        "https://console.aws.amazon.com/",
        "https://console.aws.amazon.com/sns",
        "https://us-east-1.console.aws.amazon.com/console/home?region=us-east-1",
    ] {
        assert_eq!(leads(&house, console).await.unwrap(), None, "{console}");
    }
    let listed = "https://grafana.example.com/d/abc?orgId=1";
    assert_eq!(leads(&house, listed).await.unwrap().as_deref(), Some(listed));
}

/// CWE-601: a link to this server must not become one to anywhere.
#[tokio::test]
async fn nobody_is_sent_elsewhere() {
    let house = house().await;
    for elsewhere in [
        "",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "/console\\@evil.example",
        "https:evil.example",
        "https:/evil.example",
        "http://sts.example.com/console/",
        "https://sts.example.com.evil.example/console/",
        "https://sts.example.com@evil.example/console/",
        "https://evil.example/console/",
        "https://sts.example.com:8443/console/",
        "/console/../federation",
        "/console/%2e%2e/x",
        "/console/%252e%252e/x",
        "/consolex",
        "/",
        "/federation",
        "console/",
        "javascript:alert(1)",
        "data:text/html,x",
        "\thttps://evil.example/",
        "https://evil.example/\r\nSet-Cookie: a=b",
        "https://console.aws.amazon.com.evil.example/",
        "https://evilconsole.aws.amazon.com/",
        "http://console.aws.amazon.com/",
        "https://console.aws.amazon.com:8443/",
        "https://grafana.example.com/",
        "https://grafana.example.com/d/../admin",
        "https://grafana.example.com/d/%2e%2e/admin",
        "https://grafana.example.com/d/..%2fadmin",
        "http://grafana.example.com/d/x",
        "https://grafana.example.com.evil.example/d/x",
        "https://grafana.example.com\\.evil.example/d/x",
        "ftp://grafana.example.com/d/x",
        "https://gräfana.example.com/d/x",
        "https://grafana.example.com/d/\u{202e}x",
    ] {
        let refused = leads(&house, elsewhere).await.err().map(|error| error.code);
        assert_eq!(refused, Some("ValidationError"), "{elsewhere:?}");
    }
    let long = format!("/console/{}", "a".repeat(2048));
    assert_eq!(leads(&house, &long).await.err().unwrap().code, "ValidationError");
}

/// A link that leads nowhere good is not used up by that.
#[tokio::test]
async fn a_refused_destination_leaves_the_link_good() {
    let house = house().await;
    let token = house.signin_token(&house.direct_desk().await, &[]).await.unwrap();
    house.login(&token, &[("Destination", "https://evil.example/")]).await.err().unwrap();
    house.login(&token, &[("Issuer", "line\nbreak")]).await.err().unwrap();
    house.login(&token, &[("Destination", "/console/")]).await.unwrap();
}

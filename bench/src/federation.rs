//! Exchanges of a provider's tokens and assertions, beside a bare answer of the same size that verifies one signature of the
//! same kind.

use std::cell::Cell;

use daypass_model::{Clock, SystemClock};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Outcome;
use crate::calls::{HEAD, compare};
use crate::client::{Call, Keys, unsigned};
use crate::issuer::{ENTITY, Issuer, Signed};
use crate::load::Shape;
use crate::process::{DataDir, ROOT_KEY, Server};

const ROLE: &str = "arn:aws:iam::111122223333:role/reader";
/// As many as a round of some seconds uses up at most.
const ASSERTIONS_OF_ROUND: usize = 6000;
const SAML_PROVIDER: &str = "arn:aws:iam::111122223333:saml-provider/Corp";

/// Sets up both providers and a role that trusts them, then measures.
pub(crate) fn print(shape: Shape) -> Outcome<()> {
    let issuer = Issuer::start()?;
    let data = DataDir::new("federation")?;
    let more = ["--allow-insecure-issuer", &issuer.url, "--saml-replay", "off"];
    let server = Server::daypass_with(data.path(), &more)?;
    set_up(&server, &issuer)?;
    println!("\nexchanges for a role, and a bare answer that verifies one signature: as above");
    println!("{HEAD}");
    for (name, signed) in [("RS256", Signed::Rs256), ("ES256", Signed::Es256)] {
        let request = || Ok(vec![web_identity(&server, &issuer, signed)?]);
        compare(&format!("AssumeRoleWithWebIdentity, {name}"), &server, &request, Some(signed), shape)?;
    }
    let request = || Ok(vec![saml(&server, &issuer, "_a")?]);
    compare("AssumeRoleWithSAML, replay off", &server, &request, Some(Signed::Rs256), shape)?;
    drop(server);
    let data = DataDir::new("replay")?;
    let server = Server::daypass_with(data.path(), &["--allow-insecure-issuer", &issuer.url])?;
    set_up(&server, &issuer)?;
    // Each counts once, so each is signed before the clock runs; a round ends with them.
    let made = Cell::new(0_u64);
    let request = || {
        let fresh = |_| {
            made.set(made.get() + 1);
            saml(&server, &issuer, &format!("_{:x}", made.get()))
        };
        (0..ASSERTIONS_OF_ROUND).map(fresh).collect()
    };
    compare("AssumeRoleWithSAML, once for a role", &server, &request, Some(Signed::Rs256), shape)
}

fn set_up(server: &Server, issuer: &Issuer) -> Outcome<()> {
    let root = Keys::new(ROOT_KEY.0, ROOT_KEY.1);
    let iam = |action: &str, params: &[(&str, &str)]| {
        Call { service: "iam", action, params }.send(server.address, &root)
    };
    let metadata = issuer.metadata();
    iam("CreateOpenIDConnectProvider", &[("Url", &issuer.url), ("ClientIDList.member.1", "app")])?;
    iam("CreateSAMLProvider", &[("Name", "Corp"), ("SAMLMetadataDocument", &metadata)])?;
    let host = issuer.url.trim_start_matches("http://");
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{host}"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringEquals":{{"{host}:sub":"alice"}}}}}},{{"Effect":"Allow","Principal":{{"Federated":"{SAML_PROVIDER}"}},"Action":"sts:AssumeRoleWithSAML","Condition":{{"StringEquals":{{"saml:sub":"alice"}}}}}}]}}"#
    );
    iam("CreateRole", &[("RoleName", "reader"), ("AssumeRolePolicyDocument", &trust)])?;
    Ok(())
}

fn web_identity(server: &Server, issuer: &Issuer, signed: Signed) -> Outcome<Vec<u8>> {
    let token = issuer.token(signed, SystemClock.now().as_second())?;
    let role = utf8_percent_encode(ROLE, NON_ALPHANUMERIC);
    let form = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={role}&RoleSessionName=bench&WebIdentityToken={token}"
    );
    Ok(unsigned(server.address, &form))
}

/// A call with a new assertion of this id.
fn saml(server: &Server, issuer: &Issuer, id: &str) -> Outcome<Vec<u8>> {
    let now = SystemClock.now();
    let at = |seconds: i64| {
        daypass_model::rfc3339_seconds(now + std::time::Duration::from_secs(seconds.unsigned_abs()))
    };
    let (issued, end) = (at(0), at(240));
    let assertion = format!(
        r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" IssueInstant="{issued}" Version="2.0"><saml:Issuer>{ENTITY}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">alice</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="https://signin.aws.amazon.com/saml"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotOnOrAfter="{end}"><saml:AudienceRestriction><saml:Audience>urn:amazon:webservices</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{issued}"></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/Role"><saml:AttributeValue>{ROLE},{SAML_PROVIDER}</saml:AttributeValue></saml:Attribute><saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><saml:AttributeValue>alice@example.com</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"#
    );
    let response = issuer.response(&assertion, id)?;
    let text = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let form = format!(
        "Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn={}&PrincipalArn={}&SAMLAssertion={}",
        text(ROLE),
        text(SAML_PROVIDER),
        text(&response)
    );
    Ok(unsigned(server.address, &form))
}

//! Roles Anywhere: what a certificate opens and what not, how a session of one begins and ends, and who sets it up.

mod changes;
mod given;
mod sessions;
mod subjects;

use daypass_authn::sigv4::amz_date;
use daypass_model::Clock as _;
use daypass_service::Error;
use daypass_service::params::Params;
use serde_json::{Value, json};

use crate::anywhere_machine::Holder;
use crate::support::{Keys, TestHouse};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}"#;
const ROLE: &str = "arn:aws:iam::111122223333:role/Fleet";

/// A house whose first account takes certificates of one authority.
struct Site {
    house: TestHouse,
    root: Holder,
    anchor: String,
    profile: String,
}

impl Site {
    async fn new() -> Self {
        Self::of(TestHouse::new().await).await
    }

    async fn of(house: TestHouse) -> Self {
        let role = [("RoleName", "Fleet"), ("AssumeRolePolicyDocument", TRUST)];
        house.root("iam", "CreateRole", &role).await;
        let root = Holder::root("Fleet CA");
        let site = Self { house, root, anchor: String::new(), profile: String::new() };
        let anchor = site.anchor_of(&site.root).await;
        let made = site
            .call("CreateProfile", json!({"name": "p", "roleArns": [ROLE], "enabled": true}))
            .await
            .unwrap();
        let profile = text(&made["profile"]["profileArn"]);
        Self { anchor, profile, ..site }
    }

    /// The ARN of a new trust anchor.
    async fn anchor_of(&self, root: &Holder) -> String {
        let source =
            json!({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": root.pem}});
        let body = json!({"name": "a", "source": source, "enabled": true});
        text(&self.call("CreateTrustAnchor", body).await.unwrap()["trustAnchor"]["trustAnchorArn"])
    }

    async fn call(&self, action: &str, body: Value) -> Result<Value, Error> {
        self.house.call_rest(&self.house.root, "rolesanywhere", action, &body).await
    }

    /// CreateSession by a machine, with other parameters than the usual ones.
    async fn session(&self, machine: &Holder, more: Value) -> Result<Value, Error> {
        self.session_of(machine, "7", more).await
    }

    /// The same by a certificate of this serial number.
    async fn session_of(&self, machine: &Holder, serial: &str, more: Value) -> Result<Value, Error> {
        let request = machine.request(serial, "eu-west-1", &amz_date(self.house.clock.now()), &[]);
        let mut body = json!({"profileArn": self.profile, "roleArn": ROLE, "trustAnchorArn": self.anchor});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let params = Params::from_json(body.to_string().as_bytes())
            .map_err(|error| Error::new(error.code(), error.to_string()));
        self.house.send_http(request, "rolesanywhere", "CreateSession", "", params).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Credentials of an answer.
fn keys(answer: &Value) -> Keys {
    let credentials = &answer["credentialSet"][0]["credentials"];
    Keys {
        access_key_id: text(&credentials["accessKeyId"]),
        secret_access_key: text(&credentials["secretAccessKey"]),
        session_token: Some(text(&credentials["sessionToken"])),
    }
}

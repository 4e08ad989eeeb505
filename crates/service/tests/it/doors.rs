//! Doors for people: how somebody gets in, what they are there, and how it ends.

use daypass_authn::browser::BrowserSecret;
use daypass_authn::sigv4::HttpRequest;
use daypass_model::SessionId;
use daypass_service::doors::{Answer, CommandLine, Door, YourSession, cookie_name, session_path, visit};
use daypass_service::params::Params;
use daypass_service::{Error, Request};
use serde_json::{Value, json};

use crate::support::{Keys, TestHouse};

mod again;
mod console;
mod destinations;
mod explained;
mod federation;
mod saml;
mod sessions;
mod sign_in;
mod sign_in_attacks;
mod sign_in_oidc;
mod sign_in_oidc_attacks;
mod sign_in_oidc_told;
mod sign_in_root;
mod sign_in_steps;
mod sign_in_tries;
mod visitor;

const ROLE: &str = "arn:aws:iam::111122223333:role/Desk";
const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Whoever sits before a browser that is signed in.
struct Browser {
    id: SessionId,
    secret: BrowserSecret,
}

/// A house with a role that its account may assume.
async fn with_role() -> TestHouse {
    with_role_on(TestHouse::new().await).await
}

/// The same house, with that role.
async fn with_role_on(house: TestHouse) -> TestHouse {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "111122223333"},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }]});
    let role = [("RoleName", "Desk"), ("AssumeRolePolicyDocument", &trust.to_string())];
    house.root("iam", "CreateRole", &role).await;
    let policy = [("RoleName", "Desk"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "PutRolePolicy", &policy).await;
    house
}

/// Credentials of the role that a user's own keys were given.
async fn desk(house: &TestHouse, more: &[(&str, &str)]) -> Keys {
    let user = match house.call(&house.root, "iam", "GetUser", &[("UserName", "ada")]).await {
        Ok(_) => house.root("iam", "CreateAccessKey", &[("UserName", "ada")]).await["AccessKey"].clone(),
        Err(_) => {
            house.root("iam", "CreateUser", &[("UserName", "ada")]).await;
            let policy = [("UserName", "ada"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
            house.root("iam", "PutUserPolicy", &policy).await;
            house.root("iam", "CreateAccessKey", &[("UserName", "ada")]).await["AccessKey"].clone()
        }
    };
    let user = Keys::of(&user);
    let mut params = vec![("RoleArn", ROLE), ("RoleSessionName", "ada")];
    params.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    params.extend(more);
    let answer = house.call(&user, "sts", "AssumeRole", &params).await.unwrap();
    house.root("iam", "DeleteAccessKey", &[("UserName", "ada"), ("AccessKeyId", &user.access_key_id)]).await;
    Keys::of(&answer["Credentials"])
}

impl TestHouse {
    /// One visit, with these headers and this form.
    async fn visit(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        self.visit_from("192.0.2.10", method, path, query, headers, form).await
    }

    /// The same from an address.
    async fn visit_from(
        &self,
        address: &str,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        self.visit_over(Some(true), address, (method, path, query), headers, form).await
    }

    /// The same over TLS or not.
    async fn visit_over(
        &self,
        secure: Option<bool>,
        address: &str,
        (method, path, query): (&str, &str, &str),
        headers: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        let target = format!("{path}?{query}");
        let mut http = HttpRequest::new(method, &target, "").with_header("host", "daypass.test");
        for (name, value) in headers {
            http = http.with_header(name, *value);
        }
        let pairs = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = Request {
            id: "00000000-0000-4000-9000-000000000001".into(),
            source_ip: Some(address.parse().unwrap()),
            secure,
            http,
            service: "signin",
            action: String::new(),
            version: None,
            params: Params::from_pairs(pairs).map_err(|error| Error::new(error.code(), error.to_string())),
        };
        visit(&self.house, Door::at(path).unwrap(), request).await.outcome
    }

    async fn federation(&self, form: &[(&str, &str)]) -> Result<Answer, Error> {
        self.visit("GET", "/federation", "", &[], form).await
    }

    /// The sign-in token that these credentials get.
    async fn signin_token(&self, keys: &Keys, more: &[(&str, &str)]) -> Result<String, Error> {
        let session = session_of(keys);
        let mut form = vec![("Action", "getSigninToken"), ("Session", session.as_str())];
        form.extend(more);
        match self.federation(&form).await? {
            Answer::SigninToken(token) => Ok(token.expose_str().to_owned()),
            other => panic!("{other:?}"),
        }
    }

    async fn login(&self, token: &str, more: &[(&str, &str)]) -> Result<Browser, Error> {
        let mut form = vec![("Action", "login"), ("SigninToken", token)];
        form.extend(more);
        match self.federation(&form).await? {
            Answer::Entered { id, secret, .. } => Ok(Browser { id, secret }),
            other => panic!("{other:?}"),
        }
    }

    /// Sign in with credentials.
    async fn enter(&self, keys: &Keys) -> Browser {
        let token = self.signin_token(keys, &[]).await.unwrap();
        self.login(&token, &[]).await.unwrap()
    }

    async fn page(&self, browser: &Browser) -> Answer {
        let headers = [("cookie", browser.cookie())];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.visit("GET", &session_path(browser.id), "", &headers, &[]).await.unwrap()
    }

    async fn your_session(&self, browser: &Browser) -> YourSession {
        match self.page(browser).await {
            Answer::YourSession(session) => *session,
            other => panic!("{other:?}"),
        }
    }

    /// Send a form of the session's page.
    async fn send_form(&self, browser: &Browser, form: &str, code: &str) -> Result<Answer, Error> {
        let path = format!("{}{form}", session_path(browser.id));
        self.visit("POST", &path, "", &[("cookie", &browser.cookie())], &[("code", code)]).await
    }

    async fn command_line(&self, browser: &Browser) -> Keys {
        let code = self.your_session(browser).await.credentials_code;
        match self.send_form(browser, "credentials", &code).await.unwrap() {
            Answer::Credentials(_, given) => keys_of(&given),
            other => panic!("{other:?}"),
        }
    }

    async fn sign_out(&self, browser: &Browser) {
        let code = self.your_session(browser).await.sign_out_code;
        let answer = self.send_form(browser, "sign-out", &code).await.unwrap();
        assert!(matches!(answer, Answer::SignedOut { .. }), "{answer:?}");
    }

    async fn whoami(&self, keys: &Keys) -> Result<Value, &'static str> {
        self.call(keys, "sts", "GetCallerIdentity", &[]).await.map_err(|error| error.code)
    }

    fn last_event(&self) -> Value {
        self.audit.lock().unwrap().last().unwrap().clone()
    }
}

impl Browser {
    fn cookie(&self) -> String {
        format!("{}={}", cookie_name(self.id), self.secret.cookie().expose_str())
    }
}

fn session_of(keys: &Keys) -> String {
    json!({
        "sessionId": keys.access_key_id,
        "sessionKey": keys.secret_access_key,
        "sessionToken": keys.session_token.as_deref().unwrap_or_default(),
    })
    .to_string()
}

fn keys_of(given: &CommandLine) -> Keys {
    Keys {
        access_key_id: given.access_key_id.clone(),
        secret_access_key: given.secret_access_key.expose_str().to_owned(),
        session_token: Some(given.session_token.expose_str().to_owned()),
    }
}

//! Somebody who signs in with a password, at a browser that keeps its cookie.

use std::collections::BTreeMap;

use daypass_service::doors::{Problem, SignInPage, SignInStep};

use super::*;

pub(super) const PASSWORD: &str = "Correct-Horse-7";
pub(super) const INCORRECT: &str = "Your authentication information is incorrect. Please try again.";
/// The cookie that a browser signs in with, over TLS.
pub(super) const BROWSER_COOKIE: &str = "__Host-daypass-browser";
pub(super) const FORM: &str = "/signin";
pub(super) const CODE: &str = "/signin/step/code";
pub(super) const CHANGE: &str = "/signin/step/password";

/// See the module.
pub(super) struct Person {
    pub(super) address: String,
    pub(super) cookie: Option<BrowserSecret>,
    /// By what it is known of users, by the cookies' names.
    pub(super) devices: BTreeMap<String, BrowserSecret>,
}

/// A house with a user who has a password and may everything.
pub(super) async fn with_ada() -> TestHouse {
    let house = TestHouse::new().await;
    with_password(&house, "Ada", &[]).await;
    house
}

pub(super) async fn with_password(house: &TestHouse, name: &str, more: &[(&str, &str)]) {
    house.root("iam", "CreateUser", &[("UserName", name)]).await;
    let policy = [("UserName", name), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "PutUserPolicy", &policy).await;
    let profile = [&[("UserName", name), ("Password", PASSWORD)], more].concat();
    house.root("iam", "CreateLoginProfile", &profile).await;
}

impl Person {
    pub(super) fn at(address: &str) -> Self {
        Self { address: address.to_owned(), cookie: None, devices: BTreeMap::new() }
    }

    /// Whoever else has this browser's cookie.
    pub(super) fn same_browser(&self) -> Self {
        let (cookie, devices) = (self.cookie.clone(), self.devices.clone());
        Self { address: self.address.clone(), cookie, devices }
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let of_browser = self.cookie.iter().map(|secret| (BROWSER_COOKIE.to_owned(), secret));
        let of_users = self.devices.iter().map(|(name, secret)| (format!("__Host-{name}"), secret));
        let cookies = of_browser.chain(of_users);
        cookies.map(|(name, secret)| ("cookie", format!("{name}={}", secret.cookie().expose_str()))).collect()
    }

    pub(super) async fn send(
        &mut self,
        house: &TestHouse,
        method: &str,
        path: &str,
        query: &str,
        form: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        let headers = self.headers();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = house.visit_from(&self.address, method, path, query, &headers, form).await;
        match &answer {
            Ok(Answer::SignIn(page)) => {
                if let Some(secret) = &page.browser {
                    self.cookie = Some(secret.clone());
                }
            }
            Ok(
                Answer::Entered { browser: Some(secret), .. } | Answer::Leave { browser: Some(secret), .. },
            ) => self.cookie = Some(secret.clone()),
            _ => {}
        }
        if let Ok(Answer::Entered { device: Some(device), .. }) = &answer {
            let (name, secret) = &**device;
            self.devices.insert(name.clone(), secret.clone());
        }
        answer
    }

    /// The page at an address.
    pub(super) async fn page(&mut self, house: &TestHouse, path: &str, form: &[(&str, &str)]) -> SignInPage {
        shown(self.send(house, "GET", path, "", form).await.unwrap())
    }

    /// The form, filled in and sent.
    pub(super) async fn sign_in(
        &mut self,
        house: &TestHouse,
        account: &str,
        user: &str,
        password: &str,
    ) -> Result<Answer, Error> {
        let page = self.page(house, FORM, &[]).await;
        let form =
            [("code", page.code.as_str()), ("account", account), ("username", user), ("password", password)];
        self.send(house, "POST", FORM, "", &form).await
    }

    /// Ada signs in.
    pub(super) async fn ada(&mut self, house: &TestHouse, password: &str) -> Result<Answer, Error> {
        self.sign_in(house, crate::support::ACCOUNT, "Ada", password).await
    }

    /// A code, on the page that asks for it.
    pub(super) async fn code(
        &mut self,
        house: &TestHouse,
        page: &SignInPage,
        code: &str,
    ) -> Result<Answer, Error> {
        let SignInStep::Code { progress, devices } = &page.step else { panic!("{page:?}") };
        let form = [
            ("code", page.code.as_str()),
            ("progress", progress.expose_str()),
            ("device", devices[0].as_str()),
            ("mfacode", code),
        ];
        self.send(house, "POST", CODE, "", &form).await
    }

    /// Another password, on the page that asks for it.
    pub(super) async fn change(
        &mut self,
        house: &TestHouse,
        page: &SignInPage,
        new: (&str, &str),
    ) -> Result<Answer, Error> {
        let SignInStep::Change { progress, .. } = &page.step else { panic!("{page:?}") };
        let form = [
            ("code", page.code.as_str()),
            ("progress", progress.expose_str()),
            ("password", new.0),
            ("again", new.1),
        ];
        self.send(house, "POST", CHANGE, "", &form).await
    }
}

pub(super) fn shown(answer: Answer) -> SignInPage {
    match answer {
        Answer::SignIn(page) => *page,
        other => panic!("{other:?}"),
    }
}

/// The page of a sign-in that came to nothing, and what it says.
pub(super) fn told(answer: Result<Answer, Error>) -> String {
    problem(answer).says
}

pub(super) fn problem(answer: Result<Answer, Error>) -> Problem {
    shown(answer.unwrap()).problem.expect("it says what was wrong")
}

/// The session that somebody got.
pub(super) fn entered(answer: Result<Answer, Error>) -> Browser {
    match answer.unwrap() {
        Answer::Entered { id, secret, .. } => Browser { id, secret },
        other => panic!("{other:?}"),
    }
}

/// The names and outcomes of the events since `from`.
pub(super) fn events(house: &TestHouse, from: usize) -> Vec<Value> {
    house.audit.lock().unwrap()[from..].to_vec()
}

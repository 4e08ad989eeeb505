//! `/signin/oidc/<name>`: people sign in at an OpenID Connect provider, and take a role that lets them in.
//!
//! The browser goes there with a state, a nonce and a challenge, and comes back with a code. All that these are checked by is in the
//! state, sealed for this browser, for ten minutes and once; the trust policies are those of AssumeRoleWithWebIdentity.
//!
//! Source: OpenID Connect Core 1.0, section 3.1; RFC 9700 (Best Current Practice for OAuth 2.0 Security); RFC 9207 (the issuer in
//! the answer).

mod role;

pub(in crate::doors) use role::choose;

use data_encoding::BASE64URL_NOPAD;
use daypass_authn::browser::BrowserSecret;
use daypass_authn::oidc::challenge_of;
use daypass_authn::token::Purpose;
use daypass_directory::Operation;
use daypass_model::{Authority, Secret};
use serde::{Deserialize, Serialize};

use super::Browser;
use crate::audit::Event;
use crate::doors::answer::Answer;
use crate::doors::destination;
use crate::doors::form::known;
use crate::doors::sealed;
use crate::error::Error;
use crate::federation::{Grant, SignInProvider, is_word, query};
use crate::house::House;
use crate::request::Request;

pub(super) const PATH: &str = "/signin/oidc/";
/// For how long somebody may take at the provider, in seconds.
const AWAY_SECONDS: i64 = 600;
/// Longest code of a provider, in bytes.
const CODE_BYTES_MAX: usize = 4096;

/// What the state says, sealed with the browser's cookie for its context.
#[derive(Serialize, Deserialize)]
struct State {
    provider: String,
    nonce: String,
    verifier: String,
    back: Option<String>,
    /// When, in Unix seconds.
    at: i64,
    number: u64,
}

/// What of a path is a provider's name, and what comes after it.
pub(super) fn name_of(path: &str) -> Option<(&str, &str)> {
    let (name, rest) = path.strip_prefix(PATH)?.split_once('/').unwrap_or((path.strip_prefix(PATH)?, ""));
    let is_name = (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    is_name.then_some((name, rest))
}

/// The address of a provider's sign-in.
pub(super) fn path_of(name: &str) -> String {
    format!("{PATH}{name}")
}

fn provider<'h>(house: &'h House, request: &Request) -> Result<&'h SignInProvider, Error> {
    let (name, _) = name_of(&request.http.path).unwrap_or_default();
    let found = house.settings.sign_in.providers.iter().find(|provider| provider.name == name);
    found.ok_or_else(|| Error::validation("No identity provider is called so here."))
}

/// Where the provider sends a browser back to. Never by the Host header, which is the client's to choose.
fn redirect_uri(house: &House, provider: &SignInProvider) -> Result<String, Error> {
    let message = "This server has no public URL that identity providers could send people back to: its operator sets one with --public-url.";
    let own = house.settings.public_authority.as_ref().ok_or_else(|| Error::validation(message))?;
    Ok(format!("{}{PATH}{}/callback", Authority::url(own), provider.name))
}

/// The way to the provider.
pub(in crate::doors) async fn begin(
    house: &House,
    op: &Operation,
    request: &Request,
) -> Result<Answer, Error> {
    let form = known(request, &["back"])?;
    let provider = provider(house, request)?;
    let redirect_uri = redirect_uri(house, provider)?;
    let open = provider.open(house, op).await?;
    let browser = Browser::of(house, request);
    let state = State {
        provider: provider.name.clone(),
        nonce: drawn(house),
        verifier: drawn(house),
        back: form.text("back").and_then(destination::way_back),
        at: op.now.as_second(),
        number: sealed::number(house),
    };
    let to_go = seal(house, &browser, Purpose::OidcState, &state)?;
    let asked = query(&[
        ("response_type", "code"),
        ("client_id", &provider.client_id),
        ("redirect_uri", &redirect_uri),
        ("scope", "openid email"),
        ("state", to_go.expose_str()),
        ("nonce", &state.nonce),
        ("code_challenge", &challenge_of(&state.verifier)),
        ("code_challenge_method", "S256"),
    ]);
    let url = &open.endpoints.authorization_url;
    let joint = if url.contains('?') { '&' } else { '?' };
    let browser = browser.is_new.then_some(browser.secret);
    Ok(Answer::Leave { url: format!("{url}{joint}{asked}"), browser })
}

/// 256 random bits in base64url.
fn drawn(house: &House) -> String {
    let mut bytes = [0; 32];
    house.directory.random().fill(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}

fn seal<T: Serialize>(house: &House, browser: &Browser, purpose: Purpose, what: &T) -> Result<Secret, Error> {
    let (view, context) = (house.directory.snapshot(), browser.secret.hash());
    let sealed = sealed::seal(house, &view, purpose, context.as_bytes(), what);
    sealed.map_err(|_| Error::validation("The identity provider's answer is too long."))
}

fn opened<T: for<'de> Deserialize<'de>>(
    house: &House,
    browser: &mut Browser,
    purpose: Purpose,
    text: &str,
) -> Option<T> {
    let view = house.directory.snapshot();
    browser.settle(|secret: &BrowserSecret| sealed::open(&view, purpose, secret.hash().as_bytes(), text))
}

/// The way back: with a code, or with the reason why there is none. Parameters that are not known are the provider's own
/// (RFC 6749, section 4.1.2: they must be ignored).
pub(in crate::doors) async fn come_back(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let provider = provider(house, request)?;
    let redirect_uri = redirect_uri(house, provider)?;
    let form = request.params.as_ref().map_err(Clone::clone)?;
    let text = |name| form.text(name).unwrap_or_default();
    let mut browser = Browser::of(house, request);
    let state: Option<State> = opened(house, &mut browser, Purpose::OidcState, text("state"));
    let state = state.filter(|state| state.provider == provider.name).ok_or_else(over)?;
    let until = state.at + AWAY_SECONDS;
    if !sealed::is_now(state.at, AWAY_SECONDS, op.now.as_second()) {
        return Err(over());
    }
    let open = provider.open(house, op).await?;
    if !open.is_from(form.text("iss")) {
        return Err(Error::access_denied("The answer is another identity provider's."));
    }
    if let Some(error) = form.text("error").filter(|error| !error.is_empty()) {
        return Err(not_signed_in(error));
    }
    let code = Some(text("code")).filter(|code| (1..=CODE_BYTES_MAX).contains(&code.len()));
    let code = code.ok_or_else(|| Error::access_denied("The identity provider sent no code."))?;
    if !house.directory.spend_sign_in_step(op, state.number, "code", until).await? {
        return Err(over());
    }
    let grant = Grant { code, redirect_uri: &redirect_uri, verifier: &state.verifier };
    let token = provider.id_token(house, op, &open, &grant).await?;
    let State { provider: named, nonce, back, number, .. } = state;
    let coming = role::Coming { provider: named, token, nonce, back, number, until };
    role::offer(house, op, provider, browser, coming, event).await
}

fn over() -> Error {
    Error::access_denied(
        "The sign-in was not begun in this browser, took longer than ten minutes, or was done before. Begin again.",
    )
}

/// The provider's own word for it, as far as it is one (RFC 6749, section 4.1.2.1).
fn not_signed_in(error: &str) -> Error {
    let word = if is_word(error) { error } else { "an error" };
    Error::access_denied(format!("The identity provider did not sign you in: {word}."))
}

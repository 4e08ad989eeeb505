//! Somebody signs in at an OpenID Connect provider and comes back with a code: the exchange of that, and whom the ID token vouches
//! for. Verified is it as one that comes with AssumeRoleWithWebIdentity; beside that it must be for this client and this sign-in.
//!
//! Source: OpenID Connect Core 1.0, section 3.1 (authorization code flow); RFC 7636 (PKCE); RFC 6749, sections 2.3.1 and 4.1.

use std::sync::Arc;

use data_encoding::BASE64;
use daypass_authn::oidc::{SignInEndpoints, Token, TokenError, VerifiedToken};
use daypass_directory::{Caller, Operation, View};
use daypass_model::{AccountId, Secret};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::fetch::said;
use super::keys::{NoKeys, Source};
use super::refused::{Asked, refused};
use super::web_identity::{INVALID, Provider, unreachable};
use crate::error::Error;
use crate::house::House;

/// What stands in a form or a query as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A provider at which people sign in, by the operator's choice.
#[derive(Debug, Clone)]
pub struct SignInProvider {
    /// What it is called in addresses: small letters, digits and hyphens.
    pub name: String,
    /// The account that has the provider.
    pub account: AccountId,
    /// Its ARN.
    pub arn: String,
    /// As which client, one of the provider's.
    pub client_id: String,
    /// The client's secret; none: it is public, and PKCE alone protects the code.
    pub secret: Option<Secret>,
}

/// A provider that is there, and where people sign in at it.
pub(crate) struct Open {
    source: Source,
    pub(crate) endpoints: Arc<SignInEndpoints>,
}

/// What comes back to be exchanged.
pub(crate) struct Grant<'a> {
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) verifier: &'a str,
}

/// A token that was verified, of somebody who asks for any role of the account.
pub(crate) struct SignedIn {
    pub(crate) view: Arc<View>,
    account: AccountId,
    issuer: String,
    token: VerifiedToken,
}

impl Open {
    /// Whether the answer that a browser brought can be this provider's: where it names itself, the name is its own (RFC 9207).
    pub(crate) fn is_from(&self, named: Option<&str>) -> bool {
        match named {
            Some(named) => named == self.source.issuer,
            None => !self.endpoints.names_itself,
        }
    }
}

impl SignInProvider {
    /// The provider, if its account still has it and takes this client.
    ///
    /// # Errors
    /// It has not, does not, or the provider does not say where people sign in.
    pub(crate) async fn open(&self, house: &House, op: &Operation) -> Result<Open, Error> {
        let view = house.directory.snapshot();
        let source = self.source(house, &view).map_err(|error| self.refused(house, op, error))?;
        let endpoints = house.provider_keys.endpoints(&source, op.source_ip, op.now.as_second()).await;
        let endpoints = endpoints.map_err(|error| {
            let detail = error.to_string();
            self.refused_for(house, op, error.into(), Some(&detail))
        })?;
        if !is_browsable(&endpoints.authorization_url, &source) {
            return Err(self.refused(house, op, not_ready()));
        }
        Ok(Open { source, endpoints })
    }

    /// Whether its account has the provider, and that takes this client: of what the operator writes down somebody may have
    /// made a slip.
    #[must_use]
    pub fn is_there(&self, house: &House) -> bool {
        self.source(house, &house.directory.snapshot()).is_ok()
    }

    fn source(&self, house: &House, view: &View) -> Result<Source, Error> {
        let url = self.arn.split_once(":oidc-provider/").map_or("", |(_, url)| url);
        let found = ["https", "http"].into_iter().find_map(|scheme| {
            view.oidc_provider_of(self.account, &format!("{scheme}://{url}"))
                .filter(|found| found.arn == self.arn)
        });
        let provider = found.filter(|provider| provider.record.client_ids.contains(&self.client_id));
        let provider = provider.ok_or_else(not_ready)?;
        Ok(Provider::Registered(provider).source(self.account, house))
    }

    /// What the provider gives for a code.
    ///
    /// # Errors
    /// It gives nothing.
    pub(crate) async fn id_token(
        &self,
        house: &House,
        op: &Operation,
        open: &Open,
        grant: &Grant<'_>,
    ) -> Result<Secret, Error> {
        #[derive(Deserialize)]
        struct Answer {
            id_token: String,
        }
        let (body, authorization) = self.form(grant, open.endpoints.secret_in_body);
        let (keys, url) = (&house.provider_keys, open.endpoints.token_url.as_str());
        let (form, now) = ((&body, authorization.as_ref()), op.now.as_second());
        let answer = keys.exchange(&open.source, url, form, op.source_ip, now).await;
        let answer = answer
            .map_err(|error| self.refused_for(house, op, not_exchanged(&error), Some(&error.to_string())))?;
        let token: Result<Answer, _> = serde_json::from_slice(&answer);
        let no_token = |_| {
            let error = Error::new(INVALID, "The identity provider gave no ID token.");
            // Some say what is wrong with a 200.
            let word = said(&answer).map(|word| format!("`{url}` answers 200, error={word}"));
            self.refused_for(house, op, error, word.as_deref())
        };
        Ok(Secret::new(token.map_err(no_token)?.id_token))
    }

    fn form(&self, grant: &Grant<'_>, secret_in_body: bool) -> (Secret, Option<Secret>) {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", grant.code),
            ("redirect_uri", grant.redirect_uri),
            ("code_verifier", grant.verifier),
        ];
        let secret = self.secret.as_ref();
        if secret.is_none() || secret_in_body {
            pairs.push(("client_id", self.client_id.as_str()));
        }
        if let Some(secret) = secret.filter(|_| secret_in_body) {
            pairs.push(("client_secret", secret.expose_str()));
        }
        let basic = secret.filter(|_| !secret_in_body).map(|secret| {
            // Each encoded as in a form before they are joined (RFC 6749, section 2.3.1).
            let joined = format!("{}:{}", encoded(&self.client_id), encoded(secret.expose_str()));
            Secret::new(format!("Basic {}", BASE64.encode(joined.as_bytes())))
        });
        (Secret::new(query(&pairs)), basic)
    }

    /// Whom the token vouches for: this provider's, for this client and this sign-in.
    ///
    /// # Errors
    /// As of AssumeRoleWithWebIdentity; a nonce that is another.
    pub(crate) async fn verified(
        &self,
        house: &House,
        op: &Operation,
        text: &str,
        nonce: &str,
    ) -> Result<SignedIn, Error> {
        let verified = self.verified_now(house, op, text, nonce).await;
        verified.map_err(|error| self.refused(house, op, error))
    }

    async fn verified_now(
        &self,
        house: &House,
        op: &Operation,
        text: &str,
        nonce: &str,
    ) -> Result<SignedIn, Error> {
        let before = self.source(house, &house.directory.snapshot())?;
        let token = Token::read(text)?;
        let another = || Error::new(INVALID, "The ID token is of another provider, client or sign-in.");
        if token.issuer() != before.issuer {
            return Err(another());
        }
        let found = house.provider_keys.keys(&before, token.key_id(), op.now.as_second()).await?;
        // Only now: what was waited for took its time.
        let view = house.directory.snapshot();
        if self.source(house, &view)? != before {
            return Err(another());
        }
        token.check_audience(std::slice::from_ref(&self.client_id))?;
        let provider = view.oidc_provider_of(self.account, &before.issuer).ok_or_else(not_ready)?.clone();
        let token = token.verify(
            &found.keys,
            |algorithm| Provider::Registered(&provider).takes(algorithm),
            op.now,
        )?;
        // Also where `azp` names the client: `aud` must (OpenID Connect Core 1.0, section 3.1.3.7, number 3).
        if !token.claims().audiences.contains(&self.client_id) {
            return Err(TokenError::Audience.into());
        }
        let said = token.claims().get("nonce").and_then(|said| said.as_str());
        if said != Some(nonce) {
            return Err(another());
        }
        Ok(SignedIn { view, account: self.account, issuer: before.issuer, token })
    }

    fn refused(&self, house: &House, op: &Operation, error: Error) -> Error {
        self.refused_for(house, op, error, None)
    }

    /// The same, with what only the log is told.
    fn refused_for(&self, house: &House, op: &Operation, error: Error, detail: Option<&str>) -> Error {
        refused(house, op, Asked { name: &self.arn, account: Some(self.account) }, error, detail)
    }
}

impl SignedIn {
    /// The same, asking for no role yet.
    ///
    /// # Errors
    /// The provider is gone.
    pub(crate) fn of_no_role(&self) -> Result<Caller, Error> {
        let provider = self.view.oidc_provider_of(self.account, &self.issuer).ok_or_else(not_ready)?;
        Ok(Caller::vouched(self.account, Provider::Registered(provider).vouched(&self.token, false)?))
    }

    /// The same, asking for this role.
    ///
    /// # Errors
    /// The token names others.
    pub(crate) fn caller(&self, role_arn: &str) -> Result<Caller, Error> {
        let provider = self.view.oidc_provider_of(self.account, &self.issuer).ok_or_else(not_ready)?;
        let named = self.token.claims().names_role(role_arn);
        if named == Some(false) {
            return Err(Error::new(
                INVALID,
                "The requested role is not one of those that the ID Token names",
            ));
        }
        let vouched = Provider::Registered(provider).vouched(&self.token, named.is_some())?;
        Ok(Caller::vouched(self.account, vouched))
    }

    /// What sessions of theirs are called: the address that the provider has verified, or else the subject, as far as it has the
    /// characters of a name.
    pub(crate) fn session_name(&self) -> String {
        let claims = self.token.claims();
        let is_verified =
            claims.get("email_verified").is_some_and(|verified| verified.as_bool() == Some(true));
        let email = claims.get("email").and_then(|email| email.as_str()).filter(|_| is_verified);
        let text = email.unwrap_or(&claims.subject);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_=,.@+-".contains(c);
        let mut name: String = text.chars().map(|c| if is_plain(c) { c } else { '-' }).take(64).collect();
        while name.len() < 2 {
            name.push('-');
        }
        name
    }
}

/// Where a browser may be sent: by https, or to the host and port of an issuer that the operator lists as insecure.
fn is_browsable(url: &str, source: &Source) -> bool {
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['#', '\\', '"']);
    let authority = |url| daypass_model::Authority::split_url(url).ok().map(|(authority, _)| authority);
    let is_own = |named| source.insecure && authority(&source.issuer) == Some(named);
    is_plain && authority(url).is_some_and(|named| named.is_https() || is_own(named))
}

/// Pairs as a query or a form has them.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

fn not_ready() -> Error {
    Error::validation(
        "People cannot sign in at this identity provider: its account does not have it, or not for this client, or it does not say where they sign in.",
    )
}

/// A code that is none is told from a provider that is away.
fn not_exchanged(error: &NoKeys) -> Error {
    match error {
        NoKeys::Fetch(error) if error.is_refusal() => {
            Error::new(INVALID, "The identity provider does not take the code that it sent you back with.")
        }
        _ => unreachable(),
    }
}

#[cfg(test)]
mod tests {
    //! Where browsers are sent.

    use super::*;

    #[test]
    fn an_insecure_issuer_sends_browsers_to_itself_alone() {
        let issuer = |issuer: &str, insecure| Source {
            account: None,
            provider: String::new(),
            name: String::new(),
            issuer: issuer.to_owned(),
            discovery_url: String::new(),
            thumbprints: Vec::new(),
            insecure,
        };
        let source = issuer("http://login.test:8080/realms/x", true);
        let goes = |url| is_browsable(url, &source);
        assert!(goes("http://login.test:8080/authorize") && goes("https://elsewhere.test/authorize"));
        for url in ["http://login.test/", "http://elsewhere.test:8080/", "http://login.test:8080@x.test/"] {
            assert!(!goes(url), "{url}");
        }
        let secure = issuer("https://login.test", false);
        assert!(is_browsable("https://other.test/a?b=c", &secure));
        assert!(
            !is_browsable("http://login.test:443/", &secure) && !is_browsable("http://login.test/", &secure)
        );
    }
}

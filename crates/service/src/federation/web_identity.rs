//! Whom a web identity token vouches for, checked in AWS's order. Nothing is fetched but what an administrator of the
//! role's account registered, or what the operator configured; no part of a token that is not verified is logged.
//!
//! Source: AWS STS API Reference, AssumeRoleWithWebIdentity; IAM User Guide, "OIDC federation".

use std::sync::Arc;

use daypass_authn::oidc::{Algorithm, BadClaim, Token, TokenError, VerifiedToken};
use daypass_directory::{Caller, OidcProvider, Operation, TokenNames, View, Vouched, VouchedBy};
use daypass_model::{AccountId, Arn};

use super::condition_keys::{self, NoValue};
use super::fetch::FetchError;
use super::issuers::{BuiltIn, discovery_url};
use super::keys::{NoKeys, Source};
use super::refused::{Asked, refused};
use crate::error::Error;
use crate::house::House;

/// What a call brings.
pub(crate) struct Presented<'a> {
    /// The role it asks for.
    pub(crate) role_arn: &'a str,
    /// The token.
    pub(crate) token: &'a str,
}

/// Verify the token of a call.
///
/// # Errors
/// InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError; that all is to be decided again, where somebody had to
/// be asked.
pub(crate) async fn vouch(
    op: &Operation,
    house: &House,
    call: &Presented<'_>,
) -> Result<(Arc<View>, Caller), Error> {
    let view = house.directory.snapshot();
    // Files of tokens often end in a line's end, which clients pass on.
    let token = Token::read(call.token.trim_end_matches(['\r', '\n']))?;
    if house.settings.is_own_issuer(token.issuer()) {
        // It says who somebody is here: nobody becomes somebody else by it, whoever registered its issuer.
        let message = "A token of GetWebIdentityToken is not exchanged for credentials";
        return Err(Error::new(INVALID, message));
    }
    let account = call.role_arn.parse().ok().and_then(|arn: Arn| arn.account_id());
    let provider = account.and_then(|account| Some((account, Provider::of(&view, account, token.issuer())?)));
    let (account, provider) = provider.ok_or_else(|| no_provider(token.issuer()))?;
    let vouched = verified(op, house, call, account, provider, token).await;
    let vouched = vouched.map_err(|error| {
        let account = matches!(provider, Provider::Registered(_)).then_some(account);
        refused(house, op, Asked { name: provider.name(), account }, error, None)
    })?;
    // A provider that is built in vouches in every account. Nobody is told which accounts there are.
    if !view.is_account(account) {
        return Err(Error::access_denied(DENIED));
    }
    Ok((view, Caller::vouched(account, vouched)))
}

/// What the provider says by the token, if it is the provider's and good.
async fn verified(
    op: &Operation,
    house: &House,
    call: &Presented<'_>,
    account: AccountId,
    provider: Provider<'_>,
    token: Token<'_>,
) -> Result<Vouched, Error> {
    if let Provider::Registered(provider) = provider {
        token.check_audience(&provider.record.client_ids)?;
    }
    let source = provider.source(account, house);
    let found = house.provider_keys.keys(&source, token.key_id(), op.now.as_second()).await?;
    let token = token.verify(&found.keys, |algorithm| provider.takes(algorithm), op.now)?;
    let named = token.claims().names_role(call.role_arn);
    if named == Some(false) {
        let message = "The requested role is not one of those that the ID Token names";
        return Err(Error::new(INVALID, message));
    }
    let vouched = provider.vouched(&token, named.is_some())?;
    // The provider, the role and whom it trusts may be others by now.
    if found.waited {
        return Err(unreachable().into_conflict());
    }
    Ok(vouched)
}

/// Renew keys of providers that are due, one after another; several may do so at once.
pub async fn renew_keys(house: &House) {
    let current = |source: &Source| {
        let Some(account) = source.account else { return Some(source.clone()) };
        let view = house.directory.snapshot();
        let provider = view.oidc_provider_of(account, &source.issuer)?;
        let source_now = Provider::Registered(provider).source(account, house);
        (source_now.provider == source.provider).then_some(source_now)
    };
    house.provider_keys.refresh(house.now().as_second(), current).await;
}

pub(super) const INVALID: &str = "InvalidIdentityToken";
/// What whoever a role does not trust hears of every role, there or not.
pub(super) const DENIED: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";

/// Where a token may be from.
#[derive(Clone, Copy)]
pub(super) enum Provider<'v> {
    Registered(&'v OidcProvider),
    BuiltIn(BuiltIn),
}

impl<'v> Provider<'v> {
    /// Found by what the token says of itself: it must then be what that provider signs.
    fn of(view: &'v View, account: AccountId, issuer: &str) -> Option<Provider<'v>> {
        match BuiltIn::of_issuer(issuer) {
            Some(built_in) => Some(Provider::BuiltIn(built_in)),
            None => view.oidc_provider_of(account, issuer).map(|provider| Provider::Registered(provider)),
        }
    }

    /// Whether its tokens may be signed so.
    pub(super) fn takes(self, algorithm: Algorithm) -> bool {
        let switched_on = match self {
            Provider::Registered(provider) => provider.record.algorithms.as_slice(),
            Provider::BuiltIn(_) => &[],
        };
        algorithm.is_common() || switched_on.iter().any(|name| name == algorithm.name())
    }

    /// Its name in condition keys.
    fn prefix(self) -> &'v str {
        match self {
            Provider::Registered(provider) => &provider.record.url,
            Provider::BuiltIn(built_in) => built_in.name(),
        }
    }

    /// Its name in trust policies.
    fn name(self) -> &'v str {
        match self {
            Provider::Registered(provider) => &provider.arn,
            Provider::BuiltIn(built_in) => built_in.name(),
        }
    }

    /// Where its keys come from, if it is a provider of this account.
    pub(super) fn source(self, account: AccountId, house: &House) -> Source {
        let issuers = &house.settings.issuers;
        match self {
            Provider::Registered(provider) => {
                let issuer = provider.record.issuer();
                Source {
                    account: Some(account),
                    provider: provider.record.id.to_string(),
                    name: provider.arn.clone(),
                    discovery_url: discovery_url(&issuer),
                    thumbprints: provider.record.thumbprints.clone(),
                    insecure: issuers.is_insecure(&issuer),
                    issuer,
                }
            }
            Provider::BuiltIn(built_in) => Source {
                account: None,
                provider: built_in.name().to_owned(),
                name: built_in.name().to_owned(),
                issuer: built_in.issuer().to_owned(),
                discovery_url: issuers.discovery_url_of(built_in),
                thumbprints: Vec::new(),
                insecure: issuers.is_insecure(built_in.issuer()),
            },
        }
    }

    pub(super) fn vouched(self, token: &VerifiedToken, names_roles: bool) -> Result<Vouched, Error> {
        let claims = token.claims();
        let set: &[String] = match self {
            Provider::Registered(provider) => &provider.record.condition_claims,
            Provider::BuiltIn(_) => &[],
        };
        let mut keys = condition_keys::of_call(self.prefix(), set, token)?;
        keys.push(("sts:RoleAuthorizedByIdp".into(), names_roles.to_string().into()));
        let passed = claims.session_tags()?;
        Ok(Vouched {
            by_certificate: None,
            by: VouchedBy::WebIdentity,
            provider: self.name().to_owned(),
            is_registered: matches!(self, Provider::Registered(_)),
            subject: claims.subject.clone(),
            audience: token.audience().to_owned(),
            token: TokenNames {
                id: claims.get("jti").and_then(|id| id.as_str()).map(str::to_owned),
                key_id: token.key_id().map(str::to_owned),
                issued_at: Some(claims.issued_at),
            },
            keys,
            kept: condition_keys::of_session(self.prefix(), self.name(), token),
            tags: passed.tags,
            transitive_tag_keys: passed.transitive_keys,
            source_identity: claims.source_identity()?.map(str::to_owned),
        })
    }
}

fn no_provider(issuer: &str) -> Error {
    Error::new(INVALID, format!("No OpenIDConnect provider found in your account for {issuer}"))
}

pub(super) fn unreachable() -> Error {
    let message = "The identity provider cannot be reached to verify the ID Token. Try again.";
    Error::new("IDPCommunicationError", message)
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Expired { .. } | TokenError::TooOld(_) => "ExpiredTokenException",
            _ => INVALID,
        };
        Self::new(code, error.to_string())
    }
}

impl From<BadClaim> for Error {
    fn from(claim: BadClaim) -> Self {
        Self::new(INVALID, claim.to_string())
    }
}

impl From<NoValue> for Error {
    fn from(claim: NoValue) -> Self {
        Self::new(INVALID, claim.to_string())
    }
}

impl From<NoKeys> for Error {
    fn from(error: NoKeys) -> Self {
        let no_key = || Self::new(INVALID, TokenError::NoKey.to_string());
        match error {
            NoKeys::Fetch(FetchError::Certificate(_)) => {
                let message =
                    "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint";
                Self::new(INVALID, message)
            }
            NoKeys::Fetch(FetchError::Status(_, status)) if status < 500 => no_key(),
            NoKeys::Fetch(FetchError::Refused(..) | FetchError::TooLong(_)) | NoKeys::Document(_) => no_key(),
            // What the names of this network lead to is no tenant's business: an address that is not asked does not answer.
            NoKeys::Fetch(
                FetchError::Unreachable(..)
                | FetchError::NotPublic(_)
                | FetchError::Status(..)
                | FetchError::Form(..),
            )
            | NoKeys::TooOften
            | NoKeys::Busy => unreachable(),
        }
    }
}

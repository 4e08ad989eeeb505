//! `/console/s/<session id>/`: the page of a session, credentials in its name, and its end.
//!
//! What proves a visit is the cookie of the session's own path, and for whatever changes something a code in the form
//! that only our page has.

use std::sync::Arc;

use daypass_authn::browser::BrowserSecret;
use daypass_authn::token::SessionClaims;
use daypass_directory::{Checks, ConsoleSession, Identity, Operation, Scope, Session, authorize};
use daypass_model::SessionId;

use super::answer::{Answer, CommandLine, Step, YourSession};
use super::begin::{Given, give};
use super::{cookie_name, form};
use crate::audit::Event;
use crate::error::Error;
use crate::house::{House, region_for_clients};
use crate::params::Params;
use crate::request::Request;

/// Cookies of sessions that are looked at; browsers keep fewer of one site.
const LOGIN_COOKIES_MAX: usize = 200;
/// What the forms are called, in their codes.
const CREDENTIALS: &str = "credentials";
const SIGN_OUT: &str = "sign-out";

/// Somebody who proved a session of the console that lives.
pub(super) struct Visitor {
    pub(super) id: SessionId,
    pub(super) scope: Scope,
    pub(super) session: Arc<Session>,
    pub(super) kept: Arc<ConsoleSession>,
    secret: BrowserSecret,
}

/// The visitor, or what else there is to say.
pub(super) fn visitor(
    house: &House,
    op: &Operation,
    request: &Request,
    id: SessionId,
) -> Result<Visitor, Answer> {
    let view = house.directory.snapshot();
    let Some(secret) = cookie_of(request, &cookie_name(id)) else {
        // From a link elsewhere a browser brings no cookie of the kind that other sites cannot make it bring.
        let mut names = request.http.query.split('&').filter_map(|pair| pair.split('=').next());
        let came_again = names.any(|name| name == "again");
        return Err(if came_again { Answer::NotSignedIn } else { Answer::ComeAgain { id } });
    };
    let kept = view.console_session(id).filter(|kept| secret.has_hash(&kept.record.secret_hash)).cloned();
    let kept = kept.ok_or(Answer::Ended { issuer: None })?;
    let ended = || Answer::Ended { issuer: kept.record.issuer.clone() };
    let (key, token) = (kept.record.access_key_id.as_str(), Some(kept.record.token.as_str()));
    let credential = house.directory.credential(&view, key, token).map_err(|_| ended())?;
    let scope = Scope::resolve(view, credential.caller, op.now).map_err(|_| ended())?;
    let session = scope.principal().session.clone().ok_or_else(ended)?;
    Ok(Visitor { id, scope, session, kept, secret })
}

/// The visitor who sent a form of the session's page, by its name and fields, and what is in it. The event knows of them from
/// then on. Else what there is to say instead.
pub(super) fn sender<'r>(
    house: &House,
    op: &Operation,
    request: &'r Request,
    (id, name, fields): (SessionId, &str, &[&str]),
    event: &mut Event<'_>,
) -> Result<(Visitor, &'r Params), Result<Answer, Error>> {
    let visitor = visitor(house, op, request, id).map_err(Ok)?;
    event.principal(visitor.scope.principal());
    let params = visitor.sent(request, name, fields).map_err(Err)?;
    Ok((visitor, params))
}

/// The secret in a cookie. Two of one name are somebody's trick.
pub(super) fn cookie_of(request: &Request, name: &str) -> Option<BrowserSecret> {
    let mut values = cookies(request).filter(|(key, _)| *key == name).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then(|| BrowserSecret::read(value)).flatten()
}

/// Names and values.
pub(super) fn cookies(request: &Request) -> impl Iterator<Item = (&str, &str)> {
    let headers = request.http.headers.iter().filter(|(header, _)| header == "cookie");
    let texts = headers.filter_map(|(_, value)| std::str::from_utf8(value).ok());
    texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// The sessions that the browser says it has, where their cookies come together: the newest first, which browsers send last
/// (RFC 6265, section 5.4).
pub(super) fn login_sessions(request: &Request) -> Vec<SessionId> {
    let ids: Vec<SessionId> =
        cookies(request).filter_map(|(name, _)| name.strip_prefix("daypass-")?.parse().ok()).collect();
    ids.into_iter().rev().take(LOGIN_COOKIES_MAX).collect()
}

/// The page itself.
pub(super) async fn page(
    house: &House,
    op: &Operation,
    request: &Request,
    id: SessionId,
) -> Result<Answer, Error> {
    match visitor(house, op, request, id) {
        Ok(visitor) => Ok(Answer::YourSession(Box::new(your_session(house, op, &visitor).await))),
        Err(answer) => Ok(answer),
    }
}

/// Credentials of the same session with a shorter life.
pub(super) async fn credentials(
    house: &House,
    op: &Operation,
    request: &Request,
    id: SessionId,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let visitor = match sender(house, op, request, (id, CREDENTIALS, &[]), event) {
        Ok((visitor, _)) => visitor,
        Err(early) => return early,
    };
    event.reserve()?;
    let claims = &visitor.session.claims;
    let Given { access_key_id, sealed, expires_at } = give(house, op, visitor.scope.view(), claims, event)?;
    let (public, sts_region) =
        (house.settings.public_authority.as_ref(), house.settings.sts_region.as_deref());
    let given = CommandLine {
        access_key_id: access_key_id.to_string(),
        secret_access_key: sealed.secret_access_key,
        session_token: daypass_model::Secret::new(sealed.token),
        expires: expires_at,
        endpoint: public.map(daypass_model::Authority::url),
        region: region_for_clients(sts_region, public).to_owned(),
    };
    Ok(Answer::Credentials(Box::new(your_session(house, op, &visitor).await), Box::new(given)))
}

/// The end of the session, on every node, with everything in its name.
pub(super) async fn sign_out(
    house: &House,
    op: &Operation,
    request: &Request,
    id: SessionId,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let visitor = match sender(house, op, request, (id, SIGN_OUT, &[]), event) {
        Ok((visitor, _)) => visitor,
        // Signed out in another window, or over by now: that is what was wanted.
        Err(early) => return early,
    };
    event.reserve()?;
    let call = authorize(op, &visitor.scope, &Checks::nothing_can_deny(), ())?;
    let mut change = call.change(op);
    call.account().end_console_session(&mut change, id);
    house.directory.commit(change).await?;
    Ok(Answer::SignedOut { id, issuer: visitor.kept.record.issuer.clone() })
}

impl Visitor {
    /// The code of a form on the visitor's page.
    pub(super) fn code(&self, name: &str) -> String {
        self.secret.form_code(name)
    }

    /// What the visitor sent by this form of ours, which has these fields beside its code.
    ///
    /// # Errors
    /// As there.
    pub(super) fn sent<'r>(
        &self,
        request: &'r Request,
        name: &str,
        fields: &[&str],
    ) -> Result<&'r Params, Error> {
        // Beside the cookie's SameSite=Strict, which not every browser knows.
        form::sent(request, &self.secret, name, fields)
    }
}

async fn your_session(house: &House, op: &Operation, visitor: &Visitor) -> YourSession {
    let Visitor { id, scope, session, kept, .. } = visitor;
    let (who, claims) = (scope.principal(), &session.claims);
    let is_role = matches!(who.identity, Identity::Role(_));
    YourSession {
        id: *id,
        account: who.account,
        arn: who.arn.clone(),
        kind: who.identity_type(),
        name: match &who.identity {
            Identity::Role(role) => role.record.name.clone(),
            Identity::User(user) => user.record.name.clone(),
            Identity::Root => "root".to_owned(),
            Identity::Federated(_) | Identity::Vouched(_) => claims.session_name.clone(),
        },
        session_name: is_role.then(|| claims.session_name.clone()),
        now: op.now.as_second(),
        began: kept.record.begun,
        expires: claims.expires_at,
        mfa: who.has_mfa(),
        source_identity: claims.source_identity.clone(),
        tags: claims.tags.clone(),
        policy_layers: claims.layers.len(),
        chain: chain(house, op, claims).await,
        issuer: kept.record.issuer.clone(),
        destination: kept.record.destination.clone(),
        credentials_code: visitor.code(CREDENTIALS),
        sign_out_code: visitor.code(SIGN_OUT),
    }
}

/// Who began it, and the sessions between; of another account's no more than that they are.
async fn chain(house: &House, op: &Operation, claims: &SessionClaims) -> Vec<Step> {
    let log = house.session_log.read(op.now.as_second()).await;
    let mut steps = Vec::new();
    for (place, (ancestor, end)) in claims.ancestry.iter().zip(&claims.ancestry_ends).enumerate() {
        let entry = log.index.get(*ancestor);
        if let Some(asker) = entry.filter(|_| place == 0).map(|entry| &entry.requested_by) {
            let is_own = asker.account == claims.account;
            let who = if is_own { asker.arn.clone() } else { format!("account {}", asker.account) };
            steps.push(Step { who, expires: None, session: None });
        }
        let own = entry.filter(|entry| entry.account == claims.account);
        let who = match (own, ancestor.account()) {
            (Some(entry), _) => entry.arn.clone(),
            (None, Some(account)) if account != claims.account => format!("a session in account {account}"),
            (None, _) => format!("session {ancestor}"),
        };
        steps.push(Step { who, expires: Some(*end), session: None });
    }
    steps
}

//! `/saml`: a browser comes from its company's identity provider with an assertion, and chooses a role where there are several.
//!
//! The assertion is all the proof there is, and what is asked of it is what AssumeRoleWithSAML asks: the same verifier, the
//! same trust policies, the same bound of uses. Beside that the response must have been sent to an address of ours.
//!
//! Source: IAM User Guide, "Enabling SAML 2.0 federated principals to access the AWS Management Console".

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_authn::saml::{Named, RolePair, VerifiedAssertion};
use daypass_directory::{Authorized, Caller, Operation, Scope, View, Vouched};
use daypass_model::limits::ROLE_SESSION_SECONDS_DEFAULT;
use daypass_model::{AccountId, Secret, cut};

use super::answer::{Answer, RoleChoice, RoleField};
use super::begin::{Beginning, begin};
use super::destination;
use super::form::known;
use crate::actions::sts::vouched::{self, Asked};
use crate::audit::Event;
use crate::decide::Decided;
use crate::error::Error;
use crate::federation::{self, Response};
use crate::house::House;
use crate::request::{NAME_MAX, Request};

pub(super) const PATH: &str = "/saml";
pub(super) const METADATA_PATH: &str = "/saml/metadata.xml";
/// Behind it stands the `SAMLProviderUUID`.
pub(super) const OF_PROVIDER: &str = "/saml/acs/";
const NAME: &str = "sts:AssumeRoleWithSAML";
/// Providers that are tried for one response: those of many accounts may have one entity's metadata, and each is work.
const TRIED_MAX: usize = 4;
/// Pairs of a role and a provider that are looked at.
const PAIRS_MAX: usize = 500;
/// Providers of those pairs beside the first that a response is verified with once more.
const PROVIDERS_MAX: usize = 20;

const MANY: &str = "Several identity providers here have the metadata of the entity that sent this encrypted response: it must be sent to the address that has the provider's SAMLProviderUUID.";

/// What the form brings.
struct Form<'f> {
    response: &'f str,
    relay_state: Option<&'f str>,
    role: Option<&'f str>,
}

/// A role that the assertion pairs with a provider, and who its bearer is by that provider.
struct Offered {
    pair: RolePair,
    view: Arc<View>,
    caller: Caller,
}

/// A sign-in, or the page that asks for which role.
pub(super) async fn sign_in(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let form = form(request)?;
    let mut offered = offered(house, op, request, &form).await?;
    if let Some(role) = form.role {
        offered.retain(|offered| offered.pair.role.as_str() == role);
    }
    let (mut open, mut refused) = (Vec::new(), None);
    for offered in offered {
        let decided = decided(op, &offered)?;
        match decided.is_allowed() {
            true => open.push((offered, decided)),
            false => refused = Some(decided),
        }
    }
    // Two providers may lead to the role that was chosen.
    open.truncate(if form.role.is_some() { 1 } else { open.len() });
    match (open.pop(), open.is_empty(), refused) {
        (Some((offered, decided)), true, _) => {
            let call = decided.counts(op, house)?;
            enter(house, op, &form, request, event, &offered, &call).await
        }
        (Some(last), false, _) => {
            open.push(last);
            Ok(choice(open.into_iter().map(|(offered, _)| offered.pair), &form, &request.http.path))
        }
        (None, _, Some(decided)) => {
            event.principal(decided.scope().principal());
            decided.counts(op, house)?;
            Err(no_role())
        }
        (None, _, None) => Err(no_role()),
    }
}

/// What identity providers read of this server, so that nobody types it.
pub(super) fn metadata(house: &House) -> Result<Answer, Error> {
    let message = "This server has no public URL that identity providers could send responses to: its operator sets one with --public-url.";
    let own = house.settings.saml_endpoint().ok_or_else(|| Error::validation(message))?;
    Ok(Answer::SamlMetadata(own))
}

fn form(request: &Request) -> Result<Form<'_>, Error> {
    // `name` and `portal` come with AWS's own page, and from programs that know it.
    let form = known(request, &["SAMLResponse", "RelayState", "roleIndex", "name", "portal"])?;
    let response = form.text("SAMLResponse").ok_or_else(invalid)?;
    Ok(Form { response, relay_state: form.text("RelayState"), role: form.text("roleIndex") })
}

/// The pairs of the assertion, each verified by its own provider.
async fn offered(
    house: &House,
    op: &Operation,
    request: &Request,
    form: &Form<'_>,
) -> Result<Vec<Offered>, Error> {
    let (first, assertion) = verified(house, op, request, form.response).await?;
    let mut pairs: Vec<RolePair> = assertion.role_pairs;
    pairs.truncate(PAIRS_MAX);
    let mut others = 0;
    let mut by_provider: BTreeMap<String, Option<(Arc<View>, Caller)>> = BTreeMap::new();
    let mut offered = Vec::new();
    for pair in pairs {
        let (role, provider) = (pair.role.as_str(), pair.provider.as_str());
        if !by_provider.contains_key(provider) {
            let is_first = provider == first;
            others += usize::from(!is_first);
            if others > PROVIDERS_MAX {
                continue;
            }
            let response = Response {
                role_arn: Some(role),
                provider_arn: provider,
                by_browser: true,
                text: form.response,
            };
            let vouched = federation::vouch_by_assertion(op, house, &response).await;
            if let Err(error) = &vouched
                && (error.is_conflict() || error.code == "Throttling")
            {
                return Err(error.clone());
            }
            by_provider.insert(provider.to_owned(), vouched.ok());
        }
        if let Some(Some((view, caller))) = by_provider.get(provider) {
            offered.push(Offered { view: view.clone(), caller: caller.clone(), pair });
        }
    }
    Ok(offered)
}

/// The assertion, and the provider whose it is: the one of the address, or one of those that the response names. The reason
/// of the last of several is as good as any.
async fn verified(
    house: &House,
    op: &Operation,
    request: &Request,
    text: &str,
) -> Result<(String, VerifiedAssertion), Error> {
    let view = house.directory.snapshot();
    let arns: Vec<String> = match request.http.path.strip_prefix(OF_PROVIDER) {
        Some(uuid) => {
            view.saml_provider_by_uuid(uuid).map(|provider| provider.arn.clone()).into_iter().collect()
        }
        None => named(&view, &Named::read(text).ok_or_else(invalid)?)?,
    };
    let mut refused = invalid();
    for arn in arns {
        let response = Response { role_arn: None, provider_arn: &arn, by_browser: true, text };
        match federation::assertion(op, house, &response).await {
            Ok((_, assertion)) => return Ok((arn, assertion)),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The providers that a response names: of its entity, and in its pairs, since any account may have made providers of that
/// entity. An encrypted one does not show its pairs.
fn named(view: &View, named: &Named) -> Result<Vec<String>, Error> {
    let of_entity = view.saml_providers_of_entity(&named.entity).map(|provider| provider.arn.clone());
    match &named.providers {
        Some(providers) => Ok(of_entity.filter(|arn| providers.contains(arn)).take(TRIED_MAX).collect()),
        None => {
            let all: Vec<String> = of_entity.take(TRIED_MAX + 1).collect();
            if all.len() > TRIED_MAX { Err(Error::validation(MANY)) } else { Ok(all) }
        }
    }
}

/// Whether the role's trust policy lets the bearer in.
fn decided(op: &Operation, offered: &Offered) -> Result<Decided, Error> {
    let scope = Scope::resolve(offered.view.clone(), offered.caller.clone(), op.now)?;
    let assertion = scope.principal().vouched().and_then(Vouched::assertion);
    let session_name = assertion.map_or("", |assertion| assertion.session_name.as_str());
    let checks = vouched::checks(NAME, &scope, offered.pair.role.as_str(), session_name);
    Ok(Decided::on(op, scope, checks))
}

/// The session, as AssumeRoleWithSAML would make it, but for its length: how long a console's is the provider says, and not
/// the role.
async fn enter(
    house: &House,
    op: &Operation,
    form: &Form<'_>,
    request: &Request,
    event: &mut Event<'_>,
    offered: &Offered,
    call: &Authorized<()>,
) -> Result<Answer, Error> {
    let who = call.principal().vouched();
    let (who, assertion) = who.and_then(|who| Some((who, who.assertion()?))).ok_or_else(no_role)?;
    event.principal(call.scope().principal());
    event.tells("SamlProviderArn", who.provider.as_str());
    event.tells("sAMLAssertionID", cut(&assertion.id, NAME_MAX));
    event.reserve()?;
    let seconds = assertion.session_seconds.unwrap_or(ROLE_SESSION_SECONDS_DEFAULT);
    let asked =
        Asked::of_console(offered.pair.role.as_str(), &assertion.session_name, seconds, assertion.ends_by);
    let granted = vouched::grant(op, house, call, &asked)?;
    federation::spend_assertion(op, house, assertion, granted.role).await?;
    // What is no place of ours is the provider's own word for something, and leads to the console.
    let destination =
        form.relay_state.and_then(|state| destination::read(house, request, state).ok().flatten());
    let to = destination.clone().unwrap_or_else(|| super::session_path(granted.claims.session_id));
    event.tells("LoginTo", to);
    let beginning = Beginning {
        claims: granted.claims,
        asked_by: Some(call.principal()),
        issuer: None,
        destination,
        profile: None,
    };
    begin(house, op, offered.view.clone(), event, beginning).await
}

fn choice(pairs: impl Iterator<Item = RolePair>, form: &Form<'_>, path: &str) -> Answer {
    let mut accounts: BTreeMap<AccountId, Vec<RoleChoice>> = BTreeMap::new();
    for role in pairs.map(|pair| pair.role) {
        let name = role.resource_parts().and_then(|(_, rest)| rest.rsplit('/').next()).unwrap_or_default();
        let choice = RoleChoice { arn: role.as_str().to_owned(), name: name.to_owned() };
        if let Some(account) = role.account_id() {
            let roles = accounts.entry(account).or_default();
            // Two providers may lead to one role.
            if !roles.contains(&choice) {
                roles.push(choice);
            }
        }
    }
    Answer::ChooseRole {
        accounts: accounts.into_iter().collect(),
        response: Secret::new(form.response),
        field: RoleField::SamlResponse,
        relay_state: form.relay_state.map(str::to_owned),
        path: path.to_owned(),
    }
}

fn invalid() -> Error {
    Error::new("InvalidIdentityToken", "Your request included an invalid SAML response.")
}

fn no_role() -> Error {
    Error::access_denied("The SAML response names no role that its bearer may have here.")
}

//! The role: the only one that lets the bearer of the token in, or the one of several that is chosen.

use daypass_authn::browser::BrowserSecret;
use daypass_authn::token::Purpose;
use daypass_directory::{Operation, Scope};
use daypass_model::Secret;
use serde::{Deserialize, Serialize};

use super::{AWAY_SECONDS, Browser, opened, over, path_of, provider, seal};
use crate::actions::sts::vouched::{self, Asked};
use crate::audit::Event;
use crate::decide::Decided;
use crate::doors::answer::{Answer, RoleChoice, RoleField};
use crate::doors::begin::{Beginning, begin};
use crate::doors::sealed;
use crate::doors::session_path;
use crate::doors::sign_in::ours;
use crate::error::Error;
use crate::federation::{SignInProvider, SignedIn};
use crate::house::House;
use crate::pipeline::Tries;
use crate::request::{Request, exposed, hidden};

const NAME: &str = "sts:AssumeRoleWithWebIdentity";
/// Roles that are asked whether they let somebody in, of those that name the provider.
const ROLES_MAX: usize = 100;
const FORM: &str = "sign-in-role";
const FIELDS: [&str; 2] = ["token", "roleIndex"];

/// Somebody who came back from the provider, and has no role yet.
#[derive(Serialize, Deserialize)]
pub(super) struct Coming {
    /// What the provider is called here: what came from one is nothing at another.
    pub(super) provider: String,
    #[serde(serialize_with = "exposed", deserialize_with = "hidden")]
    pub(super) token: Secret,
    pub(super) nonce: String,
    pub(super) back: Option<String>,
    pub(super) number: u64,
    /// Until when, in Unix seconds.
    pub(super) until: i64,
}

/// A role that lets them in.
struct Offered {
    arn: String,
    name: String,
    decided: Decided,
}

/// The session, or the page that asks for which role.
pub(super) async fn offer(
    house: &House,
    op: &Operation,
    provider: &SignInProvider,
    browser: Browser,
    coming: Coming,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let who = provider.verified(house, op, coming.token.expose_str(), &coming.nonce).await?;
    let mut offered = offered(house, op, &who, None, event)?;
    match (offered.pop(), offered.is_empty()) {
        (Some(only), true) => enter_surely(house, op, provider, (who, only), coming, event).await,
        (Some(last), false) => {
            offered.push(last);
            let code = browser.secret.form_code(FORM);
            let response = seal(house, &browser, Purpose::OidcToken, &coming)?;
            let roles = offered.into_iter().map(|role| RoleChoice { arn: role.arn, name: role.name });
            Ok(Answer::ChooseRole {
                accounts: vec![(provider.account, roles.collect())],
                field: RoleField::Token { code },
                response,
                relay_state: None,
                path: format!("{}/role", path_of(&provider.name)),
            })
        }
        (None, _) => Err(no_role()),
    }
}

/// The role that was chosen.
pub(in crate::doors) async fn choose(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let mut browser = match ours(house, op, request, FORM, &FIELDS) {
        Ok(browser) => browser,
        Err(answer) => return Ok(answer),
    };
    let provider = provider(house, request)?;
    let form = request.params.as_ref().map_err(Clone::clone)?;
    let text = form.text("token").unwrap_or_default();
    let coming: Option<Coming> = opened(house, &mut browser, Purpose::OidcToken, text);
    let now = op.now.as_second();
    let is_now = |coming: &Coming| sealed::is_now(coming.until - AWAY_SECONDS, AWAY_SECONDS, now);
    let is_open = |coming: &Coming| coming.provider == provider.name && is_now(coming);
    let coming = coming.filter(is_open).ok_or_else(over)?;
    let who = provider.verified(house, op, coming.token.expose_str(), &coming.nonce).await?;
    let mut offered = offered(house, op, &who, form.text("roleIndex"), event)?;
    let role = offered.pop().ok_or_else(no_role)?;
    enter(house, op, &who, role, &coming, event).await
}

/// The same where the visit cannot be made once more, since its code is spent. The token is not: whom the role lets in is asked
/// again.
async fn enter_surely(
    house: &House,
    op: &Operation,
    provider: &SignInProvider,
    (mut who, mut role): (SignedIn, Offered),
    coming: Coming,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let (mut tries, arn) = (Tries::default(), role.arn.clone());
    loop {
        let entered = enter(house, op, &who, role, &coming, event).await;
        if !tries.again(house, event, entered.as_ref().err()).await {
            return entered;
        }
        who = provider.verified(house, op, coming.token.expose_str(), &coming.nonce).await?;
        role = offered(house, op, &who, Some(&arn), event)?.pop().ok_or_else(no_role)?;
    }
}

/// The roles that let the bearer in: all, or the one of this ARN. Who is refused everywhere is told what the last one said.
fn offered(
    house: &House,
    op: &Operation,
    who: &SignedIn,
    only: Option<&str>,
    event: &mut Event<'_>,
) -> Result<Vec<Offered>, Error> {
    let (mut open, mut refused) = (Vec::new(), Err(no_role()));
    let scope = Scope::resolve(who.view.clone(), who.of_no_role()?, op.now)?;
    event.principal(scope.principal());
    let provider = scope.principal().vouched().map(|vouched| vouched.provider.clone()).unwrap_or_default();
    let named = scope.account().roles().filter(|role| role.record.trust.contains(&provider));
    for role in named.filter(|role| only.is_none_or(|only| only == role.arn)).take(ROLES_MAX) {
        match decided(op, who, &role.arn) {
            Ok(decided) if decided.is_allowed() => {
                open.push(Offered { arn: role.arn.clone(), name: role.record.name.clone(), decided });
            }
            other => refused = other,
        }
    }
    if open.is_empty() {
        refused?.counts(op, house)?;
    }
    Ok(open)
}

/// Whether the role's trust policy lets them in.
fn decided(op: &Operation, who: &SignedIn, role_arn: &str) -> Result<Decided, Error> {
    let scope = Scope::resolve(who.view.clone(), who.caller(role_arn)?, op.now)?;
    let checks = vouched::checks(NAME, &scope, role_arn, &who.session_name());
    Ok(Decided::on(op, scope, checks))
}

/// The session, as AssumeRoleWithWebIdentity would make it, for as long as the role allows.
async fn enter(
    house: &House,
    op: &Operation,
    who: &SignedIn,
    role: Offered,
    coming: &Coming,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let call = role.decided.counts(op, house)?;
    event.principal(call.scope().principal());
    event.reserve()?;
    let session_name = who.session_name();
    let asked = Asked::as_long_as_allowed(&role.arn, &session_name);
    let granted = vouched::grant(op, house, &call, &asked)?;
    if !house.directory.spend_sign_in_step(op, coming.number, "role", coming.until).await? {
        return Err(over());
    }
    let to = coming.back.clone().unwrap_or_else(|| session_path(granted.claims.session_id));
    event.tells("LoginTo", to.split('?').next().unwrap_or_default());
    let beginning = Beginning {
        claims: granted.claims,
        asked_by: Some(call.principal()),
        issuer: None,
        destination: None,
        profile: None,
    };
    match begin(house, op, who.view.clone(), event, beginning).await? {
        Answer::Entered { id, secret, device, .. } => {
            // Another from now on, as after a password: the one before may be somebody else's.
            let browser = Some(BrowserSecret::generate(house.directory.random()));
            Ok(Answer::Entered { id, secret, browser, device, back: coming.back.clone() })
        }
        other => Ok(other),
    }
}

fn no_role() -> Error {
    Error::access_denied("No role of the account lets you in by this identity provider.")
}

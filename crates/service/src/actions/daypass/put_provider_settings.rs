//! `daypass:PutOpenIDConnectProviderSettings`: what is taken of a provider beyond what AWS takes of any. Both lists must be
//! given, since to leave one out could take away what a trust policy denies by.

use daypass_authn::oidc::Algorithm;
use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::fold_name;
use serde::Deserialize;

use super::get_provider_settings::find;
use crate::action::Action;
use crate::actions::iam::oidc_provider_check;
use crate::callers::Callers;
use crate::error::Error;
use crate::federation::is_known_claim;
use crate::house::House;

pub(super) struct PutProviderSettings;

/// Claims that are no objects (RFC 7519, section 4.1).
const SIMPLE: [&str; 8] = ["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    algorithms: Vec<String>,
    condition_claims: Vec<String>,
}

impl Action for PutProviderSettings {
    const NAME: &'static str = "daypass:PutOpenIDConnectProviderSettings";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(oidc_provider_check(Self::NAME, scope, &input.arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let provider = find(&account, &input.arn)?;
        check(&provider.record.url, input)?;
        let mut record = provider.record.clone();
        record.algorithms.clone_from(&input.algorithms);
        record.condition_claims.clone_from(&input.condition_claims);
        let mut change = call.change(op);
        change.update(account.id(), provider.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

/// What the shapes cannot say. Condition keys ignore case, so two claims must differ in more than that, and none may be
/// one that is a key of the provider anyway.
fn check(provider: &str, input: &Input) -> Result<(), Error> {
    let twice = |names: &[String], fold: fn(&str) -> String| {
        let repeated = |(at, name): (usize, &String)| {
            names.iter().take(at).any(|other| fold(other) == fold(name)).then(|| name.clone())
        };
        names.iter().enumerate().find_map(repeated)
    };
    let repeated =
        twice(&input.algorithms, str::to_owned).or_else(|| twice(&input.condition_claims, fold_name));
    if let Some(name) = repeated {
        return Err(Error::validation(format!("{name} is named twice.")));
    }
    // The shape lets no other name through.
    if input.algorithms.iter().any(|name| Algorithm::parse(name).is_none()) {
        return Err(Error::internal("an algorithm of the shape is not known"));
    }
    let empty = |claim: &&String| claim.split('.').any(str::is_empty);
    if let Some(claim) = input.condition_claims.iter().find(empty) {
        return Err(Error::validation(format!("{claim} is no name of a claim: a part of it is empty.")));
    }
    let claims = &input.condition_claims;
    let below = |claim: &&String| {
        let around = claims.iter().map(String::as_str).chain(SIMPLE);
        around.filter_map(|around| claim.strip_prefix(around)).any(|rest| rest.starts_with('.'))
    };
    // A token would be refused in which the one is no object, or the other is one.
    if let Some(claim) = claims.iter().find(below) {
        return Err(Error::validation(format!(
            "{claim} is within another claim that is compared as it stands."
        )));
    }
    match claims.iter().find(|claim| is_known_claim(provider, claim)) {
        Some(claim) => Err(Error::validation(format!("{claim} is a condition key of the provider already."))),
        None => Ok(()),
    }
}

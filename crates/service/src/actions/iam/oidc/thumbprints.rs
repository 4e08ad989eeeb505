//! `iam:UpdateOpenIDConnectProviderThumbprint`: replaces the whole list.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::rules as oidc_rules;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct UpdateThumbprints;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "ThumbprintList")]
    thumbprints: Vec<String>,
}

impl Action for UpdateThumbprints {
    const NAME: &'static str = "iam:UpdateOpenIDConnectProviderThumbprint";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::oidc_provider(Self::NAME, scope, &input.arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let account = call.account();
        let provider = target::find_oidc_provider(&account, &call.input().arn)?;
        let mut record = provider.record.clone();
        record.thumbprints = oidc_rules::thumbprints(&call.input().thumbprints)?;
        let mut change = call.change(op);
        change.update(account.id(), provider.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

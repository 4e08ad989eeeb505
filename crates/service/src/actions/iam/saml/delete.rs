//! `iam:DeleteSAMLProvider`. Roles that trust it stay as they are; nobody takes them by its assertions any more.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteSamlProvider;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
}

impl Action for DeleteSamlProvider {
    const NAME: &'static str = "iam:DeleteSAMLProvider";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::saml_provider(Self::NAME, scope, &input.arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let account = call.account();
        let provider = target::find_saml_provider(&account, &call.input().arn)?;
        let mut change = call.change(op);
        change.remove(account.id(), provider.revision, &provider.record);
        Ok(house.directory.commit(change).await?)
    }
}

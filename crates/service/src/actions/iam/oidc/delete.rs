//! `iam:DeleteOpenIDConnectProvider`. Roles that trust it stay as they are; nobody takes them by its tokens any more.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteOidcProvider;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
}

impl Action for DeleteOidcProvider {
    const NAME: &'static str = "iam:DeleteOpenIDConnectProvider";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::oidc_provider(Self::NAME, scope, &input.arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let account = call.account();
        let arn = &call.input().arn;
        // Other words than those of the other calls, as recorded.
        let provider = target::find_oidc_provider(&account, arn).map_err(|error| match error.code {
            "NoSuchEntity" => {
                Error::no_such_entity(format!("OpenId connect Provider {arn} cannot be found."))
            }
            _ => error,
        })?;
        let mut change = call.change(op);
        change.remove(account.id(), provider.revision, &provider.record);
        Ok(house.directory.commit(change).await?)
    }
}

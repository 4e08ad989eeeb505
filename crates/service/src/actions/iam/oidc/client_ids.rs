//! `iam:AddClientIDToOpenIDConnectProvider`, `iam:RemoveClientIDFromOpenIDConnectProvider`: for whom the provider's tokens
//! must be. Adding one that is there, or removing one that is not, changes nothing.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::limits::OIDC_CLIENT_IDS_MAX;
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct AddClientId;
pub(in crate::actions::iam) struct RemoveClientId;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "ClientID")]
    client_id: String,
}

impl Action for AddClientId {
    const NAME: &'static str = "iam:AddClientIDToOpenIDConnectProvider";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::oidc_provider(Self::NAME, scope, &input.arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let id = call.input().client_id.clone();
        let add = |ids: &mut Vec<String>| {
            if !ids.contains(&id) {
                ids.push(id);
            }
        };
        change(op, house, &call, add).await
    }
}

impl Action for RemoveClientId {
    const NAME: &'static str = "iam:RemoveClientIDFromOpenIDConnectProvider";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::oidc_provider(Self::NAME, scope, &input.arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let id = call.input().client_id.clone();
        change(op, house, &call, |ids| ids.retain(|there| *there != id)).await
    }
}

async fn change(
    op: &Operation,
    house: &House,
    call: &Authorized<Input>,
    edit: impl FnOnce(&mut Vec<String>),
) -> Result<(), Error> {
    let account = call.account();
    let provider = target::find_oidc_provider(&account, &call.input().arn)?;
    let mut record = provider.record.clone();
    edit(&mut record.client_ids);
    rules::within("ClientIdsPerOpenIdConnectProvider", record.client_ids.len(), OIDC_CLIENT_IDS_MAX)?;
    if record.client_ids == provider.record.client_ids {
        return Ok(());
    }
    let mut change = call.change(op);
    change.update(account.id(), provider.revision, record);
    Ok(house.directory.commit(change).await?)
}

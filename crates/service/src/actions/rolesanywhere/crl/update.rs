//! `rolesanywhere:UpdateCrl`: another name, or the next list.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use super::import::read;
use crate::action::Action;
use crate::actions::rolesanywhere::kind::{Crls, Resource as _, TrustAnchors};
use crate::actions::rolesanywhere::shape::{CrlDetail, Wrapped};
use crate::actions::rolesanywhere::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::rolesanywhere) struct UpdateCrl;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::actions::rolesanywhere) struct Input {
    crl_id: String,
    name: Option<String>,
    crl_data: Option<Vec<u8>>,
}

impl Action for UpdateCrl {
    const NAME: &'static str = "rolesanywhere:UpdateCrl";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Wrapped<CrlDetail>;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::check::<Crls>(Self::NAME, scope, &input.crl_id))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Self::Output, Error> {
        let (input, account) = (call.input(), call.account());
        let found = target::existing::<Crls>(&account, &input.crl_id)?;
        let (mut record, mut change) = (found.record.clone(), call.change(op));
        if let Some(name) = &input.name {
            record.common.name.clone_from(name);
        }
        if let Some(data) = &input.crl_data {
            let anchor = account.trust_anchor(&record.trust_anchor);
            let anchor = anchor.ok_or_else(|| Error::validation("The trust anchor of the CRL is gone."))?;
            let (text, list) = read(data, anchor)?;
            // Whoever has another list, which is genuine, must not undo what this one revokes.
            if !list.is_of_issuer_of(&found.read) {
                return Err(Error::validation(
                    "The CRL cannot be used: another authority issued the one that is here. Import it beside.",
                ));
            }
            if list.is_before(&found.read) {
                return Err(Error::validation(
                    "The CRL cannot be used: it is older than the one that is here.",
                ));
            }
            record.list = text;
            let place = key::anywhere(account.id(), TrustAnchors::KIND, &record.trust_anchor);
            change.unchanged(place, anchor.revision);
        }
        record.common.updated = op.now.as_second();
        let shown = Crls::detail(&account, &record, &found.arn, false);
        change.update_anywhere(account.id(), found.revision, record);
        house.directory.commit(change).await?;
        Ok(Wrapped { name: Crls::ONE, of: shown })
    }
}

//! `rolesanywhere:UpdateTrustAnchor`: another name, or other certificates.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::create::refuse_distribution_points;
use super::source::Source;
use crate::action::Action;
use crate::actions::rolesanywhere::kind::{Resource as _, TrustAnchors};
use crate::actions::rolesanywhere::shape::{TrustAnchorDetail, Wrapped};
use crate::actions::rolesanywhere::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::rolesanywhere) struct UpdateTrustAnchor;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::actions::rolesanywhere) struct Input {
    trust_anchor_id: String,
    name: Option<String>,
    source: Option<Source>,
    #[serde(default)]
    crl_dp_revocation_enabled: bool,
}

impl Action for UpdateTrustAnchor {
    const NAME: &'static str = "rolesanywhere:UpdateTrustAnchor";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Wrapped<TrustAnchorDetail>;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::check::<TrustAnchors>(Self::NAME, scope, &input.trust_anchor_id))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Self::Output, Error> {
        let (input, account) = (call.input(), call.account());
        refuse_distribution_points(input.crl_dp_revocation_enabled)?;
        let found = target::existing::<TrustAnchors>(&account, &input.trust_anchor_id)?;
        let mut record = found.record.clone();
        if let Some(name) = &input.name {
            record.common.name.clone_from(name);
        }
        if let Some(source) = &input.source {
            source.bundle(op.now)?.clone_into(&mut record.certificates);
        }
        record.common.updated = op.now.as_second();
        let shown = TrustAnchors::detail(&account, &record, &found.arn, false);
        let mut change = call.change(op);
        change.update_anywhere(account.id(), found.revision, record);
        house.directory.commit(change).await?;
        Ok(Wrapped { name: TrustAnchors::ONE, of: shown })
    }
}

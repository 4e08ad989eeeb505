//! `iam:DisableOutboundWebIdentityFederation`. No more tokens are issued; those that were can still be verified.

use daypass_directory::record::WebIdentityIssuerRecord;
use daypass_directory::{Authorized, Checks, Operation, Scope, key};

use super::{Nothing, enabled};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DisableOutboundFederation;

impl Action for DisableOutboundFederation {
    const NAME: &'static str = "iam:DisableOutboundWebIdentityFederation";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Nothing;
    type Output = ();

    fn checks(scope: &Scope, _: &Nothing) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Nothing>) -> Result<(), Error> {
        let account = call.account();
        let issuer = enabled(&account)?;
        let place = key::web_identity_issuer(account.id());
        let mut change = call.change(op);
        change.unchanged(place.clone(), issuer.revision);
        let written = change.written();
        let record = WebIdentityIssuerRecord { written, enabled: false, ..issuer.record.clone() };
        change.put(place, &record);
        Ok(house.directory.commit(change).await?)
    }
}

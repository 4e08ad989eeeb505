//! `iam:EnableOutboundWebIdentityFederation`. The first time draws the account's issuer, which it keeps for ever: whoever
//! trusts it trusts this account, however often the feature was off in between.

use daypass_directory::record::{Unknown, WebIdentityIssuerRecord};
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Serialize;

use super::{Nothing, unsafe_issuer};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct EnableOutboundFederation;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    issuer_identifier: String,
}

impl Action for EnableOutboundFederation {
    const NAME: &'static str = "iam:EnableOutboundWebIdentityFederation";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Nothing;
    type Output = Output;

    fn checks(scope: &Scope, _: &Nothing) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Nothing>) -> Result<Output, Error> {
        if let Some(error) = unsafe_issuer(&house.settings) {
            return Err(error);
        }
        let account = call.account();
        let place = key::web_identity_issuer(account.id());
        let mut change = call.change(op);
        let mut record = match account.web_identity_issuer() {
            Some(issuer) if issuer.record.enabled => {
                let message = "Outbound web identity federation is already enabled for this account.";
                return Err(Error::new("FeatureEnabled", message));
            }
            Some(issuer) => {
                change.unchanged(place.clone(), issuer.revision);
                issuer.record.clone()
            }
            None => {
                change.absent(place.clone());
                WebIdentityIssuerRecord {
                    written: change.written(),
                    uuid: daypass_model::uuid(house.directory.random()),
                    created: op.now.as_second(),
                    enabled: true,
                    unknown: Unknown::new(),
                }
            }
        };
        let issuer = house.settings.web_identity_issuer(&record.uuid);
        let issuer_identifier = issuer.ok_or_else(|| Error::internal("a safe issuer has no name"))?;
        record.written = change.written();
        record.enabled = true;
        // A commit of its own, of a record that is no account's. Should the next one fail, they wait for whoever is first.
        house.directory.make_web_identity_keys(&op.request_id).await?;
        change.put(place, &record);
        house.directory.commit(change).await?;
        Ok(Output { issuer_identifier })
    }
}

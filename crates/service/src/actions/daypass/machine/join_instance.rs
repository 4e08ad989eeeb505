//! `daypass:JoinInstance`: a machine takes its place. The secret counts once: of two that have it the second is refused, whoever
//! that is, and the account hears of it.

use std::sync::Arc;

use daypass_directory::record::{JoinedRecord, Unknown};
use daypass_directory::{Authorized, Caller, Checks, Operation, Scope, View, key};
use daypass_model::Secret;
use serde::Deserialize;

use super::itself;
use crate::action::{Action, Unsigned};
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::machine::{self, Presented};
use crate::request::hidden;
use crate::services::OwnService;

pub(in crate::actions::daypass) struct JoinInstance;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    instance_arn: String,
    public_key: String,
    #[serde(deserialize_with = "hidden")]
    join_secret: Secret,
    #[serde(deserialize_with = "hidden")]
    proof: Secret,
}

impl Action for JoinInstance {
    const NAME: &'static str = "daypass:JoinInstance";
    const CALLERS: Callers = Callers::Vouched;
    const READ_ONLY: bool = false;
    const AUDIT: AuditTraits = AuditTraits { hidden: &["/joinSecret", "/proof"], ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = ();

    fn checks(_: &Scope, _: &Input) -> Checks {
        // The secret was the permission.
        Checks::nothing_can_deny()
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let instance = itself(&call, &input.instance_arn)?;
        if instance.record.joined.is_some() {
            return Ok(()); // by this very key
        }
        let mut change = call.change(op);
        let mut record = instance.record.clone();
        record.joined = Some(JoinedRecord {
            public_key: input.public_key.clone(),
            at: op.now.as_second(),
            source_ip: op.source_ip,
            unknown: Unknown::new(),
        });
        record.written = change.written();
        let place = key::instance(account.id(), &record.id);
        // Of two at once one is decided again, and finds that somebody was there before.
        change.unchanged(place.clone(), instance.revision);
        change.put(place, &record);
        Ok(house.directory.commit(change).await?)
    }
}

impl Unsigned for JoinInstance {
    async fn vouch(op: &Operation, house: &House, input: &Input) -> Result<(Arc<View>, Caller), Error> {
        let params =
            [("PublicKey", input.public_key.as_str()), ("JoinSecret", input.join_secret.expose_str())];
        let call = Presented {
            instance: &input.instance_arn,
            action: "JoinInstance",
            params: &params,
            proof: &input.proof,
            once: true,
        };
        let (view, instance) =
            machine::by_secret(op, house, &call, &input.join_secret, &input.public_key).await?;
        let service = machine::service(OwnService::Ec2, &instance, &instance.arn);
        Ok((view, machine::caller(&instance, service)))
    }
}

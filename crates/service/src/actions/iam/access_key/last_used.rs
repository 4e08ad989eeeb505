//! `iam:GetAccessKeyLastUsed`: whose key it is, and when it last signed a call.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::owner::Owner;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::iam) struct GetAccessKeyLastUsed;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    access_key_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    access_key_last_used: LastUsed,
}

/// `AccessKeyLastUsed`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<Time>,
    service_name: String,
    region: String,
}

impl Action for GetAccessKeyLastUsed {
    const NAME: &'static str = "iam:GetAccessKeyLastUsed";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    /// On the user whose key it is. A denial names the key only, so that it tells nobody whose it is.
    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = match Owner::of_key(scope, &input.access_key_id) {
            Some(Owner::User(user)) => target::user(Self::NAME, scope, &user.record.name),
            Some(Owner::Root(_)) => scope.check(Self::NAME, scope.account().id().root_arn()),
            None => scope.check(Self::NAME, "*"),
        };
        Checks::one(check.shown(resource(&input.access_key_id)))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let id = &call.input().access_key_id;
        let Some(owner) = Owner::of_key(call.scope(), id) else {
            // Whether another account has it, or had it, or nobody: all the same from here. No colon stands
            // behind `perform`, as recorded from AWS.
            let (arn, action, resource) = (&call.principal().arn, Self::NAME, resource(id));
            let message =
                format!("User: {arn} is not authorized to perform {action} on resource: {resource}");
            return Err(Error::access_denied(message));
        };
        Ok(Output {
            user_name: owner.user_name().map(str::to_owned),
            access_key_last_used: LastUsed::of(house, id),
        })
    }
}

impl LastUsed {
    fn of(house: &House, id: &str) -> Self {
        match house.directory.last_used().of(id) {
            // Signature Version 2 names no region, and 4A may name several.
            Some(used) => Self {
                last_used_date: Some(Time(used.at)),
                service_name: used.service,
                region: if used.region.is_empty() { "N/A".into() } else { used.region },
            },
            // Never, as far as anybody remembers.
            None => Self { last_used_date: None, service_name: "N/A".into(), region: "N/A".into() },
        }
    }
}

/// How a denial names the resource.
fn resource(access_key_id: &str) -> String {
    format!("access key {access_key_id}")
}

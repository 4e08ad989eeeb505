//! `iam:CreateAccessKey`: the only time that the secret is shown.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::Secret;
use daypass_model::limits::ACCESS_KEYS_PER_USER_MAX;
use serde::{Deserialize, Serialize};

use super::owner::{self, Owner};
use crate::action::Action;
use crate::actions::iam::rules;
use crate::actions::iam::shape::status;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::{Time, exposed};

pub(in crate::actions::iam) struct CreateAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    access_key: AccessKeyShape,
}

/// `AccessKey`; root has no user name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccessKeyShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    access_key_id: String,
    status: &'static str,
    #[serde(serialize_with = "exposed")]
    secret_access_key: Secret,
    create_date: Time,
}

impl Action for CreateAccessKey {
    const NAME: &'static str = "iam:CreateAccessKey";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let account = call.account();
        let owner = Owner::named(call.scope(), call.input().user_name.as_deref())?;
        let mut keys = owner.keys().to_vec();
        rules::within("AccessKeysPerUser", keys.len() + 1, ACCESS_KEYS_PER_USER_MAX)?;
        let sealed = house.directory.new_access_key(account.id(), op.now.as_second());
        let (record, secret_access_key) =
            sealed.map_err(|_| Error::internal("a new secret access key was not sealed"))?;
        let access_key = AccessKeyShape {
            user_name: owner.user_name().map(str::to_owned),
            access_key_id: record.id.to_string(),
            status: status(record.active),
            secret_access_key,
            create_date: Time(record.created),
        };
        let mut change = call.change(op);
        owner.claim(&mut change, &account, &record.id);
        keys.push(record);
        owner.put_keys(&mut change, &account, keys);
        house.directory.commit(change).await?;
        Ok(Output { access_key })
    }
}

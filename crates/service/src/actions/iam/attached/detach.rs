//! `iam:DetachUserPolicy`, `iam:DetachGroupPolicy`, `iam:DetachRolePolicy`.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::holder::Holder;
use crate::actions::iam::rules;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DetachPolicy<H>(PhantomData<H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "GroupName", alias = "RoleName")]
    holder_name: String,
    policy_arn: String,
}

impl<H: Holder> Action for DetachPolicy<H> {
    const NAME: &'static str = H::OPERATIONS.detach;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let name = &input.holder_name;
        let check = H::with_boundary(H::check(Self::NAME, scope, name), scope, name);
        Checks::one(check.with("iam:PolicyARN", input.policy_arn.as_str()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        rules::arn_of_policy(&input.policy_arn)?;
        let holder = H::find(&account, &input.holder_name)?;
        H::modifiable(holder)?;
        let (record, revision) = H::record(holder);
        let mut record = record.clone();
        let (attached, arn) = (H::attached_mut(&mut record), &input.policy_arn);
        let before = attached.len();
        attached.retain(|other| other != arn);
        if attached.len() == before {
            return Err(Error::no_such_entity(format!("Policy {arn} was not found.")));
        }
        let mut change = call.change(op);
        rules::unlink(&mut change, rules::Link::Attached, &account, arn, record.id());
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

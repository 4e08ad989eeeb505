//! `iam:AttachUserPolicy`, `iam:AttachGroupPolicy`, `iam:AttachRolePolicy`. Doing it twice is doing it once.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use daypass_model::{Arn, is_service_linked};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::holder::Holder;
use crate::actions::iam::rules;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct AttachPolicy<H>(PhantomData<H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "GroupName", alias = "RoleName")]
    holder_name: String,
    policy_arn: String,
}

impl<H: Holder> Action for AttachPolicy<H> {
    const NAME: &'static str = H::OPERATIONS.attach;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    /// On the holder alone; the policy is a condition key.
    fn checks(scope: &Scope, input: &Input) -> Checks {
        let name = &input.holder_name;
        let check = H::with_boundary(H::check(Self::NAME, scope, name), scope, name);
        Checks::one(check.with("iam:PolicyARN", input.policy_arn.as_str()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        // The same sentence as everywhere, under another code: as recorded from AWS.
        rules::arn_of_policy(&input.policy_arn).map_err(|invalid| Error::validation(invalid.message))?;
        let holder = H::find(&account, &input.holder_name)?;
        H::modifiable(holder)?;
        let (record, revision) = H::record(holder);
        // AWS's own of that kind are not here, and are refused in the same words.
        if is_for_service_roles(&input.policy_arn) {
            let message = "Cannot attach a Service Role Policy to a Customer Role.";
            return Err(Error::new("PolicyNotAttachable", message));
        }
        let policy = rules::attachable(&account, &input.policy_arn)?;
        let mut record = record.clone();
        let attached = H::attached_mut(&mut record);
        if attached.contains(&input.policy_arn) {
            return Ok(());
        }
        let (quota, max) = H::ATTACHED_QUOTA;
        rules::within(quota, attached.len() + 1, max)?;
        attached.push(input.policy_arn.clone());
        let mut change = call.change(op);
        rules::link(&mut change, rules::Link::Attached, policy, record.id());
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

fn is_for_service_roles(arn: &str) -> bool {
    let path = |arn: Arn| arn.resource().strip_prefix("policy").is_some_and(is_service_linked);
    arn.parse().is_ok_and(path)
}

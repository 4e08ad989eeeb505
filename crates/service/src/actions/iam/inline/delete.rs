//! `iam:DeleteUserPolicy`, `iam:DeleteGroupPolicy`, `iam:DeleteRolePolicy`.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::holder::{self, Holder};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteInlinePolicy<H>(PhantomData<H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "GroupName", alias = "RoleName")]
    holder_name: String,
    policy_name: String,
}

impl<H: Holder> Action for DeleteInlinePolicy<H> {
    const NAME: &'static str = H::OPERATIONS.delete_inline;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let name = &input.holder_name;
        Checks::one(H::with_boundary(H::check(Self::NAME, scope, name), scope, name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let holder = H::find(&account, &input.holder_name)?;
        H::modifiable(holder)?;
        let (record, revision) = H::record(holder);
        let mut record = record.clone();
        let (inline, name) = (H::inline_mut(&mut record), &input.policy_name);
        let before = inline.len();
        inline.retain(|policy| !policy.name.eq_ignore_ascii_case(name));
        if inline.len() == before {
            return Err(holder::no_inline_policy::<H>(name));
        }
        let mut change = call.change(op);
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

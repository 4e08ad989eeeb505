//! `iam:DeleteUserPolicy`, `iam:DeleteGroupPolicy`, `iam:DeleteRolePolicy`.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Operation, Principal, View};
use serde::Deserialize;

use crate::action::{Action, read};
use crate::actions::iam::holder::{self, Holder};
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(in crate::actions::iam) struct DeleteInlinePolicy<H>(PhantomData<H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "GroupName", alias = "RoleName")]
    holder_name: String,
    policy_name: String,
}

impl<H: Holder> Action for DeleteInlinePolicy<H> {
    const NAME: (&'static str, &'static str) = ("iam", H::OPERATIONS.delete_inline);
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(view: &View, who: &Principal, input: &Input) -> Checks {
        let (name, action) = (&input.holder_name, format!("iam:{}", Self::NAME.1));
        Checks::one(H::with_boundary(H::check(&action, view, who, name), view, who, name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, view) = (call.input(), call.view());
        let account = target::account(view, call.principal())?;
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
        let mut change = house.change(op, view);
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

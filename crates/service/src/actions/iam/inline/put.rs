//! `iam:PutUserPolicy`, `iam:PutGroupPolicy`, `iam:PutRolePolicy`: a new policy, or another text under the name.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use daypass_policy::{Kind, validate};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::holder::Holder;
use crate::actions::iam::rules;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct PutInlinePolicy<H>(PhantomData<H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    // Which of these an operation has is its shape's to say.
    #[serde(rename = "UserName", alias = "GroupName", alias = "RoleName")]
    holder_name: String,
    policy_name: String,
    policy_document: String,
}

impl<H: Holder> Action for PutInlinePolicy<H> {
    const NAME: &'static str = H::OPERATIONS.put_inline;
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
        validate(Kind::Inline, &input.policy_document).map_err(|e| Error::malformed_policy(e.message))?;
        let mut record = record.clone();
        let owner = format!("{} {}", H::WORD, record.name());
        let inline = H::inline_mut(&mut record);
        rules::put_inline(inline, &input.policy_name, &input.policy_document, H::INLINE_SIZE_MAX, &owner)?;
        let mut change = call.change(op);
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

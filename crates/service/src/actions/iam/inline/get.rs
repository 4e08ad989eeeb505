//! `iam:GetUserPolicy`, `iam:GetGroupPolicy`, `iam:GetRolePolicy`.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::action::Action;
use crate::actions::iam::holder::{self, Holder};
use crate::actions::iam::shape::encoded;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetInlinePolicy<H>(PhantomData<H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "GroupName", alias = "RoleName")]
    holder_name: String,
    policy_name: String,
}

pub(in crate::actions::iam) struct Output<H> {
    holder_name: String,
    policy_name: String,
    policy_document: String,
    kind: PhantomData<H>,
}

impl<H: Holder> Serialize for Output<H> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Output", 3)?;
        out.serialize_field(H::MEMBER, &self.holder_name)?;
        out.serialize_field("PolicyName", &self.policy_name)?;
        out.serialize_field("PolicyDocument", &self.policy_document)?;
        out.end()
    }
}

impl<H: Holder> Action for GetInlinePolicy<H> {
    const NAME: &'static str = H::OPERATIONS.get_inline;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output<H>;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(H::check(Self::NAME, scope, &input.holder_name))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output<H>, Error> {
        let input = call.input();
        let account = call.account();
        let (record, _) = H::record(H::find(&account, &input.holder_name)?);
        let name = &input.policy_name;
        let found = H::inline(record).iter().find(|policy| policy.name.eq_ignore_ascii_case(name));
        let policy = found.ok_or_else(|| holder::no_inline_policy::<H>(name))?;
        Ok(Output {
            holder_name: record.name().to_owned(),
            // As the caller spells it: AWS echoes, where its lists show the first spelling.
            policy_name: name.clone(),
            policy_document: encoded(&policy.document),
            kind: PhantomData,
        })
    }
}

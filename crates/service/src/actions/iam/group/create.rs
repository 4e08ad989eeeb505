//! `iam:CreateGroup`

use daypass_directory::record::{GroupRecord, Unknown};
use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use daypass_model::limits::GROUPS_PER_ACCOUNT_MAX;
use daypass_model::{EntityKind, UniqueId};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::shape::GroupShape;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreateGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    group_name: String,
    path: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    group: GroupShape,
}

impl Action for CreateGroup {
    const NAME: &'static str = "iam:CreateGroup";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let path = input.path.as_deref().unwrap_or("/");
        Checks::one(target::new(Self::NAME, scope, EntityKind::Group, path, &input.group_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let name = &input.group_name;
        if account.group(name).is_some() {
            return Err(Error::already_exists(format!("Group with name {name} already exists.")));
        }
        let mut change = call.change(op);
        let (quota, count) = ("GroupsPerAccount", account.group_count());
        rules::room(&mut change, account.id(), EntityKind::Group, quota, count, GROUPS_PER_ACCOUNT_MAX)?;
        let record = GroupRecord {
            written: change.written(),
            id: UniqueId::generate(EntityKind::Group, house.directory.random()),
            name: name.clone(),
            path: input.path.clone().unwrap_or_else(|| "/".into()),
            created: op.now.as_second(),
            inline: Vec::new(),
            attached: Vec::new(),
            unknown: Unknown::new(),
        };
        let group = GroupShape::of(&record.arn(account.id()), &record);
        change.create(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Output { group })
    }
}

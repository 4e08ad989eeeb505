//! `iam:CreateUser`

use daypass_directory::record::{Unknown, UserRecord};
use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use daypass_model::limits::USERS_PER_ACCOUNT_MAX;
use daypass_model::{EntityKind, Tag, UniqueId};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::shape::UserShape;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreateUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: String,
    path: Option<String>,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    user: UserShape,
}

impl Action for CreateUser {
    const NAME: &'static str = "iam:CreateUser";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let path = input.path.as_deref().unwrap_or("/");
        let check = target::new(Self::NAME, scope, EntityKind::User, path, &input.user_name)
            .with_some("iam:PermissionsBoundary", input.permissions_boundary.as_deref())
            .with_request_tags(&input.tags);
        Checks::one(check).also_if(!input.tags.is_empty(), "iam:TagUser")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let name = &input.user_name;
        if account.user(name).is_some() {
            return Err(Error::already_exists(format!("User with name {name} already exists.")));
        }
        let mut change = call.change(op);
        let (count, max) = (account.user_count(), USERS_PER_ACCOUNT_MAX);
        rules::room(&mut change, account.id(), EntityKind::User, "UsersPerAccount", count, max)?;
        let record = UserRecord {
            written: change.written(),
            id: UniqueId::generate(EntityKind::User, house.directory.random()),
            name: name.clone(),
            path: input.path.clone().unwrap_or_else(|| "/".into()),
            created: op.now.as_second(),
            access_keys: Vec::new(),
            inline: Vec::new(),
            attached: Vec::new(),
            groups: Vec::new(),
            boundary: input.permissions_boundary.clone(),
            tags: rules::tags(&input.tags)?,
            unknown: Unknown::new(),
        };
        if let Some(arn) = &input.permissions_boundary {
            rules::link(&mut change, rules::Link::Boundary, rules::boundary(&account, arn)?, &record.id);
        }
        let user = UserShape::whole(&record.arn(account.id()), &record);
        change.create(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Output { user })
    }
}

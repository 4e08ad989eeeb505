//! `iam:CreateRole`

use daypass_directory::record::{RoleRecord, Unknown};
use daypass_directory::{Authorized, Change, Checks, Entity, Operation, Scope, View};
use daypass_model::limits::{ROLE_SESSION_SECONDS_DEFAULT, ROLES_PER_ACCOUNT_MAX};
use daypass_model::{EntityKind, Tag, UniqueId};
use serde::{Deserialize, Serialize};

use super::trust;
use crate::action::Action;
use crate::actions::iam::shape::RoleShape;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreateRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    role_name: String,
    path: Option<String>,
    assume_role_policy_document: String,
    description: Option<String>,
    max_session_duration: Option<i64>,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    role: RoleShape,
}

impl Action for CreateRole {
    const NAME: &'static str = "iam:CreateRole";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = target::new(Self::NAME, scope, EntityKind::Role, input.path(), &input.role_name)
            .with_some("iam:PermissionsBoundary", input.permissions_boundary.as_deref())
            .with_request_tags(&input.tags);
        Checks::one(check).also_if(!input.tags.is_empty(), "iam:TagRole")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let name = &input.role_name;
        if account.role(name).is_some() {
            return Err(Error::already_exists(format!("Role with name {name} already exists.")));
        }
        rules::path_of_customer(input.path())?;
        let mut change = call.change(op);
        let (quota, count) = ("RolesPerAccount", account.role_count());
        rules::room(&mut change, account.id(), EntityKind::Role, quota, count, ROLES_PER_ACCOUNT_MAX)?;
        let record = input.record(op, house, call.view(), &change)?;
        if let Some(arn) = &input.permissions_boundary {
            rules::link(&mut change, rules::Link::Boundary, rules::boundary(&account, arn)?, &record.id);
        }
        let role = RoleShape::created(call.view(), &record.arn(account.id()), &record);
        change.create(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Output { role })
    }
}

impl Input {
    fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("/")
    }

    fn record(
        &self,
        op: &Operation,
        house: &House,
        view: &View,
        change: &Change,
    ) -> Result<RoleRecord, Error> {
        Ok(RoleRecord {
            written: change.written(),
            id: UniqueId::generate(EntityKind::Role, house.directory.random()),
            name: self.role_name.clone(),
            path: self.path().to_owned(),
            created: op.now.as_second(),
            trust: trust::accepted(view, &self.assume_role_policy_document)?,
            description: self.description.clone(),
            session_duration_max: self.max_session_duration.unwrap_or(ROLE_SESSION_SECONDS_DEFAULT),
            inline: Vec::new(),
            attached: Vec::new(),
            boundary: self.permissions_boundary.clone(),
            tags: rules::tags(&self.tags)?,
            unknown: Unknown::new(),
        })
    }
}

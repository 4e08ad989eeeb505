//! `iam:CreateServiceLinkedRole`

use daypass_directory::record::{RoleRecord, Unknown};
use daypass_directory::{Authorized, Change, Checks, Entity, Operation, Scope};
use daypass_model::limits::{ROLE_NAME_LENGTH_MAX, ROLE_SESSION_SECONDS_DEFAULT, ROLES_PER_ACCOUNT_MAX};
use daypass_model::{EntityKind, TagSet, UniqueId};
use serde::{Deserialize, Serialize};

use super::catalog;
use crate::action::Action;
use crate::actions::iam::shape::RoleShape;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreateServiceLinkedRole;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "AWSServiceName")]
    service: String,
    #[serde(rename = "Description")]
    description: Option<String>,
    #[serde(rename = "CustomSuffix")]
    suffix: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    role: RoleShape,
}

impl Action for CreateServiceLinkedRole {
    const NAME: &'static str = "iam:CreateServiceLinkedRole";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let (path, name) = (super::path(&input.service), input.role_name());
        let check = target::new(Self::NAME, scope, EntityKind::Role, &path, &name);
        Checks::one(check.with("iam:AWSServiceName", input.service.as_str()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        input.check(house)?;
        let name = input.role_name();
        if account.role(&name).is_some() {
            return Err(Error::invalid_input(format!(
                "Service role name {name} has been taken in this account, please try a different suffix."
            )));
        }
        let mut change = call.change(op);
        let (quota, count) = ("RolesPerAccount", account.role_count());
        rules::room(&mut change, account.id(), EntityKind::Role, quota, count, ROLES_PER_ACCOUNT_MAX)?;
        let record = input.record(op, house, &change);
        let role = RoleShape::created(call.view(), &record.arn(account.id()), &record);
        change.create(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Output { role })
    }
}

impl Input {
    fn role_name(&self) -> String {
        catalog::role_name(&self.service, self.suffix.as_deref())
    }

    /// Whether there is such a service, and whether it has roles with a suffix. What an operator registered has.
    fn check(&self, house: &House) -> Result<(), Error> {
        let service = &self.service;
        let takes_suffix = match catalog::of(service) {
            Some(known) => known.takes_suffix,
            None if house.settings.services.run_by(service).is_some() => true,
            None => {
                let message = format!("{service} is no service that has a service-linked role.");
                return Err(Error::invalid_input(message));
            }
        };
        if self.suffix.is_some() && !takes_suffix {
            return Err(Error::invalid_input(format!("Custom suffix is not allowed for {service}")));
        }
        if self.role_name().len() > ROLE_NAME_LENGTH_MAX {
            return Err(Error::invalid_input(format!(
                "The name of the role, {}, would be longer than {ROLE_NAME_LENGTH_MAX} characters.",
                self.role_name()
            )));
        }
        Ok(())
    }

    /// The service alone takes it. AWS's policy for it is attached by its ARN, and gives what a policy of that ARN gives here.
    fn record(&self, op: &Operation, house: &House, change: &Change) -> RoleRecord {
        let service = &self.service;
        let policy = catalog::of(service).map(|known| known.policy);
        RoleRecord {
            written: change.written(),
            id: UniqueId::generate(EntityKind::Role, house.directory.random()),
            name: self.role_name(),
            path: super::path(service),
            created: op.now.as_second(),
            // Neither a quote nor a backslash can be in the name of a service that there is.
            trust: format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Action":["sts:AssumeRole"],"Principal":{{"Service":["{service}"]}},"Effect":"Allow"}}]}}"#
            ),
            description: self.description.clone(),
            session_duration_max: ROLE_SESSION_SECONDS_DEFAULT,
            inline: Vec::new(),
            attached: policy
                .map(|policy| format!("arn:aws:iam::aws:policy{}{policy}", super::PATH))
                .into_iter()
                .collect(),
            boundary: None,
            tags: TagSet::new(),
            unknown: Unknown::new(),
        }
    }
}

//! `iam:CreateInstanceProfile`

use daypass_directory::record::{InstanceProfileRecord, Unknown};
use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use daypass_model::limits::INSTANCE_PROFILES_PER_ACCOUNT_MAX;
use daypass_model::{EntityKind, Tag, UniqueId};
use serde::{Deserialize, Serialize};

use super::InstanceProfileShape;
use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreateInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    instance_profile_name: String,
    path: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    instance_profile: InstanceProfileShape,
}

impl Action for CreateInstanceProfile {
    const NAME: &'static str = "iam:CreateInstanceProfile";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let (kind, path) = (EntityKind::InstanceProfile, input.path.as_deref().unwrap_or("/"));
        let check = target::new(Self::NAME, scope, kind, path, &input.instance_profile_name);
        Checks::one(check.with_request_tags(&input.tags))
            .also_if(!input.tags.is_empty(), "iam:TagInstanceProfile")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let name = &input.instance_profile_name;
        if account.instance_profile(name).is_some() {
            return Err(Error::already_exists(format!("Instance Profile {name} already exists.")));
        }
        let mut change = call.change(op);
        let (kind, count) = (EntityKind::InstanceProfile, account.instance_profile_count());
        let (quota, max) = ("InstanceProfilesPerAccount", INSTANCE_PROFILES_PER_ACCOUNT_MAX);
        rules::room(&mut change, account.id(), kind, quota, count, max)?;
        let record = InstanceProfileRecord {
            written: change.written(),
            id: UniqueId::generate(kind, house.directory.random()),
            name: name.clone(),
            path: input.path.clone().unwrap_or_else(|| "/".into()),
            created: op.now.as_second(),
            role: None,
            // Keys are told apart by case, as those of policies.
            tags: rules::tags_of_policy(&input.tags)?,
            unknown: Unknown::new(),
        };
        let instance_profile = InstanceProfileShape::created(&record.arn(account.id()), &record);
        change.create(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Output { instance_profile })
    }
}

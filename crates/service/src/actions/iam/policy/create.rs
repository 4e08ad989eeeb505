//! `iam:CreatePolicy`

use daypass_directory::record::{PolicyRecord, PolicyVersionRecord, Unknown};
use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::limits::POLICIES_PER_ACCOUNT_MAX;
use daypass_model::{EntityKind, Tag, UniqueId};
use serde::{Deserialize, Serialize};

use super::find;
use super::shape::PolicyShape;
use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreatePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_name: String,
    path: Option<String>,
    policy_document: String,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    policy: PolicyShape,
}

impl Action for CreatePolicy {
    const NAME: &'static str = "iam:CreatePolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let path = input.path.as_deref().unwrap_or("/");
        let check = target::new(Self::NAME, scope, EntityKind::Policy, path, &input.policy_name)
            .shown(format!("policy {}", input.policy_name))
            .with_request_tags(&input.tags);
        Checks::one(check).also_if(!input.tags.is_empty(), "iam:TagPolicy")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        find::document(&input.policy_document)?;
        let tags = rules::tags_of_policy(&input.tags)?;
        let name = &input.policy_name;
        if account.policy_by_name(name).is_some() {
            let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
            return Err(Error::already_exists(message));
        }
        let mut change = call.change(op);
        let (kind, max) = (EntityKind::Policy, POLICIES_PER_ACCOUNT_MAX);
        rules::room(&mut change, account.id(), kind, "PoliciesPerAccount", account.policy_count(), max)?;
        let now = op.now.as_second();
        let record = PolicyRecord {
            written: change.written(),
            id: UniqueId::generate(EntityKind::Policy, house.directory.random()),
            name: name.clone(),
            path: input.path.clone().unwrap_or_else(|| "/".into()),
            created: now,
            updated: now,
            description: input.description.clone(),
            versions: vec![PolicyVersionRecord {
                number: 1,
                document: input.policy_document.clone(),
                created: now,
                unknown: Unknown::new(),
            }],
            default_version: 1,
            next_version: 2,
            tags,
            unknown: Unknown::new(),
        };
        let policy = PolicyShape::created(account.id(), &record);
        change.create(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Output { policy })
    }
}

//! `iam:CreatePolicyVersion`: another text for a managed policy, in force only as the default version.

use daypass_directory::record::{PolicyVersionRecord, Unknown};
use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::limits::POLICY_VERSIONS_MAX;
use serde::{Deserialize, Serialize};

use super::find;
use super::shape::VersionShape;
use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreatePolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_arn: String,
    policy_document: String,
    #[serde(default)]
    set_as_default: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    policy_version: VersionShape,
}

impl Action for CreatePolicyVersion {
    const NAME: &'static str = "iam:CreatePolicyVersion";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        target::writing(target::policy(Self::NAME, scope, &input.policy_arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let policy = find::find_own(&account, &input.policy_arn)?;
        find::document(&input.policy_document)?;
        if policy.record.versions.len() >= POLICY_VERSIONS_MAX {
            return Err(Error::limit_exceeded(format!(
                "A managed policy can have up to {POLICY_VERSIONS_MAX} versions. Before you create a new version, you \
                 must delete an existing version."
            )));
        }
        let mut record = policy.record.clone();
        let (number, now) = (record.next_version, op.now.as_second());
        let used_up = || Error::internal("the version numbers of a policy are used up");
        record.next_version = number.checked_add(1).ok_or_else(used_up)?;
        record.updated = now;
        if input.set_as_default {
            record.default_version = number;
        }
        let (document, unknown) = (input.policy_document.clone(), Unknown::new());
        let version = PolicyVersionRecord { number, document, created: now, unknown };
        let policy_version = VersionShape::listed(&record, &version);
        record.versions.push(version);
        let texts = record.versions.iter().map(|version| &*version.document);
        rules::texts_within(texts, &format!("policy {}", record.name))?;
        let mut change = call.change(op);
        change.update(account.id(), policy.revision, record);
        house.directory.commit(change).await?;
        Ok(Output { policy_version })
    }
}

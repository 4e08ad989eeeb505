//! `eks:UpdatePodIdentityAssociation`: another role, target, policy, or sessions with tags or without. A target or policy of no
//! characters is taken away. To repeat it comes to the same, so that the token of a repeated call has nothing to tell.

use daypass_directory::pods::record::PodAssociationRecord;
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::EntityKind;
use serde::Deserialize;

use super::shape::One;
use super::{rules, target};
use crate::action::Action;
use crate::actions::pass_role;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::services::OwnService;

pub(super) struct UpdatePodIdentityAssociation;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    cluster_name: String,
    association_id: String,
    role_arn: Option<String>,
    client_request_token: Option<String>,
    disable_session_tags: Option<bool>,
    target_role_arn: Option<String>,
    policy: Option<String>,
}

impl Action for UpdatePodIdentityAssociation {
    const NAME: &'static str = "eks:UpdatePodIdentityAssociation";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = One;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let (cluster, id) = (&input.cluster_name, &input.association_id);
        let own = Checks::one(target::check_association(Self::NAME, scope, cluster, id));
        match input.role(scope) {
            Some(arn) => {
                let passed = pass_role::by_arn(scope, &arn, OwnService::Pods);
                let found = scope.account().pod_association(cluster, id);
                own.and(found.map_or(passed.clone(), |found| pass_role::for_one(passed, &found.arn)))
            }
            None => own,
        }
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<One, Error> {
        let (input, account) = (call.input(), call.account());
        let found = target::association(&account, &input.cluster_name, &input.association_id)?;
        rules::check_token(input.client_request_token.as_deref())?;
        let mut record = found.record.clone();
        input.change(&mut record)?;
        let mut change = call.change(op);
        if let Some(arn) = &input.role_arn {
            let role = rules::role(&account, arn)?;
            (record.role, record.role_arn) = (role.record.id.clone(), role.arn.clone());
            change.unchanged(key::entity(account.id(), EntityKind::Role, &role.record.id), role.revision);
        }
        record.modified = op.now.as_second();
        let shown = One::of(&account, &record);
        change.update_pod_association(account.id(), found.revision, record);
        house.directory.commit(change).await?;
        Ok(shown)
    }
}

impl Input {
    /// The role that is passed, the new one or the present one: another policy, other tags or another target are handing it out
    /// once more.
    fn role(&self, scope: &Scope) -> Option<String> {
        let of = |input: &Self| {
            let found = scope.account().pod_association(&input.cluster_name, &input.association_id)?.clone();
            Some(found.record.role_arn.clone())
        };
        self.role_arn.clone().or_else(|| of(self))
    }

    /// Everything but the role.
    fn change(&self, record: &mut PodAssociationRecord) -> Result<(), Error> {
        let given = [&self.role_arn, &self.target_role_arn, &self.policy].into_iter().any(Option::is_some);
        if !given && self.disable_session_tags.is_none() {
            return Err(rules::invalid(
                "Give at least one of roleArn, targetRoleArn, disableSessionTags and policy.",
            ));
        }
        let text = |given: &String| Some(given.clone()).filter(|given| !given.is_empty());
        if let Some(target) = &self.target_role_arn {
            record.target_role = text(target);
            record.target_role.as_deref().map_or(Ok(()), rules::check_target)?;
        }
        if let Some(policy) = &self.policy {
            record.policy = text(policy);
        }
        record.disable_session_tags = self.disable_session_tags.unwrap_or(record.disable_session_tags);
        rules::check_policy(record.policy.as_deref(), record.disable_session_tags)
    }
}

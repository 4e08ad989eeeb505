//! `eks:CreatePodIdentityAssociation`: a role for the pods of a service account. Whoever associates it hands the role out, and must
//! be allowed to pass it to `pods.eks.amazonaws.com`.

use std::sync::Arc;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use daypass_directory::pods::PodAssociation;
use daypass_directory::pods::record::{MadeByRecord, PodAssociationRecord};
use daypass_directory::record::Unknown;
use daypass_directory::{AccountView, Authorized, Checks, Operation, Scope, key};
use daypass_model::limits::POD_ASSOCIATIONS_PER_CLUSTER_MAX;
use daypass_model::{EntityKind, Random, TagSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::shape::{One, Tags};
use super::{rules, target};
use crate::action::Action;
use crate::actions::pass_role;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::services::OwnService;

pub(super) struct CreatePodIdentityAssociation;

/// Written as what a repeated call must have alike.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    cluster_name: String,
    namespace: String,
    service_account: String,
    role_arn: String,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    disable_session_tags: bool,
    target_role_arn: Option<String>,
    policy: Option<String>,
    #[serde(skip_serializing)]
    client_request_token: Option<String>,
}

impl Action for CreatePodIdentityAssociation {
    const NAME: &'static str = "eks:CreatePodIdentityAssociation";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = One;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let own = target::check_cluster(Self::NAME, scope, &input.cluster_name);
        let own = own.with_request_tags(&rules::given(&input.tags));
        let passed = pass_role::by_arn(scope, &input.role_arn, OwnService::Pods);
        let any_of_cluster = target::association_of(scope, &input.cluster_name, "*");
        Checks::one(own).and(pass_role::for_one(passed, &any_of_cluster))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<One, Error> {
        let (input, account) = (call.input(), call.account());
        let cluster = target::cluster(&account, &input.cluster_name)?;
        let tags = input.check()?;
        let role = rules::role(&account, &input.role_arn)?;
        let made_by = input.made_by()?;
        if let Some(before) = input.made_before(&account, made_by.as_ref())? {
            return Ok(One::of(&account, &before.record));
        }
        let (mut change, now) = (call.change(op), op.now.as_second());
        let record = PodAssociationRecord {
            written: change.written(),
            id: id(house.directory.random()),
            cluster: cluster.record.name.clone(),
            region: cluster.record.region.clone(),
            namespace: input.namespace.clone(),
            service_account: input.service_account.clone(),
            role: role.record.id.clone(),
            role_arn: role.arn.clone(),
            target_role: input.target_role_arn.clone(),
            disable_session_tags: input.disable_session_tags,
            policy: input.policy.clone(),
            tags,
            created: now,
            modified: now,
            made_by,
            unknown: Unknown::new(),
        };
        let shown = One::of(&account, &record);
        change.unchanged(key::entity(account.id(), EntityKind::Role, &role.record.id), role.revision);
        change.create_pod_association(account.id(), cluster, record);
        house.directory.commit(change).await?;
        Ok(shown)
    }
}

impl Input {
    fn check(&self) -> Result<TagSet, Error> {
        rules::check_token(self.client_request_token.as_deref())?;
        rules::check_names(&self.namespace, &self.service_account)?;
        self.target_role_arn.as_deref().map_or(Ok(()), rules::check_target)?;
        rules::check_policy(self.policy.as_deref(), self.disable_session_tags)?;
        let mut tags = TagSet::new();
        rules::add_tags(&mut tags, &self.tags, rules::invalid)?;
        Ok(tags)
    }

    /// What the same call made before: one whose answer was lost comes again, with the token of the first.
    fn made_before<'v>(
        &self,
        account: &AccountView<'v>,
        made_by: Option<&MadeByRecord>,
    ) -> Result<Option<&'v Arc<PodAssociation>>, Error> {
        let there = account.pod_association_of(&self.cluster_name, &self.namespace, &self.service_account);
        if let Some(there) = there {
            let is_same =
                made_by.zip(there.record.made_by.as_ref()).is_some_and(|(one, other)| one.is(other));
            let message = || format!("Association already exists: {}", there.record.id);
            return if is_same {
                Ok(Some(there))
            } else {
                Err(Error::new("ResourceInUseException", message()))
            };
        }
        let mut count = 0;
        for other in account.pod_associations(&self.cluster_name) {
            count += 1;
            let tokens = made_by.zip(other.record.made_by.as_ref());
            if tokens.is_some_and(|(one, other)| one.token_hash == other.token_hash) {
                return Err(rules::invalid("The clientRequestToken was used with other parameters."));
            }
        }
        if count >= POD_ASSOCIATIONS_PER_CLUSTER_MAX {
            let message = format!(
                "Cannot exceed quota for associations of a cluster: {POD_ASSOCIATIONS_PER_CLUSTER_MAX}"
            );
            return Err(Error::limit_exceeded(message));
        }
        Ok(None)
    }

    fn made_by(&self) -> Result<Option<MadeByRecord>, Error> {
        let Some(token) = &self.client_request_token else { return Ok(None) };
        let hash = |bytes: &[u8]| HEXLOWER.encode(&Sha256::digest(bytes));
        let parameters = serde_json::to_vec(self).map_err(|_| Error::internal("parameters are no JSON"))?;
        Ok(Some(MadeByRecord {
            token_hash: hash(token.as_bytes()),
            parameters_hash: hash(&parameters),
            unknown: Unknown::new(),
        }))
    }
}

/// `a-` and 17 letters and digits.
fn id(random: &dyn Random) -> String {
    let mut bytes = [0; 11];
    random.fill(&mut bytes);
    let mut id = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
    id.truncate(17);
    format!("a-{id}")
}

//! `daypass:PutPodIdentityCluster`: a cluster of the account, and the provider that signs the tokens of its service accounts.

use daypass_directory::pods::cluster_arn;
use daypass_directory::pods::record::PodClusterRecord;
use daypass_directory::record::Unknown;
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::EntityKind;
use daypass_model::limits::POD_CLUSTERS_PER_ACCOUNT_MAX;
use serde::Deserialize;

use super::{One, Shown, check_empty};
use crate::action::Action;
use crate::actions::daypass::get_provider_settings;
use crate::actions::eks::region;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::daypass) struct PutPodIdentityCluster;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    cluster_name: String,
    #[serde(rename = "OpenIDConnectProviderArn")]
    provider_arn: String,
    region: Option<String>,
}

impl Action for PutPodIdentityCluster {
    const NAME: &'static str = "daypass:PutPodIdentityCluster";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = One;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, input.arn(scope)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<One, Error> {
        let (input, account) = (call.input(), call.account());
        input.check_region(call.scope())?;
        let provider = get_provider_settings::find(&account, &input.provider_arn)?;
        let mut change = call.change(op);
        let (id, place) = (provider.record.id.clone(), EntityKind::OidcProvider);
        change.unchanged(key::entity(account.id(), place, &id), provider.revision);
        let record = match account.pod_cluster(&input.cluster_name) {
            Some(there) if there.record.provider == id => {
                return Ok(One { cluster: Shown::of(&account, &there.record) });
            }
            Some(there) => {
                check_empty(&account, &input.cluster_name)?;
                let record = PodClusterRecord { provider: id, ..there.record.clone() };
                change.update_pod_cluster(account.id(), there.revision, record.clone());
                record
            }
            None => {
                if account.pod_clusters().count() >= POD_CLUSTERS_PER_ACCOUNT_MAX {
                    let message = format!(
                        "Cannot exceed quota for PodIdentityClusters: {POD_CLUSTERS_PER_ACCOUNT_MAX}"
                    );
                    return Err(Error::limit_exceeded(message));
                }
                let record = PodClusterRecord {
                    written: change.written(),
                    name: input.cluster_name.clone(),
                    region: input.region(call.scope()).to_owned(),
                    provider: id,
                    created: op.now.as_second(),
                    unknown: Unknown::new(),
                };
                change.create_pod_cluster(account.id(), record.clone());
                record
            }
        };
        let shown = Shown::of(&account, &record);
        house.directory.commit(change).await?;
        Ok(One { cluster: shown })
    }
}

impl Input {
    /// Of a new cluster.
    fn region<'a>(&'a self, scope: &'a Scope) -> &'a str {
        self.region.as_deref().unwrap_or_else(|| region(scope))
    }

    fn arn(&self, scope: &Scope) -> String {
        let (account, name) = (scope.account(), &self.cluster_name);
        let new = || cluster_arn(account.id(), self.region(scope), name);
        account.pod_cluster(name).map_or_else(new, |cluster| cluster.arn.clone())
    }

    /// A cluster does not move: its ARN is in trust policies.
    fn check_region(&self, scope: &Scope) -> Result<(), Error> {
        match (scope.account().pod_cluster(&self.cluster_name), &self.region) {
            (Some(there), Some(region)) if there.record.region != *region => {
                Err(Error::validation(format!("The cluster is another one: {}.", there.arn)))
            }
            _ => Ok(()),
        }
    }
}

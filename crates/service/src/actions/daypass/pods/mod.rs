//! Kubernetes clusters whose pods get roles by EKS Pod Identity. On AWS a cluster is EKS's; here somebody says which OpenID Connect
//! provider signs the tokens of its service accounts.

pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod put;

use std::sync::Arc;

use daypass_directory::AccountView;
use daypass_directory::pods::record::PodClusterRecord;
use daypass_directory::pods::{PodCluster, cluster_arn};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::request::Time;

/// A call that is about one cluster.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Target {
    cluster_name: String,
}

/// An answer that is one cluster.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::daypass) struct One {
    cluster: Shown,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::daypass) struct Shown {
    cluster_name: String,
    cluster_arn: String,
    #[serde(rename = "OpenIDConnectProviderArn", skip_serializing_if = "Option::is_none")]
    provider_arn: Option<String>,
    association_count: usize,
    create_date: Time,
}

impl Shown {
    fn of(account: &AccountView<'_>, record: &PodClusterRecord) -> Self {
        let provider = account.oidc_provider_by_id(&record.provider);
        Self {
            cluster_name: record.name.clone(),
            cluster_arn: cluster_arn(account.id(), &record.region, &record.name),
            provider_arn: provider.map(|provider| provider.arn.clone()),
            association_count: account.pod_associations(&record.name).count(),
            create_date: Time(record.created),
        }
    }
}

fn find<'v>(account: &AccountView<'v>, name: &str) -> Result<&'v Arc<PodCluster>, Error> {
    let missing = || Error::no_such_entity(format!("The cluster {name} cannot be found."));
    account.pod_cluster(name).ok_or_else(missing)
}

/// Whoever may change or delete a cluster could else have the roles that others associated.
fn check_empty(account: &AccountView<'_>, name: &str) -> Result<(), Error> {
    match account.pod_associations(name).next() {
        Some(_) => Err(Error::delete_conflict("The cluster has associations. Delete them first.")),
        None => Ok(()),
    }
}

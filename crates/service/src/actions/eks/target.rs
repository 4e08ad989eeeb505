//! Which cluster or association a call is about, of the caller's account.

use std::sync::Arc;

use daypass_directory::pods::{PodAssociation, PodCluster, association_arn, cluster_arn};
use daypass_directory::{AccountView, Check, Scope};
use daypass_model::{Arn, TagSet};
use serde::Deserialize;

use crate::actions::region::region_name;
use crate::error::Error;

/// `DescribePodIdentityAssociationRequest` and its kin.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Target {
    pub(super) cluster_name: String,
    pub(super) association_id: String,
}

/// EKS's sentence.
pub(in crate::actions) fn no_cluster(name: &str) -> Error {
    Error::no_such_entity(format!("No cluster found for name: {name}."))
}

fn no_association(id: &str) -> Error {
    Error::no_such_entity(format!("No association found for id: {id}."))
}

/// A cluster that must be there.
///
/// # Errors
/// ResourceNotFoundException.
pub(super) fn cluster<'v>(account: &AccountView<'v>, name: &str) -> Result<&'v Arc<PodCluster>, Error> {
    account.pod_cluster(name).ok_or_else(|| no_cluster(name))
}

/// An association that must be there, and its cluster as well.
///
/// # Errors
/// ResourceNotFoundException.
pub(super) fn association<'v>(
    account: &AccountView<'v>,
    name: &str,
    id: &str,
) -> Result<&'v Arc<PodAssociation>, Error> {
    cluster(account, name)?;
    account.pod_association(name, id).ok_or_else(|| no_association(id))
}

/// The check on a cluster. One that is not there is asked about under the ARN that it would have.
pub(in crate::actions) fn check_cluster(action: &'static str, scope: &Scope, name: &str) -> Check {
    let account = scope.account();
    let missing = || cluster_arn(account.id(), region(scope), name);
    scope.check(action, account.pod_cluster(name).map_or_else(missing, |cluster| cluster.arn.clone()))
}

/// Where a call was signed for. It becomes part of an ARN: what is no name of a region is none.
pub(in crate::actions) fn region(scope: &Scope) -> &str {
    region_name(scope.region())
}

/// The check on an association. One that is not there is asked about under the ARN that it would have.
pub(super) fn check_association(action: &'static str, scope: &Scope, cluster: &str, id: &str) -> Check {
    let account = scope.account();
    match account.pod_association(cluster, id) {
        Some(found) => with_tags(scope.check(action, &*found.arn), &found.record.tags),
        None => scope.check(action, association_of(scope, cluster, id)),
    }
}

/// The ARN that an association of a cluster has, or would have.
pub(super) fn association_of(scope: &Scope, cluster: &str, id: &str) -> String {
    let account = scope.account();
    let region = account.pod_cluster(cluster).map_or(region(scope), |found| &found.record.region);
    association_arn(account.id(), region, cluster, id)
}

/// The association that an ARN names to the letter, if it is one of the account.
pub(super) fn by_arn<'v>(account: &AccountView<'v>, arn: &str) -> Option<&'v Arc<PodAssociation>> {
    let parsed: Arn = arn.parse().ok()?;
    let (_, place) = parsed.resource_parts().filter(|(kind, _)| *kind == "podidentityassociation")?;
    let (cluster, id) = place.split_once('/')?;
    account.pod_association(cluster, id).filter(|found| found.arn == arn)
}

/// The check on what an ARN names. Another account's is asked about as another account's: nobody may.
pub(super) fn check_arn(action: &'static str, scope: &Scope, arn: &str) -> Check {
    if let Some(found) = by_arn(&scope.account(), arn) {
        return with_tags(scope.check(action, &*found.arn), &found.record.tags);
    }
    let owner = arn.parse::<Arn>().ok().and_then(|arn| arn.account_id());
    Check { owner: owner.unwrap_or_else(|| scope.account().id()), ..scope.check(action, arn) }
}

fn with_tags(check: Check, tags: &TagSet) -> Check {
    tags.iter()
        .fold(check, |check, tag| check.with(format!("aws:ResourceTag/{}", tag.key), tag.value.as_str()))
}

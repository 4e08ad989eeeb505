//! EKS Pod Identity: clusters of an account, and which of their service accounts gets which role.
//!
//! A cluster is not deleted while it has associations, nor gets another provider: whoever may change what a cluster's tokens are
//! verified by could otherwise have every role that others associated.

pub mod record;

use std::ops::Bound;
use std::sync::Arc;

use daypass_model::AccountId;
use daypass_store::{Record, Revision};
use rpds::RedBlackTreeMapSync;

use crate::account_view::AccountView;
use crate::change::Change;
use crate::entity::Unreadable;
use crate::key::{self, Named};
use crate::view::{View, read};
use record::{PodAssociationRecord, PodClusterRecord};

/// A Kubernetes cluster, as its record was at this revision.
#[derive(Debug)]
pub struct PodCluster {
    /// Its record.
    pub record: PodClusterRecord,
    /// The revision of that.
    pub revision: Revision,
    /// `arn:aws:eks:<region>:<account>:cluster/<name>`
    pub arn: String,
}

/// The role of a service account, as its record was at this revision.
#[derive(Debug)]
pub struct PodAssociation {
    /// Its record.
    pub record: PodAssociationRecord,
    /// The revision of that.
    pub revision: Revision,
    /// `arn:aws:eks:<region>:<account>:podidentityassociation/<cluster>/<id>`
    pub arn: String,
}

/// `arn:aws:eks:<region>:<account>:cluster/<name>`
#[must_use]
pub fn cluster_arn(account: AccountId, region: &str, name: &str) -> String {
    format!("arn:aws:eks:{region}:{account}:cluster/{name}")
}

/// `arn:aws:eks:<region>:<account>:podidentityassociation/<cluster>/<id>`
#[must_use]
pub fn association_arn(account: AccountId, region: &str, cluster: &str, id: &str) -> String {
    format!("arn:aws:eks:{region}:{account}:podidentityassociation/{cluster}/{id}")
}

/// Of one account. No name of a cluster, a namespace or a service account has a slash in it.
#[derive(Clone, Default)]
pub(crate) struct Pods {
    /// By name.
    clusters: RedBlackTreeMapSync<String, Arc<PodCluster>>,
    /// By `<cluster>/<id>`.
    associations: RedBlackTreeMapSync<String, Arc<PodAssociation>>,
    /// `<cluster>/<namespace>/<service account>` → the association's place in `associations`.
    service_accounts: RedBlackTreeMapSync<String, String>,
}

fn of_service_account(record: &PodAssociationRecord) -> String {
    format!("{}/{}/{}", record.cluster, record.namespace, record.service_account)
}

impl Pods {
    fn put_association(&mut self, place: &str, association: PodAssociation) {
        self.service_accounts.insert_mut(of_service_account(&association.record), place.to_owned());
        self.associations.insert_mut(place.to_owned(), Arc::new(association));
    }

    fn delete_association(&mut self, place: &str) {
        let Some(gone) = self.associations.get(place).cloned() else { return };
        self.associations.remove_mut(place);
        // Another one may have come for the same service account.
        let named = of_service_account(&gone.record);
        if self.service_accounts.get(&named).is_some_and(|other| other == place) {
            self.service_accounts.remove_mut(&named);
        }
    }
}

impl View {
    /// The record of a cluster or an association.
    pub(crate) fn put_pods(&mut self, record: &Record) -> Result<(), Unreadable> {
        let revision = record.revision;
        match key::parse(&record.key) {
            Named::PodCluster(id, name) => {
                let record: PodClusterRecord = read(record)?;
                let arn = cluster_arn(id, &record.region, &record.name);
                let cluster = Arc::new(PodCluster { record, revision, arn });
                self.edit(id, |account| account.pods.clusters.insert_mut(name.to_owned(), cluster));
            }
            Named::PodAssociation(id, place) => {
                let record: PodAssociationRecord = read(record)?;
                let arn = association_arn(id, &record.region, &record.cluster, &record.id);
                let association = PodAssociation { record, revision, arn };
                self.edit(id, |account| account.pods.put_association(place, association));
            }
            _ => {}
        }
        Ok(())
    }

    /// The same that is gone.
    pub(crate) fn delete_pods(&mut self, place: &str) {
        match key::parse(place) {
            Named::PodCluster(id, name) => {
                self.edit(id, |account| _ = account.pods.clusters.remove_mut(name));
            }
            Named::PodAssociation(id, place) => {
                self.edit(id, |account| account.pods.delete_association(place));
            }
            _ => {}
        }
    }
}

impl<'v> AccountView<'v> {
    /// A cluster by name.
    #[must_use]
    pub fn pod_cluster(&self, name: &str) -> Option<&'v Arc<PodCluster>> {
        self.account.pods.clusters.get(name)
    }

    /// All clusters, by name.
    pub fn pod_clusters(&self) -> impl Iterator<Item = &'v Arc<PodCluster>> + use<'v> {
        self.account.pods.clusters.values()
    }

    /// An association of a cluster by id.
    #[must_use]
    pub fn pod_association(&self, cluster: &str, id: &str) -> Option<&'v Arc<PodAssociation>> {
        self.account.pods.associations.get(&format!("{cluster}/{id}"))
    }

    /// The association of a service account.
    #[must_use]
    pub fn pod_association_of(
        &self,
        cluster: &str,
        namespace: &str,
        service_account: &str,
    ) -> Option<&'v Arc<PodAssociation>> {
        let pods = &self.account.pods;
        let place = pods.service_accounts.get(&format!("{cluster}/{namespace}/{service_account}"))?;
        pods.associations.get(place)
    }

    /// All associations of a cluster, by id.
    pub fn pod_associations(&self, cluster: &str) -> impl Iterator<Item = &'v Arc<PodAssociation>> + use<'v> {
        let first = format!("{cluster}/");
        let (from, prefix) = (Bound::Included(first.clone()), first);
        let found = self.account.pods.associations.range((from, Bound::Unbounded));
        found.take_while(move |(place, _)| place.starts_with(&prefix)).map(|(_, association)| association)
    }
}

impl Change {
    /// Make a cluster: nobody else may have made one since the snapshot, so that the quota holds.
    pub fn create_pod_cluster(&mut self, account: AccountId, mut record: PodClusterRecord) {
        let place = key::pod_cluster(account, &record.name);
        record.written = self.written();
        self.absent(place.clone());
        self.quiet(key::pod_clusters(account));
        self.put(place, &record);
    }

    /// Rewrite a cluster as it was at `revision`, which had no association, and got none since.
    pub fn update_pod_cluster(
        &mut self,
        account: AccountId,
        revision: Revision,
        mut record: PodClusterRecord,
    ) {
        let place = key::pod_cluster(account, &record.name);
        record.written = self.written();
        self.unchanged(place.clone(), revision);
        self.quiet(key::pod_associations(account, &record.name));
        self.put(place, &record);
    }

    /// Remove a cluster that had no association, and got none since.
    pub fn remove_pod_cluster(&mut self, account: AccountId, cluster: &PodCluster) {
        let place = key::pod_cluster(account, &cluster.record.name);
        self.unchanged(place.clone(), cluster.revision);
        self.quiet(key::pod_associations(account, &cluster.record.name));
        self.delete(place);
    }

    /// Make an association in this cluster. No other may have come since the snapshot: there is one for each service account.
    pub fn create_pod_association(
        &mut self,
        account: AccountId,
        cluster: &PodCluster,
        mut record: PodAssociationRecord,
    ) {
        let place = key::pod_association(account, &record.cluster, &record.id);
        record.written = self.written();
        self.unchanged(key::pod_cluster(account, &record.cluster), cluster.revision);
        self.absent(place.clone());
        self.quiet(key::pod_associations(account, &record.cluster));
        self.put(place, &record);
    }

    /// Rewrite an association as it was at `revision`.
    pub fn update_pod_association(
        &mut self,
        account: AccountId,
        revision: Revision,
        mut record: PodAssociationRecord,
    ) {
        let place = key::pod_association(account, &record.cluster, &record.id);
        record.written = self.written();
        self.unchanged(place.clone(), revision);
        self.put(place, &record);
    }

    /// Remove an association.
    pub fn remove_pod_association(&mut self, account: AccountId, association: &PodAssociation) {
        let place = key::pod_association(account, &association.record.cluster, &association.record.id);
        self.unchanged(place.clone(), association.revision);
        self.delete(place);
    }
}

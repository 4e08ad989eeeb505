//! What answers show of an association, under the public model's names.

use std::collections::BTreeMap;

use daypass_directory::AccountView;
use daypass_directory::pods::association_arn;
use daypass_directory::pods::record::PodAssociationRecord;
use daypass_model::TagSet;
use serde::Serialize;

use super::rules::external_id;
use crate::request::Time;

/// An answer that is one association.
#[derive(Serialize)]
pub(super) struct One {
    association: Association,
}

/// `PodIdentityAssociation`. It has no `ownerArn`: there are no add-ons.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Association {
    cluster_name: String,
    namespace: String,
    service_account: String,
    role_arn: String,
    association_arn: String,
    association_id: String,
    tags: Tags,
    created_at: Time,
    modified_at: Time,
    disable_session_tags: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
}

/// `PodIdentityAssociationSummary`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    cluster_name: String,
    namespace: String,
    service_account: String,
    association_arn: String,
    association_id: String,
}

/// Tags, by key.
pub(super) type Tags = BTreeMap<String, String>;

/// Tags as this service writes them.
pub(super) fn shown(tags: &TagSet) -> Tags {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

impl One {
    pub(super) fn of(account: &AccountView<'_>, record: &PodAssociationRecord) -> Self {
        let arn = association_arn(account.id(), &record.region, &record.cluster, &record.id);
        let association = Association {
            cluster_name: record.cluster.clone(),
            namespace: record.namespace.clone(),
            service_account: record.service_account.clone(),
            role_arn: record.role_arn.clone(),
            association_arn: arn,
            association_id: record.id.clone(),
            tags: shown(&record.tags),
            created_at: Time(record.created),
            modified_at: Time(record.modified),
            disable_session_tags: record.disable_session_tags,
            target_role_arn: record.target_role.clone(),
            external_id: record.target_role.as_ref().map(|_| external_id(account.id(), record)),
            policy: record.policy.clone(),
        };
        Self { association }
    }
}

impl Summary {
    pub(super) fn of(record: &PodAssociationRecord, arn: &str) -> Self {
        Self {
            cluster_name: record.cluster.clone(),
            namespace: record.namespace.clone(),
            service_account: record.service_account.clone(),
            association_arn: arn.to_owned(),
            association_id: record.id.clone(),
        }
    }
}

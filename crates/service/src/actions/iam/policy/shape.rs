//! `Policy` and `PolicyVersion` as the public model has them.

use daypass_directory::managed::AwsPolicy;
use daypass_directory::record::{PolicyRecord, PolicyVersionRecord};
use daypass_directory::{AccountView, AnyPolicy, Entity};
use daypass_model::{AccountId, Tag};
use jiff::Timestamp;
use serde::Serialize;

use crate::actions::iam::shape::{encoded, some_tags};
use crate::request::Time;

/// `Policy`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyShape {
    policy_name: String,
    policy_id: String,
    arn: String,
    path: String,
    default_version_id: String,
    attachment_count: usize,
    permissions_boundary_usage_count: usize,
    is_attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    create_date: Time,
    update_date: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

impl PolicyShape {
    /// As CreatePolicy shows it: no description, tags only if there are any.
    pub(super) fn created(account: AccountId, record: &PolicyRecord) -> Self {
        Self { tags: some_tags(&record.tags), ..Self::customer(&record.arn(account), record) }
    }

    /// As ListPolicies shows it: neither description nor tags.
    pub(super) fn listed(account: &AccountView<'_>, policy: &AnyPolicy<'_>) -> Self {
        let shape = match policy {
            AnyPolicy::Customer(policy) => Self::customer(&policy.arn, &policy.record),
            AnyPolicy::Aws(policy) => Self::aws(policy),
        };
        Self {
            attachment_count: account.attached_to(policy.arn()).count(),
            permissions_boundary_usage_count: account.boundary_of(policy.arn()).count(),
            ..shape
        }
    }

    /// As GetPolicy shows it: the description if there is one, tags even if there are none.
    pub(super) fn whole(account: &AccountView<'_>, policy: &AnyPolicy<'_>) -> Self {
        let (description, tags) = match policy {
            AnyPolicy::Customer(policy) => {
                (policy.record.description.clone(), policy.record.tags.iter().cloned().collect())
            }
            AnyPolicy::Aws(policy) => (Some(policy.description.to_owned()), Vec::new()),
        };
        Self { description, tags: Some(tags), ..Self::listed(account, policy) }
    }

    fn customer(arn: &str, record: &PolicyRecord) -> Self {
        Self {
            policy_name: record.name.clone(),
            policy_id: record.id.to_string(),
            arn: arn.to_owned(),
            path: record.path.clone(),
            default_version_id: format!("v{}", record.default_version),
            attachment_count: 0,
            permissions_boundary_usage_count: 0,
            is_attachable: true,
            description: None,
            create_date: Time(record.created),
            update_date: Time(record.updated),
            tags: None,
        }
    }

    fn aws(policy: &AwsPolicy) -> Self {
        Self {
            policy_name: policy.name.to_owned(),
            policy_id: policy.id.to_owned(),
            arn: policy.arn.to_owned(),
            path: policy.path.to_owned(),
            default_version_id: policy.default_version.to_owned(),
            attachment_count: 0,
            permissions_boundary_usage_count: 0,
            is_attachable: true,
            description: None,
            create_date: created(policy),
            update_date: created(policy),
            tags: None,
        }
    }
}

/// `PolicyVersion`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    version_id: String,
    is_default_version: bool,
    create_date: Time,
}

impl VersionShape {
    /// As ListPolicyVersions and CreatePolicyVersion show it: without the document.
    pub(super) fn listed(record: &PolicyRecord, version: &PolicyVersionRecord) -> Self {
        Self {
            document: None,
            version_id: format!("v{}", version.number),
            is_default_version: version.number == record.default_version,
            create_date: Time(version.created),
        }
    }

    /// As GetPolicyVersion shows it.
    pub(super) fn whole(record: &PolicyRecord, version: &PolicyVersionRecord) -> Self {
        Self { document: Some(encoded(&version.document)), ..Self::listed(record, version) }
    }

    /// The only version of a policy of AWS, in a list.
    pub(super) fn listed_aws(policy: &AwsPolicy) -> Self {
        Self {
            document: None,
            version_id: policy.default_version.to_owned(),
            is_default_version: true,
            create_date: created(policy),
        }
    }

    /// The same with its document.
    pub(super) fn whole_aws(policy: &AwsPolicy) -> Self {
        Self { document: Some(encoded(policy.document)), ..Self::listed_aws(policy) }
    }
}

fn created(policy: &AwsPolicy) -> Time {
    // The table's dates are constants; a test reads every one of them.
    Time(policy.created.parse::<Timestamp>().map_or(0, Timestamp::as_second))
}

#[cfg(test)]
mod tests {
    use daypass_directory::managed::AWS_POLICIES;

    use super::*;

    #[test]
    fn every_policy_of_aws_has_a_date_that_reads() {
        for policy in &AWS_POLICIES {
            assert!(created(policy).0 > 1_400_000_000, "{}", policy.name);
        }
        // 2015-02-06T18:39:46Z
        let administrator = AWS_POLICIES.iter().find(|policy| policy.name == "AdministratorAccess").unwrap();
        assert_eq!(created(administrator), Time(1_423_247_986));
    }
}

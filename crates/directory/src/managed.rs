//! The AWS managed policies that every account has, with documents of our own writing.
//!
//! Names, ARNs, version ids and dates are what AWS's `GetPolicy` answers; the documents give what the
//! names say (how they differ from AWS's: `docs/divergences.md`).

use std::sync::{Arc, LazyLock};

use daypass_policy::Policy;

use crate::entity::NamedPolicy;

/// A managed policy of AWS.
#[derive(Debug)]
pub struct AwsPolicy {
    /// Name.
    pub name: &'static str,
    /// `/` for those people attach.
    pub path: &'static str,
    /// `arn:aws:iam::aws:policy/…`
    pub arn: &'static str,
    /// Unique id, made from the ARN: stable over restarts and the same in every daypass.
    pub id: &'static str,
    /// `v` and a number; the only version there is.
    pub default_version: &'static str,
    /// ISO 8601.
    pub created: &'static str,
    /// The policy.
    pub document: &'static str,
}

macro_rules! aws_policy {
    ($name:literal, $id:literal, $version:literal, $created:literal) => {
        AwsPolicy {
            name: $name,
            path: "/",
            arn: concat!("arn:aws:iam::aws:policy/", $name),
            id: $id,
            default_version: $version,
            created: $created,
            document: include_str!(concat!("managed/", $name, ".json")),
        }
    };
}

/// In order of name.
pub static AWS_POLICIES: [AwsPolicy; 7] = [
    aws_policy!("AdministratorAccess", "ANPADAYPASSADMINISTRA", "v1", "2015-02-06T18:39:46Z"),
    aws_policy!("AmazonS3FullAccess", "ANPADAYPASSS3FULLACCE", "v2", "2015-02-06T18:40:58Z"),
    aws_policy!("AmazonS3ReadOnlyAccess", "ANPADAYPASSS3READONLY", "v3", "2015-02-06T18:40:59Z"),
    aws_policy!("IAMFullAccess", "ANPADAYPASSIAMFULLACC", "v2", "2015-02-06T18:40:38Z"),
    aws_policy!("IAMReadOnlyAccess", "ANPADAYPASSIAMREADONL", "v4", "2015-02-06T18:40:39Z"),
    aws_policy!("PowerUserAccess", "ANPADAYPASSPOWERUSERA", "v12", "2015-02-06T18:39:47Z"),
    aws_policy!("ReadOnlyAccess", "ANPADAYPASSREADONLYAC", "v182", "2015-02-06T18:39:48Z"),
];

/// Compiled once, on first use; the test below shows that every document compiles.
static COMPILED: LazyLock<Vec<NamedPolicy>> = LazyLock::new(|| {
    let compile = |policy: &AwsPolicy| {
        let policy_id = policy.arn.into();
        Policy::parse(policy.document)
            .ok()
            .map(|parsed| NamedPolicy { id: policy_id, policy: Arc::new(parsed) })
    };
    AWS_POLICIES.iter().filter_map(compile).collect()
});

/// The AWS managed policy with exactly this ARN.
#[must_use]
pub fn find(arn: &str) -> Option<&'static AwsPolicy> {
    AWS_POLICIES.iter().find(|policy| policy.arn == arn)
}

impl AwsPolicy {
    /// Compiled, under its ARN.
    #[must_use]
    pub fn named(&self) -> Option<NamedPolicy> {
        COMPILED.iter().find(|named| &*named.id == self.arn).cloned()
    }
}

#[cfg(test)]
mod tests {
    use daypass_policy::{Kind, validate};

    use super::*;

    #[test]
    fn every_document_is_a_valid_managed_policy_of_allowed_size() {
        for policy in &AWS_POLICIES {
            validate(Kind::Managed, policy.document).unwrap_or_else(|e| panic!("{}: {e}", policy.name));
            let size = daypass_policy::size_without_white_space(policy.document);
            assert!(size <= daypass_model::limits::MANAGED_POLICY_SIZE_MAX, "{}: {size}", policy.name);
            assert_eq!(policy.id.len(), 21, "{}", policy.id);
        }
        assert_eq!(COMPILED.len(), AWS_POLICIES.len());
        assert!(AWS_POLICIES.is_sorted_by_key(|policy| policy.name));
    }
}

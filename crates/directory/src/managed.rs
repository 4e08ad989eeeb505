//! The AWS managed policies that every account has, with descriptions and documents of our own writing.
//!
//! Names, ARNs, version ids and dates are what AWS's `GetPolicy` answers; descriptions and documents give
//! what the names say (how they differ from AWS's: `docs/divergences.md`).

use std::sync::{Arc, LazyLock};

use daypass_policy::{Named, Policy};

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
    /// What it is for.
    pub description: &'static str,
    /// The policy.
    pub document: &'static str,
}

macro_rules! aws_policy {
    ($name:literal, $id:literal, $version:literal, $created:literal, $description:literal) => {
        AwsPolicy {
            name: $name,
            path: "/",
            arn: concat!("arn:aws:iam::aws:policy/", $name),
            id: $id,
            default_version: $version,
            created: $created,
            description: $description,
            document: include_str!(concat!("managed/", $name, ".json")),
        }
    };
}

/// In order of name.
#[rustfmt::skip]
pub static AWS_POLICIES: [AwsPolicy; 8] = [
    aws_policy!("AdministratorAccess", "ANPADAYPASSADMINISTRA", "v1", "2015-02-06T18:39:46Z",
        "Allows every action of every service."),
    aws_policy!("AmazonS3FullAccess", "ANPADAYPASSS3FULLACCE", "v2", "2015-02-06T18:40:58Z",
        "Allows every action of Amazon S3 and S3 Object Lambda."),
    aws_policy!("AmazonS3ReadOnlyAccess", "ANPADAYPASSS3READONLY", "v3", "2015-02-06T18:40:59Z",
        "Allows reading everything in Amazon S3 and S3 Object Lambda."),
    aws_policy!("IAMFullAccess", "ANPADAYPASSIAMFULLACC", "v2", "2015-02-06T18:40:38Z",
        "Allows every action of IAM, and seeing the organization that an account is in."),
    aws_policy!("IAMReadOnlyAccess", "ANPADAYPASSIAMREADONL", "v4", "2015-02-06T18:40:39Z",
        "Allows reading and simulating everything in IAM."),
    aws_policy!("PowerUserAccess", "ANPADAYPASSPOWERUSERA", "v12", "2015-02-06T18:39:47Z",
        "Allows every action of every service, except managing users, the organization and the account."),
    aws_policy!("ReadOnlyAccess", "ANPADAYPASSREADONLYAC", "v182", "2015-02-06T18:39:48Z",
        "Allows reading configuration, metadata and stored data of common services; no secrets and no messages."),
    aws_policy!("SignInLocalDevelopmentAccess", "ANPADAYPASSSIGNINLOCA", "v3", "2025-11-19T18:34:09Z",
        "Allows `aws login`: programs get credentials of a session of the console."),
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
    pub(crate) fn named(&self) -> Option<Named<'static>> {
        COMPILED.iter().find(|policy| &*policy.id == self.arn).map(NamedPolicy::named)
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

//! Managed policies and their versions as calls name them, and the order in which lists show them.

use std::sync::Arc;

use daypass_directory::{AccountView, AnyPolicy, ManagedPolicy};
use daypass_model::fold_name;
use daypass_model::limits::MANAGED_POLICY_SIZE_MAX;
use daypass_policy::{Kind, size_without_white_space, validate};

use crate::actions::iam::kind::{self, Kind as _};
use crate::actions::iam::rules;
use crate::error::Error;

/// A managed policy, or AWS's sentence.
pub(super) fn find<'v>(account: &AccountView<'v>, arn: &str) -> Result<AnyPolicy<'v>, Error> {
    rules::arn_of_policy(arn)?;
    account.policy(arn).ok_or_else(|| Error::no_such_entity(format!("Policy {arn} was not found.")))
}

/// A policy that the account may change.
pub(super) fn find_own<'v>(account: &AccountView<'v>, arn: &str) -> Result<&'v Arc<ManagedPolicy>, Error> {
    kind::Policy::find(account, arn)
}

/// The number in `v3`. Other forms that the shape allows (`v3.x`) name no version here.
pub(super) fn version_number(id: &str) -> Option<u32> {
    id.strip_prefix('v')?.parse().ok()
}

/// AWS's sentence about a version that is not there.
pub(super) fn no_version(arn: &str, id: &str) -> Error {
    Error::no_such_entity(format!("Policy {arn} version {id} does not exist or is not attachable."))
}

/// A document that is to be a version of a managed policy.
pub(super) fn document(text: &str) -> Result<(), Error> {
    validate(Kind::Managed, text).map_err(|malformed| Error::malformed_policy(malformed.message))?;
    rules::within("PolicySize", size_without_white_space(text), MANAGED_POLICY_SIZE_MAX)
}

/// By name, ignoring case. One of AWS and one of the account may share a name; AWS's comes first.
pub(in crate::actions::iam) fn sort_key(policy: &AnyPolicy<'_>) -> String {
    // A space sorts before every character of a name, so `a` stays before `a-b`.
    let origin = match policy {
        AnyPolicy::Aws(_) => "aws",
        AnyPolicy::Customer(_) => "local",
    };
    format!("{} {origin}", fold_name(policy.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_number_names_a_version() {
        assert_eq!(version_number("v1"), Some(1));
        assert_eq!(version_number("v182"), Some(182));
        for none in ["1", "v", "v1.2", "v-1", "v99999999999"] {
            assert_eq!(version_number(none), None, "{none}");
        }
    }

    #[test]
    fn the_size_of_a_document_counts_no_white_space_between_its_tokens() {
        let policy = |sid: usize, gap: usize| {
            let (sid, gap) = ("a".repeat(sid), " ".repeat(gap));
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{sid}",{gap}"Effect":"Allow","Action":"*","Resource":"*"}}]}}"#
            )
        };
        let fixed = policy(0, 0).len();
        assert_eq!(document(&policy(6144 - fixed, 5000)), Ok(()));
        let over = document(&policy(6145 - fixed, 0)).unwrap_err();
        assert_eq!(
            (over.code, over.message.as_str()),
            ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
        );
    }
}

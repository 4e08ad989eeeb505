//! What users, groups and roles have alike: they hold inline policies and have managed ones attached.
//!
//! The actions on policies are written once, over this trait. What differs between the kinds is here: names of
//! operations and members, quotas, condition keys, and which of them only AWS may change.

use std::fmt::Display;
use std::sync::Arc;

use daypass_directory::record::{GroupRecord, InlinePolicy, RoleRecord, UserRecord};
use daypass_directory::{self as directory, Check, Scope};
use daypass_model::limits::{
    GROUP_POLICY_SIZE_MAX, POLICIES_PER_GROUP_MAX, POLICIES_PER_ROLE_MAX, POLICIES_PER_USER_MAX,
    ROLE_POLICY_SIZE_MAX, USER_POLICY_SIZE_MAX,
};

use crate::actions::iam::kind::{Group, Kind, Role, User};
use crate::actions::iam::{rules, target};
use crate::error::Error;

/// A kind of entity that holds policies.
pub(super) trait Holder: Kind {
    /// The word in AWS's sentences: `user`.
    const WORD: &'static str;
    /// The member that names it: `UserName`.
    const MEMBER: &'static str;
    /// What the operations on its policies are called, as permissions.
    const OPERATIONS: Operations;
    /// Bytes of all its inline policies together.
    const INLINE_SIZE_MAX: usize;
    /// Name and size of the quota of attached policies.
    const ATTACHED_QUOTA: (&'static str, usize);

    /// The check with the present boundary, which the calls that change its policies have as a condition key.
    fn with_boundary(check: Check, scope: &Scope, name: &str) -> Check;

    /// Refuses entities that are AWS's own.
    fn modifiable(entity: &Arc<Self::Entity>) -> Result<(), Error>;

    /// Its inline policies.
    fn inline(record: &Self::Record) -> &[InlinePolicy];
    /// The same, to change them.
    fn inline_mut(record: &mut Self::Record) -> &mut Vec<InlinePolicy>;
    /// ARNs of the managed policies attached to it.
    fn attached(record: &Self::Record) -> &[String];
    /// The same, to change them.
    fn attached_mut(record: &mut Self::Record) -> &mut Vec<String>;
}

/// The operations that every kind of holder has, under the names of their permissions.
pub(super) struct Operations {
    pub(super) put_inline: &'static str,
    pub(super) get_inline: &'static str,
    pub(super) delete_inline: &'static str,
    pub(super) list_inline: &'static str,
    pub(super) attach: &'static str,
    pub(super) detach: &'static str,
    pub(super) list_attached: &'static str,
}

/// `The user policy with name X cannot be found.`
pub(super) fn no_inline_policy<H: Holder>(name: impl Display) -> Error {
    Error::no_such_entity(format!("The {} policy with name {name} cannot be found.", H::WORD))
}

macro_rules! operations {
    ($kind:literal) => {
        Operations {
            put_inline: concat!("iam:Put", $kind, "Policy"),
            get_inline: concat!("iam:Get", $kind, "Policy"),
            delete_inline: concat!("iam:Delete", $kind, "Policy"),
            list_inline: concat!("iam:List", $kind, "Policies"),
            attach: concat!("iam:Attach", $kind, "Policy"),
            detach: concat!("iam:Detach", $kind, "Policy"),
            list_attached: concat!("iam:ListAttached", $kind, "Policies"),
        }
    };
}

/// The members that the three records have under the same names.
macro_rules! members {
    ($record:ty) => {
        fn inline(record: &$record) -> &[InlinePolicy] {
            &record.inline
        }
        fn inline_mut(record: &mut $record) -> &mut Vec<InlinePolicy> {
            &mut record.inline
        }
        fn attached(record: &$record) -> &[String] {
            &record.attached
        }
        fn attached_mut(record: &mut $record) -> &mut Vec<String> {
            &mut record.attached
        }
    };
}

impl Holder for User {
    const WORD: &'static str = "user";
    const MEMBER: &'static str = "UserName";
    const OPERATIONS: Operations = operations!("User");
    const INLINE_SIZE_MAX: usize = USER_POLICY_SIZE_MAX;
    const ATTACHED_QUOTA: (&'static str, usize) = ("PoliciesPerUser", POLICIES_PER_USER_MAX);

    fn with_boundary(check: Check, scope: &Scope, name: &str) -> Check {
        target::with_user_boundary(check, scope, name)
    }

    fn modifiable(_: &Arc<directory::User>) -> Result<(), Error> {
        Ok(())
    }

    members!(UserRecord);
}

impl Holder for Group {
    const WORD: &'static str = "group";
    const MEMBER: &'static str = "GroupName";
    const OPERATIONS: Operations = operations!("Group");
    const INLINE_SIZE_MAX: usize = GROUP_POLICY_SIZE_MAX;
    const ATTACHED_QUOTA: (&'static str, usize) = ("PoliciesPerGroup", POLICIES_PER_GROUP_MAX);

    /// Groups have no boundary.
    fn with_boundary(check: Check, _: &Scope, _: &str) -> Check {
        check
    }

    fn modifiable(_: &Arc<directory::Group>) -> Result<(), Error> {
        Ok(())
    }

    members!(GroupRecord);
}

impl Holder for Role {
    const WORD: &'static str = "role";
    const MEMBER: &'static str = "RoleName";
    const OPERATIONS: Operations = operations!("Role");
    const INLINE_SIZE_MAX: usize = ROLE_POLICY_SIZE_MAX;
    const ATTACHED_QUOTA: (&'static str, usize) = ("PoliciesPerRole", POLICIES_PER_ROLE_MAX);

    fn with_boundary(check: Check, scope: &Scope, name: &str) -> Check {
        target::with_role_boundary(check, scope, name)
    }

    fn modifiable(role: &Arc<directory::Role>) -> Result<(), Error> {
        rules::modifiable(role)
    }

    members!(RoleRecord);
}

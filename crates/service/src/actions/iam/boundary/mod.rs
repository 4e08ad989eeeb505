//! Permissions boundaries of users and roles: a managed policy that limits what the identity policies give.

mod delete;
mod put;

pub(super) use delete::DeletePermissionsBoundary;
pub(super) use put::PutPermissionsBoundary;

use daypass_directory::record::{RoleRecord, UserRecord};

use crate::actions::iam::holder::Holder;
use crate::actions::iam::kind::{Role, User};

/// A kind of entity that may have a boundary.
pub(super) trait Bounded: Holder {
    /// The operation that sets it.
    const PUT: &'static str;
    /// The operation that takes it away.
    const DELETE: &'static str;

    /// Where the record keeps its ARN.
    fn boundary(record: &mut Self::Record) -> &mut Option<String>;
}

impl Bounded for User {
    const PUT: &'static str = "iam:PutUserPermissionsBoundary";
    const DELETE: &'static str = "iam:DeleteUserPermissionsBoundary";

    fn boundary(record: &mut UserRecord) -> &mut Option<String> {
        &mut record.boundary
    }
}

impl Bounded for Role {
    const PUT: &'static str = "iam:PutRolePermissionsBoundary";
    const DELETE: &'static str = "iam:DeleteRolePermissionsBoundary";

    fn boundary(record: &mut RoleRecord) -> &mut Option<String> {
        &mut record.boundary
    }
}

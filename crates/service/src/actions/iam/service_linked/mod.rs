//! Service-linked roles: what an account gives to a service, in the service's own terms. Nobody of the account changes them, and
//! their service alone takes them. Source: "Create a service-linked role", "Delete a service-linked role", IAM User Guide.

mod catalog;
mod create;
mod delete;
mod status;

pub(super) use create::CreateServiceLinkedRole;
pub(super) use delete::DeleteServiceLinkedRole;
pub(super) use status::GetServiceLinkedRoleDeletionStatus;

/// What the path of every service-linked role begins with.
const PATH: &str = "/aws-service-role/";

/// The path of a service's roles.
fn path(service: &str) -> String {
    format!("{PATH}{service}/")
}

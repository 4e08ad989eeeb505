//! Roles and their trust policies.

mod create;
mod delete;
mod get;
mod trust;
mod update;
mod update_description;
mod update_trust;

pub(super) use create::CreateRole;
pub(super) use delete::DeleteRole;
pub(super) use get::GetRole;
pub(super) use update::UpdateRole;
pub(super) use update_description::UpdateRoleDescription;
pub(super) use update_trust::UpdateAssumeRolePolicy;

//! Instance profiles: the name under which a machine is given a role. Source: "Use instance profiles", IAM User Guide.
//!
//! A profile has one role at most, a role may be in many. What a profile holds is the role's unique id: a role that is made again
//! under the same name is in none.

mod add_role;
mod create;
mod delete;
mod get;
mod list_for_role;
mod remove_role;
mod shape;

pub(super) use add_role::AddRoleToInstanceProfile;
pub(super) use create::CreateInstanceProfile;
pub(super) use delete::DeleteInstanceProfile;
pub(super) use get::GetInstanceProfile;
pub(super) use list_for_role::ListInstanceProfilesForRole;
pub(super) use remove_role::RemoveRoleFromInstanceProfile;
pub(super) use shape::InstanceProfileShape;

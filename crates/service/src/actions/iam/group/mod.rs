//! Groups and who is in them.

mod add_user;
mod create;
mod delete;
mod get;
mod list_for_user;
mod remove_user;
mod update;

pub(super) use add_user::AddUserToGroup;
pub(super) use create::CreateGroup;
pub(super) use delete::DeleteGroup;
pub(super) use get::GetGroup;
pub(super) use list_for_user::ListGroupsForUser;
pub(super) use remove_user::RemoveUserFromGroup;
pub(super) use update::UpdateGroup;

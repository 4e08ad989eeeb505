//! Users.

mod create;
mod delete;
mod get;
mod update;

pub(super) use create::CreateUser;
pub(super) use delete::DeleteUser;
pub(super) use get::GetUser;
pub(super) use update::UpdateUser;

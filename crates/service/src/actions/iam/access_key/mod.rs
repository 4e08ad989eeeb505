//! Access keys of users, and of the root user when it calls without a user name.

mod create;
mod delete;
mod last_used;
mod list;
pub(super) mod owner;
mod update;

pub(super) use create::CreateAccessKey;
pub(super) use delete::DeleteAccessKey;
pub(super) use last_used::GetAccessKeyLastUsed;
pub(super) use list::ListAccessKeys;
pub(super) use update::UpdateAccessKey;

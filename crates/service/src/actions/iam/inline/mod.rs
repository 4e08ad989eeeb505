//! Inline policies of users, groups and roles: written once, over [`Holder`](super::holder::Holder).

mod delete;
mod get;
mod list;
mod put;

pub(super) use delete::DeleteInlinePolicy;
pub(super) use get::GetInlinePolicy;
pub(super) use list::ListInlinePolicies;
pub(super) use put::PutInlinePolicy;

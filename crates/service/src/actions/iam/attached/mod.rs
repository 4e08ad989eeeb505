//! Managed policies attached to users, groups and roles: written once, over [`Holder`](super::holder::Holder).

mod attach;
mod detach;
mod list;

pub(super) use attach::AttachPolicy;
pub(super) use detach::DetachPolicy;
pub(super) use list::ListAttachedPolicies;

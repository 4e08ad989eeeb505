//! daypass's own API, version 2026-11-01: what a service behind daypass asks.

mod check_request;
mod context;
mod delete_resource_policy;
mod explain_request;
mod get_resource_policy;
mod inner;
mod list_resource_policies;
mod put_resource_policy;
mod resource;
mod validate_policy;

use crate::action::Row;

/// The table of daypass's own API.
pub(super) static ROWS: &[Row] = &[
    Row::of::<check_request::CheckRequest>(),
    Row::of::<delete_resource_policy::DeleteResourcePolicy>(),
    Row::of::<explain_request::ExplainRequest>(),
    Row::of::<get_resource_policy::GetResourcePolicy>(),
    Row::of::<list_resource_policies::ListResourcePolicies>(),
    Row::of::<put_resource_policy::PutResourcePolicy>(),
    Row::of::<validate_policy::ValidatePolicy>(),
];

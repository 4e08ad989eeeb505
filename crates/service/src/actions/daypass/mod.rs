//! daypass's own API, version 2026-11-01: what a service behind daypass asks, what becomes of sessions, and
//! what is taken of an identity provider beyond what AWS takes.

mod assume_role_for_service;
mod check_request;
mod context;
mod delete_resource_policy;
mod explain_request;
mod get_provider_settings;
mod get_resource_policy;
mod get_session_chain;
mod inner;
mod list_resource_policies;
mod list_sessions;
mod listed;
mod machine;
mod pods;
mod put_provider_settings;
mod put_resource_policy;
mod resource;
mod revoke_session;
mod session;
mod validate_policy;

use daypass_model::{AccountId, SessionId};

use crate::action::Row;

/// The table of daypass's own API.
pub(super) static ROWS: &[Row] = &[
    Row::of::<assume_role_for_service::AssumeRoleForService>(),
    Row::of::<check_request::CheckRequest>(),
    Row::of::<delete_resource_policy::DeleteResourcePolicy>(),
    Row::of::<pods::delete::DeletePodIdentityCluster>(),
    Row::of::<machine::deregister_instance::DeregisterInstance>(),
    Row::of::<machine::deregister_task::DeregisterTask>(),
    Row::of::<explain_request::ExplainRequest>(),
    Row::of_unsigned::<machine::get_instance_credentials::GetInstanceCredentials>(),
    Row::of_unsigned::<machine::get_instance_metadata::GetInstanceMetadata>(),
    Row::of::<pods::get::GetPodIdentityCluster>(),
    Row::of::<get_provider_settings::GetProviderSettings>(),
    Row::of::<get_resource_policy::GetResourcePolicy>(),
    Row::of::<get_session_chain::GetSessionChain>(),
    Row::of_unsigned::<machine::get_task_credentials::GetTaskCredentials>(),
    Row::of_unsigned::<machine::join_instance::JoinInstance>(),
    Row::of::<machine::list_instances::ListInstances>(),
    Row::of::<pods::list::ListPodIdentityClusters>(),
    Row::of::<list_resource_policies::ListResourcePolicies>(),
    Row::of::<list_sessions::ListSessions>(),
    Row::of::<machine::list_tasks::ListTasks>(),
    Row::of::<pods::put::PutPodIdentityCluster>(),
    Row::of::<put_provider_settings::PutProviderSettings>(),
    Row::of::<put_resource_policy::PutResourcePolicy>(),
    Row::of::<machine::register_instance::RegisterInstance>(),
    Row::of::<machine::register_task::RegisterTask>(),
    Row::of::<machine::renew_join_secret::RenewJoinSecret>(),
    Row::of::<revoke_session::RevokeSession>(),
    Row::of::<validate_policy::ValidatePolicy>(),
];

/// What a permission on a session is asked for: its id is in it, and its ARN is not, which other sessions may have.
fn session_arn(account: AccountId, id: SessionId) -> String {
    format!("arn:aws:daypass::{account}:session/{id}")
}

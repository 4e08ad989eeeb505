//! Managed policies: of the account, and AWS's own, which everybody may read and nobody may change.

mod create;
mod create_version;
mod delete;
mod delete_version;
mod find;
mod get;
mod get_version;
mod list;
mod list_entities;
mod list_versions;
mod set_default_version;
mod shape;

pub(super) use create::CreatePolicy;
pub(super) use create_version::CreatePolicyVersion;
pub(super) use delete::DeletePolicy;
pub(super) use delete_version::DeletePolicyVersion;
pub(super) use find::sort_key;
pub(super) use get::GetPolicy;
pub(super) use get_version::GetPolicyVersion;
pub(super) use list::ListPolicies;
pub(super) use list_entities::ListEntitiesForPolicy;
pub(super) use list_versions::ListPolicyVersions;
pub(super) use set_default_version::SetDefaultPolicyVersion;

//! AWS Identity and Access Management, API version 2010-05-08.
//!
//! A folder per kind of thing; what several kinds have alike (inline policies, attached policies, tags,
//! boundaries) is written once, generic over the kind.

mod access_key;
mod alias;
mod attached;
mod boundary;
mod group;
mod holder;
mod inline;
mod instance_profile;
mod kind;
mod list;
mod mfa;
mod oidc;
mod outbound;
mod password;
mod password_policy;
mod policy;
mod role;
mod rules;
mod saml;
mod service_linked;
mod shape;
mod simulate;
mod tags;
mod target;
mod user;

use crate::action::Row;

/// What calls of daypass's own API on a provider are authorised on, and which provider they mean.
pub(crate) use password::{password_policy_stands, replaced_password};
pub(super) use target::{find_oidc_provider, oidc_provider as oidc_provider_check};

/// The table of IAM.
pub(super) static ROWS: &[Row] = &[
    Row::of::<instance_profile::AddRoleToInstanceProfile>(),
    Row::of::<group::AddUserToGroup>(),
    Row::of::<oidc::AddClientId>(),
    Row::of::<attached::AttachPolicy<kind::Group>>(),
    Row::of::<attached::AttachPolicy<kind::Role>>(),
    Row::of::<attached::AttachPolicy<kind::User>>(),
    Row::of::<password::ChangePassword>(),
    Row::of::<access_key::CreateAccessKey>(),
    Row::of::<alias::CreateAccountAlias>(),
    Row::of::<group::CreateGroup>(),
    Row::of::<instance_profile::CreateInstanceProfile>(),
    Row::of::<password::CreateLoginProfile>(),
    Row::of::<oidc::CreateOidcProvider>(),
    Row::of::<policy::CreatePolicy>(),
    Row::of::<policy::CreatePolicyVersion>(),
    Row::of::<role::CreateRole>(),
    Row::of::<saml::CreateSamlProvider>(),
    Row::of::<service_linked::CreateServiceLinkedRole>(),
    Row::of::<user::CreateUser>(),
    Row::of::<mfa::CreateVirtualMfaDevice>(),
    Row::of::<mfa::DeactivateMfaDevice>(),
    Row::of::<access_key::DeleteAccessKey>(),
    Row::of::<alias::DeleteAccountAlias>(),
    Row::of::<password_policy::DeletePasswordPolicy>(),
    Row::of::<group::DeleteGroup>(),
    Row::of::<inline::DeleteInlinePolicy<kind::Group>>(),
    Row::of::<instance_profile::DeleteInstanceProfile>(),
    Row::of::<password::DeleteLoginProfile>(),
    Row::of::<oidc::DeleteOidcProvider>(),
    Row::of::<policy::DeletePolicy>(),
    Row::of::<policy::DeletePolicyVersion>(),
    Row::of::<role::DeleteRole>(),
    Row::of::<boundary::DeletePermissionsBoundary<kind::Role>>(),
    Row::of::<inline::DeleteInlinePolicy<kind::Role>>(),
    Row::of::<saml::DeleteSamlProvider>(),
    Row::of::<service_linked::DeleteServiceLinkedRole>(),
    Row::of::<user::DeleteUser>(),
    Row::of::<boundary::DeletePermissionsBoundary<kind::User>>(),
    Row::of::<inline::DeleteInlinePolicy<kind::User>>(),
    Row::of::<mfa::DeleteVirtualMfaDevice>(),
    Row::of::<attached::DetachPolicy<kind::Group>>(),
    Row::of::<attached::DetachPolicy<kind::Role>>(),
    Row::of::<attached::DetachPolicy<kind::User>>(),
    Row::of::<outbound::DisableOutboundFederation>(),
    Row::of::<mfa::EnableMfaDevice>(),
    Row::of::<outbound::EnableOutboundFederation>(),
    Row::of::<access_key::GetAccessKeyLastUsed>(),
    Row::of::<password_policy::GetPasswordPolicy>(),
    Row::of::<simulate::GetContextKeysForCustomPolicy>(),
    Row::of::<simulate::GetContextKeysForPrincipalPolicy>(),
    Row::of::<group::GetGroup>(),
    Row::of::<inline::GetInlinePolicy<kind::Group>>(),
    Row::of::<instance_profile::GetInstanceProfile>(),
    Row::of::<password::GetLoginProfile>(),
    Row::of::<mfa::GetMfaDevice>(),
    Row::of::<oidc::GetOidcProvider>(),
    Row::of::<outbound::GetOutboundFederationInfo>(),
    Row::of::<policy::GetPolicy>(),
    Row::of::<policy::GetPolicyVersion>(),
    Row::of::<role::GetRole>(),
    Row::of::<inline::GetInlinePolicy<kind::Role>>(),
    Row::of::<saml::GetSamlProvider>(),
    Row::of::<service_linked::GetServiceLinkedRoleDeletionStatus>(),
    Row::of::<user::GetUser>(),
    Row::of::<inline::GetInlinePolicy<kind::User>>(),
    Row::of::<access_key::ListAccessKeys>(),
    Row::of::<alias::ListAccountAliases>(),
    Row::of::<attached::ListAttachedPolicies<kind::Group>>(),
    Row::of::<attached::ListAttachedPolicies<kind::Role>>(),
    Row::of::<attached::ListAttachedPolicies<kind::User>>(),
    Row::of::<policy::ListEntitiesForPolicy>(),
    Row::of::<inline::ListInlinePolicies<kind::Group>>(),
    Row::of::<list::List<kind::Group>>(),
    Row::of::<group::ListGroupsForUser>(),
    Row::of::<tags::ListTags<kind::InstanceProfile>>(),
    Row::of::<list::List<kind::InstanceProfile>>(),
    Row::of::<instance_profile::ListInstanceProfilesForRole>(),
    Row::of::<tags::ListTags<kind::MfaDevice>>(),
    Row::of::<mfa::ListMfaDevices>(),
    Row::of::<tags::ListTags<kind::OidcProvider>>(),
    Row::of::<oidc::ListOidcProviders>(),
    Row::of::<policy::ListPolicies>(),
    Row::of::<tags::ListTags<kind::Policy>>(),
    Row::of::<policy::ListPolicyVersions>(),
    Row::of::<inline::ListInlinePolicies<kind::Role>>(),
    Row::of::<tags::ListTags<kind::Role>>(),
    Row::of::<list::List<kind::Role>>(),
    Row::of::<tags::ListTags<kind::SamlProvider>>(),
    Row::of::<saml::ListSamlProviders>(),
    Row::of::<inline::ListInlinePolicies<kind::User>>(),
    Row::of::<tags::ListTags<kind::User>>(),
    Row::of::<list::List<kind::User>>(),
    Row::of::<mfa::ListVirtualMfaDevices>(),
    Row::of::<inline::PutInlinePolicy<kind::Group>>(),
    Row::of::<boundary::PutPermissionsBoundary<kind::Role>>(),
    Row::of::<inline::PutInlinePolicy<kind::Role>>(),
    Row::of::<boundary::PutPermissionsBoundary<kind::User>>(),
    Row::of::<inline::PutInlinePolicy<kind::User>>(),
    Row::of::<oidc::RemoveClientId>(),
    Row::of::<instance_profile::RemoveRoleFromInstanceProfile>(),
    Row::of::<group::RemoveUserFromGroup>(),
    Row::of::<mfa::ResyncMfaDevice>(),
    Row::of::<policy::SetDefaultPolicyVersion>(),
    Row::of::<simulate::SimulateCustomPolicy>(),
    Row::of::<simulate::SimulatePrincipalPolicy>(),
    Row::of::<tags::Tag<kind::InstanceProfile>>(),
    Row::of::<tags::Tag<kind::MfaDevice>>(),
    Row::of::<tags::Tag<kind::OidcProvider>>(),
    Row::of::<tags::Tag<kind::Policy>>(),
    Row::of::<tags::Tag<kind::Role>>(),
    Row::of::<tags::Tag<kind::SamlProvider>>(),
    Row::of::<tags::Tag<kind::User>>(),
    Row::of::<tags::Untag<kind::InstanceProfile>>(),
    Row::of::<tags::Untag<kind::MfaDevice>>(),
    Row::of::<tags::Untag<kind::OidcProvider>>(),
    Row::of::<tags::Untag<kind::Policy>>(),
    Row::of::<tags::Untag<kind::Role>>(),
    Row::of::<tags::Untag<kind::SamlProvider>>(),
    Row::of::<tags::Untag<kind::User>>(),
    Row::of::<access_key::UpdateAccessKey>(),
    Row::of::<password_policy::UpdatePasswordPolicy>(),
    Row::of::<role::UpdateAssumeRolePolicy>(),
    Row::of::<group::UpdateGroup>(),
    Row::of::<password::UpdateLoginProfile>(),
    Row::of::<oidc::UpdateThumbprints>(),
    Row::of::<role::UpdateRole>(),
    Row::of::<role::UpdateRoleDescription>(),
    Row::of::<saml::UpdateSamlProvider>(),
    Row::of::<user::UpdateUser>(),
];

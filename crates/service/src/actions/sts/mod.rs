//! The AWS Security Token Service, API version 2011-06-15.

pub(crate) mod assume_role;
mod assume_role_with_saml;
mod assume_role_with_web_identity;
pub(crate) mod chain;
mod claims;
mod decode_authorization_message;
mod get_access_key_info;
mod get_caller_identity;
mod get_federation_token;
mod get_scoped_credentials;
mod get_session_token;
mod get_web_identity_token;
pub(crate) mod issue;
mod mfa;
mod not_enabled;
pub(crate) mod vouched;

use crate::action::Row;

/// The table of STS.
pub(super) static ROWS: &[Row] = &[
    Row::of::<assume_role::AssumeRole>(),
    Row::of_unsigned::<assume_role_with_saml::AssumeRoleWithSaml>(),
    Row::of_unsigned::<assume_role_with_web_identity::AssumeRoleWithWebIdentity>(),
    Row::of::<decode_authorization_message::DecodeAuthorizationMessage>(),
    Row::of::<get_access_key_info::GetAccessKeyInfo>(),
    Row::of::<get_caller_identity::GetCallerIdentity>(),
    Row::of::<get_federation_token::GetFederationToken>(),
    Row::of::<get_scoped_credentials::GetScopedCredentials>(),
    Row::of::<get_session_token::GetSessionToken>(),
    Row::of::<get_web_identity_token::GetWebIdentityToken>(),
];

/// Operations of features that are switched off for every account.
pub(super) static NOT_ENABLED: &[Row] =
    &[Row::of::<not_enabled::AssumeRoot>(), Row::of::<not_enabled::GetDelegatedAccessToken>()];

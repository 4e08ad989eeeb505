//! Outbound web identity federation: whether others are told, in signed tokens, who the account's users and roles are.

mod disable;
mod enable;
mod info;

pub(super) use disable::DisableOutboundFederation;
pub(super) use enable::EnableOutboundFederation;
pub(super) use info::GetOutboundFederationInfo;

use std::sync::Arc;

use daypass_directory::{AccountView, WebIdentityIssuer};
use serde::Deserialize;

use crate::error::Error;

/// No parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The account's issuer, if it issues tokens.
fn enabled<'v>(account: &AccountView<'v>) -> Result<&'v Arc<WebIdentityIssuer>, Error> {
    account.web_identity_issuer().filter(|issuer| issuer.record.enabled).ok_or_else(disabled)
}

fn disabled() -> Error {
    Error::new("FeatureDisabled", "Outbound web identity federation is not enabled for this account.")
}

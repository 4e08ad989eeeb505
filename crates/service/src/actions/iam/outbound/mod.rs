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
use crate::house::Settings;

/// No parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Nothing {}

/// The account's issuer, if the account wants tokens.
fn enabled<'v>(account: &AccountView<'v>) -> Result<&'v Arc<WebIdentityIssuer>, Error> {
    account.web_identity_issuer().filter(|issuer| issuer.record.enabled).ok_or_else(disabled)
}

fn disabled() -> Error {
    Error::new("FeatureDisabled", "Outbound web identity federation is not enabled for this account.")
}

/// Why a server issues no tokens, whatever accounts want: whoever is to verify one must find its issuer, and nobody else must
/// be able to stand in for it.
fn unsafe_issuer(settings: &Settings) -> Option<Error> {
    let message = match settings.issuer_base {
        None => {
            "This server has no public URL, so that nobody could verify its tokens: its operator sets one with --public-url."
        }
        Some(_) if !settings.issuer_is_safe() => {
            "The public URL of this server is not https, so that whoever is between it and a verifier could speak for everybody here: its operator gives --public-url an https URL."
        }
        Some(_) => return None,
    };
    Some(Error::invalid_input(message))
}

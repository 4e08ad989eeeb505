//! What is said of a token or an assertion that is refused: to whoever brings it a sentence, and to who keeps the provider,
//! in the log and the audit, for which provider that was. Nothing here is from what was refused.

use daypass_directory::Operation;
use daypass_model::AccountId;

use crate::audit::Rations;
use crate::error::{Error, ProviderAsked};
use crate::house::House;

/// Lines of the log about what is refused: anybody can have something refused.
pub struct Refusals(Rations);

impl Default for Refusals {
    fn default() -> Self {
        Self(Rations::new("too many refusals by identity providers: the log counts some of them"))
    }
}

/// The provider that was asked to vouch: its name in trust policies, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) account: Option<AccountId>,
}

/// The same error, told to who keeps the provider. `detail` is what the caller is not told.
pub(super) fn refused(
    house: &House,
    op: &Operation,
    asked: Asked<'_>,
    error: Error,
    detail: Option<&str>,
) -> Error {
    // What is decided again is not refused yet.
    if error.is_conflict() {
        return error;
    }
    if let Some(not_logged) = house.refusals.0.take(asked.name, op.source_ip, house.now().as_second()) {
        let not_logged = (not_logged > 0).then_some(not_logged);
        let (provider, code, told) = (asked.name, error.code, error.message.as_str());
        tracing::info!(
            provider,
            code,
            told,
            detail,
            not_logged,
            "an identity provider does not vouch for a caller"
        );
    }
    error.of_provider(ProviderAsked {
        name: asked.name.to_owned(),
        account: asked.account,
        is_alarm: false,
        verified: Vec::new(),
    })
}

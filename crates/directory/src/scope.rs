//! What an action sees of all that is known: its caller, and the caller's own account.
//!
//! INVARIANT (account-isolation): an action gets a [`Scope`], and a scope opens one account, that of the verified
//! caller it was made for. What leads out of it are eighteen doors of the [`View`], each with its reason there:
//! [`trusting_role`](View::trusting_role), [`id_of`](View::id_of), [`arn_of`](View::arn_of),
//! [`is_account`](View::is_account), [`oidc_provider_of`](View::oidc_provider_of), [`saml_provider`](View::saml_provider),
//! [`saml_providers_of_entity`](View::saml_providers_of_entity), [`saml_provider_by_uuid`](View::saml_provider_by_uuid),
//! [`console_session`](View::console_session), [`account_of_key`](View::account_of_key), [`is_revoked`](View::is_revoked),
//! [`has_principal`](View::has_principal), [`is_web_identity_issuer`](View::is_web_identity_issuer),
//! [`account_of_alias`](View::account_of_alias), [`user_signing_in`](View::user_signing_in), [`is_alias_taken`](View::is_alias_taken),
//! [`instance`](View::instance) and [`trust_anchor`](View::trust_anchor). A request that CheckRequest
//! verifies brings a caller of its own, of whatever account: that principal is seen, and what
//! [`decide`](crate::decide) says of it. A service that an account runs ([`of_service`](Scope::of_service)) asks for a role of any
//! account, and gets what the role's trust policy gives it; and whoever holds credentials that a call just issued
//! ([`of_issued`](Scope::of_issued)) asks for another role as any caller would.

use std::sync::Arc;

use daypass_model::{AccessKeyId, AccountId};
use jiff::Timestamp;

use crate::account::Account;
use crate::account_view::AccountView;
use crate::check::Check;
use crate::credential::{Caller, Credential};
use crate::principal::{NoPrincipal, Principal};
use crate::record::{AccessKeyPointer, KeyOwner};
use crate::view::View;
use crate::vouched::Vouched;

/// A caller in the view that its call is decided on.
#[derive(Clone)]
pub struct Scope {
    view: Arc<View>,
    account: Arc<Account>,
    principal: Arc<Principal>,
    mfa_given: bool,
    region: Arc<str>,
}

impl Scope {
    /// Who a verified `caller` is in this view, at this moment, and its account.
    ///
    /// # Errors
    /// [`NoPrincipal`].
    pub fn resolve(view: Arc<View>, caller: Caller, now: Timestamp) -> Result<Self, NoPrincipal> {
        let principal = Arc::new(Principal::resolve(&view, caller, now)?);
        let account = view.open_account(principal.account).ok_or(NoPrincipal::Gone)?.clone();
        Ok(Self { view, account, principal, mfa_given: false, region: Arc::from("") })
    }

    /// The same for a call that was signed for a region.
    #[must_use]
    pub fn in_region(self, region: &str) -> Self {
        Self { region: Arc::from(region), ..self }
    }

    /// The region that the call was signed for; empty where no signature says so.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Who calls.
    #[must_use]
    pub fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }

    /// The caller's account.
    #[must_use]
    pub fn account(&self) -> AccountView<'_> {
        AccountView { id: self.principal.account, account: &self.account }
    }

    /// Whether a one-time code came with the call and proved good; see [`Scope::prove_mfa`], which alone says so.
    #[must_use]
    pub fn mfa_given(&self) -> bool {
        self.mfa_given
    }

    pub(crate) fn with_mfa(self) -> Self {
        Self { mfa_given: true, ..self }
    }

    /// A service that the caller speaks for, as whoever asks for a role of an account: in the same view. What it may is what trust
    /// policies say; nothing else of that account is told to it.
    ///
    /// # Errors
    /// [`NoPrincipal::Gone`], if there is no such account, or it is closed.
    pub fn of_service(
        &self,
        account: AccountId,
        vouched: Vouched,
        now: Timestamp,
    ) -> Result<Self, NoPrincipal> {
        Self::resolve(self.view.clone(), Caller::vouched(account, vouched), now)
    }

    /// Whoever holds credentials that this call just issued, as the caller of another one: in the same view, and for the same region.
    ///
    /// # Errors
    /// [`NoPrincipal`].
    pub fn of_issued(&self, credential: Credential, now: Timestamp) -> Result<Self, NoPrincipal> {
        let scope = Self::resolve(self.view.clone(), credential.caller, now)?;
        Ok(scope.in_region(&self.region))
    }

    /// A check on a resource of the caller's account.
    #[must_use]
    pub fn check(&self, action: impl Into<String>, resource: impl Into<String>) -> Check {
        Check::new(action, resource, self.principal.account)
    }

    /// The view, for what belongs to no account and for the doors between accounts.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Whose long-term key of this account this is. Another account's key is as unknown as none.
    #[must_use]
    pub fn key_owner(&self, id: &AccessKeyId) -> Option<&KeyOwner> {
        self.key_pointer(id)?.owner.as_ref()
    }

    /// The record that says so, also of a key of this account that was deleted.
    #[must_use]
    pub fn key_pointer(&self, id: &AccessKeyId) -> Option<&AccessKeyPointer> {
        self.view.key_owner(id).filter(|pointer| pointer.account == self.principal.account)
    }
}

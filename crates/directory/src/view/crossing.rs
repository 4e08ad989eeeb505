//! The doors that lead out of an account, each with its reason: what somebody without an account asks, and what one account may
//! know of another. [`Scope`](crate::Scope) lists them all (INVARIANT (account-isolation)).

use std::sync::Arc;

use daypass_model::{AccessKeyId, AccountId, Arn, UniqueId};

use super::View;
use crate::account_view::TrustingRole;
use crate::entity::{LoginProfile, OidcProvider, SamlProvider, User};
use crate::record::SamlProviderRecord;

impl View {
    /// The role of any account that a caller names by ARN in order to assume it. May lead to another account
    /// because nothing comes of it that the role's own trust policy does not allow.
    #[must_use]
    pub fn trusting_role(&self, arn: &Arn) -> Option<TrustingRole<'_>> {
        let account = self.account(arn.account_id()?)?;
        let name = arn.resource_parts().filter(|(kind, _)| *kind == "role")?.1.rsplit('/').next()?;
        // Names ignore case on lookup, ARNs do not: the ARN must be the stored one to the letter.
        let role = account.role(name).filter(|role| role.arn == arn.as_str())?;
        Some(TrustingRole { role, account })
    }

    /// The present ARN of a user or role by its unique id: how policies that name principals are read back. May
    /// lead to another account because whoever wrote the policy named that user or role, by its ARN or its id: no
    /// more is told than what it is called today.
    #[must_use]
    pub fn arn_of(&self, id: &str) -> Option<String> {
        let id = UniqueId::from(id.to_owned());
        let account = self.account(*self.homes.get(&id)?)?;
        let user = account.user_by_id(&id).map(|user| user.arn.clone());
        user.or_else(|| account.role_by_id(&id).map(|role| role.arn.clone()))
    }

    /// The unique id of the user or role that an ARN names now: what policies that name principals keep. May
    /// lead to another account because such a policy lets others in, and AWS refuses to write one for somebody
    /// who does not exist. It tells that much of a name that the caller knows, on AWS and here.
    #[must_use]
    pub fn id_of(&self, arn: &Arn) -> Option<UniqueId> {
        let account = self.account(arn.account_id()?)?;
        let (kind, rest) = arn.resource_parts()?;
        let name = rest.rsplit('/').next()?;
        match kind {
            "user" => {
                account.user(name).filter(|user| user.arn == arn.as_str()).map(|user| user.record.id.clone())
            }
            "role" => {
                account.role(name).filter(|role| role.arn == arn.as_str()).map(|role| role.record.id.clone())
            }
            _ => None,
        }
    }

    /// The OpenID Connect provider of an account whose tokens name this issuer. May lead into any account because whoever
    /// brings a token names a role of that account, and has no account to begin with: AWS too tells them whether it has
    /// such a provider.
    #[must_use]
    pub fn oidc_provider_of(&self, account: AccountId, issuer: &str) -> Option<&Arc<OidcProvider>> {
        self.account(account)?.oidc_provider_of(issuer)
    }

    /// A SAML provider by its exact ARN. May lead into any account because whoever brings an assertion has no account to begin
    /// with, and names the provider: AWS too tells them whether there is one.
    #[must_use]
    pub fn saml_provider(&self, arn: &Arn) -> Option<&Arc<SamlProvider>> {
        self.account(arn.account_id()?)?.saml_provider(arn.as_str())
    }

    /// The SAML providers whose metadata is this entity's. May lead into any account because a browser that comes from an
    /// identity provider names none: whose assertion it is shows when it verifies.
    pub fn saml_providers_of_entity(&self, entity_id: &str) -> impl Iterator<Item = &Arc<SamlProvider>> {
        let all = self
            .accounts
            .keys()
            .filter_map(|id| self.account(*id))
            .flat_map(|account| account.saml_providers());
        all.filter(move |provider| provider.metadata.entity_id() == entity_id)
    }

    /// The SAML provider with this `SAMLProviderUUID`. May lead into any account because it is part of an address that the
    /// provider's own account gave to an identity provider.
    #[must_use]
    pub fn saml_provider_by_uuid(&self, uuid: &str) -> Option<&Arc<SamlProvider>> {
        let id = SamlProviderRecord::id_of_uuid(uuid)?;
        self.accounts.keys().find_map(|account| self.account(*account)?.saml_provider_by_id(&id))
    }

    /// Whether the user, role or root that a session of this account names is there: by its unique id, or the number of
    /// the account. May lead to another account because it is asked about sessions that a caller's own session asked
    /// for there: whoever holds one hears the same by using it.
    #[must_use]
    pub fn has_principal(&self, account: AccountId, id: &str) -> bool {
        let Some(view) = self.account(account) else { return false };
        let unique = UniqueId::from(id.to_owned());
        id == account.as_str() || view.user_by_id(&unique).is_some() || view.role_by_id(&unique).is_some()
    }

    /// Whether an open account's tokens are, or were, issued under this UUID. May lead into any account because whoever
    /// is to verify a token has none: it tells that there is such an issuer, as each of its tokens does.
    #[must_use]
    pub fn is_web_identity_issuer(&self, uuid: &str) -> bool {
        self.web_identity_issuers.get(uuid).is_some_and(|account| self.is_account(*account))
    }

    /// The account that is called so. May lead into any account because whoever signs in or switches to a role says by it which
    /// one is meant; nothing comes of it that a password of that account, or a role's trust in them, does not open.
    #[must_use]
    pub fn account_of_alias(&self, alias: &str) -> Option<AccountId> {
        self.aliases.get(alias).copied().filter(|account| self.is_account(*account))
    }

    /// The user of this name in an account, and its password. May lead into any account because whoever signs in has none
    /// before; nothing comes of it that the password does not open.
    #[must_use]
    pub fn user_signing_in(
        &self,
        account: AccountId,
        name: &str,
    ) -> Option<(&Arc<User>, Option<&Arc<LoginProfile>>)> {
        let account = self.account(account)?;
        let user = account.user(name)?;
        Some((user, account.login_profile(&user.record.id)))
    }

    /// Whether an account, open or closed, is called so. May lead into any account because an alias is one account's only: AWS
    /// too tells whoever wants one that it is somebody's. Those of closed accounts stay taken, or others could stand where
    /// people look for them.
    #[must_use]
    pub fn is_alias_taken(&self, alias: &str) -> bool {
        self.aliases.contains_key(alias)
    }

    /// Whether there is such an account: a policy that lets one in is refused for one that is nobody's, as on AWS.
    /// Account numbers are no secret.
    #[must_use]
    pub fn is_account(&self, id: AccountId) -> bool {
        self.open_account(id).is_some()
    }

    /// The account of a long-term key, deleted ones included, for GetAccessKeyInfo: the number of any account is
    /// told to whoever has one of its access key ids, in which AWS writes it for everybody to read.
    #[must_use]
    pub fn account_of_key(&self, id: &AccessKeyId) -> Option<AccountId> {
        self.key_owner(id).map(|pointer| pointer.account)
    }
}

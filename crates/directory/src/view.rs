//! The whole state in memory: an immutable snapshot that readers take without locking.
//!
//! A new [`View`] shares everything but what changed with the one before it (persistent maps), so a
//! commit costs the record it touched and a reader keeps a consistent picture for its whole call
//! (INVARIANT (one-snapshot)). Indexes are derived from the entity records alone; the name and link
//! records in the store are there for guards.

mod crossing;

use std::sync::Arc;

use daypass_authn::oidc::IssuerKeys;
use daypass_authn::token::{Keyring, KeyringKeys};
use daypass_model::{AccessKeyId, AccountId, EntityKind, SessionId, UniqueId};
use daypass_store::{Record, Revision};
use rpds::HashTrieMapSync;
use serde::de::DeserializeOwned;

use crate::account::Account;
use crate::account_view::AccountView;
use crate::change::Entity as _;
use crate::console::ConsoleSession;
use crate::entity::{
    AccountAlias, Compiler, InstanceProfile, OidcProvider, PasswordPolicy, Unreadable, WebIdentityIssuer,
};
use crate::key::{self, Named};
use crate::master::MasterKeys;
use crate::record::{
    AccessKeyPointer, InstanceProfileRecord, KeyringRecord, OidcProviderRecord, WebIdentityIssuerRecord,
};
use crate::revocation::{Revoked, SessionRules};
use crate::service_role::ServiceRoleDeletions;

/// An immutable picture of everything known, at one revision of the store.
#[derive(Clone)]
pub struct View {
    revision: Revision,
    accounts: HashTrieMapSync<AccountId, Arc<Account>>,
    key_owners: HashTrieMapSync<AccessKeyId, AccessKeyPointer>,
    /// The account of every user and role, by its unique id.
    homes: HashTrieMapSync<UniqueId, AccountId>,
    /// The account of every issuer of tokens, by its UUID.
    web_identity_issuers: HashTrieMapSync<String, AccountId>,
    /// The account of every alias, those of closed accounts too.
    aliases: HashTrieMapSync<String, AccountId>,
    keyring: Arc<Keyring>,
    web_identity_keys: Option<Arc<IssuerKeys>>,
    session_rules: SessionRules,
}

/// Every account, for whoever runs the server: its first start, its command line, tests of the whole. No action
/// comes here (`cargo xtask tidy` looks): its caller has one account, which its [`Scope`](crate::Scope) opens.
#[derive(Clone, Copy)]
pub struct Operator<'v>(&'v View);

impl<'v> Operator<'v> {
    /// An open account.
    #[must_use]
    pub fn account(self, id: AccountId) -> Option<AccountView<'v>> {
        self.0.account(id)
    }

    /// Whether this was an account and is none any more.
    #[must_use]
    pub fn is_closed(self, id: AccountId) -> bool {
        self.0.accounts.get(&id).is_some_and(|account| account.root.is_some() && !account.is_open())
    }

    /// Whose long-term key this is: `None` for an id that never was, a pointer without an owner for a deleted key.
    #[must_use]
    pub fn key_owner(self, id: &AccessKeyId) -> Option<&'v AccessKeyPointer> {
        self.0.key_owner(id)
    }
}

impl View {
    /// Nothing known yet but the keyring and the rules.
    pub(crate) fn empty(keyring: Arc<Keyring>, session_rules: SessionRules) -> Self {
        Self {
            revision: Revision::default(),
            accounts: HashTrieMapSync::new_sync(),
            key_owners: HashTrieMapSync::new_sync(),
            homes: HashTrieMapSync::new_sync(),
            web_identity_issuers: HashTrieMapSync::new_sync(),
            aliases: HashTrieMapSync::new_sync(),
            keyring,
            web_identity_keys: None,
            session_rules,
        }
    }

    /// The revision of the store this is a picture of.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The keys that seal tokens.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The keys that tokens of GetWebIdentityToken are signed with: of all accounts, once one has an issuer.
    #[must_use]
    pub fn web_identity_keys(&self) -> Option<&Arc<IssuerKeys>> {
        self.web_identity_keys.as_ref()
    }

    /// See [`Operator`].
    #[must_use]
    pub fn operator(&self) -> Operator<'_> {
        Operator(self)
    }

    /// An open account.
    pub(crate) fn account(&self, id: AccountId) -> Option<AccountView<'_>> {
        self.open_account(id).map(|account| AccountView { id, account })
    }

    /// An account, open or not.
    pub(crate) fn raw_account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id)
    }

    /// What sessions depend on.
    pub(crate) fn session_rules(&self) -> SessionRules {
        self.session_rules
    }

    pub(crate) fn open_account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id).filter(|account| account.is_open())
    }

    /// The number of every open account, in order.
    #[must_use]
    pub fn account_ids(&self) -> Vec<AccountId> {
        let mut ids: Vec<_> =
            self.accounts.iter().filter(|(_, account)| account.is_open()).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// Whose long-term key this is; `None` for an id that never was, without owner for a deleted key.
    pub(crate) fn key_owner(&self, id: &AccessKeyId) -> Option<&AccessKeyPointer> {
        self.key_owners.get(id)
    }

    /// The picture after a commit.
    pub(crate) fn apply(
        &self,
        compiler: &Compiler,
        revision: Revision,
        puts: &[Record],
        deletes: &[Arc<str>],
    ) -> Result<Self, Unreadable> {
        let mut next = self.clone();
        next.revision = revision;
        for deleted in deletes {
            next.delete(deleted);
        }
        for record in puts {
            next.put(compiler, record)?;
        }
        Ok(next)
    }

    /// Replace the keyring, once its record has been opened.
    pub(crate) fn with_keyring(mut self, keyring: Arc<Keyring>) -> Self {
        self.keyring = keyring;
        self
    }

    fn put(&mut self, compiler: &Compiler, record: &Record) -> Result<(), Unreadable> {
        let revision = record.revision;
        match key::parse(&record.key) {
            Named::Account(id) => {
                let root = compiler.account(read(record)?, revision)?;
                self.edit(id, |account| account.root = Some(Arc::new(root)));
            }
            Named::AccessKey(id) => {
                let id = id.parse().map_err(|_| unreadable(record, "its key names no access key id"))?;
                self.key_owners.insert_mut(id, read::<AccessKeyPointer>(record)?);
            }
            Named::Entity(id, kind, _) => self.put_entity(compiler, id, kind, record)?,
            Named::ResourcePolicy(id, hash) => {
                let policy = compiler.resource(read(record)?, revision)?;
                // Of two records for one resource only one would count, and nobody could tell which.
                if key::resource_policy(id, &policy.record.arn) != *record.key {
                    return Err(unreadable(record, "it is not the record of the ARN in it"));
                }
                self.edit(id, |account| account.put_resource_policy(hash, policy));
            }
            Named::WebIdentityKeys => {
                self.web_identity_keys = Some(Arc::new(compiler.web_identity_keys(&read(record)?)?));
            }
            Named::WebIdentityIssuer(id) => {
                let issuer = WebIdentityIssuer { record: read::<WebIdentityIssuerRecord>(record)?, revision };
                self.web_identity_issuers.insert_mut(issuer.record.uuid.clone(), id);
                self.edit(id, |account| account.web_identity_issuer = Some(Arc::new(issuer)));
            }
            Named::LoginProfile(id, user) => {
                let user = UniqueId::from(user.to_owned());
                let profile = Arc::new(compiler.login_profile(id, &user, read(record)?, revision)?);
                self.edit(id, |account| account.login_profiles.insert_mut(user, profile));
            }
            Named::PasswordPolicy(id) => {
                let policy = Arc::new(PasswordPolicy { record: read(record)?, revision });
                self.edit(id, |account| account.password_policy = Some(policy));
            }
            Named::ServiceRoleDeletions(id) => {
                let done = Arc::new(ServiceRoleDeletions { record: read(record)?, revision });
                self.edit(id, |account| account.service_role_deletions = Some(done));
            }
            Named::AccountAlias(id) => self.put_alias(id, AccountAlias { record: read(record)?, revision }),
            Named::RevokedSession(id, session) => {
                let session = session.parse();
                let session = session.map_err(|_| unreadable(record, "its key names no session"))?;
                let revoked = Arc::new(Revoked { record: read(record)?, revision });
                self.edit(id, |account| account.revoked_sessions.insert_mut(session, revoked));
            }
            Named::RevokedPrincipal(id, principal) => {
                let principal = principal.to_owned();
                let revoked = Arc::new(Revoked { record: read(record)?, revision });
                self.edit(id, |account| account.revoked_principals.insert_mut(principal, revoked));
            }
            Named::ConsoleSession(id, session) => {
                let session = session.parse();
                let session = session.map_err(|_| unreadable(record, "its key names no session"))?;
                let kept = Arc::new(ConsoleSession { record: read(record)?, revision });
                self.edit(id, |account| account.console_sessions.insert_mut(session, kept));
            }
            Named::Anywhere(id, kind, _) => {
                let mut outcome = Ok(());
                self.edit(id, |account| outcome = account.anywhere.put(id, kind, record));
                outcome?;
            }
            Named::Instance(..) | Named::Task(..) => self.put_machine(record)?,
            Named::PodCluster(..) | Named::PodAssociation(..) => self.put_pods(record)?,
            Named::Keyring | Named::Used(..) | Named::Derived => {}
        }
        Ok(())
    }

    fn put_alias(&mut self, id: AccountId, alias: AccountAlias) {
        self.delete_alias(id);
        self.aliases.insert_mut(alias.record.alias.clone(), id);
        self.edit(id, |account| account.alias = Some(Arc::new(alias)));
    }

    fn delete_alias(&mut self, id: AccountId) {
        let Some(alias) = self.accounts.get(&id).and_then(|account| account.alias.clone()) else { return };
        // Somebody else may be called so since.
        if self.aliases.get(&alias.record.alias) == Some(&id) {
            self.aliases.remove_mut(&alias.record.alias);
        }
        self.edit(id, |account| account.alias = None);
    }

    fn put_entity(
        &mut self,
        compiler: &Compiler,
        id: AccountId,
        kind: EntityKind,
        record: &Record,
    ) -> Result<(), Unreadable> {
        let revision = record.revision;
        match kind {
            EntityKind::User => {
                let user = compiler.user(id, read(record)?, revision)?;
                self.homes.insert_mut(user.record.id.clone(), id);
                self.edit(id, |account| account.put_user(user));
            }
            EntityKind::Group => {
                let group = compiler.group(id, read(record)?, revision)?;
                self.edit(id, |account| account.put_group(group));
            }
            EntityKind::Role => {
                let role = compiler.role(id, read(record)?, revision)?;
                self.homes.insert_mut(role.record.id.clone(), id);
                self.edit(id, |account| account.put_role(role));
            }
            EntityKind::Policy => {
                let policy = compiler.policy(id, read(record)?, revision)?;
                self.edit(id, |account| account.put_policy(policy));
            }
            EntityKind::MfaDevice => {
                let device = compiler.mfa_device(id, read(record)?, revision)?;
                self.edit(id, |account| account.put_mfa_device(device));
            }
            EntityKind::InstanceProfile => {
                let record: InstanceProfileRecord = read(record)?;
                let profile = InstanceProfile { account: id, arn: record.arn(id), record, revision };
                self.edit(id, |account| account.put_instance_profile(profile));
            }
            EntityKind::OidcProvider => {
                let record: OidcProviderRecord = read(record)?;
                let provider = OidcProvider { account: id, arn: record.arn(id), record, revision };
                self.edit(id, |account| account.put_oidc_provider(provider));
            }
            EntityKind::SamlProvider => {
                let provider = compiler.saml_provider(id, read(record)?, revision)?;
                self.edit(id, |account| account.put_saml_provider(provider));
            }
        }
        Ok(())
    }

    fn delete(&mut self, key: &str) {
        match key::parse(key) {
            Named::Account(id) => {
                self.accounts.remove_mut(&id);
            }
            Named::AccessKey(id) => {
                if let Ok(id) = id.parse() {
                    self.key_owners.remove_mut(&id);
                }
            }
            Named::Entity(account, kind, id) => {
                let id = UniqueId::from(id.to_owned());
                self.homes.remove_mut(&id);
                self.edit(account, |account| account.delete(kind, &id));
            }
            Named::ResourcePolicy(account, hash) => {
                self.edit(account, |account| account.delete_resource_policy(hash));
            }
            Named::WebIdentityKeys => self.web_identity_keys = None,
            Named::WebIdentityIssuer(account) => {
                let gone =
                    self.accounts.get(&account).and_then(|account| account.web_identity_issuer.clone());
                if let Some(issuer) = gone {
                    self.web_identity_issuers.remove_mut(&issuer.record.uuid);
                    self.edit(account, |account| account.web_identity_issuer = None);
                }
            }
            Named::LoginProfile(account, user) => {
                let user = UniqueId::from(user.to_owned());
                self.edit(account, |account| _ = account.login_profiles.remove_mut(&user));
            }
            Named::PasswordPolicy(account) => self.edit(account, |account| account.password_policy = None),
            Named::ServiceRoleDeletions(account) => {
                self.edit(account, |account| account.service_role_deletions = None);
            }
            Named::AccountAlias(account) => self.delete_alias(account),
            Named::RevokedSession(account, id) => {
                if let Ok(id) = id.parse() {
                    self.edit(account, |account| _ = account.revoked_sessions.remove_mut::<SessionId>(&id));
                }
            }
            Named::RevokedPrincipal(account, id) => {
                self.edit(account, |account| _ = account.revoked_principals.remove_mut(id));
            }
            Named::ConsoleSession(account, id) => {
                if let Ok(id) = id.parse() {
                    self.edit(account, |account| _ = account.console_sessions.remove_mut::<SessionId>(&id));
                }
            }
            Named::Anywhere(account, kind, id) => {
                self.edit(account, |account| account.anywhere.delete(kind, id));
            }
            Named::Instance(..) | Named::Task(..) => self.delete_machine(key),
            Named::PodCluster(..) | Named::PodAssociation(..) => self.delete_pods(key),
            Named::Keyring | Named::Used(..) | Named::Derived => {}
        }
    }

    pub(crate) fn edit(&mut self, id: AccountId, change: impl FnOnce(&mut Account)) {
        let mut account = self.accounts.get(&id).map(|account| Account::clone(account)).unwrap_or_default();
        change(&mut account);
        self.accounts.insert_mut(id, Arc::new(account));
    }
}

/// Parse a record.
pub(crate) fn read<T: DeserializeOwned>(record: &Record) -> Result<T, Unreadable> {
    serde_json::from_slice(&record.value).map_err(|error| unreadable(record, &error))
}

pub(crate) fn unreadable(record: &Record, why: &(impl ToString + ?Sized)) -> Unreadable {
    Unreadable { key: record.key.to_string(), why: why.to_string() }
}

/// Open the keyring's record.
pub(crate) fn keyring(record: &Record, master: &MasterKeys) -> Result<Keyring, Unreadable> {
    let stored: KeyringRecord = read(record)?;
    let closed = || unreadable(record, "it does not open with this master key");
    let plain = master.open(key::KEYRING, &stored.sealed).map_err(|_| closed())?;
    let keys = KeyringKeys::from_text(&plain).map_err(|_| closed())?;
    Keyring::new(keys).map_err(|_| closed())
}

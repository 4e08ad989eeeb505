//! Records as the rest of daypass reads them: parsed, opened and compiled once, when they arrive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use daypass_authn::oidc::IssuerKeys;
use daypass_authn::password::PasswordHash;
use daypass_authn::saml::{DecryptionKey, Metadata};
use daypass_authn::totp::Seed;
use daypass_model::{AccessKeyId, AccountId, EntityKind, Secret, UniqueId};
use daypass_policy::{Named, Policy};
use daypass_store::Revision;
use sha2::{Digest, Sha256};

use crate::change::Entity;
use crate::key;
use crate::master::MasterKeys;
use crate::record::{
    AccessKeyRecord, AccountAliasRecord, AccountRecord, GroupRecord, InlinePolicy, InstanceProfileRecord,
    LoginProfileRecord, MfaDeviceRecord, OidcProviderRecord, PasswordPolicyRecord, PolicyRecord,
    ResourcePolicyRecord, RoleRecord, SamlPrivateKeyRecord, SamlProviderRecord, UserRecord,
    WebIdentityIssuerRecord, WebIdentityKeysRecord,
};

/// A policy and what it is called in decisions, where no two that take part in one have the same name: the ARN of a
/// managed policy, the name of an inline one, behind that of its group where it is a group's (`dev/keep`; no name holds a
/// slash), or the place of its layer in a session (`session policy 1`). What an account's password
/// policy gives its users is called `account password policy`.
#[derive(Debug, Clone)]
pub struct NamedPolicy {
    /// That name.
    pub id: Arc<str>,
    /// Compiled.
    pub policy: Arc<Policy>,
}

impl NamedPolicy {
    pub(crate) fn named(&self) -> Named<'_> {
        Named { id: &self.id, policy: &self.policy }
    }
}

/// A long-term access key, ready to verify with.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: AccessKeyId,
    /// The secret access key.
    pub secret: Secret,
    /// Whether it may be used.
    pub active: bool,
}

/// An account and its root user.
#[derive(Debug)]
pub struct AccountEntity {
    /// As stored.
    pub record: AccountRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// Root's access keys.
    pub root_keys: Vec<AccessKey>,
}

/// A user.
#[derive(Debug)]
pub struct User {
    /// The account it is in.
    pub account: AccountId,
    /// As stored.
    pub record: UserRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// `arn:aws:iam::<account>:user<path><name>`
    pub arn: String,
    /// Its access keys.
    pub keys: Vec<AccessKey>,
    /// Its inline policies, compiled.
    pub inline: Vec<NamedPolicy>,
}

/// A group.
#[derive(Debug)]
pub struct Group {
    /// The account it is in.
    pub account: AccountId,
    /// As stored.
    pub record: GroupRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// `arn:aws:iam::<account>:group<path><name>`
    pub arn: String,
    /// Its inline policies, compiled.
    pub inline: Vec<NamedPolicy>,
}

/// A role.
#[derive(Debug)]
pub struct Role {
    /// The account it is in.
    pub account: AccountId,
    /// As stored.
    pub record: RoleRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// `arn:aws:iam::<account>:role<path><name>`
    pub arn: String,
    /// The trust policy, compiled.
    pub trust: Arc<Policy>,
    /// Its inline policies, compiled.
    pub inline: Vec<NamedPolicy>,
}

/// A customer managed policy.
#[derive(Debug)]
pub struct ManagedPolicy {
    /// The account it is in.
    pub account: AccountId,
    /// As stored.
    pub record: PolicyRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// `arn:aws:iam::<account>:policy<path><name>`
    pub arn: Arc<str>,
    /// The default version, compiled.
    pub default: Arc<Policy>,
}

/// A virtual MFA device.
#[derive(Debug)]
pub struct MfaDevice {
    /// The account it is in.
    pub account: AccountId,
    /// As stored.
    pub record: MfaDeviceRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// Its serial number, `arn:aws:iam::<account>:mfa<path><name>`.
    pub arn: String,
    /// What its codes are made from.
    pub seed: Seed,
}

/// A provider of OpenID Connect tokens.
#[derive(Debug)]
pub struct OidcProvider {
    /// The account it is in.
    pub account: AccountId,
    /// As stored.
    pub record: OidcProviderRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// `arn:aws:iam::<account>:oidc-provider/<url>`
    pub arn: String,
}

/// An identity provider that sends SAML assertions.
#[derive(Debug)]
pub struct SamlProvider {
    /// The account it is in.
    pub account: AccountId,
    /// As stored.
    pub record: SamlProviderRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// `arn:aws:iam::<account>:saml-provider/<name>`
    pub arn: String,
    /// Whom it is, and what it signs with.
    pub metadata: Metadata,
    /// What assertions are encrypted to, the newest first.
    pub keys: Arc<[DecryptionKey]>,
}

impl SamlProvider {
    /// The private keys with their ids, the newest first.
    pub fn private_keys(&self) -> impl Iterator<Item = (&str, &DecryptionKey)> {
        self.record.private_keys.iter().rev().map(|key| key.id.as_str()).zip(self.keys.iter())
    }
}

/// The role that programs on a machine get, under a name that machines are given.
#[derive(Debug)]
pub struct InstanceProfile {
    /// The account it is in.
    pub account: AccountId,
    /// As stored.
    pub record: InstanceProfileRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// `arn:aws:iam::<account>:instance-profile<path><name>`
    pub arn: String,
}

/// As whom an account's tokens are issued.
#[derive(Debug)]
pub struct WebIdentityIssuer {
    /// As stored.
    pub record: WebIdentityIssuerRecord,
    /// When the record was last written.
    pub revision: Revision,
}

/// The password of a user.
#[derive(Debug)]
pub struct LoginProfile {
    /// As stored.
    pub record: LoginProfileRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// What is kept of the password.
    pub hash: PasswordHash,
    /// The same of those before, the oldest first.
    pub earlier: Vec<PasswordHash>,
}

/// What passwords of an account must be like.
#[derive(Debug)]
pub struct PasswordPolicy {
    /// As stored.
    pub record: PasswordPolicyRecord,
    /// When the record was last written.
    pub revision: Revision,
}

/// The other name of an account.
#[derive(Debug)]
pub struct AccountAlias {
    /// As stored.
    pub record: AccountAliasRecord,
    /// When the record was last written.
    pub revision: Revision,
}

/// The policy of a resource behind daypass.
#[derive(Debug)]
pub struct ResourcePolicy {
    /// As stored.
    pub record: ResourcePolicyRecord,
    /// When the record was last written.
    pub revision: Revision,
    /// Compiled.
    pub policy: Arc<Policy>,
}

/// Turns records into entities. Identical documents share one compiled copy.
pub(crate) struct Compiler {
    master: Arc<MasterKeys>,
    shared: Mutex<Shared>,
}

/// Compiled policies by the SHA-256 of their documents, for as long as somebody uses them.
struct Shared {
    policies: HashMap<[u8; 32], Weak<Policy>>,
    /// At this size the dead are cleared away. Twice what lived then, so that this costs little for each insertion.
    clear_at: usize,
}

/// A record that this daypass cannot read: the store was changed by other hands, or the master key is another.
#[derive(Debug, thiserror::Error)]
#[error("record `{key}` cannot be read: {why}")]
pub struct Unreadable {
    /// The record.
    pub key: String,
    /// What is wrong with it, without its content.
    pub why: String,
}

impl Compiler {
    pub(crate) fn new(master: Arc<MasterKeys>) -> Self {
        let shared = Shared { policies: HashMap::new(), clear_at: CLEAR_AT_MIN };
        Self { master, shared: Mutex::new(shared) }
    }

    pub(crate) fn account(
        &self,
        record: AccountRecord,
        revision: Revision,
    ) -> Result<AccountEntity, Unreadable> {
        let root_keys = self.keys(&record.root_keys)?;
        Ok(AccountEntity { record, revision, root_keys })
    }

    pub(crate) fn user(
        &self,
        account: AccountId,
        record: UserRecord,
        revision: Revision,
    ) -> Result<User, Unreadable> {
        let arn = record.arn(account);
        let (keys, inline) = (self.keys(&record.access_keys)?, self.inline(&arn, &record.inline)?);
        Ok(User { account, record, revision, arn, keys, inline })
    }

    pub(crate) fn group(
        &self,
        account: AccountId,
        record: GroupRecord,
        revision: Revision,
    ) -> Result<Group, Unreadable> {
        let arn = record.arn(account);
        let mut inline = self.inline(&arn, &record.inline)?;
        for policy in &mut inline {
            policy.id = format!("{}/{}", record.name, policy.id).into();
        }
        Ok(Group { account, record, revision, arn, inline })
    }

    pub(crate) fn role(
        &self,
        account: AccountId,
        record: RoleRecord,
        revision: Revision,
    ) -> Result<Role, Unreadable> {
        let arn = record.arn(account);
        let (trust, inline) = (self.compile(&arn, &record.trust)?, self.inline(&arn, &record.inline)?);
        Ok(Role { account, record, revision, arn, trust, inline })
    }

    pub(crate) fn policy(
        &self,
        account: AccountId,
        record: PolicyRecord,
        revision: Revision,
    ) -> Result<ManagedPolicy, Unreadable> {
        let arn: Arc<str> = record.arn(account).into();
        let default = record.versions.iter().find(|version| version.number == record.default_version);
        let default = self.compile(&arn, default.map_or("", |version| &version.document))?;
        Ok(ManagedPolicy { account, record, revision, arn, default })
    }

    pub(crate) fn mfa_device(
        &self,
        account: AccountId,
        record: MfaDeviceRecord,
        revision: Revision,
    ) -> Result<MfaDevice, Unreadable> {
        let place = key::entity(account, EntityKind::MfaDevice, &record.id);
        let seed = self.master.open(&place, &record.sealed_seed).ok();
        match seed.and_then(|seed| Seed::from_base32(&seed).ok()) {
            Some(seed) => Ok(MfaDevice { account, arn: record.arn(account), record, revision, seed }),
            None => Err(Unreadable { key: place, why: "its seed does not open with this master key".into() }),
        }
    }

    pub(crate) fn saml_provider(
        &self,
        account: AccountId,
        record: SamlProviderRecord,
        revision: Revision,
    ) -> Result<SamlProvider, Unreadable> {
        let place = key::entity(account, EntityKind::SamlProvider, &record.id);
        let unreadable = |why: &str| Unreadable { key: place.clone(), why: why.to_owned() };
        let metadata = Metadata::parse(&record.metadata).map_err(|_| unreadable("its metadata is none"))?;
        let open = |key: &SamlPrivateKeyRecord| {
            let pem = self.master.open(&key::saml_private_key(&place, &key.id), &key.sealed_pem).ok();
            let read = |pem: Secret| DecryptionKey::from_pem(std::str::from_utf8(pem.expose()).ok()?).ok();
            pem.and_then(read).ok_or_else(|| unreadable("a private key does not open with this master key"))
        };
        let keys = record.private_keys.iter().rev().map(open).collect::<Result<_, _>>()?;
        Ok(SamlProvider { account, arn: record.arn(account), metadata, keys, record, revision })
    }

    pub(crate) fn login_profile(
        &self,
        account: AccountId,
        user: &UniqueId,
        record: LoginProfileRecord,
        revision: Revision,
    ) -> Result<LoginProfile, Unreadable> {
        let place = key::login_profile(account, user);
        let open = |bound_to: &str, sealed: &str| {
            let text = self.master.open(bound_to, sealed).ok();
            let why = "the hash of a password does not open with this master key";
            text.and_then(|text| PasswordHash::from_text(text).ok())
                .ok_or_else(|| Unreadable { key: place.clone(), why: why.into() })
        };
        let hash = open(&place, &record.sealed_hash)?;
        let bound_to = key::earlier_passwords(&place);
        let earlier = record.earlier.iter().map(|earlier| open(&bound_to, &earlier.sealed_hash));
        let earlier = earlier.collect::<Result<_, _>>()?;
        Ok(LoginProfile { record, revision, hash, earlier })
    }

    /// The keys of tokens, opened.
    pub(crate) fn web_identity_keys(&self, record: &WebIdentityKeysRecord) -> Result<IssuerKeys, Unreadable> {
        let place = key::WEB_IDENTITY_KEYS;
        let closed = || Unreadable { key: place.into(), why: "it does not open with this master key".into() };
        let plain = self.master.open(place, &record.sealed).map_err(|_| closed())?;
        IssuerKeys::from_text(&plain)
            .map_err(|error| Unreadable { key: place.into(), why: error.to_string() })
    }

    pub(crate) fn resource(
        &self,
        record: ResourcePolicyRecord,
        revision: Revision,
    ) -> Result<ResourcePolicy, Unreadable> {
        let policy = self.compile(&record.arn, &record.document)?;
        Ok(ResourcePolicy { record, revision, policy })
    }

    /// Parse and compile, or hand out the copy that an identical document already has.
    pub(crate) fn compile(&self, owner: &str, document: &str) -> Result<Arc<Policy>, Unreadable> {
        let hash: [u8; 32] = Sha256::digest(document).into();
        if let Some(policy) = self.shared().get(&hash) {
            return Ok(policy);
        }
        // Not under the lock: requests whose session policies are being opened wait for it.
        let policy = Policy::parse(document)
            .map_err(|malformed| Unreadable { key: owner.to_owned(), why: format!("policy: {malformed}") })?;
        Ok(self.shared().keep(hash, policy))
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inline(&self, owner: &str, policies: &[InlinePolicy]) -> Result<Vec<NamedPolicy>, Unreadable> {
        let compile = |inline: &InlinePolicy| {
            Ok(NamedPolicy {
                id: inline.name.as_str().into(),
                policy: self.compile(owner, &inline.document)?,
            })
        };
        policies.iter().map(compile).collect()
    }

    fn keys(&self, keys: &[AccessKeyRecord]) -> Result<Vec<AccessKey>, Unreadable> {
        let open = |record: &AccessKeyRecord| {
            let place = key::access_key(&record.id);
            match self.master.open(&place, &record.sealed_secret) {
                Ok(secret) => Ok(AccessKey { id: record.id.clone(), secret, active: record.active }),
                Err(_) => Err(Unreadable {
                    key: place,
                    why: "its secret does not open with this master key".into(),
                }),
            }
        };
        keys.iter().map(open).collect()
    }
}

/// Below this many policies nothing is cleared away.
const CLEAR_AT_MIN: usize = 1024;

impl Shared {
    fn get(&self, hash: &[u8; 32]) -> Option<Arc<Policy>> {
        self.policies.get(hash).and_then(Weak::upgrade)
    }

    /// The policy to share: somebody else may have compiled the same meanwhile.
    fn keep(&mut self, hash: [u8; 32], policy: Policy) -> Arc<Policy> {
        if let Some(policy) = self.get(&hash) {
            return policy;
        }
        if self.policies.len() >= self.clear_at {
            self.policies.retain(|_, weak| weak.strong_count() > 0);
            self.clear_at = (2 * self.policies.len()).max(CLEAR_AT_MIN);
        }
        let policy = Arc::new(policy);
        self.policies.insert(hash, Arc::downgrade(&policy));
        policy
    }
}

#[cfg(test)]
mod tests {
    use daypass_authn::token::MasterKey;
    use daypass_model::SeededRandom;

    use super::*;

    #[test]
    fn identical_documents_share_one_policy_and_what_nobody_uses_is_cleared_away() {
        let compiler =
            Compiler::new(Arc::new(MasterKeys::new(MasterKey::generate(&SeededRandom::new(1)), None)));
        let document = |n: usize| {
            format!(r#"{{"Statement":{{"Sid":"S{n}","Effect":"Deny","Action":"*","Resource":"*"}}}}"#)
        };
        let kept: Vec<_> = (0..10).map(|n| compiler.compile("test", &document(n)).unwrap()).collect();
        for n in 10..10 * CLEAR_AT_MIN {
            drop(compiler.compile("test", &document(n)).unwrap());
        }
        assert!(compiler.shared().policies.len() <= CLEAR_AT_MIN);
        for (n, policy) in kept.iter().enumerate() {
            assert!(Arc::ptr_eq(policy, &compiler.compile("test", &document(n)).unwrap()));
        }
    }
}

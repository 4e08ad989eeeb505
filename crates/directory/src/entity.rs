//! Records as the rest of daypass reads them: parsed, opened and compiled once, when they arrive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use daypass_authn::token::MasterKey;
use daypass_model::{AccessKeyId, AccountId, Secret};
use daypass_policy::Policy;
use daypass_store::Revision;
use sha2::{Digest, Sha256};

use crate::key;
use crate::record::{
    AccessKeyRecord, AccountRecord, GroupRecord, InlinePolicy, PolicyRecord, ResourcePolicyRecord,
    RoleRecord, UserRecord,
};

/// A policy and what it is called in decisions: the name of an inline policy, the ARN of a managed one.
#[derive(Debug, Clone)]
pub struct NamedPolicy {
    /// Name or ARN.
    pub id: Arc<str>,
    /// Compiled.
    pub policy: Arc<Policy>,
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

impl ManagedPolicy {
    /// The text of the default version.
    #[must_use]
    pub fn default_document(&self) -> &str {
        let default = self.record.default_version;
        self.record
            .versions
            .iter()
            .find(|version| version.number == default)
            .map_or("", |version| &version.document)
    }
}

/// Turns records into entities. Identical documents share one compiled copy.
pub(crate) struct Compiler {
    master: Arc<MasterKey>,
    shared: Mutex<HashMap<[u8; 32], Weak<Policy>>>,
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
    pub(crate) fn new(master: Arc<MasterKey>) -> Self {
        Self { master, shared: Mutex::new(HashMap::new()) }
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
        let arn = format!("arn:aws:iam::{account}:user{}{}", record.path, record.name);
        let (keys, inline) = (self.keys(&record.access_keys)?, self.inline(&arn, &record.inline)?);
        Ok(User { account, record, revision, arn, keys, inline })
    }

    pub(crate) fn group(
        &self,
        account: AccountId,
        record: GroupRecord,
        revision: Revision,
    ) -> Result<Group, Unreadable> {
        let arn = format!("arn:aws:iam::{account}:group{}{}", record.path, record.name);
        let inline = self.inline(&arn, &record.inline)?;
        Ok(Group { account, record, revision, arn, inline })
    }

    pub(crate) fn role(
        &self,
        account: AccountId,
        record: RoleRecord,
        revision: Revision,
    ) -> Result<Role, Unreadable> {
        let arn = format!("arn:aws:iam::{account}:role{}{}", record.path, record.name);
        let (trust, inline) = (self.compile(&arn, &record.trust)?, self.inline(&arn, &record.inline)?);
        Ok(Role { account, record, revision, arn, trust, inline })
    }

    pub(crate) fn policy(
        &self,
        account: AccountId,
        record: PolicyRecord,
        revision: Revision,
    ) -> Result<ManagedPolicy, Unreadable> {
        let arn: Arc<str> = format!("arn:aws:iam::{account}:policy{}{}", record.path, record.name).into();
        let default = record.versions.iter().find(|version| version.number == record.default_version);
        let default = self.compile(&arn, default.map_or("", |version| &version.document))?;
        Ok(ManagedPolicy { account, record, revision, arn, default })
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
        let mut shared = self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(policy) = shared.get(&hash).and_then(Weak::upgrade) {
            return Ok(policy);
        }
        let policy = Policy::parse(document)
            .map_err(|malformed| Unreadable { key: owner.to_owned(), why: format!("policy: {malformed}") })?;
        let policy = Arc::new(policy);
        if shared.len() >= 2 * shared.values().filter(|weak| weak.strong_count() > 0).count().max(512) {
            shared.retain(|_, weak| weak.strong_count() > 0);
        }
        shared.insert(hash, Arc::downgrade(&policy));
        Ok(policy)
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

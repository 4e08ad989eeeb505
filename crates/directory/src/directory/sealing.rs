//! New secrets, sealed for the records that they will stand in.

use data_encoding::{BASE32_NOPAD, BASE64};
use daypass_authn::password::PasswordHash;
use daypass_authn::token::BadSeal;
use daypass_authn::totp;
use daypass_model::limits::EARLIER_PASSWORDS_MAX;
use daypass_model::{AccessKeyId, AccessKeyKind, AccountId, EntityKind, Random, Secret, UniqueId};

use super::Directory;
use crate::entity::LoginProfile;
use crate::key;
use crate::record::{
    AccessKeyRecord, EarlierPasswordRecord, LoginProfileRecord, SamlPrivateKeyRecord, Unknown,
};

impl Directory {
    /// Seal a new long-term secret access key for its record.
    ///
    /// # Errors
    /// Never for keys of ours; see [`Directory::seal_access_key`].
    pub fn new_access_key(&self, account: AccountId, now: i64) -> Result<(AccessKeyRecord, Secret), BadSeal> {
        let id = AccessKeyId::generate(AccessKeyKind::LongTerm, account, &*self.random);
        let secret = new_secret_access_key(&*self.random);
        Ok((self.seal_access_key(id, &secret, now)?, secret))
    }

    /// A new seed in base32, and it sealed for the record of the MFA device `id`.
    ///
    /// # Errors
    /// Never for seeds of ours.
    pub fn new_mfa_seed(&self, account: AccountId, id: &UniqueId) -> Result<(String, Secret), BadSeal> {
        let seed = totp::new_seed(&*self.random);
        let place = key::entity(account, EntityKind::MfaDevice, id);
        Ok((self.master.seal(&place, seed.expose(), &*self.random)?, seed))
    }

    /// A private key of a SAML provider for its record, `id` being the provider's.
    ///
    /// # Errors
    /// Never for keys that calls may bring.
    pub fn new_saml_private_key(
        &self,
        account: AccountId,
        id: &UniqueId,
        pem: &Secret,
        now: i64,
    ) -> Result<SamlPrivateKeyRecord, BadSeal> {
        let mut bytes = [0; 15];
        self.random.fill(&mut bytes);
        let key_id = format!("SAMLPK{}", BASE32_NOPAD.encode(&bytes));
        let place = key::entity(account, EntityKind::SamlProvider, id);
        let place = key::saml_private_key(&place, &key_id);
        let sealed_pem = self.master.seal(&place, pem.expose(), &*self.random)?;
        Ok(SamlPrivateKeyRecord { id: key_id, created: now, sealed_pem, unknown: Unknown::new() })
    }

    /// The hash of a password for the login profile of a user.
    ///
    /// # Errors
    /// Never for hashes of ours.
    pub fn seal_password(
        &self,
        account: AccountId,
        user: &UniqueId,
        hash: &PasswordHash,
    ) -> Result<String, BadSeal> {
        let place = key::login_profile(account, user);
        self.master.seal(&place, hash.to_text().expose(), &*self.random)
    }

    /// What a login profile's record says once the password is another. The one before is remembered among the earlier ones.
    ///
    /// # Errors
    /// Never for hashes of ours.
    pub fn with_password(
        &self,
        account: AccountId,
        user: &UniqueId,
        profile: &LoginProfile,
        hash: &PasswordHash,
        now: i64,
    ) -> Result<LoginProfileRecord, BadSeal> {
        let mut record = profile.record.clone();
        let bound_to = key::earlier_passwords(&key::login_profile(account, user));
        let before = self.master.seal(&bound_to, profile.hash.to_text().expose(), &*self.random)?;
        record.earlier.push(EarlierPasswordRecord {
            sealed_hash: before,
            changed: record.changed,
            unknown: Unknown::new(),
        });
        let too_many = record.earlier.len().saturating_sub(EARLIER_PASSWORDS_MAX);
        record.earlier.drain(..too_many);
        record.sealed_hash = self.seal_password(account, user, hash)?;
        record.changed = now;
        // Whoever signed in with the one before may be whom this one is against.
        record.browsers.clear();
        record.browsers_with_code.clear();
        Ok(record)
    }

    /// Seal a given key, for root keys pinned by configuration.
    ///
    /// # Errors
    /// When the secret is too large to be opened again.
    pub fn seal_access_key(
        &self,
        id: AccessKeyId,
        secret: &Secret,
        now: i64,
    ) -> Result<AccessKeyRecord, BadSeal> {
        let sealed_secret = self.master.seal(&key::access_key(&id), secret.expose(), &*self.random)?;
        Ok(AccessKeyRecord { id, sealed_secret, active: true, created: now, unknown: Unknown::new() })
    }
}

/// 240 random bits in the 40 characters that secret access keys have, `[A-Za-z0-9+/]`.
fn new_secret_access_key(random: &dyn Random) -> Secret {
    let mut bytes = [0; 30];
    random.fill(&mut bytes);
    Secret::new(BASE64.encode(&bytes))
}

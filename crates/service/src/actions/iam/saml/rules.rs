//! What a SAML provider may be (AWS IAM API Reference, CreateSAMLProvider).

use daypass_authn::saml::{DecryptionKey, Metadata};
use daypass_directory::record::{AssertionEncryption, SamlPrivateKeyRecord, SamlProviderRecord};
use daypass_model::limits::{SAML_METADATA_BYTES_MAX, SAML_PRIVATE_KEY_BITS_MAX, SAML_PRIVATE_KEYS_MAX};
use daypass_model::{AccountId, Secret, UniqueId};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use crate::actions::iam::rules;
use crate::error::Error;
use crate::house::House;

/// How long metadata counts that does not say it.
const YEARS_VALID: i32 = 100;

const NO_PRIVATE_KEY: &str =
    "Invalid private key: not one RSA private key of 2,048 to 4,096 bits, unencrypted, in PEM";

/// Metadata that describes one identity provider.
pub(super) fn metadata(text: &str) -> Result<Metadata, Error> {
    rules::within("SAMLMetadataBytesPerProvider", text.len(), SAML_METADATA_BYTES_MAX)?;
    Metadata::parse(text).map_err(|error| Error::invalid_input(format!("{error}: {}", error.reason())))
}

/// A private key for the record of the provider `id`, which has the others.
pub(super) fn private_key(
    house: &House,
    account: AccountId,
    id: &UniqueId,
    others: &[&DecryptionKey],
    pem: String,
    now: i64,
) -> Result<SamlPrivateKeyRecord, Error> {
    rules::within("PrivateKeysPerSAMLProvider", others.len() + 1, SAML_PRIVATE_KEYS_MAX)?;
    let pem = Secret::new(pem);
    let text = std::str::from_utf8(pem.expose()).unwrap_or_default();
    // Longer ones that were stored once are still read.
    let key = DecryptionKey::from_pem(text).ok().filter(|key| key.bits() <= SAML_PRIVATE_KEY_BITS_MAX);
    let key = key.ok_or_else(|| Error::invalid_input(NO_PRIVATE_KEY))?;
    if others.iter().any(|other| other.is_same(&key)) {
        return Err(Error::invalid_input("Invalid private key: the provider has it already"));
    }
    house
        .directory
        .new_saml_private_key(account, id, &pem, now)
        .map_err(|_| Error::internal("a private key could not be sealed"))
}

/// `AssertionEncryptionMode`, as the public model lets it through.
pub(super) fn encryption(mode: Option<&str>) -> Option<AssertionEncryption> {
    match mode? {
        "Required" => Some(AssertionEncryption::Required),
        _ => Some(AssertionEncryption::Allowed),
    }
}

/// Whether a provider is whole: it has a private key where only one opens what comes.
pub(super) fn check(record: &SamlProviderRecord) -> Result<(), Error> {
    if record.encryption == Some(AssertionEncryption::Required) && record.private_keys.is_empty() {
        let message = "Assertion encryption cannot be required of a provider without a private key.";
        return Err(Error::invalid_input(message));
    }
    Ok(())
}

/// `ValidUntil`, in Unix seconds: when the metadata says, or a hundred years after it came.
pub(super) fn valid_until(metadata: &Metadata, since: i64) -> i64 {
    metadata.valid_until().map_or_else(|| after_years(since), Timestamp::as_second)
}

fn after_years(since: i64) -> i64 {
    let since = Offset::UTC.to_datetime(Timestamp::from_second(since).unwrap_or_default());
    let end = Offset::UTC.to_timestamp(since.saturating_add(YEARS_VALID.years()));
    end.unwrap_or(Timestamp::MAX).as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_does_not_say_ends_after_a_hundred_years() {
        let seconds = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        assert_eq!(after_years(seconds("2026-01-15T12:00:00Z")), seconds("2126-01-15T12:00:00Z"));
        assert_eq!(after_years(seconds("2096-02-29T00:00:00Z")), seconds("2196-02-29T00:00:00Z"));
        assert_eq!(after_years(seconds("2000-02-29T00:00:00Z")), seconds("2100-02-28T00:00:00Z"));
    }
}

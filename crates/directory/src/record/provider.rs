//! Records of identity providers, and of the one that this server is itself.

use daypass_model::{EntityKind, TagSet, UniqueId};
use serde::{Deserialize, Serialize};

use super::{Unknown, Written, is_false};

/// `/<account>/oidc-provider/<id>`: a provider of OpenID Connect tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OidcProviderRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `AOIP…`; a provider made again at the same URL is the same to whoever trusts it, but its keys are fetched anew.
    pub id: UniqueId,
    /// Its issuer, without the scheme.
    pub url: String,
    /// Whether the issuer's scheme is `http`, which only the operator's list of insecure issuers allows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub plain_http: bool,
    /// Unix seconds.
    pub created: i64,
    /// Audiences whose tokens count.
    #[serde(default)]
    pub client_ids: Vec<String>,
    /// SHA-1 of certificates, in lower-case hex, that may vouch for its keys' server.
    #[serde(default)]
    pub thumbprints: Vec<String>,
    /// Further algorithms of its tokens, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    /// Claims that are condition keys, by name or dotted path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub condition_claims: Vec<String>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl OidcProviderRecord {
    /// What its tokens say as `iss`.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}://{}", if self.plain_http { "http" } else { "https" }, self.url)
    }
}

/// `/<account>/saml-provider/<id>`: an identity provider that sends SAML assertions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SamlProviderRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `ASSP…`; a provider made again under the same name is the same to whoever trusts it.
    pub id: UniqueId,
    /// The name as it was given.
    pub name: String,
    /// Unix seconds.
    pub created: i64,
    /// Its metadata, as it was given.
    pub metadata: String,
    /// Unix seconds; when the metadata came.
    pub metadata_since: i64,
    /// How its assertions come, where that was said.
    #[serde(default)]
    pub encryption: Option<AssertionEncryption>,
    /// Private keys that assertions are encrypted to, the oldest first.
    #[serde(default)]
    pub private_keys: Vec<SamlPrivateKeyRecord>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What every `SAMLProviderUUID` begins with.
const SAML_UUID: &str = "SAMLSP";

impl SamlProviderRecord {
    /// `SAMLProviderUUID`, which is part of the address for encrypted assertions.
    #[must_use]
    pub fn uuid(&self) -> String {
        let id = self.id.as_str();
        format!("{SAML_UUID}{}", id.strip_prefix(EntityKind::SamlProvider.prefix()).unwrap_or(id))
    }

    /// The id that a UUID is of.
    pub(crate) fn id_of_uuid(uuid: &str) -> Option<UniqueId> {
        let rest = uuid.strip_prefix(SAML_UUID)?;
        Some(UniqueId::from(format!("{}{rest}", EntityKind::SamlProvider.prefix())))
    }
}

/// `AssertionEncryptionMode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssertionEncryption {
    /// Encrypted or not.
    Allowed,
    /// Never without.
    Required,
}

/// A private key of a SAML provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SamlPrivateKeyRecord {
    /// `KeyId`
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// The key in PEM, sealed with the master key and bound to this key of this provider.
    pub sealed_pem: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/web-identity-keys`: the keys that tokens of GetWebIdentityToken are signed with, sealed with the master key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebIdentityKeysRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// The serialised keys, sealed and bound to `/web-identity-keys`.
    pub sealed: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/web-identity-issuer`: as whom the account's tokens are issued.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebIdentityIssuerRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// What tells the account's issuer from others; drawn once, and never given up.
    pub uuid: String,
    /// Unix seconds.
    pub created: i64,
    /// Whether tokens are issued.
    pub enabled: bool,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

//! What a provider says of itself (OpenID Connect Discovery 1.0, section 4).

use serde_json::Value;

use super::json;

/// Longest discovery document that is read, in bytes.
pub const DISCOVERY_BYTES_MAX: usize = 128 * 1024;

/// The part of a discovery document that a verifier needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// `jwks_uri`: where the keys are.
    pub key_set_url: String,
}

/// A text that is no discovery document of this issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDiscovery {
    /// No JSON object with an issuer and a place of its keys.
    #[error("no discovery document")]
    Form,
    /// It is another issuer's.
    #[error("the discovery document is of another issuer")]
    Issuer,
}

impl Discovery {
    /// Read the document of an issuer.
    ///
    /// # Errors
    /// [`NoDiscovery`].
    pub fn parse(text: &[u8], issuer: &str) -> Result<Discovery, NoDiscovery> {
        let document = Some(text).filter(|text| text.len() <= DISCOVERY_BYTES_MAX).and_then(json::object);
        let document = document.ok_or(NoDiscovery::Form)?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).ok_or(NoDiscovery::Form);
        if text("issuer")? != issuer {
            return Err(NoDiscovery::Issuer);
        }
        let key_set_url = Some(text("jwks_uri")?).filter(|url| !url.is_empty()).ok_or(NoDiscovery::Form)?;
        Ok(Discovery { key_set_url: key_set_url.to_owned() })
    }
}

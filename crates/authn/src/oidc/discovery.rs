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

/// The part that a client needs that signs people in by the authorization code flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInEndpoints {
    /// `authorization_endpoint`: where browsers are sent.
    pub authorization_url: String,
    /// `token_endpoint`: where a code is exchanged.
    pub token_url: String,
    /// Whether a client's secret goes into the body of the exchange, for want of HTTP Basic (section 3,
    /// `token_endpoint_auth_methods_supported`, whose default is Basic).
    pub secret_in_body: bool,
    /// Whether the provider names itself when it sends a browser back (RFC 9207, section 3).
    pub names_itself: bool,
}

impl SignInEndpoints {
    /// Read the document of an issuer.
    ///
    /// # Errors
    /// [`NoDiscovery`].
    pub fn parse(text: &[u8], issuer: &str) -> Result<Self, NoDiscovery> {
        let document = Some(text).filter(|text| text.len() <= DISCOVERY_BYTES_MAX).and_then(json::object);
        let document = document.ok_or(NoDiscovery::Form)?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).ok_or(NoDiscovery::Form);
        if text("issuer")? != issuer {
            return Err(NoDiscovery::Issuer);
        }
        let methods = document.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let takes = |method: &str| {
            methods.is_some_and(|methods| methods.iter().any(|known| known.as_str() == Some(method)))
        };
        let names_itself = document.get("authorization_response_iss_parameter_supported");
        Ok(Self {
            authorization_url: text("authorization_endpoint")?.to_owned(),
            token_url: text("token_endpoint")?.to_owned(),
            secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
            names_itself: names_itself == Some(&Value::Bool(true)),
        })
    }
}

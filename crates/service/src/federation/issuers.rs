//! Providers that need no registration, and what the operator allows of others.

/// Providers that AWS knows without an IAM provider, by the name that trust policies have for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    /// `accounts.google.com`
    Google,
    /// `cognito-identity.amazonaws.com`
    Cognito,
}

impl BuiltIn {
    /// Whose token says that it is from this issuer.
    pub(crate) fn of_issuer(issuer: &str) -> Option<BuiltIn> {
        match issuer {
            "https://accounts.google.com" | "accounts.google.com" => Some(BuiltIn::Google),
            "https://cognito-identity.amazonaws.com" => Some(BuiltIn::Cognito),
            _ => None,
        }
    }

    /// As trust policies name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            BuiltIn::Google => "accounts.google.com",
            BuiltIn::Cognito => "cognito-identity.amazonaws.com",
        }
    }

    /// The issuer of its discovery document.
    #[must_use]
    pub const fn issuer(self) -> &'static str {
        match self {
            BuiltIn::Google => "https://accounts.google.com",
            BuiltIn::Cognito => "https://cognito-identity.amazonaws.com",
        }
    }
}

/// The operator's choices about issuers.
#[derive(Debug, Clone, Default)]
pub struct Issuers {
    /// Issuers that may use plain HTTP, a port and an address of a private network.
    pub insecure: Vec<String>,
    /// Where Google's discovery document is, if not at its issuer.
    pub google_discovery_url: Option<String>,
    /// Where that of Cognito's identity pools is, if not at its issuer.
    pub cognito_discovery_url: Option<String>,
    /// Where Login with Amazon tells of its access tokens; `None`: none of them is taken.
    pub amazon_token_info_url: Option<String>,
    /// Facebook's Graph API, which tells of its access tokens at `/app` and `/me`; `None`: none of them is taken.
    pub facebook_graph_url: Option<String>,
}

impl Issuers {
    /// Whether the operator lists an issuer as insecure.
    #[must_use]
    pub fn is_insecure(&self, issuer: &str) -> bool {
        self.insecure.iter().any(|listed| listed == issuer)
    }

    pub(super) fn discovery_url_of(&self, built_in: BuiltIn) -> String {
        let configured = match built_in {
            BuiltIn::Google => &self.google_discovery_url,
            BuiltIn::Cognito => &self.cognito_discovery_url,
        };
        configured.clone().unwrap_or_else(|| discovery_url(built_in.issuer()))
    }
}

/// Where an issuer's discovery document is (OpenID Connect Discovery 1.0, section 4.1).
#[must_use]
pub fn discovery_url(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

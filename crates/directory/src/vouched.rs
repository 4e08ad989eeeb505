//! Somebody without credentials for whom an identity provider vouches, by a token or an assertion that was verified; and a
//! service, which its own name vouches for.
//!
//! It asks for a role once, and is nobody before and after: what it becomes is a session of that role.

use daypass_model::{AccountId, Tag};

use crate::anywhere::ByCertificate;
use crate::context::Value;
use crate::credential::{Caller, Proof};

/// By what somebody is vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VouchedBy {
    /// A token: AssumeRoleWithWebIdentity.
    WebIdentity,
    /// An assertion: AssumeRoleWithSAML.
    Saml(Assertion),
    /// This house itself: a service asks, of its own or one that the operator registered.
    Service,
}

/// What only an assertion says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Its id, the issuer's choice.
    pub id: String,
    /// Its issuer.
    pub issuer: String,
    /// When it was issued, in Unix seconds.
    pub issued_at: i64,
    /// The kind of the subject's name, as AWS writes it: `persistent`, ….
    pub subject_type: String,
    /// What makes the subject unique, see [`name_qualifier`](daypass_authn::saml::name_qualifier).
    pub name_qualifier: String,
    /// The name of the session.
    pub session_name: String,
    /// Whether its issuer wants it to count once.
    pub one_time_use: bool,
    /// How long a session of the console is to be, in seconds.
    pub session_seconds: Option<i64>,
    /// When the session ends at the latest, in Unix seconds.
    pub ends_by: Option<i64>,
}

/// What tells one token of a provider from its others, as far as it says so. An assertion has an id of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenNames {
    /// `jti`
    pub id: Option<String>,
    /// `kid`
    pub key_id: Option<String>,
    /// `iat`, in Unix seconds.
    pub issued_at: Option<i64>,
}

/// Whom a provider vouches for, and what it says of them; or which service asks, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// By what.
    pub by: VouchedBy,
    /// The provider, as trust policies name it: its ARN, or the bare name of one that is built in. Of a service its name,
    /// `ec2.amazonaws.com`.
    pub provider: String,
    /// Whether the account registered the provider; built-in ones belong to nobody.
    pub is_registered: bool,
    /// Who it is, in the provider's words; of a service nothing.
    pub subject: String,
    /// For whom the provider said so; of a service nothing.
    pub audience: String,
    /// What tells its token from others.
    pub token: TokenNames,
    /// What trust policies may ask of it.
    pub keys: Vec<(String, Value)>,
    /// What of that stays with the session: context keys and their values.
    pub kept: Vec<(String, Vec<String>)>,
    /// Session tags that the provider passes.
    pub tags: Vec<Tag>,
    /// Which of them the next session in a chain inherits.
    pub transitive_tag_keys: Vec<String>,
    /// The source identity that the provider sets.
    pub source_identity: Option<String>,
    /// Of whoever comes with a certificate, for whom Roles Anywhere asks.
    pub by_certificate: Option<ByCertificate>,
}

impl Vouched {
    /// What the assertion says that vouches, if one does.
    #[must_use]
    pub fn assertion(&self) -> Option<&Assertion> {
        match &self.by {
            VouchedBy::Saml(assertion) => Some(assertion),
            VouchedBy::WebIdentity | VouchedBy::Service => None,
        }
    }

    /// A service that asks for a role, with nothing said beside its name. What policies may ask (`aws:SourceArn`), what stays
    /// with the session, its tags and its source identity are the caller's to add, who must know each to be so.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self {
            by: VouchedBy::Service,
            provider: name.to_owned(),
            is_registered: false,
            subject: String::new(),
            audience: String::new(),
            token: TokenNames::default(),
            keys: Vec::new(),
            kept: Vec::new(),
            tags: Vec::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
            by_certificate: None,
        }
    }

    /// The name of the service that asks, if one does.
    #[must_use]
    pub fn service_name(&self) -> Option<&str> {
        matches!(self.by, VouchedBy::Service).then_some(self.provider.as_str())
    }
}

impl Caller {
    /// Whoever is vouched for, and asks for a role of this account.
    #[must_use]
    pub fn vouched(account: AccountId, vouched: Vouched) -> Self {
        Self { access_key_id: None, account, proof: Proof::Vouched(vouched.into()) }
    }
}

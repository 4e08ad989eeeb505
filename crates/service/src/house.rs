//! What every call finds in place: the directory, the audit, the action table, the settings.

use std::sync::Arc;

use daypass_authn::sigv4::{
    AuthError, Presented, SigningKeyCache, presented, presented_by_certificate, presented_or_version_2,
};
use daypass_directory::{Directory, Operation, SpentByCall};
use daypass_model::Authority;
use jiff::Timestamp;

use crate::action::Row;
use crate::actions;
use crate::audit::Audit;
use crate::decisions::DecisionLog;
use crate::doors::SignIn;
use crate::error::Error;
use crate::federation::{Assertions, Issuers, ProviderKeys, Refusals, SamlSettings};
use crate::params::echo_name;
use crate::passwords::Passwords;
use crate::request::Request;
use crate::services::Services;
use crate::sessions::SessionLog;
use crate::shapes;

/// One running daypass, without its sockets.
pub struct House {
    /// What is known.
    pub directory: Arc<Directory>,
    /// Where events go.
    pub audit: Audit,
    /// What the operator chose.
    pub settings: Settings,
    /// Which sessions were issued, as far as this server knows.
    pub session_log: SessionLog,
    /// Derived signing keys, bounded.
    pub signing_keys: SigningKeyCache,
    /// Keys of identity providers.
    pub provider_keys: ProviderKeys,
    /// What SAML assertions take of the house.
    pub assertions: Assertions,
    /// What passwords take of the house.
    pub passwords: Passwords,
    /// What is told of tokens and assertions that are refused.
    pub refusals: Refusals,
    /// What was decided lately, for those who ask why.
    pub decisions: DecisionLog,
}

/// The operator's choices that calls depend on.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What requests to daypass itself must be signed for; none: any host.
    pub public_authority: Option<Authority>,
    /// Header names that a proxy in front adds after signing: tolerated unsigned, without any meaning.
    pub tolerated_unsigned_headers: Vec<String>,
    /// Whether the Query API of STS and IAM takes Signature Version 2.
    pub allow_signature_v2: bool,
    /// What is allowed of issuers of tokens.
    pub issuers: Issuers,
    /// How SAML assertions are taken.
    pub saml: SamlSettings,
    /// Where everybody reaches this server, `https://sts.example.com`: what the issuers of its tokens begin with; none: it
    /// issues none.
    pub issuer_base: Option<String>,
    /// How people sign in.
    pub sign_in: SignIn,
    /// Which accounts run services.
    pub services: Services,
    /// The region of this server's STS; none: requests to it may be signed for any.
    pub sts_region: Option<String>,
}

/// Below the public URL, the issuers of the accounts' tokens.
pub(crate) const WEB_IDENTITY_PATH: &str = "/web-identity";
/// The region that clients are told to sign for, unless STS has one: any will do.
pub const REGION_DEFAULT: &str = "us-east-1";
/// The host of AWS's global STS endpoint, where it leads here.
const STS_GLOBAL_HOST: &str = "sts.amazonaws.com";
/// The region that it is signed for ("Manage AWS STS in an AWS Region" in the IAM User Guide).
const STS_GLOBAL_REGION: &str = "us-east-1";
/// What it does not offer (AWS STS API Reference, of each of these).
const STS_REGIONAL_ONLY: [&str; 3] = ["AssumeRoot", "GetScopedCredentials", "GetWebIdentityToken"];

/// The region that clients are told to sign for, of a server with this region of STS and this public URL.
#[must_use]
pub fn region_for_clients<'r>(sts_region: Option<&'r str>, public: Option<&Authority>) -> &'r str {
    let is_global = public.is_some_and(|public| public.host() == STS_GLOBAL_HOST);
    if is_global { STS_GLOBAL_REGION } else { sts_region.unwrap_or(REGION_DEFAULT) }
}

impl Settings {
    /// The region that a request must be signed for; `None`: any.
    pub(crate) fn region_of(&self, request: &Request) -> Option<&str> {
        let region = self.sts_region.as_deref().filter(|_| request.service == "sts")?;
        Some(if is_for_global_sts(request) { STS_GLOBAL_REGION } else { region })
    }

    /// Where identity providers send SAML responses for this server, where its public URL is known.
    pub(crate) fn saml_endpoint(&self) -> Option<String> {
        Some(format!("{}/saml", self.public_authority.as_ref()?.url()))
    }

    /// The issuer of an account's tokens.
    pub(crate) fn web_identity_issuer(&self, uuid: &str) -> Option<String> {
        Some(format!("{}{WEB_IDENTITY_PATH}/{uuid}", self.issuer_base.as_ref()?))
    }

    /// Whether nobody on the way to the documents of our issuers can change them: https (OpenID Connect Discovery 1.0, section
    /// 3), or this machine alone.
    pub(crate) fn issuer_is_safe(&self) -> bool {
        let authority = self.issuer_base.as_ref().and_then(|base| base.parse::<Authority>().ok());
        authority.is_some_and(|authority| authority.is_https() || authority.is_loopback())
    }

    /// Whether a token that says it is from this issuer says that it is one of ours.
    pub(crate) fn is_own_issuer(&self, issuer: &str) -> bool {
        let path = self.issuer_base.as_ref().and_then(|base| issuer.strip_prefix(base.as_str()));
        path.and_then(|path| path.strip_prefix(WEB_IDENTITY_PATH)).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether the endpoint that a request is for has its operation, where endpoints are told apart.
    fn offers(&self, request: &Request) -> bool {
        self.sts_region.is_none()
            || request.service != "sts"
            || !is_for_global_sts(request)
            || !STS_REGIONAL_ONLY.contains(&request.action.as_str())
    }
}

fn is_for_global_sts(request: &Request) -> bool {
    let host = request.header("host").and_then(|host| host.split(':').next());
    host.is_some_and(|host| host.eq_ignore_ascii_case(STS_GLOBAL_HOST))
}

impl House {
    /// What a request presents. Signature Version 2 belongs to the Query API of STS and IAM.
    pub(crate) fn presented(&self, request: &Request) -> Result<Presented, AuthError> {
        if actions::find(request.service, &request.action).is_some_and(|row| row.by_certificate) {
            return presented_by_certificate(&request.http);
        }
        let of_its_time = matches!(request.service, "sts" | "iam");
        if self.settings.allow_signature_v2 && of_its_time {
            presented_or_version_2(&request.http)
        } else {
            presented(&request.http)
        }
    }

    /// The facts of a call.
    pub(crate) fn operation(&self, request: &Request, presented: &Result<Presented, AuthError>) -> Operation {
        let (signed, region) = match presented {
            Ok(Presented::SigV4(proof)) => (true, proof.region()),
            Ok(Presented::Certificate(proof)) => (true, proof.region()),
            Ok(Presented::Version2(_)) => (true, ""),
            Ok(Presented::Nothing) | Err(_) => (false, ""),
        };
        // Where a proxy stands in front that is not asked, what the caller signed says it: an https URL's host.
        let public = self.settings.public_authority.as_ref().filter(|authority| authority.is_https());
        let for_https = public.zip(request.header("host")).is_some_and(|(public, host)| public.matches(host));
        Operation {
            request_id: request.id.clone(),
            now: self.now(),
            source_ip: request.source_ip,
            secure: Some(request.secure.unwrap_or(signed && for_https)),
            region: region.to_owned(),
            user_agent: request.header("user-agent").map(str::to_owned),
            referer: request.header("referer").map(str::to_owned),
            spent: SpentByCall::default(),
        }
    }

    /// The row of the action that a request names.
    pub(crate) fn find(&self, request: &Request) -> Result<&'static Row, Error> {
        let row = actions::find(request.service, &request.action);
        row.filter(|_| self.settings.offers(request)).ok_or_else(|| {
            if shapes::service(request.service).is_some_and(|service| service.rest) {
                return Error::new(
                    "InvalidAction",
                    "The method and path are those of no operation of this service.",
                );
            }
            let version = request.version.as_deref().unwrap_or("NO_VERSION_SPECIFIED");
            // AWS's word for a missing version is recorded; the one for a missing action is made after it.
            let action = if request.action.is_empty() { "NO_ACTION_SPECIFIED" } else { &request.action };
            // Nobody is asked yet who they are: a short answer to a long request.
            let (action, version) = (echo_name(action), echo_name(version));
            Error::new("InvalidAction", format!("Could not find operation {action} for version {version}"))
        })
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.directory.clock().now()
    }
}

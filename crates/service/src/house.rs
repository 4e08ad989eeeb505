//! What every call finds in place: the directory, the audit, the action table, the settings.

use std::sync::Arc;

use daypass_authn::sigv4::{AuthError, Presented, SigningKeyCache};
use daypass_directory::{Directory, Operation, SpentByCall};
use daypass_model::Authority;
use jiff::Timestamp;

use crate::action::Row;
use crate::actions;
use crate::audit::Audit;
use crate::decisions::DecisionLog;
use crate::error::Error;
use crate::params::echo_name;
use crate::request::Request;

/// One running daypass, without its sockets.
pub struct House {
    /// What is known.
    pub directory: Arc<Directory>,
    /// Where events go.
    pub audit: Audit,
    /// What the operator chose.
    pub settings: Settings,
    /// Derived signing keys, bounded.
    pub signing_keys: SigningKeyCache,
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
}

impl House {
    /// The facts of a call.
    pub(crate) fn operation(&self, request: &Request, presented: &Result<Presented, AuthError>) -> Operation {
        let signed = match presented {
            Ok(Presented::SigV4(proof)) => Some(proof),
            _ => None,
        };
        // Where a proxy stands in front that is not asked, what the caller signed says it: an https URL's host.
        let public = self.settings.public_authority.as_ref().filter(|authority| authority.is_https());
        let for_https = public.zip(request.header("host")).is_some_and(|(public, host)| public.matches(host));
        Operation {
            request_id: request.id.clone(),
            now: self.now(),
            source_ip: request.source_ip,
            secure: Some(request.secure.unwrap_or(signed.is_some() && for_https)),
            region: signed.map(|proof| proof.scope.region.clone()).unwrap_or_default(),
            user_agent: request.header("user-agent").map(str::to_owned),
            referer: request.header("referer").map(str::to_owned),
            spent: SpentByCall::default(),
        }
    }

    /// The row of the action that a request names.
    pub(crate) fn find(&self, request: &Request) -> Result<&'static Row, Error> {
        actions::find(request.service, &request.action).ok_or_else(|| {
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

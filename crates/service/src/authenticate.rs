//! Authenticate: from what a request presents to a verified [`Caller`].
//!
//! The order is AWS's: credential well formed, key known and active, session token good, then scope, time
//! and signature. Whether the session has expired is looked at afterwards, in resolve: an expired token with
//! a wrong signature is a wrong signature.

use daypass_authn::sigv4::{AuthError, Presented, Rules};
use daypass_directory::{BadCredential, Caller, NoPrincipal, Operation, View};

use crate::error::Error;
use crate::house::House;
use crate::request::Request;

pub(crate) fn authenticate(
    house: &House,
    op: &Operation,
    view: &View,
    request: &Request,
    presented: &Result<Presented, AuthError>,
) -> Result<Caller, Error> {
    let presented = presented.as_ref().map_err(Clone::clone)?;
    let (access_key_id, token) = presented.credential().ok_or(AuthError::MissingAuthenticationToken)?;
    signed_for_us(house, request)?;
    let credential = house.directory.credential(view, access_key_id, token)?;
    let tolerated: Vec<&str> = house.settings.tolerated_unsigned_headers.iter().map(String::as_str).collect();
    let region = house.settings.region_of(request);
    let rules = Rules { region, tolerated_unsigned: &tolerated, ..Rules::for_service(request.service) };
    match presented {
        Presented::SigV4(proof) => {
            house.signing_keys.verify(&request.http, proof, &rules, &credential.secret, op.now)?;
        }
        Presented::Version2(proof) => {
            proof.verify(&request.http, &tolerated, &credential.secret, op.now)?;
        }
        // Given only where a certificate is vouched for instead.
        Presented::Nothing | Presented::Certificate(_) => {
            return Err(AuthError::MissingAuthenticationToken.into());
        }
    }
    Ok(credential.caller)
}

/// With a public URL configured, a request signed for another host was meant for somebody else.
pub(crate) fn signed_for_us(house: &House, request: &Request) -> Result<(), Error> {
    let Some(authority) = &house.settings.public_authority else { return Ok(()) };
    match request.header("host") {
        Some(host) if authority.matches(host) => Ok(()),
        _ => Err(Error::new("SignatureDoesNotMatch", "The request was signed for another host.")),
    }
}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<BadCredential> for Error {
    fn from(cause: BadCredential) -> Self {
        tracing::debug!(%cause, "a credential was refused");
        Self::invalid_client_token()
    }
}

impl From<NoPrincipal> for Error {
    fn from(cause: NoPrincipal) -> Self {
        match cause {
            // A revoked session has ended like one whose time is over: at this code programs know that new credentials
            // may help, and at InvalidClientTokenId they give up.
            NoPrincipal::Expired | NoPrincipal::Revoked => {
                Self::new("ExpiredToken", "The security token included in the request is expired")
            }
            NoPrincipal::Gone | NoPrincipal::IssuedAhead => {
                tracing::debug!(%cause, "a credential was refused");
                Self::invalid_client_token()
            }
        }
    }
}

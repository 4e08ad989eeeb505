//! The request inside a CheckRequest: somebody else's call, verified as if it had come here.

use data_encoding::HEXLOWER;
use daypass_authn::sigv4::{
    AuthError, BodyHash, HttpRequest, PayloadHash, Place, Presented, Proof, Rules, Verified, is_s3_family,
    presented,
};
use daypass_directory::{Operation, Principal, Value, View};
use daypass_model::Authority;
use jiff::Timestamp;
use serde::Deserialize;

use super::resource;
use crate::error::Error;
use crate::house::House;

/// `Request` of a CheckRequest.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SignedRequest {
    method: String,
    url: String,
    headers: Vec<HeaderField>,
    body_sha256: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct HeaderField {
    name: String,
    value: String,
}

/// A request that was sent to a service, taken apart.
pub(super) struct Inner {
    http: HttpRequest,
    presented: Result<Presented, AuthError>,
    authority: Authority,
    body: BodyHash,
}

/// Who made the inner request.
pub(super) enum Who {
    /// It carries no part of a credential.
    Anonymous,
    /// Its signature holds.
    Principal(Box<Principal>, Verified),
    /// Its credential proves nothing: the caller is nobody at all.
    Refused(Error),
}

impl Inner {
    /// Take the request apart.
    ///
    /// # Errors
    /// ValidationError: the asker sent something that is no request to it.
    pub(super) fn read(request: &SignedRequest) -> Result<Self, Error> {
        // No request that came over a wire has them, and a reader further on could see another request in them. Names and
        // the method have none by the model.
        if request.headers.iter().any(|field| field.value.contains(['\r', '\n', '\0'])) {
            return Err(Error::validation("A header's value has no carriage return, line feed or NUL."));
        }
        let (authority, target) = split_url(&request.url)?;
        let mut http = HttpRequest::new(&request.method, target, Vec::new());
        http.headers = request
            .headers
            .iter()
            .map(|field| (field.name.to_ascii_lowercase(), field.value.clone().into_bytes()))
            .collect();
        // HTTP/2 has no such field, but what stands in the URL (RFC 9113, section 8.3.1).
        if http.header("host").is_none() {
            http.headers.push(("host".into(), authority.to_string().into_bytes()));
        }
        let body = match &request.body_sha256 {
            None => BodyHash::Unknown,
            Some(hex) => {
                let bytes = HEXLOWER.decode(hex.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
                BodyHash::Known(
                    bytes.ok_or_else(|| Error::validation("BodySha256 is 64 lower-case hex digits."))?,
                )
            }
        };
        let presented = presented(&http);
        Ok(Self { http, presented, authority, body })
    }

    /// The signing name in the scope, when there is one to read.
    pub(super) fn signing_service(&self) -> Option<&str> {
        self.proof().map(|proof| proof.scope.service.as_str())
    }

    /// The region it was signed for, if that is one.
    pub(super) fn region(&self) -> &str {
        self.proof().map_or("", |proof| proof.region())
    }

    /// The authority of the URL, which the service takes from its own configuration.
    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// How it was signed, for policies of the S3 family: those of an action with the prefix `service`. The age is that
    /// of presigned requests only (Amazon S3 API Reference, "Amazon S3 Signature Version 4 Authentication Specific
    /// Policy Keys").
    pub(super) fn signature_keys(
        &self,
        service: &str,
        verified: &Verified,
        now: Timestamp,
    ) -> Vec<(String, Value)> {
        let service = service.to_lowercase();
        let Some(proof) = self.proof().filter(|_| is_s3_family(&service)) else { return Vec::new() };
        let key = |name: &str, value: String| (format!("{service}:{name}"), Value::One(value));
        let mut keys = vec![
            key("signatureversion", proof.algorithm.as_str().into()),
            key("x-amz-content-sha256", payload_hash(verified)),
        ];
        match proof.place {
            Place::Header => keys.push(key("authType", "REST-HEADER".into())),
            Place::Query => {
                let age = now.duration_since(proof.time).as_millis().max(0);
                keys.push(key("authType", "REST-QUERY-STRING".into()));
                keys.push(key("signatureAge", age.to_string()));
            }
        }
        keys
    }

    fn proof(&self) -> Option<&Proof> {
        match &self.presented {
            Ok(Presented::SigV4(proof)) => Some(proof),
            _ => None,
        }
    }

    /// Who made it. Half a credential, a bad one and a request for another host are refused, never anonymous.
    ///
    /// # Errors
    /// ValidationError when the body's hash is needed and was not given.
    pub(super) fn verify(&self, house: &House, view: &View, op: &Operation) -> Result<Who, Error> {
        let proof = match &self.presented {
            Ok(Presented::Nothing) => return Ok(Who::Anonymous),
            Ok(Presented::SigV4(proof)) => proof,
            // Of daypass's own Query API only: what it leaves unsigned, another service may go by.
            Ok(Presented::Certificate(_)) => return Ok(Who::Refused(AuthError::ByCertificateOnly.into())),
            Ok(Presented::Version2(_)) => return Ok(Who::Refused(AuthError::SignatureVersion2.into())),
            Err(error) => return Ok(Who::Refused(error.clone().into())),
        };
        match self.verify_proof(house, view, op, proof) {
            Ok((principal, verified)) => Ok(Who::Principal(Box::new(principal), verified)),
            Err(Refusal::Asker(error)) => Err(error),
            Err(Refusal::Inner(error)) => Ok(Who::Refused(error)),
        }
    }

    fn verify_proof(
        &self,
        house: &House,
        view: &View,
        op: &Operation,
        proof: &Proof,
    ) -> Result<(Principal, Verified), Refusal> {
        if !self.http.header_text("host").is_some_and(|host| self.authority.matches(host)) {
            return Err(Refusal::Inner(Error::new(
                "SignatureDoesNotMatch",
                "The request was signed for another host.",
            )));
        }
        let credential =
            house.directory.credential(view, &proof.access_key_id, proof.session_token.as_deref());
        let credential = credential.map_err(|error| Refusal::Inner(error.into()))?;
        let rules = Rules::for_another_service(&proof.scope.service, resource::own_services(), self.body);
        let verified = house.signing_keys.verify(&self.http, proof, &rules, &credential.secret, op.now);
        let verified = verified.map_err(|error| match error {
            AuthError::BodyHashRequired => Refusal::Asker(Error::validation(
                "BodySha256 is required: the hash of the body is part of this request's signature.",
            )),
            error => Refusal::Inner(error.into()),
        })?;
        let principal = Principal::resolve(view, credential.caller, op.now)
            .map_err(|error| Refusal::Inner(error.into()))?;
        Ok((principal, verified))
    }
}

/// Whose fault it is.
enum Refusal {
    Asker(Error),
    Inner(Error),
}

/// `hex` or `UNSIGNED-PAYLOAD`.
pub(super) fn payload_hash(verified: &Verified) -> String {
    match &verified.payload_hash {
        PayloadHash::Hex(hex) => hex.clone(),
        PayloadHash::Unsigned => "UNSIGNED-PAYLOAD".into(),
    }
}

/// The authority of a URL, and its path and query, nothing decoded.
fn split_url(url: &str) -> Result<(Authority, &str), Error> {
    let bad = || Error::validation("Url is an absolute http or https URL.");
    let (authority, target) = Authority::split_url(url).map_err(|_| bad())?;
    if target.contains('#') {
        return Err(bad());
    }
    Ok((authority, if target.is_empty() { "/" } else { target }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_split_without_decoding() {
        let split = |url| split_url(url).map(|(authority, target)| (authority.to_string(), target));
        assert_eq!(
            split("https://B.example:8443/a%2Fb?x=%20").unwrap(),
            ("b.example:8443".into(), "/a%2Fb?x=%20")
        );
        assert_eq!(split("http://b.example:80?list").unwrap(), ("b.example".into(), "?list"));
        assert_eq!(split("https://b.example").unwrap(), ("b.example".into(), "/"));
        for bad in ["", "b.example/x", "ftp://b/x", "https:///x", "https://user@b/x", "https://b/x#y"] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }
}

//! A signature by the private key of a certificate that comes with the request: no shared secret and no derived key. The key
//! signs the string to sign of Signature Version 4 itself, under an algorithm's name of its own.
//!
//! ```text
//! Authorization: AWS4-X509-RSA-SHA256 Credential=<serial>/<date>/<region>/rolesanywhere/aws4_request, …
//! X-Amz-X509: <DER, base64>            X-Amz-X509-Chain: <DER, base64>,<DER, base64>
//! ```
//!
//! That the signature is the key's says nothing of the certificate: whether anybody trusts it is for
//! [`x509::path`](crate::x509::path). Governing document: IAM Roles Anywhere User Guide, "The IAM Roles Anywhere authentication
//! signing process".

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use daypass_model::limits::REQUEST_HEAD_BYTES_MAX;
use jiff::Timestamp;

use super::canonical::{Form, canonical_request, string_to_sign_as};
use super::presented::{Fields, Presented, QueryParts, form_holds_credential, from_rest_of_header};
use super::verify::{
    PayloadHash, check_scope, check_time, compare_with_body, payload_hash, refuse_unsigned_fields,
};
use super::{Algorithm, AuthError, HttpRequest, Proof, Rules};
use crate::x509::{CHAIN_MAX, Certificate, Scheme};

/// Header field of the certificate.
pub const X509: &str = "x-amz-x509";
/// Header field of the certificates between it and the trust anchor.
pub const X509_CHAIN: &str = "x-amz-x509-chain";

/// The names of the algorithms. AWS has `AWS4-X509-MLDSA` too, which nothing here verifies.
pub(super) const ALGORITHMS: [(&str, Scheme); 2] =
    [("AWS4-X509-RSA-SHA256", Scheme::Rsa), ("AWS4-X509-ECDSA-SHA256", Scheme::Ecdsa)];

/// Find the credential of a request to an operation that is called by certificate and in no other way: `Nothing`, or a
/// [`Certificate`](Presented::Certificate).
///
/// # Errors
/// Anything of a credential that is not exactly that.
pub fn presented_by_certificate(request: &HttpRequest) -> Result<Presented, AuthError> {
    if request.head_size() > REQUEST_HEAD_BYTES_MAX {
        return Err(AuthError::HeadTooLarge);
    }
    let fields = Fields::of(request)?;
    let query = QueryParts::of(request.query.as_bytes())?;
    if fields.s3_session || query.s3_session {
        return Err(AuthError::S3SessionToken);
    }
    let elsewhere = query.any() || query.version_2 || form_holds_credential(request)?;
    match fields.authorization {
        Some(authorization) => {
            if elsewhere || fields.token.is_some() {
                return Err(AuthError::TwoCredentials);
            }
            fields.refuse_repeated()?;
            let proof = CertificateProof::read(request, authorization, &fields)?;
            Ok(Presented::Certificate(Box::new(proof)))
        }
        None if elsewhere || fields.token.is_some() => Err(AuthError::ByCertificateOnly),
        None => Ok(Presented::Nothing),
    }
}

/// A well-formed but unverified claim: "the key of this certificate signed this request".
#[derive(Clone)]
pub struct CertificateProof {
    /// What the signature says, but for its algorithm.
    proof: Proof,
    algorithm: &'static str,
    scheme: Scheme,
    /// The certificate.
    pub certificate: Certificate,
    /// Those that came with it, in the order in which they came.
    pub chain: Vec<Certificate>,
}

impl CertificateProof {
    pub(super) fn read(
        request: &HttpRequest,
        authorization: &[u8],
        fields: &Fields<'_>,
    ) -> Result<Self, AuthError> {
        let text = String::from_utf8_lossy(authorization);
        let (name, rest) = text.trim().split_once([' ', '\t']).ok_or(AuthError::ByCertificateOnly)?;
        let known = ALGORITHMS.into_iter().find(|(known, _)| *known == name);
        let (algorithm, scheme) = known.ok_or(match name {
            "AWS4-X509-MLDSA" => AuthError::UnsupportedAlgorithm { given: name.to_owned() },
            _ => AuthError::ByCertificateOnly,
        })?;
        // The form is that of Signature Version 4.
        let proof = from_rest_of_header(Algorithm::SigV4, authorization, rest, fields)?;
        let given = one(request, X509)?.ok_or_else(|| problem("The header X-Amz-X509 is missing."))?;
        let chain = one(request, X509_CHAIN)?.map(chain).transpose()?;
        Ok(Self {
            proof,
            algorithm,
            scheme,
            certificate: certificate(given, "X-Amz-X509")?,
            chain: chain.unwrap_or_default(),
        })
    }

    /// The region that the client signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.proof.scope.region
    }

    /// Check everything that the signature says: scope, time, which fields it covers, the serial number, the signature.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order of Signature Version 4.
    pub fn verify(&self, request: &HttpRequest, rules: &Rules<'_>, now: Timestamp) -> Result<(), AuthError> {
        let proof = &self.proof;
        check_scope(proof, rules)?;
        check_time(proof, rules, now)?;
        // The certificate and its chain are among the fields that must be signed.
        refuse_unsigned_fields(request, proof, rules)?;
        if proof.access_key_id != self.certificate.serial_decimal() {
            return Err(AuthError::SignatureDoesNotMatch);
        }
        let (payload, _) = payload_hash(request, proof, rules)?;
        compare_with_body(request, rules, &payload)?;
        let PayloadHash::Hex(hash) = &payload else { return Err(AuthError::SignatureDoesNotMatch) };
        let form = Form {
            path: rules.path,
            signed_headers: &proof.signed_headers,
            payload_hash: hash,
            without_token: false,
        };
        let canonical = canonical_request(request, form).map_err(|_| AuthError::SignatureDoesNotMatch)?;
        let text = string_to_sign_as(self.algorithm, true, &proof.time_text, &proof.scope, &canonical);
        let signature = HEXLOWER.decode(proof.signature.as_bytes());
        let signature = signature.map_err(|_| AuthError::SignatureDoesNotMatch)?;
        if self.certificate.signed(self.scheme, text.as_bytes(), &signature) {
            Ok(())
        } else {
            Err(AuthError::SignatureDoesNotMatch)
        }
    }
}

/// Prints no signature: within its window it can be replayed.
impl fmt::Debug for CertificateProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateProof")
            .field("algorithm", &self.algorithm)
            .field("certificate", &self.certificate)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}

fn problem(text: &str) -> AuthError {
    AuthError::Certificate { problem: text.to_owned() }
}

/// The value of a field that may come once.
fn one<'r>(request: &'r HttpRequest, name: &'static str) -> Result<Option<&'r str>, AuthError> {
    let mut values = request.header_values(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(AuthError::RepeatedField { name });
    }
    let text = std::str::from_utf8(value).map_err(|_| problem("A certificate in a header is no base64."))?;
    Ok(Some(text.trim()))
}

fn chain(text: &str) -> Result<Vec<Certificate>, AuthError> {
    if text.split(',').count() > CHAIN_MAX {
        return Err(AuthError::Certificate {
            problem: format!("The header X-Amz-X509-Chain may hold {CHAIN_MAX} certificates."),
        });
    }
    text.split(',').map(|one| certificate(one.trim(), "X-Amz-X509-Chain")).collect()
}

fn certificate(base64: &str, field: &str) -> Result<Certificate, AuthError> {
    let wrong = |why: &dyn fmt::Display| AuthError::Certificate {
        problem: format!("The certificate in {field} cannot be used: {why}."),
    };
    let der = BASE64.decode(base64.as_bytes()).map_err(|_| wrong(&"it is no base64"))?;
    Certificate::from_der(&der).map_err(|error| wrong(&error))
}

//! Who vouches for a provider's server: a root that this machine knows or, where its chain ends at none, a certificate
//! whose thumbprint the provider's administrator gave.
//!
//! Source: IAM User Guide, "Obtain the thumbprint for an OpenID Connect identity provider". Names and dates count either way.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use daypass_authn::oidc::thumbprint;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::failure::Failure;

/// The roots of a file in PEM, or of this machine.
///
/// # Errors
/// The file cannot be read, or holds no certificate.
pub(crate) fn roots(bundle: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    let Some(path) = bundle else {
        // What of them cannot be read vouches for nobody; which is told when somebody is needed.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let failed = |why: &dyn std::fmt::Display| {
        Failure::new(format!("--ca-bundle {}: {why}; give certificates in PEM", path.display()))
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))? {
        let certificate = certificate.map_err(|error| failed(&error))?;
        roots.add(certificate).map_err(|error| failed(&error))?;
    }
    if roots.is_empty() { Err(failed(&"it holds no certificate")) } else { Ok(roots) }
}

/// Checks the certificates of one server.
#[derive(Debug)]
pub(super) struct Vouching {
    by_roots: Option<Arc<WebPkiServerVerifier>>,
    thumbprints: Vec<String>,
    crypto: Arc<CryptoProvider>,
    refused: AtomicBool,
}

impl Vouching {
    pub(super) fn new(roots: &RootCertStore, thumbprints: &[String]) -> Self {
        let crypto = Arc::new(aws_lc_rs::default_provider());
        Self {
            by_roots: verifier(roots.clone(), &crypto),
            thumbprints: thumbprints.to_vec(),
            crypto,
            refused: AtomicBool::new(false),
        }
    }

    /// Whether a server was refused because nobody vouches for it.
    pub(super) fn nobody_vouches(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// By the last certificate that the server sends, if that is one of the thumbprints: it stands in for a root.
    fn by_thumbprint(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = || Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let top = intermediates.last().unwrap_or(end_entity);
        if !self.thumbprints.contains(&thumbprint(top)) {
            return Err(unknown());
        }
        let mut roots = RootCertStore::empty();
        roots.add(top.clone().into_owned())?;
        let verifier = verifier(roots, &self.crypto).ok_or_else(unknown)?;
        verifier.verify_server_cert(end_entity, intermediates, name, &[], now)
    }
}

/// Whether a chain ends at nobody who is known, or at somebody who only has the name of one.
fn is_without_voucher(error: &Error) -> bool {
    use CertificateError::{BadSignature, UnknownIssuer};
    matches!(error, Error::InvalidCertificate(UnknownIssuer | BadSignature))
}

fn verifier(roots: RootCertStore, crypto: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(roots.into(), crypto.clone()).build().ok()
}

impl ServerCertVerifier for Vouching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by_roots = match &self.by_roots {
            Some(verifier) => verifier.verify_server_cert(end_entity, intermediates, name, ocsp, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        let verified = match by_roots {
            Err(error) if is_without_voucher(&error) => {
                self.by_thumbprint(end_entity, intermediates, name, now)
            }
            decided => decided,
        };
        let unknown = verified.as_ref().is_err_and(is_without_voucher);
        self.refused.fetch_or(unknown, Ordering::Relaxed);
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}

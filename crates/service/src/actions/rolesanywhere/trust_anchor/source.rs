//! Where the certificates of a trust anchor come from: a bundle that is given, and nothing that somebody would have to ask for.

use daypass_authn::x509::{Certificate, Field, Unfit, blocks};
use daypass_directory::anywhere::ANCHOR_CERTIFICATES_MAX;
use daypass_model::{cut, rfc3339_seconds};
use jiff::Timestamp;
use serde::Deserialize;

use crate::error::Error;

/// The source type that there is.
pub(in crate::actions::rolesanywhere) const CERTIFICATE_BUNDLE: &str = "CERTIFICATE_BUNDLE";

/// Characters of a certificate's name in a sentence.
const NAME_MAX: usize = 256;

/// `Source`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::actions::rolesanywhere) struct Source {
    source_type: Option<String>,
    source_data: Option<SourceData>,
}

/// `SourceData`, of which exactly one member is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceData {
    #[serde(rename = "x509CertificateData")]
    certificates: Option<String>,
    #[serde(rename = "acmPcaArn")]
    private_authority: Option<String>,
}

impl Source {
    /// The bundle, every certificate of which is fit to be trusted now.
    ///
    /// # Errors
    /// ValidationException.
    pub(super) fn bundle(&self, now: Timestamp) -> Result<&str, Error> {
        let Self { source_type, source_data } = self;
        let unsupported = |what: &str| Error::validation(format!("{what} is not supported by this server."));
        match source_type.as_deref() {
            Some(CERTIFICATE_BUNDLE) => {}
            Some(other) => return Err(unsupported(&format!("The source type {other}"))),
            None => return Err(Error::validation("source.sourceType must be given.")),
        }
        let data = source_data.as_ref();
        if data.is_some_and(|data| data.private_authority.is_some()) {
            return Err(unsupported("acmPcaArn"));
        }
        let bundle = data.and_then(|data| data.certificates.as_deref());
        let bundle = bundle
            .ok_or_else(|| Error::validation("source.sourceData.x509CertificateData must be given."))?;
        let wrong = |why: &dyn std::fmt::Display| {
            Error::validation(format!("The certificates of the trust anchor cannot be used: {why}."))
        };
        let ders = blocks(bundle, "CERTIFICATE", ANCHOR_CERTIFICATES_MAX).map_err(|error| wrong(&error))?;
        for der in &ders {
            let certificate = Certificate::from_der(der).map_err(|error| wrong(&error))?;
            certificate.check_authority(now).map_err(|error| wrong(&which(&certificate, error)))?;
        }
        Ok(bundle)
    }
}

/// What is wrong with which of the bundle.
fn which(certificate: &Certificate, why: Unfit) -> String {
    let name = certificate.shown(Field::Subject);
    let at = |second| rfc3339_seconds(Timestamp::from_second(second).unwrap_or_default());
    match (why, cut(&name, NAME_MAX)) {
        (Unfit::Expired, name) => format!("{name} has expired, at {}", at(certificate.not_after())),
        (why, "") => why.to_string(),
        (why, name) => format!("{name}: {why}"),
    }
}

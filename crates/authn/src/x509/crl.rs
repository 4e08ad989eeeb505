//! Lists of revoked certificates, imported by hand: a certificate that one of them names is over, whatever else is true of it.
//!
//! A list counts for what its issuer issued. After its `nextUpdate` it still does: what was revoked stays revoked, and somebody
//! who forgets to import the next list does not lock everybody out.
//!
//! Governing document: RFC 5280, section 5.

use std::collections::HashSet;
use std::fmt;

use x509_cert::crl::CertificateList;
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::CrlNumber;

use super::certificate::{Certificate, inside, positive, seconds};
use super::key::SignatureAlgorithm;

/// Why a list is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCrl {
    /// No DER of a list, of version 2.
    #[error("it is no well-formed certificate revocation list of version 2")]
    Form,
    /// Signed with MD5, SHA-1, or an algorithm that is not RSA or ECDSA.
    #[error("its signature algorithm is not RSA or ECDSA with SHA-256 or stronger")]
    WeakSignature,
    /// A critical extension: a list of a part of what was revoked, or of others' certificates.
    #[error("it has a critical extension that is not supported")]
    Critical,
    /// Not signed by an authority of the trust anchor that may sign lists.
    #[error("it is not signed by the trust anchor")]
    NotSigned,
}

/// A list of revoked certificates.
#[derive(Clone)]
pub struct Crl {
    issuer: Vec<u8>,
    revoked: HashSet<Vec<u8>>,
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    this_update: i64,
    next_update: Option<i64>,
    number: Option<Vec<u8>>,
}

impl Crl {
    /// Read the DER of one.
    ///
    /// # Errors
    /// [`BadCrl`].
    pub fn from_der(der: &[u8]) -> Result<Self, BadCrl> {
        let read: CertificateList = CertificateList::from_der(der).map_err(|_| BadCrl::Form)?;
        let list = &read.tbs_cert_list;
        let raw = || {
            let tbs = SliceReader::new(inside(der)?).ok()?.tlv_bytes().ok()?;
            let mut fields = SliceReader::new(inside(tbs)?).ok()?;
            // version, signature, issuer
            let (_, _, issuer) =
                (fields.tlv_bytes().ok()?, fields.tlv_bytes().ok()?, fields.tlv_bytes().ok()?);
            Some((tbs.to_vec(), issuer.to_vec()))
        };
        let (tbs, issuer) = raw().ok_or(BadCrl::Form)?;
        if list.signature != read.signature_algorithm {
            return Err(BadCrl::Form);
        }
        let entries = list.revoked_certificates.as_deref().unwrap_or(&[]);
        let of_entries = entries.iter().map(|entry| entry.crl_entry_extensions.as_ref());
        if std::iter::once(list.crl_extensions.as_ref()).chain(of_entries).any(has_critical) {
            return Err(BadCrl::Critical);
        }
        let serial = |bytes: &[u8]| positive(bytes).or_else(|| positive(&[&[0], bytes].concat()));
        Ok(Self {
            issuer,
            revoked: entries.iter().filter_map(|entry| serial(entry.serial_number.as_bytes())).collect(),
            tbs,
            algorithm: SignatureAlgorithm::of(&read.signature_algorithm)
                .map_err(|_| BadCrl::WeakSignature)?,
            signature: read.signature.as_bytes().ok_or(BadCrl::Form)?.to_vec(),
            this_update: seconds(list.this_update),
            next_update: list.next_update.map(seconds),
            number: number(list.crl_extensions.as_ref())?,
        })
    }

    /// Whether both are of one authority.
    #[must_use]
    pub fn is_of_issuer_of(&self, other: &Self) -> bool {
        self.issuer == other.issuer
    }

    /// Whether its issuer made it before the other one: by their numbers (RFC 5280, section 5.2.3), and by their dates.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        let by_number = self.number.as_ref().zip(other.number.as_ref()).is_some_and(|(own, of_other)| {
            // Big endian, without leading zeros.
            (own.len(), own) < (of_other.len(), of_other)
        });
        self.is_of_issuer_of(other) && (by_number || self.this_update < other.this_update)
    }

    /// Whether an authority of the anchor issued it.
    ///
    /// # Errors
    /// [`BadCrl::NotSigned`].
    pub fn check_signature(&self, anchors: &[Certificate]) -> Result<(), BadCrl> {
        let is_signed = |anchor: &Certificate| {
            anchor.signed_list(&self.issuer, self.algorithm, &self.tbs, &self.signature)
        };
        if anchors.iter().any(is_signed) { Ok(()) } else { Err(BadCrl::NotSigned) }
    }

    /// Whether it names the certificate, which must be one of its issuer's.
    #[must_use]
    pub fn revokes(&self, certificate: &Certificate) -> bool {
        self.issuer == certificate.issuer && self.revoked.contains(certificate.serial())
    }

    /// When the next one is promised, in Unix seconds.
    #[must_use]
    pub fn next_update(&self) -> Option<i64> {
        self.next_update
    }
}

/// Its CRL number, if it has one.
fn number(extensions: Option<&Extensions>) -> Result<Option<Vec<u8>>, BadCrl> {
    let found = extensions.and_then(|all| all.iter().find(|one| one.extn_id == CrlNumber::OID));
    let read = found.map(|one| CrlNumber::from_der(one.extn_value.as_bytes())).transpose();
    Ok(read.map_err(|_| BadCrl::Form)?.map(|number| number.0.as_bytes().to_vec()))
}

fn has_critical(extensions: Option<&Extensions>) -> bool {
    extensions.is_some_and(|all| all.iter().any(|extension| extension.critical))
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl({} revoked)", self.revoked.len())
    }
}

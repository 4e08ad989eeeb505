//! A certificate and its key, as two files hold them.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Time;

use super::TlsFiles;
use crate::data_dir::{Links, open_regular, read_secret_of};
use crate::failure::Failure;

/// Largest file; a chain has a few certificates.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// A chain with the key of its first certificate, and when that counts.
pub(crate) struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

impl Pair {
    /// # Errors
    /// A file cannot be read, holds nothing of its kind, or the key is not the certificate's.
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, Failure> {
        let wrong = |path: &Path, why: &str| Failure::new(format!("`{}`: {why}", path.display()));
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(&files.cert)?)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(&files.cert, &format!("this is no certificate in PEM ({error})")))?;
        let own = chain.first().ok_or_else(|| {
            wrong(&files.cert, "there is no certificate in it; give the chain in PEM, the server's own first")
        })?;
        let unreadable = |why: &dyn std::fmt::Display| {
            wrong(&files.cert, &format!("its first certificate cannot be read ({why})"))
        };
        let own = Certificate::from_der(own).map_err(|error| unreadable(&error))?;
        let validity = own.tbs_certificate().validity();
        let [not_before, not_after] = [validity.not_before, validity.not_after].map(moment);
        let key = read_secret_of(&files.key, Links::Followed, FILE_BYTES_MAX);
        let key = key.map_err(|error| unread(&files.key, &error))?;
        let key = PrivateKeyDer::from_pem_slice(key.expose())
            .map_err(|_| wrong(&files.key, "there is no private key in PEM in it"))?;
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        let certified = certified.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => wrong(
                &files.key,
                &format!("this is not the key of the first certificate in `{}`", files.cert.display()),
            ),
            error => Failure::new(format!("{files}: {error}")),
        })?;
        Ok(Self { certified: Arc::new(certified), not_before, not_after })
    }

    /// The chain, its own certificate first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// # Errors
    /// It counts at another time.
    pub(crate) fn is_good_at(&self, now: Timestamp) -> Result<(), String> {
        if now > self.not_after {
            return Err(format!("the certificate ended at {}", self.not_after));
        }
        if now < self.not_before {
            return Err(format!("the certificate counts from {} on only", self.not_before));
        }
        Ok(())
    }
}

/// A certificate's time; one that no clock reaches is the end of all.
fn moment(time: Time) -> Timestamp {
    i64::try_from(time.to_unix_duration().as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::MAX)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let opened = open_regular(OpenOptions::new().read(true), path, Links::Followed);
    let read = opened.and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &io::Error) -> Failure {
    Failure::disk(&format!("`{}` cannot be read", path.display()), error)
}

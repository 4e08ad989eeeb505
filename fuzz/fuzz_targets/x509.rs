//! Certificates, lists of revocations and PEM, as whoever calls by certificate or imports one can send them.
//!
//! Nobody has the key of the anchor in the corpus: of all inputs its own certificate and list alone are believed.
#![no_main]

use std::sync::LazyLock;

use data_encoding::BASE64;
use daypass_authn::x509::{Certificate, Crl, FIELDS, Field, PrivateKey, blocks, path};
use daypass_fuzz::noon;
use daypass_model::Secret;
use libfuzzer_sys::fuzz_target;

static ANCHOR: LazyLock<[Certificate; 1]> = LazyLock::new(|| {
    [Certificate::from_der(include_bytes!("../corpus/x509/anchor.der")).expect("a certificate")]
});
/// Serial number of the one certificate that the anchor issued, and its list revokes.
const SERIAL: &str = "1f2e3d4c5b6a79";

fuzz_target!(|data: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(data) {
        read(&certificate, data);
    }
    if let Ok(list) = Crl::from_der(data) {
        let issued = Certificate::from_der(include_bytes!("../corpus/x509/host.der")).expect("a certificate");
        // What is signed is the list in the corpus.
        assert!(list.check_signature(&*ANCHOR).is_err() || list.revokes(&issued));
        assert!(!list.revokes(&ANCHOR[0]), "a number that is another's");
    }
    if let Ok(text) = std::str::from_utf8(data) {
        bundle(text);
        // Whatever it is, it is read or refused.
        drop(PrivateKey::from_pem(&Secret::new(text)));
    }
});

fn read(certificate: &Certificate, der: &[u8]) {
    assert_eq!(certificate.der(), der);
    assert!(
        (1..=20).contains(&certificate.serial().len()) && certificate.serial()[0] != 0
            || certificate.serial() == [0]
    );
    assert!(certificate.serial_decimal().bytes().all(|digit| digit.is_ascii_digit()));
    for field in FIELDS {
        let kinds: Vec<_> = certificate.values(field).map(|(kind, _)| kind).collect();
        assert!(
            kinds.iter().enumerate().all(|(at, kind)| !kinds[..at].contains(kind)),
            "the first of a kind alone"
        );
    }
    assert!(!certificate.shown(Field::Subject).contains('\0'));
    let both = [certificate.clone(), ANCHOR[0].clone()];
    if let Ok(found) = path(certificate, &both, &*ANCHOR, noon()) {
        assert_eq!((certificate.serial_hex().as_str(), found.len()), (SERIAL, 2));
    }
    // Nobody is an authority and somebody's machine at once.
    assert!(path(certificate, &[], std::slice::from_ref(certificate), noon()).is_err());
}

fn bundle(text: &str) {
    for kind in ["CERTIFICATE", "X509 CRL"] {
        let Ok(found) = blocks(text, kind, 4) else { continue };
        assert!((1..=4).contains(&found.len()));
        let again: String = found
            .iter()
            .map(|der| format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", BASE64.encode(der)))
            .collect();
        assert_eq!(blocks(&again, kind, 4).expect("what was read"), found);
        for der in found {
            drop((Certificate::from_der(&der), Crl::from_der(&der)));
        }
    }
}

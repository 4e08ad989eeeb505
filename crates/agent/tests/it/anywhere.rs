//! `daypass creds --certificate`, before a server that answers nonsense, and with files that are none.

use std::path::PathBuf;

use daypass_agent::creds::{ByCertificate, by_certificate};
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::RootCertStore;

use crate::creds::liar;
use crate::world::{Scratch, private};

const ANCHOR: &str = "arn:aws:rolesanywhere:eu-central-1:111122223333:trust-anchor/a";

/// A machine's certificate of one year, and its key.
struct Files {
    _scratch: Scratch,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new() -> Self {
        let (scratch, key) = (Scratch::new(), KeyPair::generate().unwrap());
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 12, 31);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let files =
            Self { certificate: scratch.join("host.pem"), key: scratch.join("host.key"), _scratch: scratch };
        std::fs::write(&files.certificate, params.self_signed(&key).unwrap().pem()).unwrap();
        private(&files.key, &key.serialize_pem());
        files
    }

    fn asked<'a>(&'a self, server: &'a str) -> ByCertificate<'a> {
        ByCertificate {
            server,
            roots: RootCertStore::empty(),
            certificate: &self.certificate,
            private_key: &self.key,
            intermediates: None,
            trust_anchor_arn: ANCHOR,
            profile_arn: "arn:aws:rolesanywhere:eu-central-1:111122223333:profile/p",
            role_arn: "arn:aws:iam::111122223333:role/Worker",
            session_name: None,
            seconds: None,
        }
    }
}

async fn line(asked: &ByCertificate<'_>, now: &str) -> String {
    let now: Timestamp = now.parse().unwrap();
    by_certificate(asked, now).await.unwrap_err().to_string()
}

const MID: &str = "2026-06-01T00:00:00Z";

#[tokio::test]
async fn a_server_that_answers_nonsense_is_named_and_no_half_of_credentials_is_shown() {
    let files = Files::new();
    let good = r#"{"credentialSet":[{"credentials":{"accessKeyId":"A","secretAccessKey":"S","sessionToken":"T","expiration":"2026-01-02T09:04:05Z"}}]}"#;
    for (status, answer, expected) in [
        (200, good, "no answer of daypass (HTTP 200)".to_owned()),
        (302, "{}", "no answer of daypass (HTTP 302)".to_owned()),
        (502, "<html>", "no answer of daypass (HTTP 502)".to_owned()),
        (403, r#"{"message":"no"}"#, "no answer of daypass (HTTP 403)".to_owned()),
        (201, "{}", "the server's answer has no accessKeyId".to_owned()),
        (201, "nonsense", "the server's answer has no accessKeyId".to_owned()),
        (201, &good.replace("\"T\"", "\"\""), "the server's answer has no sessionToken".to_owned()),
        (
            201,
            &good.replace("\"S\"", "\"a\\u001b[2J\""),
            "the server's answer has no secretAccessKey".to_owned(),
        ),
    ] {
        let server = format!("http://{}", liar(status, "", answer).await);
        assert_eq!(line(&files.asked(&server), MID).await, expected);
    }
    let server = format!("http://{}", liar(201, "", good).await);
    let document = by_certificate(&files.asked(&server), MID.parse().unwrap()).await.unwrap();
    let expected = serde_json::json!({
        "Version": 1, "AccessKeyId": "A", "SecretAccessKey": "S", "SessionToken": "T", "Expiration": "2026-01-02T09:04:05Z",
        "AccountId": "111122223333",
    });
    assert_eq!(document, expected);
}

#[tokio::test]
async fn a_certificate_of_another_time_asks_nobody() {
    let (files, nobody) = (Files::new(), "http://127.0.0.1:1");
    let asked = files.asked(nobody);
    let said = line(&asked, "2027-01-01T00:00:00Z").await;
    assert!(said.ends_with("host.pem: it has expired, on 2026-12-31T00:00:00Z"), "{said}");
    let said = line(&asked, "2025-12-31T00:00:00Z").await;
    assert!(said.ends_with("host.pem: it is not valid yet"), "{said}");
}

#[tokio::test]
async fn files_that_are_none_and_too_many_certificates_are_refused() {
    let (files, nobody) = (Files::new(), "http://127.0.0.1:1");
    let asked = files.asked(nobody);
    let device = ByCertificate { certificate: "/dev/zero".as_ref(), ..asked.clone() };
    assert_eq!(line(&device, MID).await, "--certificate /dev/zero: it is no file");
    let device = ByCertificate { private_key: "/dev/zero".as_ref(), ..asked.clone() };
    assert_eq!(line(&device, MID).await, "--private-key /dev/zero: it is no file");
    let pem = std::fs::read_to_string(&files.certificate).unwrap();
    std::fs::write(&files.certificate, pem.repeat(4)).unwrap();
    let more = ByCertificate { intermediates: Some(&files.certificate), ..asked.clone() };
    assert_eq!(line(&more, MID).await, "--intermediates: more than 5 certificates between");
    std::fs::write(&files.certificate, pem.repeat(7)).unwrap();
    assert!(line(&asked, MID).await.ends_with("there is too much in it"));
    std::fs::write(&files.certificate, "x".repeat(300_000)).unwrap();
    assert!(line(&asked, MID).await.ends_with("it is too long"));
}

//! Responses as other implementations sign and encrypt them. `make_responses.py` in the folder `vectors` says whose.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use daypass_authn::SystemRandom;
use daypass_authn::saml::{
    DecryptionKey, Encryption, Expected, Metadata, SamlError, VerifiedAssertion, verify,
};

use super::document::{expected, noon};

fn folder() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/saml/vectors/responses")).to_owned()
}

pub(super) fn file(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

pub(super) fn decryption_key() -> DecryptionKey {
    DecryptionKey::from_pem(&file("decryption-key.pem")).unwrap()
}

/// Every vector's name and text.
fn vectors() -> BTreeMap<String, String> {
    let names = std::fs::read_dir(folder()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    let names = names.filter(|name| name.ends_with(".xml") && !name.ends_with(".metadata.xml"));
    names.map(|name| (name.trim_end_matches(".xml").to_owned(), file(&name))).collect()
}

/// The metadata of who made a vector.
pub(super) fn metadata(name: &str) -> Metadata {
    let key = name.rsplit('.').next().unwrap();
    Metadata::parse(&file(&format!("{key}.metadata.xml"))).unwrap()
}

pub(super) fn check(name: &str, xml: &str, expected: &Expected<'_>) -> Result<VerifiedAssertion, SamlError> {
    verify(&BASE64.encode(xml.as_bytes()), &metadata(name), expected, noon(), &SystemRandom)
}

/// Why a vector is refused, if it is.
fn fault(name: &str) -> Option<&'static str> {
    let has = |part: &str| name.contains(part);
    if has("response-signed-only") {
        Some("Response (with optional signature) must contain an assertion with a mandatory signature")
    } else if has("-sha1.") && name.starts_with("signxml.rsa")
        || has(".sha1.")
        || has("aes192")
        || has(".pkcs1.")
        || has("oaep-sha1-mgf-sha256")
        || has(".unsigned")
    {
        Some("Response signature invalid")
    } else {
        None
    }
}

#[test]
fn what_others_sign_and_encrypt_is_read_alike() {
    let key = decryption_key();
    let expected = Expected { encryption: Encryption { keys: &[&key], required: false }, ..expected() };
    let (mut accepted, mut refused) = (0, 0);
    for (name, xml) in vectors() {
        let result = check(&name, &xml, &expected);
        match fault(&name) {
            None => {
                says_who_it_is(&result.unwrap_or_else(|error| panic!("{name}: {error:?}")));
                accepted += 1;
            }
            Some(message) => {
                assert_eq!(result.map(|it| it.id).unwrap_err().to_string(), message, "{name}");
                refused += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (33, 9));
}

fn says_who_it_is(assertion: &VerifiedAssertion) {
    assert_eq!(assertion.id, "_assertion");
    assert_eq!((assertion.subject.as_str(), assertion.subject_type()), ("alice", "persistent"));
    assert_eq!(assertion.role_session_name, "alice@example.com");
    assert_eq!(assertion.recipient, "https://signin.aws.amazon.com/saml");
    assert_eq!(assertion.audiences, ["urn:amazon:webservices"]);
    assert_eq!(assertion.tags.len(), 1);
    assert_eq!(
        (assertion.tags[0].key.as_str(), assertion.tags[0].value.as_str()),
        ("Team", "blue & <green>")
    );
    assert_eq!(assertion.attributes["urn:oid:1.3.6.1.4.1.5923.1.1.1.1"], ["staff", "member"]);
}

#[test]
fn sha_1_counts_where_it_is_switched_on_and_not_where_it_is_not() {
    let on = Expected { sha1: true, ..expected() };
    for name in [
        "signxml.rsa-sha1.sha1.rsa2048",
        "signxml.rsa-sha256.sha1.rsa2048",
        "signxml.rsa-sha1.sha256.rsa2048",
    ] {
        let xml = file(&format!("{name}.xml"));
        says_who_it_is(&check(name, &xml, &on).unwrap());
        let error = check(name, &xml, &expected()).unwrap_err();
        assert_eq!(error.reason(), Some("signed with SHA-1, which is switched off"), "{name}");
    }
}

#[test]
fn another_providers_key_does_not_verify() {
    let name = "signxml.rsa-sha256.sha256.rsa2048";
    let xml = file(&format!("{name}.xml"));
    check(name, &xml, &expected()).unwrap();
    for key in ["rsa1024", "p256", "p384", "p521"] {
        let error = check(key, &xml, &expected()).unwrap_err();
        assert_eq!(error.reason(), Some("the signature is of none of the keys in the metadata"), "{key}");
    }
}

/// One changed letter anywhere in what is said, in every vector that is not encrypted.
#[test]
fn what_is_changed_after_signing_is_refused() {
    let mut count = 0;
    for (name, xml) in vectors() {
        if fault(&name).is_some() || name.starts_with("encrypted") {
            continue;
        }
        for (from, to) in [
            (">alice<", ">alicf<"),
            ("role/Reader", "role/Writer"),
            ("nameid-format:persistent", "nameid-format:transient"),
            ("T12:04:30", "T13:04:30"),
            (">staff<", "> staff<"),
        ] {
            assert!(xml.contains(from), "{name}: {from}");
            let error = check(&name, &xml.replace(from, to), &expected()).unwrap_err();
            assert_eq!(error.to_string(), "Response signature invalid", "{name}: {from}");
            count += 1;
        }
    }
    assert!(count >= 5 * 15, "{count}");
}

#[test]
fn every_byte_of_an_encrypted_assertion_counts() {
    let key = decryption_key();
    let expected = Expected { encryption: Encryption { keys: &[&key], required: false }, ..expected() };
    for name in ["encrypted.aes256-cbc.mgf1p.rsa2048", "encrypted.aes256-gcm.mgf1p.rsa2048"] {
        let xml = file(&format!("{name}.xml"));
        check(name, &xml, &expected).unwrap();
        let values: Vec<usize> = xml.match_indices("CipherValue>").map(|(at, _)| at + 12).collect();
        let (key_starts, data_starts) = (values[0].min(values[2]), values[0].max(values[2]));
        for (start, offsets) in [(key_starts, vec![0, 100, 300]), (data_starts, vec![0, 10, 30, 300, 2000])] {
            for offset in offsets {
                let at = (start + offset..).find(|at| xml.as_bytes()[*at].is_ascii_alphanumeric()).unwrap();
                let other = if xml.as_bytes()[at] == b'A' { "B" } else { "A" };
                let changed = format!("{}{other}{}", &xml[..at], &xml[at + 1..]);
                let error = check(name, &changed, &expected).unwrap_err();
                // One answer, however far it got.
                assert_eq!(
                    (error.to_string().as_str(), error.reason()),
                    (
                        "Response signature invalid",
                        Some("the assertion cannot be decrypted, or what is in it does not verify")
                    ),
                    "{name} {offset}"
                );
            }
        }
    }
}

//! SAML responses: of all that may be sent, what verifies says what the vectors say that were signed.
#![no_main]

use std::sync::LazyLock;

use data_encoding::BASE64;
use daypass_authn::SystemRandom;
use daypass_authn::saml::{DecryptionKey, Encryption, Expected, Metadata, verify};
use daypass_fuzz::noon;
use libfuzzer_sys::fuzz_target;

static METADATA: LazyLock<[Metadata; 2]> = LazyLock::new(|| {
    [
        include_str!("../../crates/authn/tests/it/saml/vectors/responses/rsa2048.metadata.xml"),
        include_str!("../../crates/authn/tests/it/saml/vectors/responses/p256.metadata.xml"),
    ]
    .map(|text| Metadata::parse(text).expect("metadata"))
});

static KEY: LazyLock<DecryptionKey> = LazyLock::new(|| {
    let pem = include_str!("../../crates/authn/tests/it/saml/vectors/responses/decryption-key.pem");
    DecryptionKey::from_pem(pem).expect("a key")
});

fuzz_target!(|xml: &[u8]| {
    let keys = [&*KEY];
    let encryption = Encryption { keys: &keys, required: false };
    let expected = Expected { encryption, sha1: true, ..Expected::default() };
    for metadata in &*METADATA {
        let verified = verify(&BASE64.encode(xml), metadata, &expected, noon(), &SystemRandom);
        let Ok(assertion) = verified else { continue };
        assert_eq!((assertion.id.as_str(), assertion.subject.as_str()), ("_assertion", "alice"));
        assert_eq!(assertion.role_session_name, "alice@example.com");
        assert_eq!(assertion.role_pairs.len(), 1);
        assert_eq!((assertion.tags.len(), assertion.tags[0].value.as_str()), (1, "blue & <green>"));
        assert_eq!(assertion.recipient, "https://signin.aws.amazon.com/saml");
    }
});

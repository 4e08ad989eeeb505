//! Proofs of machines: as anybody can send them, and with any header and claims over a signature that holds.
//!
//! The first line of an input is the header, the rest the claims; the whole input is a proof, too.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::BASE64URL_NOPAD;
use daypass_authn::machine::{MachineKey, MachineProof, MachinePublicKey, Purpose};
use daypass_fuzz::noon;
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<MachineKey> = LazyLock::new(|| MachineKey::generate().expect("a key pair"));
const CALL: Purpose<'static> = Purpose {
    instance: "arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0",
    action: "GetInstanceMetadata",
    params: &[],
};

fuzz_target!(|text: &str| {
    let now = noon().as_second();
    let verify = |proof: &str| MachineProof::verify(proof, &KEY.public(), &CALL, now);
    assert!(verify(text).is_err(), "nobody has the key");
    if let Some(key) = MachinePublicKey::parse(text) {
        assert_eq!(key.text(), text);
        assert!(MachineProof::verify(text, &key, &CALL, now).is_err());
    }
    let (header, claims) = text.split_once('\n').unwrap_or_default();
    let signed = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes())).join(".");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, KEY.private().expose()).expect("a pair");
    let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
    let proof = format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()));
    if let Ok(held) = verify(&proof) {
        assert_eq!(header, r#"{"typ":"daypass-machine+jwt","alg":"ES256"}"#);
        assert!((16..=64).contains(&held.id.len()));
    }
});

//! OpenID Connect tokens: as anybody can send them, and with any header and claims over a signature that holds.
//!
//! The first line of an input is the header of a token, the rest its claims; the whole input is a token, too.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use data_encoding::BASE64URL_NOPAD;
use daypass_authn::oidc::{Algorithm, KeySet, Token, VerifiedToken};
use daypass_fuzz::noon;
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair"));

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let (x, y) = KEY.public_key().as_ref()[1..].split_at(32);
    let [x, y] = [x, y].map(|half| BASE64URL_NOPAD.encode(half));
    let set = format!(r#"{{"keys":[{{"kty":"EC","kid":"1","crv":"P-256","x":"{x}","y":"{y}"}}]}}"#);
    KeySet::parse(set.as_bytes()).expect("a key set")
});

fn verify(token: &str) -> Option<VerifiedToken> {
    Token::read(token).ok()?.verify(&KEYS, Algorithm::is_common, noon()).ok()
}

fuzz_target!(|text: &str| {
    assert!(verify(text).is_none(), "nobody has the key");
    let (header, claims) = text.split_once('\n').unwrap_or_default();
    let signed = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes())).join(".");
    let signature = KEY.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
    let Some(token) = verify(&format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))) else { return };
    let claims = token.claims();
    assert!(claims.expires_at > noon().as_second() - 301);
    // What a call asks of it next.
    _ = claims.session_tags();
    _ = claims.source_identity();
    _ = claims.names_role("arn:aws:iam::111122223333:role/Reader");
});

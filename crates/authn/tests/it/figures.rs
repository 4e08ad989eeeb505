//! Figures, not tests: `cargo test --release -p daypass-authn --test it -- --ignored figures --nocapture`.

use std::hint::black_box;

use daypass_authn::SystemRandom;
use daypass_authn::sigv4::{HttpRequest, Presented, Rules, SigningKey, SigningKeyCache, presented, verify};

use crate::support::{noon, secret, signed, sts_post};
use crate::tokens::{POLICY, access_key_id, keyring, role_session};

/// Best of many rounds, in nanoseconds a call.
#[expect(clippy::disallowed_methods, reason = "measures")]
fn best(name: &str, mut call: impl FnMut()) {
    let rounds = (0..40).map(|_| {
        let start = std::time::Instant::now();
        for _ in 0..2000 {
            call();
        }
        start.elapsed().as_nanos() / 2000
    });
    println!("{:>8} ns  {name}", rounds.min().unwrap());
}

#[test]
#[ignore = "prints figures; run it in release"]
fn figures() {
    let request: HttpRequest = signed(sts_post());
    let rules = Rules::for_service("sts");
    let cache = SigningKeyCache::new(1000);
    let secret = secret();
    let Presented::SigV4(proof) = presented(&request).unwrap() else { panic!("signed") };
    let key = SigningKey::derive(&secret, &proof.scope);
    best("presented", || drop(black_box(presented(black_box(&request)))));
    best("verify, key at hand", || drop(black_box(verify(&request, &proof, &rules, &key, noon()))));
    best("signing key from the cache", || drop(black_box(cache.key(&secret, &proof.scope))));
    best("signing key derived", || drop(black_box(SigningKey::derive(&secret, &proof.scope))));
    best("presented + cache + verify", || {
        let Ok(Presented::SigV4(proof)) = presented(black_box(&request)) else { return };
        let key = cache.key(&secret, &proof.scope);
        drop(black_box(verify(&request, &proof, &rules, &key, noon())));
    });

    let (keyring, id) = (keyring(), access_key_id());
    let with_policy = role_session();
    let plain = daypass_authn::token::SessionClaims { layers: Vec::new(), ..role_session() };
    for (name, claims) in [("no policy", &plain), ("150-byte policy", &with_policy)] {
        let token = keyring.seal(claims, &id, 0, &SystemRandom).unwrap().token;
        best(&format!("seal, {name} ({} characters)", token.len()), || {
            drop(black_box(keyring.seal(claims, &id, 0, &SystemRandom)));
        });
        best(&format!("open, {name}"), || drop(black_box(keyring.open(&token, &id))));
    }
    assert!(!POLICY.is_empty());
}

//! Discovery documents of OpenID Connect providers: what counts is the issuer's own.
#![no_main]

use daypass_authn::oidc::{Discovery, SignInEndpoints};
use libfuzzer_sys::fuzz_target;

const ISSUER: &str = "https://issuer.example/realm";

fuzz_target!(|bytes: &[u8]| {
    if let Ok(discovery) = Discovery::parse(bytes, ISSUER) {
        assert!(!discovery.key_set_url.is_empty());
        assert!(Discovery::parse(bytes, "https://another.example").is_err());
    }
    if SignInEndpoints::parse(bytes, ISSUER).is_ok() {
        assert!(SignInEndpoints::parse(bytes, "https://another.example").is_err());
    }
});

//! Key sets of OpenID Connect providers: whatever a server sends becomes keys or an error.
#![no_main]

use daypass_authn::oidc::KeySet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(keys) = KeySet::parse(bytes) {
        // A token that names no key finds one where there is one alone.
        assert!(!keys.knows(None) || bytes.len() > 40);
        _ = keys.knows(Some("1"));
    }
});

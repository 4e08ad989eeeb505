//! Canonicalization: the canonical form of a document is its own canonical form.
#![no_main]

use daypass_authn::saml::fuzzing::canonical_form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(once) = canonical_form(text) {
        assert_eq!(canonical_form(&once).as_ref(), Some(&once));
    }
});

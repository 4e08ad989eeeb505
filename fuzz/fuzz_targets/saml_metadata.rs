//! Metadata of SAML providers: whatever is uploaded becomes a provider with a name and keys, or an error.
#![no_main]

use daypass_authn::saml::Metadata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(metadata) = Metadata::parse(text) {
        assert!(!metadata.entity_id().is_empty());
        assert_eq!(Metadata::parse(text).as_ref(), Ok(&metadata));
        // Nothing behind the document counts.
        assert_eq!(Metadata::parse(&format!("{text}\n")).as_ref(), Ok(&metadata));
    }
});

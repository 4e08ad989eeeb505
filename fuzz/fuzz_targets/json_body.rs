//! Bodies of our own API (AWS JSON 1.1), read as the input of each of its operations.
#![no_main]

use daypass_service::params::Params;
use daypass_service::shapes::OPERATIONS;
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;

fuzz_target!(|body: &[u8]| {
    let Ok(params) = Params::from_json(body) else { return };
    for operation in OPERATIONS.iter().filter(|operation| operation.service.name == "daypass") {
        let strict = params.read::<IgnoredAny>(operation, false);
        assert!(strict.is_err() || params.read::<IgnoredAny>(operation, true).is_ok(), "{}", operation.name);
    }
});

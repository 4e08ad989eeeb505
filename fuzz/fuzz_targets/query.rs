//! Query bodies: pairs, tree, and the input of the operation they name, or of every operation.
#![no_main]

use daypass_server::wire::query;
use daypass_service::params::Params;
use daypass_service::shapes::OPERATIONS;
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;

fuzz_target!(|body: &[u8]| {
    let query_string = std::str::from_utf8(body).unwrap_or_default();
    drop(query::pairs("GET", query_string, b"", b""));
    let Ok(pairs) = query::pairs("POST", "", b"application/x-www-form-urlencoded", body) else { return };
    let action = pairs.iter().find(|(name, _)| name == "Action").map(|(_, value)| value.clone());
    let rest = pairs.into_iter().filter(|(name, _)| name != "Action" && name != "Version").collect();
    let Ok(params) = Params::from_pairs(rest) else { return };
    let named = |name: &str| action.as_deref().is_none_or(|action| action == name);
    for operation in OPERATIONS.iter().filter(|operation| named(operation.name)) {
        let strict = params.read::<IgnoredAny>(operation, false);
        let lenient = params.read::<IgnoredAny>(operation, true);
        // A call that writes is never read more generously than one that does not.
        assert!(strict.is_err() || lenient.is_ok(), "{}", operation.name);
    }
});

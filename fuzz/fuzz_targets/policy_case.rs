//! A whole question to the policy engine: request, context and policies in one line of JSON.
#![no_main]

use daypass_policy::case::Case;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let Ok(case) = Case::parse(line) else { return };
    assert_eq!(case.explain().decision.effect, case.decide().effect);
});

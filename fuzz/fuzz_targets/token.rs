//! Session tokens and sealed messages as anybody can send them: nothing opens but what was sealed.
#![no_main]

use daypass_authn::token::Purpose;
use daypass_fuzz::{access_key_id, keyring};
use libfuzzer_sys::fuzz_target;

/// The golden tokens, each with its secret on a second line: the only texts that may open.
const GOLDEN: [&str; 5] = [
    include_str!("../../crates/authn/tests/golden/token-v1-federated.txt"),
    include_str!("../../crates/authn/tests/golden/token-v1-full.txt"),
    include_str!("../../crates/authn/tests/golden/token-v1-padded.txt"),
    include_str!("../../crates/authn/tests/golden/token-v1-role.txt"),
    include_str!("../../crates/authn/tests/golden/token-v1-root.txt"),
];

fuzz_target!(|text: &str| {
    let keyring = keyring();
    let opened = keyring.open(text, &access_key_id());
    assert_eq!(opened.is_ok(), GOLDEN.iter().any(|golden| golden.lines().next() == Some(text)), "{text}");
    assert!(opened.is_err() || keyring.knows_key_of(text));
    for purpose in [Purpose::SignInToken, Purpose::AuthorizationMessage, Purpose::PaginationMarker] {
        assert!(keyring.open_message(purpose, b"111122223333", text).is_err());
    }
});

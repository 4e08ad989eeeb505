//! The compact form of session claims, behind a seal that is right.
#![no_main]

use daypass_fuzz::{access_key_id, keyring, seal};
use daypass_model::SeededRandom;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|plain: &[u8]| {
    let (keyring, id) = (keyring(), access_key_id());
    let Some(token) = seal(plain) else { return };
    let Ok(opened) = keyring.open(&token, &id) else { return };
    // What was read says the same when it is written again.
    let Ok(sealed) = keyring.seal(&opened.claims, &id, 0, &SeededRandom::new(1)) else { return };
    let again = keyring.open(&sealed.token, &id).expect("what we sealed opens");
    assert_eq!(again.claims, opened.claims);
    assert_eq!(again.secret_access_key, opened.secret_access_key);
});

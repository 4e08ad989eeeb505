//! A token that was changed in any way is one error and nothing else.

use data_encoding::BASE64_NOPAD;
use daypass_authn::token::BadToken;
use daypass_model::SeededRandom;
use proptest::prelude::*;

use crate::tokens::{access_key_id, keyring, role_session};

fn token(seed: u64) -> String {
    keyring().seal(&role_session(), &access_key_id(), 0, &SeededRandom::new(seed)).unwrap().token
}

fn refused(token: &str) -> bool {
    keyring().open(token, &access_key_id()).is_err_and(|error| error == BadToken)
}

#[test]
fn every_bit_flip_is_refused() {
    let good = token(1);
    let bytes = BASE64_NOPAD.decode(good.as_bytes()).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(refused(&BASE64_NOPAD.encode(&changed)), "bit {bit} of the bytes");
    }
    for bit in 0..good.len() * 8 {
        let mut changed = good.clone().into_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = String::from_utf8(changed) {
            assert!(refused(&changed), "bit {bit} of the text");
        }
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let good = token(1);
    for at in 0..good.len() {
        assert!(refused(&good[..at]), "first {at}");
        assert!(at == 0 || refused(&good[at..]), "without the first {at}");
    }
    for more in ["A", "AAAA", "=", "==", "\n", " ", "."] {
        assert!(refused(&format!("{good}{more}")), "{more:?} behind");
        assert!(refused(&format!("{more}{good}")), "{more:?} in front");
    }
    assert!(refused(&"A".repeat(4096)));
    assert!(refused(&"A".repeat(10_000_000)));
}

#[test]
fn every_splice_of_two_tokens_is_refused() {
    let (a, b) = (token(1), token(2));
    assert_eq!(a.len(), b.len());
    for at in 1..a.len() {
        let spliced = format!("{}{}", &a[..at], &b[at..]);
        assert!(spliced == a || spliced == b || refused(&spliced), "{at}");
    }
    assert!(refused(&format!("{a}{b}")));
}

#[test]
fn a_token_works_with_its_access_key_only() {
    let good = token(1);
    for other in ["ASIAQNZGKIQY56JQ7WMM", "AKIAQNZGKIQY56JQ7WML", "ASIAQNZGKIQY56JQ7WMLA"] {
        assert_eq!(keyring().open(&good, &other.parse().unwrap()).unwrap_err(), BadToken);
    }
}

#[test]
fn other_spellings_of_the_same_bytes_are_refused() {
    let good = token(1);
    let url_safe = good.replace('+', "-").replace('/', "_");
    assert!(url_safe == good || refused(&url_safe));
    let broken = format!("{}\n{}", &good[..64], &good[64..]);
    for spelling in [broken, format!(" {good}"), format!("{good}===="), good.replace('A', "%41")] {
        assert!(spelling == good || refused(&spelling));
    }
}

#[test]
fn a_token_of_another_keyring_is_refused() {
    let other = daypass_authn::token::Keyring::generate(&SeededRandom::new(12), 0);
    let foreign = other.seal(&role_session(), &access_key_id(), 0, &SeededRandom::new(1)).unwrap();
    assert!(refused(&foreign.token));
    assert!(!keyring().knows_key_of(&foreign.token));
    assert!(!keyring().knows_key_of("garbage"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}|[A-Za-z0-9+/]{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(refused(&text));
        // With our version and key id in front, so that it reaches the cipher.
        let head = &BASE64_NOPAD.decode(token(1).as_bytes()).unwrap()[..5];
        prop_assert!(refused(&BASE64_NOPAD.encode(&[head, &bytes].concat())));
    }
}

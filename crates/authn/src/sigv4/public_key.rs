//! The key pair of Signature Version 4A, of which a verifier needs the public half.
//!
//! It follows from access key id and secret alone, so it is good on every day, in every region and for every service.
//! What the derivation is, AWS publishes as code and vectors only: `aws-c-auth`, `source/key_derivation.c`. It is
//! NIST SP 800-108 in counter mode with HMAC-SHA-256, tried until the number is a private key of P-256.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use data_encoding::HEXLOWER;
use daypass_model::Secret;
use zeroize::Zeroizing;

use super::Algorithm;
use super::key::hmac;

/// The order of P-256 less two (FIPS 186-4, D.1.2.3), big endian.
const ORDER_LESS_TWO: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];
/// Longest signature in DER: a sequence of two integers of 33 bytes.
const SIGNATURE_BYTES_MAX: usize = 72;

/// Checks signatures of one access key.
pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Derive it; `None` where no try gives a key, whose chance is nil.
    pub(crate) fn derive(secret: &Secret, access_key_id: &str) -> Option<Self> {
        let scalar = private_scalar(secret, access_key_id)?;
        let private = PrivateKey::from_private_key(&ECDH_P256, &*scalar).ok()?;
        let public = private.compute_public_key().ok()?;
        ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public.as_ref()).ok().map(Self)
    }

    /// Whether this lower-case hex of a DER signature is one of the text. Of a signature (r, s) there is always a
    /// second, (r, n − s), which anybody can make of the first: both hold, and neither names the request.
    pub(crate) fn holds(&self, string_to_sign: &[u8], signature: &str) -> bool {
        if signature.len() > 2 * SIGNATURE_BYTES_MAX {
            return false;
        }
        let Ok(der) = HEXLOWER.decode(signature.as_bytes()) else { return false };
        self.0.verify_sig(string_to_sign, &der).is_ok()
    }
}

/// ```text
/// v(c) = HMAC-SHA256("AWS4A" secret, 00000001 "AWS4-ECDSA-P256-SHA256" 00 access-key-id c 00000100)
/// d    = v(c) + 1 of the first c = 1, 2, … 254 with v(c) ≤ n − 2
/// ```
fn private_scalar(secret: &Secret, access_key_id: &str) -> Option<Zeroizing<[u8; 32]>> {
    let key = Zeroizing::new([b"AWS4A", secret.expose()].concat());
    let label = Algorithm::SigV4A.as_str().as_bytes();
    (1..=254_u8).find_map(|counter| {
        let input = [
            &1_u32.to_be_bytes()[..],
            label,
            &[0],
            access_key_id.as_bytes(),
            &[counter],
            &256_u32.to_be_bytes(),
        ];
        let number = hmac(&key, &input.concat());
        // Compared byte by byte: that takes longer only for one number in 2³², which is tried again anyway.
        (*number <= ORDER_LESS_TWO).then(|| plus_one(number))
    })
}

/// No carry is left: the number is less than the order.
fn plus_one(mut number: Zeroizing<[u8; 32]>) -> Zeroizing<[u8; 32]> {
    for byte in number.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `aws-c-auth`, `tests/key_derivation_tests.c`.
    #[test]
    fn the_published_key_pair_is_derived() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let scalar = private_scalar(&secret, "AKIDEXAMPLE").unwrap();
        assert_eq!(
            HEXLOWER.encode(&*scalar),
            "7efc8c0e65a324242818c5a50c891c6060b6a00717b7ba3cbe3c5d765be9259c"
        );
        let public = PublicKey::derive(&secret, "AKIDEXAMPLE").unwrap();
        assert_eq!(
            HEXLOWER.encode(public.0.as_ref()),
            "04b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1\
             865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518"
        );
    }

    #[test]
    fn one_is_added_with_its_carry() {
        let mut number = [0; 32];
        number[30..].copy_from_slice(&[0x12, 0xff]);
        let mut next = [0; 32];
        next[30..].copy_from_slice(&[0x13, 0x00]);
        assert_eq!(*plus_one(Zeroizing::new(number)), next);
    }
}

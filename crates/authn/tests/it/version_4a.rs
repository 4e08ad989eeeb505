//! Signature Version 4A: the set of regions, and what ECDSA brings with it. `published` has AWS's signatures.

use data_encoding::HEXLOWER;
use daypass_authn::sigv4::{AuthError, HttpRequest, Rules, VerifyingKey, explain, verify};

use crate::support::{
    SECRET, check, check_sts, noon, presigned_4a, proof, replace, secret, signature_4a, signed, signed_4a,
    signed_4a_over, sts_get, sts_post,
};

#[test]
fn the_set_of_regions_must_be_there_signed_and_hold_the_serving_region() {
    let serving = |request: &HttpRequest, region| {
        check(request, &Rules { region, ..Rules::for_service("sts") }, noon()).map(|_| ())
    };
    for (regions, good) in [
        ("us-east-1", true),
        ("us-west-2,us-east-1", true),
        ("us-west-2, us-*", true),
        ("*", true),
        ("us-west-2", false),
        ("eu-*,us-west-2", false),
    ] {
        for request in [signed_4a(sts_post(), "sts", regions), presigned_4a(sts_get(), "sts", regions)] {
            let outcome = serving(&request, Some("us-east-1"));
            let refusal = AuthError::Scope { region: true, service: None };
            assert_eq!(outcome, if good { Ok(()) } else { Err(refusal) }, "{regions}");
            // An endpoint that serves every region is in every set.
            assert_eq!(serving(&request, None), Ok(()), "{regions}");
        }
    }
    let problem = |request: &HttpRequest| match check_sts(request).unwrap_err() {
        AuthError::RegionSet { problem } => problem,
        other => panic!("{other:?}"),
    };
    for regions in ["", " ", ",", "us-east-1,,eu-west-1", "US-EAST-1"] {
        assert!(problem(&signed_4a(sts_post(), "sts", regions)).contains("comma-separated"), "{regions}");
    }
    let absent = signed_4a_over(sts_post(), "sts", None);
    assert_eq!(problem(&absent), "AWS4-ECDSA-P256-SHA256 requires 'X-Amz-Region-Set'.");
    let unsigned = sts_post().with_header("x-amz-region-set", "*");
    let unsigned = signed_4a_over(unsigned, "sts", Some("content-type;host;x-amz-date"));
    assert_eq!(problem(&unsigned), "'X-Amz-Region-Set' must be a 'SignedHeader' in the AWS Authorization.");
    let mut elsewhere = presigned_4a(sts_get(), "sts", "*");
    elsewhere.headers.push(("x-amz-region-set".into(), b"*".to_vec()));
    assert_eq!(problem(&elsewhere), "'X-Amz-Region-Set' of a presigned request is a parameter.");
    let version_4 = signed(sts_post().with_header("x-amz-region-set", "*"));
    assert_eq!(problem(&version_4), "'X-Amz-Region-Set' belongs to AWS4-ECDSA-P256-SHA256.");
    let twice = signed_4a(sts_post(), "sts", "*").with_header("X-Amz-Region-Set", "*");
    assert_eq!(check_sts(&twice).unwrap_err(), AuthError::RepeatedField { name: "X-Amz-Region-Set" });
}

#[test]
fn one_region_is_the_requests_region_and_several_are_none() {
    for (regions, region) in [("eu-west-1", "eu-west-1"), ("eu-*", ""), ("*", ""), ("a-1,b-2", "")] {
        assert_eq!(proof(&signed_4a(sts_post(), "sts", regions)).unwrap().region(), region);
    }
    assert_eq!(proof(&signed(sts_post())).unwrap().region(), "us-east-1");
}

/// The order of P-256 (FIPS 186-4, D.1.2.3).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/// The numbers of a signature, 32 bytes each.
fn numbers(der: &[u8]) -> [[u8; 32]; 2] {
    let mut rest = &der[2..];
    std::array::from_fn(|_| {
        let length = usize::from(rest[1]);
        let (number, after) = rest[2..].split_at(length);
        rest = after;
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().rev().zip(number.iter().rev()) {
            *to = *from;
        }
        out
    })
}

/// A DER integer with `zeros` more zero bytes in front than there should be.
fn integer(number: &[u8], zeros: usize) -> Vec<u8> {
    let digits: Vec<u8> = number.iter().copied().skip_while(|&byte| byte == 0).collect();
    let sign = usize::from(digits[0] >= 0x80);
    let value = [vec![0; sign + zeros], digits].concat();
    [&[0x02, u8::try_from(value.len()).unwrap()], &value[..]].concat()
}

fn der(r: &[u8], s: &[u8], zeros: usize) -> Vec<u8> {
    let body = [integer(r, zeros), integer(s, zeros)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

/// The order less a number.
fn negated(number: &[u8; 32]) -> [u8; 32] {
    let order = HEXLOWER.decode(ORDER.as_bytes()).unwrap();
    let mut out = [0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i16::from(order[at]) - i16::from(number[at]) - borrow;
        borrow = i16::from(digit < 0);
        out[at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    out
}

fn with_signature(request: &HttpRequest, signature: &str) -> HttpRequest {
    let mut request = request.clone();
    replace(&mut request, "authorization", |text| {
        format!("{}Signature={signature}", text.split("Signature=").next().unwrap())
    });
    request
}

#[test]
fn the_twin_of_a_signature_names_the_same_request() {
    let request = signed_4a(sts_post(), "sts", "*");
    let one = HEXLOWER.decode(explain(&request, &secret()).unwrap().given_signature.as_bytes()).unwrap();
    let [r, s] = numbers(&one);
    assert_eq!(der(&r, &s, 0), one, "the reader and the writer of this test agree");
    let twin = der(&r, &negated(&s), 0);
    assert_ne!(twin, one);
    // AWS's signers make both kinds, so both verify; who keeps what it has seen by its name knows the twin.
    let twin = with_signature(&request, &HEXLOWER.encode(&twin));
    let name = |request: &HttpRequest| check_sts(request).unwrap().signature_hash();
    assert_eq!(name(&twin), name(&request));
    // Another request, and the same one signed by another key, have other names.
    assert_ne!(name(&signed_4a(sts_post(), "sts", "eu-*")), name(&request));
    let other_key = VerifyingKey::derive(&secret(), &{
        let mut proof = proof(&request).unwrap();
        proof.access_key_id = "AKIAOTHER".into();
        proof
    });
    let proof = proof(&request).unwrap();
    let outcome = verify(&request, &proof, &Rules::for_service("sts"), || &other_key, noon());
    assert_eq!(outcome.unwrap_err(), AuthError::SignatureDoesNotMatch, "a key pair belongs to its id");
}

#[test]
fn a_signature_has_one_spelling() {
    let request = signed_4a(sts_post(), "sts", "*");
    let good = explain(&request, &secret()).unwrap().given_signature;
    let bytes = HEXLOWER.decode(good.as_bytes()).unwrap();
    let [r, s] = numbers(&bytes);
    let order = HEXLOWER.decode(ORDER.as_bytes()).unwrap();
    let (zero, one) = ([0; 32], {
        let mut one = [0; 32];
        one[31] = 1;
        one
    });
    let raw = [r, s].concat();
    let number = |text: &[u8]| [&[0x02, u8::try_from(text.len()).unwrap()], text].concat();
    let zero_both = [&[0x30, 6][..], &number(&[0]), &number(&[0])].concat();
    let mut long_form = vec![0x30, 0x81];
    long_form.extend_from_slice(&bytes[1..]);
    let trailing = [&bytes[..], &[0]].concat();
    let mut inside = bytes.clone();
    inside[1] += 1;
    inside.push(0);
    for (what, bad) in [
        ("nothing", String::new()),
        ("capital letters", good.to_uppercase()),
        ("half a byte less", good[..good.len() - 1].to_owned()),
        ("base64", data_encoding::BASE64.encode(&bytes)),
        ("r and s alone", HEXLOWER.encode(&raw)),
        ("zeros in front of the numbers", HEXLOWER.encode(&der(&r, &s, 1))),
        ("a length in the long form", HEXLOWER.encode(&long_form)),
        ("a byte behind", HEXLOWER.encode(&trailing)),
        ("a byte behind, inside", HEXLOWER.encode(&inside)),
        ("r and s are zero", HEXLOWER.encode(&zero_both)),
        ("s is the order", HEXLOWER.encode(&der(&r, &order, 0))),
        ("r is the order", HEXLOWER.encode(&der(&order, &s, 0))),
        ("r and s are one", HEXLOWER.encode(&der(&one, &one, 0))),
        ("r and s exchanged", HEXLOWER.encode(&der(&s, &r, 0))),
        ("the half of it", good[..64].to_owned()),
        ("an HMAC", "0".repeat(64)),
        ("very long", "30".repeat(4000)),
    ] {
        let refused = check_sts(&with_signature(&request, &bad)).unwrap_err();
        assert_eq!(refused, AuthError::SignatureDoesNotMatch, "{what}");
    }
    assert_eq!(zero.len(), 32);
    check_sts(&with_signature(&request, &good)).unwrap();
}

#[test]
fn an_hmac_is_no_signature_of_version_4a_and_the_other_way_round() {
    // The string to sign names its algorithm; nothing that was signed for one counts for the other.
    let v4 = signed(sts_post());
    let mut as_4a = v4.clone();
    replace(&mut as_4a, "authorization", |text| {
        text.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256").replace("/us-east-1/", "/")
    });
    as_4a.headers.push(("x-amz-region-set".into(), b"*".to_vec()));
    assert!(matches!(check_sts(&as_4a).unwrap_err(), AuthError::RegionSet { .. }));
    let of_4 = explain(&v4, &secret()).unwrap().string_to_sign;
    let forged = with_signature(&v4, &signature_4a(SECRET, &proof(&v4).unwrap(), &of_4));
    assert_eq!(check_sts(&forged).unwrap_err(), AuthError::SignatureDoesNotMatch);
}

#[test]
fn explain_shows_the_texts_of_version_4a_and_names_mistakes() {
    let mut request = signed_4a(sts_post(), "sts", "eu-*");
    let explained = explain(&request, &secret()).unwrap();
    assert!(explained.matches && explained.expected_signature.is_none());
    assert!(explained.canonical_request.contains("\nx-amz-region-set:eu-*\n"));
    assert!(
        explained
            .string_to_sign
            .starts_with("AWS4-ECDSA-P256-SHA256\n20260115T120000Z\n20260115/sts/aws4_request\n")
    );
    replace(&mut request, "host", |host| format!("{host}:443"));
    let explained = explain(&request, &secret()).unwrap();
    assert!(!explained.matches);
    assert!(explained.difference.unwrap().contains("the host was signed as `sts.us-east-1.amazonaws.com`"));
    let mut appended = presigned_4a(sts_get(), "sts", "*");
    appended.query.push_str("&X-Amz-Security-Token=late");
    check_sts(&appended).unwrap();
    assert!(explain(&appended, &secret()).unwrap().difference.unwrap().contains("after signing"));
}

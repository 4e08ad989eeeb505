//! Which keys of a provider's set count.

use data_encoding::BASE64;
use daypass_authn::oidc::{
    Algorithm, Discovery, IssuerKey, IssuerKeys, KeySet, NoDiscovery, SigningAlgorithm,
};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};

use super::issuer::{Key, key_set};

fn knows(keys: &[Value], id: Option<&str>) -> bool {
    KeySet::parse(&key_set(keys)).unwrap().knows(id)
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

#[test]
fn a_key_is_found_by_its_id_and_the_only_one_without() {
    let (a, b) = (Key::generate(Algorithm::Es256).jwk("a"), Key::generate(Algorithm::Es256).jwk("b"));
    assert!(knows(std::slice::from_ref(&a), None));
    let both = [a, b];
    assert!(knows(&both, Some("a")) && knows(&both, Some("b")));
    assert!(!knows(&both, None) && !knows(&both, Some("c")) && !knows(&both, Some("A")));
    assert!(!knows(&[], None));
}

#[test]
fn keys_that_are_not_for_signatures_or_have_no_id_do_not_count() {
    let key = Key::generate(Algorithm::Es256).jwk("a");
    let without_id = |key: &Value| {
        let mut key = key.clone();
        key.as_object_mut().unwrap().remove("kid");
        key
    };
    for unusable in [
        without_id(&key),
        with(key.clone(), "kid", json!("")),
        with(key.clone(), "kid", json!(1)),
        with(key.clone(), "use", json!("enc")),
        with(key.clone(), "key_ops", json!(["verify"])),
        with(key.clone(), "d", json!("AAAA")),
        with(key.clone(), "crv", json!("P-384")),
        with(key.clone(), "crv", json!("secp256k1")),
        with(key.clone(), "kty", json!("oct")),
        with(key.clone(), "kty", json!("ec")),
        with(key.clone(), "x", json!("AAAA")),
        with(key.clone(), "y", key["x"].clone()),
        with(key.clone(), "y", json!("")),
        with(key.clone(), "x5c", json!([])),
        with(key.clone(), "x5c", json!(["AAAA"])),
        json!({"kty": "oct", "kid": "a", "k": "AAAA"}),
        json!({"kty": "EC", "kid": "a"}),
        json!({"kty": "RSA", "kid": "a", "n": "", "e": ""}),
        json!("a"),
    ] {
        assert!(!knows(std::slice::from_ref(&unusable), Some("a")), "{unusable}");
        assert!(knows(&[unusable.clone(), key.clone()], Some("a")), "{unusable} beside a good one");
    }
    assert!(knows(&[with(key, "alg", json!("RS256"))], Some("a")), "a key's own alg is not asked");
}

#[test]
fn the_later_of_two_keys_with_one_id_counts() {
    let (old, new) = (Key::generate(Algorithm::Es256), Key::generate(Algorithm::Rs256));
    let keys = KeySet::parse(&key_set(&[old.jwk("a"), new.jwk("a")])).unwrap();
    assert_eq!(keys.len(), 1);
    let now = jiff::Timestamp::from_second(1_000).unwrap();
    let claims = json!({"iss": "i", "sub": "s", "aud": "a", "iat": 1_000, "exp": 2_000});
    let verify = |token: &str| {
        daypass_authn::oidc::Token::read(token).unwrap().verify(&keys, Algorithm::is_common, now).is_ok()
    };
    assert!(verify(&new.sign(&json!({"alg": "RS256", "kid": "a"}), &claims)));
    assert!(!verify(&old.sign(&json!({"alg": "ES256", "kid": "a"}), &claims)));
}

#[test]
fn a_certificate_must_be_of_the_key_beside_it() {
    let certified = |pair: &KeyPair| {
        let certificate =
            CertificateParams::new(vec!["issuer.example".into()]).unwrap().self_signed(pair).unwrap();
        json!([BASE64.encode(certificate.der())])
    };
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let point = pair.public_key_raw();
    let text = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let key =
        json!({"kty": "EC", "crv": "P-256", "kid": "a", "x": text(&point[1..33]), "y": text(&point[33..])});
    assert!(knows(&[with(key.clone(), "x5c", certified(&pair))], Some("a")));
    assert!(!knows(&[with(key, "x5c", certified(&other))], Some("a")));
    let rsa = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let numbers =
        Key::Rsa(Box::new(aws_lc_rs::signature::RsaKeyPair::from_pkcs8(&rsa.serialize_der()).unwrap()));
    assert!(knows(&[with(numbers.jwk("a"), "x5c", certified(&rsa))], Some("a")));
    assert!(!knows(&[with(numbers.jwk("a"), "x5c", certified(&pair))], Some("a")));
    // An exponent that is another, beside the modulus of the certificate.
    let other = with(numbers.jwk("a"), "e", json!("Aw"));
    assert!(knows(std::slice::from_ref(&other), Some("a")));
    assert!(!knows(&[with(other, "x5c", certified(&rsa))], Some("a")));
    let alone = json!({"kty": "EC", "kid": "a", "x5c": certified(&pair)});
    assert!(!knows(&[alone], Some("a")), "a certificate without the key's numbers");
}

#[test]
fn a_key_of_rsa_may_be_written_with_a_leading_zero_and_has_two_thousand_bits() {
    let Value::String(n) = Key::generate(Algorithm::Rs256).jwk("a")["n"].clone() else { panic!() };
    let decode = |text: &str| data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    let padded = data_encoding::BASE64URL_NOPAD.encode(&[&[0], decode(&n).as_slice()].concat());
    assert!(knows(&[json!({"kty": "RSA", "kid": "a", "n": padded, "e": "AQAB"})], Some("a")));
}

#[test]
fn beyond_a_hundred_keys_of_a_kind_none_of_that_kind_counts() {
    let rsa = Key::generate(Algorithm::Rs256).jwk("rsa");
    let ec = Key::generate(Algorithm::Es256).jwk("ec");
    let many = |key: &Value, count: usize| {
        (0..count).map(|n| with(key.clone(), "kid", json!(format!("{n}")))).collect()
    };
    let mut keys: Vec<Value> = many(&rsa, 100);
    keys.push(ec.clone());
    assert!(knows(&keys, Some("0")) && knows(&keys, Some("ec")));
    keys.push(rsa.clone());
    assert!(!knows(&keys, Some("0")) && !knows(&keys, Some("rsa")) && knows(&keys, Some("ec")));
    let mut keys: Vec<Value> = many(&ec, 100);
    keys.push(rsa);
    assert!(knows(&keys, Some("0")) && knows(&keys, Some("rsa")));
    keys.push(ec);
    assert!(!knows(&keys, Some("0")) && !knows(&keys, Some("ec")) && knows(&keys, Some("rsa")));
}

#[test]
fn what_is_kept_of_a_key_set_is_small_whatever_its_keys_say_of_themselves() {
    let rsa = Key::generate(Algorithm::Rs256).jwk("rsa");
    assert!(knows(&[with(rsa.clone(), "kid", json!("k".repeat(512)))], None));
    assert!(!knows(&[with(rsa.clone(), "kid", json!("k".repeat(513)))], None), "an id too long to keep");
    // A hundred keys of RSA with ids of four thousand bytes and of five hundred.
    let many = |length: usize| -> Vec<Value> {
        (0..100).map(|n| with(rsa.clone(), "kid", json!(format!("{n:0length$}")))).collect()
    };
    let set = KeySet::parse(&key_set(&many(4_000))).unwrap();
    assert_eq!((set.len(), set.bytes()), (0, 0));
    let set = KeySet::parse(&key_set(&many(500))).unwrap();
    assert!(set.len() == 100 && (75_000..100_000).contains(&set.bytes()), "{}", set.bytes());
    for (name, number) in [("n", "_".repeat(1_368)), ("n", "_".repeat(160)), ("e", "_".repeat(12))] {
        assert!(
            !knows(&[with(rsa.clone(), name, json!(number))], None),
            "{name} of {} characters",
            number.len()
        );
    }
}

#[test]
fn what_is_no_key_set_is_refused() {
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, r#"{"keys":null}"#, "<html>"] {
        assert!(KeySet::parse(text.as_bytes()).is_err(), "{text}");
    }
    for (length, is_read) in [(512 * 1024, true), (512 * 1024 + 1, false)] {
        let empty = r#"{"keys":[]}"#;
        let text = format!("{empty}{}", " ".repeat(length - empty.len()));
        assert_eq!(KeySet::parse(text.as_bytes()).is_ok(), is_read, "{length}");
    }
    assert!(KeySet::parse(br#"{"keys":[]}"#).unwrap().is_empty());
    assert!(!KeySet::parse(&key_set(&[Key::generate(Algorithm::Es256).jwk("a")])).unwrap().is_empty());
}

#[test]
fn a_discovery_document_is_of_its_issuer() {
    let issuer = "https://issuer.example/a";
    let parse = |text: &Value| Discovery::parse(text.to_string().as_bytes(), issuer);
    let good = json!({"issuer": issuer, "jwks_uri": "https://issuer.example/keys", "more": [1]});
    assert_eq!(parse(&good).unwrap().key_set_url, "https://issuer.example/keys");
    let padded = good.to_string() + &" ".repeat(128 * 1024 - good.to_string().len());
    assert!(Discovery::parse(padded.as_bytes(), issuer).is_ok());
    assert_eq!(Discovery::parse((padded + " ").as_bytes(), issuer), Err(NoDiscovery::Form));
    for other in ["https://issuer.example/a/", "https://issuer.example", "https://ISSUER.example/a", ""] {
        assert_eq!(parse(&with(good.clone(), "issuer", json!(other))), Err(NoDiscovery::Issuer));
    }
    let empty = json!({"issuer": issuer, "jwks_uri": ""});
    for bad in
        [json!({}), json!({"issuer": issuer}), json!({"issuer": issuer, "jwks_uri": 1}), empty, json!([])]
    {
        assert_eq!(parse(&bad), Err(NoDiscovery::Form), "{bad}");
    }
}

#[test]
fn a_thumbprint_is_the_sha_1_of_a_certificate() {
    // RFC 3174, section 7.3, test 1.
    assert_eq!(daypass_authn::oidc::thumbprint(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

#[test]
fn keys_of_our_own_are_listed_by_role_with_the_names_that_everybody_reads() {
    let key = |created| IssuerKey::generate(created).unwrap();
    let keys = IssuerKeys::new(key(1_000), key(2_000));
    let listed = |keys: &IssuerKeys| -> Vec<(&'static str, i64)> {
        keys.listed().map(|(role, created, _)| (role, created)).collect()
    };
    assert_eq!(listed(&keys), [("active", 1_000), ("next", 2_000)]);
    let keys = keys.rotated(key(3_000)).unwrap();
    assert_eq!(listed(&keys), [("previous", 1_000), ("active", 2_000), ("next", 3_000)]);
    let published: Value = serde_json::from_str(keys.key_set()).unwrap();
    let mut published: Vec<_> =
        published["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    let mut told: Vec<_> = keys.listed().flat_map(|(.., kids)| kids).collect();
    published.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, published);
    let token = keys.token(SigningAlgorithm::parse("ES384").unwrap(), b"{}").unwrap();
    let header = token.expose_str().split('.').next().unwrap();
    let header: Value =
        serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap();
    let (_, _, active) = keys.listed().nth(1).unwrap();
    assert_eq!((header["alg"].as_str(), header["kid"].as_str()), (Some("ES384"), Some(active[1])));
    for name in ["RS256", "ES384"] {
        assert_eq!(SigningAlgorithm::parse(name).unwrap().name(), name);
    }
    assert!(["es384", "ES256", "none", ""].iter().all(|name| SigningAlgorithm::parse(name).is_none()));
}

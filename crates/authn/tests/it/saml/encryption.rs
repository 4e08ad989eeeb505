//! Encrypted assertions: which are taken, from which key, and that nothing tells failures apart.

use data_encoding::BASE64;
use daypass_authn::saml::{DecryptionKey, Encryption, Expected, Received, SamlError, receive};

use super::document::{ASSERTION, IDP, check_as, edited, expected, noon, response, signed};
use super::vectors::{check, decryption_key, file, metadata};

const GCM: &str = "encrypted.aes256-gcm.mgf1p.rsa2048";
const CBC: &str = "encrypted.aes256-cbc.mgf1p.rsa2048";

fn xml(name: &str) -> String {
    file(&format!("{name}.xml"))
}

/// The one answer to everything that fails before a signature holds.
fn undecrypted(error: SamlError) {
    assert_eq!(
        (error.code(), error.to_string().as_str(), error.reason()),
        (
            "InvalidIdentityToken",
            "Response signature invalid",
            Some("the assertion cannot be decrypted, or what is in it does not verify")
        )
    );
}

fn other_key() -> DecryptionKey {
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    DecryptionKey::from_pem(&pair.serialize_pem()).unwrap()
}

#[test]
fn any_of_the_providers_keys_opens() {
    let (ours, other) = (decryption_key(), other_key());
    let with = |keys: &[&DecryptionKey]| {
        check(GCM, &xml(GCM), &Expected { encryption: Encryption { keys, required: false }, ..expected() })
    };
    for keys in [&[&ours][..], &[&ours, &other], &[&other, &ours]] {
        assert_eq!(with(keys).unwrap().subject, "alice");
    }
    undecrypted(with(&[]).unwrap_err());
    undecrypted(with(&[&other]).unwrap_err());
}

#[test]
fn where_encryption_is_required_a_plain_assertion_is_refused() {
    let key = decryption_key();
    let with = |name: &str, required: bool| {
        let encryption = Encryption { keys: &[&key], required };
        check(name, &xml(name), &Expected { encryption, ..expected() })
    };
    with(GCM, true).unwrap();
    with(GCM, false).unwrap();
    with("xmlsec.by-hand.rsa2048", false).unwrap();
    let error = with("xmlsec.by-hand.rsa2048", true).unwrap_err();
    assert_eq!(error.to_string(), "Response must contain an encrypted assertion");
}

#[test]
fn what_is_inside_is_held_to_the_same_rules() {
    let key = decryption_key();
    let with = Expected { encryption: Encryption { keys: &[&key], required: false }, ..expected() };
    let elsewhere = Expected {
        requested: Some(daypass_authn::saml::Requested {
            role_arn: "arn:aws:iam::111122223333:role/W",
            provider_arn: "x",
        }),
        ..with
    };
    assert_eq!(check(GCM, &xml(GCM), &elsewhere).unwrap_err(), SamlError::RoleNotListed);
    check(GCM, &xml(GCM), &with).unwrap();
    for name in ["encrypted.unsigned.mgf1p.rsa2048", "encrypted.unsigned-in-signed-response.mgf1p.rsa2048"] {
        undecrypted(check(name, &xml(name), &with).unwrap_err());
    }
    // Signed, by a key that the metadata lacks.
    undecrypted(check("p256", &xml(GCM), &with).unwrap_err());
}

#[test]
fn the_form_of_encryption_is_fixed() {
    let key = decryption_key();
    let with = Expected { encryption: Encryption { keys: &[&key], required: false }, ..expected() };
    let (gcm, cbc) = (xml(GCM), xml(CBC));
    for (name, text) in [(GCM, &gcm), (CBC, &cbc)] {
        check(name, text, &with).unwrap();
    }
    let start = gcm.find("<xenc:EncryptedKey").unwrap();
    let end = gcm.find("</xenc:EncryptedKey>").unwrap() + "</xenc:EncryptedKey>".len();
    let encrypted_key = &gcm[start..end];
    let beside = encrypted_key.replacen(
        "<xenc:EncryptedKey",
        "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"",
        1,
    );
    let moved = edited(&gcm, encrypted_key, "");
    let moved = edited(&moved, "</e:EncryptedAssertion>", &format!("{beside}</e:EncryptedAssertion>"));
    check(GCM, &moved, &with).unwrap();
    let label = "<xenc:OAEPparams>AAAA</xenc:OAEPparams>";
    let method = "rsa-oaep-mgf1p\"/>";
    for faulty in [
        // Another algorithm than the one that was used, or none that is known.
        edited(&gcm, "xmlenc11#aes256-gcm", "xmlenc11#aes128-gcm"),
        edited(
            &gcm,
            "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
        ),
        edited(
            &gcm,
            "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
        ),
        edited(
            &gcm,
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
            "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
        ),
        edited(
            &gcm,
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
            "http://www.w3.org/2001/04/xmlenc#kw-aes256",
        ),
        // A label, and a mask where the name already says which.
        edited(&gcm, method, &format!("rsa-oaep-mgf1p\">{label}</xenc:EncryptionMethod>")),
        edited(
            &gcm,
            method,
            "rsa-oaep-mgf1p\"><x:MGF xmlns:x=\"http://www.w3.org/2009/xmlenc11#\" Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha1\"/></xenc:EncryptionMethod>",
        ),
        // No key, or two.
        edited(&gcm, encrypted_key, ""),
        edited(&gcm, encrypted_key, &encrypted_key.repeat(2)),
        edited(&gcm, "</e:EncryptedAssertion>", &format!("{beside}</e:EncryptedAssertion>")),
        // No ciphertext, or one by reference.
        edited(&gcm, "CipherValue>", "Value>"),
        edited(&gcm, "xenc:CipherValue>", "xenc:CipherReference>"),
        edited(&gcm, "xenc:EncryptedData", "xenc:Data"),
    ] {
        undecrypted(check(GCM, &faulty, &with).unwrap_err());
    }
    // Ciphertexts of every short length.
    for (name, text) in [(GCM, &gcm), (CBC, &cbc)] {
        let (before, value) = text.rsplit_once("<xenc:CipherValue>").unwrap();
        let (_, after) = value.split_once('<').unwrap();
        for quarters in 0..20 {
            let short = format!("{before}<xenc:CipherValue>{}<{after}", "AAAA".repeat(quarters));
            undecrypted(check(name, &short, &with).unwrap_err());
        }
    }
}

/// An `EncryptedAssertion` of this text, to the key of the vectors.
fn encrypted(plain: &str) -> String {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey};
    use data_encoding::BASE64;
    let body: String = file("decryption-key.pem").lines().filter(|line| !line.starts_with('-')).collect();
    let private = PrivateDecryptingKey::from_pkcs8(&BASE64.decode(body.as_bytes()).unwrap()).unwrap();
    let public = OaepPublicEncryptingKey::new(private.public_key()).unwrap();
    let mut envelope = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA1_MGF1SHA1, &[7; 32], &mut envelope, None).unwrap();
    let mut data = plain.as_bytes().to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key([1; 12]), Aad::empty(), &mut data).unwrap();
    let value = |algorithm: &str, bytes: &[u8]| {
        format!(
            "<e:EncryptionMethod Algorithm=\"{algorithm}\"/>KEY<e:CipherData><e:CipherValue>{}</e:CipherValue></e:CipherData>",
            BASE64.encode(bytes)
        )
    };
    let key = value("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", &envelope).replace("KEY", "");
    let key = format!(
        "<d:KeyInfo xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\"><e:EncryptedKey>{key}</e:EncryptedKey></d:KeyInfo>"
    );
    let data = value("http://www.w3.org/2009/xmlenc11#aes256-gcm", &[&[1; 12], &data[..]].concat());
    format!(
        "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" xmlns:e=\"http://www.w3.org/2001/04/xmlenc#\"><e:EncryptedData>{}</e:EncryptedData></saml:EncryptedAssertion>",
        data.replacen("KEY", &key, 1)
    )
}

#[test]
fn what_is_encrypted_is_one_signed_assertion_and_nothing_else() {
    let key = decryption_key();
    let with = Expected { encryption: Encryption { keys: &[&key], required: true }, ..expected() };
    let check = |plain: &str| check_as(&response(&encrypted(plain)), &with, noon());
    let plain = IDP.sign(ASSERTION);
    assert_eq!(check(&plain).unwrap().subject, "alice");
    // Its namespaces may be declared around it.
    let declared = " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
    assert_eq!(check(&plain.replacen(declared, "", 1)).unwrap().subject, "alice");
    let (close, open) = ("</saml:EncryptedAssertion>", format!("<saml:EncryptedAssertion{declared}>"));
    for faulty in [
        String::new(),
        "text".to_owned(),
        "<x/>".to_owned(),
        ASSERTION.to_owned(),
        super::document::STRANGER.sign(ASSERTION),
        format!("<x/>{plain}"),
        format!("{plain}<x/>"),
        format!(" {plain}"),
        format!("{plain}text"),
        plain.repeat(2),
        format!("<x>{plain}</x>"),
        edited(&plain, "saml:Assertion", "saml:Claim"),
        edited(&plain, ">alice<", ">admin<"),
        format!("{plain}{close}{open}"),
        format!("{close}{open}{plain}"),
        format!("<?xml version=\"1.0\"?>{plain}"),
        format!("<!DOCTYPE x>{plain}"),
        encrypted(&plain),
    ] {
        undecrypted(check(&faulty).unwrap_err());
    }
}

#[test]
fn an_encrypted_assertion_is_the_only_one() {
    let plain = IDP.sign(ASSERTION);
    let both = response(&format!(
        "{plain}<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>"
    ));
    let error = check_as(&both, &expected(), noon()).unwrap_err();
    assert_eq!(error.reason(), Some("more than one assertion"));
    check_as(&signed(ASSERTION), &expected(), noon()).unwrap();
    let inside = response(&format!(
        "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{plain}</saml:EncryptedAssertion>"
    ));
    let error = check_as(&inside, &expected(), noon()).unwrap_err();
    assert_eq!(error.reason(), Some("more than one assertion"));
}

#[test]
fn a_private_key_is_rsa_in_pem_and_alone() {
    let pem = file("decryption-key.pem");
    DecryptionKey::from_pem(&pem).unwrap();
    DecryptionKey::from_pem(&format!("\n{}\r\n", pem.replace('\n', "\r\n"))).unwrap();
    let key = DecryptionKey::from_pem(&pem).unwrap();
    assert_eq!(format!("{key:?}"), "<decryption key>");
    let elliptic = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    let large = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072).unwrap();
    DecryptionKey::from_pem(&large.serialize_pem()).unwrap();
    for bad in [
        String::new(),
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----".to_owned(),
        pem.repeat(2),
        pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        pem.replace("PRIVATE KEY", "RSA PRIVATE KEY"),
        pem.replace("PRIVATE KEY", "PUBLIC KEY"),
        pem.replace("-----END", "-----end"),
        pem[..pem.len() / 2].to_owned(),
        format!("Key-Attributes\n{pem}"),
        elliptic,
        // Of 1,024 bits, by OpenSSL.
        include_str!("vectors/rsa-1024-private-key.pem").to_owned(),
    ] {
        DecryptionKey::from_pem(&bad).unwrap_err();
    }
}

/// The older form, which holds the same key without the name of its algorithm.
#[test]
fn a_private_key_may_be_pkcs_1() {
    use data_encoding::BASE64;
    let pem = file("decryption-key.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pkcs8 = BASE64.decode(body.as_bytes()).unwrap();
    // PrivateKeyInfo: version, algorithm, then the key in an octet string with a length of two bytes.
    let at = pkcs8.windows(2).skip(20).position(|it| it == [4, 0x82]).unwrap() + 20 + 4;
    let pkcs1 = format!(
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
        BASE64.encode(&pkcs8[at..])
    );
    let key = DecryptionKey::from_pem(&pkcs1).unwrap();
    let with = Expected { encryption: Encryption { keys: &[&key], required: false }, ..expected() };
    for name in [GCM, "encrypted.aes256-gcm.oaep-sha256-mgf-sha1.rsa2048"] {
        check(name, &xml(name), &with).unwrap();
    }
}

/// Everything that needs no private key comes before one is used.
#[test]
fn what_no_key_could_open_is_refused_without_one() {
    let key = decryption_key();
    let receive = |xml: &str, keys: &[&DecryptionKey]| {
        let expected = Expected { encryption: Encryption { keys, required: false }, ..expected() };
        receive(&BASE64.encode(xml.as_bytes()), &metadata(GCM), &expected, noon())
    };
    let gcm = xml(GCM);
    assert!(matches!(receive(&gcm, &[&key]), Ok(Received::Encrypted(_))));
    assert!(matches!(receive(&xml("xmlsec.by-hand.rsa2048"), &[&key]), Ok(Received::Verified(_))));
    let (before, value) = gcm.split_once("<xenc:CipherValue>").unwrap();
    let (value, after) = value.split_once('<').unwrap();
    let with = |value: &str| format!("{before}<xenc:CipherValue>{value}<{after}");
    let junk = |length: usize| with(&BASE64.encode(&vec![1; length]));
    assert!(matches!(receive(&junk(256), &[&key]), Ok(Received::Encrypted(_))));
    for refused in [
        receive(&gcm, &[]),
        receive(&junk(255), &[&key]),
        receive(&junk(257), &[&key]),
        receive(&junk(384), &[&key]),
        receive(&with(&value.replacen('A', "*", 1)), &[&key]),
        receive(&edited(&gcm, "rsa-oaep-mgf1p", "rsa-1_5"), &[&key]),
        receive(&edited(&gcm, "xmlenc11#aes256-gcm", "xmlenc11#aes192-gcm"), &[&key]),
    ] {
        undecrypted(refused.err().unwrap());
    }
}

#[test]
fn a_key_is_the_same_however_it_is_written() {
    let (ours, other) = (decryption_key(), other_key());
    assert!(ours.is_same(&decryption_key()) && other.is_same(&other));
    assert!(!ours.is_same(&other) && !other.is_same(&ours));
    assert_eq!((ours.bits(), other.bits()), (2048, 2048));
}

//! Encrypted assertions: opened aside, so many at once, and with which keys.

use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey};
use data_encoding::BASE64;

use daypass_directory::Change;
use daypass_model::Secret;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::examples::{LONG_PRIVATE_KEY, OTHER_PRIVATE_KEY, PRIVATE_KEY};
use crate::saml::{USED, call, invalid, refusal, trust};
use crate::saml_idp::{ASSERTION, IDP, PROVIDER, STRANGER, metadata_of, response};
use crate::support::{ACCOUNT, TestHouse};

/// The response of [`IDP`] with its assertion encrypted to `PRIVATE_KEY`.
fn encrypted() -> String {
    let packed: String = PRIVATE_KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let private = PrivateDecryptingKey::from_pkcs8(&BASE64.decode(packed.as_bytes()).unwrap()).unwrap();
    let public = OaepPublicEncryptingKey::new(private.public_key()).unwrap();
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA1_MGF1SHA1, &[7; 32], &mut wrapped, None).unwrap();
    let mut sealed = IDP.sign(ASSERTION).into_bytes();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
    let nonce = Nonce::assume_unique_for_key([9; 12]);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).unwrap();
    let value = |bytes: &[u8]| {
        let text = BASE64.encode(bytes);
        format!("<x:CipherData><x:CipherValue>{text}</x:CipherValue></x:CipherData>")
    };
    response(&format!(
        r#"<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:x="http://www.w3.org/2001/04/xmlenc#"><x:EncryptedData><x:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"/>{}</x:EncryptedData><x:EncryptedKey><x:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/>{}</x:EncryptedKey></saml:EncryptedAssertion>"#,
        value(&[&[9; 12], sealed.as_slice()].concat()),
        value(&wrapped)
    ))
}

/// A house that trusts [`IDP`], which encrypts to a private key of ours.
async fn new() -> TestHouse {
    let house = TestHouse::new().await;
    let metadata = metadata_of(&IDP.certificate);
    let provider =
        [("Name", "Corp"), ("SAMLMetadataDocument", metadata.as_str()), ("AddPrivateKey", PRIVATE_KEY)];
    house.root("iam", "CreateSAMLProvider", &provider).await;
    let role = [("RoleName", "Reader"), ("AssumeRolePolicyDocument", &trust(&json!({})))];
    house.root("iam", "CreateRole", &role).await;
    house
}

/// Run a test in which nothing is decrypted before it drops what it is given.
fn held_up(test: impl AsyncFnOnce(Sender<()>)) {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (go, held) = channel();
        tokio::task::spawn_blocking(move || held.recv());
        test(go).await;
    });
}

/// Whether nothing has come of it after what can be done at once.
fn waits<T>(call: &mut Pin<Box<impl Future<Output = T>>>) -> bool {
    matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
}

#[test]
fn an_encrypted_assertion_is_opened_where_it_keeps_nobody() {
    held_up(async |go| {
        let (house, encrypted) = (new().await, encrypted());
        let mut opened = Box::pin(call(&house, &encrypted, &[]));
        assert!(waits(&mut opened), "opened on the thread that serves everybody");
        // What no key has to be used for is told at once.
        let other = encrypted.replace("rsa-oaep-mgf1p", "rsa-1_5");
        assert_eq!(refusal(&house, "<a/>", &[]).await, invalid("Invalid base64 SAMLResponse"));
        assert_eq!(refusal(&house, &other, &[]).await, invalid("Response signature invalid"));
        drop(go);
        opened.await.unwrap();
    });
}

#[test]
fn so_many_wait_for_a_decryption_and_who_comes_then_tries_again() {
    held_up(async |go| {
        let (house, encrypted) = (new().await, encrypted());
        let mut waiting: Vec<_> = (0..50).map(|_| Box::pin(call(&house, &encrypted, &[]))).collect();
        assert!(waiting.iter_mut().all(waits));
        assert_eq!(refusal(&house, &encrypted, &[]).await, ("Throttling", "Rate exceeded".into()));
        let event = house.audit.lock().unwrap().pop().unwrap();
        assert_eq!((&event["errorCode"], &event["userIdentity"]), (&json!("Throttling"), &Value::Null));
        drop(go);
        let mut opened = 0;
        for call in waiting {
            match call.await {
                Ok(_) => opened += 1,
                Err(error) => assert_eq!((error.code, error.message), invalid(USED)),
            }
        }
        assert_eq!(opened, 1);
        assert_eq!(refusal(&house, &encrypted, &[]).await, invalid(USED));
    });
}

#[test]
fn what_the_provider_is_after_the_wait_decides() {
    let other = metadata_of(&STRANGER.certificate);
    for (action, change, refusal) in [
        ("UpdateSAMLProvider", Some(("SAMLMetadataDocument", other.as_str())), "Response signature invalid"),
        ("UpdateSAMLProvider", Some(("RemovePrivateKey", "")), "Response signature invalid"),
        ("DeleteSAMLProvider", None, "Specified provider doesn't exist"),
    ] {
        held_up(async |go| {
            let (house, encrypted) = (new().await, encrypted());
            let id = private_key_ids(&house).await.remove(0);
            let mut opened = Box::pin(call(&house, &encrypted, &[]));
            assert!(waits(&mut opened));
            let change =
                change.map(|(name, value)| (name, if value.is_empty() { id.as_str() } else { value }));
            let params: Vec<_> = change.into_iter().chain([("SAMLProviderArn", PROVIDER)]).collect();
            house.root("iam", action, &params).await;
            drop(go);
            let error = opened.await.unwrap_err();
            assert_eq!((error.code, error.message), invalid(refusal), "{action} {change:?}");
        });
    }
}

async fn private_key_ids(house: &TestHouse) -> Vec<String> {
    let shown = house.root("iam", "GetSAMLProvider", &[("SAMLProviderArn", PROVIDER)]).await;
    let keys = shown["PrivateKeyList"].as_array().unwrap();
    keys.iter().map(|key| key["KeyId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_private_key_is_added_once_and_in_its_place_again() {
    let house = new().await;
    let update = async |params: &[(&str, &str)]| {
        let params = [&[("SAMLProviderArn", PROVIDER)], params].concat();
        house.call(&house.root, "iam", "UpdateSAMLProvider", &params).await
    };
    let twice = update(&[("AddPrivateKey", PRIVATE_KEY)]).await.unwrap_err();
    assert_eq!(twice.message, "Invalid private key: the provider has it already");
    update(&[("AddPrivateKey", OTHER_PRIVATE_KEY)]).await.unwrap();
    let before = private_key_ids(&house).await;
    // Written otherwise, and for another that goes.
    let again = format!("{}\n\n", PRIVATE_KEY.replace('\n', "\r\n"));
    for (removed, added, taken) in [
        (&before[1], again.as_str(), false),
        (&before[0], OTHER_PRIVATE_KEY, false),
        (&before[0], &again, true),
    ] {
        let outcome = update(&[("RemovePrivateKey", removed), ("AddPrivateKey", added)]).await;
        assert_eq!(outcome.is_ok(), taken, "{removed} {outcome:?}");
    }
    assert_eq!(private_key_ids(&house).await.len(), 2);
    call(&house, &encrypted(), &[]).await.unwrap();
}

/// Whoever stored one before there was the bound still gets in.
#[tokio::test]
async fn a_longer_private_key_that_is_stored_is_still_read() {
    let house = new().await;
    let directory = &house.house.directory;
    let view = directory.snapshot();
    let provider = view.saml_provider(&PROVIDER.parse().unwrap()).unwrap();
    let (account, pem) = (ACCOUNT.parse().unwrap(), Secret::new(LONG_PRIVATE_KEY));
    let mut record = provider.record.clone();
    record.private_keys.push(directory.new_saml_private_key(account, &record.id, &pem, 0).unwrap());
    let mut change = Change::new("test", &view);
    change.update(account, provider.revision, record);
    directory.commit(change).await.unwrap();
    let view = directory.snapshot();
    let bits: Vec<_> = view
        .saml_provider(&PROVIDER.parse().unwrap())
        .unwrap()
        .private_keys()
        .map(|(_, key)| key.bits())
        .collect();
    assert_eq!(bits, [4104, 2048]);
    call(&house, &encrypted(), &[]).await.unwrap();
}

//! Signed requests: what they present, verification under both kinds of rules, the explanation; and
//! whatever can be signed verifies. Signature Version 2 and 4A as they come, too.
#![no_main]

use daypass_authn::sigv4::{
    Algorithm, BodyHash, Credentials, HttpRequest, Presented, Rules, SignatureForm, VerifyingKey, explain,
    presented, presented_or_version_2, sign, verify,
};
use daypass_fuzz::{http_request, noon};
use daypass_model::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(request) = http_request(data) else { return };
    let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    as_sent(&request, &secret);
    version_2(&request, &secret);
    for form in [SignatureForm::Header, SignatureForm::Presigned { expires_seconds: 60 }] {
        signed_by_us(request.clone(), &secret, form);
    }
});

fn as_sent(request: &HttpRequest, secret: &Secret) {
    let explained = explain(request, secret);
    let Ok(Presented::SigV4(proof)) = presented(request) else {
        assert!(explained.is_err());
        return;
    };
    let key = VerifyingKey::derive(secret, &proof);
    let refused = ["sts", "iam", "daypass", "signin"];
    for rules in [
        Rules::for_service("sts"),
        Rules::for_another_service(&proof.scope.service, &refused, BodyHash::OfRequest),
        Rules::for_another_service(&proof.scope.service, &refused, BodyHash::Unknown),
    ] {
        if let Ok(verified) = verify(request, &proof, &rules, || &key, proof.time) {
            assert!(verified.signs("host"));
            assert!(proof.algorithm == Algorithm::SigV4 || verified.signature_hash().len() == 64);
        }
    }
}

/// Switched on, it accepts nothing that is another credential, and switched off nothing of it.
fn version_2(request: &HttpRequest, secret: &Secret) {
    let Ok(Presented::Version2(proof)) = presented_or_version_2(request) else { return };
    assert!(presented(request).is_err());
    assert!(request.header("authorization").is_none() && request.header("x-amz-security-token").is_none());
    if proof.verify(request, &[], secret, noon()).is_ok() {
        assert!(request.query.is_empty() || request.body.is_empty());
        assert!(!request.headers.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with("x-amz-")));
    }
}

fn signed_by_us(mut request: HttpRequest, secret: &Secret, form: SignatureForm) {
    // The signer believes a hash it is given; a wrong one is the caller's fault.
    let hash_given = request.header("x-amz-content-sha256").is_some();
    let credentials =
        Credentials { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret_access_key: secret, session_token: None };
    if hash_given || sign(&mut request, &credentials, "us-east-1", "sts", form, noon()).is_err() {
        return;
    }
    let Ok(Presented::SigV4(proof)) = presented(&request) else { return };
    let key = VerifyingKey::derive(secret, &proof);
    let rules = Rules::for_service("sts");
    verify(&request, &proof, &rules, || &key, noon()).expect("what we signed verifies");
}

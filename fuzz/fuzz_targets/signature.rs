//! Signed requests: what they present, verification under both kinds of rules, the explanation; and
//! whatever can be signed verifies.
#![no_main]

use daypass_authn::sigv4::{
    BodyHash, Credentials, HttpRequest, Presented, Rules, SignatureForm, SigningKey, explain, presented,
    sign, verify,
};
use daypass_fuzz::{http_request, noon};
use daypass_model::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(request) = http_request(data) else { return };
    let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    as_sent(&request, &secret);
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
    let key = SigningKey::derive(secret, &proof.scope);
    let refused = ["sts", "iam", "daypass", "signin"];
    for rules in [
        Rules::for_service("sts"),
        Rules::for_another_service(&proof.scope.service, &refused, BodyHash::OfRequest),
        Rules::for_another_service(&proof.scope.service, &refused, BodyHash::Unknown),
    ] {
        if let Ok(verified) = verify(request, &proof, &rules, || &key, proof.time) {
            assert!(verified.signs("host"));
        }
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
    let key = SigningKey::derive(secret, &proof.scope);
    let rules = Rules::for_service("sts");
    verify(&request, &proof, &rules, || &key, noon()).expect("what we signed verifies");
}

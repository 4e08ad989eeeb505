//! What the parts cost: nanoseconds a call, in one thread, without sockets.

use std::hint::black_box;

use allocation_counter::measure;
use daypass_authn::SystemRandom;
use daypass_authn::sigv4::{
    Credentials, HttpRequest, Presented, Proof, Rules, SignatureForm, SigningKeyCache, VerifyingKey,
    presented, sign, verify,
};
use daypass_authn::token::{Keyring, SessionClaims, SessionKind, SessionLayer};
use daypass_model::{AccessKeyId, Clock, Secret, SessionId, SystemClock};
use daypass_policy::{Kind, Policy, validate};

use crate::Outcome;
use crate::decisions;
use crate::load::now;
use crate::question::{ACCOUNT, ROLE};

/// Rounds, of which the best counts, and the length of one.
const ROUNDS: u32 = 30;
const ROUND_NANOS: u128 = 10_000_000;

/// Measures all of it and prints a line for each.
pub(crate) fn print() -> Outcome<()> {
    println!("\nns a call, best of {ROUNDS} rounds, one thread; allocations of one call");
    signatures()?;
    tokens()?;
    decisions::print()?;
    documents()
}

/// The best of several rounds of about ten milliseconds, and how often one call allocates.
pub(crate) fn best(name: &str, mut call: impl FnMut()) {
    let timed = |calls: u128, call: &mut dyn FnMut()| {
        let started = now();
        (0..calls).for_each(|_| call());
        started.elapsed().as_nanos()
    };
    let mut calls = 1;
    while timed(calls, &mut call) < ROUND_NANOS {
        calls *= 2;
    }
    let nanos = (0..ROUNDS).map(|_| timed(calls, &mut call)).min().unwrap_or_default() / calls;
    let allocations = measure(call).count_total;
    println!("{nanos:>10} {allocations:>6}  {name}");
}

fn signatures() -> Outcome<()> {
    let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let time = SystemClock.now();
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let mut request = HttpRequest::new("POST", "/", body)
        .with_header("host", "sts.us-east-1.amazonaws.com")
        .with_header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .with_header("accept-encoding", "identity")
        .with_header("user-agent", "aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0 prompt/off command/sts");
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE",
        secret_access_key: &secret,
        session_token: None,
    };
    sign(&mut request, &credentials, "us-east-1", "sts", SignatureForm::Header, time)?;

    let rules = Rules::for_service("sts");
    let cache = SigningKeyCache::new(100);
    let read = |request: &HttpRequest| -> Option<Box<Proof>> {
        match presented(request) {
            Ok(Presented::SigV4(proof)) => Some(proof),
            _ => None,
        }
    };
    // What is measured must be the way that succeeds.
    let proof = read(&request).ok_or("nothing presented")?;
    verify(&request, &proof, &rules, || VerifyingKey::derive(&secret, &proof), time)?;

    best("signature verified (GetCallerIdentity), signing key cached", || {
        let Some(proof) = read(black_box(&request)) else { return };
        drop(black_box(cache.verify(&request, &proof, &rules, &secret, time)));
    });
    best("signature verified, signing key derived", || {
        let Some(proof) = read(black_box(&request)) else { return };
        let key = || VerifyingKey::derive(&secret, &proof);
        drop(black_box(verify(&request, &proof, &rules, key, time)));
    });
    signatures_4a()
}

/// The signature that AWS publishes for `get-vanilla` in its test suite of Signature Version 4A.
const SIGNATURE_4A: &str = "3046022100fddaaf816a31e30d04973875b13bc27b98da10907a3a1872fd5819a221334abc022100de2ee81d83b54f31efc82834de07e6cd4d5c6f25bfa08e0f29a15bb0977c343e";

fn signatures_4a() -> Outcome<()> {
    let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let names = "host;x-amz-date;x-amz-region-set";
    let request = HttpRequest::new("GET", "/", "")
        .with_header("host", "example.amazonaws.com")
        .with_header("x-amz-date", "20150830T123600Z")
        .with_header("x-amz-region-set", "us-east-1")
        .with_header("authorization", format!("AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20150830/service/aws4_request, SignedHeaders={names}, Signature={SIGNATURE_4A}"));
    let Presented::SigV4(proof) = presented(&request)? else { return Err("nothing presented".into()) };
    let rules = Rules::for_service("service");
    let cache = SigningKeyCache::new(100);
    cache.verify(&request, &proof, &rules, &secret, proof.time)?;
    best("signature of version 4A verified, public key cached", || {
        drop(black_box(cache.verify(black_box(&request), &proof, &rules, &secret, proof.time)));
    });
    best("signature of version 4A verified, public key derived", || {
        let key = || VerifyingKey::derive(&secret, &proof);
        drop(black_box(verify(black_box(&request), &proof, &rules, key, proof.time)));
    });
    Ok(())
}

fn tokens() -> Outcome<()> {
    let keyring = Keyring::generate(&SystemRandom, 0);
    let id: AccessKeyId = "ASIAQNZGKIQY56JQ7WML".parse()?;
    let layer = |policy: String| vec![SessionLayer { inline: Some(policy), policy_ids: Vec::new() }];
    for (name, layers) in [
        ("no session policy", Vec::new()),
        ("a session policy of 150 bytes", layer(SESSION_POLICY.into())),
        ("a session policy of 2 KB", layer(document_of(2048))),
    ] {
        let claims = SessionClaims {
            session_id: SessionId([7; 16]),
            ancestry: Vec::new(),
            ancestry_ends: Vec::new(),
            kind: SessionKind::Role,
            account: ACCOUNT.parse()?,
            principal_id: "AROAJQABLZS4A3QDU576Q".into(),
            principal_arn: ROLE.into(),
            session_name: "nightly-report".into(),
            issued_at: 1_768_478_400,
            expires_at: 1_768_482_000,
            layers,
            tags: Vec::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
            mfa_authenticated_at: None,
            federation: Vec::new(),
            chained: false,
            scoped_layers: 0,
            first_key: None,
            console: None,
            principals_above: Vec::new(),
        };
        let token = keyring.seal(&claims, &id, 0, &SystemRandom)?.token;
        keyring.open(&token, &id)?;
        best(&format!("token sealed, {name} ({} characters)", token.len()), || {
            drop(black_box(keyring.seal(black_box(&claims), &id, 0, &SystemRandom)));
        });
        best(&format!("token opened, {name}"), || {
            drop(black_box(keyring.open(black_box(&token), &id)));
        });
    }
    Ok(())
}

const SESSION_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/jill/*"}]}"#;

/// A document of about this many bytes.
pub(crate) fn document_of(bytes: usize) -> String {
    let statement = |n: usize| {
        format!(
            r#"{{"Sid":"S{n}","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::warehouse-{n}/orders/*","Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"team-{n}"}},"IpAddress":{{"aws:SourceIp":"10.{n}.0.0/16"}}}}}}"#
        )
    };
    let mut statements = String::new();
    for n in 0.. {
        let next = statement(n);
        if !statements.is_empty() && statements.len() + next.len() > bytes {
            break;
        }
        if !statements.is_empty() {
            statements.push(',');
        }
        statements.push_str(&next);
    }
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn documents() -> Outcome<()> {
    let text = document_of(2048);
    validate(Kind::Managed, &text)?;
    best(&format!("policy of {} bytes: parsed and compiled", text.len()), || {
        drop(black_box(Policy::parse(black_box(&text))));
    });
    best(&format!("policy of {} bytes: validated", text.len()), || {
        drop(black_box(validate(Kind::Managed, black_box(&text))));
    });
    Ok(())
}

//! Which tokens are taken, and why the others are not.

use data_encoding::BASE64URL_NOPAD;
use daypass_authn::oidc::{Algorithm, KeySet, Token, TokenError, VerifiedToken};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::issuer::{Key, key_set};

const NOW: i64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn claims() -> Value {
    json!({"iss": "https://issuer.example", "sub": "alice", "aud": "app", "iat": NOW - 10, "exp": NOW + 600})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// A provider with one key.
struct Provider {
    key: Key,
    keys: KeySet,
}

impl Provider {
    fn new() -> Provider {
        let key = Key::generate(Algorithm::Es256);
        let keys = KeySet::parse(&key_set(&[key.jwk("1")])).unwrap();
        Provider { key, keys }
    }

    fn token(&self, claims: &Value) -> String {
        self.key.sign(&json!({"alg": "ES256", "kid": "1"}), claims)
    }

    /// What becomes of a token that is for `app`.
    fn check(&self, token: &str) -> Result<VerifiedToken, TokenError> {
        let token = Token::read(token)?;
        token.check_audience(&["other".into(), "app".into()])?;
        token.verify(&self.keys, Algorithm::is_common, now())
    }

    fn refusal(&self, claims: &Value) -> TokenError {
        self.check(&self.token(claims)).unwrap_err()
    }
}

#[test]
fn a_good_token_is_taken_and_says_who_it_is() {
    let provider = Provider::new();
    let verified = provider.check(&provider.token(&claims())).unwrap();
    assert_eq!((verified.claims().issuer.as_str(), verified.audience()), ("https://issuer.example", "app"));
    assert_eq!((verified.claims().subject.as_str(), verified.claims().expires_at), ("alice", NOW + 600));
}

#[test]
fn every_claim_can_be_had_as_it_is() {
    let provider = Provider::new();
    let token = provider.token(&with("extra", json!({"nothing": null, "list": [1, "a"]})));
    assert_eq!(Token::read(&token).unwrap().issuer(), "https://issuer.example");
    let verified = provider.check(&token).unwrap();
    let claims = verified.claims();
    assert_eq!(claims.get("extra"), Some(&json!({"nothing": null, "list": [1, "a"]})));
    assert_eq!((claims.get("other"), claims.all().len()), (None, 6));
    assert_eq!(claims.source_identity().unwrap(), None);
    let name = "https://aws.amazon.com/source_identity";
    let identity = |claim: Value| {
        let verified = provider.check(&provider.token(&with(name, claim))).unwrap();
        verified.claims().source_identity().map(|identity| identity.map(str::to_owned))
    };
    assert_eq!(identity(json!("alice")).unwrap().as_deref(), Some("alice"));
    assert!(identity(json!(7)).is_err() && identity(json!(null)).is_err());
}

#[test]
fn every_algorithm_verifies_with_its_own_key_alone() {
    let keys: Vec<(Algorithm, Key)> = Algorithm::ALL.into_iter().map(|of| (of, Key::generate(of))).collect();
    for (algorithm, key) in &keys {
        let name = algorithm.name();
        let token = key.sign(&json!({"alg": name, "kid": "k"}), &claims());
        for (other, candidate) in &keys {
            let set = KeySet::parse(&key_set(&[candidate.jwk("k")])).unwrap();
            let verified = Token::read(&token).unwrap().verify(&set, |_| true, now());
            let expected = if algorithm == other { None } else { Some(TokenError::Signature) };
            assert_eq!(verified.err(), expected, "{name} with a key for {}", other.name());
        }
        let set = KeySet::parse(&key_set(&[key.jwk("k")])).unwrap();
        let verified = Token::read(&token).unwrap().verify(&set, Algorithm::is_common, now());
        let common = !matches!(name, "PS256" | "PS384" | "PS512" | "EdDSA");
        assert_eq!(verified.is_ok(), common, "{name} without a setting");
    }
}

#[test]
fn algorithms_without_a_private_key_are_refused_whatever_the_signature() {
    let provider = Provider::new();
    let good = provider.token(&claims());
    let claims = good.split('.').nth(1).unwrap();
    for name in
        ["none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "es256", "ES256 ", "ES256K", "RSA1_5", ""]
    {
        let header = BASE64URL_NOPAD.encode(json!({"alg": name, "kid": "1"}).to_string().as_bytes());
        for signature in ["", "AAAA", good.rsplit('.').next().unwrap()] {
            let token = format!("{header}.{claims}.{signature}");
            assert_eq!(provider.check(&token).unwrap_err(), TokenError::Algorithm, "{name}");
        }
    }
}

#[test]
fn what_a_header_says_of_keys_gives_no_power() {
    let (provider, thief) = (Provider::new(), Provider::new());
    let own = thief.key.jwk("1");
    for (name, value) in [
        ("jwk", own.clone()),
        ("jku", json!("https://thief.example/keys")),
        ("x5u", json!("https://thief.example/certificate")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
    ] {
        let header = json!({"alg": "ES256", "kid": "1", name: value});
        assert_eq!(
            provider.check(&thief.key.sign(&header, &claims())).unwrap_err(),
            TokenError::Signature,
            "{name}"
        );
        assert!(provider.check(&provider.key.sign(&header, &claims())).is_ok(), "{name}");
    }
    for id in ["2", "", "../1", "1\u{0}", "' or '1'='1", "/dev/null"] {
        let token = provider.key.sign(&json!({"alg": "ES256", "kid": id}), &claims());
        assert_eq!(provider.check(&token).unwrap_err(), TokenError::NoKey, "{id}");
    }
}

#[test]
fn an_extension_that_must_be_understood_is_refused() {
    let provider = Provider::new();
    for header in [
        json!({"alg": "ES256", "kid": "1", "crit": ["b64"], "b64": false}),
        json!({"alg": "ES256", "kid": "1", "crit": ["exp"]}),
        json!({"alg": "ES256", "kid": "1", "crit": []}),
    ] {
        assert_eq!(
            provider.check(&provider.key.sign(&header, &claims())).unwrap_err(),
            TokenError::NotAToken
        );
    }
}

#[test]
fn what_is_no_token_in_compact_form_is_refused() {
    let provider = Provider::new();
    let good = provider.token(&claims());
    let [header, body, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let text = |part: &str| BASE64URL_NOPAD.encode(part.as_bytes());
    let (no_header, array) = (text("{}"), text("[]"));
    let (twice, nested) = (text(r#"{"alg":"ES256","alg":"ES256","kid":"1"}"#), text(&"[".repeat(4000)));
    let number = text(r#"{"alg":"ES256","kid":1}"#);
    for bad in [
        String::new(),
        ".".into(),
        "..".into(),
        "abc".into(),
        format!("{header}.{body}"),
        format!("{good}.AAAA"),
        format!("{good}."),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}="),
        format!("{header}=.{body}.{signature}"),
        format!("{header}.{body}=.{signature}"),
        format!("{header}+.{body}.{signature}"),
        format!("{no_header}.{body}.{signature}"),
        format!("{array}.{body}.{signature}"),
        format!("{header}.{array}.{signature}"),
        format!("{twice}.{body}.{signature}"),
        format!("{number}.{body}.{signature}"),
        format!("{header}.{nested}.{signature}"),
        format!("{header}.{body}.{signature}é"),
        format!("{header}.{body}.{}", "A".repeat(30_000)),
        json!({"payload": body, "protected": header, "signature": signature}).to_string(),
    ] {
        assert_eq!(provider.check(&bad).unwrap_err(), TokenError::NotAToken, "{bad}");
    }
}

#[test]
fn every_character_of_a_token_counts() {
    let provider = Provider::new();
    let good = provider.token(&claims());
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(provider.check(&changed).is_err(), "character {at}");
    }
}

#[test]
fn claims_that_are_required_are_missed_by_name() {
    let provider = Provider::new();
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        for claims in [without(name), with(name, Value::Null), with(name, json!({})), with(name, json!(true))]
        {
            assert_eq!(provider.refusal(&claims), TokenError::MissingClaim(name), "{claims}");
        }
    }
    for (name, value) in [
        ("iss", json!(1)),
        ("sub", json!(["alice"])),
        ("aud", json!([])),
        ("aud", json!(["app", 1])),
        ("exp", json!(1_800_000_600.5)),
        ("exp", json!("soon")),
        ("exp", json!("")),
        ("exp", json!(-1)),
        ("iat", json!("1800000000.0")),
        ("iat", json!("+1800000000")),
        ("nbf", json!("soon")),
        ("azp", json!(["app"])),
        ("amr", json!([1])),
    ] {
        let expected = TokenError::MissingClaim(name);
        assert_eq!(provider.refusal(&with(name, value.clone())), expected, "{name}: {value}");
    }
    assert_eq!(TokenError::MissingClaim("sub").to_string(), "Missing a required claim: sub");
}

#[test]
fn types_that_aws_takes_are_taken() {
    let provider = Provider::new();
    let subject = |claims: &Value| provider.check(&provider.token(claims)).unwrap().claims().subject.clone();
    assert_eq!(subject(&with("sub", json!(""))), "");
    assert_eq!(subject(&with("sub", json!(42))), "42");
    assert_eq!(subject(&with("exp", json!((NOW + 600).to_string()))), "alice");
    assert_eq!(subject(&with("aud", json!(["app"]))), "alice");
    assert_eq!(subject(&with("sub", json!(u64::MAX))), u64::MAX.to_string());
    assert_eq!(subject(&with("sub", json!(-1))), "-1");
    // Several numbers would read like one of these.
    for number in ["12345678901234567890123", "1e3", "1.5", "1.0"] {
        let text = claims().to_string().replace(r#""alice""#, number);
        let token = provider.key.sign_text(r#"{"alg":"ES256","kid":"1"}"#, &text);
        assert_eq!(provider.check(&token).unwrap_err(), TokenError::MissingClaim("sub"), "{number}");
    }
}

#[test]
fn a_claim_twice_is_refused() {
    let provider = Provider::new();
    let twice = claims().to_string().replace(r#""sub""#, r#""sub":"bob","sub""#);
    let token = provider.key.sign_text(r#"{"alg":"ES256","kid":"1"}"#, &twice);
    assert_eq!(provider.check(&token).unwrap_err(), TokenError::NotAToken);
}

#[test]
fn the_audience_is_the_party_the_token_was_issued_to() {
    let provider = Provider::new();
    let outcome = |audience: Value, party: Option<&str>| {
        let mut claims = with("aud", audience);
        if let Some(party) = party {
            claims["azp"] = party.into();
        }
        provider.check(&provider.token(&claims)).map(|verified| verified.audience().to_owned())
    };
    assert_eq!(outcome(json!("app"), None).unwrap(), "app");
    assert_eq!(outcome(json!("app"), Some("other")).unwrap(), "other");
    assert_eq!(outcome(json!(["a", "b"]), Some("app")).unwrap(), "app");
    for (audience, party) in [
        (json!("App"), None),
        (json!("app "), None),
        (json!(""), None),
        (json!(["app", "other"]), None),
        (json!(["app", "app"]), None),
        (json!("app"), Some("stranger")),
        (json!("app"), Some("")),
    ] {
        assert_eq!(
            outcome(audience.clone(), party).unwrap_err(),
            TokenError::Audience,
            "{audience} {party:?}"
        );
    }
}

#[test]
fn time_has_five_minutes_of_leeway_and_tokens_last_a_day() {
    let provider = Provider::new();
    let outcome = |changes: &[(&str, i64)]| {
        let mut claims = claims();
        for (name, value) in changes {
            claims[*name] = json!(value);
        }
        provider.check(&provider.token(&claims)).err()
    };
    let expired = |at: i64| Some(TokenError::Expired { now: NOW, expires_at: at });
    assert_eq!(outcome(&[("exp", NOW - 299)]), None);
    assert_eq!(outcome(&[("exp", NOW - 300)]), expired(NOW - 300));
    assert_eq!(outcome(&[("exp", 0)]), expired(0));
    assert_eq!(outcome(&[("iat", NOW + 300)]), None);
    assert_eq!(outcome(&[("iat", NOW + 301)]), Some(TokenError::TooEarly));
    assert_eq!(outcome(&[("nbf", NOW + 300)]), None);
    assert_eq!(outcome(&[("nbf", NOW + 301)]), Some(TokenError::TooEarly));
    assert_eq!(outcome(&[("nbf", i64::MAX)]), Some(TokenError::TooEarly));
    assert_eq!(outcome(&[("iat", NOW - 86_400)]), None);
    assert_eq!(outcome(&[("iat", NOW - 86_401)]), Some(TokenError::TooOld(86_401)));
    assert_eq!(outcome(&[("exp", i64::MAX)]), None);
    assert_eq!(
        TokenError::Expired { now: 1_731_098_245, expires_at: 1_731_095_240 }.to_string(),
        "Token expired: current date/time 1731098245 must be before the expiration date/time 1731095240"
    );
}

#[test]
fn a_forged_token_that_is_expired_too_is_told_of_its_signature() {
    let (provider, thief) = (Provider::new(), Provider::new());
    let token = thief.token(&with("exp", json!(0)));
    assert_eq!(provider.check(&token).unwrap_err(), TokenError::Signature);
}

#[test]
fn roles_that_the_provider_names_are_the_only_ones() {
    let provider = Provider::new();
    let named = |claim: Value| {
        let claims = with("https://aws.amazon.com/roles", claim);
        provider.check(&provider.token(&claims)).unwrap().claims().names_role("arn:aws:iam::1:role/a")
    };
    let verified = provider.check(&provider.token(&claims())).unwrap();
    assert_eq!(verified.claims().names_role("arn:aws:iam::1:role/a"), None);
    assert_eq!(named(Value::Null), None);
    assert_eq!(named(json!(["x", " arn:aws:iam::1:role/a ", 7])), Some(true));
    assert_eq!(named(json!("arn:aws:iam::1:role/b;arn:aws:iam::1:role/a")), Some(true));
    for claim in [
        json!([]),
        json!(""),
        json!({}),
        json!(1),
        json!(["arn:aws:iam::1:role/*"]),
        json!("arn:aws:iam::1:role/A"),
    ] {
        assert_eq!(named(claim.clone()), Some(false), "{claim}");
    }
}

#[test]
fn session_tags_come_nested_or_flattened() {
    let provider = Provider::new();
    let passed = |name: &str, claim: Value| {
        let claims = with(name, claim);
        let passed = provider.check(&provider.token(&claims)).unwrap().claims().session_tags();
        passed.map(|passed| {
            let tags: Vec<_> =
                passed.tags.into_iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect();
            (tags.join(","), passed.transitive_keys.join(","))
        })
    };
    let tags = "https://aws.amazon.com/tags";
    let nested = json!({"principal_tags": {"A": ["1"], "B": ["2"]}, "transitive_tag_keys": ["B"]});
    assert_eq!(passed(tags, nested).unwrap(), ("A=1,B=2".into(), "B".into()));
    assert_eq!(
        passed(&format!("{tags}/principal_tags/A"), json!("1")).unwrap(),
        ("A=1".into(), String::new())
    );
    assert_eq!(
        passed(&format!("{tags}/transitive_tag_keys"), json!(["A"])).unwrap(),
        (String::new(), "A".into())
    );
    for bad in [
        json!("A=1"),
        json!({"principal_tags": {"A": "1"}}),
        json!({"principal_tags": {"A": []}}),
        json!({"principal_tags": {"A": ["1", "2"]}}),
        json!({"principal_tags": {"A": [1]}}),
        json!({"principal_tags": ["A"]}),
        json!({"transitive_tag_keys": "A"}),
        json!({"principal_tag": {"A": ["1"]}}),
        json!(null),
    ] {
        assert!(passed(tags, bad.clone()).is_err(), "{bad}");
    }
    for (name, bad) in [
        ("principal_tags/A", json!(["1"])),
        ("transitive_tag_keys", json!("A")),
        ("", json!("A")),
        ("other", json!(["A"])),
    ] {
        assert!(passed(&format!("{tags}/{name}"), bad).is_err(), "{name}");
    }
}

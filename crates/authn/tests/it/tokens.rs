//! Session tokens: what goes in comes out, sizes, percentages, rotation, and the format that must not drift.

use daypass_authn::token::{
    Keyring, KeyringKey, KeyringKeys, PrincipalAbove, Purpose, SealError, SessionClaims, SessionKind,
    SessionLayer,
};
use daypass_model::limits::SESSION_TOKEN_SIZE_MAX;
use daypass_model::{AccessKeyId, AccountId, Random, Secret, SeededRandom, SessionId, Tag};
use proptest::prelude::*;

pub(crate) const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::example/federated-user/Jill/*"}]}"#;

pub(crate) fn keyring() -> Keyring {
    Keyring::generate(&SeededRandom::new(11), 1_768_478_400)
}

pub(crate) fn access_key_id() -> AccessKeyId {
    "ASIAQNZGKIQY56JQ7WML".parse().unwrap()
}

/// A role session as most are.
pub(crate) fn role_session() -> SessionClaims {
    SessionClaims {
        session_id: SessionId([7; 16]),
        ancestry: Vec::new(),
        ancestry_ends: Vec::new(),
        kind: SessionKind::Role,
        account: "111122223333".parse().unwrap(),
        principal_id: "AROAJQABLZS4A3QDU576Q".into(),
        principal_arn: "arn:aws:iam::111122223333:role/app/reader".into(),
        session_name: "nightly-report".into(),
        issued_at: 1_768_478_400,
        expires_at: 1_768_482_000,
        layers: vec![SessionLayer { inline: Some(POLICY.into()), policy_ids: Vec::new() }],
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
    }
}

/// One of everything.
fn full_session() -> SessionClaims {
    SessionClaims {
        ancestry: (1..=15).map(|n| SessionId([n; 16])).collect(),
        ancestry_ends: (1..=15).map(|n| 1_768_482_000 + 1000 * n).collect(),
        principal_arn: "arn:aws-cn:iam::111122223333:role/reader".into(),
        layers: vec![
            SessionLayer::default(),
            SessionLayer { inline: Some(POLICY.into()), policy_ids: vec!["ANPAJQABLZS4A3QDU576Q".into()] },
            SessionLayer { inline: Some(String::new()), policy_ids: Vec::new() },
        ],
        tags: tags(&[("Team", "blue"), ("Ünit", "β"), ("Empty", "")]),
        transitive_tag_keys: vec!["Ünit".into(), "team".into()],
        source_identity: Some("DevUser123".into()),
        mfa_authenticated_at: Some(-1),
        federation: vec![("saml:sub".into(), vec!["a".into(), String::new()]), ("saml:aud".into(), vec![])],
        chained: true,
        ..role_session()
    }
}

fn tags(pairs: &[(&str, &str)]) -> Vec<Tag> {
    pairs.iter().map(|(key, value)| Tag { key: (*key).into(), value: (*value).into() }).collect()
}

/// What EKS Pod Identity passes on every AssumeRole.
fn pod_identity_tags() -> Vec<Tag> {
    tags(&[
        ("eks-cluster-arn", "arn:aws:eks:eu-central-1:111122223333:cluster/production-blue"),
        ("eks-cluster-name", "production-blue"),
        ("kubernetes-namespace", "data-platform"),
        ("kubernetes-service-account", "ingest-worker"),
        ("kubernetes-pod-name", "ingest-worker-6c9b7f5d8d-x2x7k"),
        ("kubernetes-pod-uid", "8b1c7f0e-93c4-4a53-a8c1-0d3f9a5b7e21"),
    ])
}

#[test]
fn claims_and_secret_come_back_from_the_token() {
    let (keyring, id, random) = (keyring(), access_key_id(), SeededRandom::new(1));
    for claims in [role_session(), full_session()] {
        let sealed = keyring.seal(&claims, &id, 0, &random).unwrap();
        let opened = keyring.open(&sealed.token, &id).unwrap();
        assert_eq!(opened.claims, claims);
        assert_eq!(opened.secret_access_key, sealed.secret_access_key);
        let secret = sealed.secret_access_key.expose();
        assert_eq!(secret.len(), 40);
        assert!(secret.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)));
        assert!(!format!("{sealed:?}{opened:?}{keyring:?}").contains(sealed.secret_access_key.expose_str()));
        assert!(!format!("{sealed:?}").contains(&sealed.token));
    }
}

#[test]
fn a_secret_belongs_to_one_session_and_one_access_key() {
    let (keyring, random) = (keyring(), SeededRandom::new(1));
    let secret = |claims: &SessionClaims, id: &str| {
        keyring.seal(claims, &id.parse().unwrap(), 0, &random).unwrap().secret_access_key
    };
    let first = secret(&role_session(), "ASIAQNZGKIQY56JQ7WML");
    assert_eq!(first, secret(&role_session(), "ASIAQNZGKIQY56JQ7WML"));
    assert_ne!(first, secret(&role_session(), "ASIAQNZGKIQY56JQ7WMM"));
    let other = SessionClaims { session_id: SessionId([8; 16]), ..role_session() };
    assert_ne!(first, secret(&other, "ASIAQNZGKIQY56JQ7WML"));
}

#[test]
fn a_typical_token_is_below_a_kilobyte() {
    let claims = SessionClaims {
        tags: pod_identity_tags(),
        transitive_tag_keys: pod_identity_tags().into_iter().map(|tag| tag.key).collect(),
        source_identity: Some("jill@example.com".into()),
        ..role_session()
    };
    let size = keyring().seal(&claims, &access_key_id(), 0, &SeededRandom::new(1)).unwrap().token.len();
    assert!(size < 1024, "{size}");
}

#[test]
fn ancestors_and_their_ends_are_as_many() {
    let claims = SessionClaims { ancestry: vec![SessionId([1; 16])], ..role_session() };
    let refused = keyring().seal(&claims, &access_key_id(), 0, &SeededRandom::new(1)).unwrap_err();
    assert_eq!(refused, SealError::Bound("ancestors without their ends"));
}

#[test]
fn the_tags_of_pod_identity_leave_plenty_of_room() {
    for ancestry in [Vec::new(), vec![SessionId([1; 16])]] {
        let claims = SessionClaims {
            tags: pod_identity_tags(),
            transitive_tag_keys: pod_identity_tags().into_iter().map(|tag| tag.key).collect(),
            layers: Vec::new(),
            ancestry_ends: vec![0; ancestry.len()],
            ancestry,
            ..role_session()
        };
        let sealed = keyring().seal(&claims, &access_key_id(), 0, &SeededRandom::new(1)).unwrap();
        assert!((1..25).contains(&sealed.packed_policy_percent), "{}", sealed.packed_policy_percent);
    }
}

#[test]
fn the_percentage_is_that_of_the_room_and_grows_to_the_limit() {
    let keyring = keyring();
    let id = access_key_id();
    let random = SeededRandom::new(5);
    let none = SessionClaims { layers: Vec::new(), ..role_session() };
    assert_eq!(keyring.seal(&none, &id, 0, &random).unwrap().packed_policy_percent, 0);

    // Text that does not compress: one character is one byte.
    let noise: String = std::iter::repeat_with(|| {
        let mut byte = [0];
        random.fill(&mut byte);
        char::from(b' ' + byte[0] % 94)
    })
    .take(6000)
    .collect();
    let (mut last, mut largest) = (0u32, 0);
    for length in 1..noise.len() {
        let layers = vec![SessionLayer { inline: Some(noise[..length].into()), policy_ids: Vec::new() }];
        let claims = SessionClaims { layers, ..role_session() };
        match keyring.seal(&claims, &id, 0, &random) {
            Ok(sealed) => {
                // The compressor changes its ways at some lengths and then saves a little more at once.
                assert!((last * 4 / 5..=100).contains(&sealed.packed_policy_percent), "{length}");
                assert!(sealed.token.len() <= SESSION_TOKEN_SIZE_MAX);
                let tokens = u32::try_from(sealed.token.len()).unwrap();
                assert_eq!(sealed.utilization_percent, (tokens * 100).div_ceil(4096));
                last = sealed.packed_policy_percent;
                largest = sealed.token.len();
            }
            Err(error) => {
                assert_eq!(error, SealError::TooLarge { percent: 101, of_tags: false });
                break;
            }
        }
    }
    assert_eq!((last, largest), (100, SESSION_TOKEN_SIZE_MAX));
}

#[test]
fn too_large_says_whether_policies_or_tags_are_to_blame() {
    let random = SeededRandom::new(5);
    let noise = |seed: u64| {
        let random = SeededRandom::new(seed);
        let mut bytes = [0; 96];
        random.fill(&mut bytes);
        data_encoding::BASE64.encode(&bytes)
    };
    let many: Vec<Tag> = (0..50).map(|n| Tag { key: format!("key{n}"), value: noise(n) }).collect();
    let claims = SessionClaims { tags: many, ..role_session() };
    let error = keyring().seal(&claims, &access_key_id(), 0, &random).unwrap_err();
    let SealError::TooLarge { percent, of_tags: true } = error else { panic!("{error:?}") };
    assert!(percent > 100);
    assert_eq!(
        error.to_string(),
        format!("Packed size of session tags consumes {percent}% of allotted space.")
    );
    assert_eq!(
        SealError::TooLarge { percent: 120, of_tags: false }.to_string(),
        "Packed policy consumes 120% of allotted space, please use smaller policy."
    );
}

#[test]
fn a_token_has_at_least_the_size_asked_for() {
    let (keyring, id, random) = (keyring(), access_key_id(), SeededRandom::new(1));
    let natural = keyring.seal(&role_session(), &id, 0, &random).unwrap().token.len();
    for size in [0, 1, natural - 1, natural, natural + 1, natural + 2, natural + 5, 1000, 4095, 4096] {
        let sealed = keyring.seal(&role_session(), &id, size, &random).unwrap();
        assert!(
            (size..size.max(natural) + 4).contains(&sealed.token.len()),
            "{size}: {}",
            sealed.token.len()
        );
        assert!(!sealed.token.contains('='), "never needs padding");
        assert_eq!(keyring.open(&sealed.token, &id).unwrap().claims, role_session());
    }
    assert!(matches!(keyring.seal(&role_session(), &id, 4097, &random), Err(SealError::Bound(_))));
}

#[test]
fn broken_bounds_are_errors() {
    let (keyring, id, random) = (keyring(), access_key_id(), SeededRandom::new(1));
    for claims in [
        SessionClaims {
            ancestry: vec![SessionId([1; 16]); 16],
            ancestry_ends: vec![0; 16],
            ..role_session()
        },
        SessionClaims { layers: vec![SessionLayer::default(); 9], ..role_session() },
        SessionClaims { session_name: "x".repeat(4000), ..role_session() },
        SessionClaims { issued_at: i64::MIN, expires_at: i64::MAX, ..role_session() },
    ] {
        assert!(matches!(keyring.seal(&claims, &id, 0, &random), Err(SealError::Bound(_))));
    }
    let most = SessionClaims { layers: vec![SessionLayer::default(); 8], ..role_session() };
    let sealed = keyring.seal(&most, &id, SESSION_TOKEN_SIZE_MAX, &random).unwrap();
    assert_eq!(sealed.token.len(), SESSION_TOKEN_SIZE_MAX);
}

#[test]
fn tokens_of_previous_active_and_next_key_open() {
    let (id, random) = (access_key_id(), SeededRandom::new(2));
    let first = keyring();
    let second = first.rotate(&random, 1);
    let third = second.rotate(&random, 2);
    let seal = |keyring: &Keyring| keyring.seal(&role_session(), &id, 0, &random).unwrap();
    let (a, b) = (seal(&first), seal(&second));

    // A node that has not rotated yet opens what a node that has made.
    for (keyring, sealed) in [(&first, &a), (&first, &b), (&second, &a), (&second, &b), (&third, &b)] {
        let opened = keyring.open(&sealed.token, &id).unwrap();
        assert_eq!(opened.secret_access_key, sealed.secret_access_key);
        assert!(keyring.knows_key_of(&sealed.token));
    }
    assert!(third.open(&a.token, &id).is_err());
    assert!(!third.knows_key_of(&a.token));
    let replaced = second.replaced(&random, 3);
    for sealed in [&a, &b, &seal(&third)] {
        assert!(replaced.open(&sealed.token, &id).is_err() && !replaced.knows_key_of(&sealed.token));
    }
    assert!(replaced.open(&seal(&replaced).token, &id).is_ok());
    assert_ne!(a.secret_access_key, b.secret_access_key);
}

#[test]
fn a_keyring_is_made_again_from_its_keys() {
    let (id, random) = (access_key_id(), SeededRandom::new(2));
    for keyring in [keyring(), keyring().rotate(&random, 5)] {
        let sealed = keyring.seal(&role_session(), &id, 0, &random).unwrap();
        let text = keyring.keys().to_text();
        let keys = KeyringKeys::from_text(&text).unwrap();
        assert_eq!(keys, keyring.keys());
        let again = Keyring::new(keys).unwrap();
        assert_eq!(again.open(&sealed.token, &id).unwrap().secret_access_key, sealed.secret_access_key);
    }
    for bad in ["", "active 1 2 AAAA\n", "active 1 2 AA\nnext 2 2 AA\nnext 3 2 AA\n", "x 1 2 AA\n"] {
        assert!(KeyringKeys::from_text(&Secret::new(bad)).is_err(), "{bad}");
    }
    let key = |id, length| KeyringKey { id, secret: Secret::new(vec![1; length]), created: 0 };
    for (active, next) in [(key(1, 32), key(1, 32)), (key(1, 31), key(2, 32)), (key(1, 32), key(2, 0))] {
        assert!(Keyring::new(KeyringKeys { previous: None, active, next }).is_err());
    }
}

#[test]
fn a_keyring_knows_its_oldest_key_and_when_it_rotates_without_loss() {
    let random = SeededRandom::new(11);
    let first = Keyring::generate(&random, 1000);
    assert_eq!((first.oldest(), first.rotates_without_loss_from(600)), (1000, i64::MIN));
    // The key that it would drop sealed until the rotation that made `next`.
    let second = first.rotate(&random, 5000);
    assert_eq!((second.oldest(), second.rotates_without_loss_from(600)), (1000, 5600));
    let third = second.rotate(&random, 7000);
    assert_eq!(third.oldest(), 1000, "`next` of the first keyring");
    assert_eq!(third.rotates_without_loss_from(600), 7600);
    assert_eq!(third.rotate(&random, 9000).oldest(), 5000);
    let replaced = second.replaced(&random, 9000);
    assert_eq!((replaced.oldest(), replaced.rotates_without_loss_from(600)), (9000, i64::MIN));
}

#[test]
fn the_next_session_in_a_chain_inherits_what_was_named_so_in_whatever_case() {
    let claims = full_session();
    let keys: Vec<_> = claims.transitive_tags().map(|tag| tag.key.as_str()).collect();
    assert_eq!(keys, ["Team", "Ünit"]);
    let none = SessionClaims { transitive_tag_keys: vec!["Other".into()], ..claims };
    assert_eq!(none.transitive_tags().count(), 0);
}

#[test]
fn messages_open_for_their_purpose_and_context_only() {
    let (keyring, random) = (keyring(), SeededRandom::new(9));
    let purposes = [Purpose::SignInToken, Purpose::AuthorizationMessage, Purpose::PaginationMarker];
    for purpose in purposes {
        let text = keyring.seal_message(purpose, b"111122223333", b"message", &random).unwrap();
        for other in purposes {
            let opened = keyring.open_message(other, b"111122223333", &text);
            assert_eq!(opened.is_ok(), other == purpose);
        }
        assert_eq!(keyring.open_message(purpose, b"111122223333", &text).unwrap(), b"message");
        assert!(keyring.open_message(purpose, b"999922223333", &text).is_err());
        assert!(keyring.rotate(&random, 1).open_message(purpose, b"111122223333", &text).is_ok());
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = data_encoding::BASE64URL_NOPAD.encode(&changed);
            assert!(keyring.open_message(purpose, b"111122223333", &changed).is_err(), "bit {bit}");
        }
        for bad in ["", "AQ", "=", &text[1..], &"A".repeat(20_000)] {
            assert!(keyring.open_message(purpose, b"111122223333", bad).is_err());
        }
    }
    // 16 KiB of text: 12,288 bytes, of which the header takes 5, nonce and tag 28.
    let longest = keyring.seal_message(Purpose::SignInToken, b"", &[0; 12_255], &random).unwrap();
    assert_eq!(longest.len(), 16_384);
    assert_eq!(keyring.open_message(Purpose::SignInToken, b"", &longest).unwrap().len(), 12_255);
    assert!(keyring.seal_message(Purpose::SignInToken, b"", &[0; 12_256], &random).is_err());
    let long = keyring.seal_message(Purpose::SignInToken, b"", &[0; 16_000], &random);
    assert!(matches!(long, Err(SealError::Bound(_))));
}

#[test]
fn expiry_is_the_second_named() {
    let claims = role_session();
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    assert!(!claims.is_expired(at(claims.expires_at - 1)));
    assert!(claims.is_expired(at(claims.expires_at)));
}

/// Tokens of format 1 made when the format was decided. If this fails, sessions in the field die: make a
/// format 2 instead. `DAYPASS_WRITE_GOLDEN=1` writes a file that is not there yet.
#[test]
fn tokens_of_format_1_still_open() {
    // Of tokens that do not say it, the latest that can be.
    let without_ends = SessionClaims { ancestry_ends: vec![1_768_478_400 + 36 * 3600; 15], ..full_session() };
    let federated = SessionClaims {
        kind: SessionKind::Federated,
        principal_id: "AIDAJQABLZS4A3QDU576Q".into(),
        principal_arn: "arn:aws:iam::111122223333:user/div/Bob".into(),
        session_name: "Jill".into(),
        tags: pod_identity_tags(),
        ..role_session()
    };
    let root = SessionClaims {
        kind: SessionKind::Root,
        principal_id: "111122223333".into(),
        principal_arn: "arn:aws:iam::111122223333:root".into(),
        session_name: String::new(),
        layers: Vec::new(),
        ..role_session()
    };
    let scoped = SessionClaims {
        scoped_layers: 2,
        first_key: Some("AKIAQNZGKIQY56JQ7WML".parse().unwrap()),
        ..without_ends.clone()
    };
    let keyring = keyring();
    for (name, claims, size_min) in [
        ("role", role_session(), 0),
        ("full", without_ends, 0),
        ("chain", full_session(), 0),
        ("scoped", scoped, 0),
        ("federated", federated, 0),
        ("root", root, 0),
        ("padded", role_session(), 2000),
    ] {
        let path = format!("{}/tests/golden/token-v1-{name}.txt", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("DAYPASS_WRITE_GOLDEN").is_some() && !std::path::Path::new(&path).exists() {
            let sealed = keyring.seal(&claims, &access_key_id(), size_min, &SeededRandom::new(42)).unwrap();
            let text = format!("{}\n{}\n", sealed.token, sealed.secret_access_key.expose_str());
            std::fs::write(&path, text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        let (token, secret) = golden.trim_end().split_once('\n').unwrap();
        let opened = keyring.open(token, &access_key_id()).unwrap();
        assert_eq!(opened.claims, claims, "{name}");
        assert_eq!(opened.secret_access_key, Secret::new(secret), "{name}");
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,24}", "\\PC{0,12}"]
}

prop_compose! {
    fn any_layer()(
        inline in prop::option::of(prop_oneof![any_text(), Just(POLICY.to_owned())]),
        policy_ids in prop::collection::vec(any_text(), 0..3),
    ) -> SessionLayer {
        SessionLayer { inline, policy_ids }
    }
}

prop_compose! {
    fn any_claims()(
        ids in prop::collection::vec(any::<[u8; 16]>(), 1..=16),
        kind in prop::sample::select(vec![SessionKind::User, SessionKind::Root, SessionKind::Federated,
            SessionKind::FederatedByRoot, SessionKind::Role]),
        account in 0u64..1_000_000_000_000,
        texts in prop::array::uniform4(any_text()),
        own_account in any::<bool>(),
        times in (any::<i32>(), any::<i32>(), prop::option::of(any::<i64>())),
        layers in prop::collection::vec(any_layer(), 0..=4),
        tags in prop::collection::vec((any_text(), any_text()), 0..6),
        extra_key in prop::option::of(any_text()),
        source_identity in prop::option::of(any_text()),
        federation in prop::collection::vec((any_text(), prop::collection::vec(any_text(), 0..3)), 0..3),
        chained in any::<bool>(),
        first_key in prop::option::of("A[KS]IA[A-Z2-7]{16}"),
    ) -> SessionClaims {
        let [principal_id, arn, session_name, _] = texts;
        let account = AccountId::from_number(account).unwrap();
        let (session_id, ancestry) = ids.split_first().unwrap();
        let scoped_layers = layers.len() / 2;
        let tags: Vec<Tag> = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
        SessionClaims {
            session_id: SessionId(*session_id),
            ancestry: ancestry.iter().copied().map(SessionId).collect(),
            ancestry_ends: ancestry.iter().map(|id| i64::from_be_bytes(id[..8].try_into().unwrap())).collect(),
            kind,
            account,
            principal_id,
            principal_arn: if own_account { format!("arn:aws:iam::{account}:{arn}") } else { arn },
            session_name,
            issued_at: times.0.into(),
            expires_at: i64::from(times.0) + i64::from(times.1),
            layers,
            transitive_tag_keys: tags.iter().step_by(2).map(|tag| tag.key.clone()).chain(extra_key).collect(),
            tags,
            source_identity,
            mfa_authenticated_at: times.2,
            federation,
            chained,
            scoped_layers,
            first_key: first_key.map(|id| id.parse().unwrap()),
            console: None,
            principals_above: ancestry
                .iter()
                .map(|id| PrincipalAbove { account, id: format!("AROA{}", id[0]), since: i64::from(id[1]) - 128 })
                .collect(),
        }
    }
}

proptest! {
    #[test]
    fn any_claims_come_back(claims in any_claims(), size_min in 0usize..=4096, seed in any::<u64>()) {
        let (keyring, id, random) = (keyring(), access_key_id(), SeededRandom::new(seed));
        let sealed = keyring.seal(&claims, &id, size_min, &random).unwrap();
        prop_assert!(sealed.token.len() >= size_min && sealed.token.len() <= SESSION_TOKEN_SIZE_MAX);
        prop_assert_eq!(keyring.open(&sealed.token, &id).unwrap().claims, claims);
    }
}

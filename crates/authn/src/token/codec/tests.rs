//! The layout of claims to the byte; whole tokens are in `tests/it/tokens.rs`.

use super::*;

fn claims() -> SessionClaims {
    SessionClaims {
        session_id: SessionId([9; 16]),
        ancestry: vec![SessionId([1; 16])],
        ancestry_ends: vec![1_768_482_000],
        kind: SessionKind::Role,
        account: AccountId::from_number(111_122_223_333).unwrap(),
        principal_id: "AROAJQABLZS4A3QDU576Q".into(),
        principal_arn: "arn:aws:iam::111122223333:role/r".into(),
        session_name: "s".into(),
        issued_at: 1_768_478_400,
        expires_at: 1_768_482_000,
        layers: vec![SessionLayer { inline: Some("{}".into()), policy_ids: vec!["a".into()] }],
        tags: vec![Tag { key: "k".into(), value: "v".into() }],
        transitive_tag_keys: vec!["k".into()],
        source_identity: Some("me".into()),
        mfa_authenticated_at: None,
        federation: vec![("a".into(), vec!["b".into()])],
        chained: true,
        scoped_layers: 1,
        first_key: Some("AKIAIOSFODNN7EXAMPLE".parse().unwrap()),
        console: None,
        principals_above: Vec::new(),
    }
}

#[test]
fn more_scoped_layers_than_there_are_layers_are_refused() {
    let count = |scoped_layers| decode(&encode(&SessionClaims { scoped_layers, ..claims() }).bytes);
    assert!(count(1).is_ok());
    assert_eq!(count(2), Err(Malformed));
}

fn with_field(tag: u64, value: &[u8]) -> Vec<u8> {
    let mut bytes = encode(&claims()).bytes;
    put_field(&mut bytes, tag, value);
    bytes
}

#[test]
fn as_many_layers_as_there_may_be_come_back() {
    let with = |count: usize| {
        let layers = vec![SessionLayer::default(); count];
        decode(&encode(&SessionClaims { layers: layers.clone(), ..claims() }).bytes)
            .map(|found| found.layers == layers)
    };
    assert_eq!(with(LAYERS_MAX), Ok(true));
    assert_eq!(with(LAYERS_MAX + 1), Err(Malformed));
}

#[test]
fn a_layer_without_a_policy_has_no_text() {
    let layer = |has_inline: u8, text: &str| {
        let mut plain = vec![has_inline];
        put_texts(&mut plain, &[]);
        plain.extend_from_slice(text.as_bytes());
        let mut value = varint(1);
        put_block(&mut value, &plain, false);
        decode_layers(&mut Reader::new(&value), &mut 1000)
    };
    assert!(layer(0, "").is_ok() && layer(1, "{}").is_ok() && layer(1, "").is_ok());
    assert_eq!(layer(0, "{}"), Err(Malformed));
    assert_eq!(layer(2, "{}"), Err(Malformed));
}

#[test]
fn what_is_zero_takes_no_room() {
    let without = encode(&SessionClaims { scoped_layers: 0, ..claims() }).bytes.len();
    assert_eq!(encode(&claims()).bytes.len(), without + 3);
}

#[test]
fn tags_of_several_callers_are_never_compressed_together() {
    let size = |ancestry: &[SessionId], keys: &[&str], value: &str| {
        let tags = vec![Tag { key: "k".into(), value: value.into() }];
        let transitive_tag_keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let ancestry_ends = vec![1_768_482_000; ancestry.len()];
        let ancestry = ancestry.to_vec();
        encode(&SessionClaims { tags, transitive_tag_keys, ancestry, ancestry_ends, ..claims() }).bytes.len()
    };
    let long = "a".repeat(200);
    let shrinks =
        |ancestry: &[SessionId], keys: &[&str]| size(ancestry, keys, &long) < size(ancestry, keys, "") + 150;
    let above = [SessionId([1; 16])];
    assert!(shrinks(&[], &[]) && shrinks(&above, &[]) && shrinks(&[], &["k"]));
    assert!(!shrinks(&above, &["k"]));
}

#[test]
fn an_unknown_critical_field_refuses_and_another_is_skipped() {
    assert_eq!(decode(&with_field(critical(40), b"x")), Err(Malformed));
    assert_eq!(decode(&with_field(40 << 1, b"x")), Ok(claims()));
}

#[test]
fn as_many_principals_as_there_may_be_above_come_back() {
    let with = |count: u8| {
        let above =
            |n: u8| PrincipalAbove { account: claims().account, id: format!("AROA{n}"), since: n.into() };
        let principals_above: Vec<_> = (0..count).map(above).collect();
        decode(&encode(&SessionClaims { principals_above: principals_above.clone(), ..claims() }).bytes)
            .map(|found| found.principals_above == principals_above)
    };
    assert_eq!((with(0), with(16)), (Ok(true), Ok(true)));
    assert_eq!(with(17), Err(Malformed));
    let cut = encode_principals(&[PrincipalAbove { account: claims().account, id: "A".into(), since: 1 }]);
    assert_eq!(decode(&with_field(PRINCIPALS_ABOVE, &cut[..cut.len() - 1])), Err(Malformed));
}

#[test]
fn fields_ascend_and_come_once() {
    assert_eq!(decode(&with_field(CHAINED, b"")), Err(Malformed));
    assert_eq!(decode(&with_field(SESSION_NAME, b"other")), Err(Malformed));
    assert_eq!(decode(&with_field(MFA, &[1])), Err(Malformed));
}

#[test]
fn only_zeroes_follow_the_end() {
    let good = encode(&claims()).bytes;
    for padding in [&[0][..], &[0, 0, 0], &[0; 500]] {
        assert_eq!(decode(&[&good, padding].concat()), Ok(claims()));
    }
    for tail in [&[0, 1][..], &[0, 0, 33, 0], &[1]] {
        assert_eq!(decode(&[&good, tail].concat()), Err(Malformed));
    }
}

#[test]
fn a_truncation_fails_unless_it_cuts_whole_optional_fields_and_no_changed_byte_panics() {
    let good = encode(&claims()).bytes;
    let cut = (0..good.len()).filter(|&end| decode(&good[..end]).is_ok()).count();
    assert!(cut <= 9, "{cut}");
    for at in 0..good.len() {
        for value in [0, 1, 2, 0x7f, 0x80, 0xff] {
            let mut changed = good.clone();
            changed[at] = value;
            let _either = decode(&changed);
        }
    }
}

#[test]
fn lists_and_values_keep_their_bounds() {
    let mut long = claims();
    long.ancestry = vec![SessionId([1; 16]); ANCESTORS_MAX + 1];
    long.ancestry_ends = vec![0; ANCESTORS_MAX + 1];
    assert_eq!(decode(&encode(&long).bytes), Err(Malformed));
    long.ancestry.truncate(ANCESTORS_MAX);
    long.ancestry_ends.truncate(ANCESTORS_MAX);
    assert!(decode(&encode(&long).bytes).is_ok());
    long.layers = vec![SessionLayer::default(); LAYERS_MAX + 1];
    assert_eq!(decode(&encode(&long).bytes), Err(Malformed));
    // A count that promises more than there is.
    let mut lie = varint(u64::MAX);
    put_bytes(&mut lie, b"x");
    assert_eq!(Reader::new(&lie).list(Reader::text), Err(Malformed));
}

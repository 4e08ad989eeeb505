//! Facts about conditions, one by one.

use super::*;
use crate::document::Effect::{Allow, Deny};

const KEY: &str = "aws:TheKey";

/// One value of a single-valued key, and nothing else in the request.
fn single(value: &str) -> Context {
    let mut context = Context::new();
    context.insert(KEY, value);
    context
}

fn list(values: &[&str]) -> Context {
    let mut context = Context::new();
    context.insert_list(KEY, values.iter().map(|value| (*value).to_owned()).collect());
    context
}

fn holds_for(effect: Effect, operator: &str, values: &[&str], context: &Context) -> bool {
    Condition::new(operator, "AWS:thekey", values.iter().copied(), true)
        .holds(effect, context, &Work::new())
        .unwrap()
}

/// The answer where it is the same for both effects.
fn holds(operator: &str, values: &[&str], context: &Context) -> bool {
    let allow = holds_for(Allow, operator, values, context);
    assert_eq!(allow, holds_for(Deny, operator, values, context), "{operator} {values:?}");
    allow
}

#[test]
fn values_are_or_for_positive_and_nor_for_negated_operators() {
    assert!(holds("StringEquals", &["a", "b"], &single("b")));
    assert!(!holds("StringEquals", &["a", "b"], &single("c")));
    assert!(holds("StringNotEquals", &["a", "b"], &single("c")));
    assert!(!holds("StringNotEquals", &["a", "b"], &single("b")));
}

#[test]
fn a_missing_key_fails_positive_and_meets_negated_operators() {
    let nothing = Context::new();
    for operator in [
        "StringEquals",
        "StringLike",
        "NumericEquals",
        "DateLessThan",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "ArnLike",
    ] {
        assert!(!holds(operator, &["1"], &nothing), "{operator}");
        assert!(holds(&format!("{operator}IfExists"), &["1"], &nothing), "{operator}");
    }
    for (operator, value) in [
        ("StringNotEquals", "x"),
        ("StringNotEqualsIgnoreCase", "x"),
        ("StringNotLike", "x"),
        ("NumericNotEquals", "1"),
        ("DateNotEquals", "1"),
        ("NotIpAddress", "10.0.0.0/8"),
        ("ArnNotEquals", "arn:aws:s3:::b"),
        ("ArnNotLike", "arn:aws:s3:::b"),
    ] {
        assert!(holds(operator, &[value], &nothing), "{operator}");
        assert!(holds(&format!("{operator}IfExists"), &[value], &nothing), "{operator}");
    }
}

#[test]
fn if_exists_looks_at_a_key_that_is_there() {
    assert!(!holds("StringEqualsIfExists", &["a"], &single("b")));
    assert!(!holds("StringEqualsIfExists", &["a"], &single("")));
    assert!(!holds("StringNotEqualsIfExists", &["a"], &single("a")));
}

#[test]
fn no_values_match_nothing() {
    assert!(!holds("StringEquals", &[], &single("a")));
    assert!(holds("StringNotEquals", &[], &single("a")));
    assert!(!holds("Null", &[], &single("a")));
}

#[test]
fn strings_are_exact_or_like_or_ignore_case() {
    assert!(!holds("StringEquals", &["a*"], &single("ab")));
    assert!(holds("StringEquals", &["a*"], &single("a*")));
    assert!(holds("StringLike", &["a*"], &single("a\nb")));
    assert!(!holds("StringLike", &["A*"], &single("ab")));
    assert!(!holds("StringLike", &["?"], &single("\u{1f600}")));
    assert!(holds("StringLike", &["??"], &single("\u{1f600}")));
    assert!(holds("StringEqualsIgnoreCase", &["ABC"], &single("abc")));
    assert!(!holds("StringEqualsIgnoreCase", &["a*"], &single("abc")));
    assert!(holds("StringNotEqualsIgnoreCase", &["ABC"], &single("abd")));
}

#[test]
fn an_unresolved_variable_matches_nothing_and_differs_from_everything() {
    for positive in ["StringEquals", "StringEqualsIgnoreCase", "StringLike"] {
        assert!(!holds(positive, &["${aws:nope}"], &single("a")), "{positive}");
        assert!(holds(positive, &["${aws:nope}", "a"], &single("a")), "{positive}");
    }
    for negated in ["StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"] {
        assert!(holds(negated, &["${aws:nope}"], &single("a")), "{negated}");
        assert!(!holds(negated, &["${aws:nope}", "a"], &single("a")), "{negated}");
    }
    let arn = single("arn:aws:s3:::b");
    assert!(holds("ArnNotLike", &["arn:aws:s3:::${aws:nope}"], &arn));
    assert!(!holds("ArnLike", &["arn:aws:s3:::${aws:nope}"], &arn));
}

#[test]
fn old_documents_have_no_variables() {
    let condition = |variables| {
        let values = ["${aws:thekey}"];
        Condition::new("StringEquals", KEY, values.into_iter(), variables)
            .holds(Allow, &single("x"), &Work::new())
            .unwrap()
    };
    assert!(condition(true));
    assert!(!condition(false));
}

#[test]
fn typed_operators_take_no_variables() {
    let context = single("10");
    assert!(!holds("NumericEquals", &["${aws:TheKey}"], &context));
    assert!(!holds("DateEquals", &["${aws:TheKey}"], &context));
    assert!(!holds("Bool", &["${aws:TheKey}"], &single("true")));
}

#[test]
fn numbers_and_dates_compare_by_value() {
    assert!(holds("NumericLessThan", &["10"], &single("9.5")));
    assert!(!holds("NumericLessThan", &["10"], &single("10.0")));
    assert!(holds("NumericLessThanEquals", &["10"], &single("010.0")));
    assert!(holds("NumericGreaterThan", &["9"], &single("10")));
    assert!(holds("NumericGreaterThanEquals", &["9", "100"], &single("10")));
    assert!(holds("NumericNotEquals", &["9"], &single("10")));
    assert!(!holds("NumericNotEquals", &["9", "10"], &single("10")));
    assert!(holds("DateGreaterThan", &["1717199999"], &single("2024-06-01T00:00:00Z")));
    assert!(!holds("DateGreaterThan", &["2024-06-01"], &single("1717200000")));
    assert!(holds("DateEquals", &["2024-06-01"], &single("2024-06-01T02:00:00+02:00")));
}

#[test]
fn a_number_or_date_of_the_request_that_cannot_be_read_is_unequal() {
    for relation in ["Equals", "LessThan", "GreaterThanEquals"] {
        assert!(!holds(&format!("Numeric{relation}"), &["5"], &single("5abc")));
        assert!(!holds(&format!("Date{relation}"), &["5"], &single("soon")));
    }
    assert!(holds("NumericNotEquals", &["5"], &single("5abc")));
    assert!(holds("DateNotEquals", &["5"], &single("soon")));
}

#[test]
fn bool_takes_everything_but_true_for_false() {
    assert!(holds("Bool", &["TRUE"], &single("True")));
    assert!(!holds("Bool", &["true"], &single("yes")));
    assert!(holds("Bool", &["false"], &single("yes")));
    assert!(holds("Bool", &["False"], &single("")));
    // On the policy's side in a Deny alone, which would else be void.
    for literal in ["no", "yes", "0", "true ", ""] {
        for other in ["false", "yes", ""] {
            assert!(!holds_for(Allow, "Bool", &[literal], &single(other)), "{literal} {other}");
            assert!(holds_for(Deny, "Bool", &[literal], &single(other)), "{literal} {other}");
        }
        assert!(!holds("Bool", &[literal], &single("true")), "{literal}");
        assert!(!holds("Bool", &[literal], &Context::new()), "nothing is asked of what is not there");
    }
    for (literal, present) in [("x", true), ("x", false), ("", true)] {
        let context = if present { single("a") } else { Context::new() };
        assert!(!holds_for(Allow, "Null", &[literal], &context), "{literal}");
        assert!(holds_for(Deny, "Null", &[literal], &context), "{literal}");
    }
}

#[test]
fn binary_compares_bytes() {
    assert!(holds("BinaryEquals", &["QmluYXJ5"], &single("QmluYXJ5")));
    assert!(!holds("BinaryEquals", &["QmluYXJ5"], &single("QmluYXJ6")));
    assert!(!holds("BinaryEquals", &["not base64"], &single("not base64")));
}

#[test]
fn addresses_that_cannot_be_read_meet_neither_operator() {
    for operator in ["IpAddress", "NotIpAddress"] {
        assert!(!holds(operator, &["10.0.0.0/8"], &single("localhost")), "{operator}");
    }
    assert!(holds("NotIpAddress", &["10.0.0.0/8"], &single("2001:db8::1")));
    assert!(holds("IpAddress", &["10.0.0.0/8"], &single("::ffff:10.1.2.3")));
}

#[test]
fn an_ipv6_network_with_host_bits_matches_nothing() {
    assert!(!holds("IpAddress", &["2001:db8::1/64"], &single("2001:db8::1")));
    assert!(!holds_for(Allow, "NotIpAddress", &["2001:db8::1/64"], &single("2001:db8::1")));
}

#[test]
fn arns_match_field_by_field_and_case_counts() {
    let arn = single("arn:aws:sns:eu-west-1:111122223333:alerts");
    for operator in ["ArnLike", "ArnEquals"] {
        assert!(holds(operator, &["arn:aws:sns:eu-*:*:al?rts"], &arn), "{operator}");
        assert!(!holds(operator, &["arn:aws:sns:*:*:*:alerts"], &arn), "{operator}");
        assert!(!holds(operator, &["arn:aws:sns:eu-west-1:111122223333:ALERTS"], &arn), "{operator}");
    }
    for operator in ["ArnNotLike", "ArnNotEquals"] {
        assert!(!holds(operator, &["arn:*:sns:*:*:*"], &arn), "{operator}");
        assert!(holds(operator, &["arn:*:sqs:*:*:*"], &arn), "{operator}");
    }
}

#[test]
fn a_request_value_that_is_no_arn_meets_neither_operator() {
    for operator in ["ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals"] {
        assert!(!holds(operator, &["arn:aws:s3:::b"], &single("alerts")), "{operator}");
    }
}

/// What a tag or a claim puts into the policy decides no better than what its author could have written there.
#[test]
fn a_variable_whose_value_is_no_arn_counts_as_if_the_value_were_written() {
    let mut arn = single("arn:aws:s3:::b");
    arn.insert("aws:PrincipalTag/owner", "nobody");
    for value in
        ["${aws:PrincipalTag/owner}", "${aws:PrincipalTag/owner}:aws:s3:::b", "arn:${aws:PrincipalTag/owner}"]
    {
        for operator in ["ArnLike", "ArnNotLike", "ForAllValues:ArnNotEquals"] {
            assert!(!holds_for(Allow, operator, &["arn:aws:s3:::c", value], &arn), "{operator} {value}");
            assert!(holds_for(Deny, operator, &["arn:aws:s3:::c", value], &arn), "{operator} {value}");
        }
    }
    let mut nothing = Context::new();
    nothing.insert("aws:PrincipalTag/owner", "nobody");
    assert!(!holds_for(Allow, "ArnNotLike", &["${aws:PrincipalTag/owner}"], &nothing));
    assert!(!holds_for(Allow, "ArnNotLike", &["nobody"], &nothing));
}

#[test]
fn a_policy_value_that_is_no_arn_never_grants_and_denies() {
    let arn = single("arn:aws:s3:::b");
    for operator in ["ArnLike", "ArnNotLike"] {
        assert!(!holds_for(Allow, operator, &["alerts"], &arn), "{operator}");
        assert!(holds_for(Deny, operator, &["alerts"], &arn), "{operator}");
        assert!(!holds_for(Deny, operator, &["alerts"], &single("alerts")), "{operator}");
    }
}

#[test]
fn a_negation_of_something_unreadable_never_grants() {
    for (operator, bad, value) in [
        ("NumericNotEquals", "ten", "5"),
        ("DateNotEquals", "soon", "5"),
        ("NotIpAddress", "10.0.0.0/33", "192.0.2.1"),
    ] {
        assert!(!holds_for(Allow, operator, &[bad], &single(value)), "{operator}");
        assert!(holds_for(Deny, operator, &[bad], &single(value)), "{operator}");
        assert!(!holds_for(Allow, operator, &[bad], &Context::new()), "{operator}");
        let positive = operator.replace("Not", "");
        assert!(!holds(&positive, &[bad], &single(value)), "{positive}");
    }
}

#[test]
fn null_looks_at_presence_only() {
    for present in [single("x"), single(""), list(&["x"]), list(&[])] {
        assert!(holds("Null", &["false"], &present));
        assert!(!holds("Null", &["True"], &present));
    }
    assert!(holds("Null", &["true"], &Context::new()));
    assert!(!holds("Null", &["FALSE"], &Context::new()));
    assert!(holds("Null", &["true", "false"], &single("x")));
    assert!(!holds_for(Allow, "Null", &["maybe"], &Context::new()));
}

#[test]
fn set_qualifiers_on_zero_one_and_two_values() {
    // Rows: request values; columns: ForAllValues and ForAnyValue of StringEquals, then of StringNotEquals,
    // each against ["a", "b"].
    let table: [(&[&str], [bool; 4]); 6] = [
        (&[], [true, false, true, false]),
        (&["a"], [true, true, false, false]),
        (&["x"], [false, false, true, true]),
        (&["a", "b"], [true, true, false, false]),
        (&["a", "x"], [false, true, false, true]),
        (&["x", "y"], [false, false, true, true]),
    ];
    let operators = [
        "ForAllValues:StringEquals",
        "ForAnyValue:StringEquals",
        "ForAllValues:StringNotEquals",
        "ForAnyValue:StringNotEquals",
    ];
    for (values, expected) in table {
        for (operator, expected) in operators.into_iter().zip(expected) {
            assert_eq!(holds(operator, &["a", "b"], &list(values)), expected, "{operator} {values:?}");
            let suffixed = format!("{operator}IfExists");
            assert_eq!(holds(&suffixed, &["a", "b"], &list(values)), expected, "{suffixed} {values:?}");
        }
    }
}

#[test]
fn a_missing_key_is_the_empty_set() {
    for suffix in ["", "IfExists"] {
        assert!(holds(&format!("ForAllValues:StringEquals{suffix}"), &["a"], &Context::new()));
        assert!(!holds(&format!("ForAnyValue:StringEquals{suffix}"), &["a"], &Context::new()));
        assert!(!holds(&format!("ForAnyValue:StringNotEquals{suffix}"), &["a"], &Context::new()));
    }
}

#[test]
fn an_empty_text_is_an_ordinary_value() {
    assert!(holds("StringEquals", &[""], &single("")));
    assert!(holds("ForAnyValue:StringEquals", &[""], &list(&[""])));
    assert!(!holds("ForAllValues:StringEquals", &["x"], &list(&[""])));
}

#[test]
fn a_multivalued_key_needs_a_qualifier() {
    for operator in ["StringEquals", "StringNotEquals", "StringLikeIfExists", "StringNotLikeIfExists"] {
        for values in [&["a"][..], &["x"], &["a", "x"], &[]] {
            assert!(!holds(operator, &["a"], &list(values)), "{operator} {values:?}");
        }
    }
    assert!(holds("StringNotEquals", &["a"], &Context::new()));
}

#[test]
fn a_single_valued_key_under_a_qualifier_is_a_set_of_one() {
    assert!(holds("ForAllValues:StringLike", &["a*"], &single("ab")));
    assert!(holds("ForAnyValue:StringLike", &["a*"], &single("ab")));
    assert!(!holds("ForAnyValue:StringLike", &["a*"], &single("b")));
}

#[test]
fn an_operator_nobody_knows_denies_and_never_allows() {
    for operator in
        ["StringIs", "stringequals", "NullIfExists", "ForSomeValue:StringLike", "ForAnyValue:Null"]
    {
        for context in [Context::new(), single("a"), list(&["a"])] {
            assert!(!holds_for(Allow, operator, &["a"], &context), "{operator}");
            assert!(holds_for(Deny, operator, &["a"], &context), "{operator}");
        }
    }
}

#[test]
fn literals_are_checked_by_kind_of_policy() {
    let writable = |operator: &str, value: &str, check| is_writable_literal(operator, value, true, check);
    for (operator, bad) in [
        ("NumericEquals", "ten"),
        ("ForAnyValue:DateLessThanIfExists", "soon"),
        ("NotIpAddress", "2001:db8::1/64"),
        ("IpAddress", "::ffff:10.0.0.1"),
        ("ArnLike", "alerts"),
        ("NumericEquals", "${aws:TheKey}"),
    ] {
        assert!(!writable(operator, bad, LiteralCheck::All), "{operator}");
        assert!(writable(operator, bad, LiteralCheck::Binary), "{operator}");
        assert!(writable(operator, bad, LiteralCheck::Nothing), "{operator}");
    }
    assert!(!writable("BinaryEquals", "?", LiteralCheck::All));
    assert!(!writable("BinaryEquals", "?", LiteralCheck::Binary));
    assert!(writable("BinaryEquals", "?", LiteralCheck::Nothing));
    for (operator, good) in [
        ("IpAddress", "10.1.2.3/8"),
        ("ArnLike", "${aws:PrincipalArn}"),
        ("Bool", "maybe"),
        ("Null", "maybe"),
        ("StringEquals", "anything"),
    ] {
        assert!(writable(operator, good, LiteralCheck::All), "{operator}");
    }
}

//! Inputs made to hurt: they are refused or answered, soon and without a panic.

use daypass_policy::case::Case;
use daypass_policy::{
    DecisionEffect, Kind, Outcome, Policy, explain, rewrite_principals, size_without_white_space, validate,
};
use proptest::prelude::*;

use crate::support::{Scene, policy};

const KINDS: [Kind; 8] = [
    Kind::Managed,
    Kind::Inline,
    Kind::Session,
    Kind::Boundary,
    Kind::Trust,
    Kind::Resource,
    Kind::Scp,
    Kind::Rcp,
];

fn swallow(text: &str) {
    for kind in KINDS {
        let _ = validate(kind, text);
    }
    let _ = Case::parse(text);
    let _ = size_without_white_space(text);
    let rewritten = rewrite_principals(text, |value| Some(value.to_owned()));
    match Policy::parse(text) {
        Ok(policy) => {
            assert_eq!(
                policy.principals().count(),
                Policy::parse(&rewritten.unwrap()).unwrap().principals().count()
            );
            Scene { identity: vec![policy], ..Scene::default() }.decide();
        }
        Err(error) => assert!(text.is_char_boundary(error.offset)),
    }
}

#[test]
fn deep_and_long_documents_are_refused() {
    for text in ["[".repeat(1_000_000), "{\"Statement\":".repeat(100_000), "\"".repeat(131_073)] {
        assert!(Policy::parse(&text).is_err());
        swallow(&text);
    }
}

#[test]
fn many_variables_without_an_end_are_plain_text() {
    let resource = format!("arn:aws:s3:::{}", "${".repeat(50_000));
    let policy = policy(&format!(r#"{{"Effect":"Allow","Action":"*","Resource":"{resource}"}}"#));
    assert!(!Scene { identity: vec![policy], ..Scene::default() }.decide().is_allowed());
}

#[test]
fn huge_globs_and_lists_are_answered() {
    let stars = "*a".repeat(30_000);
    let glob =
        policy(&format!(r#"{{"Effect":"Allow","Action":"s3:{stars}","Resource":"arn:aws:s3:::{stars}"}}"#));
    assert!(!Scene { identity: vec![glob], ..Scene::default() }.decide().is_allowed());
    let actions = (0..9000).map(|i| format!("\"s3:A{i}\"")).collect::<Vec<_>>().join(",");
    let list = policy(&format!(r#"{{"Effect":"Allow","NotAction":[{actions}],"Resource":"*"}}"#));
    assert!(Scene { identity: vec![list], ..Scene::default() }.decide().is_allowed());
}

/// Each pattern is paired with a text so long that trying it at every place, or making a copy of the text for
/// it, would keep this test busy for minutes.
#[test]
fn long_texts_and_many_pieces_are_answered() {
    let many = |value: &dyn Fn(usize) -> String| (0..100).map(value).collect::<Vec<_>>();
    for values in [
        vec![format!("*{}b*", "${, 'a'}".repeat(10_000))],
        vec![format!("*{}b*", "?${, 'a'}".repeat(1000))],
        vec![format!("*{}b*", "${aws:Referer}".repeat(9000))],
        vec![format!("*{}b", "${aws:Referer}".repeat(9000))],
        many(&|i| format!("*?b{i}")),
        many(&|i| format!("?b{i}*")),
        vec!["*${aws:Referer}?b*".to_owned(), "*b?${aws:Referer}*".to_owned()],
    ] {
        // As long as the bound of a decision's cost lets the patterns be looked at.
        let long = "a".repeat(if values.len() > 2 { 1 << 18 } else { 1 << 23 });
        let half = &long[..long.len() / 2];
        for operator in ["StringLike", "StringEqualsIgnoreCase"] {
            let condition = serde_json::json!({operator: {"aws:UserAgent": values}});
            let mut scene = Scene {
                identity: vec![policy(&format!(
                    r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#
                ))],
                ..Scene::default()
            };
            scene.context.insert("aws:UserAgent", long.as_str());
            scene.context.insert("aws:Referer", half);
            assert!(!scene.decide().is_allowed(), "{operator} {}", values[0]);
        }
    }
}

/// Thirty policies of the largest size, full of patterns that read the whole text: minutes, without a bound.
#[test]
fn what_would_cost_too_much_is_denied_and_no_deny_is_lost() {
    let patterns = serde_json::json!({"StringLike": {"aws:UserAgent": vec!["*x?y*"; 700]}});
    let statement = |effect: &str, condition: &serde_json::Value| {
        policy(&format!(r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{condition}}}"#))
    };
    let scene = |text: &str, last: Policy| {
        let mut identity: Vec<Policy> = (0..30).map(|_| statement("Allow", &patterns)).collect();
        identity.push(last);
        let mut scene = Scene { identity, ..Scene::default() };
        scene.context.insert("aws:UserAgent", text);
        scene
    };
    let long = "x".repeat(30_000) + "zz" + &"y".repeat(30_000);
    let always = || statement("Allow", &serde_json::json!({}));
    let if_other =
        |effect: &str| statement(effect, &serde_json::json!({"StringEquals": {"aws:UserAgent": "another"}}));
    assert!(scene("ordinary/1", always()).decide().is_allowed());
    assert_eq!(scene("ordinary/1", if_other("Deny")).decide().effect, DecisionEffect::ImplicitlyDenied);
    assert_eq!(scene(&long, always()).decide().effect, DecisionEffect::ImplicitlyDenied);
    // It would not match; nobody can afford to look.
    assert_eq!(scene(&long, if_other("Deny")).decide().effect, DecisionEffect::ExplicitlyDenied);
    let explained = scene(&long, always()).with(explain);
    assert_eq!(explained.statements.last().unwrap().outcome, Outcome::TooCostly);
}

/// What a piece of a pattern and each of many values cost counts, too.
#[test]
fn many_pieces_and_many_values_are_bounded() {
    for (pattern, value) in [
        (format!("*{}zz", "a?a*".repeat(150)), "a".repeat(450) + "cN"),
        ("${aws:none, 'a'}".repeat(300), String::new()),
    ] {
        let condition = serde_json::json!({"ForAllValues:StringNotLike": {"aws:TagKeys": vec![pattern; 9]}});
        let statement = format!(r#"{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{condition}}}"#);
        let mut identity: Vec<Policy> = (0..110).map(|_| policy(&statement)).collect();
        identity.push(policy(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#));
        let mut scene = Scene { identity, ..Scene::default() };
        scene.context.insert_list("aws:TagKeys", vec![value; 100]);
        let outcomes = scene.with(explain).statements;
        assert_eq!(outcomes.last().unwrap().outcome, Outcome::TooCostly);
    }
}

/// The largest policies that a caller can have, against the largest request that is not made to hurt.
#[test]
fn the_bound_is_far_from_what_means_something() {
    let patterns = serde_json::json!({"StringLike": {"aws:PrincipalTag/team": vec!["blue-*"; 300]}});
    let large =
        |_| policy(&format!(r#"{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{patterns}}}"#));
    let mut identity: Vec<Policy> = (0..100).map(large).collect();
    identity.push(policy(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#));
    let mut scene = Scene { identity, ..Scene::default() };
    scene.context.insert("aws:PrincipalTag/team", "red");
    scene.context.insert("aws:UserAgent", "x".repeat(512));
    assert!(scene.decide().is_allowed());
}

/// Texts that are nearly policies: real tokens in any order.
fn nearly_policy() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"Version\"",
        "\"2012-10-17\"",
        "\"Statement\"",
        "\"Effect\"",
        "\"Allow\"",
        "\"Deny\"",
        "\"Action\"",
        "\"NotAction\"",
        "\"*\"",
        "\"Resource\"",
        "\"Principal\"",
        "\"AWS\"",
        "\"Condition\"",
        "\"StringLike\"",
        "\"aws:x\"",
        "\"${a\"",
        "\"arn:aws:s3:::${aws:x, 'y'}*?\"",
        "1",
        "true",
        "null",
        " ",
        "\\",
        "\u{e9}",
        "\u{1f600}",
    ]);
    prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

/// A document of the right form with any text in every place.
fn any_texts() -> impl Strategy<Value = String> {
    let text = || prop_oneof!["\\PC{0,12}", "[ -~]{0,20}", Just("${aws:x}*".to_owned())];
    (text(), text(), text(), text(), text(), text(), any::<bool>()).prop_map(
        |(action, resource, operator, key, value, principal, deny)| {
            let effect = if deny { "Deny" } else { "Allow" };
            serde_json::json!({"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": action,
                "Resource": [resource], "Principal": {"AWS": principal}, "Condition": {operator: {key: value}}}})
            .to_string()
        },
    )
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        swallow(&text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        swallow(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn nearly_policies_are_answered(text in nearly_policy()) {
        swallow(&text);
    }

    #[test]
    fn any_texts_in_the_right_places_are_answered(text in any_texts()) {
        swallow(&text);
        prop_assert!(Policy::parse(&text).is_ok());
    }

    #[test]
    fn rewriting_nothing_changes_nothing(text in any_texts()) {
        prop_assert_eq!(rewrite_principals(&text, |_| None).unwrap(), text);
    }
}

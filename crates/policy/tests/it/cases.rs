//! The case files: every decision and every verdict, with the few lines we answer otherwise on purpose.

use std::collections::BTreeMap;

use daypass_policy::case::Case;
use daypass_policy::{Kind, validate};

const SAMPLE: [&str; 3] = [
    include_str!("../cases/sample-1.jsonl"),
    include_str!("../cases/sample-2.jsonl"),
    include_str!("../cases/sample-3.jsonl"),
];
const CONTESTED: &str = include_str!("../cases/contested.jsonl");
const VALIDATION: &str = include_str!("../cases/validation.jsonl");

/// Prints the score of each category and returns the ids of the cases that fail.
fn score(cases: &[Case]) -> Vec<&str> {
    let mut categories: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut failed = Vec::new();
    for case in cases {
        let (right, all) = categories.entry(&case.category).or_default();
        *all += 1;
        if case.passes() {
            *right += 1;
        } else {
            println!("{}: expected {}, decided {:?}", case.id, case.expected, case.decide());
            failed.push(case.id.as_str());
        }
    }
    for (category, (right, all)) in categories {
        println!("{category}: {right}/{all}");
    }
    failed
}

fn read(text: &str) -> Vec<Case> {
    text.lines().map(|line| Case::parse(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn every_case_of_the_sample_is_decided_as_expected() {
    let cases: Vec<Case> = SAMPLE.into_iter().flat_map(read).collect();
    assert_eq!(cases.len(), 2166);
    assert_eq!(score(&cases), [""; 0]);
}

#[test]
fn every_contested_case_is_decided_as_expected_or_as_chosen() {
    let cases = read(CONTESTED);
    assert_eq!(cases.len(), 71);
    // Open point: an Allow whose NotResource holds a variable without a value does not apply. It would grant
    // everything its author meant to exclude.
    let chosen = ["variable.not-resource-8f5cda0dd6e0", "variable.not-resource-e7c58e903d04"];
    assert_eq!(score(&cases), chosen);
    for case in cases.iter().filter(|case| chosen.contains(&case.id.as_str())) {
        assert!(case.open);
        assert_eq!(case.reason.as_deref(), Some("notresource-unresolved"));
        assert_eq!(case.decide().effect.as_str(), "ImplicitlyDenied");
    }
}

#[test]
fn explaining_decides_the_same() {
    for case in SAMPLE.into_iter().chain([CONTESTED]).flat_map(read) {
        let explanation = case.explain();
        assert_eq!(explanation.decision.effect, case.decide().effect, "{}", case.id);
        assert_eq!(explanation.decision.decided_by, case.decide().decided_by, "{}", case.id);
    }
}

#[test]
fn a_broken_case_is_an_error_not_a_decision() {
    let line = SAMPLE[0].lines().next().unwrap();
    for (from, to) in [
        ("\"context\"", "\"contextt\""),
        ("\"Effect\"", "\"effect\""),
        ("\"action\"", "\"principal\""),
        ("{\"id\"", "[\"id\""),
    ] {
        assert!(line.contains(from));
        assert!(Case::parse(&line.replacen(from, to, 1)).is_err(), "{from}");
    }
}

/// Verdicts of one validator alone that contradict AWS's documentation: it accepts an operator nobody knows,
/// and a resource policy that names nobody.
const VERDICTS_ANSWERED_OTHERWISE: [&str; 3] = [
    "resource-principal-missing-06d9639625",
    "resource-condition-unknown-operator-320387f871",
    "scp-condition-unknown-operator-f9e8842abd",
];

/// Trust policies whose message is not AWS's in the file: AWS's own texts (`This policy contains invalid Json`,
/// `AssumeRole policy may only specify STS AssumeRole actions.`, `Missing required field Action`, `Has
/// prohibited field Resource`) differ from those of the validator that was asked.
const MESSAGES_ANSWERED_OTHERWISE: [&str; 8] = [
    "trust-action-missing-4ce3f825ba",
    "trust-action-star-e6228a62c8",
    "trust-action-star-list-e9124b1ae5",
    "trust-resource-star-list-77e6b8260b",
    "trust-trust-resource-c8f37380a2",
    "trust-raw-not-json-d20ca8e622",
    "trust-raw-duplicate-condition-key-7ac1535347",
    "trust-raw-single-quotes-1f7c1bd956",
];

#[test]
fn every_verdict_of_writing_is_as_expected() {
    let (mut lines, mut verdicts, mut messages) = (0, 0, 0);
    let (mut otherwise, mut worded_otherwise) = (Vec::new(), Vec::new());
    for line in VALIDATION.lines() {
        lines += 1;
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| entry[name].as_str();
        let id = field("id").unwrap();
        let answer = validate(kind(field("kind").unwrap()), field("document").unwrap());
        match field("expected") {
            Some(expected) => {
                verdicts += 1;
                if (expected == "valid") != answer.is_ok() {
                    assert_eq!(field("basis"), Some("iam-policy alone"), "{id}: {answer:?}");
                    otherwise.push(id.to_owned());
                }
            }
            // Undecided ones: the safe side is to refuse, except for what the grammar allows.
            None => {
                let accepted = answer.is_ok();
                let edit = field("edit").unwrap();
                let harmless =
                    matches!(edit, "trust-action-sts-star" | "action-star-star+condition-key-no-prefix");
                assert_eq!(accepted, harmless, "{id}: {answer:?}");
            }
        }
        if let Some(message) = field("message") {
            messages += 1;
            match answer {
                Err(error) if error.message == message => {}
                answer => {
                    println!("{id}: {answer:?} instead of `{message}`");
                    worded_otherwise.push(id.to_owned());
                }
            }
        }
    }
    assert_eq!((lines, verdicts, messages), (251, 242, 102));
    assert_eq!(otherwise, VERDICTS_ANSWERED_OTHERWISE);
    assert_eq!(worded_otherwise, MESSAGES_ANSWERED_OTHERWISE);
}

/// The kinds as case files name them.
pub(crate) fn kind(name: &str) -> Kind {
    Kind::named(name).unwrap_or_else(|| panic!("{name}"))
}

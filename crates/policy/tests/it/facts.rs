//! The language, fact by fact: what the IAM User Guide states, and what AWS was seen to do, each with cases of its own.
//!
//! Expected answers are those of the documentation and of recorded answers of AWS. `category` says which fact a case shows.

use std::collections::BTreeMap;

use daypass_policy::case::Case;
use daypass_policy::validate;
use serde_json::Value;

use crate::cases::kind;

const DECIDED: &str = include_str!("../cases/facts.jsonl");
const WRITTEN: &str = include_str!("../cases/facts-written.jsonl");

fn lines(text: &str) -> impl Iterator<Item = (Value, &str)> {
    text.lines().map(|line| (serde_json::from_str(line).unwrap(), line))
}

#[test]
fn every_fact_about_decisions_holds() {
    for (entry, line) in lines(DECIDED) {
        let case = Case::parse(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(case.decide().effect.as_str(), entry["expected"], "{}: {line}", entry["category"]);
    }
}

#[test]
fn every_fact_about_writing_holds() {
    for (entry, _) in lines(WRITTEN) {
        let (fact, document) = (&entry["category"], entry["document"].as_str().unwrap());
        match (validate(kind(entry["kind"].as_str().unwrap()), document), entry["expected"].as_str().unwrap())
        {
            (Ok(()), "valid") => {}
            (Err(error), "invalid") => assert_eq!(error.message, entry["message"], "{fact}: {document}"),
            (answer, expected) => panic!("{fact}: {document} is {expected}, and was {answer:?}"),
        }
    }
}

#[test]
fn facts_are_told_with_their_cases() {
    let mut facts: BTreeMap<String, usize> = BTreeMap::new();
    for (entry, _) in lines(DECIDED).chain(lines(WRITTEN)) {
        *facts.entry(entry["category"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for (fact, cases) in &facts {
        println!("{cases:>3}  {fact}");
    }
    assert_eq!((facts.len(), facts.values().sum::<usize>()), (82, 379));
}

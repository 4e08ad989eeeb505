//! A second evaluator: slow, obvious, and written apart from the engine. Random worlds must get the same
//! answer from both.
//!
//! It works on plain data, matches wildcards by trying everything, and states the rules of combination as
//! one formula for each kind of caller.

use std::collections::{BTreeMap, BTreeSet};

use daypass_policy::{DecisionEffect, Issuer, Principal};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::model::{ARN, Document, Statement, TEXT, TYPED, World, cases, world};

fn glob(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => glob(rest, text) || (!text.is_empty() && glob(pattern, &text[1..])),
        (['?', rest @ ..], [_, tail @ ..]) => glob(rest, tail),
        ([a, rest @ ..], [b, tail @ ..]) => a == b && glob(rest, tail),
        _ => false,
    }
}

fn like(pattern: &str, text: &str) -> bool {
    glob(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

fn action_matches(world: &World, statement: &Statement) -> bool {
    let action = world.action.to_lowercase();
    statement.actions.iter().any(|pattern| like(&pattern.to_lowercase(), &action)) != statement.not_action
}

/// `None`: a variable has no value.
fn resource_pattern_matches(world: &World, pattern: &str) -> Option<bool> {
    if pattern == "*" {
        return Some(true);
    }
    if world.resource == "*" {
        return Some(false);
    }
    // Literal stand-ins for the value's characters keep a `*` in it from being a wildcard.
    let (hide, team_variable) = (|text: &str| text.replace('*', "\u{1}"), "${aws:PrincipalTag/team}");
    let pattern_fields: Vec<&str> = pattern.splitn(6, ':').collect();
    let resource_fields: Vec<&str> = world.resource.splitn(6, ':').collect();
    if !pattern_fields.iter().zip(&resource_fields).take(5).all(|(pattern, field)| like(pattern, field)) {
        return Some(false);
    }
    let mut last = pattern_fields[5].to_owned();
    if last.contains(team_variable) {
        last = last.replace(team_variable, &hide(world.team?));
    }
    if last.contains("${") {
        return None;
    }
    Some(like(&last, &resource_fields[5].replace('*', "\u{1}")))
}

fn resource_matches(world: &World, statement: &Statement) -> bool {
    let answers: Vec<Option<bool>> =
        statement.resources.iter().map(|pattern| resource_pattern_matches(world, pattern)).collect();
    let listed = answers.contains(&Some(true));
    if statement.not_resource { !listed && (statement.deny || !answers.contains(&None)) } else { listed }
}

/// The values of an Arn operator that have one, as texts in which `\u{1}` is a star that is none.
fn arns(world: &World, values: &[&str]) -> Vec<String> {
    let variable = "${aws:PrincipalTag/team}";
    let one = |value: &&str| match world.team {
        Some(team) => Some(value.replace(variable, &team.replace('*', "\u{1}"))),
        None => (!value.contains(variable)).then(|| (*value).to_owned()),
    };
    values.iter().filter_map(one).collect()
}

fn is_arn(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    fields.len() == 6 && (fields[0] == "arn" || fields[0].contains(['*', '?']))
}

/// Milliseconds since 1970; the dates of the model alone.
fn millis(text: &str) -> Option<i64> {
    match text {
        "2026-01-15T12:00:00Z" | "2026-01-15T13:00:00+01:00" | "1768478400" => Some(1_768_478_400_000),
        "2026-01-15T12:00:00.001Z" => Some(1_768_478_400_001),
        "2026-01-15" => Some(1_768_435_200_000),
        _ => None,
    }
}

/// The bits of an address, and of how many they are the first.
fn bits(text: &str) -> Option<(String, usize)> {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let bits: String = match address.parse().ok()? {
        std::net::IpAddr::V4(address) => {
            address.octets().iter().map(|octet| format!("{octet:08b}")).collect()
        }
        std::net::IpAddr::V6(address) => {
            address.octets().iter().map(|octet| format!("{octet:08b}")).collect()
        }
    };
    let length = prefix.map_or(bits.len(), |prefix| prefix.parse().unwrap());
    Some((bits, length))
}

fn related<T: PartialOrd>(relation: &str, given: &T, wanted: &T) -> bool {
    match relation {
        "Equals" | "NotEquals" => given == wanted,
        "LessThan" => given < wanted,
        "LessThanEquals" => given <= wanted,
        "GreaterThan" => given > wanted,
        "GreaterThanEquals" => given >= wanted,
        other => panic!("{other}"),
    }
}

/// Whether the value of a request is what a negated operator must not find. `None`: it meets neither.
fn fits(base: &str, deny: bool, wanted: &str, value: &str) -> Option<bool> {
    let number = |text: &str| text.parse::<f64>().ok();
    Some(match base {
        "StringEquals" | "StringNotEquals" => wanted == value,
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => {
            wanted.to_lowercase() == value.to_lowercase()
        }
        "StringLike" | "StringNotLike" => like(wanted, value),
        // Of what is neither true nor false a Deny takes everything for false, an Allow only the request's.
        "Bool" => match (wanted.to_lowercase().as_str(), value.eq_ignore_ascii_case("true")) {
            ("true", truth) => truth,
            ("false", truth) => !truth,
            (_, truth) => deny && !truth,
        },
        // All of the model's are spelt in one way.
        "BinaryEquals" => wanted == value,
        "IpAddress" | "NotIpAddress" => {
            let ((given, _), (network, length)) = (bits(value)?, bits(wanted).unwrap());
            given.len() == network.len() && given[..length] == network[..length]
        }
        _ => match (base.strip_prefix("Numeric"), base.strip_prefix("Date")) {
            (Some(relation), _) => {
                number(value).is_some_and(|value| related(relation, &value, &number(wanted).unwrap()))
            }
            (_, Some(relation)) => {
                millis(value).is_some_and(|value| related(relation, &value, &millis(wanted).unwrap()))
            }
            _ => panic!("{base}"),
        },
    })
}

/// What the request has under a key.
fn given<'w>(world: &'w World, key: &str) -> Option<Vec<&'w str>> {
    match key {
        "aws:SourceArn" => world.source.map(|source| vec![source]),
        "aws:tagkeys" => world.tags.clone(),
        "aws:PrincipalTag/TEAM" => world.team.map(|team| vec![team]),
        typed => world.typed.iter().find(|(key, _)| *key == typed).map(|(_, value)| vec![*value]),
    }
}

fn condition_holds(world: &World, deny: bool, operator: &str, key: &str, values: &[&str]) -> bool {
    let present = given(world, key);
    if operator == "Null" {
        return values.iter().any(|value| match value.to_lowercase().as_str() {
            "true" => present.is_none(),
            "false" => present.is_some(),
            _ => deny,
        });
    }
    let (set, name) = operator.split_once(':').unwrap_or(("", operator));
    let (base, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |base| (base, true));
    let negated = base.contains("Not");
    let arn_operator = base.starts_with("Arn");
    let arns = arns(world, values);
    let unreadable = arn_operator && arns.iter().any(|arn| !is_arn(arn));
    if unreadable && negated && !deny {
        return false;
    }
    let one = |value: &str| {
        if arn_operator {
            if !is_arn(value) {
                return false;
            }
            let fits = |arn: &String| arn.splitn(6, ':').zip(value.splitn(6, ':')).all(|(a, b)| like(a, b));
            return (deny && unreadable) || arns.iter().filter(|arn| is_arn(arn)).any(fits) != negated;
        }
        let answers: Option<Vec<bool>> =
            values.iter().map(|wanted| fits(base, deny, wanted, value)).collect();
        answers.is_some_and(|answers| answers.contains(&true) != negated)
    };
    match (set, present) {
        ("ForAllValues", present) => present.unwrap_or_default().into_iter().all(one),
        ("ForAnyValue", present) => present.unwrap_or_default().into_iter().any(one),
        (_, None) => if_exists || negated,
        (_, Some(_)) if key == "aws:tagkeys" => false,
        (_, Some(values)) => one(values[0]),
    }
}

fn matches(world: &World, statement: &Statement) -> bool {
    action_matches(world, statement)
        && resource_matches(world, statement)
        && statement
            .conditions
            .iter()
            .all(|(operator, key, values)| condition_holds(world, statement.deny, operator, key, values))
}

/// Every name a policy can give the caller, with what it is worth.
fn names(principal: &Principal<'_>) -> Vec<(&'static str, String, char)> {
    let mut names = Vec::new();
    if !matches!(principal, Principal::Provider { .. }) {
        names.push(("AWS", "*".to_owned(), 'E'));
    }
    match *principal {
        Principal::User { arn, id, .. } => {
            names.push(("AWS", arn.to_owned(), 'D'));
            names.extend(id.map(|id| ("AWS", id.to_owned(), 'D')));
        }
        Principal::Role { session_arn, role_arn, role_id, .. } => {
            names.push(("AWS", session_arn.to_owned(), 'D'));
            names.push(("AWS", role_arn.to_owned(), 'O'));
            names.extend(role_id.map(|id| ("AWS", id.to_owned(), 'O')));
        }
        Principal::Federated { arn, issuer, .. } => {
            names.push(("AWS", arn.to_owned(), 'D'));
            if let Issuer::User { arn, id } = issuer {
                names.push(("AWS", arn.to_owned(), 'O'));
                names.extend(id.map(|id| ("AWS", id.to_owned(), 'O')));
            }
        }
        Principal::Service { name } => names.push(("Service", name.to_owned(), 'D')),
        Principal::Provider { name, .. } => names.push(("Federated", name.to_owned(), 'D')),
        Principal::Root { .. } | Principal::Anonymous => {}
    }
    if let Some(account) = principal.account() {
        names.push(("AWS", account.to_owned(), 'A'));
        names.push(("AWS", format!("arn:aws:iam::{account}:root"), 'A'));
    }
    names
}

/// What the statement's principals are worth for the caller; a Deny to everybody also catches providers.
fn worth(world: &World, statement: &Statement) -> Vec<char> {
    let names = names(&world.principal);
    let mut worth: Vec<char> = names
        .into_iter()
        .filter(|(kind, name, _)| statement.principals.iter().any(|(k, n)| k == kind && n == name))
        .map(|(_, _, worth)| worth)
        .collect();
    if statement.deny && statement.principals.contains(&("AWS", "*")) {
        worth.push('E');
    }
    worth
}

fn any(world: &World, documents: &[Document], deny: bool) -> bool {
    documents.iter().flatten().any(|statement| statement.deny == deny && matches(world, statement))
}

fn decide(world: &World) -> DecisionEffect {
    let caller = &world.principal;
    let root = matches!(caller, Principal::Root { .. });
    let federated = matches!(caller, Principal::Federated { .. });
    let account = caller.account().filter(|_| !matches!(caller, Principal::Provider { .. }));
    let has_account = account.is_some();
    let service = world.action.split(':').next().unwrap();
    let rcp_binds = ["s3", "sqs", "sts", "kms"].contains(&service) && world.resource != "*";

    let attached: Vec<&Statement> = world.attached.iter().flatten().filter(|s| matches(world, s)).collect();
    let attached_denies = attached.iter().any(|s| s.deny && !worth(world, s).is_empty());
    let rcp_denies = rcp_binds
        && world
            .rcp
            .iter()
            .flatten()
            .flatten()
            .any(|s| s.deny && matches(world, s) && !worth(world, s).is_empty());
    let own_denies = has_account
        && (any(world, &world.scp.concat(), true)
            || any(world, &world.session.concat(), true)
            || any(world, &world.scoped.concat(), true)
            || (!root && any(world, &world.identity, true))
            || (!root && world.boundary.as_ref().is_some_and(|documents| any(world, documents, true))));
    if attached_denies || rcp_denies || own_denies {
        return DecisionEffect::ExplicitlyDenied;
    }

    let grants: Vec<char> = attached.iter().filter(|s| !s.deny).flat_map(|s| worth(world, s)).collect();
    let granted = |worth: char| grants.contains(&worth);
    // Everybody, in a role's trust policy, is everybody who has an account: services are let in by name.
    let is_service = matches!(caller, Principal::Service { .. });
    let with_a_role = ["sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"].contains(&world.action);
    let is_role_trust = world.action.starts_with("sts:AssumeRole")
        || (with_a_role && world.resource.starts_with("arn:aws:iam::111122223333:role/"));
    let allowed = if !has_account {
        (granted('E') && !(is_service && is_role_trust)) || granted('D')
    } else {
        let scp = world.scp.iter().all(|level| any(world, level, false));
        let scoped = world.scoped.iter().all(|layer| any(world, layer, false));
        let i = root || any(world, &world.identity, false);
        let b = root || world.boundary.as_ref().is_none_or(|documents| any(world, documents, false));
        let s = world.session.iter().all(|layer| any(world, layer, false))
            && !(federated && world.session.is_empty());
        let own = i && b && s;
        // The session of a user or of the root user is no principal of its own.
        let direct = granted('D') && (s || !matches!(caller, Principal::User { .. }));
        let must_take_part = matches!(service, "sts" | "kms");
        scp && scoped
            && if account != Some(world.owner) {
                !grants.is_empty() && own
            } else {
                granted('E')
                    || direct
                    || (granted('O') && b && s)
                    || (own && (granted('A') || !must_take_part))
            }
    };
    if allowed { DecisionEffect::Allowed } else { DecisionEffect::ImplicitlyDenied }
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn both_evaluators_agree(world in world()) {
        prop_assert_eq!(world.scene().decide().effect, decide(&world));
    }
}

/// What random worlds are made of, so that agreement means something: printed, and nothing is rarer than one in a
/// hundred worlds.
#[test]
fn every_operator_kind_and_decision_is_drawn() {
    const WORLDS: usize = 2000;
    let mut drawn: BTreeMap<String, usize> = BTreeMap::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..WORLDS {
        let world = world().new_tree(&mut runner).unwrap().current();
        let mut seen: BTreeSet<String> = BTreeSet::from([format!("{:?}", decide(&world))]);
        let kinds: [(&str, Vec<&Document>); 7] = [
            ("identity", world.identity.iter().collect()),
            ("boundary", world.boundary.iter().flatten().collect()),
            ("session", world.session.iter().flatten().collect()),
            ("scoped", world.scoped.iter().flatten().collect()),
            ("resource", world.attached.iter().collect()),
            ("scp", world.scp.iter().flatten().collect()),
            ("rcp", world.rcp.iter().flatten().collect()),
        ];
        for (kind, documents) in kinds.into_iter().filter(|(_, documents)| !documents.is_empty()) {
            seen.insert(format!("{kind} policy"));
            for statement in documents.into_iter().flatten() {
                let told = |name: &String| name.strip_suffix("IfExists").unwrap_or(name).to_owned();
                let names = statement.conditions.iter().map(|(name, ..)| told(name));
                seen.extend(
                    names.map(|name| name.split_once(':').map_or(name.clone(), |(_, base)| base.to_owned())),
                );
            }
        }
        seen.into_iter().for_each(|what| *drawn.entry(what).or_default() += 1);
    }
    println!("of {WORLDS} random worlds: {drawn:?}");
    let operators =
        TYPED.iter().flat_map(|(operators, ..)| *operators).chain(&TEXT).chain(&ARN).chain(&["Null"]);
    let decisions = ["Allowed", "ExplicitlyDenied", "ImplicitlyDenied"];
    assert_eq!(drawn.len(), operators.clone().count() + 7 + decisions.len());
    assert_eq!(operators.clone().count(), 27);
    for what in operators.chain(&decisions) {
        assert!(drawn.get(*what).is_some_and(|count| count * 100 >= WORLDS), "{what}");
    }
    assert!(drawn.values().all(|count| count * 100 >= WORLDS));
}

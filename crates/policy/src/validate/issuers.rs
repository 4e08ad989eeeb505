//! Trust in issuers that give tokens to everybody (IAM User Guide, "Identity-provider controls for shared OIDC
//! providers"): a statement that lets their tokens in must itself say whose.

use std::collections::BTreeSet;

use super::Kind;
use crate::action::{Action, ActionSet};
use crate::code::Code;
use crate::condition::{Base, Operator, Qualifier, TextComparison};
use crate::document::{Effect, Fault, OperatorText, PrincipalForm, StatementText, Text};
use crate::issuers::{Rule, SharedIssuer};
use crate::principal::PrincipalKind;
use crate::variable;

pub(super) fn check(_: Kind, statement: &StatementText, found: &mut Vec<Fault>) {
    found.extend(untested(statement).into_iter().map(|(provider, issuer)| {
        let message = format!("Trust in {} must be restricted by a condition on {issuer}", issuer.name);
        Fault::rule(Code::MissingConditionForSharedIssuer, message, provider.at)
    }));
}

/// The providers of which the statement lets in everybody's tokens.
pub(crate) fn untested(statement: &StatementText) -> Vec<(&Text, SharedIssuer<'_>)> {
    let Some(PrincipalForm::Map(kinds)) = statement.principal.as_ref().map(|principal| &principal.form)
    else {
        return Vec::new();
    };
    if statement.effect() != Some(Effect::Allow) || !takes_tokens(statement) {
        return Vec::new();
    }
    // Looked through once, however many providers there are.
    let tested: BTreeSet<(String, Rule)> = statement.conditions.iter().flat_map(tested).collect();
    let federated = kinds.iter().filter(|(kind, _)| *kind == PrincipalKind::Federated);
    let shared = federated.flat_map(|(_, values)| values).filter_map(|provider| {
        let issuer = SharedIssuer::of(&provider.value)?;
        let rule = issuer.rule()?;
        let open = !issuer.keys().any(|key| tested.contains(&(key.to_ascii_lowercase(), rule)));
        open.then_some((provider, issuer))
    });
    shared.collect()
}

fn takes_tokens(statement: &StatementText) -> bool {
    let items = statement.action.iter().flat_map(|action| &action.items);
    ActionSet::new(items.map(|item| item.value.as_str()))
        .contains(Action::new("sts:assumerolewithwebidentity"))
}

/// The keys that the operator tests well enough, each for one rule.
fn tested(operator: &OperatorText) -> impl Iterator<Item = (String, Rule)> {
    let parsed = Operator::parse(&operator.name.value).filter(|parsed| !parsed.if_exists);
    let comparison = parsed.and_then(|parsed| match parsed.base {
        Base::Text { comparison, negated: false } => Some((parsed.qualifier, comparison)),
        _ => None,
    });
    comparison.into_iter().flat_map(move |(qualifier, comparison)| {
        operator.keys.iter().flat_map(move |(key, values)| {
            let holds = move |rule: &Rule| {
                is_there(qualifier, &key.value, *rule) && says_whose(comparison, values, *rule)
            };
            Rule::ALL.into_iter().filter(holds).map(|rule| (key.value.to_ascii_lowercase(), rule))
        })
    })
}

/// What no token has is equal to everything by `ForAllValues`: it says whose only of what every token has.
fn is_there(qualifier: Qualifier, key: &str, rule: Rule) -> bool {
    let of_every_token = || {
        let key = key.to_ascii_lowercase();
        key.ends_with(":sub") || key.ends_with(":aud") || key == "sts:rolesessionname"
    };
    match (qualifier, rule) {
        (Qualifier::None, _) => true,
        (_, Rule::Login) => false,
        (Qualifier::ForAnyValue, _) => true,
        (Qualifier::ForAllValues, _) => of_every_token(),
    }
}

/// One value that everybody's token has makes the others vain. A variable stands for what a token says of itself, or for
/// nothing: `${issuer:sub}` is the subject of everybody's.
fn says_whose(comparison: TextComparison, values: &[Text], rule: Rule) -> bool {
    let is_open =
        |text: &str| !text.is_empty() && text.chars().all(|character| matches!(character, '*' | '?'));
    let fits = |value: &Text| match (rule, value.value.as_str()) {
        (_, text) if variable::keys(text).next().is_some() => false,
        (Rule::Claim, text) => !is_open(text),
        (Rule::Login, text) => !is_open(text) && comparison != TextComparison::Like,
        (Rule::GitHub, text) => !text.trim().is_empty() && !text.starts_with(['*', '?']),
    };
    !values.is_empty() && values.iter().all(fits)
}

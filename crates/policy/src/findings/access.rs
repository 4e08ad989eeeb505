//! Security warnings: statements that may give more than their author means to give.

use std::collections::BTreeSet;

use super::conditions::{self, Test};
use super::names::{self, KeyKind};
use super::{Look, Note};
use crate::action::{Action, ActionSet};
use crate::arn::{Arn, ResourcePattern};
use crate::code::Code;
use crate::condition::{Base, Qualifier};
use crate::context::Context;
use crate::document::{Effect, Listed, PrincipalForm, Text};
use crate::issuers::SharedIssuer;
use crate::principal::PrincipalKind;
use crate::validate::{self, Kind};
use crate::variable::Match;

pub(super) fn look(look: &Look<'_>, notes: &mut Vec<Note>) {
    match look.statement.effect() {
        Some(Effect::Allow) => {
            everybody(look, notes);
            pass_role(look, notes);
            shared_issuers(look, notes);
            services(look, notes);
            holds_without_key(look, notes);
        }
        Some(Effect::Deny) => {
            mfa_of_long_term_keys(look, notes);
            not_principal(look, notes);
        }
        None => {}
    }
}

/// Whether some condition lets in only fixed values of one of the keys.
fn restricted_by(look: &Look<'_>, keys: &[&str]) -> bool {
    conditions::of(look.statement).any(|test| test.restricts() && keys.contains(&test.folded.as_str()))
}

fn everybody(look: &Look<'_>, notes: &mut Vec<Note>) {
    let Some(principal) = look.statement.principal.as_ref().filter(|principal| !principal.negated) else {
        return;
    };
    let at = match &principal.form {
        PrincipalForm::Star => Some(principal.at),
        _ => look.principals(PrincipalKind::Aws).find(|value| value.value == "*").map(|value| value.at),
    };
    if let Some(at) = at.filter(|_| !restricted_by(look, &names::WHO)) {
        notes.push(Note::plain(Code::AllowWithStarPrincipal, at));
    }
}

/// iam:PassRole on roles that nobody named.
fn pass_role(look: &Look<'_>, notes: &mut Vec<Note>) {
    // Of these kinds an Allow gives nothing by itself, or is not about roles of IAM.
    if !matches!(look.kind, Kind::Managed | Kind::Inline) || restricted_by(look, &["iam:passedtoservice"]) {
        return;
    }
    let Some((resource, action)) = look.statement.resource.as_ref().zip(look.statement.action.as_ref())
    else {
        return;
    };
    let wide = if resource.negated { Some(resource.at) } else { wildcard_of_roles(resource, look.variables) };
    let (Some(wide), Some((by, at))) = (wide, takes_in_pass_role(action)) else { return };
    let code = match (resource.negated, by) {
        (true, _) => Code::PassRoleWithNotResource,
        (false, By::Name) => Code::PassRoleWithStarInResource,
        (false, By::Wildcard) => Code::PassRoleWithStarInAction,
        (false, By::NotAction) => Code::PassRoleWithNotAction,
    };
    notes.push(Note::plain(code, if by == By::Name && !resource.negated { wide } else { at }));
}

/// What makes a statement take in iam:PassRole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Name,
    Wildcard,
    NotAction,
}

fn takes_in_pass_role(action: &Listed) -> Option<(By, usize)> {
    let takes_in = |item: &&Text| ActionSet::new([item.value.as_str()]).contains(Action::new("iam:passrole"));
    let mut found = action.items.iter().filter(takes_in);
    if action.negated {
        return found.next().is_none().then_some((By::NotAction, action.at));
    }
    found.next().map(|item| {
        if item.value.contains(['*', '?']) { (By::Wildcard, item.at) } else { (By::Name, item.at) }
    })
}

/// Roles that nobody has, the second with a path: what matches one of them does not choose by name.
const NOBODYS_ROLES: [&str; 2] = ["role/zq4nobodys", "role/zq4/nobodys"];

/// All roles of an account, or any of a wildcard of accounts. A path or a prefix of a name is a choice.
fn wildcard_of_roles(resource: &Listed, variables: bool) -> Option<usize> {
    let wide = |item: &&Text| {
        let mut fields = item.value.splitn(6, ':').skip(4);
        let account = fields.next().unwrap_or("*");
        let any_account = account.contains(['*', '?']);
        if any_account && fields.next().is_some_and(|named| named.starts_with("role")) {
            return true;
        }
        let account = if any_account { "111122223333" } else { account };
        let pattern = ResourcePattern::new(&item.value, variables);
        NOBODYS_ROLES.into_iter().any(|role| {
            let arn = format!("arn:aws:iam::{account}:{role}");
            pattern.matches(Arn::parse(&arn).as_ref(), &Context::new()) == Match::Yes
        })
    };
    resource.items.iter().find(wide).map(|item| item.at)
}

/// Trust in an issuer that serves everybody, without a word about whose tokens.
fn shared_issuers(look: &Look<'_>, notes: &mut Vec<Note>) {
    if look.kind != Kind::Trust {
        return;
    }
    let tested: BTreeSet<String> =
        conditions::of(look.statement).filter(names_somebody).map(|test| test.folded).collect();
    // What keeps the policy from being written has been told.
    let refused: BTreeSet<usize> =
        validate::untested_issuers(look.statement).iter().map(|(provider, _)| provider.at).collect();
    for provider in look.principals(PrincipalKind::Federated) {
        let Some(issuer) = SharedIssuer::of(&provider.value) else { continue };
        let is_tested = issuer.keys().any(|key| tested.contains(&key.to_ascii_lowercase()));
        if !is_tested && !refused.contains(&provider.at) {
            let message = format!(
                "Everybody who uses this provider gets tokens of the same issuer, and no condition on {issuer} says whose are trusted."
            );
            notes.push(Note::new(Code::MissingSubForSharedIssuer, message, provider.at));
        }
    }
}

/// A positive test whose values begin with something fixed: more than the word that all subjects of an issuer begin
/// with, as in `repo:*`.
fn names_somebody(test: &Test<'_>) -> bool {
    let textual = matches!(test.operator.base, Base::Text { negated: false, .. });
    textual
        && !test.operator.if_exists
        && !test.values.is_empty()
        && test.values.iter().all(|value| begins_with_a_name(value.value.trim()))
}

fn begins_with_a_name(value: &str) -> bool {
    let Some(wildcard) = value.find(['*', '?']) else { return !value.is_empty() };
    let fixed = value.get(..wildcard).unwrap_or_default();
    let name = fixed.split_once(':').map_or(fixed, |(_, name)| name);
    !name.is_empty()
}

/// A service that acts for whoever asks it. A role that one of AWS's services takes is mostly for what its own account has there; of
/// other services nobody says so.
fn services(look: &Look<'_>, notes: &mut Vec<Note>) {
    if !matches!(look.kind, Kind::Resource | Kind::Trust) || restricted_by(look, &names::SOURCE) {
        return;
    }
    let is_told = |name: &str| look.kind == Kind::Resource || !name.ends_with(".amazonaws.com");
    let services = look.principals(PrincipalKind::Service).filter(|service| is_told(&service.value));
    notes.extend(services.map(|service| Note::plain(Code::ServiceWithoutSource, service.at)));
}

/// Conditions that hold when the key is missing, in a statement that allows.
fn holds_without_key(look: &Look<'_>, notes: &mut Vec<Note>) {
    let required: BTreeSet<String> =
        conditions::of(look.statement).filter(Test::needs_key).map(|test| test.folded).collect();
    for test in conditions::of(look.statement) {
        let operator = test.operator;
        let code = match (operator.qualifier, names::key_kind(&test.key.value)) {
            _ if required.contains(&test.folded) || operator.base == Base::Null => continue,
            (Qualifier::ForAllValues, KeyKind::Single) => Code::ForAllValuesWithSingleValuedKey,
            (Qualifier::ForAllValues, _) => Code::ForAllValuesHoldsWithoutKey,
            (Qualifier::None, _) if operator.base == Base::Bool && operator.if_exists => {
                if !test.is("aws:multifactorauthpresent") {
                    continue;
                }
                Code::AllowIfMfaUnknown
            }
            (Qualifier::None, _)
                if operator.base.is_negated() && !names::is_always_there(&test.key.value) =>
            {
                Code::AllowWithNegatedCondition
            }
            _ => continue,
        };
        notes.push(Note::plain(code, test.name.at));
    }
}

/// `Bool: {aws:MultiFactorAuthPresent: false}` in a Deny.
fn mfa_of_long_term_keys(look: &Look<'_>, notes: &mut Vec<Note>) {
    let misses = |test: &Test<'_>| {
        let says_false = test.values.iter().any(|value| value.value.eq_ignore_ascii_case("false"));
        test.is("aws:multifactorauthpresent")
            && test.operator.base == Base::Bool
            && !test.operator.if_exists
            && says_false
    };
    let tests = conditions::of(look.statement).filter(misses);
    notes.extend(tests.map(|test| Note::plain(Code::DenyMissesLongTermKeys, test.name.at)));
}

/// Users, roles and sessions among the spared whose account is not (policies of resources).
fn not_principal(look: &Look<'_>, notes: &mut Vec<Note>) {
    if !look.statement.principal.as_ref().is_some_and(|principal| principal.negated) {
        return;
    }
    let root = |value: &str| value.strip_prefix("arn:aws:iam::")?.strip_suffix(":root").map(str::to_owned);
    let values = look.principals(PrincipalKind::Aws).map(|named| named.value.as_str());
    let accounts: BTreeSet<String> =
        values.map(|value| root(value).unwrap_or_else(|| value.to_owned())).collect();
    let roles: BTreeSet<(&str, &str)> =
        look.principals(PrincipalKind::Aws).filter_map(|named| role_of(&named.value, ":role/")).collect();
    for named in look.principals(PrincipalKind::Aws) {
        if role_of(&named.value, ":assumed-role/").is_some_and(|role| !roles.contains(&role)) {
            let message = format!("`{}` is denied too: its role is not named beside it.", named.value);
            notes.push(Note::new(Code::NotPrincipalWithoutAccount, message, named.at));
            continue;
        }
        let mut fields = named.value.splitn(6, ':').skip(4);
        let (Some(account), Some(entity)) = (fields.next(), fields.next()) else { continue };
        let spared = accounts.contains(account) || accounts.contains("*");
        if entity != "root" && !spared {
            let message =
                format!("`{}` is denied too: its account {account} is not named beside it.", named.value);
            notes.push(Note::new(Code::NotPrincipalWithoutAccount, message, named.at));
        }
    }
}

/// Account and name of the role in the ARN of one, or of one of its sessions. A role's path is no part of either.
fn role_of<'a>(arn: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
    let (head, name) = arn.split_once(kind)?;
    let (_, account) = head.rsplit_once(':')?;
    let name = match kind {
        ":role/" => name.rsplit('/').next(),
        _ => name.split('/').next(),
    };
    Some((account, name?))
}

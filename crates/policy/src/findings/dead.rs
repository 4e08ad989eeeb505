//! Warnings: statements, or parts of them, that can never match.

use std::collections::BTreeSet;

use super::conditions::{self, Test};
use super::families::Member;
use super::names::{self, KeyKind};
use super::{Look, Note};
use crate::Effect;
use crate::action::{Action, ActionSet, TAKING_A_ROLE};
use crate::arn::ResourcePattern;
use crate::code::Code;
use crate::condition::{self, Base, LiteralCheck, Qualifier, TextComparison};
use crate::document::{Listed, Text};
use crate::principal::PrincipalKind;
use crate::validate::Kind;

/// Conditions of one statement of which every one is compared with every other.
const COMPARED_MAX: usize = 500;

pub(super) fn look(look: &Look<'_>, notes: &mut Vec<Note>) {
    lists(look, notes);
    groups(look, notes);
    actions(look, notes);
    no_arns(look, notes);
    resources(look, notes);
    for test in conditions::of(look.statement) {
        key(&test, notes);
        values(look, &test, notes);
    }
    let names = look.statement.conditions.iter().filter(|operator| !operator.keys.is_empty());
    let meaningless = names.map(|operator| &operator.name).filter(|name| name.value == "NullIfExists");
    notes.extend(meaningless.map(|name| Note::plain(Code::NullWithIfExists, name.at)));
    contradictions(look, notes);
}

/// Lists that are empty, or take everything out.
fn lists(look: &Look<'_>, notes: &mut Vec<Note>) {
    let mut check = |listed: &Option<Listed>, empty, all| {
        let Some(listed) = listed else { return };
        if listed.items.is_empty() && !look.kind.is_iam() {
            notes.push(Note::plain(empty, listed.at));
        }
        let everything = listed.items.iter().find(|item| matches!(item.value.as_str(), "*" | "*:*"));
        if let Some(item) = everything.filter(|_| listed.negated) {
            notes.push(Note::plain(all, item.at));
        }
    };
    check(&look.statement.action, Code::EmptyArrayAction, Code::NotActionStar);
    check(&look.statement.resource, Code::EmptyArrayResource, Code::NotResourceStar);
}

/// Groups, which are no principals.
fn groups(look: &Look<'_>, notes: &mut Vec<Note>) {
    let group = |arn: &str| {
        arn.starts_with("arn:aws:iam::")
            && arn.splitn(6, ':').nth(5).is_some_and(|name| name.starts_with("group/"))
    };
    if look.kind == Kind::Resource {
        let groups = look.principals(PrincipalKind::Aws).filter(|named| group(&named.value));
        notes.extend(groups.map(|named| Note::plain(Code::GroupAsPrincipal, named.at)));
    }
}

/// Names that no action of a known service has.
fn actions(look: &Look<'_>, notes: &mut Vec<Note>) {
    for item in look.actions() {
        let Some((service, name)) = item.value.split_once(':') else { continue };
        if name.contains(char::is_whitespace) {
            let message = format!("No action has a blank in its name, so `{}` never matches.", item.value);
            notes.push(Note::new(Code::InvalidAction, message, item.at));
            continue;
        }
        let Some(known) = look.catalog.actions(service) else { continue };
        let pattern = ActionSet::new([item.value.as_str()]);
        let lower = |name: &str| format!("{service}:{name}").to_ascii_lowercase();
        if known.iter().any(|known| pattern.contains(Action::new(&lower(known)))) {
            continue;
        }
        let mut message = format!("{service} has no action `{name}`, so it never matches.");
        if let Some(meant) = names::nearest(name, known.iter().copied()) {
            message.push_str(&format!(" Did you mean `{meant}`?"));
        }
        notes.push(Note::new(Code::InvalidAction, message, item.at));
    }
}

/// Resources that are no ARN of this partition: IAM's policies are refused with them, others are not.
fn no_arns(look: &Look<'_>, notes: &mut Vec<Note>) {
    let listed = look.statement.resource.iter().filter(|_| !look.kind.is_iam());
    let never =
        listed.flat_map(|resource| &resource.items).filter(|item| !ResourcePattern::is_of_arns(&item.value));
    notes.extend(never.map(|item| Note::plain(Code::ResourceNeverMatches, item.at)));
}

/// Resources that none of the actions works on. Only where every action names a known service.
fn resources(look: &Look<'_>, notes: &mut Vec<Note>) {
    let statement = look.statement;
    let (Some(action), Some(resource)) = (&statement.action, &statement.resource) else { return };
    if action.negated || resource.negated || action.items.is_empty() || look.kind == Kind::Trust {
        return;
    }
    let everything = resource.items.iter().any(|item| item.value == "*");
    for item in action.items.iter().filter(|_| !everything) {
        if names::takes_no_resource(&item.value.to_ascii_lowercase()) {
            notes.push(Note::plain(Code::ActionWithoutResource, item.at));
        }
    }
    let services: Option<Vec<&[&str]>> = action.items.iter().map(services_of).collect();
    let Some(services) = services else { return };
    for item in &resource.items {
        let service = item.value.split(':').nth(2).unwrap_or("*");
        let plain = !service.contains(['*', '?', '$']);
        if plain && !services.iter().any(|services| services.contains(&service)) {
            notes.push(Note::plain(Code::ResourceOfOtherService, item.at));
        }
    }
    buckets_and_objects(&action.items, &resource.items, notes);
    roles_to_take(&action.items, &resource.items, notes);
}

/// Taking what is no role.
fn roles_to_take(actions: &[Text], resources: &[Text], notes: &mut Vec<Note>) {
    let taking = |action: &Text| {
        TAKING_A_ROLE.iter().any(|known| action.value.eq_ignore_ascii_case(&format!("sts:{known}")))
    };
    let other = |resource: &&Text| {
        let mut fields = resource.value.splitn(6, ':').skip(2);
        let of_iam = matches!(fields.next(), Some("iam" | "sts"));
        let kind = fields.nth(2).and_then(|name| name.split_once('/')).map(|(kind, _)| kind);
        of_iam && matches!(kind, Some("user" | "group" | "assumed-role" | "federated-user"))
    };
    if actions.iter().all(taking) {
        notes.extend(
            resources.iter().filter(other).map(|item| Note::plain(Code::AssumeRoleWithoutRole, item.at)),
        );
    }
}

fn services_of(action: &Text) -> Option<&'static [&'static str]> {
    let (service, _) = action.value.split_once(':')?;
    names::services_of_resources(&service.to_ascii_lowercase())
}

/// Actions of Amazon S3 on objects with the ARN of a bucket, and the other way round.
fn buckets_and_objects(actions: &[Text], resources: &[Text], notes: &mut Vec<Note>) {
    let s3 = |prefix: &str| resources.iter().all(|item| item.value.starts_with(prefix));
    let keyed = |item: &Text| item.value.strip_prefix("arn:aws:s3:::").is_some_and(|rest| rest.contains('/'));
    // A wildcard in the name of the bucket reaches its objects, too.
    let bucket = |item: &Text| {
        item.value.strip_prefix("arn:aws:s3:::").is_some_and(|rest| !rest.contains(['/', '*', '$']))
    };
    if !s3("arn:aws:s3:::") {
        return;
    }
    for action in actions {
        let code = match action.value.to_ascii_lowercase().as_str() {
            "s3:getobject"
            | "s3:putobject"
            | "s3:deleteobject"
            | "s3:getobjectversion"
            | "s3:putobjectacl"
            | "s3:getobjecttagging"
            | "s3:putobjecttagging"
            | "s3:abortmultipartupload"
                if resources.iter().all(bucket) =>
            {
                Code::BucketForObjects
            }
            "s3:listbucket"
            | "s3:listbucketversions"
            | "s3:listbucketmultipartuploads"
            | "s3:getbucketlocation"
            | "s3:getbucketpolicy"
            | "s3:putbucketpolicy"
            | "s3:createbucket"
            | "s3:deletebucket"
                if resources.iter().all(keyed) =>
            {
                Code::ObjectForBucket
            }
            _ => continue,
        };
        notes.push(Note::plain(code, action.at));
    }
}

/// Keys that no request has, and keys with many values under an operator for one.
fn key(test: &Test<'_>, notes: &mut Vec<Note>) {
    let key = &test.key.value;
    match names::key_kind(key) {
        KeyKind::TagWithoutName => notes.push(Note::plain(Code::MissingTagKey, test.key.at)),
        KeyKind::NoSuchGlobal => {
            let why = format!("There is no global condition key `{key}`, so it is missing in every request.");
            notes.push(no_such_key(Code::InvalidGlobalConditionKey, why, test.key));
        }
        KeyKind::NoSuchOfService => {
            let why = format!("There is no condition key `{key}`, so it is missing in every request.");
            notes.push(no_such_key(Code::InvalidServiceConditionKey, why, test.key));
        }
        KeyKind::NoSuchClaim => {
            let why = match Member::of(key).filter(Member::can_have_more) {
                Some(member) => format!(
                    "No token of {} has the condition key `{key}`, unless the claim is set for its provider.",
                    member.family
                ),
                None => format!("There is no condition key `{key}`, so it is missing in every request."),
            };
            notes.push(no_such_key(Code::UnknownClaimAsConditionKey, why, test.key));
        }
        KeyKind::Multivalued
            if test.operator.qualifier == Qualifier::None && test.operator.base != Base::Null =>
        {
            notes.push(Note::plain(Code::MissingQualifier, test.name.at));
        }
        _ => {}
    }
    if test.values.is_empty() {
        notes.push(Note::plain(Code::EmptyArrayCondition, test.key.at));
    }
}

fn no_such_key(code: Code, mut why: String, key: &Text) -> Note {
    if let Some(meant) = names::meant_key(&key.value) {
        why.push_str(&format!(" Did you mean `{meant}`?"));
    }
    Note::new(code, why, key.at)
}

fn values(look: &Look<'_>, test: &Test<'_>, notes: &mut Vec<Note>) {
    let base = test.operator.base;
    for value in test.values {
        let text = value.value.as_str();
        let refused = !condition::is_writable_literal(
            &test.name.value,
            text,
            look.variables,
            look.kind.literal_check(),
        );
        let boolean = matches!(base, Base::Bool | Base::Null);
        let unreadable = if boolean {
            !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false")
        } else {
            !condition::is_writable_literal(&test.name.value, text, look.variables, LiteralCheck::All)
        };
        if unreadable && !refused {
            let name = &test.name.value;
            let message = match (look.statement.effect(), base) {
                (Some(Effect::Deny), Base::Arn { .. }) => {
                    format!(
                        "`{text}` cannot be read under {name}, so this Deny counts it as matching every ARN."
                    )
                }
                (Some(Effect::Deny), Base::Bool) => {
                    format!("`{text}` cannot be read under {name}; this Deny takes it for false.")
                }
                (Some(Effect::Deny), Base::Null) => {
                    format!(
                        "`{text}` cannot be read under {name}, so this Deny does not ask whether the key is there."
                    )
                }
                _ => format!("`{text}` cannot be read under {name}, so it never matches."),
            };
            notes.push(Note::new(Code::ConditionValueNeverMatches, message, value.at));
        }
        if test.is("aws:principalarn") && is_session_arn(text) {
            let message = format!(
                "The aws:PrincipalArn of a session is the ARN of its role, so `{text}` never matches."
            );
            notes.push(Note::new(Code::ConditionValueNeverMatches, message, value.at));
        }
        let exact = matches!(
            base,
            Base::Text { comparison: TextComparison::Equals | TextComparison::EqualsIgnoreCase, .. }
        );
        if exact && has_wildcard(text) {
            notes.push(Note::plain(Code::WildcardWithoutLike, value.at));
        }
    }
}

fn is_session_arn(text: &str) -> bool {
    text.starts_with("arn:")
        && text.splitn(6, ':').nth(5).is_some_and(|name| name.starts_with("assumed-role/"))
}

/// Whether there is a `*` or `?` outside of the escapes `${*}` and `${?}`.
fn has_wildcard(text: &str) -> bool {
    text.replace("${*}", "").replace("${?}", "").contains(['*', '?'])
}

/// Two conditions on one key of which only one can hold.
fn contradictions(look: &Look<'_>, notes: &mut Vec<Note>) {
    let tests: Vec<Test<'_>> = conditions::of(look.statement).take(COMPARED_MAX).collect();
    for (at, test) in tests.iter().enumerate() {
        let others = tests.iter().take(at).filter(|other| other.folded == test.folded);
        if others.into_iter().any(|other| contradict(test, other) || contradict(other, test)) {
            notes.push(Note::plain(Code::ContradictoryConditions, test.key.at));
        }
    }
}

/// The key must be missing and present, or equal and unequal to the same values.
fn contradict(one: &Test<'_>, other: &Test<'_>) -> bool {
    let missing = one.operator.base == Base::Null
        && !one.values.is_empty()
        && one.values.iter().all(|value| value.value.eq_ignore_ascii_case("true"));
    let (a, b) = (one.operator, other.operator);
    let equal_and_not = a.qualifier == Qualifier::None
        && b.qualifier == Qualifier::None
        && !a.if_exists
        && a.base == Base::Text { comparison: TextComparison::Equals, negated: false }
        && b.base == Base::Text { comparison: TextComparison::Equals, negated: true }
        && !one.values.is_empty()
        && all_among(one.values, other.values);
    (missing && other.needs_key()) || equal_and_not || equal_to_others(one, other)
}

/// The key must have one of these values, and one of those, and they have none in common.
fn equal_to_others(one: &Test<'_>, other: &Test<'_>) -> bool {
    let equals = |test: &Test<'_>| {
        test.operator.qualifier == Qualifier::None
            && test.operator.base == Base::Text { comparison: TextComparison::Equals, negated: false }
            && !test.values.iter().any(|value| value.value.contains("${"))
    };
    // Where neither is there, both hold.
    let needed = !(one.operator.if_exists && other.operator.if_exists);
    let others: BTreeSet<&str> = other.values.iter().map(|value| value.value.as_str()).collect();
    let disjoint = || !one.values.iter().any(|value| others.contains(value.value.as_str()));
    equals(one) && equals(other) && needed && disjoint()
}

/// Whether these values are all among the others, whatever the request.
fn all_among(values: &[Text], others: &[Text]) -> bool {
    let others: BTreeSet<&str> = others.iter().map(|value| value.value.as_str()).collect();
    values.iter().all(|value| !value.value.contains("${") && others.contains(value.value.as_str()))
}

//! `Condition`: one operator, one key, its values, compiled with typed operands.
//!
//! It answers for the meaning of every operator, set qualifier and suffix (IAM User Guide, "Condition
//! operators" and "Multivalued context keys") and for failing closed: what it cannot understand never
//! makes an Allow apply.

mod address;
mod base64;
mod date;
mod number;
mod operator;

pub(crate) use address::is_wide_network;
use address::{Address, Network};
use date::Instant;
use number::Number;
use operator::Relation;
pub(crate) use operator::{Base, Operator, Qualifier, TextComparison};

use crate::arn::{Arn, ArnPattern};
use crate::context::{Context, Entry, Key};
use crate::document::Effect;
use crate::variable::{Match, Template};
use crate::work::{Weight, Work};

/// One key of one operator of a statement's `Condition`.
#[derive(Debug)]
pub(crate) struct Condition {
    /// As written, for explanations.
    pub(crate) operator: Box<str>,
    /// As written, for explanations.
    pub(crate) key: Box<str>,
    /// What the context is looked up by.
    sought: Key,
    /// `None` for an operator that does not exist.
    test: Option<(Operator, Operands)>,
    /// Of its values.
    weight: Weight,
}

/// The values of a condition. A value that cannot be read as the operator's type is `None`.
#[derive(Debug)]
enum Operands {
    Text(TextComparison, Box<[Template]>),
    Numeric(Relation, Box<[Option<Number<Box<str>>>]>),
    Date(Relation, Box<[Option<Instant>]>),
    Bool(Box<[Option<bool>]>),
    Binary(Box<[Option<Vec<u8>>]>),
    Address(Box<[Option<Network>]>),
    Arn(Box<[ArnPattern]>),
    Null(Box<[Option<bool>]>),
}

impl Condition {
    /// Compiles one entry. `variables` says whether the document is new enough to have them.
    pub(crate) fn new<'a>(
        operator: &str,
        key: &str,
        values: impl Iterator<Item = &'a str> + Clone,
        variables: bool,
    ) -> Condition {
        let parsed = Operator::parse(operator);
        let weight = match parsed.map(|operator| operator.base) {
            Some(Base::Text { comparison: TextComparison::EqualsIgnoreCase, .. }) => {
                Weight::of(values.clone()).ignoring_case()
            }
            _ => Weight::of(values.clone()),
        };
        let test = parsed.map(|operator| (operator, Operands::new(operator, values, variables)));
        Condition { operator: operator.into(), key: key.into(), sought: Key::new(key), test, weight }
    }

    /// Whether the condition is met, for a statement of that effect; `None` when that would cost too much.
    // INVARIANT (fail-closed): an operator nobody knows keeps an Allow from applying and lets a Deny apply.
    pub(crate) fn holds(&self, effect: Effect, context: &Context, work: &Work) -> Option<bool> {
        let entry = context.entry(&self.sought);
        let values = entry.map_or(&[][..], Entry::values);
        let bytes = values.iter().map(String::len).sum();
        work.spend(self.weight, values.len(), bytes).then(|| self.is_met(effect, context, entry))
    }

    /// Whether the request's key has a list of values, and the operator nothing that says how they count together.
    pub(crate) fn lacks_qualifier(&self, context: &Context) -> bool {
        let of_one = |(operator, _): &(Operator, Operands)| {
            operator.qualifier == Qualifier::None && operator.base != Base::Null
        };
        self.test.as_ref().is_some_and(of_one) && matches!(context.entry(&self.sought), Some(Entry::List(_)))
    }

    fn is_met(&self, effect: Effect, context: &Context, entry: Option<&Entry>) -> bool {
        let Some((operator, operands)) = &self.test else { return effect == Effect::Deny };
        let negated = operator.base.is_negated();
        if effect == Effect::Allow && negated && operands.has_unreadable(context) {
            // "Differs from something unreadable" must not grant.
            return false;
        }
        if let Operands::Null(expected) = operands {
            // Presence only: an empty text or an empty list is present. What asks for neither must not make a Deny void.
            let unreadable = effect == Effect::Deny && expected.contains(&None);
            return unreadable || expected.contains(&Some(entry.is_none()));
        }
        let meets = |value: &String| operands.meets(value, negated, effect, context);
        match (operator.qualifier, entry) {
            (Qualifier::None, None) => negated || operator.if_exists,
            (Qualifier::None, Some(Entry::Single([value]))) => meets(value),
            // A multivalued key needs a qualifier, even when it has one value.
            (Qualifier::None, Some(Entry::List(_))) => false,
            // The suffix has no effect under a qualifier: a missing key is the empty set.
            (Qualifier::ForAllValues, entry) => entry.is_none_or(|entry| entry.values().iter().all(meets)),
            (Qualifier::ForAnyValue, entry) => entry.is_some_and(|entry| entry.values().iter().any(meets)),
        }
    }
}

impl Operands {
    fn new<'a>(operator: Operator, values: impl Iterator<Item = &'a str>, variables: bool) -> Operands {
        match operator.base {
            Base::Text { comparison: TextComparison::Like, .. } => Operands::Text(
                TextComparison::Like,
                values.map(|value| Template::like(value, variables)).collect(),
            ),
            Base::Text { comparison, .. } => {
                Operands::Text(comparison, values.map(|value| Template::exact(value, variables)).collect())
            }
            Base::Numeric(relation) => Operands::Numeric(
                relation,
                values.map(|value| Number::parse(value).map(Number::to_owned)).collect(),
            ),
            Base::Date(relation) => Operands::Date(relation, values.map(Instant::parse).collect()),
            Base::Bool => Operands::Bool(values.map(parse_bool).collect()),
            Base::Binary => Operands::Binary(values.map(base64::decode).collect()),
            Base::Address { .. } => Operands::Address(values.map(Network::parse).collect()),
            Base::Arn { .. } => {
                Operands::Arn(values.map(|value| ArnPattern::new(value, variables)).collect())
            }
            Base::Null => Operands::Null(values.map(parse_bool).collect()),
        }
    }

    fn has_unparsable(&self) -> bool {
        match self {
            Operands::Text(..) => false,
            Operands::Numeric(_, values) => values.iter().any(Option::is_none),
            Operands::Date(_, values) => values.iter().any(Option::is_none),
            Operands::Bool(values) | Operands::Null(values) => values.iter().any(Option::is_none),
            Operands::Binary(values) => values.iter().any(Option::is_none),
            Operands::Address(values) => values.iter().any(Option::is_none),
            Operands::Arn(values) => values.iter().any(ArnPattern::is_unparsable),
        }
    }

    /// The same of this request, whose values may make an ARN of a text with variables or something else.
    fn has_unreadable(&self, context: &Context) -> bool {
        match self {
            Operands::Arn(patterns) => patterns.iter().any(|pattern| pattern.is_unreadable(context)),
            others => others.has_unparsable(),
        }
    }

    /// Whether one value of the request meets the operator: one policy value matches, or for a negated
    /// operator none does.
    fn meets(&self, value: &str, negated: bool, effect: Effect, context: &Context) -> bool {
        let matched = match self {
            Operands::Text(TextComparison::EqualsIgnoreCase, templates) => {
                templates.iter().any(|template| template.matches_ignoring_case(value, context) == Match::Yes)
            }
            Operands::Text(_, templates) => {
                templates.iter().any(|template| template.matches(value, context) == Match::Yes)
            }
            // A number or date that cannot be read is unequal to everything.
            Operands::Numeric(relation, numbers) => Number::parse(value).is_some_and(|value| {
                numbers.iter().flatten().any(|number| relation.accepts(value.compare(number)))
            }),
            Operands::Date(relation, instants) => Instant::parse(value).is_some_and(|value| {
                instants.iter().flatten().any(|instant| relation.accepts(value.cmp(instant)))
            }),
            // As S3 was seen to do, whatever is not true counts as false; on the policy's side in a Deny only, so that no
            // grant comes of it.
            Operands::Bool(values) => {
                let truth = value.eq_ignore_ascii_case("true");
                let unreadable = effect == Effect::Deny && !truth && values.contains(&None);
                unreadable || values.contains(&Some(truth))
            }
            Operands::Binary(values) => base64::decode(value)
                .is_some_and(|value| values.iter().flatten().any(|bytes| *bytes == value)),
            // An address or ARN that cannot be read meets neither the operator nor its negation.
            Operands::Address(networks) => match Address::parse(value) {
                Some(address) => networks.iter().flatten().any(|network| network.contains(address)),
                None => return false,
            },
            Operands::Arn(patterns) => match Arn::parse(value) {
                Some(_) if effect == Effect::Deny && self.has_unreadable(context) => return true,
                Some(arn) => patterns.iter().any(|pattern| pattern.matches(&arn, context) == Match::Yes),
                None => return false,
            },
            Operands::Null(_) => return false,
        };
        matched != negated
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Which literals are checked when a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiteralCheck {
    /// Numeric, Date, IpAddress, Arn and Binary values: IAM's own policies.
    All,
    /// Binary values only: session policies.
    Binary,
    /// None: policies of other services and of organizations.
    Nothing,
}

/// Whether the value may be written under that operator.
pub(crate) fn is_writable_literal(operator: &str, value: &str, variables: bool, check: LiteralCheck) -> bool {
    let Some(operator) = Operator::parse(operator) else { return true };
    let checked = match check {
        LiteralCheck::All => !matches!(operator.base, Base::Bool | Base::Null),
        LiteralCheck::Binary => operator.base == Base::Binary,
        LiteralCheck::Nothing => false,
    };
    !checked || !Operands::new(operator, std::iter::once(value), variables).has_unparsable()
}

#[cfg(test)]
mod tests;

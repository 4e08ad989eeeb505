//! The conditions of a statement, one key at a time.

use super::anybody;
use crate::condition::{self, Base, Operator, Qualifier};
use crate::context::fold;
use crate::document::{StatementText, Text};

/// One key under one operator.
pub(super) struct Test<'a> {
    pub(super) operator: Operator,
    pub(super) name: &'a Text,
    pub(super) key: &'a Text,
    /// The key in lower case.
    pub(super) folded: String,
    pub(super) values: &'a [Text],
}

impl Test<'_> {
    pub(super) fn is(&self, key: &str) -> bool {
        self.folded == key
    }

    /// Whether the condition fails for a request without the key.
    pub(super) fn needs_key(&self) -> bool {
        match self.operator.base {
            Base::Null => self.values.iter().all(|value| value.value.eq_ignore_ascii_case("false")),
            base => match self.operator.qualifier {
                Qualifier::None => !base.is_negated() && !self.operator.if_exists,
                Qualifier::ForAnyValue => true,
                Qualifier::ForAllValues => false,
            },
        }
    }

    /// Whether only requests pass whose key has one of the listed values, each of which not everybody can have.
    /// Operators that find an order in names or networks (`DateLessThan`, …) choose nobody.
    pub(super) fn restricts(&self) -> bool {
        let (Base::Text { negated, .. } | Base::Arn { negated } | Base::Address { negated }) =
            self.operator.base
        else {
            return false;
        };
        !negated
            && self.needs_key()
            && !self.values.is_empty()
            && !self.values.iter().any(|value| self.is_anybodys(&value.value))
    }

    fn is_anybodys(&self, value: &str) -> bool {
        match self.operator.base {
            Base::Address { .. } => condition::is_wide_network(value),
            _ => anybody::has(&self.folded, value),
        }
    }
}

/// The keys of all operators; operators nobody knows are an error elsewhere.
pub(super) fn of(statement: &StatementText) -> impl Iterator<Item = Test<'_>> {
    statement.conditions.iter().flat_map(|operator| {
        let parsed = Operator::parse(&operator.name.value);
        operator.keys.iter().filter_map(move |(key, values)| {
            let (name, folded) = (&operator.name, fold(&key.value).to_string());
            Some(Test { operator: parsed?, name, key, folded, values })
        })
    })
}

//! The conditions of a statement, one key at a time.

use crate::condition::{Base, Operator, Qualifier};
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

    /// Whether only requests pass whose key has one of the listed values, none of which is every value.
    pub(super) fn restricts(&self) -> bool {
        let base = self.operator.base;
        let everything = |value: &Text| matches!(value.value.as_str(), "*" | "0.0.0.0/0" | "::/0");
        base != Base::Null
            && !base.is_negated()
            && self.needs_key()
            && !self.values.is_empty()
            && !self.values.iter().any(everything)
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

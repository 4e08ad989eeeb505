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

    /// Whether only requests pass whose key has one of the listed values, each of which begins with something fixed.
    pub(super) fn restricts(&self) -> bool {
        let base = self.operator.base;
        base != Base::Null
            && !base.is_negated()
            && self.needs_key()
            && !self.values.is_empty()
            && !self.values.iter().any(|value| self.is_anybodys(&value.value))
    }

    /// Whether people of any account may have this value: of an ARN nothing is fixed but what everybody can give
    /// something of their own. The names of buckets are nobody else's, so that for them no account is needed.
    fn is_anybodys(&self, value: &str) -> bool {
        if value.starts_with(['*', '?']) || matches!(value, "0.0.0.0/0" | "::/0") {
            return true;
        }
        let mut fields = value.splitn(6, ':');
        let of_any_account = fields.next() == Some("arn")
            && fields.nth(3).is_some_and(|field| field.is_empty() || field.contains('*'));
        of_any_account
            && (self.is("aws:principalarn") || fields.next().is_some_and(|name| name.starts_with('*')))
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

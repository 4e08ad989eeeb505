//! The names of condition operators (IAM User Guide, "IAM JSON policy elements: Condition operators").

use std::cmp::Ordering;

/// A condition operator with its set qualifier and suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) qualifier: Qualifier,
    pub(crate) base: Base,
    pub(crate) if_exists: bool,
}

/// How the values of a multivalued key are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Qualifier {
    None,
    ForAllValues,
    ForAnyValue,
}

/// The operator proper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    Text { comparison: TextComparison, negated: bool },
    Numeric(Relation),
    Date(Relation),
    Bool,
    Binary,
    Address { negated: bool },
    Arn { negated: bool },
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextComparison {
    Equals,
    EqualsIgnoreCase,
    Like,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equals,
    NotEquals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Relation {
    /// Whether the request's value stands in this relation to the policy's. For `NotEquals` this is the
    /// equality that must not hold.
    pub(crate) fn accepts(self, order: Ordering) -> bool {
        match self {
            Relation::Equals | Relation::NotEquals => order.is_eq(),
            Relation::LessThan => order.is_lt(),
            Relation::LessThanEquals => order.is_le(),
            Relation::GreaterThan => order.is_gt(),
            Relation::GreaterThanEquals => order.is_ge(),
        }
    }
}

impl Operator {
    /// Names are case-sensitive. `None` for a name that does not exist or whose combination has no
    /// documented meaning, such as `NullIfExists`.
    pub(crate) fn parse(name: &str) -> Option<Operator> {
        let (qualifier, rest) = match name.split_once(':') {
            None => (Qualifier::None, name),
            Some(("ForAllValues", rest)) => (Qualifier::ForAllValues, rest),
            Some(("ForAnyValue", rest)) => (Qualifier::ForAnyValue, rest),
            Some(_) => return None,
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let base = Base::parse(base)?;
        let plain = qualifier == Qualifier::None && !if_exists;
        (base != Base::Null || plain).then_some(Operator { qualifier, base, if_exists })
    }

    /// Whether a document with this name may be written. `NullIfExists` may: AWS accepts it, although the
    /// documentation gives it no meaning; where it stands, evaluation fails closed.
    pub(crate) fn is_writable(name: &str) -> bool {
        name == "NullIfExists" || Operator::parse(name).is_some()
    }
}

impl Base {
    fn parse(name: &str) -> Option<Base> {
        let text = |comparison, negated| Base::Text { comparison, negated };
        Some(match name {
            "StringEquals" => text(TextComparison::Equals, false),
            "StringNotEquals" => text(TextComparison::Equals, true),
            "StringEqualsIgnoreCase" => text(TextComparison::EqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => text(TextComparison::EqualsIgnoreCase, true),
            "StringLike" => text(TextComparison::Like, false),
            "StringNotLike" => text(TextComparison::Like, true),
            "Bool" => Base::Bool,
            "BinaryEquals" => Base::Binary,
            "IpAddress" => Base::Address { negated: false },
            "NotIpAddress" => Base::Address { negated: true },
            "ArnEquals" | "ArnLike" => Base::Arn { negated: false },
            "ArnNotEquals" | "ArnNotLike" => Base::Arn { negated: true },
            "Null" => Base::Null,
            _ => {
                if let Some(relation) = name.strip_prefix("Numeric") {
                    Base::Numeric(Relation::parse(relation)?)
                } else {
                    Base::Date(Relation::parse(name.strip_prefix("Date")?)?)
                }
            }
        })
    }

    /// Whether the operator says that no value may match.
    pub(crate) fn is_negated(self) -> bool {
        match self {
            Base::Text { negated, .. } | Base::Address { negated } | Base::Arn { negated } => negated,
            Base::Numeric(relation) | Base::Date(relation) => relation == Relation::NotEquals,
            Base::Bool | Base::Binary | Base::Null => false,
        }
    }
}

impl Relation {
    fn parse(name: &str) -> Option<Relation> {
        Some(match name {
            "Equals" => Relation::Equals,
            "NotEquals" => Relation::NotEquals,
            "LessThan" => Relation::LessThan,
            "LessThanEquals" => Relation::LessThanEquals,
            "GreaterThan" => Relation::GreaterThan,
            "GreaterThanEquals" => Relation::GreaterThanEquals,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_takes_suffix_and_qualifier_but_null() {
        let comparisons =
            ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"];
        let mut names: Vec<String> = comparisons
            .iter()
            .flat_map(|relation| [format!("Numeric{relation}"), format!("Date{relation}")])
            .collect();
        names.extend(
            [
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLike",
                "StringNotLike",
                "Bool",
                "BinaryEquals",
                "IpAddress",
                "NotIpAddress",
                "ArnEquals",
                "ArnLike",
                "ArnNotEquals",
                "ArnNotLike",
            ]
            .map(String::from),
        );
        for name in names {
            let plain = Operator::parse(&name).unwrap();
            assert_eq!(plain.base.is_negated(), name.contains("Not"), "{name}");
            for full in [format!("ForAllValues:{name}"), format!("ForAnyValue:{name}IfExists")] {
                let operator = Operator::parse(&full).unwrap();
                assert_eq!(operator.base, plain.base, "{full}");
                assert_eq!(operator.if_exists, full.ends_with("IfExists"), "{full}");
            }
        }
        assert!(Operator::parse("Null").is_some());
    }

    #[test]
    fn other_names_do_not_exist() {
        for name in [
            "",
            "stringequals",
            "StringIs",
            "StringLessThan",
            "NumericLike",
            "ForSomeValue:StringLike",
            "ForAnyValue::StringLike",
            "ForAnyValue:",
            "IfExists",
            "StringEqualsIfExistsIfExists",
            "NullIfExists",
            "ForAnyValue:Null",
            "BoolNotEquals",
            "Date",
            "Numeric",
        ] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
        assert!(Operator::is_writable("NullIfExists"));
        assert!(!Operator::is_writable("StringIs"));
        assert!(!Operator::is_writable("ForAnyValue:Null"));
    }
}

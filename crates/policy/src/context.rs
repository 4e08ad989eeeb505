//! The request context: what is known about a request, by condition key.
//!
//! It answers for looking keys up; what a key means and which keys a request has is the caller's
//! business. Key names ignore case (IAM User Guide, "Condition keys"). Whether a key is multivalued is a
//! property of the key, not of how many values it has today, so the two are different entries.

use std::collections::BTreeMap;

/// The condition keys of one request with their values.
///
/// ```
/// use daypass_policy::Context;
/// let mut context = Context::new();
/// context.insert("aws:PrincipalTag/Team", "blue");
/// context.insert_list("aws:TagKeys", vec!["Team".to_owned()]);
/// assert_eq!(context.get("AWS:principaltag/team"), Some(&["blue".to_owned()][..]));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Single([String; 1]),
    List(Vec<String>),
}

impl Context {
    /// A context without any key.
    #[must_use]
    pub fn new() -> Context {
        Context::default()
    }

    /// Sets a single-valued key, replacing what it had.
    pub fn insert(&mut self, key: &str, value: impl Into<String>) {
        self.entries.insert(fold(key), Entry::Single([value.into()]));
    }

    /// Sets a multivalued key, replacing what it had. An empty list counts as present for `Null`; leave
    /// the key out when that is not meant.
    pub fn insert_list(&mut self, key: &str, values: Vec<String>) {
        self.entries.insert(fold(key), Entry::List(values));
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &str) {
        self.entries.remove(&fold(key));
    }

    /// The values of a key: one for a single-valued key, any number for a multivalued one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.entries.get(&fold(key)).map(Entry::values)
    }

    /// Every key in lower case, in order, with its values and whether it is multivalued.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String], bool)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry.values(), matches!(entry, Entry::List(_))))
    }

    /// The entry of a key that went through [`fold`] already, so that evaluation makes no new text.
    pub(crate) fn entry(&self, folded: &str) -> Option<&Entry> {
        self.entries.get(folded)
    }
}

impl Entry {
    pub(crate) fn values(&self) -> &[String] {
        match self {
            Entry::Single(value) => value,
            Entry::List(values) => values,
        }
    }
}

/// The form in which key names are compared.
pub(crate) fn fold(key: &str) -> String {
    key.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ignore_case_and_the_last_value_counts() {
        let mut context = Context::new();
        context.insert("aws:UserName", "a");
        context.insert("AWS:USERNAME", "b");
        assert_eq!(context.get("aws:username").unwrap(), ["b"]);
        assert_eq!(context.iter().count(), 1);
        context.remove("Aws:Username");
        assert_eq!(context, Context::new());
    }

    #[test]
    fn an_empty_list_is_present() {
        let mut context = Context::new();
        context.insert_list("aws:TagKeys", Vec::new());
        assert_eq!(context.get("aws:tagkeys"), Some(&[][..]));
        assert_eq!(context.get("aws:other"), None);
    }
}

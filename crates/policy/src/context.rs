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
    entries: BTreeMap<Key, Given>,
}

/// A condition key in the form in which they are compared. A statement makes its keys once; a look-up then compares
/// numbers, and one text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// First, so that it comes first in the order. What is the same by chance or somebody's choice differs in the text.
    hash: u64,
    text: Box<str>,
}

/// An entry, and the spelling in which its key was given last: for those who are told of it. It means nothing.
#[derive(Debug, Clone)]
struct Given {
    name: Box<str>,
    entry: Entry,
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
        self.give(key, Entry::Single([value.into()]));
    }

    /// Sets a multivalued key, replacing what it had. An empty list counts as present for `Null`; leave
    /// the key out when that is not meant.
    pub fn insert_list(&mut self, key: &str, values: Vec<String>) {
        self.give(key, Entry::List(values));
    }

    fn give(&mut self, key: &str, entry: Entry) {
        self.entries.insert(Key::new(key), Given { name: key.into(), entry });
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &str) {
        self.entries.remove(&Key::new(key));
    }

    /// The values of a key: one for a single-valued key, any number for a multivalued one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.entry(&Key::new(key)).map(Entry::values)
    }

    /// Every key as it was given last, with its values and whether it is multivalued, in the order of the names without
    /// regard to case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String], bool)> {
        let mut entries: Vec<_> = self.entries.iter().map(|(key, given)| (&*key.text, given)).collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries
            .into_iter()
            .map(|(_, Given { name, entry })| (&**name, entry.values(), matches!(entry, Entry::List(_))))
    }

    /// The entry of a key.
    pub(crate) fn entry(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key).map(|given| &given.entry)
    }
}

impl PartialEq for Given {
    fn eq(&self, other: &Self) -> bool {
        self.entry == other.entry
    }
}

impl Eq for Given {}

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

impl Key {
    pub(crate) fn new(key: &str) -> Key {
        let text = fold(key).into_boxed_str();
        // FNV-1a.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Key { hash, text }
    }
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
    fn keys_of_the_same_hash_are_different_keys() {
        let key = |text: &str| Key { hash: 7, text: text.into() };
        let mut context = Context::new();
        for text in ["b", "a", "c"] {
            let entry = Entry::Single([text.to_owned()]);
            context.entries.insert(key(text), Given { name: text.into(), entry });
        }
        for text in ["a", "b", "c"] {
            assert_eq!(context.entry(&key(text)).unwrap().values(), [text]);
        }
        assert_eq!(context.entry(&key("d")), None);
    }

    #[test]
    fn keys_are_told_as_they_were_given_in_the_order_of_their_names() {
        let mut context = Context::new();
        for key in ["s3:Prefix", "aws:userid", "AWS:SOURCEIP", "aws:username", "aws:SourceIp"] {
            context.insert(key, "x");
        }
        let keys: Vec<&str> = context.iter().map(|(key, _, _)| key).collect();
        assert_eq!(keys, ["aws:SourceIp", "aws:userid", "aws:username", "s3:Prefix"]);
        let mut other = Context::new();
        other.insert("a:Key", "x");
        let mut same = Context::new();
        same.insert("A:KEY", "x");
        assert_eq!(other, same, "the spelling means nothing");
    }

    #[test]
    fn an_empty_list_is_present() {
        let mut context = Context::new();
        context.insert_list("aws:TagKeys", Vec::new());
        assert_eq!(context.get("aws:tagkeys"), Some(&[][..]));
        assert_eq!(context.get("aws:other"), None);
    }
}

//! Tags: key-value pairs on users, roles, policies and sessions.

use serde::{Deserialize, Serialize};

/// One tag. Keys of users, roles and sessions ignore case but keep the case they were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// 1–128 characters.
    pub key: String,
    /// 0–256 characters.
    pub value: String,
}

/// Tags in the order given, at most one for a key whatever its case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagSet(Vec<Tag>);

impl TagSet {
    /// No tags.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value under `key`, ignoring case.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|tag| same_key(&tag.key, key)).map(|tag| tag.value.as_str())
    }

    /// Add a tag, replacing one whose key differs at most in case (key and value both become the new ones).
    pub fn insert(&mut self, tag: Tag) {
        match self.0.iter_mut().find(|old| same_key(&old.key, &tag.key)) {
            Some(old) => *old = tag,
            None => self.0.push(tag),
        }
    }

    /// Remove the tag under `key`, ignoring case. Whether there was one.
    pub fn remove(&mut self, key: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|tag| !same_key(&tag.key, key));
        self.0.len() < before
    }

    /// Every tag.
    pub fn iter(&self) -> std::slice::Iter<'_, Tag> {
        self.0.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Tag> for TagSet {
    fn from_iter<I: IntoIterator<Item = Tag>>(tags: I) -> Self {
        let mut set = Self::new();
        tags.into_iter().for_each(|tag| set.insert(tag));
        set
    }
}

impl<'a> IntoIterator for &'a TagSet {
    type Item = &'a Tag;
    type IntoIter = std::slice::Iter<'a, Tag>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Whether text begins with `aws:`, in any case: such tag keys, values of session tags and source identities are
/// AWS's own to give.
#[must_use]
pub fn is_reserved(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// Whether two tag keys are one to a condition. Keys may hold letters of any script; lower-casing both sides is what
/// "ignores case" means for them.
#[must_use]
pub fn same_key(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && a.to_lowercase() == b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_aws_and_a_colon_is_reserved_in_any_case() {
        for reserved in ["aws:", "AWS:x", "aWs:y"] {
            assert!(is_reserved(reserved), "{reserved}");
        }
        for free in ["", "aws", "awsx:", " aws:", "äaws:", "xaws:"] {
            assert!(!is_reserved(free), "{free}");
        }
    }

    #[test]
    fn a_key_in_another_case_replaces_the_tag() {
        let tag = |key: &str, value: &str| Tag { key: key.into(), value: value.into() };
        let mut tags: TagSet = [tag("Team", "red"), tag("Cost", "1")].into_iter().collect();
        tags.insert(tag("TEAM", "blue"));
        assert_eq!(tags.len(), 2);
        assert_eq!(tags.value("team"), Some("blue"));
        assert_eq!(tags.iter().next().unwrap().key, "TEAM");
        assert!(tags.remove("tEaM"));
        assert!(!tags.remove("team"));
    }
}

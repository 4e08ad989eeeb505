//! What goes in and comes out of a store: revisions, records, commits with their guards, changes.
//! Answers for the bounds of every input; refuses to know what keys and values mean.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Invalid;

/// Longest key, prefix or fact, in bytes of UTF-8.
pub const KEY_BYTES_MAX: usize = 1024;
/// Largest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;
/// Most puts and deletes of one commit, together.
pub const COMMIT_CHANGES_MAX: usize = 256;
/// Most guards of one commit.
pub const COMMIT_GUARDS_MAX: usize = 256;
/// Most bytes of keys and values that one commit puts, together.
pub const COMMIT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A point in the life of the whole store; it grows with each commit that changes something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// Before the first commit.
    pub const ZERO: Revision = Revision(0);

    /// The revision with this number, e.g. one that was written down.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after it.
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One key with its value and the revision of the commit that last put it.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The key.
    pub key: Arc<str>,
    /// The value; [`fmt::Debug`] shows its length only, since it may hold secrets.
    pub value: Bytes,
    /// The commit that wrote this value.
    pub revision: Revision,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} ({} bytes)", self.key, self.revision, self.value.len())
    }
}

/// What one commit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The revision the commit was given.
    pub revision: Revision,
    /// The records it put, each with this revision.
    pub puts: Vec<Record>,
    /// The keys it removed; a delete of a key that did not exist is not among them.
    pub deletes: Vec<Arc<str>>,
}

impl Change {
    /// Roughly the memory this change keeps alive, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let puts: usize = self.puts.iter().map(|r| r.key.len() + r.value.len() + 64).sum();
        let deletes: usize = self.deletes.iter().map(|k| k.len() + 16).sum();
        puts + deletes + 64
    }
}

/// A condition that must hold at the moment a commit takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The key exists and was last put at or before `since`.
    Unchanged {
        /// The key.
        key: String,
        /// The revision the writer has seen.
        since: Revision,
    },
    /// The key does not exist.
    Absent {
        /// The key.
        key: String,
    },
    /// No existing key under `prefix` was put after `since`. Keys removed since do not count: a
    /// deleter asks "has a child appeared?", and a child that went again is none.
    PrefixQuiet {
        /// The prefix, compared byte by byte; end it with the separator.
        prefix: String,
        /// The revision the writer has seen.
        since: Revision,
    },
}

impl Guard {
    /// [`Guard::Unchanged`].
    pub fn unchanged(key: impl Into<String>, since: Revision) -> Self {
        Self::Unchanged { key: key.into(), since }
    }

    /// [`Guard::Absent`].
    pub fn absent(key: impl Into<String>) -> Self {
        Self::Absent { key: key.into() }
    }

    /// [`Guard::PrefixQuiet`].
    pub fn prefix_quiet(prefix: impl Into<String>, since: Revision) -> Self {
        Self::PrefixQuiet { prefix: prefix.into(), since }
    }
}

/// A set of changes that happens whole or not at all, if every guard holds.
///
/// A key may be named once among puts and deletes. Deleting a key that does not exist changes
/// nothing; a commit that changes nothing takes no revision, but its guards count all the same.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// What must hold.
    pub guards: Vec<Guard>,
    /// Keys to write, with their new values.
    pub puts: Vec<(String, Bytes)>,
    /// Keys to remove.
    pub deletes: Vec<String>,
}

impl Commit {
    /// A commit that does nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a guard.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }

    /// Adds a key to write.
    #[must_use]
    pub fn put(mut self, key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.puts.push((key.into(), value.into()));
        self
    }

    /// Adds a key to remove.
    #[must_use]
    pub fn delete(mut self, key: impl Into<String>) -> Self {
        self.deletes.push(key.into());
        self
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// Which bound was passed, or that a key is named twice.
    pub fn validate(&self) -> Result<(), Invalid> {
        let changes = self.puts.len() + self.deletes.len();
        if changes > COMMIT_CHANGES_MAX {
            return Err(Invalid::TooManyChanges(changes));
        }
        if self.guards.len() > COMMIT_GUARDS_MAX {
            return Err(Invalid::TooManyGuards(self.guards.len()));
        }
        for guard in &self.guards {
            match guard {
                Guard::Unchanged { key, .. } | Guard::Absent { key } => check_key(key)?,
                Guard::PrefixQuiet { prefix, .. } => check_prefix(prefix)?,
            }
        }
        let mut named = HashSet::with_capacity(changes);
        for key in self.puts.iter().map(|(key, _)| key).chain(&self.deletes) {
            check_key(key)?;
            if !named.insert(key.as_str()) {
                return Err(Invalid::KeyTwice);
            }
        }
        if let Some((_, value)) = self.puts.iter().find(|(_, value)| value.len() > VALUE_BYTES_MAX) {
            return Err(Invalid::ValueTooLarge(value.len()));
        }
        let bytes = self.bytes();
        if bytes > COMMIT_BYTES_MAX {
            return Err(Invalid::CommitTooLarge(bytes));
        }
        Ok(())
    }

    /// Bytes of the keys and values it puts.
    pub(crate) fn bytes(&self) -> usize {
        self.puts.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let puts: Vec<_> = self.puts.iter().map(|(k, v)| format!("{k} ({} bytes)", v.len())).collect();
        f.debug_struct("Commit")
            .field("guards", &self.guards)
            .field("puts", &puts)
            .field("deletes", &self.deletes)
            .finish()
    }
}

/// How long a store remembers a fact after it has expired, in seconds: a clock that is ahead by less makes it forget nothing, and
/// what is spent while it is ahead, for however far, is forgotten only if it is so for longer. A clock that was set by another zone's
/// time is off by fourteen hours at most.
pub const SPENT_KEPT_SECONDS: i64 = 15 * 3600;

/// The answer of [`Store::spend`](crate::Store::spend).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a fact that was spent already must be refused"]
pub enum Spent {
    /// This call spent the fact; no other call ever gets this answer while the fact lives.
    First,
    /// It was spent before, or it has expired, so that the store may have forgotten it.
    Already,
}

/// A key or fact: 1 to [`KEY_BYTES_MAX`] bytes, no control characters.
pub(crate) fn check_key(key: &str) -> Result<(), Invalid> {
    if key.is_empty() {
        return Err(Invalid::KeyEmpty);
    }
    check_prefix(key)
}

/// A prefix: like a key, but it may be empty (every key). Control characters are refused because
/// SQLite's string functions end at a NUL.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), Invalid> {
    if prefix.len() > KEY_BYTES_MAX {
        return Err(Invalid::KeyTooLong(prefix.len()));
    }
    if prefix.chars().any(char::is_control) {
        return Err(Invalid::KeyControl);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_a_value() {
        let commit = Commit::new().put("k", "hush");
        let record = Record { key: "k".into(), value: Bytes::from("hush"), revision: Revision::new(7) };
        assert_eq!(format!("{record:?}"), "k@7 (4 bytes)");
        assert!(!format!("{commit:?}").contains("hush"));
    }
}

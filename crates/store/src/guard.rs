//! What the guards mean, written once for every backend that can look up revisions.

use crate::record::{Guard, Revision};

/// A backend's view of its records inside the transaction that is about to write.
pub(crate) trait Look {
    /// What looking may fail with.
    type Error;

    /// The revision of the record under `key`, if there is one.
    fn revision_of(&self, key: &str) -> Result<Option<Revision>, Self::Error>;

    /// Does a key under `prefix` exist whose revision is newer than `since`?
    fn newer_under(&self, prefix: &str, since: Revision) -> Result<bool, Self::Error>;
}

/// Do all guards hold?
pub(crate) fn all_hold<L: Look>(guards: &[Guard], look: &L) -> Result<bool, L::Error> {
    for guard in guards {
        let holds = match guard {
            Guard::Unchanged { key, since } => look.revision_of(key)?.is_some_and(|at| at <= *since),
            Guard::Absent { key } => look.revision_of(key)?.is_none(),
            Guard::PrefixQuiet { prefix, since } => !look.newer_under(prefix, *since)?,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

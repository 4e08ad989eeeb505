//! How many connections the system's bound on open files leaves room for.
//!
//! A connection is a file descriptor. A listener that takes more of them than there are starves the store and
//! the audit of theirs, so the bound of connections follows from that of the system. The soft bound is often
//! 1024 (what `select` can hold, which nothing here calls) where the hard one is far higher: it is raised first.

use crate::failure::Failure;
use daypass_service::federation::FETCHES_MAX;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything else: the store's, the audit's, the admin listener's and the operator's
/// connections, key files, and some to spare.
const OTHERS: u64 = 256;
/// Of each fetch of an identity provider's document: its connection, and another's that looks a name up.
const OF_FETCH: u64 = 2;
/// Enough for an account or two, however little room there is.
const FETCHES_MIN: u64 = 4;
/// What a server that starts needs: the runtime's, files and listeners, and some connections.
const START_MIN: u64 = 64;
/// Room for a call or two, however little there is.
const CONNECTIONS_MIN: usize = 16;

/// Whether a server can start. Asked before anything is opened: the first file too many is met anywhere.
///
/// # Errors
/// The bound is too low, and so is the one up to which it could be raised.
pub(crate) fn enough_to_start() -> Result<(), Failure> {
    match raise(START_MIN) {
        Some(room) if room < START_MIN => Err(Failure::new(format!(
            "only {room} files may be open, and a server needs {START_MIN} at least: raise the bound (`ulimit -n`, LimitNOFILE=)"
        ))),
        _ => Ok(()),
    }
}

/// Connections that may be open at once, at most `wanted`.
pub(crate) fn connections_max(wanted: usize) -> usize {
    let wanted_too = u64::try_from(wanted).unwrap_or(u64::MAX);
    let room = raise(wanted_too.saturating_add(OTHERS + OF_FETCH * fetches_within(None)));
    let connections = within(room, wanted);
    if connections < wanted {
        tracing::warn!(
            connections,
            descriptors = room,
            "few files may be open: fewer connections are taken at once; raise the bound (`ulimit -n`, LimitNOFILE=)"
        );
    }
    connections
}

/// Documents of identity providers that may be fetched at once.
pub(crate) fn fetches_max() -> usize {
    let fetches = fetches_within(raise(OTHERS + 2 * OF_FETCH * fetches_within(None)));
    usize::try_from(fetches).unwrap_or(FETCHES_MAX)
}

/// Raise the soft bound as far as is needed and allowed; what it is then.
fn raise(needed: u64) -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?; // absent: there is none
    let raised = maximum.map_or(needed, |hard| hard.min(needed));
    if raised <= current {
        return Some(current);
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => Some(raised),
        Err(error) => {
            tracing::warn!(%error, "the bound of open files could not be raised");
            Some(current)
        }
    }
}

/// Half of what the others leave is for those who call.
fn fetches_within(room: Option<u64>) -> u64 {
    let left = room.map_or(u64::MAX, |room| room.saturating_sub(OTHERS));
    let max = u64::try_from(FETCHES_MAX).unwrap_or(FETCHES_MIN);
    (left / (2 * OF_FETCH)).clamp(FETCHES_MIN, max)
}

fn within(room: Option<u64>, wanted: usize) -> usize {
    let taken = OTHERS + OF_FETCH * fetches_within(room);
    let left = room.map_or(u64::MAX, |room| room.saturating_sub(taken));
    usize::try_from(left).unwrap_or(usize::MAX).clamp(CONNECTIONS_MIN, wanted.max(CONNECTIONS_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_everything_else() {
        assert_eq!(within(None, 4096), 4096);
        assert_eq!(within(Some(1_000_000), 4096), 4096);
        assert_eq!(within(Some(1024), 4096), 1024 - 256 - 128);
        assert_eq!((fetches_within(Some(300)), within(Some(300), 4096)), (11, 22));
        assert_eq!([None, Some(1024), Some(64)].map(fetches_within), [64, 64, 4]);
        assert_eq!(within(Some(64), 4096), CONNECTIONS_MIN);
    }
}

//! How many connections the system's bound on open files leaves room for.
//!
//! A connection is a file descriptor. A listener that takes more of them than there are starves the store and
//! the audit of theirs, so the bound of connections follows from that of the system. The soft bound is often
//! 1024 (what `select` can hold, which nothing here calls) where the hard one is far higher: it is raised first.

use crate::failure::Failure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything else: the store's, the audit's, the admin listener's and the operator's
/// connections, key files, and some to spare.
const OTHERS: u64 = 256;
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
    let needed = OTHERS + u64::try_from(wanted).unwrap_or(u64::MAX - OTHERS);
    let room = raise(needed);
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

fn within(room: Option<u64>, wanted: usize) -> usize {
    let left = room.map_or(u64::MAX, |room| room.saturating_sub(OTHERS));
    usize::try_from(left).unwrap_or(usize::MAX).clamp(CONNECTIONS_MIN, wanted.max(CONNECTIONS_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_everything_else() {
        assert_eq!(within(None, 4096), 4096);
        assert_eq!(within(Some(1_000_000), 4096), 4096);
        assert_eq!(within(Some(1024), 4096), 768);
        assert_eq!(within(Some(64), 4096), CONNECTIONS_MIN);
    }
}

//! The names in a data directory: the server has each of them from here. What lies beside the audit has these ends
//! behind whatever name the audit was given.

use daypass_model::{AccessKeyId, AccountId};
use jiff::Timestamp;

/// The store's file.
pub(crate) const STORE: &str = "store.sqlite";
/// The store's log, which SQLite keeps.
pub(crate) const STORE_LOG: &str = "store.sqlite-wal";
/// SQLite's, for one change of the file; no server leaves one that holds anything.
pub(crate) const STORE_JOURNAL: &str = "store.sqlite-journal";
/// SQLite's scratch, of use to nobody else.
pub(crate) const STORE_SHARED: &str = "store.sqlite-shm";
/// The master key, unless it was given in another way.
pub(crate) const MASTER_KEY: &str = "master-key";
/// The master key that is about to be its successor.
pub(crate) const MASTER_KEY_NEXT: &str = "master-key.next";
/// Beginning of the names of those before; the time of their end follows.
const MASTER_KEY_UNTIL: &str = "master-key-until-";
/// Marks a directory whose first start has begun and not come to its end.
pub(crate) const FIRST_START: &str = "first-start";
/// The file with the first account's root key; those of others have their account's number behind it.
pub(crate) const ROOT_CREDENTIALS: &str = "root-credentials";
/// The audit, unless it was given another place.
pub(crate) const AUDIT: &str = "audit.jsonl";
/// The session log; the one before it has `.1` behind its name.
pub(crate) const SESSION_LOG: &str = "sessions.jsonl";
const SESSION_LOG_BEFORE: &str = "sessions.jsonl.1";
/// End of the file that keeps room for the audit.
pub(crate) const RESERVE_END: &str = "reserve";
/// End of the audit's next file, which a crash may leave.
pub(crate) const NEXT_END: &str = "next";
/// A store that is being restored; goes with its end.
pub(crate) const RESTORING: &str = "restoring";
/// The operator's socket.
pub(crate) const OPERATOR_SOCKET: &str = "operator.sock";
/// Names the server that runs; [`daypass_store::DirLock`] makes it.
pub(crate) const LOCK: &str = "daypass.lock";
/// Marks a directory as the demo's.
pub(crate) const DEMO_MARK: &str = "demo-data";
/// The objects of the demo's bucket: the one directory.
pub(crate) const DEMO_OBJECTS: &str = "demo-objects";

/// The name of the file for an account that is not the first.
pub(crate) fn root_credentials_of(account: AccountId) -> String {
    format!("{ROOT_CREDENTIALS}-{account}")
}

/// The name of the file for one more key of an account's root user.
pub(crate) fn root_credentials_of_key(account: AccountId, key: &AccessKeyId) -> String {
    format!("{ROOT_CREDENTIALS}-{account}-{key}")
}

/// The name of the file that keeps a master key which was replaced then, as the n-th in that second, from 0.
pub(super) fn master_key_until(time: Timestamp, n: u32) -> String {
    let number = if n == 0 { String::new() } else { format!("-{n}") };
    format!("{MASTER_KEY_UNTIL}{}{number}", time.strftime("%Y%m%dT%H%M%SZ"))
}

/// Whether daypass makes something of this name in a data directory: a server, or the demo.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    const WHOLE: [&str; 15] = [
        STORE,
        STORE_LOG,
        STORE_JOURNAL,
        STORE_SHARED,
        MASTER_KEY,
        MASTER_KEY_NEXT,
        FIRST_START,
        AUDIT,
        SESSION_LOG,
        SESSION_LOG_BEFORE,
        RESTORING,
        OPERATOR_SOCKET,
        LOCK,
        DEMO_MARK,
        DEMO_OBJECTS,
    ];
    WHOLE.contains(&name)
        || is_former_key(name)
        || is_root_credentials(name)
        || is_beside(AUDIT.as_bytes(), name.as_bytes())
        || is_unfinished(name)
}

/// Whether a kill may leave this: a store that is being made or restored, or a file with a secret that is being written.
fn is_unfinished(name: &str) -> bool {
    const STORES: [&str; 5] = [".new", ".new-journal", ".new-wal", ".new-shm", ".partial"];
    let is_store =
        name.strip_prefix(STORE).is_some_and(|end| STORES.contains(&end) || end.starts_with(".partial-"));
    is_store
        || name.strip_suffix(".unfinished").is_some_and(|name| {
            [MASTER_KEY, MASTER_KEY_NEXT].contains(&name) || is_former_key(name) || is_root_credentials(name)
        })
}

/// Whether this is a name that files with root keys get.
pub(crate) fn is_root_credentials(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(ROOT_CREDENTIALS).and_then(|rest| rest.strip_prefix('-')) else {
        return name == ROOT_CREDENTIALS;
    };
    let (account, key) = rest.split_once('-').map_or((rest, None), |(account, key)| (account, Some(key)));
    account.parse::<AccountId>().is_ok() && key.is_none_or(|key| key.parse::<AccessKeyId>().is_ok())
}

fn is_former_key(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(MASTER_KEY_UNTIL) else { return false };
    let (time, number) = rest.split_once('-').map_or((rest, None), |(time, number)| (time, Some(number)));
    let has_form = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    number.is_none_or(is_number) && time.len() == 16 && time.bytes().enumerate().all(has_form)
}

/// Whether this is a name that files get beside an audit of that name.
pub(crate) fn is_beside(audit: &[u8], name: &[u8]) -> bool {
    let end = name.strip_prefix(audit).and_then(|rest| rest.strip_prefix(b"."));
    end.is_some_and(|end| end == RESERVE_END.as_bytes() || end == NEXT_END.as_bytes() || is_digits(end))
}

fn is_number(text: &str) -> bool {
    is_digits(text.as_bytes())
}

fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_make_are_ours() {
        for name in [
            ROOT_CREDENTIALS,
            "root-credentials-111122223333",
            "root-credentials-111122223333-AKIAIOSFODNN7EXAMPLE",
        ] {
            assert!(is_root_credentials(name) && is_ours(name), "{name}");
        }
        for name in ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.16", "audit.jsonl.reserve", "daypass.lock"]
        {
            assert!(is_ours(name) && !is_root_credentials(name), "{name}");
        }
        for name in [
            "store.sqlite-journal",
            "store.sqlite.new",
            "store.sqlite.new-journal",
            "store.sqlite.partial",
            "store.sqlite.partial-0123456789abcdef",
            "master-key.unfinished",
            "master-key.next.unfinished",
            "root-credentials-111122223333.unfinished",
        ] {
            assert!(is_ours(name) && !is_root_credentials(name), "{name}");
        }
        for name in [
            "root-credentials.bak",
            "root-credentials-",
            "root-credentials-mine",
            "root-credentials2",
            "root-credentials-111122223333-x",
            "master-key.bak",
            "master-key-until-",
            "master-key-until-20261127T061500Z.bak",
            "master-key-until-20261127T061500Z-",
            "audit.jsonl.gz",
            "audit.jsonl.",
            "store.sqlite.bak",
            "store.sqlite.newer",
            "store.sqlite.partially",
            "mine.unfinished",
            "daypass.toml",
            "",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }

    /// The names in the first column of the table in docs/operating.md; those that begin with a dot or a hyphen
    /// are ends of the row's first.
    fn documented() -> Vec<String> {
        let text = include_str!("../../../../docs/operating.md");
        let table = text.split_once("## What lies in the data directory").unwrap().1;
        let rows = table.trim_start().lines().take_while(|line| line.starts_with('|'));
        let mut names = Vec::new();
        for row in rows.filter_map(|row| row.split('|').nth(1)) {
            let words: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
            for word in &words {
                let end = word.starts_with(['.', '-']);
                names.push(if end { format!("{}{word}", words[0]) } else { (*word).to_owned() });
            }
        }
        names
    }

    #[test]
    fn operators_are_told_of_every_name_and_of_no_other() {
        let documented = documented();
        for name in &documented {
            let example =
                name.replace("until-*", "until-20261127T061500Z").replace("*.un", "-111122223333.un");
            assert!(is_ours(example.trim_end_matches('*')), "{name}");
        }
        for name in [
            STORE,
            STORE_LOG,
            STORE_SHARED,
            STORE_JOURNAL,
            "store.sqlite.new",
            "store.sqlite.partial-*",
            "master-key.unfinished",
            MASTER_KEY,
            MASTER_KEY_NEXT,
            "master-key-until-*",
            FIRST_START,
            "root-credentials*",
            AUDIT,
            "audit.jsonl.1",
            "audit.jsonl.reserve",
            SESSION_LOG,
            SESSION_LOG_BEFORE,
            RESTORING,
            OPERATOR_SOCKET,
            LOCK,
            DEMO_MARK,
            DEMO_OBJECTS,
        ] {
            assert!(documented.iter().any(|known| known == name), "{name} of {documented:?}");
        }
    }
}

//! Where the demo keeps its data: a directory of its own, marked as such. Somebody's real data is never touched.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use daypass_store::DirLock;

use crate::data_dir::names::{DEMO_MARK, DEMO_OBJECTS, LOCK, is_ours};
use crate::failure::Failure;

const MARK_TEXT: &str = "This directory was made by `daypass demo`. The next demo here removes its data and begins anew, unless a server ran on it.\n";

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Marked,
    Foreign,
}

/// Make the directory ready: new, or emptied of the last run's things.
///
/// # Errors
/// It holds something that no demo made (it is left as it was), a server is running on it, or it cannot be used.
pub(super) fn prepare(path: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::new(format!(
            "the demo's directory `{}` cannot be used: {error}; name another with --data",
            path.display()
        ))
    };
    refuse_foreign(path, &look(path).map_err(failed)?)?;
    DirBuilder::new().mode(0o700).recursive(true).create(path).map_err(failed)?;
    // Under the lock, and looked at again: a server that started meanwhile must neither lose its data nor have it marked.
    let lock = DirLock::acquire(path).map_err(|error| Failure::new(error.to_string()))?;
    let found = look(path).map_err(failed)?;
    refuse_foreign(path, &found)?;
    match found {
        Found::Marked => clean(path).map_err(failed)?,
        _ => mark(path).map_err(failed)?,
    }
    drop(lock);
    Ok(())
}

/// A server runs on this data: what is done with it from now on is somebody's own, and no demo's to remove.
pub(crate) fn hand_over(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path.join(DEMO_MARK)) {
        Ok(()) => {
            tracing::info!("the demo's data is yours from now on: the next demo needs another directory");
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => {
            Err(Failure::disk(&format!("`{}` cannot be removed", path.join(DEMO_MARK).display()), &error))
        }
    }
}

fn refuse_foreign(path: &Path, found: &Found) -> Result<(), Failure> {
    if *found != Found::Foreign {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` holds something that is not the demo's, or that a server has run on since; it was left as it is: name another directory with --data",
        path.display()
    )))
}

fn look(path: &Path) -> io::Result<Found> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let mut found = Found::Nothing;
    for entry in entries {
        let name = entry?.file_name();
        if name == DEMO_MARK {
            return Ok(Found::Marked);
        }
        if name != LOCK {
            found = Found::Foreign;
        }
    }
    Ok(found)
}

fn mark(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path.join(DEMO_MARK))?;
    file.write_all(MARK_TEXT.as_bytes())?;
    file.sync_all()
}

/// Remove what a run leaves, but what says whose the directory is. Nothing else.
fn clean(path: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        match name.to_str() {
            Some(DEMO_OBJECTS) if entry.file_type()?.is_dir() => std::fs::remove_dir_all(entry.path())?,
            Some(DEMO_OBJECTS | DEMO_MARK | LOCK) => {}
            Some(name) if is_ours(name) => std::fs::remove_file(entry.path())?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_directory_that_no_demo_made_is_left_as_it_was() {
        let scratch = Scratch::new("demo-foreign");
        std::fs::write(scratch.join("store.sqlite"), "precious").unwrap();
        assert!(prepare(scratch.path()).unwrap_err().to_string().contains("--data"));
        assert_eq!(scratch.names(), ["store.sqlite"]);
        assert_eq!(std::fs::read(scratch.join("store.sqlite")).unwrap(), b"precious");
    }

    #[test]
    fn a_second_run_removes_what_the_first_left_and_nothing_else() {
        let scratch = Scratch::new("demo-again");
        prepare(scratch.path()).unwrap();
        std::fs::create_dir(scratch.join(DEMO_OBJECTS)).unwrap();
        for name in [
            "store.sqlite",
            "root-credentials-123456789012",
            "audit.jsonl.1",
            "notes.txt",
            "demo-objects/a",
            "root-credentials-mine",
        ] {
            std::fs::write(scratch.join(name), "x").unwrap();
        }
        prepare(scratch.path()).unwrap();
        assert_eq!(scratch.names(), ["daypass.lock", "demo-data", "notes.txt", "root-credentials-mine"]);
    }

    #[test]
    fn a_directory_in_use_is_neither_marked_nor_emptied() {
        let scratch = Scratch::new("demo-held");
        let held = DirLock::acquire(scratch.path()).unwrap();
        assert!(prepare(scratch.path()).is_err());
        assert_eq!(scratch.names(), ["daypass.lock"]);
        drop(held);
        prepare(scratch.path()).unwrap();
    }
}

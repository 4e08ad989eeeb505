//! Objects as files in a folder: `objects/<key>`, and `incoming/` for those not yet complete.
//!
//! It trusts its [`Key`]s, which cannot leave the folder, and knows nothing of requests. One thing differs from Amazon S3: a key
//! cannot lie beneath another (`a` and `a/b`), since a file is not a folder. Folders come and go with the objects in them.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::asked::Key;

/// Files and folders that one list looks at.
const FILES_MAX: usize = if cfg!(test) { 100 } else { 100_000 };

/// The folder.
#[derive(Debug)]
pub struct Folder {
    objects: PathBuf,
    incoming: PathBuf,
    writes: AtomicU64,
    /// Held while a file gets its place or leaves it: a folder that an object is on its way to must not go.
    places: Mutex<()>,
}

/// Keys in order of their bytes, each with its size in bytes and the time it was written; common prefixes have neither.
pub(crate) type Found = BTreeMap<String, Option<(u64, Timestamp)>>;

impl Folder {
    /// Open a folder; it is made if there is none.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (objects, incoming) = (path.join("objects"), path.join("incoming"));
        fs::create_dir_all(&objects)?;
        fs::create_dir_all(&incoming)?;
        Ok(Self { objects, incoming, writes: AtomicU64::new(0), places: Mutex::default() })
    }

    /// An object and the time it was written, if there is one of that key.
    pub(crate) fn read(&self, key: &Key) -> io::Result<Option<(Vec<u8>, Timestamp)>> {
        let read = |path: PathBuf| -> io::Result<_> {
            if !path.metadata()?.is_file() {
                return Err(ErrorKind::IsADirectory.into()); // or a pipe: opening that waits for whoever fills it
            }
            let (mut file, mut bytes) = (File::open(path)?, Vec::new());
            file.read_to_end(&mut bytes)?;
            Ok((bytes, written(&file.metadata()?)?))
        };
        if_there(self.path(key).and_then(read))
    }

    /// Store an object: whole, or not at all.
    pub(crate) fn write(&self, key: &Key, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(key)?;
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let incoming = self.incoming.join(format!("{}-{number}", std::process::id()));
        if_there(fs::remove_file(&incoming))?; // an earlier process of that number did not get to the end
        let mut file = File::create_new(&incoming)?;
        let done = file.write_all(bytes).and_then(|()| file.sync_all());
        let done = done.and_then(|()| {
            let _alone = self.alone();
            fs::create_dir_all(path.parent().unwrap_or(&self.objects))?;
            fs::rename(&incoming, &path)
        });
        if done.is_err() {
            drop(fs::remove_file(&incoming));
        }
        done
    }

    /// Remove an object, and the folders that were there for it; one that is not there is gone already.
    pub(crate) fn remove(&self, key: &Key) -> io::Result<()> {
        let _alone = self.alone();
        let remove = |path: PathBuf| -> io::Result<()> {
            if_there(fs::remove_file(&path))?;
            let mut folders = path.ancestors().skip(1).take_while(|folder| *folder != self.objects);
            drop(folders.try_for_each(fs::remove_dir)); // up to the first with something in it
            Ok(())
        };
        if_there(self.path(key).and_then(remove)).map(drop)
    }

    /// Keys that begin with `prefix` and come behind `after`. Those with the delimiter (which may be empty) behind
    /// the prefix are one common prefix.
    pub(crate) fn list(&self, prefix: &str, after: &str, delimiter: &str) -> io::Result<Found> {
        let (mut found, mut seen) = (Found::new(), 0);
        // The deepest folder that all of them are in. What is no key, or behind a link, holds none.
        let mut folders = match prefix.rsplit_once('/') {
            None => vec![String::new()],
            Some((folder, _)) if Key::parse(folder).is_some_and(|key| self.path(&key).is_ok()) => {
                vec![format!("{folder}/")]
            }
            Some(_) => Vec::new(),
        };
        while let Some(folder) = folders.pop() {
            // One that is gone by now held nothing.
            for entry in if_there(fs::read_dir(self.objects.join(&folder)))?.into_iter().flatten() {
                let entry = entry?;
                let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else {
                    continue;
                };
                let path = format!("{folder}{name}");
                let Some(rest) = path.strip_prefix(prefix) else { continue };
                seen += 1;
                if seen > FILES_MAX {
                    return Err(io::Error::other("too many objects for one list"));
                }
                if kind.is_dir() {
                    folders.push(path + "/");
                } else if kind.is_file() // a link is neither
                    && Key::parse(&path).is_some()
                    && let Ok(facts) = entry.metadata()
                {
                    let common = rest.split_once(delimiter).filter(|_| !delimiter.is_empty());
                    let (key, file) = match common {
                        Some((part, _)) => (format!("{prefix}{part}{delimiter}"), None),
                        None => (path, Some((facts.len(), written(&facts)?))),
                    };
                    if key.as_str() > after {
                        found.insert(key, file);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Nothing in the guarded state can be half done.
    fn alone(&self) -> MutexGuard<'_, ()> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file of a key. No link is followed on the way or at its end: who may plant one here must not reach through
    /// it, by the rights of this service, what lies outside.
    fn path(&self, key: &Key) -> io::Result<PathBuf> {
        let path = self.objects.join(key.as_str());
        let linked = path.ancestors().take_while(|part| *part != self.objects).any(Path::is_symlink);
        if linked { Err(ErrorKind::NotADirectory.into()) } else { Ok(path) }
    }
}

fn written(facts: &Metadata) -> io::Result<Timestamp> {
    Timestamp::try_from(facts.modified()?).map_err(io::Error::other)
}

/// `None` where there is no object: nothing, a folder, or a file or link where a folder would have to be.
fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    use ErrorKind::{IsADirectory, NotADirectory, NotFound};
    match result {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | IsADirectory) => Ok(None),
        result => result.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for each test, removed with it.
    struct Scratch(PathBuf, Folder);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("bucket-{}-{name}", std::process::id()));
            let folder = Folder::open(&path).unwrap();
            Self(path, folder)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    fn read(folder: &Folder, text: &str) -> Option<Vec<u8>> {
        folder.read(&key(text)).unwrap().map(|(bytes, _)| bytes)
    }

    #[test]
    fn an_object_is_read_as_it_was_written_last() {
        let Scratch(path, folder) = &Scratch::new("read");
        assert_eq!(read(folder, "a/b"), None);
        folder.write(&key("a/b"), b"one").unwrap();
        folder.write(&key("a/b"), b"two").unwrap();
        assert_eq!(read(folder, "a/b").unwrap(), b"two");
        folder.remove(&key("a/b")).unwrap();
        folder.remove(&key("a/b")).unwrap();
        assert_eq!(read(folder, "a/b"), None);
        assert_eq!(fs::read_dir(path.join("incoming")).unwrap().count(), 0);
    }

    #[test]
    fn a_key_beneath_another_is_refused_and_harms_neither() {
        let Scratch(_, folder) = &Scratch::new("beneath");
        folder.write(&key("a/b"), b"kept").unwrap();
        for bad in ["a/b/c", "a/b/c/d", "a"] {
            let refused = crate::Refusal::from(folder.write(&key(bad), b"").unwrap_err());
            assert_eq!(refused.code, "InvalidRequest", "{bad}");
            assert_eq!(read(folder, bad), None, "{bad}");
            folder.remove(&key(bad)).unwrap();
        }
        assert_eq!(read(folder, "a/b").unwrap(), b"kept");
    }

    #[test]
    fn an_objects_folders_go_with_it_and_make_room() {
        let Scratch(path, folder) = &Scratch::new("parents");
        folder.write(&key("own/d/e/f"), b"").unwrap();
        folder.write(&key("own/kept"), b"").unwrap();
        folder.remove(&key("own/d/e/f")).unwrap();
        folder.write(&key("own/d"), b"was a folder").unwrap();
        assert_eq!(read(folder, "own/d").unwrap(), b"was a folder");
        for last in ["own/d", "own/kept"] {
            folder.remove(&key(last)).unwrap();
        }
        assert_eq!(fs::read_dir(path.join("objects")).unwrap().count(), 0, "and no further");
    }

    #[test]
    fn a_folder_does_not_go_while_an_object_is_on_its_way_to_it() {
        let Scratch(_, folder) = &Scratch::new("race");
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                for _ in 0..200 {
                    folder.write(&key("a/b/1"), b"here").unwrap();
                    assert_eq!(read(folder, "a/b/1").unwrap(), b"here");
                    folder.remove(&key("a/b/1")).unwrap();
                }
            });
            while !writing.is_finished() {
                folder.remove(&key("a/b/2")).unwrap();
                folder.list("a/", "", "").unwrap();
            }
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_folder_is_no_object() {
        let Scratch(path, folder) = &Scratch::new("pipe");
        let pipe = path.join("objects/pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::thread::scope(|scope| {
            scope.spawn(|| fs::write(&pipe, "no object")); // waits for whoever reads
            let found = read(folder, "pipe");
            if found.is_none() {
                fs::read(&pipe).unwrap();
            }
            assert_eq!(found, None);
        });
        assert!(folder.list("", "", "").unwrap().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_folder_leads_nowhere() {
        let Scratch(path, folder) = &Scratch::new("links");
        let outside = path.join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret"), "kept").unwrap();
        std::os::unix::fs::symlink(&outside, path.join("objects/folder")).unwrap();
        std::os::unix::fs::symlink(outside.join("secret"), path.join("objects/file")).unwrap();
        for linked in ["file", "folder/secret", "folder/new", "folder/new/deeper"] {
            assert_eq!(read(folder, linked), None, "{linked}");
            assert!(folder.write(&key(linked), b"evil").is_err(), "{linked}");
            folder.remove(&key(linked)).unwrap();
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), "kept");
        for prefix in ["", "folder/", "folder/s"] {
            assert!(folder.list(prefix, "", "").unwrap().is_empty(), "{prefix}");
        }
    }

    #[test]
    fn a_list_looks_into_no_folder_that_its_prefix_is_not_of() {
        let Scratch(path, folder) = &Scratch::new("elsewhere");
        folder.write(&key("a/b/1"), b"").unwrap();
        fs::write(path.join("secret"), "").unwrap();
        for prefix in ["../", "../s", "a/../../", "a/./b/", "a//b/", "/", "//", "a/b/1/"] {
            assert!(folder.list(prefix, "", "").unwrap().is_empty(), "{prefix}");
        }
        // More than one list may look at, beside what is asked for and around it.
        for name in 0..=FILES_MAX {
            fs::create_dir(path.join(format!("objects/a/x{name}"))).unwrap();
        }
        assert!(folder.list("a/x", "", "").is_err());
        for prefix in ["a/b", "a/b/", "a/b/1"] {
            assert_eq!(folder.list(prefix, "", "").unwrap().into_keys().collect::<Vec<_>>(), ["a/b/1"]);
        }
    }

    #[test]
    fn lists_are_in_order_and_go_on_behind_a_key() {
        let Scratch(_, folder) = &Scratch::new("list");
        for text in ["b", "a/2", "a/1", "a.txt", "ab/x"] {
            folder.write(&key(text), b"1234").unwrap();
        }
        let keys = |prefix: &str, after: &str, delimiter: &str| {
            folder.list(prefix, after, delimiter).unwrap().into_keys().collect::<Vec<_>>()
        };
        assert_eq!(keys("", "", ""), ["a.txt", "a/1", "a/2", "ab/x", "b"]);
        assert_eq!(folder.list("b", "", "").unwrap()["b"].unwrap().0, 4);
        assert_eq!(keys("a/", "", ""), ["a/1", "a/2"]);
        assert_eq!(keys("a", "a/1", ""), ["a/2", "ab/x"]);
        assert_eq!(keys("c", "", ""), [""; 0]);
        assert_eq!(keys("", "", "/"), ["a.txt", "a/", "ab/", "b"]);
        assert_eq!(keys("a/", "", "/"), ["a/1", "a/2"]);
        assert_eq!(keys("", "a/", "/"), ["ab/", "b"]);
    }
}

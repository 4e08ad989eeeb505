//! Objects as files in a folder: `objects/<key>`, and `incoming/` for those not yet complete.
//!
//! It trusts its [`Key`]s, which cannot leave the folder, and knows nothing of requests. One thing differs from Amazon S3: a key
//! cannot lie beneath another (`a` and `a/b`), since a file is not a folder.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Bytes;
use jiff::Timestamp;
use tokio::fs;
use tokio::io::AsyncWriteExt;

use crate::asked::{Key, Listing};

/// Files that one list looks at.
const FILES_MAX: usize = 100_000;

/// The folder.
#[derive(Debug)]
pub struct Folder {
    objects: PathBuf,
    incoming: PathBuf,
    writes: AtomicU64,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// Bytes.
    pub size: u64,
    /// When it was written.
    pub modified: Timestamp,
}

/// Entries in order, and whether there are more.
#[derive(Debug, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// There are more behind the last one.
    pub truncated: bool,
}

impl Folder {
    /// Open a folder; it is made if there is none.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = Self {
            objects: path.join("objects"),
            incoming: path.join("incoming"),
            writes: AtomicU64::new(0),
        };
        std::fs::create_dir_all(&folder.objects)?;
        std::fs::create_dir_all(&folder.incoming)?;
        Ok(folder)
    }

    /// An object, if there is one of that key.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn read(&self, key: &Key) -> io::Result<Option<Bytes>> {
        match fs::read(self.objects.join(key.as_str())).await {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Store an object, on disk before this returns: whole, or not at all.
    ///
    /// # Errors
    /// The file cannot be written; [`ErrorKind::NotADirectory`] and [`ErrorKind::IsADirectory`] when another key is in the way.
    pub async fn write(&self, key: &Key, bytes: Bytes) -> io::Result<()> {
        let path = self.objects.join(key.as_str());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await.map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => ErrorKind::NotADirectory.into(),
                _ => error,
            })?;
        }
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let incoming = self.incoming.join(format!("{}-{number}", std::process::id()));
        let written = write_through(&incoming, &path, &bytes).await;
        if written.is_err() {
            drop(fs::remove_file(&incoming).await);
        }
        written
    }

    /// Remove an object; one that is not there is gone already.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub async fn remove(&self, key: &Key) -> io::Result<()> {
        match fs::remove_file(self.objects.join(key.as_str())).await {
            Err(error) if !absent(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Keys in order of their bytes.
    ///
    /// # Errors
    /// A folder cannot be read, or holds too much for one list.
    pub async fn list(&self, listing: &Listing) -> io::Result<Page> {
        let (objects, listing) = (self.objects.clone(), Arc::new(listing.clone()));
        tokio::task::spawn_blocking(move || walk(&objects, &listing)).await.map_err(io::Error::other)?
    }
}

async fn write_through(incoming: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(incoming).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(incoming, path).await
}

/// No object of that key: nothing there, a folder, or a file where a folder would have to be.
fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory)
}

fn walk(objects: &Path, listing: &Listing) -> io::Result<Page> {
    let prefix = listing.prefix.as_deref().unwrap_or_default();
    let mut entries = Vec::new();
    let mut folders = vec![(objects.to_owned(), String::new())];
    let mut seen = 0;
    while let Some((folder, above)) = folders.pop() {
        for found in std::fs::read_dir(folder)? {
            let found = found?;
            seen += 1;
            if seen > FILES_MAX {
                return Err(io::Error::other("too many objects for one list"));
            }
            let (Ok(name), kind) = (found.file_name().into_string(), found.file_type()?) else { continue };
            let path = format!("{above}{name}");
            if kind.is_dir() {
                let below = format!("{path}/");
                if below.starts_with(prefix) || prefix.starts_with(&below) {
                    folders.push((found.path(), below));
                }
            } else if path.starts_with(prefix)
                && listing.after.as_ref().is_none_or(|after| path > *after)
                && let (Some(key), Ok(facts)) = (Key::parse(&path), found.metadata())
            {
                let modified = Timestamp::try_from(facts.modified()?).unwrap_or(Timestamp::UNIX_EPOCH);
                entries.push(Entry { key, size: facts.len(), modified });
            }
        }
    }
    entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let truncated = listing.keys_max > 0 && entries.len() > listing.keys_max;
    entries.truncate(listing.keys_max);
    Ok(Page { entries, truncated })
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
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    fn keys(page: &Page) -> Vec<&str> {
        page.entries.iter().map(|entry| entry.key.as_str()).collect()
    }

    #[tokio::test]
    async fn an_object_is_read_as_it_was_written_last() {
        let Scratch(_, folder) = &Scratch::new("read");
        assert_eq!(folder.read(&key("a/b")).await.unwrap(), None);
        folder.write(&key("a/b"), Bytes::from_static(b"one")).await.unwrap();
        folder.write(&key("a/b"), Bytes::from_static(b"two")).await.unwrap();
        assert_eq!(folder.read(&key("a/b")).await.unwrap().unwrap(), "two");
        folder.remove(&key("a/b")).await.unwrap();
        folder.remove(&key("a/b")).await.unwrap();
        assert_eq!(folder.read(&key("a/b")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_key_beneath_another_is_refused_and_harms_neither() {
        let Scratch(_, folder) = &Scratch::new("beneath");
        folder.write(&key("a/b"), Bytes::from_static(b"kept")).await.unwrap();
        assert!(folder.write(&key("a/b/c"), Bytes::new()).await.is_err());
        assert!(folder.write(&key("a"), Bytes::new()).await.is_err());
        assert_eq!(folder.read(&key("a")).await.unwrap(), None);
        assert_eq!(folder.read(&key("a/b/c")).await.unwrap(), None);
        folder.remove(&key("a")).await.unwrap();
        assert_eq!(folder.read(&key("a/b")).await.unwrap().unwrap(), "kept");
    }

    #[tokio::test]
    async fn lists_are_in_order_and_go_on_behind_a_key() {
        let Scratch(_, folder) = &Scratch::new("list");
        for text in ["b", "a/2", "a/1", "a.txt", "ab/x"] {
            folder.write(&key(text), Bytes::from_static(b"1234")).await.unwrap();
        }
        let list = |prefix: &str, after: Option<&str>, keys_max| Listing {
            prefix: Some(prefix.into()),
            after: after.map(str::to_owned),
            keys_max,
            encoded: false,
        };
        let all = folder.list(&list("", None, 9)).await.unwrap();
        assert_eq!((keys(&all), all.truncated), (vec!["a.txt", "a/1", "a/2", "ab/x", "b"], false));
        assert_eq!(all.entries[0].size, 4);
        assert_eq!(keys(&folder.list(&list("a/", None, 9)).await.unwrap()), ["a/1", "a/2"]);
        let first = folder.list(&list("a", None, 2)).await.unwrap();
        assert_eq!((keys(&first), first.truncated), (vec!["a.txt", "a/1"], true));
        let second = folder.list(&list("a", Some("a/1"), 2)).await.unwrap();
        assert_eq!((keys(&second), second.truncated), (vec!["a/2", "ab/x"], false));
        assert!(keys(&folder.list(&list("c", None, 9)).await.unwrap()).is_empty());
    }
}

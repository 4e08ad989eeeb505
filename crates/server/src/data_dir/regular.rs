//! Opening files that are files. Whose a data directory is can put there what it likes, and root looks into those of
//! others (`daypass doctor`, `daypass restore`): a link would lead to what is root's, a pipe be waited for without end, and
//! a device have no end. It does not know what the files are for.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Whether the last name of a path may be a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// What settings name is the operator's: links lead to mounted secrets.
    Followed,
    /// What has its place and name from us is itself there.
    Refused,
}

/// Open a regular file as told, or make it. It is looked at once it is open, and opening waits for nobody.
///
/// # Errors
/// It is no file, or a link where none may be; the system refuses.
pub(crate) fn open_regular(options: &mut OpenOptions, path: &Path, links: Links) -> io::Result<File> {
    let refused = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    let mut flags = OFlags::NONBLOCK;
    if links == Links::Refused {
        flags |= OFlags::NOFOLLOW;
    }
    let file = match options.custom_flags(flags.bits().cast_signed()).open(path) {
        Err(error) if is(&error, Errno::LOOP) => return refused(IS_LINK),
        // A socket, or a pipe that nobody reads.
        Err(error) if is(&error, Errno::NXIO) => return refused(NO_FILE),
        opened => opened?,
    };
    let found = file.metadata()?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return refused(NO_FILE);
    }
    if links == Links::Refused && is_lent(path, &found) {
        return refused("it has a second name elsewhere (a hard link), and this directory is another user's");
    }
    Ok(file)
}

const IS_LINK: &str = "it is a link; put the file itself there";
const NO_FILE: &str = "it is not a regular file";

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// Whether root would open what may be its own under a name that another user gave it.
fn is_lent(path: &Path, found: &Metadata) -> bool {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    found.nlink() > 1
        && rustix::process::geteuid().is_root()
        && !parent.metadata().is_ok_and(|parent| parent.uid() == 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn only_files_are_opened_and_nothing_is_waited_for() {
        let dir = Scratch::new("regular");
        let told = |name: &str, links: Links, append: bool| {
            let mut options = OpenOptions::new();
            options.read(true).append(append);
            open_regular(&mut options, &dir.join(name), links).map(drop).map_err(|error| error.to_string())
        };
        std::fs::write(dir.join("file"), "text").unwrap();
        std::fs::create_dir(dir.join("directory")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(dir.join("pipe")).status().unwrap().success());
        drop(std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap());
        symlink(dir.join("file"), dir.join("to-file")).unwrap();
        symlink(dir.join("pipe"), dir.join("to-pipe")).unwrap();
        symlink("/dev/zero", dir.join("to-device")).unwrap();
        for append in [false, true] {
            for links in [Links::Followed, Links::Refused] {
                assert_eq!(told("file", links, append), Ok(()));
                for name in ["pipe", "socket"] {
                    assert_eq!(told(name, links, append).unwrap_err(), NO_FILE, "{name}");
                }
                assert!(told("directory", links, append).is_err());
            }
            assert_eq!(told("to-file", Links::Followed, append), Ok(()));
            for name in ["to-pipe", "to-device"] {
                assert_eq!(told(name, Links::Followed, append).unwrap_err(), NO_FILE, "{name}");
            }
            for name in ["to-file", "to-pipe", "to-device"] {
                assert_eq!(told(name, Links::Refused, append).unwrap_err(), IS_LINK, "{name}");
            }
        }
    }

    #[test]
    fn a_second_name_is_refused_to_root_in_the_directory_of_another_user_only() {
        let dir = Scratch::new("lent");
        let open = || open_regular(OpenOptions::new().read(true), &dir.join("name"), Links::Refused);
        std::fs::write(dir.join("name"), "root's").unwrap();
        std::fs::hard_link(dir.join("name"), dir.join("second")).unwrap();
        open().unwrap();
        if rustix::process::geteuid().is_root() {
            chown(dir.path(), Some(4_000_000), None).unwrap();
            assert!(open().unwrap_err().to_string().contains("a hard link"));
            std::fs::remove_file(dir.join("second")).unwrap();
            open().unwrap();
        }
    }
}

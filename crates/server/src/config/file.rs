//! `daypass.toml`: the one that is named, or the one in the working directory.
//!
//! INVARIANT (unnamed-file): nobody goes by a file that he did not name and that another could have written, root by none that
//! its group could. Whose the working directory is may have put one there, and what it says the other would do, or paste.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use clap::{Args, Command};

use super::{ConfigFile, ServeArgs};
use crate::data_dir::{Links, open_regular};
use crate::failure::Failure;

/// Where it is, unless it is named.
const DEFAULT: &str = "daypass.toml";
const ROOT: u32 = 0;
/// Nobody has so many settings.
const BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn read_file(named: Option<&Path>) -> Result<ConfigFile, Failure> {
    let path = named.unwrap_or(Path::new(DEFAULT));
    let opened = match named {
        // Whatever it is: another program may write it (`--config <(…)`).
        Some(path) => Some(File::open(path).map_err(|error| unread(path, &error))?),
        None => unnamed(path)?,
    };
    let Some(file) = opened else { return Ok(ConfigFile::default()) };
    let mut text = String::new();
    file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| unread(path, &error))?;
    if text.len() as u64 > BYTES_MAX {
        let why = io::Error::new(ErrorKind::FileTooLarge, "it is longer than 1 MiB, and so no configuration");
        return Err(unread(path, &why));
    }
    toml::from_str(&text).map_err(|error| {
        // Not the line itself: somebody may have written a master key there.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let setting = text.lines().nth(line - 1).and_then(setting_of).unwrap_or_default();
        Failure::new(format!("`{}`, line {line}: {setting}{}", path.display(), error.message().trim()))
    })
}

/// The one that is not named: one's own or root's, and writable for nobody else.
fn unnamed(path: &Path) -> Result<Option<File>, Failure> {
    let refused = |why: &str| {
        Err(Failure::new(format!(
            "`{}` in this directory is not gone by: {why}; name it with --config if it is what you mean, or go to another directory",
            path.display()
        )))
    };
    let user = rustix::process::geteuid();
    // A link of one's own is one's own word; root's is looked at as everything of root's is.
    let links = if user.is_root() { Links::Refused } else { Links::Followed };
    if let Ok(link) = path.symlink_metadata()
        && let Some(why) = another_made(user.as_raw(), link.uid())
    {
        return refused(&why);
    }
    let file = match open_regular(OpenOptions::new().read(true), path, links) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return refused(&format!("it cannot be read ({error})")),
        Ok(file) => file,
    };
    let found = file.metadata().map_err(|error| unread(path, &error))?;
    match another_could_write(user.as_raw(), found.uid(), found.mode()) {
        Some(why) => refused(&why),
        None => Ok(Some(file)),
    }
}

/// Why a file of this owner and mode may say what another wants. A group is its owner's choice, but not for root.
fn another_could_write(user: u32, owner: u32, mode: u32) -> Option<String> {
    let others = if user == ROOT { 0o022 } else { 0o002 };
    another_made(user, owner).or_else(|| {
        (mode & others != 0).then(|| format!("others may write it ({:o}), and say what you do", mode & 0o777))
    })
}

fn another_made(user: u32, owner: u32) -> Option<String> {
    (owner != ROOT && owner != user).then(|| format!("it is of uid {owner}, who could say what you do"))
}

fn unread(path: &Path, error: &io::Error) -> Failure {
    let what = format!("the configuration `{}`", path.display());
    match error.kind() {
        ErrorKind::NotFound => {
            Failure::new(format!("{what} is missing; put it there, or name another with --config"))
        }
        _ => Failure::disk(&format!("{what} cannot be read"), error),
    }
}

/// The setting that a line of the file is about, as the beginning of a sentence; nothing else that stands in it.
fn setting_of(line: &str) -> Option<String> {
    let name = line.split_once('=')?.0.trim();
    let settings = ServeArgs::augment_args(Command::new("serve"));
    let known = settings.get_arguments().any(|setting| setting.get_long() == Some(name));
    known.then(|| format!("{name}: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unnamed_file_is_ones_own_or_roots_and_nobody_else_may_write_it() {
        for (user, owner, mode, taken) in [
            (0, 0, 0o644, true),
            (0, 0, 0o664, false),
            (0, 0, 0o646, false),
            (0, 7, 0o600, false),
            (7, 7, 0o600, true),
            (7, 7, 0o664, true),
            (7, 7, 0o606, false),
            (7, 0, 0o644, true),
            (7, 0, 0o646, false),
            (7, 8, 0o644, false),
        ] {
            assert_eq!(another_could_write(user, owner, mode).is_none(), taken, "{user} {owner} {mode:o}");
        }
        // Of a link, too.
        assert!(another_made(7, 8).is_some() && another_made(7, 7).is_none() && another_made(7, 0).is_none());
    }
}

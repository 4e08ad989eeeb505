//! `daypass.toml`: the one that is named, or the one in the working directory.
//!
//! INVARIANT (unnamed-file): root goes by no file that it did not name and that another could have written. Whose the
//! working directory is may have put one there, and what it says root would do, or paste.

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
/// Nobody has so many settings.
const BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn read_file(named: Option<&Path>) -> Result<ConfigFile, Failure> {
    let path = named.unwrap_or(Path::new(DEFAULT));
    let opened = match named {
        // Whatever it is: another program may write it (`--config <(…)`).
        Some(path) => Some(File::open(path).map_err(|error| unread(path, &error))?),
        None if rustix::process::geteuid().is_root() => of_root(path)?,
        None => match open_regular(OpenOptions::new().read(true), path, Links::Followed) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            opened => Some(opened.map_err(|error| unread(path, &error))?),
        },
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

/// The one that root did not name: root's own, and writable for nobody else.
fn of_root(path: &Path) -> Result<Option<File>, Failure> {
    let refused = |why: &str| {
        Err(Failure::new(format!(
            "`{}` in this directory is not gone by: {why}, and root would do what somebody else says; name it with --config if it is what you mean, or go to another directory",
            path.display()
        )))
    };
    let file = match open_regular(OpenOptions::new().read(true), path, Links::Refused) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return refused(&error.to_string()),
        Ok(file) => file,
    };
    let found = file.metadata().map_err(|error| unread(path, &error))?;
    if found.uid() != 0 {
        return refused(&format!("it is of uid {}", found.uid()));
    }
    if found.mode() & 0o022 != 0 {
        return refused(&format!("others may write it ({:o})", found.mode() & 0o777));
    }
    Ok(Some(file))
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

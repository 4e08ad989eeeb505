//! Lines that make and move files in a directory of somebody's. Whose the directory is may have put anything under any
//! name by the time that root pastes one: so what is done there is done as that owner, root makes names only where nobody
//! else can, and no line acts on a name that is taken. Where there is no such line the words have to do.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::rights::{Owner, ROOT};
use crate::banner::shell_word;
use crate::data_dir::existing;

/// A path as one word, which no command takes for a flag.
pub(super) fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    shell_word(&if text.starts_with('-') { format!("./{text}") } else { text.into_owned() })
}

/// Where a path leads, in full: for names that are made of its name.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let there = existing(path);
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let rest = full.strip_prefix(&there).unwrap_or(Path::new("")).to_owned();
    let real = there.canonicalize().unwrap_or(there);
    // Joined with nothing a path ends in a slash.
    if rest.as_os_str().is_empty() { real } else { real.join(rest) }
}

/// A name beside this one that nothing has.
pub(super) fn free(path: &Path, end: &str) -> PathBuf {
    let name = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(if n == 1 { format!(".{end}") } else { format!(".{end}-{n}") });
        PathBuf::from(name)
    };
    (1..u32::MAX).map(name).find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| name(1))
}

impl Owner {
    /// The line that moves a file out of the way, where somebody can.
    pub(super) fn moves_away(&self, path: &Path, user: u32) -> Option<String> {
        let by = self.acts_in(path.parent()?, user)?;
        Some(format!("{by}mv -T -n {} {}", word(path), word(&free(path, "old"))))
    }

    /// What comes before a command that makes or moves names in a directory: as its own user, or as root where nobody
    /// else can.
    pub(super) fn acts_in(&self, directory: &Path, user: u32) -> Option<String> {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        match self.may_write(directory, user) {
            true => Some(self.sudo(user)),
            false => is_roots(directory).then(|| Self::new(ROOT).sudo(user)),
        }
    }

    /// The line that makes a directory of its own.
    pub(super) fn makes(&self, directory: &Path, user: u32) -> Option<String> {
        let place = directory.parent().map(existing)?;
        let by = self.acts_in(&place, user)?;
        let parents = match directory.parent() {
            // Whatever the shell's mask is: the server's user has to get through them.
            Some(parent) if parent != place => format!("(umask 022; {by}mkdir -p {}) && ", word(parent)),
            _ => String::new(),
        };
        // Refused where there is anything of this name, a link too.
        let make = format!("{parents}{by}mkdir -m 700 {}", word(directory));
        Some(match by == self.sudo(user) {
            true => make,
            false => format!("{make} && {by}chown -h {} {}", shell_word(&self.name()), word(directory)),
        })
    }

    /// The line that puts a file of somebody's where there is none.
    pub(super) fn puts(&self, file: &str, at: &Path, user: u32) -> Option<String> {
        let place = at.parent().map(existing)?;
        if self.may_write(&place, user) {
            return Some(format!("{}install -T -m 600 {file} {}", self.sudo(user), word(at)));
        }
        let by = Self::new(ROOT).sudo(user);
        let owner = shell_word(&self.name());
        is_roots(&place).then(|| format!("{by}install -T -m 600 -o {owner} {file} {}", word(at)))
    }

    /// Whether it can make files in a directory; `user` asks.
    pub(super) fn may_write(&self, directory: &Path, user: u32) -> bool {
        self.may(directory, user, Access::WRITE_OK | Access::EXEC_OK)
    }

    /// Whether it gets through a directory to what is in it.
    pub(super) fn may_pass(&self, directory: &Path, user: u32) -> bool {
        self.may(directory, user, Access::EXEC_OK)
    }

    fn may(&self, directory: &Path, user: u32, wanted: Access) -> bool {
        let Ok(found) = directory.metadata() else { return false };
        let (mode, bits) = (found.permissions().mode(), wanted.bits());
        if self.is(ROOT) {
            true
        } else if self.is(user) {
            access(directory, wanted).is_ok()
        } else if self.is(found.uid()) {
            mode >> 6 & bits == bits
        } else {
            // Whose groups nobody knows here.
            (mode | mode >> 3) & bits == bits
        }
    }
}

/// Whether nobody but root can take away or exchange what root makes there.
fn is_roots(directory: &Path) -> bool {
    const STICKY: u32 = 0o1000;
    let Ok(real) = directory.canonicalize() else { return false };
    let is_roots = |directory: &Path| {
        directory.metadata().is_ok_and(|found| {
            let mode = found.permissions().mode();
            found.uid() == ROOT && (mode & 0o022 == 0 || mode & STICKY != 0)
        })
    };
    real.ancestors().all(is_roots)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_name_that_is_made_of_another_is_beside_it_and_free() {
        let dir = Scratch::new("paste-free");
        let data = dir.path().canonicalize().unwrap().join("data");
        std::fs::create_dir(&data).unwrap();
        symlink(&data, dir.join("way")).unwrap();
        for path in ["data", "data/", "way/", "data/.", "./data//"] {
            assert_eq!(resolved(&dir.join(path)).as_os_str(), data.as_os_str(), "{path}");
        }
        assert_eq!(resolved(&dir.join("way/none/file")), data.join("none/file"));
        symlink("/nowhere", data.with_extension("new")).unwrap();
        assert_eq!(free(&data, "new"), data.with_extension("new-2"));
        assert_eq!(word(Path::new("-x")), "./-x");
    }

    #[test]
    fn root_makes_nothing_where_another_could_exchange_it() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        const SOMEBODY: u32 = 4_000_000;
        let (dir, owner) = (Scratch::new("paste-make"), Owner::new(SOMEBODY));
        let (new, mode) = (dir.join("new"), |mode| PermissionsExt::from_mode(mode));
        let made = || owner.makes(&new, ROOT);
        assert_eq!(
            made().unwrap(),
            format!("mkdir -m 700 {0} && chown -h 4000000 {0}", new.display()),
            "in root's"
        );
        chown(dir.path(), Some(SOMEBODY), None).unwrap();
        assert_eq!(
            made().unwrap(),
            format!("sudo -u '#4000000' mkdir -m 700 {}", new.display()),
            "in its own"
        );
        chown(dir.path(), Some(SOMEBODY + 1), None).unwrap();
        assert_eq!((made(), owner.puts("KEY", &new, ROOT)), (None, None), "in a third one's");
        chown(dir.path(), Some(0), None).unwrap();
        std::fs::set_permissions(dir.path(), mode(0o777)).unwrap();
        assert!(made().unwrap().starts_with("sudo -u '#4000000' mkdir"), "in everybody's");
    }
}

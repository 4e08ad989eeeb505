//! Whose the data directory and its files are, and who may open them.
//!
//! The server's user is told by the directory, not by whoever asks: the doctor may be called by root.

use std::fs::{Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::paste::word;
use super::{Finding, Level, Patient};
use crate::banner::shell_word;
use crate::data_dir::{DataDir, names};

/// What the kernel lets open and write anything.
pub(super) const ROOT: u32 = 0;
/// Where users have their names.
const USERS: &str = "/etc/passwd";

/// Whose files these should be.
pub(super) struct Owner(u32);

impl Owner {
    /// The owner of the data directory; of the store in it, if the directory alone is root's.
    pub(super) fn of(data: &Path) -> Option<Self> {
        let directory = data.metadata().ok()?.uid();
        let store = data.join(names::STORE).metadata().ok().map(|store| store.uid());
        Some(Self(if directory == ROOT { store.unwrap_or(ROOT) } else { directory }))
    }

    pub(super) const fn new(uid: u32) -> Self {
        Self(uid)
    }

    /// Of the directory, or whoever is about to make it.
    pub(super) fn at(patient: &Patient) -> Self {
        Self::of(&patient.config.data).unwrap_or(Self(patient.user))
    }

    pub(super) fn is(&self, user: u32) -> bool {
        self.0 == user
    }

    /// For `chown` and `install -o`: the name, or the number of a user that has none here.
    pub(super) fn name(&self) -> String {
        let users = std::fs::read_to_string(USERS).unwrap_or_default();
        name_in(&users, self.0).unwrap_or_else(|| self.0.to_string())
    }

    /// What comes before a command that its files are to be made or read by: nothing, if this is its user.
    pub(super) fn sudo(&self, user: u32) -> String {
        self.sudo_with(user, None)
    }

    /// The same, and what a variable of the environment says is handed on.
    pub(super) fn sudo_with(&self, user: u32, variable: Option<&str>) -> String {
        let kept = variable.map(|name| format!("--preserve-env={name} ")).unwrap_or_default();
        match (self.0, self.name()) {
            (owner, _) if owner == user => String::new(),
            (ROOT, _) => format!("sudo {kept}"),
            (_, name) if name.starts_with(|c: char| c.is_ascii_digit()) => {
                format!("sudo {kept}-u '#{name}' ")
            }
            (_, name) => format!("sudo {kept}-u {} ", shell_word(&name)),
        }
    }

    /// The line that makes those of these files its own, for itself alone, which are there: none if one has a second
    /// name, which may be that of a file of root's.
    pub(super) fn takes(&self, paths: &[PathBuf], user: u32) -> Option<String> {
        let there: Vec<_> =
            paths.iter().filter_map(|path| Some((path, path.symlink_metadata().ok()?))).collect();
        let is_lent = there.iter().any(|(_, found)| found.is_file() && found.nlink() > 1);
        let words: Vec<_> = there.iter().map(|(path, _)| word(path)).collect();
        let words = words.join(" ");
        (!is_lent).then(|| format!("{} && {}chmod 600 {words}", self.chown(&words), self.sudo(user)))
    }

    fn chown(&self, paths: &str) -> String {
        format!("sudo chown -h {} {paths}", shell_word(&self.name()))
    }
}

fn name_in(users: &str, uid: u32) -> Option<String> {
    let user = |line: &str| {
        let mut fields = line.split(':');
        let (name, uid) = (fields.next()?, fields.nth(1)?);
        Some((uid.parse::<u32>().ok()?, name.to_owned()))
    };
    users.lines().filter_map(user).find(|(of, _)| *of == uid).map(|(_, name)| name)
}

/// Whether files in the data directory are this user's to look at: they are its own, or it is root.
pub(super) fn may_look(patient: &Patient) -> bool {
    patient.user == ROOT || Owner::of(&patient.config.data).is_none_or(|owner| owner.0 == patient.user)
}

pub(super) fn findings(patient: &Patient) -> Vec<Finding> {
    let data = &patient.config.data;
    let found = match data.metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let says = format!("`{}` is not there: the first start makes it", data.display());
            return vec![match DataDir::has_place(data) {
                Ok(()) => Finding::ok("rights", says),
                Err(failure) => Finding::told("rights", Level::Problem, failure.to_string(), None),
            }];
        }
        Err(error) => {
            let says = format!("`{}`: {error}", data.display());
            return vec![Finding::problem("rights", says, format!("sudo {}", patient.command()))];
        }
    };
    if !found.is_dir() {
        let says = format!("`{}` is no directory", data.display());
        return vec![Finding::problem("rights", says, format!("ls -ld {}", word(data)))];
    }
    if let Err(failure) = DataDir::has_place(data) {
        return vec![Finding::told("rights", Level::Problem, failure.to_string(), None)];
    }
    let owner = Owner::of(data).unwrap_or(Owner(found.uid()));
    if !may_look(patient) {
        let says = format!(
            "`{}` is of {}, and this is uid {}: only its owner can tell how it is",
            data.display(),
            owner.name(),
            patient.user
        );
        let paste = format!("{}{}", owner.sudo(patient.user), patient.command());
        return vec![Finding::problem("rights", says, paste)];
    }
    let user = patient.user;
    let mut findings: Vec<_> = of_directory(data, &found, &owner, user).into_iter().collect();
    findings.extend(own_files(data).filter_map(|(name, path)| {
        of_own(&path, &path.symlink_metadata().ok()?, Needs::of(&name), &owner, user)
    }));
    findings.extend(given_files(patient).filter_map(|(path, needs)| of_given(&path, needs, &owner, user)));
    findings.extend(closed_way(patient, &owner));
    if findings.is_empty() {
        let says = format!("`{}` and its files are {}'s alone", data.display(), owner.name());
        findings.push(Finding::ok("rights", says));
    }
    findings
}

/// What is expected of a file or directory.
#[derive(Clone, Copy)]
struct Needs {
    /// Of its owner, as bits of a mode.
    mode: u32,
    /// What it should be, if nobody else is to open it.
    private: Option<u32>,
    /// Whether a start cannot do without it.
    is_of_start: bool,
}

impl Needs {
    const DIRECTORY: Self = Self { mode: 0o700, private: Some(0o700), is_of_start: true };
    const WRITTEN: Self = Self { mode: 0o600, private: Some(0o600), is_of_start: true };
    /// A secret that was written once.
    const READ: Self = Self { mode: 0o400, private: Some(0o600), is_of_start: true };

    /// What everybody may read.
    const PUBLIC: Self = Self { private: None, ..Self::READ };

    /// Of a name in the data directory.
    fn of(name: &str) -> Self {
        match name {
            names::STORE | names::AUDIT | names::SESSION_LOG => Self::WRITTEN,
            names::MASTER_KEY | names::MASTER_KEY_NEXT => Self::READ,
            _ if name.starts_with(names::MASTER_KEY) || names::is_root_credentials(name) => {
                Self { is_of_start: false, ..Self::READ }
            }
            names::LOCK | names::STORE_LOG | names::STORE_SHARED | names::STORE_JOURNAL => {
                Self { private: None, ..Self::WRITTEN }
            }
            // What was rotated or not finished, marks, the socket.
            _ => Self { mode: 0, private: None, is_of_start: false },
        }
    }
}

/// What daypass makes in the directory, and is there.
fn own_files(data: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = std::fs::read_dir(data).into_iter().flatten().flatten();
    let mut found: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    found.retain(|name| names::is_ours(name));
    found.sort();
    found.into_iter().map(|name| (name.clone(), data.join(name)))
}

/// What settings name, elsewhere.
fn given_files(patient: &Patient) -> impl Iterator<Item = (PathBuf, Needs)> {
    let config = &patient.config;
    let (key, cert) = config.tls.clone().map(|tls| (tls.key, tls.cert)).unzip();
    let named = [
        (config.master_key_file.clone(), Needs::READ),
        (key, Needs::READ),
        (cert, Needs::PUBLIC),
        (config.ca_bundle.clone(), Needs::PUBLIC),
        (config.audit_file.clone(), Needs::WRITTEN),
    ];
    named.into_iter().filter_map(|(path, needs)| Some((path?, needs)))
}

/// A directory that root gets through, and the server's user does not.
fn closed_way(patient: &Patient, owner: &Owner) -> Option<Finding> {
    if patient.user != ROOT {
        return None;
    }
    let named = given_files(patient).map(|(path, _)| path);
    let (to, closed) = [patient.config.data.clone()].into_iter().chain(named).find_map(|path| {
        let real = path.canonicalize().ok()?;
        let closed = real.ancestors().skip(1).find(|on_the_way| !owner.may_pass(on_the_way, ROOT));
        closed.map(|closed| (path, closed.to_owned()))
    })?;
    let says = format!(
        "the server's user, {}, does not get through `{}` to `{}`: a start as that user is refused",
        owner.name(),
        closed.display(),
        to.display()
    );
    Some(Finding::problem("rights", says, format!("namei -l {}", word(&to))))
}

/// Of one that may be another program's there is no line: `--data /var/lib` is a slip, and what is in there would be
/// closed to everybody.
fn of_directory(data: &Path, found: &Metadata, owner: &Owner, user: u32) -> Option<Finding> {
    let finding = of_own(data, found, Needs::DIRECTORY, owner, user)?;
    if is_of_daypass(data, found) {
        return Some(finding);
    }
    let says = format!(
        "{}; nothing of daypass is in it, and it may be another program's: name a directory of daypass's own with --data, or close this one by hand",
        finding.says
    );
    Some(Finding::told("rights", finding.level, says, None))
}

/// Whether a lock or a store is in a directory, for all that can be seen, and nobody else could have put it there.
fn is_of_daypass(data: &Path, directory: &Metadata) -> bool {
    [names::LOCK, names::STORE].into_iter().any(|name| match data.join(name).symlink_metadata() {
        Ok(found) => directory.mode() & 0o022 == 0 || found.uid() == directory.uid(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    })
}

/// What a start can do without is in the way of none.
fn of_own(path: &Path, found: &Metadata, needs: Needs, owner: &Owner, user: u32) -> Option<Finding> {
    let finding = of_needed(path, found, needs, owner, user)?;
    let level = if needs.is_of_start { finding.level } else { Level::Warning };
    Some(Finding { level, ..finding })
}

fn of_needed(path: &Path, found: &Metadata, needs: Needs, owner: &Owner, user: u32) -> Option<Finding> {
    // Whose the directory is can remove what it need not read.
    // Of a directory where a start needs a file, somebody else tells.
    let is_right = found.is_file() || found.is_dir() && needs.is_of_start;
    if needs.mode != 0 && !is_right {
        return Some(of_no_file(path, found));
    }
    if needs.mode != 0 && found.uid() != owner.0 {
        return Some(of_another(path, found, owner));
    }
    let is = found.permissions().mode() & 0o777;
    let named = format!("`{}`", path.display());
    // As its owner: by the time that root pastes this, the name may be a link to what is root's.
    let mode = needs.private.unwrap_or(needs.mode);
    let paste = format!("{}chmod {mode:o} {}", owner.sudo(user), word(path));
    if owner.0 != ROOT && is & needs.mode != needs.mode {
        let cannot = if needs.mode & !is & 0o200 == 0 { "read" } else { "written" };
        let says = format!("{named} cannot be {cannot} by its owner ({is:o})");
        return Some(Finding::problem("rights", says, paste));
    }
    let says = || format!("{named} is open to others ({is:o})");
    (needs.private.is_some() && is & 0o077 != 0).then(|| Finding::warning("rights", says(), paste))
}

/// A start refuses it, where it needs the file; mode and owner of a link are those of what it leads to, and whoever changes them changes that.
fn of_no_file(path: &Path, found: &Metadata) -> Finding {
    let is = if found.is_symlink() { "a link, and must be the file itself" } else { "no regular file" };
    let says = format!("`{}` is {is}", path.display());
    Finding::problem("rights", says, format!("ls -l {}", word(path)))
}

fn of_another(path: &Path, found: &Metadata, owner: &Owner) -> Finding {
    let whose = Owner(found.uid()).name();
    let says = format!("`{}` is of {whose}, and the server's user is {}", path.display(), owner.name());
    if found.is_file() && found.nlink() > 1 {
        let says = format!("{says}; it has a second name elsewhere (a hard link)");
        return Finding::problem("rights", says, format!("ls -l {}", word(path)));
    }
    Finding::problem("rights", says, owner.chown(&word(path)))
}

/// A file that need not be the owner's, if only it can be used: a group may be let in.
fn of_given(path: &Path, needs: Needs, owner: &Owner, user: u32) -> Option<Finding> {
    let itself = path.symlink_metadata().ok()?;
    if needs.mode & 0o200 != 0 && itself.is_symlink() {
        return Some(of_no_file(path, &itself));
    }
    let found = path.metadata().ok().filter(Metadata::is_file)?;
    // Where a link leads: whoever pastes a line should see what it changes.
    let real = if itself.is_symlink() { path.canonicalize().ok() } else { None };
    let path = real.as_deref().unwrap_or(path);
    if found.uid() == owner.0 {
        return of_own(path, &found, needs, owner, user);
    }
    let is = found.permissions().mode() & 0o777;
    let is_used = if user == owner.0 {
        OpenOptions::new().read(true).append(needs.mode & 0o200 != 0).open(path).is_ok()
    } else {
        // Whose groups nobody knows here.
        owner.0 == ROOT || is & (needs.mode >> 3 | needs.mode >> 6) != 0
    };
    if !is_used {
        return Some(of_another(path, &found, owner));
    }
    let says = || format!("`{}` is open to everybody ({is:o})", path.display());
    (needs.private.is_some() && is & 0o007 != 0).then(|| {
        let sudo = if user == ROOT { "" } else { "sudo " };
        Finding::warning("rights", says(), format!("{sudo}chmod o= {}", word(path)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn users_are_called_by_their_names_where_they_have_one() {
        let users = "root:x:0:0:root:/root:/bin/sh\n# no user\ndaypass:x:998:998::/:/usr/sbin/nologin\n";
        assert_eq!(name_in(users, 998).as_deref(), Some("daypass"));
        assert_eq!((name_in(users, 99), name_in("", 0)), (None, None));
        let nobody = Owner(4_000_000);
        assert_eq!(nobody.sudo(1), "sudo -u '#4000000' ");
        assert_eq!((nobody.sudo(4_000_000).as_str(), Owner(ROOT).sudo(1).as_str()), ("", "sudo "));
        assert_eq!(nobody.chown("a b"), "sudo chown -h 4000000 a b");
        let dir = Scratch::new("takes");
        let [own, none] = ["own", "none"].map(|name| dir.join(name));
        std::fs::write(&own, "").unwrap();
        let line = nobody.takes(&[own.clone(), none.clone()], 4_000_000);
        assert_eq!(line.unwrap(), format!("sudo chown -h 4000000 {0} && chmod 600 {0}", own.display()));
        std::fs::hard_link(&own, dir.join("second")).unwrap();
        assert_eq!(nobody.takes(&[none, own], 1), None);
    }
}

//! Whether there is room for the data and the audit, and whether anything can be written there at all.

use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::paste::{resolved, word};
use super::rights::Owner;
use super::{Finding, Level, Patient};
use crate::audit_file::room_lacking;
use crate::data_dir::{existing, names};

const MIB: u64 = 1024 * 1024;
/// With less than this nothing is written any more for long: a commit, its log and a start need some.
const NEEDED: u64 = MIB / 2;
/// Beyond what is needed: so much is gone within hours on a busy day.
const LOW: u64 = 64 * MIB;

pub(super) fn findings(patient: &Patient) -> Vec<Finding> {
    let data = &patient.config.data;
    let audit = patient.config.audit_file.clone().unwrap_or_else(|| data.join(names::AUDIT));
    let (owner, audit_in) = (Owner::at(patient), directory_of(&audit));
    let mut findings = Vec::new();
    if audit_in != *data && !audit_in.is_dir() {
        let says =
            format!("the audit's directory `{}` is not there: the server does not start", audit_in.display());
        let paste = owner.makes(&resolved(&audit_in), patient.user);
        findings.push(Finding::told("room", Level::Problem, says, paste));
    } else if audit_in != *data {
        findings.extend(not_writable(&audit_in, &owner, patient.user));
    }
    // Of a directory that is still to be made, where that will be.
    let (data, audit_in) = (existing(data), existing(&audit_in));
    let lacks = room_lacking(&audit);
    if lacks > 0 && audit_in != data {
        findings.extend(at(&data, NEEDED, &audit));
        findings.extend(at(&audit_in, NEEDED + lacks, &audit));
    } else {
        findings.extend(at(&data, NEEDED + lacks, &audit));
    }
    findings
}

/// Beside the audit there must be room for its reserve, and for the files before it.
fn not_writable(directory: &Path, owner: &Owner, user: u32) -> Option<Finding> {
    if owner.may_write(directory, user) {
        return None;
    }
    // This one may be others' too.
    let own = resolved(directory).join("daypass");
    let says = format!(
        "the server's user, {}, cannot write the audit's directory `{}`: no file can be made there; make one of its own, such as `{}`, and name a file in that with --audit-file",
        owner.name(),
        directory.display(),
        own.display()
    );
    Some(Finding::told("room", Level::Problem, says, owner.makes(&own, user)))
}

fn directory_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => PathBuf::from("/"),
    }
}

/// How it is with the file system of a directory.
fn at(directory: &Path, needed: u64, audit: &Path) -> Option<Finding> {
    let found = statvfs(directory).ok()?;
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let says = format!("`{}` is mounted read-only", directory.display());
        return Some(Finding::problem("room", says, super::store::remount(directory)));
    }
    let has_names = found.f_files == 0 || found.f_favail > 0;
    Some(of_room(directory, found.f_bavail.saturating_mul(found.f_frsize), has_names, needed, audit))
}

pub(super) fn of_room(directory: &Path, free: u64, has_names: bool, needed: u64, audit: &Path) -> Finding {
    let shown = directory.display();
    let says = match free / MIB {
        0 => format!("{} KiB are free for `{shown}`", free / 1024),
        mib => format!("{mib} MiB are free for `{shown}`"),
    };
    let look = format!("df -h {0}; df -i {0}; ls -l {1}.[0-9]*", word(directory), word(audit));
    let may_go =
        "rotated audit files (those that this lists) may be moved or removed, nothing else of daypass";
    if !has_names {
        let says = format!("no more files can be made for `{shown}` (no inodes are free): {may_go}");
        return Finding::problem("room", says, look);
    }
    if free < needed {
        let says = format!(
            "{says}, and a server needs {} MiB to change or issue anything: {may_go}",
            needed.div_ceil(MIB)
        );
        return Finding::problem("room", says, look);
    }
    if free < needed + LOW {
        return Finding::warning("room", format!("{says}: {may_go}"), look);
    }
    Finding::ok("room", says)
}

//! The process that runs on a data directory, by what it wrote into the lock and what the kernel says of it (proc(5)).

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use daypass_store::DirLock;

/// Whoever has locked a file or directory for itself alone.
pub(super) struct Holder {
    pub(super) pid: u32,
    /// What the kernel calls it.
    name: String,
}

impl Holder {
    /// By the kernel's table; nobody where it does not tell, as of what is outside a container.
    pub(super) fn of(path: &Path) -> Option<Self> {
        Self::with(path, &["WRITE"])
    }

    /// The same, or one of those who share it: nobody has it for itself alone then.
    pub(super) fn or_sharer_of(path: &Path) -> Option<Self> {
        Self::with(path, &["WRITE", "READ"])
    }

    fn with(path: &Path, kinds: &[&str]) -> Option<Self> {
        let (locks, found) = (std::fs::read_to_string("/proc/locks").ok()?, path.metadata().ok()?);
        let pid = holder(&locks, found.dev(), found.ino(), kinds)?;
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Some(Self { pid, name: name.trim().to_owned() })
    }

    /// As far as can be told.
    pub(super) fn is_daypass(&self) -> bool {
        self.name.is_empty() || self.name.starts_with("daypass")
    }

    /// What it is, and the line that shows more.
    pub(super) fn described(&self) -> (String, String) {
        let Self { pid, name } = self;
        let name = if name.is_empty() { String::new() } else { format!(", {name}") };
        (format!("process {pid}{name}"), format!("ps -o pid,user,args -p {pid}"))
    }
}

/// Whether this is how the table names a file. A file system without a device of its own (Btrfs) has one number there and
/// another for whoever asks for a file's.
fn is_file(named: &str, device: u64, inode: u64) -> bool {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    named.rsplit_once(':').is_some_and(|(on, number)| {
        number.parse() == Ok(inode) && (major == 0 || on == format!("{major:02x}:{minor:02x}"))
    })
}

/// Who holds a lock of one of these kinds: `1: FLOCK  ADVISORY  WRITE 4242 fe:00:131 0 EOF`.
fn holder(locks: &str, device: u64, inode: u64, kinds: &[&str]) -> Option<u32> {
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields.as_slice() {
            [_, "FLOCK", _, kind, pid, locked, ..]
                if kinds.contains(kind) && is_file(locked, device, inode) =>
            {
                pid.parse().ok().filter(|pid| *pid > 0)
            }
            _ => None,
        }
    })
}

/// A daypass that has the lock of a data directory.
pub(super) struct Running {
    pub(super) pid: u32,
    /// `R`, `S`, `T` and so on; nothing where the system does not tell.
    state: Option<char>,
}

impl Running {
    /// The one that the lock names, if the kernel says that it has it: in a container numbers are others, and a number is
    /// given out again.
    pub(super) fn on(data: &Path) -> Option<Self> {
        let lock = DirLock::owner_of(data);
        let pid: u32 = lock.strip_prefix("process ")?.split_whitespace().next()?.parse().ok()?;
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        if !has_lock(&locks, pid, data.metadata().ok()?.ino()) {
            return None;
        }
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let state = status.lines().find_map(|line| line.strip_prefix("State:"));
        Some(Self { pid, state: state.and_then(|state| state.trim().chars().next()) })
    }

    /// What it is, and the line that mends that or shows more.
    pub(super) fn described(&self) -> (String, String) {
        let pid = self.pid;
        let look = format!("ps -o pid,stat,wchan:32,args -p {pid}");
        match self.state {
            Some('T' | 't') => (format!("process {pid} is stopped"), format!("kill -CONT {pid}")),
            Some('D') => (format!("process {pid} waits for the disk"), look),
            _ => (format!("process {pid} hangs"), look),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.state, Some('T' | 't'))
    }

    /// Whether it listens at a port; nothing is known of another user's process.
    pub(super) fn listens_at(&self, port: u16) -> Option<bool> {
        let tables =
            ["tcp", "tcp6"].map(|table| std::fs::read_to_string(format!("/proc/{}/net/{table}", self.pid)));
        let sockets: Vec<String> = tables
            .iter()
            .flatten()
            .flat_map(|table| listening(table, port))
            .map(|inode| format!("socket:[{inode}]"))
            .collect();
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.pid)).ok()?;
        let links = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        Some(links.into_iter().any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str())))
    }
}

/// Whether a process has locked a file: `1: FLOCK  ADVISORY  WRITE 4242 fe:00:131 0 EOF`.
fn has_lock(locks: &str, pid: u32, inode: u64) -> bool {
    let (pid, end) = (pid.to_string(), format!(":{inode}"));
    locks.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is = |at: usize, test: &dyn Fn(&str) -> bool| fields.get(at).is_some_and(|field| test(field));
        is(1, &|kind| kind == "FLOCK")
            && is(3, &|kind| kind == "WRITE")
            && is(4, &|of| of == pid)
            && is(5, &|file| file.ends_with(&end))
    })
}

/// The inodes of the sockets that listen at a port: local address in the second column, state (0A is LISTEN) in the
/// fourth, inode in the tenth.
fn listening(table: &str, port: u16) -> impl Iterator<Item = &str> {
    let end = format!(":{port:04X}");
    table.lines().filter_map(move |line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&end) && fields.get(3) == Some(&"0A");
        if is_it { fields.get(9).copied() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read_by_their_columns() {
        let locks =
            "1: POSIX  ADVISORY  WRITE 7 fe:00:131 0 EOF\n2: FLOCK  ADVISORY  WRITE 8 fe:00:131 0 EOF\n";
        assert!(has_lock(locks, 8, 131));
        let looks = locks.replace("WRITE", "READ");
        assert!(!has_lock(&looks, 8, 131), "a doctor is no server");
        let by = |locks: &str, major: u32, minor: u32, kinds: &[&str]| {
            holder(locks, rustix::fs::makedev(major, minor), 131, kinds)
        };
        assert_eq!((by(locks, 254, 0, &["WRITE"]), by(locks, 254, 1, &["WRITE"])), (Some(8), None));
        assert_eq!((by(&looks, 254, 0, &["WRITE"]), by(&looks, 254, 0, &["WRITE", "READ"])), (None, Some(8)));
        assert_eq!(by(locks, 0, 42, &["WRITE"]), Some(8), "of a file system that has no device");
        for (pid, inode) in [(7, 131), (8, 31), (8, 1131)] {
            assert!(!has_lock(locks, pid, inode), "{pid} {inode}");
        }
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1E61 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65534 0 4711 1 0 100 0\n\
             1: 0100007F:1E61 0100007F:9999 01 00000000:00000000 00:00000000 00000000 65534 0 4712 1 0 100 0\n";
        assert_eq!(listening(table, 7777).collect::<Vec<_>>(), ["4711"]);
        assert_eq!(listening(table, 7778).count(), 0);
    }
}

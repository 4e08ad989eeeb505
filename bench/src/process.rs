//! Servers as processes of their own: started, listened to, measured from outside, ended.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Outcome;
use crate::issuer::Signed;
use crate::load::now;

/// Access keys of the first account's root user, given to every server that is measured.
pub(crate) const ROOT_KEY: (&str, &str) =
    ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");

/// A server that is ready. It is killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it answers.
    pub(crate) address: SocketAddr,
    /// From its start to its `ready`.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// daypass as it was built beside this program, on an embedded store in `data`, with every default on.
    pub(crate) fn daypass(data: &Path) -> Outcome<Self> {
        Self::daypass_with(data, &[])
    }

    /// The same with further arguments.
    pub(crate) fn daypass_with(data: &Path, more: &[&str]) -> Outcome<Self> {
        let binary = beside("daypass")?;
        if !binary.exists() {
            return Err(format!("`{}` is not built: cargo build --release", binary.display()).into());
        }
        let mut command = Command::new(binary);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(more)
            .env_clear()
            .env("DAYPASS_ACCOUNT_ID", "111122223333")
            .env("DAYPASS_ROOT_ACCESS_KEY_ID", ROOT_KEY.0)
            .env("DAYPASS_ROOT_SECRET_ACCESS_KEY", ROOT_KEY.1);
        Self::start(command)
    }

    /// The bare server with an answer of this size.
    pub(crate) fn bare(bytes: usize, verify: Option<Signed>) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bare", &bytes.to_string()]);
        match verify {
            Some(Signed::Rs256) => command.args(["--verify", "rs256"]),
            Some(Signed::Es256) => command.args(["--verify", "es256"]),
            None => &mut command,
        };
        Self::start(command)
    }

    fn start(mut command: Command) -> Outcome<Self> {
        let started = now();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let said = child.stdout.take().ok_or("a server without standard output")?;
        let mut address = None;
        for line in BufReader::new(said).lines() {
            let line = line?;
            if let Some(url) = line.trim().strip_prefix("endpoint") {
                address = url.trim().strip_prefix("http://").and_then(|text| text.parse().ok());
            } else if line == "ready" {
                let ready_after = started.elapsed();
                let address = address.ok_or("a server that does not say where it listens")?;
                return Ok(Self { child, address, ready_after });
            }
        }
        let ended = child.wait()?;
        Err(format!("a server ended before it was ready: {ended}").into())
    }

    /// CPU time it has used so far, user and system. Linux only.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        // proc_pid_stat(5): the name in parentheses may hold blanks; utime and stime are fields 14 and 15,
        // in ticks, of which Linux shows 100 a second.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut times = fields.split(' ').skip(11).map(|ticks| ticks.parse::<u64>().ok());
        let ticks = times.next()?? + times.next()??;
        Some(Duration::from_millis(ticks * 10))
    }

    /// Memory it occupies now and at most so far, in KiB. Linux only.
    pub(crate) fn memory(&self) -> Option<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Some((field("VmRSS:")?, field("VmHWM:")?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A data directory that goes when it is dropped. It lies beside the binaries: that is a real disk, which
/// a folder for temporary files need not be.
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// A path where nothing is yet.
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let path = beside(&format!("bench-{name}-{}", std::process::id()))?;
        drop(std::fs::remove_dir_all(&path));
        Ok(Self(path))
    }

    /// The path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn beside(name: &str) -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().ok_or("this program lies nowhere")?.join(name))
}

//! The built binary, started and ended by its pid.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

/// A directory of its own under the test's temporary directory, removed when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique);
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The binary with a clean environment.
pub fn daypass(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daypass"));
    command.env_clear().current_dir(directory).stdin(Stdio::null());
    command
}

/// The same, started by a shell that does something to itself first (`ulimit`, `trap`).
pub fn daypass_after(directory: &Path, script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.env_clear().current_dir(directory).stdin(Stdio::null());
    command.args(["-c", &format!("{script}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_daypass")]);
    command
}

/// Run it to its end.
pub fn run(directory: &Path, args: &[&str]) -> Output {
    daypass(directory).args(args).output().unwrap()
}

/// A running server.
pub struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Reads the log as it comes, or a talkative server would wait for us.
    log: Option<JoinHandle<String>>,
    /// Everything printed up to `ready`.
    pub banner: String,
    /// `host:port`
    pub address: String,
    /// `host:port` of the admin listener.
    pub admin: String,
}

impl Server {
    /// Start on free ports over `data` and wait for `ready`.
    pub fn start(data: &Path) -> Self {
        Self::start_with(daypass(data.parent().unwrap()).arg("serve"), data)
    }

    /// The same with a command that has more arguments or environment.
    pub fn start_with(command: &mut Command, data: &Path) -> Self {
        Self::start_as_told(command.arg("--data").arg(data).args([
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ]))
    }

    /// The same with a command that says everything.
    pub fn start_as_told(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).unwrap();
            log
        });
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        loop {
            let mut line = String::new();
            if out.read_line(&mut line).unwrap() == 0 {
                panic!("the server ended before it was ready: {}", log.join().unwrap());
            }
            if line == "ready\n" {
                break;
            }
            banner.push_str(&line);
        }
        let after = |word: &str| {
            let line = banner.lines().find(|line| line.trim_start().starts_with(word)).unwrap();
            let url = line.split_whitespace().nth(1).unwrap();
            url.split_once("://").unwrap().1.to_owned()
        };
        let (address, admin) = (after("endpoint"), after("admin"));
        Self { child, out, log: Some(log), banner, address, admin }
    }

    /// What the admin listener answers.
    pub fn admin(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A signal, by its pid.
    pub fn signal(&self, name: &str) {
        let (signal, pid) = (format!("-{name}"), self.pid().to_string());
        assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
    }

    /// Wait for its end; everything it printed after `ready`, and its log.
    pub fn end(mut self) -> (ExitStatus, String, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        (self.child.wait().unwrap(), rest, log)
    }

    /// SIGTERM; everything it printed after `ready`, and its log.
    pub fn stop(self) -> (String, String) {
        self.signal("TERM");
        let (status, rest, log) = self.end();
        assert!(status.success(), "SIGTERM ends a server in order");
        (rest, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

//! Where things are, and how a chore starts another program.
//!
//! Answers for: paths, the shared target directory, commands and how long they took.
//! Refuses to know: what any command means.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The checkout, and where its artefacts go.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The directory of the root `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target directory: `CARGO_TARGET_DIR`, or one outside the checkout, so that a clean
    /// clone reuses what an earlier one compiled.
    pub target: PathBuf,
    /// Where virtual environments and other downloads are kept between runs.
    pub cache: PathBuf,
}

impl Workspace {
    /// Finds the checkout that `cargo xtask` was called in. Cargo says so when it runs this program; where it
    /// was *built* may be another checkout that shares the target directory.
    ///
    /// # Errors
    /// Not run by cargo, or no home directory tells where the cache belongs.
    pub fn find() -> anyhow::Result<Workspace> {
        let manifest = variable("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
        let manifest = Path::new(&manifest);
        let root = manifest.parent().context("xtask lies in no workspace")?.to_path_buf();
        let cache = match (variable("XDG_CACHE_HOME"), variable("HOME")) {
            (Some(cache), _) => PathBuf::from(cache),
            (None, Some(home)) => Path::new(&home).join(".cache"),
            (None, None) => bail!("neither XDG_CACHE_HOME nor HOME is set"),
        }
        .join("daypass");
        let target = variable("CARGO_TARGET_DIR").map_or_else(|| cache.join("target"), PathBuf::from);
        Ok(Workspace { root, target, cache })
    }

    /// A file of the checkout.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A directory of the cache that is made once for what `key` says: another pin is another directory, so
    /// branches do not disturb each other.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn kept(
        &self,
        kind: &str,
        key: &str,
        make: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<PathBuf> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let home = self.cache.join(format!("{kind}-{:016x}", hasher.finish()));
        // Written last, so what is half made is made again.
        let complete = home.join("complete");
        if complete.exists() {
            return Ok(home);
        }
        if home.exists() {
            std::fs::remove_dir_all(&home).with_context(|| format!("cannot remove a half-made {kind}"))?;
        }
        make(&home)?;
        std::fs::write(&complete, key).with_context(|| format!("cannot finish {}", home.display()))?;
        Ok(home)
    }

    /// Builds the server in the dev profile, the one the suites share, and says where it is.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn server_binary(&self) -> anyhow::Result<PathBuf> {
        // The same set of features as the tests were built with, so that no dependency compiles twice.
        run(cargo(self).args(["build", "--locked", "--quiet", "--workspace", "--all-targets"]))
            .context("the server does not build")?;
        Ok(self.target.join("debug").join("daypass"))
    }
}

/// `cargo` in the checkout, with the shared target directory. Full builds: an incremental cache
/// costs more disk than it saves here.
#[must_use]
pub fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&workspace.root).env("CARGO_TARGET_DIR", &workspace.target);
    if variable("CARGO_INCREMENTAL").is_none() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// Runs to the end, output to the terminal.
///
/// # Errors
/// When it cannot start or does not succeed; the message names the command.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs to the end and keeps the output, whether it succeeded or not.
///
/// # Errors
/// When it cannot start.
pub fn capture(command: &mut Command) -> anyhow::Result<Captured> {
    let watch = Stopwatch::start();
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", shown(command)))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Captured {
        success: status.success(),
        stdout: text(stdout),
        stderr: text(stderr),
        took: watch.elapsed(),
    })
}

/// What a program said.
#[derive(Debug, Clone)]
pub struct Captured {
    /// Whether it ended with 0.
    pub success: bool,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

impl Captured {
    /// Both streams, one after the other.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Whether a program can be started at all.
#[must_use]
pub fn available(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Measures how long a step takes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a chore reports real time")]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// An environment variable that is set to something.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

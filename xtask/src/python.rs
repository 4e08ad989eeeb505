//! Python for the black-box tests: virtual environments with pinned packages, kept between runs.
//!
//! Answers for: that the clients and identity providers named in `conformance/requirements*.txt` are there,
//! in exactly those versions. Refuses to know: what the tests do with them. The AWS CLI has an environment of
//! its own, since it brings another version of the libraries it shares with boto3.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::debian;
use crate::workspace::{Workspace, capture, run};

/// The two environments.
#[derive(Debug, Clone)]
pub struct Environments {
    clients: PathBuf,
    cli: PathBuf,
}

impl Environments {
    /// A program of the environment that holds boto3 and pytest.
    #[must_use]
    pub fn client(&self, program: &str) -> PathBuf {
        self.clients.join("bin").join(program)
    }

    /// A program of the environment that holds the AWS CLI.
    #[must_use]
    pub fn cli(&self, program: &str) -> PathBuf {
        self.cli.join("bin").join(program)
    }
}

/// Makes what is missing and says so.
///
/// # Errors
/// When there is no Python 3, or the packages cannot be fetched.
pub fn ensure(workspace: &Workspace) -> anyhow::Result<Environments> {
    let clients = environment(workspace, "conformance/requirements.txt")?;
    let cli = environment(workspace, "conformance/requirements-cli.txt")?;
    Ok(Environments { clients, cli })
}

/// One environment, for exactly these requirements.
fn environment(workspace: &Workspace, requirements: &str) -> anyhow::Result<PathBuf> {
    let file = workspace.path(requirements);
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {requirements}"))?;
    workspace.kept("venv", &text, |home| {
        println!("installing the packages of {requirements} (once)");
        virtual_environment(home)?;
        let mut pip = Command::new(home.join("bin").join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&file);
        run(&mut pip).with_context(|| format!("cannot install the packages of {requirements}"))
    })
}

fn virtual_environment(home: &Path) -> anyhow::Result<()> {
    let create = || {
        let mut command = Command::new("python3");
        command.args(["-m", "venv"]).arg(home);
        capture(&mut command)
    };
    if create().is_ok_and(|said| said.success) {
        return Ok(());
    }
    // Debian ships `venv` apart from Python itself.
    debian::install(
        &["python3", "python3-venv"],
        "the conformance tests need Python 3 with its venv module",
    )?;
    let said = create()?;
    if !said.success {
        bail!("python3 -m venv does not work: {}", said.text().trim());
    }
    Ok(())
}

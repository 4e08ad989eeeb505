//! `cargo xtask tidy`: the rules of the house that no compiler knows.
//!
//! Answers for: collecting the files under version control (and those about to be), asking each
//! rule, printing every finding. Refuses to know: what a rule looks for.

mod edges;
mod named_tests;
mod text;

use std::process::Command;

use anyhow::{Context, bail};

use crate::coverage;
use crate::workspace::{Workspace, capture};

/// A file of the checkout.
#[derive(Debug, Clone)]
pub struct File {
    /// From the root, with `/`.
    pub path: String,
    /// Bytes on disk.
    pub size: u64,
    /// Absent when it is not UTF-8.
    pub text: Option<String>,
}

/// Checks every rule, then the coverage table of the README, which needs the built server.
///
/// # Errors
/// When anything was found; each finding is printed as `path:line: what to change`.
pub fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let files = files(workspace)?;
    let mut findings = edges::check(&files)?;
    findings.extend(text::check(&files));
    findings.extend(named_tests::check(&files));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    coverage::run(workspace, true)
}

fn files(workspace: &Workspace) -> anyhow::Result<Vec<File>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&workspace.root);
    let said = capture(&mut git)?;
    if !said.success {
        bail!("git cannot list the files: {}", said.stderr.trim());
    }
    let mut files = Vec::new();
    for path in said.stdout.split('\0').filter(|path| !path.is_empty()) {
        let full = workspace.path(path);
        // Deleted but still in the index, a link, a submodule: nothing to read.
        let Ok(about) = std::fs::symlink_metadata(&full) else { continue };
        if !about.is_file() {
            continue;
        }
        let bytes = std::fs::read(&full).with_context(|| format!("cannot read {path}"))?;
        files.push(File { path: path.to_owned(), size: about.len(), text: String::from_utf8(bytes).ok() });
    }
    Ok(files)
}

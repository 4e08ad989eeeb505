//! The AWS SDKs for JavaScript and for Rust, and what else comes from npm (identity providers, what drives the browser),
//! made ready for the black-box tests.
//!
//! Answers for: that the packages of `conformance/javascript` are there in the versions of its lock file, and that the
//! tests of `conformance/rust` are built. Refuses to know: what the tests do. Nothing is installed into the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::workspace::{Workspace, capture, cargo};

/// The oldest Node.js that the SDK runs on.
const NODE_MIN: u32 = 20;

/// The folder of the npm packages, installed the first time.
///
/// # Errors
/// When there is no Node.js, or the packages cannot be fetched.
pub fn javascript(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.path("conformance/javascript");
    let lock = std::fs::read_to_string(folder.join("package-lock.json"))
        .context("cannot read conformance/javascript/package-lock.json")?;
    node()?;
    let home = workspace.kept("npm", &lock, |home| install(&folder, home))?;
    Ok(home.join("node_modules"))
}

/// The version of `node`, or what to install.
fn node() -> anyhow::Result<()> {
    const WANTED: &str = "the tests with packages of npm need Node.js 20 or newer with its npm, in PATH";
    let said = capture(Command::new("node").arg("--version")).context(WANTED)?;
    let version = said.stdout.trim().trim_start_matches('v');
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if !said.success || major.is_none_or(|major| major < NODE_MIN) {
        bail!("{WANTED}; this is {version}");
    }
    Ok(())
}

fn install(folder: &Path, home: &Path) -> anyhow::Result<()> {
    println!("installing the packages of conformance/javascript (once)");
    std::fs::create_dir_all(home).context("cannot make a folder for npm packages")?;
    for file in [".npmrc", "package.json", "package-lock.json"] {
        std::fs::copy(folder.join(file), home.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(home);
    let said = capture(&mut npm)?;
    if !said.success {
        bail!("npm cannot install the packages of conformance/javascript: {}", said.text().trim());
    }
    Ok(())
}

/// The tests of the AWS SDK for Rust, one program. They are built beside the product, not with it.
///
/// # Errors
/// When they do not compile.
pub fn rust(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let home = workspace.target.join("sdk-rust");
    if !home.exists() {
        println!("building the AWS SDK for Rust (once, a minute or two)");
    }
    let mut build = cargo(workspace);
    build
        .args(["test", "--locked", "--quiet", "--no-run", "--message-format=json-render-diagnostics"])
        .args(["--manifest-path", "conformance/rust/Cargo.toml", "--test", "sts"])
        .env("CARGO_TARGET_DIR", &home);
    let said = capture(&mut build)?;
    if !said.success {
        bail!("the tests of the AWS SDK for Rust do not build: {}", said.stderr.trim());
    }
    program(&said.stdout).context("cargo does not say where the tests of the AWS SDK for Rust are")
}

/// The program that cargo's messages, a line each, say was built.
fn program(messages: &str) -> Option<PathBuf> {
    let message = |line| serde_json::from_str::<Value>(line).ok();
    let built = messages.lines().rev().filter_map(message);
    built.filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from)).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_is_found_in_cargos_messages() {
        let text = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"tokio"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"sts"},"executable":"target/debug/deps/sts-1"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(program(text), Some(PathBuf::from("target/debug/deps/sts-1")));
        assert_eq!(program(r#"{"reason":"build-finished","success":true}"#), None);
    }
}

//! `cargo xtask bench`: figures for people, never a test with a limit.
//!
//! Answers for: finding what can be measured and running it in the release profile.
//! Refuses to know: what is measured. A crate offers figures as `examples/figures.rs`; the load
//! generator is the package in `bench/`.

use anyhow::bail;

use crate::workspace::{Workspace, cargo, run};

/// Runs every `crates/*/examples/figures.rs`, then `bench/`.
///
/// # Errors
/// When one of them fails, or there is nothing to measure.
pub fn run_all(workspace: &Workspace) -> anyhow::Result<()> {
    let mut measured = 0;
    for room in rooms(workspace)? {
        println!("## {room}");
        let package = format!("daypass-{room}");
        run(cargo(workspace)
            .args(["run", "--locked", "--quiet", "--release", "--package", &package])
            .args(["--example", "figures"]))?;
        measured += 1;
    }
    if workspace.path("bench/Cargo.toml").exists() {
        println!("## bench");
        run(cargo(workspace).args([
            "build",
            "--locked",
            "--quiet",
            "--release",
            "--package",
            "daypass-server",
        ]))?;
        run(cargo(workspace)
            .args(["run", "--locked", "--quiet", "--release"])
            .args(["--manifest-path", "bench/Cargo.toml"]))?;
        measured += 1;
    }
    if measured == 0 {
        bail!("nothing to measure: no crates/*/examples/figures.rs and no bench/");
    }
    Ok(())
}

/// The crates that have figures to show, by name.
fn rooms(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let mut rooms = Vec::new();
    for entry in std::fs::read_dir(workspace.path("crates"))? {
        let entry = entry?;
        if entry.path().join("examples/figures.rs").exists() {
            rooms.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    rooms.sort();
    Ok(rooms)
}

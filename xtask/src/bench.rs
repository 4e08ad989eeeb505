//! `cargo xtask bench`: figures for people, never a test with a limit.
//!
//! Answers for: building what is measured in the release profile, and running the packages in `bench/`.
//! Refuses to know: what is measured.

use crate::workspace::{Workspace, cargo, run};

/// Prints the figures.
///
/// # Errors
/// When something does not build, or a measured program fails.
pub fn run_all(workspace: &Workspace) -> anyhow::Result<()> {
    let release = ["--locked", "--quiet", "--release"];
    // The load generator looks for the server beside itself.
    run(cargo(workspace).arg("build").args(release).args([
        "--package",
        "daypass-server",
        "--bin",
        "daypass",
    ]))?;
    run(cargo(workspace).arg("run").args(release).args(["--package", "daypass-bench"]))?;
    // A workspace of its own, which only this chore builds.
    run(cargo(workspace)
        .arg("run")
        .args(release)
        .args(["--manifest-path", "bench/cedar/Cargo.toml"])
        .env("CARGO_TARGET_DIR", workspace.target.join("cedar")))
}

//! `cargo xtask mutants SHARD/SHARDS`: change the code that decides in small ways, one at a time, and see whether a test
//! of the same crate notices.
//!
//! Answers for: which files are changed, and with which tests. Not a test: a shard takes up to an hour.
//! Refuses to know: what a survivor means; `docs/verification.md` says so of those that were looked at.

use anyhow::bail;

use crate::workspace::{Workspace, available, cargo, run};

/// Evaluation and matching, signatures, the token. (Parsing, findings and explanations say nothing on who may.)
const FILES: [&str; 24] = [
    "crates/policy/src/evaluate.rs",
    "crates/policy/src/index.rs",
    "crates/policy/src/principal.rs",
    "crates/policy/src/policy.rs",
    "crates/policy/src/rcp.rs",
    "crates/policy/src/action.rs",
    "crates/policy/src/arn.rs",
    "crates/policy/src/glob.rs",
    "crates/policy/src/search.rs",
    "crates/policy/src/variable.rs",
    "crates/policy/src/condition/*.rs",
    "crates/authn/src/sigv4/canonical.rs",
    "crates/authn/src/sigv4/form.rs",
    "crates/authn/src/sigv4/key.rs",
    "crates/authn/src/sigv4/presented.rs",
    "crates/authn/src/sigv4/public_key.rs",
    "crates/authn/src/sigv4/region_set.rs",
    "crates/authn/src/sigv4/rules.rs",
    "crates/authn/src/sigv4/time.rs",
    "crates/authn/src/sigv4/verify.rs",
    "crates/authn/src/sigv4/version_2.rs",
    "crates/authn/src/token/*.rs",
    "crates/authn/src/totp.rs",
    "crates/directory/src/revocation.rs",
];

/// Run one shard, such as `0/8`.
///
/// # Errors
/// cargo-mutants is not installed, or a mutant survived.
pub fn run_shard(workspace: &Workspace, shard: &str) -> anyhow::Result<()> {
    if !available("cargo-mutants", "--version") {
        bail!("cargo-mutants is not installed: cargo install cargo-mutants --version 27.1.0 --locked");
    }
    let output = workspace.target.join("mutants");
    std::fs::create_dir_all(&output)?;
    let mut command = cargo(workspace);
    command.args([
        "mutants",
        "--workspace",
        "--shard",
        shard,
        "--test-tool",
        "nextest",
        "--no-shuffle",
        "--timeout",
        "60",
    ]);
    command.args(["--cap-lints", "true", "--output"]).arg(&output);
    for file in FILES {
        command.args(["--file", file]);
    }
    // Building is most of it. Fewer random cases make a stricter judge, never a milder one.
    command.envs([
        ("CARGO_INCREMENTAL", "1"),
        ("CARGO_PROFILE_DEV_OPT_LEVEL", "0"),
        ("CARGO_PROFILE_DEV_DEBUG", "0"),
        ("PROPTEST_CASES", "2000"),
    ]);
    // A target directory for each copy of the tree: its own.
    run(command.env_remove("CARGO_TARGET_DIR"))
}

//! `cargo xtask soak`: the long runs.
//!
//! Answers for: fuzzing every target, many random policy cases, cargo-deny, the figures.
//! Refuses to know: what a target feeds. Every step runs even if an earlier one failed.
//!
//! `SOAK_SECONDS` (default 60) is the time for each fuzz target, `SOAK_CASES` (default 1,000,000) the
//! number of random cases on which both policy evaluators must agree; each property gets a tenth of it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::bench;
use crate::workspace::{Workspace, available, capture, cargo, run, variable};

/// Runs all of it and prints a line for each step.
///
/// # Errors
/// When any step failed.
pub fn run_all(workspace: &Workspace) -> anyhow::Result<()> {
    let mut results: Vec<(String, anyhow::Result<()>)> = Vec::new();
    for target in fuzz_targets(workspace)? {
        results.push((format!("fuzz {target}"), fuzz(workspace, &target)));
    }
    let cases = variable("SOAK_CASES").map_or(Ok(1_000_000), |said| said.parse())?;
    for (tests, cases) in [("second::", cases), ("properties::", cases / 10)] {
        results.push((format!("{cases} cases of policy {tests}"), random_policies(workspace, tests, cases)));
    }
    if available("cargo-deny", "--version") {
        results.push(("cargo deny".into(), run(cargo(workspace).args(["deny", "--locked", "check"]))));
    } else {
        println!("cargo-deny is not installed: licences and sources were not checked");
    }
    results.push(("bench".into(), bench::run_all(workspace)));
    println!("\nsoak of {}", commit(workspace));
    let mut failed = 0;
    for (name, result) in results {
        match result {
            Ok(()) => println!("{name}: ok"),
            Err(error) => {
                failed += 1;
                println!("{name}: {error:#}");
            }
        }
    }
    if failed > 0 {
        bail!("{failed} steps of the soak failed");
    }
    Ok(())
}

/// The names of `fuzz/fuzz_targets/*.rs`.
fn fuzz_targets(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let folder = workspace.path("fuzz/fuzz_targets");
    if !folder.exists() {
        println!("there is no fuzz/fuzz_targets: nothing was fuzzed");
        return Ok(Vec::new());
    }
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    targets.sort();
    Ok(targets)
}

/// Builds one target with coverage and runs it from its committed corpus. Stable Rust is enough:
/// the flags are those that libFuzzer's documentation calls `inline-8bit-counters`, `pc-table` and
/// `trace-cmp`.
fn fuzz(workspace: &Workspace, target: &str) -> anyhow::Result<()> {
    const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
        -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares";
    let host = host_triple()?;
    let home = workspace.target.join("fuzz");
    let mut build = cargo(workspace);
    build
        .args(["build", "--locked", "--release", "--manifest-path", "fuzz/Cargo.toml"])
        .args(["--bin", target, "--target", &host])
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", &home);
    run(&mut build)?;
    // New inputs go beside the build; only the committed corpus is read from the checkout.
    let found = home.join("found").join(target);
    std::fs::create_dir_all(&found).context("cannot make the folder for new inputs")?;
    let seconds = variable("SOAK_SECONDS").unwrap_or_else(|| "60".into());
    let mut fuzzer = Command::new(home.join(&host).join("release").join(target));
    fuzzer
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/crash-", found.display()))
        .args(["-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1"])
        .arg(&found);
    let corpus: PathBuf = workspace.path("fuzz/corpus").join(target);
    if corpus.exists() {
        fuzzer.arg(corpus);
    }
    run(&mut fuzzer)
}

fn random_policies(workspace: &Workspace, tests: &str, cases: u32) -> anyhow::Result<()> {
    let mut command = cargo(workspace);
    command
        .args([
            "test",
            "--locked",
            "--release",
            "--package",
            "daypass-policy",
            "--test",
            "it",
            tests,
            "--",
            "--nocapture",
        ])
        .env("PROPTEST_CASES", cases.to_string());
    run(&mut command)
}

fn host_triple() -> anyhow::Result<String> {
    let said = capture(Command::new("rustc").arg("-vV"))?;
    let host = said.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say which host it runs on")
}

fn commit(workspace: &Workspace) -> String {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty"]).current_dir(&workspace.root);
    capture(&mut git).map_or_else(|_| "an unknown commit".into(), |said| said.stdout.trim().to_owned())
}

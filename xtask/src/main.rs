//! `cargo xtask <chore>`: the repository's chores, so that people and the forge run the same ones.
//!
//! Answers for: which commands make up `test`, `ci`, `tidy`, `codegen`, `bench`, `mutants` and `soak`.
//! Refuses to know: anything about the product beyond its command line.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]

pub mod bench;
pub mod codegen;
pub mod coverage;
pub mod debian;
pub mod findings;
pub mod mutants;
pub mod python;
pub mod sdks;
pub mod soak;
pub mod suites;
pub mod tidy;
pub mod workspace;

use std::process::ExitCode;

use anyhow::bail;

use crate::workspace::{Workspace, cargo, run};

const USAGE: &str = "\
usage: cargo xtask <chore>

  test               every suite; the last line is `N passed, N failed, N skipped`
  ci                 formatting, lints, tidy, generated files, then `test`
  tidy               rules of the house that no compiler knows
  codegen [--check]  write (or compare) what is generated: shape tables, README coverage, docs/policy-findings.md
  bench              figures, not a test
  mutants K/N        small changes in the code that decides: does a test notice? Shard K of N (needs cargo-mutants)
  soak               long runs: fuzz targets, random policy cases, cargo-deny, bench
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&words) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[&str]) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match words {
        ["test"] => suites::run(&workspace),
        ["ci"] => ci(&workspace),
        ["tidy"] => tidy::run(&workspace).map(|()| ExitCode::SUCCESS),
        ["codegen"] => generated(&workspace, false).map(|()| ExitCode::SUCCESS),
        ["codegen", "--check"] => generated(&workspace, true).map(|()| ExitCode::SUCCESS),
        ["bench"] => bench::run_all(&workspace).map(|()| ExitCode::SUCCESS),
        ["mutants", shard] => mutants::run_shard(&workspace, shard).map(|()| ExitCode::SUCCESS),
        ["soak"] => soak::run_all(&workspace).map(|()| ExitCode::SUCCESS),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("no such chore\n\n{USAGE}"),
    }
}

/// What the forge runs. All cheap steps report before the suites start.
fn ci(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let fmt = ["fmt", "--all", "--check"];
    let clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    // A workspace of its own, which nothing else here builds.
    let fuzz = ["check", "--locked", "--all-targets", "--manifest-path", "fuzz/Cargo.toml"];
    let fuzz_home = workspace.target.join("fuzz");
    let steps: [(&str, &dyn Fn() -> anyhow::Result<()>); 5] = [
        ("fmt", &|| run(cargo(workspace).args(fmt))),
        ("clippy", &|| run(cargo(workspace).args(clippy))),
        ("tidy", &|| tidy::run(workspace)),
        ("codegen", &|| generated(workspace, true)),
        ("fuzz targets compile", &|| run(cargo(workspace).args(fuzz).env("CARGO_TARGET_DIR", &fuzz_home))),
    ];
    let mut broken = Vec::new();
    for (name, step) in steps {
        match step() {
            Ok(()) => println!("{name}: ok"),
            Err(error) => {
                println!("{name}: {error:#}");
                broken.push(name);
            }
        }
    }
    if !broken.is_empty() {
        bail!("{} did not pass; the suites were not run", broken.join(", "));
    }
    suites::run(workspace)
}

fn generated(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    codegen::run(check)?;
    coverage::run(workspace, check)?;
    findings::run(workspace, check)
}

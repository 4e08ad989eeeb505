//! `cargo xtask test`: every suite, one line each, and the sum on the last line.
//!
//! Answers for: which suites there are, their counts and the exit code.
//! Refuses to know: what a suite tests. A suite that does not get as far as counting counts as one
//! failure: silence is never success.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Context;

use crate::debian;
use crate::python::{self, Environments};
use crate::sdks;
use crate::workspace::{Captured, Stopwatch, Workspace, capture, cargo};

/// Results of one suite, or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Tests that held.
    pub passed: u64,
    /// Tests that did not, and suites that could not run.
    pub failed: u64,
    /// Tests that were left out.
    pub skipped: u64,
}

impl Count {
    const BROKEN: Count = Count { passed: 0, failed: 1, skipped: 0 };

    fn add(&mut self, other: Count) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Runs everything. The last line printed is `N passed, N failed, N skipped`, whatever happens.
///
/// # Errors
/// None of its own: a suite that breaks is counted as failed.
pub fn run(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let mut total = Count::default();
    rust_suites(workspace, &mut total);
    if let Err(error) = conformance(workspace, &mut total) {
        line("conformance", Count::BROKEN, Duration::ZERO, &mut total);
        println!("{error:#}");
    }
    println!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn rust_suites(workspace: &Workspace, total: &mut Count) {
    let nextest = capture(cargo(workspace).args(["nextest", "--version"])).is_ok_and(|said| said.success);
    if nextest {
        let arguments = ["nextest", "run", "--locked", "--workspace", "--no-tests=pass", "--no-fail-fast"];
        let quiet = ["--color=never", "--status-level=fail", "--final-status-level=fail"];
        let said = capture(cargo(workspace).args(arguments).args(quiet));
        suite("rust (cargo-nextest)", said, |said| nextest_count(&said.stderr), total);
    } else {
        println!(
            "cargo-nextest is not installed, so cargo test runs instead (cargo install --locked cargo-nextest)"
        );
        let arguments = ["test", "--locked", "--workspace", "--all-targets", "--no-fail-fast"];
        suite("rust (cargo test)", capture(cargo(workspace).args(arguments)), libtest_count, total);
    }
    let arguments = ["test", "--locked", "--workspace", "--doc", "--no-fail-fast"];
    suite(
        "rust (examples in the documentation)",
        capture(cargo(workspace).args(arguments)),
        libtest_count,
        total,
    );
}

/// Real clients against the built binary; one line for each file of `conformance/`.
fn conformance(workspace: &Workspace, total: &mut Count) -> anyhow::Result<()> {
    let watch = Stopwatch::start();
    let binary = workspace.server_binary()?;
    let environments = python::ensure(workspace)?;
    // One that is not ready fails its own tests, not those of the others.
    let sdks = [
        ("DAYPASS_NODE_MODULES", sdks::javascript(workspace)),
        ("DAYPASS_RUST_SDK_TESTS", sdks::rust(workspace)),
    ];
    for ready in [debian::xmlsec1(), debian::chromium(), debian::ruby(), debian::slapd()] {
        if let Err(error) = ready {
            println!("{error:#}");
        }
    }
    println!("server and clients ready                      {:>7.1} s", watch.elapsed().as_secs_f64());
    let report = workspace.target.join("conformance-report.tsv");
    if report.exists() {
        std::fs::remove_file(&report).context("cannot remove the last report")?;
    }
    let mut pytest = pytest(workspace, &environments, &binary, &report);
    for (variable, ready) in sdks {
        match ready {
            Ok(place) => drop(pytest.env(variable, place)),
            Err(error) => println!("{error:#}"),
        }
    }
    let said = capture(&mut pytest)?;
    let lines = std::fs::read_to_string(&report).unwrap_or_default();
    let mut seen = Count::default();
    for (name, count, seconds) in lines.lines().filter_map(report_line) {
        line(&format!("conformance/{name}"), count, Duration::from_secs_f64(seconds), total);
        seen.add(count);
    }
    let complete = seen != Count::default() && (said.success || seen.failed > 0);
    if !complete {
        line("conformance", Count::BROKEN, said.took, total);
    }
    if !said.success || !complete {
        println!("{}", said.text());
    }
    Ok(())
}

fn pytest(workspace: &Workspace, environments: &Environments, binary: &Path, report: &Path) -> Command {
    let mut command = Command::new(environments.client("python"));
    command
        .args(["-m", "pytest", "-q", "--color=no", "--tb=short", "-p", "no:cacheprovider", "conformance"])
        .current_dir(&workspace.root)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("DAYPASS_BIN", binary)
        .env("DAYPASS_AWS_CLI", environments.cli("aws"))
        .env("DAYPASS_REPORT", report);
    command
}

/// Counts one suite and prints its line; what it said is shown only when something is wrong.
fn suite(
    name: &str,
    said: anyhow::Result<Captured>,
    count: impl Fn(&Captured) -> Option<Count>,
    total: &mut Count,
) {
    let said = match said {
        Ok(said) => said,
        Err(error) => {
            line(name, Count::BROKEN, Duration::ZERO, total);
            println!("{error:#}");
            return;
        }
    };
    let mut counted = count(&said).unwrap_or(Count::BROKEN);
    if !said.success && counted.failed == 0 {
        counted.failed = 1;
    }
    line(name, counted, said.took, total);
    if counted.failed > 0 {
        println!("{}", said.text());
    }
}

fn line(name: &str, count: Count, took: Duration, total: &mut Count) {
    total.add(count);
    let Count { passed, failed, skipped } = count;
    println!(
        "{name:<44} {:>8.1} s   {passed} passed, {failed} failed, {skipped} skipped",
        took.as_secs_f64()
    );
}

/// Reads nextest's summary: `Summary [ 0.1s] 3 tests run: 1 passed (1 slow), 1 failed, 1 timed out, 0 skipped`.
fn nextest_count(text: &str) -> Option<Count> {
    if text.contains("no tests to run") && !text.contains("tests run:") {
        return Some(Count::default());
    }
    let summary = text.lines().rev().find(|line| line.trim_start().starts_with("Summary ["))?;
    let (_, counts) = summary.split_once(" run: ")?;
    let mut count = Count::default();
    let mut known = false;
    for part in without_parentheses(counts).split(',') {
        let Some((number, what)) = part.trim().split_once(' ') else { continue };
        let number: u64 = number.parse().ok()?;
        match what.trim() {
            "passed" => count.passed += number,
            "skipped" => count.skipped += number,
            "failed" | "exec failed" | "timed out" => count.failed += number,
            _ => continue,
        }
        known = true;
    }
    known.then_some(count)
}

/// `9 passed (1 slow, 1 leaky), …` without what stands in parentheses.
fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            other if depth == 0 => kept.push(other),
            _ => {}
        }
    }
    kept
}

/// Sums the `test result:` lines of libtest, one for each binary or crate.
fn libtest_count(said: &Captured) -> Option<Count> {
    let mut count = Count::default();
    let mut known = false;
    for line in said.stdout.lines() {
        let Some((_, results)) =
            line.trim_start().strip_prefix("test result: ").and_then(|r| r.split_once(". "))
        else {
            continue;
        };
        known = true;
        for part in results.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => count.passed += number,
                "failed" => count.failed += number,
                "ignored" => count.skipped += number,
                _ => {}
            }
        }
    }
    known.then_some(count)
}

/// A line that `conformance/conftest.py` wrote: file, passed, failed, skipped, seconds.
fn report_line(line: &str) -> Option<(&str, Count, f64)> {
    let mut fields = line.split('\t');
    let name = fields.next()?;
    let mut number = || fields.next()?.parse::<u64>().ok();
    let count = Count { passed: number()?, failed: number()?, skipped: number()? };
    let seconds: f64 = fields.next()?.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some((name, count, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(stdout: &str) -> Captured {
        Captured { success: true, stdout: stdout.into(), stderr: String::new(), took: Duration::ZERO }
    }

    #[test]
    fn nextest_summary_counts_every_kind_of_failure() {
        let text = "     Summary [   0.052s] 14 tests run: 9 passed (1 slow, 1 leaky), 2 failed, 1 exec failed, \
                    2 timed out, 4 skipped\n        FAIL [   0.004s] a b\n";
        assert_eq!(nextest_count(text), Some(Count { passed: 9, failed: 5, skipped: 4 }));
    }

    #[test]
    fn nextest_summary_of_one_test_is_read() {
        let text = "     Summary [   0.012s] 1 test run: 1 passed, 0 skipped\n";
        assert_eq!(nextest_count(text), Some(Count { passed: 1, failed: 0, skipped: 0 }));
    }

    #[test]
    fn output_without_a_summary_is_no_count() {
        assert_eq!(nextest_count("error: could not compile `daypass-model`"), None);
        assert_eq!(libtest_count(&captured("error: could not compile")), None);
    }

    #[test]
    fn libtest_results_of_several_crates_are_summed() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        assert_eq!(libtest_count(&captured(text)), Some(Count { passed: 4, failed: 2, skipped: 1 }));
    }

    #[test]
    fn report_line_with_a_missing_field_is_refused() {
        let good = report_line("test_users.py\t7\t1\t0\t2.5");
        assert_eq!(good, Some(("test_users.py", Count { passed: 7, failed: 1, skipped: 0 }, 2.5)));
        assert_eq!(report_line("test_users.py\t7\t1\t2.5"), None);
        assert_eq!(report_line("test_users.py\t7\t1\t0\tinf"), None);
    }

    #[test]
    fn a_suite_that_fails_without_saying_so_counts_one_failure() {
        let mut total = Count::default();
        let said =
            Captured { success: false, ..captured("test result: ok. 2 passed; 0 failed; 0 ignored; x") };
        suite("made up", Ok(said), libtest_count, &mut total);
        assert_eq!(total, Count { passed: 2, failed: 1, skipped: 0 });
    }
}

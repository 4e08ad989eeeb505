//! `docs/policy-findings.md`, generated from what the binary says about itself.
//!
//! Answers for: that the page names exactly the codes of the built command. Refuses to know: the codes; it asks
//! `daypass policy codes`, which prints severity, code, meaning and remedy, tab-separated, one code a line.

use std::fmt::Write;
use std::process::Command;

use anyhow::{Context, bail};

use crate::workspace::{Workspace, capture};

const PAGE: &str = "docs/policy-findings.md";

const HEAD: &str = "\
# Findings about policies

What `daypass policy validate` and the signed call `daypass:ValidatePolicy` say about a policy document, by severity. Codes are stable:
filter by them. Where IAM Access Analyzer has a check of the same meaning the code is its issue code. (This page is generated:
`cargo xtask codegen`.)
";

/// The severities in the order of the page, with what each means.
const SEVERITIES: [(&str, &str, &str); 4] = [
    ("ERROR", "Errors", "The document is refused when it is written, with the text that AWS has for it."),
    (
        "SECURITY_WARNING",
        "Security warnings",
        "It is accepted, and may give more than its author means to give.",
    ),
    ("WARNING", "Warnings", "It is accepted, and does not do what it seems to say."),
    ("SUGGESTION", "Suggestions", "It is accepted and works; it could be clearer."),
];

/// Writes the page, or compares it when `check` is set.
///
/// # Errors
/// When the server does not build, or (with `check`) the page differs.
pub fn run(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    let said = capture(Command::new(workspace.server_binary()?).args(["policy", "codes"]))?;
    if !said.success {
        bail!("`daypass policy codes` failed: {}", said.stderr.trim());
    }
    let wanted = page(&said.stdout)?;
    let file = workspace.path(PAGE);
    if std::fs::read_to_string(&file).is_ok_and(|kept| kept == wanted) {
        return Ok(());
    }
    if check {
        bail!("{PAGE} is out of date; run `cargo xtask codegen`");
    }
    std::fs::write(&file, wanted).with_context(|| format!("cannot write {PAGE}"))
}

fn page(lines: &str) -> anyhow::Result<String> {
    let mut text = String::from(HEAD);
    let mut told = 0;
    for (severity, title, means) in SEVERITIES {
        write!(text, "\n## {title}\n\n{means}\n\n| code | meaning | what to do |\n|---|---|---|\n")?;
        for line in lines.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [of, code, meaning, remedy] = fields.as_slice() else {
                bail!("`daypass policy codes` printed a line of another form: {line}");
            };
            if *of == severity {
                writeln!(text, "| `{code}` | {meaning} | {remedy} |")?;
                told += 1;
            }
        }
    }
    if told == 0 || told != lines.lines().count() {
        bail!("`daypass policy codes` printed a severity that nobody knows");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_by_severity() {
        let text = page("ERROR\tA\tIs bad.\tMend it.\nWARNING\tB\tIs odd.\tLook.\n").unwrap();
        assert!(text.contains("## Errors"));
        assert!(text.contains("| `A` | Is bad. | Mend it. |\n\n## Security warnings"));
        assert!(text.contains("| `B` | Is odd. | Look. |"));
        assert!(page("ERROR\tA\tIs bad.\n").is_err());
        assert!(page("PANIC\tA\tIs bad.\tRun.\n").is_err());
        assert!(page("").is_err());
    }
}

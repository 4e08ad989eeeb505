//! The table of actions in the README, generated from what the binary says about itself.
//!
//! Answers for: that the README names exactly the actions of the built server. Refuses to know:
//! the action table itself; it asks `daypass actions`, which prints `service`, `action`,
//! `read_only` and `callers`, tab-separated, one action a line.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use anyhow::{Context, bail};

use crate::workspace::{Workspace, capture};

const BEGIN: &str = "<!-- coverage:begin -->";
const END: &str = "<!-- coverage:end -->";

/// Writes the table between the markers of README.md, or compares it when `check` is set.
///
/// # Errors
/// When the server does not build, the README lacks the markers, or (with `check`) differs.
pub fn run(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    let file = workspace.path("README.md");
    let readme = std::fs::read_to_string(&file).context("cannot read README.md")?;
    let binary = workspace.server_binary()?;
    let said = capture(Command::new(binary).arg("actions"))?;
    if !said.success {
        bail!("`daypass actions` failed: {}", said.stderr.trim());
    }
    let wanted = replaced(&readme, &table(&said.stdout)?)?;
    if wanted == readme {
        return Ok(());
    }
    if check {
        bail!("the coverage table of README.md is out of date; run `cargo xtask codegen`");
    }
    std::fs::write(&file, wanted).context("cannot write README.md")
}

/// One row for each service: how many of its actions are there, and which.
fn table(lines: &str) -> anyhow::Result<String> {
    let mut services: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [service, action, _read_only, _callers] = fields.as_slice() else {
            bail!("`daypass actions` printed a line of another form: {line}");
        };
        services.entry(service).or_default().push(action);
    }
    if services.is_empty() {
        bail!("`daypass actions` printed nothing");
    }
    let mut text = String::from("| service | here | actions |\n|---|---|---|\n");
    for (service, mut actions) in services {
        actions.sort_unstable();
        let (count, of) = (actions.len(), total(service).map_or(String::new(), |n| format!(" of {n}")));
        writeln!(text, "| `{service}` | {count}{of} | {} |", actions.join(", "))?;
    }
    Ok(text)
}

/// How many operations AWS's model of the service has (botocore 1.44.8), and for Roles Anywhere CreateSession, which only
/// machines call.
fn total(service: &str) -> Option<u32> {
    match service {
        "sts" => Some(12),
        "iam" => Some(181),
        "rolesanywhere" => Some(31),
        "eks" => Some(70),
        "eks-auth" => Some(1),
        _ => None,
    }
}

fn replaced(readme: &str, table: &str) -> anyhow::Result<String> {
    let parts = readme.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let Some((head, tail)) = parts else {
        bail!("README.md has no {BEGIN} … {END}");
    };
    Ok(format!("{head}{BEGIN}\n{table}{END}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_counts_and_sorts_the_actions_of_each_service() {
        let lines =
            "sts\tGetCallerIdentity\ttrue\tanyone\nsts\tAssumeRole\ttrue\tkeys\nours\tPing\ttrue\tanyone\n";
        let text = table(lines).unwrap();
        assert!(text.contains("| `sts` | 2 of 12 | AssumeRole, GetCallerIdentity |"), "{text}");
        assert!(text.contains("| `ours` | 1 | Ping |"), "{text}");
    }

    #[test]
    fn table_refuses_a_line_it_does_not_understand() {
        assert!(table("sts GetCallerIdentity").is_err());
        assert!(table("").is_err());
    }

    #[test]
    fn only_the_part_between_the_markers_is_replaced() {
        let readme = format!("# a\n{BEGIN}\nold\n{END}\nrest\n");
        assert_eq!(replaced(&readme, "new\n").unwrap(), format!("# a\n{BEGIN}\nnew\n{END}\nrest\n"));
        assert!(replaced("no markers", "new").is_err());
    }
}

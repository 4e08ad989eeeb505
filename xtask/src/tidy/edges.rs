//! Import edges between the rooms: they point downward only.
//!
//! Answers for: which room may use which, and which outside libraries would tell a room what it
//! refuses to know. ARCHITECTURE.md gives the reasons.

use anyhow::Context;
use toml::{Table, Value};

use super::File;

/// What a room may use of ours, and the libraries that would be the wrong room's knowledge.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    must_not_use: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room { name: "model", may_use: &[], must_not_use: PURE },
    Room { name: "policy", may_use: &[], must_not_use: PURE },
    Room { name: "authn", may_use: &["model"], must_not_use: PURE },
    Room { name: "store", may_use: &[], must_not_use: &["hyper", "http", "hyper-util"] },
    Room { name: "directory", may_use: &["authn", "policy", "store", "model"], must_not_use: WIRE },
    Room {
        name: "service",
        may_use: &["directory", "authn", "policy", "store", "model"],
        must_not_use: WIRE,
    },
    // A client of the API, as anybody's: it knows nothing behind it.
    Room { name: "agent", may_use: &["authn", "model"], must_not_use: &["rusqlite", "clap"] },
    Room {
        name: "server",
        may_use: &["agent", "service", "directory", "authn", "policy", "store", "model"],
        must_not_use: &["rusqlite"],
    },
];

/// No I/O and no async in the rooms other projects use as libraries.
const PURE: &[&str] = &["tokio", "hyper", "hyper-util", "http", "rusqlite", "tracing"];
/// No HTTP and no database above the store and below the server.
const WIRE: &[&str] = &["hyper", "hyper-util", "http", "http-body-util", "quick-xml", "rusqlite"];
/// Examples, and the one room that may use one: the demo of `server` runs a bucket.
const EXAMPLES: &[(&str, &str)] = &[("server", "bucket")];
/// What examples may use: signing, and nothing that knows the inside.
const EXAMPLES_MAY_USE: &[&str] = &["authn", "model"];

/// Compares every `Cargo.toml` with the tables above.
///
/// # Errors
/// When a manifest is not TOML.
pub(super) fn check(files: &[File]) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    let examples = examples(files);
    for file in files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        let text = file.text.as_deref().with_context(|| format!("{} is not text", file.path))?;
        let manifest: Table = text.parse().with_context(|| format!("{} is not TOML", file.path))?;
        let parts: Vec<&str> = file.path.split('/').collect();
        match parts.as_slice() {
            ["crates", room, "Cargo.toml"] => match ROOMS.iter().find(|known| known.name == *room) {
                Some(known) => room_edges(&file.path, known, &manifest, &examples, &mut findings),
                None => {
                    findings
                        .push(format!("{}: a room that xtask/src/tidy/edges.rs does not list", file.path));
                }
            },
            ["examples" | "conformance", ..] => outsider_edges(&file.path, &manifest, &mut findings),
            _ => {}
        }
    }
    Ok(findings)
}

/// The examples, which are named after their folders.
fn examples(files: &[File]) -> Vec<&str> {
    let manifests = files.iter().filter_map(|file| file.path.strip_prefix("examples/"));
    manifests.filter_map(|path| path.strip_suffix("/Cargo.toml")).collect()
}

fn room_edges(path: &str, room: &Room, manifest: &Table, examples: &[&str], findings: &mut Vec<String>) {
    for (kind, dependency) in dependencies(manifest) {
        // A room may test itself through its own features.
        let ours = dependency.strip_prefix("daypass-").filter(|name| *name != room.name);
        if let Some(name) = ours
            && !room.may_use.contains(&name)
        {
            findings.push(format!("{path}: {} must not import {name} ({kind})", room.name));
        }
        let example = dependency.as_str();
        if examples.contains(&example) && !EXAMPLES.contains(&(room.name, example)) {
            findings.push(format!("{path}: {} must not import the example {example} ({kind})", room.name));
        }
        if kind == "dependencies" && room.must_not_use.contains(&dependency.as_str()) {
            findings.push(format!("{path}: {} refuses to know {dependency}", room.name));
        }
    }
}

fn outsider_edges(path: &str, manifest: &Table, findings: &mut Vec<String>) {
    for (_, dependency) in dependencies(manifest) {
        if let Some(name) = dependency.strip_prefix("daypass-")
            && !EXAMPLES_MAY_USE.contains(&name)
        {
            findings.push(format!("{path}: uses daypass from outside, so it must not import {name}"));
        }
    }
}

/// Every dependency of every kind, those for one target included, under its package name.
fn dependencies(manifest: &Table) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    collect(manifest, &mut found);
    let targets = manifest.get("target").and_then(Value::as_table);
    for target in targets.into_iter().flat_map(Table::values).filter_map(Value::as_table) {
        collect(target, &mut found);
    }
    found
}

fn collect(table: &Table, found: &mut Vec<(&'static str, String)>) {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
            let renamed = value.get("package").and_then(Value::as_str);
            found.push((kind, renamed.unwrap_or(name).to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, manifest: &str) -> Vec<String> {
        let file = File { path: path.into(), size: 0, text: Some(manifest.into()) };
        check(&[file]).unwrap()
    }

    #[test]
    fn an_edge_that_points_upward_is_found() {
        let found = findings("crates/policy/Cargo.toml", "[dependencies]\ndaypass-store.workspace = true\n");
        assert_eq!(found, ["crates/policy/Cargo.toml: policy must not import store (dependencies)"]);
    }

    #[test]
    fn edges_hidden_in_tests_targets_and_renames_are_found() {
        let manifest = "[dev-dependencies]\ndaypass-server.workspace = true\n\
                        [target.'cfg(unix)'.dependencies]\nx = { package = \"daypass-service\", path = \"../service\" }\n";
        assert_eq!(findings("crates/directory/Cargo.toml", manifest).len(), 2);
    }

    #[test]
    fn edges_that_point_downward_are_fine() {
        let manifest = "[dependencies]\ndaypass-model.workspace = true\ndaypass-policy.workspace = true\n";
        assert!(findings("crates/service/Cargo.toml", manifest).is_empty());
    }

    #[test]
    fn service_knows_no_http_and_no_database() {
        let manifest = "[dependencies]\nhyper = \"1\"\nrusqlite.workspace = true\n";
        assert_eq!(findings("crates/service/Cargo.toml", manifest).len(), 2);
    }

    #[test]
    fn an_example_uses_daypass_from_outside() {
        let manifest = "[dependencies]\ndaypass-authn = { path = \"../../crates/authn\" }\n\
                        daypass-directory = { path = \"../../crates/directory\" }\n";
        assert_eq!(findings("examples/bucket/Cargo.toml", manifest).len(), 1);
    }

    #[test]
    fn a_room_that_imports_an_example_is_found_and_servers_demo_may() {
        let file = |path: &str, text: &str| File { path: path.into(), size: 0, text: Some(text.to_owned()) };
        let found = |room: &str| {
            let path = format!("crates/{room}/Cargo.toml");
            let example = file("examples/bucket/Cargo.toml", "[dependencies]\n");
            check(&[file(&path, "[dependencies]\nbucket.workspace = true\n"), example]).unwrap()
        };
        assert_eq!(
            found("service"),
            ["crates/service/Cargo.toml: service must not import the example bucket (dependencies)"]
        );
        assert_eq!(found("server"), [""; 0]);
    }

    #[test]
    fn a_room_nobody_listed_is_found() {
        assert_eq!(findings("crates/attic/Cargo.toml", "").len(), 1);
    }
}

//! What a file must and must not say.
//!
//! Answers for: heads of source files, their length, attributes that hide a warning or a test,
//! notes to oneself, paths of one machine, hosts of package registries, size.
//! Refuses to know: what the code does.

use super::File;

const LINES_MAX: usize = 500;
const BYTES_MAX: u64 = 1024 * 1024;

/// Needles are put together here, so that this file does not find itself.
const FORBIDDEN_IN_SOURCE: &[(&str, &str)] = &[
    (concat!("#[", "allow("), "say `#[expect(lint, reason = …)]`"),
    (concat!("#![", "allow("), "say `#![expect(lint, reason = …)]`"),
    (concat!("#[", "ignore"), "nobody runs an ignored test"),
];
/// What a room could use and must not: where its files begin, the needle, and what to do instead.
const CLOSED_TO: &[(&str, &str, &str)] = &[
    (
        "crates/service/src/",
        concat!(".oper", "ator()"),
        "a call sees its caller's account, through `Scope`; every account is the operator's",
    ),
    (
        "crates/service/src/",
        concat!(".account", "_ids()"),
        "a call sees its caller's account, through `Scope`; every account is the operator's",
    ),
    (
        "crates/service/src/actions/",
        concat!(".snap", "shot()"),
        "an action sees the view that its call was authorized in, through `Scope`",
    ),
];
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
const REGISTRY_HOSTS: &[&str] = &[
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("://crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("proxy.golang", ".org"),
];
const MACHINE_PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/t", "mp/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
];

/// Checks every file.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        if file.size > BYTES_MAX {
            findings.push(format!("{}: {} bytes; nothing here is over 1 MiB", file.path, file.size));
        }
        let Some(text) = &file.text else { continue };
        if is_data(&file.path) {
            continue;
        }
        if file.path.ends_with(".rs") {
            source(&file.path, text, &mut findings);
        }
        lines(&file.path, text, &mut findings);
    }
    findings
}

/// Lock files name registries, cases and models hold other people's words.
fn is_data(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    // npm's lock file can do without hosts, so it shall.
    name != "package-lock.json"
        && (matches!(extension, "lock" | "json" | "jsonl" | "tsv" | "snap" | "sql") || name == "LICENSE")
}

fn source(path: &str, text: &str, findings: &mut Vec<String>) {
    let head: Vec<&str> = text.lines().take_while(|line| line.is_empty() || line.starts_with("//")).collect();
    let Some(first) = head.iter().find(|line| line.starts_with("//!")) else {
        findings.push(format!("{path}:1: begin with `//!`: what this answers for, what it refuses to know"));
        return;
    };
    let length = text.lines().count();
    let explained = first.starts_with("//! LONG:") || head.iter().any(|line| line.starts_with("//! LONG:"));
    if length > LINES_MAX && !explained {
        findings.push(format!("{path}:1: {length} lines; look for the second idea, or say `//! LONG: why`"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        for (needle, instead) in FORBIDDEN_IN_SOURCE {
            if line.trim_start().starts_with(needle) {
                findings.push(format!("{path}:{number}: {instead}"));
            }
        }
        for (room, needle, instead) in CLOSED_TO {
            if path.starts_with(room) && line.contains(needle) {
                findings.push(format!("{path}:{number}: {instead}"));
            }
        }
    }
}

fn lines(path: &str, text: &str, findings: &mut Vec<String>) {
    for (number, line) in (1..).zip(text.lines()) {
        for note in NOTES {
            if has_word(line, note) {
                findings.push(format!("{path}:{number}: {note}: do it, or file an issue"));
            }
        }
        for host in REGISTRY_HOSTS {
            if line.contains(host) {
                findings.push(format!("{path}:{number}: names a package registry's host"));
            }
        }
        let Some(prose) = prose(path, line) else { continue };
        for place in MACHINE_PATHS {
            if names_path(prose, place) {
                findings.push(format!("{path}:{number}: names a path of somebody's machine ({place})"));
            }
        }
    }
}

/// The part of a line that people read: all of a document, the comments of a program.
fn prose<'a>(path: &str, line: &'a str) -> Option<&'a str> {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "md" => Some(line),
        "rs" | "js" | "mjs" => line.find("//").and_then(|start| line.get(start..)),
        "py" | "toml" | "sh" | "yaml" | "yml" => line.find('#').and_then(|start| line.get(start..)),
        _ => None,
    }
}

/// Whether `place` begins a path there, and is not the middle of one, as in `bucket/home/x`.
fn names_path(text: &str, place: &str) -> bool {
    text.match_indices(place).any(|(start, _)| {
        let before = text.get(..start).and_then(|head| head.chars().next_back());
        !before.is_some_and(|character| character.is_alphanumeric() || "*}/_-.~".contains(character))
    })
}

fn has_word(text: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text.get(..start).and_then(|head| head.chars().next_back());
        let after = text.get(start + word.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&[File { path: path.into(), size: text.len() as u64, text: Some(text.into()) }])
    }

    #[test]
    fn source_without_a_head_is_found() {
        assert_eq!(findings("crates/a/src/lib.rs", "fn main() {}\n").len(), 1);
        assert!(findings("crates/a/src/lib.rs", "//! What this is.\nfn main() {}\n").is_empty());
        assert!(findings("crates/a/src/t.rs", "// @generated\n\n//! What this is.\n").is_empty());
    }

    #[test]
    fn long_source_needs_a_reason() {
        let body = "\n".repeat(LINES_MAX + 1);
        assert_eq!(findings("a.rs", &format!("//! What.\nfn a() {{}}\n{body}")).len(), 1);
        assert!(findings("a.rs", &format!("//! What.\n//! LONG: a table.\nfn a() {{}}\n{body}")).is_empty());
    }

    #[test]
    fn hidden_warnings_and_hidden_tests_are_found() {
        for (needle, _) in FORBIDDEN_IN_SOURCE {
            let text = format!("//! What.\n    {needle} something)]\nfn a() {{}}\n");
            assert_eq!(findings("a.rs", &text).len(), 1, "{needle}");
        }
    }

    #[test]
    fn a_door_that_is_closed_to_a_room_is_open_to_others() {
        let (room, needle, _) = CLOSED_TO[0];
        let text = format!("//! What.\nfn a() {{ view{needle}; }}\n");
        assert_eq!(findings(&format!("{room}a.rs"), &text).len(), 1);
        assert!(findings("crates/server/src/a.rs", &text).is_empty());
    }

    #[test]
    fn notes_to_oneself_are_found_as_words_only() {
        let note = NOTES[0];
        assert_eq!(findings("a.md", &format!("{note}: later")).len(), 1);
        assert!(findings("a.md", &format!("{note}S_MAX and MAS{note}")).is_empty());
    }

    #[test]
    fn machine_paths_are_found_in_prose_but_not_inside_other_paths() {
        let place = MACHINE_PATHS[1];
        assert_eq!(findings("a.md", &format!("see `{place}me/x`")).len(), 1);
        assert_eq!(findings("a.rs", &format!("//! What.\nlet a = 1; // in {place}me\n")).len(), 1);
        assert!(findings("a.md", &format!("arn:aws:s3:::bucket{place}jill")).is_empty());
        assert!(findings("a.rs", &format!("//! What.\nlet a = \"{place}me\";\n")).is_empty());
    }

    #[test]
    fn registry_hosts_are_found_everywhere_but_in_data() {
        let host = REGISTRY_HOSTS[0];
        assert_eq!(findings("deny.toml", &format!("a = \"https://{host}\"")).len(), 1);
        assert!(findings("Cargo.lock", &format!("source = \"{host}\"")).is_empty());
        assert_eq!(findings("a/package-lock.json", &format!("\"resolved\": \"https://{host}\"")).len(), 1);
    }

    #[test]
    fn large_files_are_found_whatever_they_hold() {
        let file = File { path: "a.bin".into(), size: BYTES_MAX + 1, text: None };
        assert_eq!(check(&[file]).len(), 1);
    }
}

//! Every test that docs/verification.md names is there.
//!
//! Answers for: a row of its tables names tests, not files, under names that exist. Refuses to know: what they show.
//! Names are `conformance/FILE.py::TEST` and `CRATE MODULE::TEST`; after `…` stands what differs from the name before.

use super::File;

const PAGE: &str = "docs/verification.md";

/// The test that a name stands for: what its file's path begins with, a part of that path, and the function.
#[derive(Debug, Clone, Default)]
struct Named {
    under: String,
    file: String,
    function: String,
}

/// Looks up every name in the tables of known holes.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let page = files.iter().find(|file| file.path == PAGE).and_then(|file| file.text.as_deref());
    let mut findings = Vec::new();
    let mut known_holes = false;
    for (number, line) in (1..).zip(page.unwrap_or_default().lines()) {
        if let Some(heading) = line.strip_prefix("## ") {
            known_holes = heading == "Known holes elsewhere";
        }
        let cell = line.rsplit('|').nth(1).filter(|_| known_holes && line.starts_with('|'));
        let mut last = Named::default();
        for span in cell.unwrap_or_default().split('`').skip(1).step_by(2) {
            match read(span, &last) {
                Some(named) if named.function.is_empty() => {
                    findings.push(format!("{PAGE}:{number}: `{span}` names no single test"));
                }
                Some(named) => {
                    if !is_there(files, &named) {
                        findings.push(format!("{PAGE}:{number}: there is no test `{span}`"));
                    }
                    last = named;
                }
                None => {}
            }
        }
    }
    findings
}

/// A name of a test, or nothing when the span is other code.
fn read(span: &str, last: &Named) -> Option<Named> {
    if let Some(rest) = span.strip_prefix('…') {
        let (file, function) = rest.rsplit_once("::").unwrap_or(("", rest));
        let file = if file.is_empty() { last.file.clone() } else { module(file) };
        return Some(Named { under: last.under.clone(), file, function: function.to_owned() });
    }
    let (under, name) = if span.starts_with("conformance/") {
        ("conformance/".to_owned(), span.strip_prefix("conformance/")?)
    } else {
        let (room, name) = span.strip_prefix("daypass-")?.split_once(' ')?;
        (format!("crates/{room}/"), name)
    };
    let (file, function) = name.rsplit_once("::").unwrap_or((name, ""));
    Some(Named { under, file: module(file), function: function.to_owned() })
}

/// The first part of `condition::tests` is in the path; the rest may be inside the file.
fn module(path: &str) -> String {
    path.split("::").next().unwrap_or_default().trim_end_matches(".py").to_owned()
}

fn is_there(files: &[File], named: &Named) -> bool {
    let definition = format!(" {}(", named.function);
    let holds = |text: &str| {
        let lines = text.lines().map(str::trim_start);
        lines
            .filter(|line| line.contains("fn ") || line.starts_with("def "))
            .any(|line| line.contains(&definition))
    };
    files.iter().any(|file| {
        let of_path = file.path.strip_prefix(&named.under).is_some_and(|path| {
            path.split('/').any(|part| part.split_once('.').map_or(part, |(stem, _)| stem) == named.file)
        });
        of_path && file.text.as_deref().is_some_and(holds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(cell: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.into(), size: 0, text: Some(text.into()) };
        check(&[
            file(
                PAGE,
                &format!(
                    "## Known holes elsewhere\n| hole | seen in | {cell} |\n## Runs\n| `daypass-x y` |\n"
                ),
            ),
            file("conformance/test_sts.py", "def test_one(a):\ndef test_two():\n"),
            file("crates/policy/src/condition/tests.rs", "    fn unknown() {\n"),
            file("crates/service/tests/it/attacks.rs", "async fn a() {\nfn b() {\n// fn c\n"),
            file("crates/service/tests/it/other.rs", "fn c() {\n"),
        ])
    }

    #[test]
    fn tests_that_are_there_are_found_under_every_form_of_name() {
        for cell in [
            "`conformance/test_sts.py::test_one`, `…::test_two`",
            "`daypass-policy condition::tests::unknown`",
            "`daypass-service attacks::a`, `…b`, `…other::c`, compared with `subtle` in `authn/src/x.rs`",
        ] {
            assert_eq!(findings(cell), [""; 0], "{cell}");
        }
    }

    #[test]
    fn a_test_that_is_gone_or_elsewhere_is_told() {
        for name in
            ["conformance/test_sts.py::test_on", "daypass-service attacks::c", "daypass-policy attacks::a"]
        {
            let told = findings(&format!("`{name}`"));
            assert_eq!(told, [format!("{PAGE}:2: there is no test `{name}`")]);
        }
        assert_eq!(findings("`daypass-service attacks::a`, `…c`").len(), 1);
    }

    #[test]
    fn a_whole_file_is_no_test() {
        for name in ["conformance/test_sts.py", "daypass-service attacks"] {
            assert_eq!(findings(&format!("`{name}`")), [format!("{PAGE}:2: `{name}` names no single test")]);
        }
    }
}

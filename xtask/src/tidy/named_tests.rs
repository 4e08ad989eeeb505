//! Every test that docs/verification.md and docs/founding-documents.md name is there.
//!
//! Answers for: a row of their tables names tests, not files, under names that exist. Refuses to know: what they show.
//! Names are `conformance/FILE::TEST` in both, and `daypass-CRATE MODULE::TEST` in the one, `CRATE::MODULE::TEST` in the other; after
//! `…` stands what differs from the name before.

use super::File;

/// A page, the heading over the tables that name tests (all, where there is none), and how its tables name those of crates.
const PAGES: [(&str, Option<&str>, Naming); 2] = [
    ("docs/verification.md", Some("Known holes elsewhere"), in_words),
    ("docs/founding-documents.md", None, by_path),
];

type Naming = fn(&str) -> Option<(&str, &str)>;

/// `daypass-authn totp::tests::a`: the crate's name, and the test in it.
fn in_words(span: &str) -> Option<(&str, &str)> {
    span.strip_prefix("daypass-")?.split_once(' ')
}

/// `authn::totp::tests::a`
fn by_path(span: &str) -> Option<(&str, &str)> {
    let (room, name) = span.split_once("::")?;
    (name.contains("::") && room.bytes().all(|byte| byte.is_ascii_lowercase())).then_some((room, name))
}

/// The test that a name stands for: what its file's path begins with, a part of that path, and the function.
#[derive(Debug, Clone, Default)]
struct Named {
    under: String,
    file: String,
    function: String,
}

/// Looks up every name in the tables of the pages.
pub(super) fn check(files: &[File]) -> Vec<String> {
    PAGES.iter().flat_map(|(page, heading, naming)| check_page(files, page, *heading, *naming)).collect()
}

fn check_page(files: &[File], page: &str, heading: Option<&str>, naming: Naming) -> Vec<String> {
    let text = files.iter().find(|file| file.path == page).and_then(|file| file.text.as_deref());
    let mut findings = Vec::new();
    let mut is_under = heading.is_none();
    for (number, line) in (1..).zip(text.unwrap_or_default().lines()) {
        if let (Some(title), Some(heading)) = (line.strip_prefix("## "), heading) {
            is_under = title == heading;
        }
        let cell = line.rsplit('|').nth(1).filter(|_| is_under && line.starts_with('|'));
        let mut last = Named::default();
        for span in cell.unwrap_or_default().split('`').skip(1).step_by(2) {
            match read(span, &last, naming) {
                Some(named) if named.function.is_empty() => {
                    findings.push(format!("{page}:{number}: `{span}` names no single test"));
                }
                Some(named) => {
                    if !is_there(files, &named) {
                        findings.push(format!("{page}:{number}: there is no test `{span}`"));
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
fn read(span: &str, last: &Named, naming: Naming) -> Option<Named> {
    if let Some(rest) = span.strip_prefix('…') {
        let (file, function) = rest.rsplit_once("::").unwrap_or(("", rest));
        let file = if file.is_empty() { last.file.clone() } else { module(file) };
        return Some(Named { under: last.under.clone(), file, function: function.to_owned() });
    }
    let (under, name) = if span.starts_with("conformance/") {
        let (folder, _) = span.split("::").next()?.rsplit_once('/')?;
        let under = format!("{folder}/");
        (under.clone(), span.strip_prefix(under.as_str())?)
    } else {
        let (room, name) = naming(span)?;
        (format!("crates/{room}/"), name)
    };
    let (file, function) = name.rsplit_once("::").unwrap_or((name, ""));
    Some(Named { under, file: module(file), function: function.to_owned() })
}

/// The first part of `condition::tests` is in the path; the rest may be inside the file.
fn module(path: &str) -> String {
    let file = path.split("::").next().unwrap_or_default();
    file.split_once('.').map_or(file, |(stem, _)| stem).to_owned()
}

fn is_there(files: &[File], named: &Named) -> bool {
    let (definition, title) = (format!(" {}(", named.function), format!("test(\"{}\"", named.function));
    let holds = |text: &str| {
        let lines = text.lines().map(str::trim_start);
        let is_definition = |line: &str| line.contains("fn ") || line.starts_with("def ");
        lines
            .into_iter()
            .any(|line| (is_definition(line) && line.contains(&definition)) || line.starts_with(&title))
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
                PAGES[0].0,
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
            let (told, page) = (findings(&format!("`{name}`")), PAGES[0].0);
            assert_eq!(told, [format!("{page}:2: there is no test `{name}`")]);
        }
        assert_eq!(findings("`daypass-service attacks::a`, `…c`").len(), 1);
    }

    #[test]
    fn a_whole_file_is_no_test() {
        for name in ["conformance/test_sts.py", "daypass-service attacks"] {
            let page = PAGES[0].0;
            assert_eq!(findings(&format!("`{name}`")), [format!("{page}:2: `{name}` names no single test")]);
        }
    }

    #[test]
    fn the_other_page_names_tests_by_paths_and_programs_tests_by_titles() {
        let findings = |cell: &str| {
            let file = |path: &str, text: &str| File { path: path.into(), size: 0, text: Some(text.into()) };
            check(&[
                file(PAGES[1].0, &format!("| G1 | `arn:aws:s3:::a::b` | yes | {cell} |\n")),
                file("conformance/javascript/a.test.js", "test(\"many at once\", async () => {\n"),
                file("crates/authn/src/totp/tests.rs", "fn a() {\n"),
            ])
        };
        for cell in ["`authn::totp::tests::a`, `…::a`", "`conformance/javascript/a.test.js::many at once`"]
        {
            assert_eq!(findings(cell), [""; 0], "{cell}");
        }
        for name in
            ["authn::totp::tests::b", "conformance/javascript/a.test.js::many at on", "model::totp::a"]
        {
            let told = findings(&format!("`{name}`"));
            assert_eq!(told, [format!("{}:1: there is no test `{name}`", PAGES[1].0)]);
        }
    }
}

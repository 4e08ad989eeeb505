//! The conformance suite on each backend.

mod memory {
    use std::sync::Arc;

    use daypass_store::MemoryStore;
    use daypass_store::conformance::Subject;

    fn subject() -> Subject {
        Subject::new(Arc::new(MemoryStore::new()), ())
    }

    daypass_store::conformance_tests!(subject);
}

mod sqlite {
    use std::sync::Arc;

    use daypass_store::conformance::Subject;

    use crate::support::TempDir;

    fn subject() -> Subject {
        let dir = TempDir::new();
        Subject::new(Arc::new(dir.open()), dir)
    }

    daypass_store::conformance_tests!(subject);
}

/// A case that nobody lists would never run.
#[test]
fn every_case_of_the_suite_is_listed() {
    let list = include_str!("../../src/conformance/mod.rs");
    let modules = [
        include_str!("../../src/conformance/guards.rs"),
        include_str!("../../src/conformance/model.rs"),
        include_str!("../../src/conformance/promises.rs"),
        include_str!("../../src/conformance/races.rs"),
        include_str!("../../src/conformance/spend.rs"),
        include_str!("../../src/conformance/watch.rs"),
    ];
    let mut cases = 0;
    for line in modules.iter().flat_map(|module| module.lines()) {
        if let Some(case) = line.strip_prefix("pub fn ").and_then(|rest| rest.split('(').next()) {
            assert!(list.contains(&format!(" {case},\n")), "{case} is not in the list");
            cases += 1;
        }
    }
    assert!(cases > 40, "found {cases}");
}

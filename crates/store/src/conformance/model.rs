//! Random commits, compared with a model that is too simple to be wrong.

use std::collections::HashMap;
use std::sync::Mutex;

use super::watch::apply;
use super::{Commit, Contents, Dice, Store, at_once, contents, load, wait};
use crate::{CommitError, Guard, Revision};

/// One writer: each outcome, conflict or not, is the model's.
pub fn random_commits_do_what_a_simple_model_does(store: &dyn Store) {
    let mut dice = Dice::new(20_261_101);
    let mut model = Contents::new();
    let mut revision = Revision::ZERO;
    let (mut done, mut conflicts) = (0, 0);
    for step in 0..600 {
        let commit = random_commit(&mut dice, revision, step);
        let expected = predict(&mut model, revision, &commit);
        let got = wait(store.commit(commit.clone()));
        assert_eq!(got, expected.ok_or(CommitError::Conflict), "step {step}: {commit:?}");
        match got {
            Ok(at) => {
                revision = at;
                done += 1;
            }
            Err(_) => conflicts += 1,
        }
    }
    let (at, records) = load(store, "");
    assert_eq!((at, contents(records)), (revision, model));
    assert!(done > 50 && conflicts > 50, "both outcomes were tried: {done} and {conflicts}");
}

/// Many writers: the watch is one sequence; replaying it shows that each acknowledged commit is in it
/// once, did just what it asked, and had its guards' consent at its place.
pub fn concurrent_commits_are_one_sequence_in_which_every_guard_held(store: &dyn Store) {
    const WRITERS: u64 = 4;
    let mut watch = store.watch(Revision::ZERO).unwrap();
    let acknowledged: Mutex<HashMap<Revision, Commit>> = Mutex::default();
    let works = (0..WRITERS).map(|writer| {
        let acknowledged = &acknowledged;
        let work = move || {
            let mut dice = Dice::new(writer);
            let mut seen = Revision::ZERO;
            for step in 0..150 {
                let commit = random_commit(&mut dice, seen, step);
                match wait(store.commit(commit.clone())) {
                    Ok(at) if commit.puts.is_empty() => seen = at,
                    Ok(at) => {
                        seen = at;
                        let twice = acknowledged.lock().unwrap().insert(at, commit);
                        assert!(twice.is_none(), "two commits got revision {at}");
                    }
                    Err(CommitError::Conflict) => seen = wait(store.current()).unwrap(),
                    Err(other) => panic!("{other:?}"),
                }
            }
        };
        Box::new(work) as Box<dyn FnOnce() + Send>
    });
    at_once(works.collect());

    let mut acknowledged = acknowledged.into_inner().unwrap();
    let mut state = Contents::new();
    let mut at = Revision::ZERO;
    while let Some(change) = watch.try_next().unwrap() {
        assert!(change.revision > at);
        if let Some(commit) = acknowledged.remove(&change.revision) {
            let mut foretold = state.clone();
            let revision = predict(&mut foretold, Revision::new(change.revision.get() - 1), &commit);
            assert_eq!(revision, Some(change.revision), "a guard did not hold: {commit:?}");
            apply(&mut state, &change);
            assert_eq!(state, foretold);
        } else {
            assert!(change.puts.is_empty(), "nobody asked for {change:?}");
            apply(&mut state, &change);
        }
        at = change.revision;
    }
    assert!(acknowledged.is_empty(), "acknowledged, but not in the watch: {acknowledged:?}");
    let (revision, records) = load(store, "");
    assert_eq!((revision, contents(records)), (at, state));
}

/// Few keys, so that commits meet.
fn random_commit(dice: &mut Dice, seen: Revision, step: usize) -> Commit {
    let key = |dice: &mut Dice| format!("{}/{}", ["a", "b", "b%"][dice.below(3)], dice.below(4));
    let since = |dice: &mut Dice| Revision::new(seen.get().saturating_sub(dice.below(6) as u64));
    let mut commit = Commit::new();
    for _ in 0..dice.below(3) {
        commit = commit.guard(match dice.below(3) {
            0 => Guard::unchanged(key(dice), since(dice)),
            1 => Guard::absent(key(dice)),
            _ => Guard::prefix_quiet(["a/", "b/", "b", "", "c"][dice.below(5)], since(dice)),
        });
    }
    let mut named = Vec::new();
    for n in 0..dice.below(4) {
        let key = key(dice);
        if named.contains(&key) {
            continue;
        }
        named.push(key.clone());
        commit = if dice.below(2) == 0 { commit.delete(key) } else { commit.put(key, format!("{step}.{n}")) };
    }
    commit
}

/// What a commit must do to a store at `revision`; `None` is a conflict.
fn predict(model: &mut Contents, revision: Revision, commit: &Commit) -> Option<Revision> {
    for guard in &commit.guards {
        let holds = match guard {
            Guard::Unchanged { key, since } => model.get(key).is_some_and(|(_, at)| at <= since),
            Guard::Absent { key } => !model.contains_key(key),
            Guard::PrefixQuiet { prefix, since } => {
                model.iter().filter(|(key, _)| key.starts_with(prefix)).all(|(_, (_, at))| at <= since)
            }
        };
        if !holds {
            return None;
        }
    }
    let next = Revision::new(revision.get() + 1);
    let mut changed = false;
    for key in &commit.deletes {
        changed |= model.remove(key).is_some();
    }
    for (key, value) in &commit.puts {
        model.insert(key.clone(), (value.clone(), next));
        changed = true;
    }
    Some(if changed { next } else { revision })
}

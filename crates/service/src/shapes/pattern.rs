//! Does the whole of a text match a pattern of the model? In time linear in the text.
//!
//! The models write their patterns as Java regular expressions. `cargo xtask codegen` turns each
//! into data, and refuses what it does not know, so nothing here can fail: most patterns are one
//! character class repeated, the others small programs that run every alternative side by side
//! (Thompson's construction), so no text can make matching slow.

use super::letters::LETTERS;

/// A compiled pattern of the model.
#[derive(Debug)]
pub struct Pattern {
    /// The pattern as the model, and therefore AWS's message, writes it.
    pub text: &'static str,
    pub(super) matcher: Matcher,
}

impl Pattern {
    /// Does the whole of `text` match?
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self.matcher {
            Matcher::Star(class) => text.chars().all(|c| class.contains(c)),
            Matcher::Plus(class) => !text.is_empty() && text.chars().all(|c| class.contains(c)),
            Matcher::Program(program) => run(program, text),
        }
    }
}

#[derive(Debug)]
pub(super) enum Matcher {
    /// `[…]*`
    Star(&'static Class),
    /// `[…]+`
    Plus(&'static Class),
    /// Anything else.
    Program(&'static [Step]),
}

/// A set of characters.
#[derive(Debug)]
pub(super) struct Class {
    /// Bit n: the character n is in it.
    pub(super) ascii: u128,
    /// Inclusive ranges above U+007F, in order.
    pub(super) above: &'static [(char, char)],
    /// Also every letter, separator and number: `\p{L}\p{Z}\p{N}`.
    pub(super) words: bool,
}

impl Class {
    fn contains(&self, c: char) -> bool {
        if c.is_ascii() {
            return self.ascii >> u32::from(c) & 1 == 1;
        }
        within(self.above, c) || (self.words && is_word(c))
    }
}

/// Unicode general categories L, N and Z, above ASCII.
fn is_word(c: char) -> bool {
    // `char::is_numeric` is exactly category N; `char::is_alphabetic` is *not* category L.
    within(&LETTERS, c) || c.is_numeric() || within(&SEPARATORS, c)
}

/// Category Z above ASCII; the set has not changed since Unicode 6.3.
static SEPARATORS: [(char, char); 7] = [
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
];

fn within(ranges: &[(char, char)], c: char) -> bool {
    let after = ranges.partition_point(|&(first, _)| first <= c);
    after.checked_sub(1).and_then(|index| ranges.get(index)).is_some_and(|&(_, last)| c <= last)
}

/// One step of a program; targets are indices.
#[derive(Debug)]
pub(super) enum Step {
    /// Take one character of the class and go to the next step.
    Take(&'static Class),
    /// Go on at both.
    Split(u16, u16),
    /// Go on elsewhere.
    Jump(u16),
    /// Go on if the next character is not one of the class (or there is none).
    NotNext(&'static Class),
    /// The pattern is complete.
    Accept,
}

fn run(program: &[Step], text: &str) -> bool {
    let mut chars = text.chars();
    let mut next = chars.next();
    let mut here = States::new(program.len());
    let mut there = States::new(program.len());
    here.reach(program, 0, next);
    while let Some(c) = next {
        next = chars.next();
        there.clear();
        for &at in &here.takers {
            if let Some(Step::Take(class)) = program.get(at)
                && class.contains(c)
            {
                there.reach(program, at + 1, next);
            }
        }
        std::mem::swap(&mut here, &mut there);
        if here.takers.is_empty() && next.is_some() {
            return false;
        }
    }
    here.accepted
}

/// The steps a match may be at, each once.
struct States {
    seen: Vec<bool>,
    takers: Vec<usize>,
    open: Vec<usize>,
    accepted: bool,
}

impl States {
    fn new(steps: usize) -> Self {
        Self { seen: vec![false; steps], takers: Vec::new(), open: Vec::new(), accepted: false }
    }

    fn clear(&mut self) {
        self.seen.fill(false);
        self.takers.clear();
        self.accepted = false;
    }

    /// Add `start` and all that is reachable from it without taking a character.
    fn reach(&mut self, program: &[Step], start: usize, next: Option<char>) {
        self.open.push(start);
        while let Some(at) = self.open.pop() {
            match self.seen.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match program.get(at) {
                Some(Step::Take(_)) => self.takers.push(at),
                Some(Step::Split(a, b)) => self.open.extend([usize::from(*a), usize::from(*b)]),
                Some(Step::Jump(to)) => self.open.push(usize::from(*to)),
                Some(Step::NotNext(class)) if !next.is_some_and(|c| class.contains(c)) => {
                    self.open.push(at + 1);
                }
                Some(Step::NotNext(_)) | None => {}
                Some(Step::Accept) => self.accepted = next.is_none(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Kind, OPERATIONS, Shape, Structure};
    use super::*;

    /// Every pattern of the table, by its text.
    fn patterns() -> BTreeMap<&'static str, &'static Pattern> {
        fn structure(of: &'static Structure, found: &mut BTreeMap<&'static str, &'static Pattern>) {
            of.members.iter().for_each(|member| shape(member.shape, found));
        }
        fn shape(of: &'static Shape, found: &mut BTreeMap<&'static str, &'static Pattern>) {
            match &of.kind {
                Kind::Structure(of) => structure(of, found),
                Kind::List(of, _) => shape(of, found),
                Kind::Map(key, of, _) => {
                    shape(key, found);
                    shape(of, found);
                }
                Kind::String(text) => found.extend(text.pattern.map(|pattern| (pattern.text, pattern))),
                _ => {}
            }
        }
        let mut found = BTreeMap::new();
        OPERATIONS.iter().for_each(|operation| structure(operation.input, &mut found));
        found
    }

    /// The samples were sorted into their two lists by Python's `re` (ASCII mode, `fullmatch`), the
    /// Unicode categories written out from its `unicodedata`; supplementary characters after what was recorded against AWS.
    #[test]
    fn every_pattern_of_the_models_agrees_with_another_implementation() {
        #[derive(serde::Deserialize)]
        struct Row {
            pattern: String,
            matches: Vec<String>,
            others: Vec<String>,
        }
        let rows: Vec<Row> = serde_json::from_str(include_str!("pattern-samples.json")).unwrap();
        let mut patterns = patterns();
        for row in rows {
            let pattern = patterns.remove(row.pattern.as_str()).unwrap();
            for text in &row.matches {
                assert!(pattern.matches(text), "{} should match {text:?}", row.pattern);
            }
            for text in &row.others {
                assert!(!pattern.matches(text), "{} should not match {text:?}", row.pattern);
            }
            assert!(row.matches.len() + row.others.len() > 100);
        }
        assert!(patterns.is_empty(), "without samples: {:?}", patterns.keys());
    }

    #[test]
    fn matching_takes_linear_time() {
        // A backtracking matcher needs 2^20000 steps for this.
        let path = patterns()["((/[A-Za-z0-9\\.,\\+@=_-]+)*)/"];
        assert!(!path.matches(&"/a".repeat(20_000)));
        assert!(path.matches(&format!("{}/", "/a".repeat(20_000))));
    }

    #[test]
    fn letters_are_category_l_and_not_merely_alphabetic() {
        assert!(is_word('é') && is_word('日') && is_word('\u{10400}'));
        // Alphabetic, but category So and Mn.
        assert!('ⓐ'.is_alphabetic() && !is_word('ⓐ'));
        assert!('\u{345}'.is_alphabetic() && !is_word('\u{345}'));
        assert!(LETTERS.is_sorted());
    }
}

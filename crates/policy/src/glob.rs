//! Wildcard matching: `*` is any run of characters, `?` is one UTF-16 unit, everything else is itself.
//!
//! It answers for the matching of one pattern against one text. Where patterns come from, and which
//! parts of an ARN they may cross, is decided by the callers.

use std::borrow::Cow;

use crate::search;

/// One element of a pattern. Consecutive `Many` mean the same as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<S> {
    /// These characters.
    Text(S),
    /// `?`
    One,
    /// `*`
    Many,
}

impl<S: AsRef<str>> Piece<S> {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Piece::Text(text) => Some(text.as_ref()),
            Piece::One | Piece::Many => None,
        }
    }
}

/// Whether the whole of `text` fits the pattern. Neighbouring texts count as one.
///
/// The pattern is cut at each `*`; the first part is anchored at the start, the last at the end, and each
/// part between is taken at its leftmost place. That is enough for an exact answer and never goes back, so
/// `a*a*a*…b` costs one walk over the text. Nothing is copied: a request meets a thousand patterns with one
/// text, which may be long.
pub(crate) fn matches<S: AsRef<str>>(pattern: &[Piece<S>], text: &str) -> bool {
    let mut parts = pattern.split(|piece| matches!(piece, Piece::Many));
    let whole = Rest { text, half: false };
    let Some(mut rest) = parts.next().and_then(|first| whole.strip(first)) else {
        return false;
    };
    let Some(mut part) = parts.next() else {
        return rest.text.is_empty();
    };
    for next in parts {
        match rest.find(part) {
            Some(after) => rest = after,
            None => return false,
        }
        part = next;
    }
    rest.ends_with(part)
}

/// What is left of a text. A character outside the basic plane is two UTF-16 units, of which `?` takes one.
#[derive(Clone, Copy)]
struct Rest<'t> {
    text: &'t str,
    /// Whether the first unit of the first character is gone.
    half: bool,
}

impl<'t> Rest<'t> {
    /// What is left after so many units.
    fn skip(self, units: usize) -> Option<Rest<'t>> {
        let mut units = units + usize::from(self.half);
        let mut characters = self.text.chars();
        while units > 0 {
            let text = characters.as_str();
            match units.checked_sub(characters.next()?.len_utf16()) {
                Some(left) => units = left,
                None => return Some(Rest { text, half: true }),
            }
        }
        Some(Rest { text: characters.as_str(), half: false })
    }

    /// What is left after `part` matched at the start.
    fn strip<S: AsRef<str>>(self, part: &[Piece<S>]) -> Option<Rest<'t>> {
        part.iter().try_fold(self, |rest, piece| match piece {
            Piece::Text(literal) if literal.as_ref().is_empty() => Some(rest),
            // No text begins with half a character.
            Piece::Text(_) if rest.half => None,
            Piece::Text(literal) => {
                Some(Rest { text: rest.text.strip_prefix(literal.as_ref())?, half: false })
            }
            Piece::One => rest.skip(1),
            Piece::Many => None,
        })
    }

    /// What is left after the leftmost match of `part`.
    fn find<S: AsRef<str>>(self, part: &[Piece<S>]) -> Option<Rest<'t>> {
        let is_text = |piece: &Piece<S>| piece.text().is_some();
        let Some((first, last)) = part.iter().position(is_text).zip(part.iter().rposition(is_text)) else {
            return self.skip(part.len());
        };
        // A variable may stand in a pattern hundreds of times: nothing is built from what cannot fit.
        let literals: usize = part.iter().filter_map(Piece::text).map(str::len).sum();
        if literals > self.text.len() {
            return None;
        }
        // A `?` at either end only moves the place; what must be searched begins and ends with a text.
        let from = self.skip(first)?;
        let core = part.get(first..=last)?;
        // Its texts must be there one after the other, which is cheap to ask, and without `?` is the answer.
        let mut texts = core.split(|piece| !is_text(piece));
        let mut after = texts.try_fold(from, |rest, texts| rest.find_text(texts))?;
        if !core.iter().all(is_text) {
            after = from.skip(from.search(core)?)?;
        }
        after.skip(part.len() - last - 1)
    }

    /// What is left after the leftmost place where the texts stand one after the other.
    fn find_text<S: AsRef<str>>(self, texts: &[Piece<S>]) -> Option<Rest<'t>> {
        let literal: Cow<'_, str> = match texts {
            [text] => text.text().unwrap_or_default().into(),
            texts => texts.iter().filter_map(Piece::text).collect(),
        };
        if literal.is_empty() {
            return Some(self);
        }
        let whole = self.skip(usize::from(self.half))?;
        Some(Rest { text: after_first(whole.text, &literal)?, half: false })
    }

    /// Where the leftmost match of a part with `?` inside ends, in units.
    fn search<S: AsRef<str>>(self, part: &[Piece<S>]) -> Option<usize> {
        if self.text.is_ascii() {
            return search::end_of_first(part, &self.text.bytes().map(u16::from));
        }
        let mut units = self.text.encode_utf16();
        if self.half {
            units.next();
        }
        search::end_of_first(part, &units)
    }

    /// Whether `part` matches at the end. It is read from there, so that the text before it costs nothing.
    fn ends_with<S: AsRef<str>>(self, part: &[Piece<S>]) -> bool {
        let mut text = self.text;
        // Whether the second unit of the last character is gone.
        let mut half = false;
        for piece in part.iter().rev() {
            match piece {
                Piece::Text(literal) if literal.as_ref().is_empty() => {}
                Piece::Text(literal) => match text.strip_suffix(literal.as_ref()) {
                    Some(before) if !half => text = before,
                    _ => return false,
                },
                Piece::One => {
                    let mut characters = text.chars();
                    let Some(last) = characters.next_back() else { return false };
                    half = !half && last.len_utf16() == 2;
                    if !half {
                        text = characters.as_str();
                    }
                }
                Piece::Many => return false,
            }
        }
        // The unit that is gone from the start cannot be matched again from the end.
        !(self.half && text.is_empty())
    }
}

/// The first place of a byte. Whole blocks are asked at once, which compilers make one instruction of.
fn position(bytes: &[u8], sought: u8) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<16>();
    let holds = |block: &[u8; 16]| block.iter().fold(false, |found, byte| found | (*byte == sought));
    let before = blocks.iter().take_while(|block| !holds(block)).count() * 16;
    let rest = bytes.get(before..)?;
    rest.iter().position(|byte| *byte == sought).map(|place| before + place)
}

/// A pattern without `?`, cut at its stars. There are two texts at least.
#[derive(Debug)]
pub(crate) struct Parts {
    head: Box<str>,
    middle: Box<[Box<str>]>,
    tail: Box<str>,
}

impl Parts {
    /// `None` where there is a `?`, or no `*`.
    pub(crate) fn of(pattern: &[Piece<Box<str>>]) -> Option<Parts> {
        if pattern.iter().any(|piece| matches!(piece, Piece::One)) {
            return None;
        }
        let texts = pattern.split(|piece| matches!(piece, Piece::Many));
        let mut texts: Vec<Box<str>> =
            texts.map(|texts| texts.iter().filter_map(Piece::text).collect()).collect();
        let tail = texts.pop()?;
        let mut rest = texts.into_iter();
        let head = rest.next()?;
        // Neighbouring stars mean the same as one.
        Some(Parts { head, middle: rest.filter(|part| !part.is_empty()).collect(), tail })
    }

    /// What every text that matches begins with.
    pub(crate) fn head(&self) -> &str {
        &self.head
    }

    /// As [`matches`] does it.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(&*self.head) else { return false };
        let found = self.middle.iter().try_fold(rest, |rest, part| after_first(rest, part));
        found.is_some_and(|rest| rest.ends_with(&*self.tail))
    }
}

/// What is left after the first place of a literal that is not empty, in one walk over the text. A few places are
/// tried plainly before the search that guarantees it, because that has to look at the literal first.
fn after_first<'t>(text: &'t str, literal: &str) -> Option<&'t str> {
    const TRIED_PLAINLY: usize = 8;
    let (first, width) = (literal.bytes().next()?, literal.chars().next()?.len_utf8());
    let mut rest = text;
    for _ in 0..TRIED_PLAINLY {
        let place = position(rest.as_bytes(), first)?;
        let from = rest.get(place..)?;
        if let Some(after) = from.strip_prefix(literal) {
            return Some(after);
        }
        rest = from.get(width..)?;
    }
    rest.split_once(literal).map(|(_, after)| after)
}

/// Matches an action name: `?` is one byte (action names are ASCII) and case is ignored. The classical
/// two-pointer walk: on a mismatch, the last `*` takes one more byte. Names of actions are short.
pub(crate) fn matches_ignoring_ascii_case(pattern: &[Piece<u8>], text: &str) -> bool {
    let text = text.as_bytes();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(Piece::Many) => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(Piece::One) => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            Some(Piece::Text(literal)) if literal.eq_ignore_ascii_case(byte) => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            _ => {}
        }
        let Some((at, from)) = star else { return false };
        star = Some((at, from + 1));
        (p, t) = (at + 1, from + 1);
    }
    pattern.get(p..).unwrap_or_default().iter().all(|piece| matches!(piece, Piece::Many))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `0` is the text of a variable whose value is empty.
    fn pieces(pattern: &str) -> Vec<Piece<String>> {
        pattern
            .chars()
            .map(|c| match c {
                '*' => Piece::Many,
                '?' => Piece::One,
                '0' => Piece::Text(String::new()),
                c => Piece::Text(c.to_string()),
            })
            .collect()
    }

    fn boxed(piece: &Piece<String>) -> Piece<Box<str>> {
        match piece {
            Piece::Text(text) => Piece::Text(text.as_str().into()),
            Piece::One => Piece::One,
            Piece::Many => Piece::Many,
        }
    }

    fn check(pattern: &str, text: &str) -> bool {
        matches(&pieces(pattern), text)
    }

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "", true),
            ("?", "", false),
            ("?", "a", true),
            ("a*", "a", true),
            ("a*b", "ab", true),
            ("a*b", "aXbXb", true),
            ("a*b", "aXbX", false),
            ("*a?c*", "xxabcxx", true),
            ("*a?c*", "xxacxx", false),
            ("a*a", "a", false),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "ab", false),
            ("a.c", "abc", false),
            ("a?c", "a\nc", true),
            ("?", "\u{e9}", true),
        ] {
            assert_eq!(check(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_question_mark_is_one_utf16_unit() {
        assert!(!check("?", "\u{1f600}"));
        assert!(check("??", "\u{1f600}"));
        assert!(check("?*?", "\u{1f600}"));
        assert!(check("a*\u{1f600}", "ab\u{1f600}"));
        assert!(check("*b?", "\u{1f600}bc"));
        // Halves of one character, taken from both ends and between.
        assert!(check("?*a*?", "\u{1f600}a\u{1f600}"));
        assert!(check("?*?*", "\u{1f600}"));
        assert!(!check("?*\u{1f600}", "\u{1f600}"));
        assert!(!check("?*\u{1f600}*", "\u{1f600}"));
        assert!(!check("?*??", "\u{1f600}"));
        assert!(check("?*?a?b", "\u{1f600}a\u{e9}b"));
    }

    #[test]
    fn an_empty_text_matches_within_a_character_too() {
        for pattern in ["?0?", "?0*?", "?*0?", "?*0*?", "*?0?", "*?0?*", "?0?*"] {
            assert!(check(pattern, "\u{1f600}"), "{pattern}");
        }
    }

    #[test]
    fn the_first_place_of_a_byte_is_found_in_every_block() {
        for length in [0, 1, 15, 16, 17, 33] {
            assert_eq!(position(&vec![b'a'; length], b'a'), (length > 0).then_some(0));
            for place in 0..length {
                let mut bytes = vec![b'b'; length];
                *bytes.get_mut(place).unwrap() = b'a';
                assert_eq!(position(&bytes, b'a'), Some(place), "of {length}");
            }
        }
    }

    #[test]
    fn hostile_patterns_stay_fast() {
        let pattern = "a*".repeat(3000) + "b";
        let text = "a".repeat(100_000);
        assert!(!check(&pattern, &text));
        let pattern = "*".to_owned() + &"?a".repeat(20_000) + "b*";
        assert!(!check(&pattern, &"a".repeat(60_000)));
    }

    #[test]
    fn long_texts_are_matched_like_short_ones() {
        let reference = |pattern: &str, text: &str| {
            let bytes: Vec<_> = pattern
                .bytes()
                .map(|byte| match byte {
                    b'*' => Piece::Many,
                    b'?' => Piece::One,
                    byte => Piece::Text(byte),
                })
                .collect();
            matches_ignoring_ascii_case(&bytes, text)
        };
        let long = "ab".repeat(150);
        for (pattern, text) in [
            ("a?*", format!("{long}c")),
            ("*?c", format!("{long}c")),
            ("*b?b*", long.clone()),
            ("*b?bc*", format!("{long}c{long}")),
            ("*a?c?b*b", format!("{long}xabcdb{long}")),
            ("?*??*a", long.clone()),
            ("?*??*b", long.clone()),
            ("*?", String::new()),
        ] {
            assert_eq!(check(pattern, &text), reference(pattern, &text), "{pattern}");
        }
        // A part of more than one word of bits.
        let part = "?b".repeat(70);
        assert!(check(&format!("*{part}c*"), &format!("{long}c{long}")));
        assert!(!check(&format!("*{part}d*"), &format!("{long}c{long}")));
    }

    #[test]
    fn action_names_ignore_case() {
        let pattern = [Piece::Text(b'g'), Piece::Many, Piece::Text(b'T'), Piece::One];
        assert!(matches_ignoring_ascii_case(&pattern, "GetTx"));
        assert!(!matches_ignoring_ascii_case(&pattern, "Get"));
    }

    /// By definition: try everything.
    fn slow(pattern: &[u16], text: &[u16]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([42, rest @ ..], _) => {
                slow(rest, text) || text.split_first().is_some_and(|(_, tail)| slow(pattern, tail))
            }
            ([63, rest @ ..], [_, tail @ ..]) => slow(rest, tail),
            ([a, rest @ ..], [b, tail @ ..]) => a == b && slow(rest, tail),
            _ => false,
        }
    }

    #[test]
    fn a_literal_is_found_however_often_it_begins_before() {
        for begun in 0..20 {
            let text = format!("{}\u{e9}\u{e8}z", "\u{e9}".repeat(begun));
            assert_eq!(after_first(&text, "\u{e9}\u{e8}"), Some("z"), "{begun}");
            assert_eq!(after_first(&text, "\u{e9}z"), None, "{begun}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_way_of_matching_gives_the_defined_answer(pattern in "[ab0*?\u{1f600}]{0,8}", text in "[ab\u{1f600}]{0,10}") {
            let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
            let pieces: Vec<_> = pieces(&pattern).iter().map(boxed).collect();
            let pattern = pattern.replace('0', "");
            let expected = slow(&units(&pattern), &units(&text));
            proptest::prop_assert_eq!(matches(&pieces, &text), expected);
            if pattern.is_ascii() && text.is_ascii() {
                let bytes: Vec<Piece<u8>> = pattern.bytes().map(|byte| match byte {
                    b'*' => Piece::Many,
                    b'?' => Piece::One,
                    byte => Piece::Text(byte),
                }).collect();
                proptest::prop_assert_eq!(matches_ignoring_ascii_case(&bytes, &text), expected);
            }
            let parts = Parts::of(&pieces);
            proptest::prop_assert_eq!(parts.is_some(), pattern.contains('*') && !pattern.contains('?'));
            proptest::prop_assert!(parts.is_none_or(|parts| parts.matches(&text) == expected));
        }
    }
}

//! Wildcard matching: `*` is any run of characters, `?` is one UTF-16 unit, everything else is itself.
//!
//! It answers for the matching of one pattern against one text. Where patterns come from, and which
//! parts of an ARN they may cross, is decided by the callers.

use std::collections::BTreeMap;

/// One element of a pattern. Consecutive `Many` mean the same as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<S> {
    /// These characters.
    Text(S),
    /// `?`
    One,
    /// `*`
    Many,
}

/// Whether the whole of `text` fits the pattern.
///
/// The pattern is cut at each `*`; the first part is anchored at the start, the last at the end, and each
/// part between is taken at its leftmost place. That is enough for an exact answer and never goes back, so
/// `a*a*a*…b` costs one walk over the text.
pub(crate) fn matches<S: AsRef<str>>(pattern: &[Piece<S>], text: &str) -> bool {
    // A character outside the basic plane is two units, and `?` takes one. Only then, and where a part with
    // `?` must be searched in a long text, is the text widened.
    let supplementary = text.bytes().any(|byte| byte >= 0xf0);
    if supplementary || (text.len() > SHORT && pattern.iter().any(|piece| matches!(piece, Piece::One))) {
        return matches_units(pattern, text);
    }
    let mut parts = pattern.split(|piece| matches!(piece, Piece::Many));
    let Some(mut rest) = parts.next().and_then(|first| strip(first, text)) else {
        return false;
    };
    let Some(mut part) = parts.next() else {
        return rest.is_empty();
    };
    for next in parts {
        match find(part, rest) {
            Some(after) => rest = after,
            None => return false,
        }
        part = next;
    }
    ends_with(part, rest)
}

/// Up to this many bytes, trying a part at every place costs less than preparing a search.
const SHORT: usize = 256;

/// What is left of `text` after `part` matched at its start.
fn strip<'t, S: AsRef<str>>(part: &[Piece<S>], text: &'t str) -> Option<&'t str> {
    part.iter().try_fold(text, |rest, piece| match piece {
        Piece::Text(literal) => rest.strip_prefix(literal.as_ref()),
        Piece::One => {
            let mut characters = rest.chars();
            characters.next().map(|_| characters.as_str())
        }
        Piece::Many => None,
    })
}

/// What is left of `text` after the leftmost match of `part`.
fn find<'t, S: AsRef<str>>(part: &[Piece<S>], text: &'t str) -> Option<&'t str> {
    if let [Piece::Text(literal)] = part {
        return text.split_once(literal.as_ref()).map(|(_, after)| after);
    }
    let mut rest = text;
    loop {
        if let Some(after) = strip(part, rest) {
            return Some(after);
        }
        let mut characters = rest.chars();
        characters.next()?;
        rest = characters.as_str();
    }
}

fn ends_with<S: AsRef<str>>(part: &[Piece<S>], text: &str) -> bool {
    let length: usize = part
        .iter()
        .map(|piece| match piece {
            Piece::Text(literal) => literal.as_ref().chars().count(),
            Piece::One | Piece::Many => 1,
        })
        .sum();
    let Some(last) = length.checked_sub(1) else {
        return true;
    };
    text.char_indices()
        .rev()
        .nth(last)
        .and_then(|(start, _)| text.get(start..))
        .is_some_and(|tail| strip(part, tail).is_some_and(str::is_empty))
}

/// The same over UTF-16 units, where `?` may take half of a character.
fn matches_units<S: AsRef<str>>(pattern: &[Piece<S>], text: &str) -> bool {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut wide: Vec<Piece<u16>> = Vec::new();
    for piece in pattern {
        match piece {
            Piece::Text(literal) => wide.extend(literal.as_ref().encode_utf16().map(Piece::Text)),
            Piece::One => wide.push(Piece::One),
            Piece::Many => wide.push(Piece::Many),
        }
    }
    let mut parts = wide.split(|piece| matches!(piece, Piece::Many));
    let first = parts.next().unwrap_or_default();
    let Some((head, mut rest)) = units.split_at_checked(first.len()) else {
        return false;
    };
    if !equal_units(first, head) {
        return false;
    }
    let Some(mut part) = parts.next() else {
        return rest.is_empty();
    };
    for next in parts {
        match find_units(part, rest) {
            Some(after) => rest = after,
            None => return false,
        }
        part = next;
    }
    let tail = rest.len().checked_sub(part.len()).and_then(|start| rest.get(start..));
    tail.is_some_and(|tail| equal_units(part, tail))
}

fn equal_units(part: &[Piece<u16>], units: &[u16]) -> bool {
    part.len() == units.len()
        && part.iter().zip(units).all(|(piece, unit)| match piece {
            Piece::Text(literal) => literal == unit,
            Piece::One => true,
            Piece::Many => false,
        })
}

/// What is left of `units` after the leftmost match of `part`.
///
/// Bit-parallel (Baeza-Yates and Gonnet's shift-and): bit i of the state says that the units just read end a
/// match of the first i + 1 pieces. Trying the part at every place instead would let `*?a?a…b*` take minutes.
fn find_units<'t>(part: &[Piece<u16>], units: &'t [u16]) -> Option<&'t [u16]> {
    let last = part.len().checked_sub(1);
    let Some(last) = last else { return Some(units) };
    if last >= units.len() {
        return None;
    }
    let words = last / 64 + 1;
    let bit = |at: usize| (at / 64, 1_u64 << (at % 64));
    let mut any = vec![0_u64; words];
    let mut masks: BTreeMap<u16, Vec<u64>> = BTreeMap::new();
    for (at, piece) in part.iter().enumerate() {
        let (word, bit) = bit(at);
        let mask = match piece {
            Piece::Text(literal) => masks.entry(*literal).or_insert_with(|| vec![0; words]),
            Piece::One | Piece::Many => &mut any,
        };
        if let Some(word) = mask.get_mut(word) {
            *word |= bit;
        }
    }
    for mask in masks.values_mut() {
        mask.iter_mut().zip(&any).for_each(|(word, any)| *word |= any);
    }
    let (last_word, last_bit) = bit(last);
    let mut state = vec![0_u64; words];
    for (at, unit) in units.iter().enumerate() {
        let mut carry = 1;
        for (word, mask) in state.iter_mut().zip(masks.get(unit).unwrap_or(&any)) {
            let next = *word >> 63;
            *word = ((*word << 1) | carry) & mask;
            carry = next;
        }
        if state.get(last_word).is_some_and(|word| word & last_bit != 0) {
            return units.get(at + 1..);
        }
    }
    None
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

    fn pieces(pattern: &str) -> Vec<Piece<String>> {
        pattern
            .chars()
            .map(|c| match c {
                '*' => Piece::Many,
                '?' => Piece::One,
                c => Piece::Text(c.to_string()),
            })
            .collect()
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
            let wide = pieces(pattern);
            assert_eq!(matches_units(&wide, &text), reference(pattern, &text), "{pattern}");
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

    proptest::proptest! {
        #[test]
        fn every_way_of_matching_gives_the_defined_answer(pattern in "[ab*?\u{1f600}]{0,8}", text in "[ab\u{1f600}]{0,10}") {
            let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
            let expected = slow(&units(&pattern), &units(&text));
            proptest::prop_assert_eq!(check(&pattern, &text), expected);
            proptest::prop_assert_eq!(matches_units(&pieces(&pattern), &text), expected);
            if pattern.is_ascii() && text.is_ascii() {
                let bytes: Vec<Piece<u8>> = pattern.bytes().map(|byte| match byte {
                    b'*' => Piece::Many,
                    b'?' => Piece::One,
                    byte => Piece::Text(byte),
                }).collect();
                proptest::prop_assert_eq!(matches_ignoring_ascii_case(&bytes, &text), expected);
            }
        }
    }
}

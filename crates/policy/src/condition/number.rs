//! Decimal numbers of any length, compared exactly.
//!
//! A sign, digits, a point, digits; leading zeroes and `+` are fine, exponents are not. Nothing is
//! converted to a machine number, so no value is too large or too fine to compare.

use std::cmp::Ordering;

/// A number as its significant digits: borrowed from a request, owned by a compiled policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number<S> {
    negative: bool,
    /// Without leading zeroes.
    whole: S,
    /// Without trailing zeroes.
    fraction: S,
}

impl<'a> Number<&'a str> {
    pub(super) fn parse(text: &'a str) -> Option<Number<&'a str>> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Number { negative: negative && !zero, whole, fraction })
    }

    pub(super) fn to_owned(self) -> Number<Box<str>> {
        Number { negative: self.negative, whole: self.whole.into(), fraction: self.fraction.into() }
    }
}

impl<S: AsRef<str>> Number<S> {
    pub(super) fn compare<T: AsRef<str>>(&self, other: &Number<T>) -> Ordering {
        // Of two whole parts without leading zeroes the longer is larger; fractions compare as text.
        let (a, b) = (self.whole.as_ref(), other.whole.as_ref());
        let whole = a.len().cmp(&b.len()).then_with(|| a.cmp(b));
        let magnitude = whole.then_with(|| self.fraction.as_ref().cmp(other.fraction.as_ref()));
        match (self.negative, other.negative) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> Ordering {
        Number::parse(a).unwrap().compare(&Number::parse(b).unwrap())
    }

    #[test]
    fn numbers_compare_by_value() {
        for (a, b) in [("10", "010.00"), ("-0", "0"), ("+5", "5"), ("1.10", "1.1")] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
        let ascending = [
            "-100000000000000000000000000001",
            "-100000000000000000000000000000",
            "-10",
            "-9.5",
            "-9",
            "0",
            "0.05",
            "0.5",
            "9",
            "10",
            "10.5",
            "99999999999999999999999999999.1",
            "99999999999999999999999999999.11",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
    }

    #[test]
    fn what_is_not_a_decimal_is_no_number() {
        for text in [
            "", "-", "+", ".", "5.", ".5", "5abc", " 5", "5 ", "1e3", "0x10", "--5", "1.2.3", "1,5",
            "\u{661}",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }
}

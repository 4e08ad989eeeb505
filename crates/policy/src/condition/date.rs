//! Dates and times as instants.
//!
//! A value that contains `t` or `-` is read as ISO 8601 (`YYYY-MM`, `YYYY-MM-DD`, with time, fraction and
//! zone); any other as whole seconds since 1970. As AWS does, it takes numbers with fewer digits (`01T` is the
//! year 1) and leaves out what comes last. Instants count milliseconds; finer fractions are cut off. A time
//! without a zone is UTC.

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant(i128);

/// The years whose milliseconds fit 64 bits.
const YEARS: std::ops::RangeInclusive<i64> = -292_275_054..=292_278_993;

impl Instant {
    pub(super) fn parse(text: &str) -> Option<Instant> {
        // Longer than any date, shorter than what would cost time.
        if text.len() > 64 || !text.is_ascii() {
            return None;
        }
        if text.contains(['t', 'T', '-']) { iso(text) } else { epoch(text) }
    }
}

/// An integer in 0…2^63−1.
fn epoch(text: &str) -> Option<Instant> {
    if !all_digits(text) {
        return None;
    }
    text.parse::<i64>().ok().map(|seconds| Instant(i128::from(seconds) * 1000))
}

fn iso(text: &str) -> Option<Instant> {
    let (date, time) = match text.split_once(['t', 'T']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let days = parse_date(date)?;
    let millis = match time {
        Some("") | None => 0,
        Some(time) => parse_time(time)?,
    };
    Some(Instant(i128::from(days) * 86_400_000 + i128::from(millis)))
}

/// Days since 1970 of `year[-month[-day]]`.
fn parse_date(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = rest.split('-');
    let year = sign * parts.next().and_then(|year| digits(year, 9))?;
    let month = parts.next().map_or(Some(1), short)?;
    let day = parts.next().map_or(Some(1), short)?;
    if parts.next().is_some() || !YEARS.contains(&year) {
        return None;
    }
    let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    valid.then(|| days_since_1970(year, month, day))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// `hh[:mm[:ss[.fraction]]]` with an optional zone, in milliseconds of the UTC day (below zero and above one
/// day where the zone says so).
fn parse_time(text: &str) -> Option<i64> {
    let zone_at = text.find(['z', 'Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(zone_at)?;
    let mut parts = clock.split(':');
    let hour = parts.next().and_then(short).filter(|hour| *hour < 24)?;
    let minute = parts.next().map_or(Some(0), short).filter(|minute| *minute < 60)?;
    let (second, fraction) = match parts.next() {
        None => ("00", None),
        Some(part) => match part.split_once('.') {
            Some((second, fraction)) => (second, Some(fraction)),
            None => (part, None),
        },
    };
    let second = short(second).filter(|second| *second < 60)?;
    let millis = fraction.map_or(Some(0), milliseconds)?;
    if parts.next().is_some() {
        return None;
    }
    Some(((hour * 60 + minute - parse_zone(zone)?) * 60 + second) * 1000 + millis)
}

/// Minutes east of Greenwich: nothing, `Z`, `±hh:mm`, `±hhmm` or `±hh`.
fn parse_zone(text: &str) -> Option<i64> {
    if matches!(text, "" | "z" | "Z") {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, minutes) = match (rest.split_once(':'), rest.len()) {
        (Some(parts), _) => parts,
        (None, 4) => rest.split_at_checked(2)?,
        (None, _) => (rest, "00"),
    };
    let hours = two_digits(hours).filter(|hours| *hours < 24)?;
    let minutes = two_digits(minutes).filter(|minutes| *minutes < 60)?;
    Some(sign * (hours * 60 + minutes))
}

/// Of a fraction of at most nine digits.
fn milliseconds(fraction: &str) -> Option<i64> {
    if fraction.len() > 9 || !all_digits(fraction) {
        return None;
    }
    let mut digits = fraction.bytes().map(|byte| i64::from(byte - b'0'));
    let mut digit = || digits.next().unwrap_or(0);
    Some(digit() * 100 + digit() * 10 + digit())
}

/// One or two digits.
fn short(text: &str) -> Option<i64> {
    digits(text, 2)
}

fn two_digits(text: &str) -> Option<i64> {
    if text.len() == 2 { digits(text, 2) } else { None }
}

fn digits(text: &str, most: usize) -> Option<i64> {
    if text.len() > most || !all_digits(text) {
        return None;
    }
    text.parse().ok()
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> i128 {
        Instant::parse(text).unwrap_or_else(|| panic!("{text}")).0
    }

    #[test]
    fn known_instants() {
        // Expected values: GNU date.
        assert_eq!(millis("1970-01-01T00:00:00Z"), 0);
        assert_eq!(millis("2024-06-01T00:00:00Z"), 1_717_200_000_000);
        assert_eq!(millis("2000-02-29"), 951_782_400_000);
        assert_eq!(millis("1969-12-31T23:59:59.5Z"), -500);
        assert_eq!(millis("0001-01-01T00:00:00Z"), -62_135_596_800_000);
        assert_eq!(millis("9999-12-31T23:59:59.999Z"), 253_402_300_799_999);
    }

    #[test]
    fn spellings_of_one_instant_are_equal() {
        for text in [
            "1717200000",
            "2024-06",
            "2024-06-01",
            "2024-06-01T00Z",
            "2024-06-01T00:00Z",
            "2024-06-01t00:00:00z",
            "2024-06-01T00:00:00",
            "2024-06-01T00:00:00.0009Z",
            "2024-06-01T02:00:00+02:00",
            "2024-06-01T02:00:00+0200",
            "2024-06-01T02:00:00+02",
            "2024-05-31T18:30:00-05:30",
            "2024-6-1",
            "2024-6-1T",
            "2024-06T0:0:0Z",
            "2024-06-01T2:00:00.000000001+02",
        ] {
            assert_eq!(millis(text), 1_717_200_000_000, "{text}");
        }
    }

    #[test]
    fn years_have_as_many_digits_as_they_need() {
        assert_eq!(Instant::parse("01T"), Instant::parse("0001-01-01T00:00:00Z"));
        assert_eq!(Instant::parse("234-12"), Instant::parse("0234-12-01"));
        assert!(Instant::parse("-292275054").is_some());
    }

    #[test]
    fn a_bare_year_is_epoch_seconds() {
        assert_eq!(millis("2024"), 2_024_000);
        assert_eq!(millis("9223372036854775807"), i128::from(i64::MAX) * 1000);
        assert_eq!(Instant::parse("9223372036854775808"), None);
    }

    #[test]
    fn the_range_of_years_is_bounded() {
        assert!(Instant::parse("292278993-12-31").is_some());
        assert!(Instant::parse("292278994-01-01").is_none());
        assert!(Instant::parse("-292275054-01-01").is_some());
        assert!(Instant::parse("-292275055-01-01").is_none());
    }

    #[test]
    fn months_have_their_days_and_leap_years_one_more() {
        let last = |year: i64, month: i64, day: i64| {
            let parse = |day: i64| Instant::parse(&format!("{year:04}-{month:02}-{day:02}"));
            parse(day).is_some() && parse(day + 1).is_none()
        };
        for (month, day) in (1..).zip([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            assert!(last(2023, month, day), "{month}");
        }
        for (year, day) in [(2024, 29), (2000, 29), (1600, 29), (1900, 28), (2100, 28), (2026, 28)] {
            assert!(last(year, 2, day), "{year}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "yesterday",
            "2024-13-01",
            "2024-00-01",
            "2023-02-29",
            "2024-02-30",
            "234-13",
            "2024-006-01",
            "2024-06-001",
            "-T",
            "2024-06-01TZ",
            "2024-06-01T000",
            "2024-06-01T24:00:00Z",
            "2024-06-01T00:60Z",
            "2024-06-01T00:00Z+24:00",
            "2024-06-01T00:00+24:00",
            "2024-06-01T00:00+24",
            "2024-06-01T00:00-01:60",
            "2024-06-01T00:00+0060",
            "2024-06-01T00:00:60Z",
            "2024-06-01T00:00:00.Z",
            "2024-06-01T00:00:00ZZ",
            "2024-06-01T00:00:00+2:00",
            "2024-06-01T00:00:00.1234567890Z",
            "2024-06-01 00:00:00",
            "2024-06-01-01",
            "1.5",
            "+5",
            "-",
            "t",
            "\u{661}\u{661}",
            "2024-06-01T00:00:00+25:00",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}

//! Times as SAML writes them.
//!
//! Governing document: SAML 2.0 Core, section 1.3.3 (times are in UTC, with `Z`); XML Schema Part 2, section 3.2.7.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::xml::Fault;

/// `yyyy-mm-ddThh:mm:ss`, perhaps with a fraction, and `Z`. The last day of year 9999, by which some providers say `never`,
/// is later than there are moments here: it is the last of them.
pub(super) fn read(text: &str) -> Result<Timestamp, Fault> {
    let bad = Fault("a time that is none");
    let utc = text.strip_suffix('Z').ok_or(bad)?;
    let (whole, fraction) = utc.split_once('.').map_or((utc, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = whole.len() == 19
        && whole.bytes().zip("dddd-dd-ddTdd:dd:dd".bytes()).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        });
    // Providers write up to nine digits; no decision here is finer.
    if !shaped || !fraction.is_none_or(|it| (1..=9).contains(&it.len()) && digits(it)) {
        return Err(bad);
    }
    let time: DateTime = utc.parse().map_err(|_| bad)?;
    Ok(Offset::UTC.to_timestamp(time).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_utc_and_says_so() {
        for (text, second) in [
            ("2026-01-15T12:00:00Z", 1_768_478_400),
            ("2026-01-15T12:00:00.5Z", 1_768_478_400),
            ("2026-01-15T12:00:00.123456789Z", 1_768_478_400),
            ("2024-02-29T00:00:00Z", 1_709_164_800),
        ] {
            assert_eq!(read(text).unwrap().as_second(), second, "{text}");
        }
        for last in ["9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.9999999Z"] {
            assert_eq!(read(last).unwrap(), Timestamp::MAX, "{last}");
        }
        assert!(read("9999-12-30T21:59:59Z").unwrap() < Timestamp::MAX);
        for bad in [
            "9999-12-32T00:00:00Z",
            "9999-12-31T24:00:00Z",
            "9999-13-31T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "",
            "Z",
            "2026-01-15T12:00:00",
            "2026-01-15T12:00:00+00:00",
            "2026-01-15T13:00:00+01:00",
            "2026-01-15t12:00:00Z",
            "2026-01-15 12:00:00Z",
            "2026-01-15T12:00:00z",
            "2026-01-15T12:00Z",
            "2026-01-15T12:00:00.Z",
            "2026-01-15T12:00:00.1234567891Z",
            "2026-01-15T12:00:00,5Z",
            "2026-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-01-15T25:00:00Z",
            " 2026-01-15T12:00:00Z",
            "-2026-01-15T12:00:00Z",
            "２026-01-15T12:00:00Z",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

//! Times as signatures write them: `yyyymmddThhmmssZ`, and RFC 1123 in the `Date` field.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The moment as `X-Amz-Date` writes it: ISO 8601 basic format, UTC, whole seconds.
#[must_use]
pub fn amz_date(time: Timestamp) -> String {
    let utc = TimeZone::UTC.to_datetime(time);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        utc.year(),
        utc.month(),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

/// Reads `yyyymmddThhmmssZ` and nothing else: sixteen characters, no fraction, no offset.
pub(crate) fn parse_amz_date(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    let &[y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = bytes else {
        return None;
    };
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let small = |high, low| pair(high, low).and_then(|value| i8::try_from(value).ok());
    let datetime = DateTime::new(
        year,
        small(mo1, mo2)?,
        small(d1, d2)?,
        small(h1, h2)?,
        small(mi1, mi2)?,
        small(s1, s2)?,
        0,
    )
    .ok()?;
    TimeZone::UTC.to_timestamp(datetime).ok()
}

/// Reads a `Date` field: RFC 1123 (`Thu, 15 Jan 2026 12:00:00 GMT`) or the basic format.
pub(crate) fn parse_date_field(text: &str) -> Option<Timestamp> {
    const LENGTH_MAX: usize = 40;
    if text.len() > LENGTH_MAX {
        return None;
    }
    parse_amz_date(text).or_else(|| {
        jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(text)
            .ok()
            .filter(|t| t.subsec_nanosecond() == 0)
    })
}

fn pair(high: u8, low: u8) -> Option<i16> {
    (high.is_ascii_digit() && low.is_ascii_digit())
        .then(|| i16::from(high - b'0') * 10 + i16::from(low - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basic_format_is_read_to_the_letter() {
        let noon: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        assert_eq!(parse_amz_date("20260115T120000Z"), Some(noon));
        assert_eq!(amz_date(noon), "20260115T120000Z");
        for bad in [
            "",
            "20260115T120000",
            "20260115T120000.0Z",
            "20260115t120000z",
            "2026-01-15T12:00:00Z",
            "20261315T120000Z",
            "20260230T120000Z",
            "20260115T240000Z",
            "20260115T120060Z",
            "+0260115T120000Z",
            "２0260115T1200Z",
        ] {
            assert_eq!(parse_amz_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_date_field_may_be_rfc_1123() {
        let noon: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        assert_eq!(parse_date_field("Thu, 15 Jan 2026 12:00:00 GMT"), Some(noon));
        assert_eq!(parse_date_field("Thu, 15 Jan 2026 12:00:00 +0000 (zzzzzz)"), Some(noon));
        assert_eq!(parse_date_field("Thu, 15 Jan 2026 12:00:00 +0000 (zzzzzzz)"), None);
        assert_eq!(parse_date_field("20260115T120000Z"), Some(noon));
        assert_eq!(parse_date_field("Fri, 15 Jan 2026 12:00:00 GMT"), None, "wrong weekday");
        assert_eq!(parse_date_field("2026-01-15T12:00:00Z"), None);
        assert_eq!(parse_date_field(&"9".repeat(4000)), None);
    }
}

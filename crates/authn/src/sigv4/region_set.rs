//! `X-Amz-Region-Set`: where a signature of Signature Version 4A is good.
//!
//! Governing document: IAM User Guide, "How AWS SigV4a works".

use super::AuthError;

/// Longest name or pattern, in characters; as of a region in a credential scope.
const REGION_LENGTH_MAX: usize = 64;
/// Most names and patterns in a set; AWS has fewer regions than that.
const REGIONS_MAX: usize = 64;

/// Names of regions and patterns with `*`, as the client signed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegionSet(Vec<String>);

impl RegionSet {
    /// A comma-separated list, blanks around its parts allowed.
    ///
    /// # Errors
    /// An empty list or part, another character than of a region's name, or too much of it: what could be read as a
    /// region nobody meant is no region.
    pub(crate) fn parse(text: &str) -> Result<Self, AuthError> {
        let mut regions = Vec::new();
        for part in text.split(',').map(str::trim) {
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-*".contains(&byte);
            let fits = (1..=REGION_LENGTH_MAX).contains(&part.len()) && part.bytes().all(plain);
            if !fits || regions.len() == REGIONS_MAX {
                return Err(AuthError::RegionSet { problem: MALFORMED });
            }
            regions.push(part.to_owned());
        }
        Ok(Self(regions))
    }

    /// Whether it is good in this region.
    pub(crate) fn contains(&self, region: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern.as_bytes(), region.as_bytes()))
    }

    /// The region, if it is one and no pattern.
    pub(crate) fn only(&self) -> Option<&str> {
        match self.0.as_slice() {
            [one] if !one.contains('*') => Some(one),
            _ => None,
        }
    }
}

impl std::fmt::Display for RegionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

const MALFORMED: &str =
    "'X-Amz-Region-Set' must be a comma-separated list of regions, or of patterns with '*'.";

/// `*` stands for any run of characters. The parts between are looked for from left to right, so that a pattern costs
/// no more than its length times the region's.
fn matches(pattern: &[u8], region: &[u8]) -> bool {
    let mut parts = pattern.split(|&byte| byte == b'*');
    let Some(mut rest) = region.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts.filter(|part| !part.is_empty()) {
        let Some(at) = rest.windows(part.len()).position(|window| window == part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_printed_as_it_is_sent() {
        for (given, printed) in [("us-east-1", "us-east-1"), ("us-west-2, eu-*", "us-west-2,eu-*")] {
            assert_eq!(RegionSet::parse(given).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn patterns_match_whole_regions() {
        for (set, region, good) in [
            ("us-east-1", "us-east-1", true),
            ("us-east-1", "us-east-11", false),
            ("us-east-1", "xus-east-1", false),
            ("*", "us-east-1", true),
            ("us-west-2,eu-*", "eu-central-1", true),
            ("us-west-2, eu-*", "us-west-2", true),
            ("us-west-2,eu-*", "us-east-1", false),
            ("*-east-*", "us-east-1", true),
            ("*-east-*", "us-west-1", false),
            ("us-*-1", "us-east-1", true),
            ("us-*-1", "us-1", false),
            ("us**1", "us-east-1", true),
            ("u*us-east-1", "us-east-1", false),
            ("*1", "us-east-1", true),
            ("*2", "us-east-1", false),
            ("*eu*eu", "eu", false),
            ("*eu*eu", "eueu", true),
        ] {
            assert_eq!(RegionSet::parse(set).unwrap().contains(region), good, "{set} {region}");
        }
    }

    #[test]
    fn a_set_that_names_no_region_is_refused() {
        let many = vec!["*"; REGIONS_MAX + 1].join(",");
        for bad in ["", " ", ",", "us-east-1,", ",*", "us-east-1;eu-*", "US-EAST-1", "us east", "?", &many] {
            assert!(RegionSet::parse(bad).is_err(), "{bad}");
        }
        assert!(RegionSet::parse(&"a".repeat(REGION_LENGTH_MAX + 1)).is_err());
    }

    #[test]
    fn one_region_is_told_from_several_and_from_a_pattern() {
        let only = |text| RegionSet::parse(text).unwrap().only().map(str::to_owned);
        assert_eq!(only(" eu-west-1 "), Some("eu-west-1".to_owned()));
        assert_eq!((only("*"), only("eu-*"), only("us-east-1,us-east-2")), (None, None, None));
    }
}

//! Regions in ARNs of what calls make. There is one server; a region is what a call was signed for.

/// Of what is no name of a region.
const OTHERWISE: &str = "us-east-1";
/// Longest name, in bytes.
const LENGTH_MAX: usize = 32;

/// What a call was signed for, as it may be part of an ARN.
pub(super) fn region_name(signed_for: &str) -> &str {
    let is_part = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let is_name = (1..=LENGTH_MAX).contains(&signed_for.len()) && signed_for.bytes().all(is_part);
    if is_name { signed_for } else { OTHERWISE }
}

#[cfg(test)]
mod tests {
    //! Names, and what would end a part of an ARN.

    use super::*;

    #[test]
    fn a_region_is_a_name_or_the_first_one() {
        for name in ["eu-central-1", "garage", "x", &"a".repeat(32)] {
            assert_eq!(region_name(name), name);
        }
        for other in ["", "EU-WEST-1", "..", "a:b", "a/b", "*", "us_east_1", "\u{e4}", &"a".repeat(33)] {
            assert_eq!(region_name(other), "us-east-1", "{other}");
        }
    }
}

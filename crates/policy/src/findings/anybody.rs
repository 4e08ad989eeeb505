//! Values of condition keys that people of any account can have, or get for themselves.
//!
//! It answers for what a value must fix so that a statement for everybody is not for everybody (Amazon S3 User Guide,
//! "The meaning of 'public'"; AWS Config, rule s3-bucket-public-read-prohibited: fixed values, without wildcards or
//! policy variables). Networks are read elsewhere, as numbers.

/// Characters of a unique id (`AROA…`) that nobody else's begins with.
const UNIQUE_ID_CHARACTERS: usize = 16;

/// Whether people of any account may have such a value of that key, which is in lower case.
pub(super) fn has(key: &str, value: &str) -> bool {
    let value = with_variables_as_wildcards(value);
    let Some(wildcard) = value.find(['*', '?']) else { return false };
    let fixed = value.get(..wildcard).unwrap_or_default();
    match key {
        // Numbers and ids that are given out in no order: nobody owns those of one beginning.
        "aws:principalaccount" | "aws:sourceaccount" | "aws:sourceowner" | "aws:vpceaccount" => true,
        "kms:calleraccount" | "s3:dataaccesspointaccount" => true,
        "aws:principalorgid" | "aws:sourceorgid" | "aws:vpceorgid" => true,
        "aws:sourcevpc" | "aws:sourcevpce" => true,
        "aws:principalorgpaths" | "aws:sourceorgpaths" | "aws:vpceorgpaths" => !fixed.contains('/'),
        "aws:userid" => !fixed.contains(':') && fixed.len() < UNIQUE_ID_CHARACTERS,
        "aws:sourceip" => !fixed.contains('.') && fixed.matches(':').count() < 2,
        "aws:principalarn" => !account_of(&value).is_some_and(is_fixed),
        "aws:sourcearn" | "aws:sourcevpcarn" => is_of_any_account(&value),
        _ => fixed.is_empty(),
    }
}

/// An ARN whose account anybody's could be. The names of buckets and some ids are nobody else's in any account.
fn is_of_any_account(arn: &str) -> bool {
    let (Some(account), Some(name)) = (account_of(arn), arn.splitn(6, ':').nth(5)) else { return true };
    let unique = account.is_empty() || arn.split(':').nth(2) == Some("s3");
    !is_fixed(account) && (!unique || name.starts_with(['*', '?']))
}

/// The fifth of six fields. Of a shorter pattern nothing says which account it means.
fn account_of(arn: &str) -> Option<&str> {
    let mut fields = arn.splitn(6, ':').skip(4);
    fields.next().filter(|_| fields.next().is_some())
}

fn is_fixed(account: &str) -> bool {
    !account.is_empty() && !account.contains(['*', '?'])
}

/// Every caller has a value for a variable that is about the caller, often one of its own choice. What is said of the
/// resource its owner has said.
fn with_variables_as_wildcards(value: &str) -> String {
    let mut pieces = value.split("${");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let Some((variable, rest)) = piece.split_once('}') else {
            text.push_str(piece);
            continue;
        };
        let of_resource = variable.get(..12).is_some_and(|start| start.eq_ignore_ascii_case("aws:Resource"));
        let fixed = of_resource || matches!(variable, "*" | "?" | "$");
        text.push(if fixed { '_' } else { '*' });
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_before_what_identifies_is_anybodys() {
        for (key, value) in [
            ("aws:sourcevpc", "vpc-*"),
            ("aws:principalorgid", "o-*"),
            ("aws:principalorgpaths", "o-*/*"),
            ("aws:principalaccount", "1111*"),
            ("aws:principalaccount", "${aws:PrincipalAccount}"),
            ("aws:userid", "A*"),
            ("aws:userid", "*:session"),
            ("aws:userid", "${aws:userid}"),
            ("aws:sourceip", "2*"),
            ("aws:principalarn", "a*"),
            ("aws:principalarn", "arn:*"),
            ("aws:principalarn", "arn:aws:iam::????????????:role/x"),
            ("aws:principalarn", "arn:aws:iam::${aws:PrincipalAccount}:role/x"),
            ("aws:sourcearn", "arn:*"),
            ("aws:sourcearn", "arn:aws:s3:::?*"),
            ("aws:sourcearn", "arn:aws:s3:::${aws:PrincipalTag/b}"),
            ("aws:sourcearn", "arn:aws:sns:*:*:topic"),
            ("iam:passedtoservice", "*.amazonaws.com"),
        ] {
            assert!(has(key, value), "{key} {value}");
        }
    }

    #[test]
    fn a_wildcard_behind_what_identifies_is_somebodys() {
        for (key, value) in [
            ("aws:principalorgid", "o-abcdefghij"),
            ("aws:principalorgpaths", "o-abcdefghij/r-ab12/*"),
            ("aws:principalaccount", "${aws:ResourceAccount}"),
            ("aws:userid", "AROAF7DORIUOBAMH7UJK2:*"),
            ("aws:userid", "AROAF7DORIUOBAMH7UJK2*"),
            ("aws:sourceip", "203.0.113.*"),
            ("aws:principalarn", "arn:aws:iam::111122223333:*"),
            ("aws:principalarn", "arn:aws:*::111122223333:user/${aws:username}"),
            ("aws:principalarn", "arn:aws:iam::${AWS:ResourceAccount}:role/*"),
            ("aws:sourcearn", "arn:aws:s3:*:*:bucket"),
            ("aws:sourcearn", "arn:aws:s3:::bucket-*"),
            ("aws:sourcearn", "arn:aws:sns:*:111122223333:*"),
            ("iam:passedtoservice", "ec2.*"),
            ("aws:userid", "a${*}b"),
            ("aws:userid", "${"),
        ] {
            assert!(!has(key, value), "{key} {value}");
        }
    }
}

//! Spellings of everybody, and of every role.

use super::*;

#[test]
fn every_spelling_of_all_roles_is_a_wildcard() {
    let told = |resource: &str| {
        let members = format!(r#""Effect": "Allow", "Action": "iam:PassRole", "Resource": "{resource}""#);
        codes(Kind::Managed, &policy(&members))
            .iter()
            .any(|(code, _)| *code == "PASS_ROLE_WITH_STAR_IN_RESOURCE")
    };
    for all in [
        "arn:aws:iam::111122223333:role/?*",
        "arn:aws:iam::111122223333:role/**",
        "arn:aws:iam::111122223333:role/*/*",
        "arn:aws:iam::111122223333:*",
        "arn:aws:iam::????????????:role/x",
        "arn:aws:iam::*:role/app/*",
        "arn:aws:iam::*:role/${aws:username}",
        "arn:*:iam::*:role/x",
        "arn:aws:iam:",
        "arn:aws:iam",
    ] {
        assert!(told(all), "{all}");
    }
    for some in [
        "arn:aws:iam::111122223333:role/x",
        "arn:aws:iam::111122223333:role/x*",
        "arn:aws:iam::111122223333:role/x/?*",
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::*:user/*",
        "arn:aws:s3",
    ] {
        assert!(!told(some), "{some}");
    }
}

/// Conditions that name something and let everybody in all the same, or do not, of a statement for everybody.
#[test]
fn a_condition_on_what_everybody_has_restricts_nobody() {
    let told = |condition: &str| {
        let members = format!(
            r#""Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Resource": "*", "Condition": {{{condition}}}"#
        );
        codes(Kind::Resource, &policy(&members)).iter().any(|(code, _)| *code == "ALLOW_WITH_STAR_PRINCIPAL")
    };
    for open in [
        r#""StringLike": {"aws:SourceVpc": "vpc-*"}"#,
        r#""StringLike": {"aws:PrincipalArn": "arn:aws:*"}"#,
        r#""ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/*"}"#,
        r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::????????????:role/x"}"#,
        r#""IpAddress": {"aws:SourceIp": "1.2.3.4/0"}"#,
        r#""IpAddress": {"aws:SourceIp": "0:0:0:0:0:0:0:0/0"}"#,
        r#""IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}"#,
        r#""IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/3"]}"#,
        r#""StringEquals": {"aws:userid": "${aws:userid}"}"#,
        r#""StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}"#,
        r#""StringEquals": {"aws:username": "alice"}"#,
        r#""DateLessThan": {"aws:SourceIp": "2030-01-01"}"#,
        r#""NumericLessThan": {"aws:PrincipalAccount": "999999999999"}"#,
    ] {
        assert!(told(open), "{open}");
    }
    for closed in [
        r#""StringEquals": {"aws:SourceVpc": "vpc-0a1b2c3d"}"#,
        r#""IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}"#,
        r#""StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}"#,
        r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}"#,
    ] {
        assert!(!told(closed), "{closed}");
    }
}

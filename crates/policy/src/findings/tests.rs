//! Every code with a document that has it, and one beside it that has not.
//! LONG: one table of documents and what is told of each.

use std::collections::BTreeSet;

use super::*;
use crate::code::Severity;

mod bounds;
mod wide;

const IAM: [(&str, &[&str]); 2] =
    [("iam", &["GetUser", "PassRole", "ListUsers"]), ("sts", &["AssumeRole", "GetCallerIdentity"])];

fn found(kind: Kind, text: &str) -> Vec<Finding> {
    findings(kind, text, &Catalog { services: &IAM })
}

fn codes(kind: Kind, text: &str) -> Vec<(&'static str, String)> {
    found(kind, text).into_iter().map(|finding| (finding.code.as_str(), finding.path)).collect()
}

/// A whole policy around the members of one statement.
fn policy(members: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{{{members}}}]}}"#)
}

const READ: &str = r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*""#;

/// What is found: code and path.
type Told = &'static [(&'static str, &'static str)];

/// Kind, members of the statement, and what is found in it, with paths below the statement.
const STATEMENTS: &[(Kind, &str, Told)] = &[
    (Kind::Managed, READ, &[]),
    // Errors of rules.
    (Kind::Inline, r#""Action": "s3:*", "Resource": "*""#, &[("MISSING_EFFECT", "")]),
    (
        Kind::Inline,
        r#""Effect": "Permit", "Action": "s3:*", "Resource": "*""#,
        &[("INVALID_EFFECT", ".Effect")],
    ),
    (
        Kind::Inline,
        r#""Effect": "allow", "Action": "s3:*", "Resource": "*""#,
        &[("INVALID_EFFECT", ".Effect")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Actions": "s3:*", "Resource": "*""#,
        &[("INVALID_POLICY_ELEMENT", ".Actions")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": 7, "Resource": "*""#,
        &[("DATA_TYPE_MISMATCH", ".Action")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "NotAction": "sqs:*", "Resource": "*""#,
        &[("UNSUPPORTED_ELEMENT_COMBINATION", ".NotAction")],
    ),
    (Kind::Inline, r#""Effect": "Allow", "Resource": "*""#, &[("MISSING_ACTION", "")]),
    (Kind::Inline, r#""Effect": "Allow", "Action": "s3:*""#, &[("MISSING_RESOURCE", "")]),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": ["GetObject", "s3:Get:It"], "Resource": ["arn:aws:s3:::a", "b"]"#,
        &[
            ("INVALID_ACTION_FORMAT", ".Action[0]"),
            ("INVALID_ACTION_FORMAT", ".Action[1]"),
            ("INVALID_ARN", ".Resource[1]"),
        ],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringIs": {"k": "v"}}"#,
        &[("INVALID_CONDITION_OPERATOR", ".Condition.StringIs")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.9", "x"]}}"#,
        &[("INVALID_CONDITION_VALUE", ".Condition.IpAddress['aws:SourceIp'][1]")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": {"AWS": "111122223333"}"#,
        &[("UNSUPPORTED_PRINCIPAL_ELEMENT", ".Principal")],
    ),
    (Kind::Trust, r#""Effect": "Allow", "Action": "sts:AssumeRole""#, &[("MISSING_PRINCIPAL", "")]),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": ["sts:AssumeRole", "sts:GetUser"], "Principal": {"AWS": ["111122223333", "bob"]}, "Resource": "*""#,
        &[
            ("UNSUPPORTED_ACTION_IN_POLICY", ".Action[1]"),
            ("INVALID_PRINCIPAL", ".Principal.AWS[1]"),
            ("UNSUPPORTED_RESOURCE", ".Resource"),
            ("INVALID_ACTION", ".Action[1]"),
        ],
    ),
    (
        Kind::Trust,
        r#""Effect": "Deny", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"}, "NotPrincipal": {"AWS": "111122223333"}"#,
        &[("UNSUPPORTED_ELEMENT_COMBINATION", ".NotPrincipal")],
    ),
    (
        Kind::Trust,
        r#""Effect": "Deny", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": "111122223333"}"#,
        &[("UNSUPPORTED_NOT_PRINCIPAL", ".NotPrincipal")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "s3:GetObject", "NotPrincipal": {"AWS": "111122223333"}, "Resource": "arn:aws:s3:::b/*""#,
        &[("ALLOW_WITH_NOT_PRINCIPAL", ".NotPrincipal")],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "cognito-identity.amazonaws.com"}"#,
        &[
            ("MISSING_CONDITION_FOR_COGNITO", ".Principal.Federated"),
            ("MISSING_CONDITION_FOR_SHARED_ISSUER", ".Principal.Federated"),
            ("INVALID_ACTION", ".Action"),
        ],
    ),
    (
        Kind::Rcp,
        r#""Effect": "Deny", "Action": "*", "Principal": "*", "Resource": "*""#,
        &[("RCP_SYNTAX", "")],
    ),
    // Security warnings.
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}"#,
        &[("ALLOW_WITH_STAR_PRINCIPAL", ".Principal.AWS")],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}"#,
        &[],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "kms:Decrypt", "Principal": {"AWS": "*"}, "Resource": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "111122223333"}}"#,
        &[],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Resource": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Dev"}}"#,
        &[("ALLOW_WITH_STAR_PRINCIPAL", ".Principal")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Resource": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}"#,
        &[],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "sqs:SendMessage", "Principal": {"Service": "sns.amazonaws.com"}, "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}"#,
        &[("RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", ".Principal.Service")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "sqs:SendMessage", "Principal": {"Service": "s3.amazonaws.com"}, "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}"#,
        &[("RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", ".Principal.Service")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "sqs:SendMessage", "Principal": {"Service": "s3.amazonaws.com"}, "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:bucket"}}"#,
        &[],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["ec2.amazonaws.com", "scheduler.internal"]}"#,
        &[("RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", ".Principal.Service[1]")],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "scheduler.internal"}, "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}"#,
        &[],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringLike": {"iam:PassedToService": "*.amazonaws.com"}}"#,
        &[("PASS_ROLE_WITH_STAR_IN_RESOURCE", ".Resource")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "s3:GetObject", "Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}, "Resource": "arn:aws:s3:::b/*""#,
        &[],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Resource": "arn:aws:s3:::b/*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}"#,
        &[("ALLOW_WITH_STAR_PRINCIPAL", ".Principal")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Resource": "arn:aws:s3:::b/*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": []}}"#,
        &[
            ("ALLOW_WITH_STAR_PRINCIPAL", ".Principal"),
            ("EMPTY_ARRAY_CONDITION", ".Condition.StringEquals['aws:PrincipalOrgID']"),
        ],
    ),
    (
        Kind::Resource,
        r#""Effect": "Deny", "Action": "s3:GetObject", "Principal": "*", "Resource": "arn:aws:s3:::b/*""#,
        &[],
    ),
    (
        Kind::Managed,
        r#""Effect": "Allow", "Action": ["iam:GetUser", "iam:PassRole"], "Resource": ["arn:aws:iam::*:role/*"]"#,
        &[("PASS_ROLE_WITH_STAR_IN_RESOURCE", ".Resource[0]")],
    ),
    (
        Kind::Managed,
        r#""Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/Admin""#,
        &[("PASS_ROLE_WITH_STAR_IN_RESOURCE", ".Resource")],
    ),
    (
        Kind::Managed,
        r#""Effect": "Allow", "Action": "iam:PassRole", "Resource": ["arn:aws:iam::111122223333:role/app/*", "arn:aws:iam::111122223333:role/${aws:username}"]"#,
        &[],
    ),
    (
        Kind::Managed,
        r#""Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}"#,
        &[],
    ),
    (
        Kind::Managed,
        r#""Effect": "Allow", "Action": "iam:*", "Resource": "*""#,
        &[("PASS_ROLE_WITH_STAR_IN_ACTION_AND_STAR_IN_RESOURCE", ".Action")],
    ),
    (Kind::Managed, r#""Effect": "Deny", "Action": "iam:*", "Resource": "*""#, &[]),
    (
        Kind::Managed,
        r#""Effect": "Allow", "NotAction": "s3:*", "Resource": "*""#,
        &[("PASS_ROLE_WITH_NOT_ACTION_AND_STAR_IN_RESOURCE", ".NotAction")],
    ),
    (Kind::Managed, r#""Effect": "Allow", "NotAction": ["s3:*", "iam:*"], "Resource": "*""#, &[]),
    (
        Kind::Managed,
        r#""Effect": "Allow", "Action": "iam:PassRole", "NotResource": "arn:aws:iam::111122223333:role/Admin""#,
        &[("PASS_ROLE_WITH_NOT_RESOURCE", ".Action")],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole*", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
           "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}"#,
        &[("MISSING_CONDITION_FOR_SHARED_ISSUER", ".Principal.Federated")],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole*", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
           "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:octo/*", "repo:*"]}}"#,
        &[("MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", ".Principal.Federated")],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole*", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
           "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "*:ref:refs/heads/main"}}"#,
        &[("MISSING_CONDITION_FOR_SHARED_ISSUER", ".Principal.Federated")],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole*", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
           "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:octo/*"}}"#,
        &[],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "s3:PutObject", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Resource": "arn:aws:s3:::b/*""#,
        &[("RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", ".Principal.Service")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "s3:PutObject", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Resource": "arn:aws:s3:::b/*",
           "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}"#,
        &[],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:PrincipalTag/team": "blue"}}"#,
        &[("FORALLVALUES_WITH_SINGLE_VALUED_KEY", ".Condition['ForAllValues:StringEquals']")],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole*", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/id/x"},
           "Condition": {"ForAllValues:StringEquals": {"oidc.example.com/id/x:sub": "a"}}"#,
        &[("FORALLVALUES_WITH_SINGLE_VALUED_KEY", ".Condition['ForAllValues:StringEquals']")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}"#,
        &[("FORALLVALUES_HOLDS_WITHOUT_KEY", ".Condition['ForAllValues:StringEquals']")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "team"}, "Null": {"aws:TagKeys": "false"}}"#,
        &[],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "red"}}"#,
        &[("ALLOW_WITH_NEGATED_CONDITION_ON_OPTIONAL_KEY", ".Condition.StringNotEquals")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "red", "aws:PrincipalTag/site": "x"}}"#,
        &[("ALLOW_WITH_NEGATED_CONDITION_ON_OPTIONAL_KEY", ".Condition.StringNotEquals")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
        &[],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}"#,
        &[("ALLOW_WHEN_MFA_IS_UNKNOWN", ".Condition.BoolIfExists")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}"#,
        &[("DENY_WITHOUT_MFA_MISSES_LONG_TERM_KEYS", ".Condition.Bool")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}"#,
        &[],
    ),
    // Statements that never match.
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:${verb}", "Resource": "arn:aws:s3:${aws:RequestedRegion}::b", "Condition": {"Bool": {"k": "${aws:x"}}"#,
        &[
            ("VARIABLE_UNSUPPORTED_IN_ELEMENT", ".Action"),
            ("VARIABLE_UNSUPPORTED_IN_ELEMENT", ".Resource"),
            ("MISSING_BRACE_IN_VARIABLE", ".Condition.Bool.k"),
            ("CONDITION_VALUE_NEVER_MATCHES", ".Condition.Bool.k"),
        ],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::b/${aws:usernam}", "arn:aws:s3:::b/${aws:TagKeys, 'x'}", "arn:aws:s3:::b/${}", "arn:aws:s3:::b/${aws:username, 'x'}"],
           "Condition": {"StringEquals": {"aws:userid": ["${aws:PrincipalTag}", "${*}${aws:username,'x'}", "${ aws:username }", "${aws:PrincipalTag/a b}"]}}"#,
        &[
            ("VARIABLE_WITHOUT_VALUE", ".Resource[0]"),
            ("VARIABLE_WITHOUT_VALUE", ".Resource[1]"),
            ("VARIABLE_WITHOUT_VALUE", ".Resource[2]"),
            ("VARIABLE_WITHOUT_VALUE", ".Condition.StringEquals['aws:userid'][0]"),
            ("VARIABLE_WITHOUT_VALUE", ".Condition.StringEquals['aws:userid'][1]"),
            ("VARIABLE_WITHOUT_VALUE", ".Condition.StringEquals['aws:userid'][2]"),
        ],
    ),
    (
        Kind::Managed,
        r#""Effect": "Allow", "Action": ["iam:GetUsr", "iam:List*", "sqs:What Ever", "sts:Get*"], "Resource": "*""#,
        &[("INVALID_ACTION", ".Action[0]"), ("INVALID_ACTION", ".Action[2]")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "NotAction": "*", "Resource": "*""#,
        &[("NOT_ACTION_WITH_STAR", ".NotAction")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "NotResource": ["*"]"#,
        &[("NOT_RESOURCE_WITH_STAR", ".NotResource[0]")],
    ),
    (Kind::Scp, r#""Effect": "Deny", "Action": [], "Resource": "*""#, &[("EMPTY_ARRAY_ACTION", ".Action")]),
    (
        Kind::Scp,
        r#""Effect": "Deny", "Action": "*", "Resource": []"#,
        &[("EMPTY_ARRAY_RESOURCE", ".Resource")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:userid": []}}"#,
        &[("EMPTY_ARRAY_CONDITION", ".Condition.StringEquals['aws:userid']")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": ["iam:GetAccountSummary", "iam:GetUser"], "Resource": "arn:aws:iam::111122223333:user/*""#,
        &[("ACTION_WITHOUT_RESOURCE", ".Action[0]"), ("INVALID_ACTION", ".Action[0]")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:sqs:us-east-1:111122223333:q", "arn:aws:s3:::b/*"]"#,
        &[("RESOURCE_OF_OTHER_SERVICE", ".Resource[0]")],
    ),
    (
        Kind::Scp,
        r#""Effect": "Deny", "Action": "s3:*", "Resource": ["b/*", "bucket", " *", "arn:AWS:s3:::b", "arn:aws-cn:s3:::b/*", "arn:*:s3:::c/*", "arn:a?s:s3:::d"]"#,
        &[
            ("RESOURCE_NEVER_MATCHES", ".Resource[0]"),
            ("RESOURCE_NEVER_MATCHES", ".Resource[1]"),
            ("RESOURCE_NEVER_MATCHES", ".Resource[2]"),
            ("RESOURCE_NEVER_MATCHES", ".Resource[3]"),
            ("RESOURCE_NEVER_MATCHES", ".Resource[4]"),
        ],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b""#,
        &[("S3_BUCKET_FOR_OBJECT_ACTION", ".Action")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "arn:aws:s3:::b/*""#,
        &[("S3_OBJECT_FOR_BUCKET_ACTION", ".Action[0]")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:SourceVpce": "true"}, "StringEquals": {"aws:SourceVpce": "vpce-1"}}"#,
        &[("CONTRADICTORY_CONDITIONS", ".Condition.StringEquals['aws:SourceVpce']")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:userid": "a"}, "StringNotEquals": {"AWS:userid": ["a", "b"]}}"#,
        &[("CONTRADICTORY_CONDITIONS", ".Condition.StringNotEquals['AWS:userid']")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:username": "x*"}, "StringEquals": {"aws:userid": "a"}, "StringNotEquals": {"aws:userid": "a"}}"#,
        &[("CONTRADICTORY_CONDITIONS", ".Condition.StringNotEquals['aws:userid']")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": ["a", "c"], "AWS:Username": "b"}}"#,
        &[("CONTRADICTORY_CONDITIONS", ".Condition.StringEquals['AWS:Username']")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": ["a", "c"], "AWS:Username": "c"}, "StringEqualsIfExists": {"aws:userid": "a", "AWS:userid": "b"}}"#,
        &[],
    ),
    (
        Kind::Resource,
        r#""Effect": "Allow", "Action": "s3:GetObject", "Principal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:group/g"]}, "Resource": "arn:aws:s3:::b/*""#,
        &[("GROUP_AS_PRINCIPAL", ".Principal.AWS[1]")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "sts:AssumeRole", "Resource": ["arn:aws:iam::111122223333:user/a", "arn:aws:sts::111122223333:assumed-role/r/s", "arn:aws:iam::111122223333:role/r"]"#,
        &[("ASSUME_ROLE_WITHOUT_ROLE", ".Resource[0]"), ("ASSUME_ROLE_WITHOUT_ROLE", ".Resource[1]")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": ["arn:aws:sts::111122223333:assumed-role/r/*", "arn:aws:iam::111122223333:role/r"]}}"#,
        &[("CONDITION_VALUE_NEVER_MATCHES", ".Condition.ArnLike['aws:PrincipalArn'][0]")],
    ),
    // Both hold for requests without the key.
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"aws:userid": "a"}, "StringNotEquals": {"aws:userid": "a"}}"#,
        &[],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:TagKeys": "a"}}"#,
        &[("MISSING_QUALIFIER", ".Condition.StringEquals")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgIdd": "a", "aws:PrincipalTag": "b"}}"#,
        &[
            ("INVALID_GLOBAL_CONDITION_KEY", ".Condition.StringEquals['aws:PrincipalOrgIdd']"),
            ("MISSING_TAG_KEY", ".Condition.StringEquals['aws:PrincipalTag']"),
        ],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole*", "Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/p"}, "Condition": {"StringEquals": {"saml:audience": "a", "SAML:iss": "b", "sts:RoleSessionNam": "c", "sts:RoleSessionName": "d"}}"#,
        &[
            ("INVALID_SERVICE_CONDITION_KEY", ".Condition.StringEquals['saml:audience']"),
            ("INVALID_SERVICE_CONDITION_KEY", ".Condition.StringEquals['sts:RoleSessionNam']"),
        ],
    ),
    (
        Kind::Trust,
        r#""Effect": "Allow", "Action": "sts:AssumeRole*", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/gitlab.com"}, "Condition": {"StringEquals": {"gitlab.com:sub": "project_path:acme/shop:ref_type:branch:ref:main", "gitlab.com:projectid": "a", "gitlab.com:project_id": "a", "gitlab.example.com:projectid": "a"}}"#,
        &[("UNKNOWN_CLAIM_AS_CONDITION_KEY", ".Condition.StringEquals['gitlab.com:projectid']")],
    ),
    (
        Kind::Session,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}"#,
        &[("CONDITION_VALUE_NEVER_MATCHES", ".Condition.DateLessThan['aws:CurrentTime']")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:userid": ["AIDA*", "${*}"]}}"#,
        &[("WILDCARD_WITHOUT_LIKE_OPERATOR", ".Condition.StringEquals['aws:userid'][0]")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NullIfExists": {"aws:userid": "true"}}"#,
        &[("NULL_WITH_IF_EXISTS", ".Condition.NullIfExists")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NullIfExists": {}}"#,
        &[("EMPTY_OBJECT_CONDITION", ".Condition.NullIfExists")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["172.16.0.0/12", "172.32.0.0/16"]}}"#,
        &[("PRIVATE_IP_ADDRESS", ".Condition.IpAddress['aws:SourceIp'][0]")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Deny", "Action": "s3:GetObject", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/a"}, "Resource": "arn:aws:s3:::b/*""#,
        &[("NOT_PRINCIPAL_WITHOUT_ACCOUNT", ".NotPrincipal.AWS")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Deny", "Action": "s3:GetObject", "NotPrincipal": {"AWS": ["arn:aws:iam::111122223333:user/a", "111122223333"]}, "Resource": "arn:aws:s3:::b/*""#,
        &[],
    ),
    (
        Kind::Resource,
        r#""Effect": "Deny", "Action": "s3:GetObject", "NotPrincipal": {"AWS": ["arn:aws:sts::111122223333:assumed-role/R/s", "111122223333"]}, "Resource": "arn:aws:s3:::b/*""#,
        &[("NOT_PRINCIPAL_WITHOUT_ACCOUNT", ".NotPrincipal.AWS[0]")],
    ),
    (
        Kind::Resource,
        r#""Effect": "Deny", "Action": "s3:GetObject", "NotPrincipal": {"AWS": ["arn:aws:sts::111122223333:assumed-role/R/s", "arn:aws:iam::111122223333:role/x/R", "111122223333"]}, "Resource": "arn:aws:s3:::b/*""#,
        &[],
    ),
    // Suggestions.
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": ["s3:GetObject", "s3:Get*", "S3:GETOBJECT", "s3:Put?bject", "s3:PutObject"], "Resource": "*""#,
        &[("REDUNDANT_ACTION", ".Action[0]"), ("REDUNDANT_ACTION", ".Action[2]")],
    ),
    (
        Kind::Inline,
        r#""Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::b/x/*", "arn:aws:s3:::b/*", "arn:aws:s3:::c", "arn:aws:s3:::c"]"#,
        &[("REDUNDANT_RESOURCE", ".Resource[0]"), ("REDUNDANT_RESOURCE", ".Resource[3]")],
    ),
    (
        Kind::Inline,
        r#""Sid": "", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:userid": ["a", "a"]}, "Bool": {}}"#,
        &[
            ("EMPTY_SID_VALUE", ".Sid"),
            ("REDUNDANT_CONDITION_VALUE", ".Condition.StringEquals['aws:userid'][1]"),
            ("EMPTY_OBJECT_CONDITION", ".Condition.Bool"),
        ],
    ),
];

/// Whole documents: kind, text, what is found.
const DOCUMENTS: &[(Kind, &str, Told)] = &[
    (Kind::Inline, "{\"Version\": \"2012-10-17\",\n \"Statement\": [}", &[("JSON_SYNTAX_ERROR", "$")]),
    (Kind::Inline, r#"{"Statement": [], "Statement": []}"#, &[("JSON_SYNTAX_ERROR", "$")]),
    (Kind::Inline, r#"{"Version": "2020-01-01", "Statement": []}"#, &[("INVALID_VERSION", "$.Version")]),
    (Kind::Inline, r#"{"Version": "2012-10-17"}"#, &[("MISSING_STATEMENT", "$")]),
    (Kind::Inline, r#"{"Version": "2012-10-17", "Statement": []}"#, &[("MISSING_STATEMENT", "$.Statement")]),
    (
        Kind::Managed,
        r#"{"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#,
        &[("UNSUPPORTED_VERSION", "$.Version")],
    ),
    (
        Kind::Managed,
        r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#,
        &[("UNSUPPORTED_VERSION", "$")],
    ),
    (
        Kind::Inline,
        r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"}}"#,
        &[("MISSING_VERSION", "$"), ("VARIABLE_UNSUPPORTED_IN_VERSION", "$.Statement.Resource")],
    ),
    (
        Kind::Inline,
        r#"{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#,
        &[("UNIQUE_SIDS_REQUIRED", "$.Statement[1].Sid"), ("REDUNDANT_STATEMENT", "$.Statement[1]")],
    ),
    (
        Kind::Inline,
        r#"{"Version": "2012-10-17", "Statement": [{"Sid": "a b-c", "Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Sid": "a_b", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}"#,
        &[("INVALID_SID", "$.Statement[1].Sid")],
    ),
    (
        Kind::Scp,
        r#"{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Deny", "Action": "s3:*", "Resource": "*"},
            {"Sid": "A", "Effect": "Deny", "Action": "sqs:*", "Resource": "*"}]}"#,
        &[("UNIQUE_SIDS_RECOMMENDED", "$.Statement[1].Sid")],
    ),
];

#[test]
fn every_statement_is_told_what_is_wrong_with_it_and_nothing_else() {
    for (kind, members, expected) in STATEMENTS {
        let expected: Vec<_> =
            expected.iter().map(|(code, path)| (*code, format!("$.Statement[0]{path}"))).collect();
        let mut found = codes(*kind, &policy(members));
        found.sort_by_key(|entry| expected.iter().position(|other| other == entry));
        assert_eq!(found, expected, "{kind:?} {members}");
    }
}

#[test]
fn every_document_is_told_what_is_wrong_with_it_and_nothing_else() {
    for (kind, text, expected) in DOCUMENTS {
        let expected: Vec<_> = expected.iter().map(|(code, path)| (*code, (*path).to_owned())).collect();
        assert_eq!(codes(*kind, text), expected, "{kind:?} {text}");
    }
}

#[test]
fn every_code_has_an_example() {
    let shown: BTreeSet<&str> = STATEMENTS
        .iter()
        .chain(DOCUMENTS)
        .flat_map(|(.., expected)| expected.iter().map(|(code, _)| *code))
        .chain([TOO_LONG])
        .collect();
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(shown, all);
    assert_eq!(all.len(), Code::ALL.len(), "two codes of one name");
}

/// An error is what keeps a document from being written, and the first is the one AWS tells.
#[test]
fn errors_are_the_faults_of_writing() {
    let whole = STATEMENTS.iter().map(|(kind, members, _)| (*kind, policy(members)));
    for (kind, text) in whole.chain(DOCUMENTS.iter().map(|(kind, text, _)| (*kind, (*text).to_owned()))) {
        let found = found(kind, &text);
        let mut errors = found.iter().filter(|finding| finding.code.severity() == Severity::Error);
        match crate::validate(kind, &text) {
            Ok(()) => assert_eq!(errors.next(), None, "{text}"),
            Err(malformed) => {
                let same = |finding: &Finding| {
                    finding.aws_message.as_ref() == Some(&malformed.message)
                        && finding.offset == malformed.offset
                };
                assert!(errors.any(same), "{text}: {malformed}");
            }
        }
        assert!(
            found
                .iter()
                .all(|finding| (finding.code.severity() == Severity::Error) == finding.aws_message.is_some())
        );
    }
}

#[test]
fn a_key_that_no_request_has_is_told_with_the_one_that_was_meant() {
    let told = |key: &str| {
        let members = format!(
            r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {{"StringEquals": {{"{key}": "x"}}}}"#
        );
        let found = found(Kind::Inline, &policy(&members));
        found.into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        told("saml:audience"),
        "There is no condition key `saml:audience`, so it is missing in every request. Did you mean `saml:aud`?"
    );
    assert_eq!(
        told("gitlab.com:projectid"),
        "No token of gitlab.com has the condition key `gitlab.com:projectid`, unless the claim is set for its \
         provider. Did you mean `gitlab.com:project_id`?"
    );
    assert_eq!(
        told("www.amazon.com:aud"),
        "There is no condition key `www.amazon.com:aud`, so it is missing in every request."
    );
    assert_eq!(told("idp.example.com:projectid"), "");
}

/// Shown by the test below, since no document of a table is so long.
const TOO_LONG: &str = "POLICY_SIZE_EXCEEDS_QUOTA";

#[test]
fn a_place_is_told_in_lines_and_columns() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"s3:*\",\n    \"Resource\": \"é\"}\n}";
    let found = found(Kind::Inline, text);
    let place = |finding: &Finding| (finding.line, finding.column, finding.path.clone());
    assert_eq!(found.iter().map(place).collect::<Vec<_>>(), [(4, 17, "$.Statement.Resource".to_owned())]);
    assert_eq!(found[0].aws_message.as_deref(), Some("Resource é must be in ARN format or \"*\"."));
}

//! The middling question of the figures, in words of both policy languages: `bench/cedar` puts it to both.
//!
//! Five policies of four statements, each with wildcards in action and resource and two conditions. Half of them speak of
//! the action's service, or all; the one that allows stands in the last policy, so that none is spared.

use daypass_policy::{Context, Principal, Request};

/// The account of caller and resource.
pub(crate) const ACCOUNT: &str = "111122223333";
/// The role whose session asks.
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/app/reader";
/// What it asks to do.
pub(crate) const ACTION: &str = "s3:GetObject";
/// What it asks to do that to.
pub(crate) const OBJECT: &str = "arn:aws:s3:::lake-4/blue/2026/01/15/part-0001.parquet";

/// One statement: effect, action, resource, and whether it wants a secure transport or none. The caller's team is the
/// other condition of each.
pub(crate) struct Line {
    pub(crate) effect: &'static str,
    pub(crate) action: &'static str,
    pub(crate) resource: String,
    pub(crate) secure: bool,
}

/// The pattern that every statement holds the caller's team against.
pub(crate) const TEAM: &str = "blue*";

/// The statements of each policy; `one_service` for all of them of the action's.
pub(crate) fn lines(one_service: bool) -> Vec<Vec<Line>> {
    let line = |effect, action, resource, secure| Line { effect, action, resource, secure };
    let policy = |n: u32| {
        let mut lines = vec![
            line("Allow", "s3:Get*", format!("arn:aws:s3:::lake-{n}/*"), true),
            line("Deny", "s3:*", format!("arn:aws:s3:::lake-{n}/*"), false),
        ];
        lines.extend(if one_service {
            [
                line("Allow", "s3:List*", format!("arn:aws:s3:::lake-{n}*"), true),
                line("Allow", "s3:*Object*", format!("arn:aws:s3:::*-{n}/shared/*"), true),
            ]
        } else {
            let here = format!("eu-west-1:{ACCOUNT}");
            [
                line("Allow", "dynamodb:*Item", format!("arn:aws:dynamodb:{here}:table/lake-{n}-*"), true),
                line("Allow", "sqs:*Message*", format!("arn:aws:sqs:{here}:*-{n}"), true),
            ]
        });
        lines
    };
    (0..5).map(policy).collect()
}

/// The five documents.
pub(crate) fn documents(one_service: bool) -> Vec<String> {
    let statement = |Line { effect, action, resource, secure }: &Line| {
        format!(
            r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}","Condition":{{
  "StringLike":{{"aws:PrincipalTag/team":"{TEAM}"}},"Bool":{{"aws:SecureTransport":"{secure}"}}}}}}"#
        )
    };
    let document = |lines: &Vec<Line>| {
        let statements: Vec<String> = lines.iter().map(statement).collect();
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
    };
    lines(one_service).iter().map(document).collect()
}

/// What is known of a call, about as much as daypass knows of one.
pub(crate) fn context() -> Context {
    let mut context = Context::new();
    for (key, value) in [
        ("aws:CurrentTime", "2026-01-15T12:00:00Z"),
        ("aws:EpochTime", "1768478400"),
        ("aws:PrincipalAccount", ACCOUNT),
        ("aws:PrincipalArn", ROLE),
        ("aws:PrincipalTag/team", "blue"),
        ("aws:PrincipalType", "AssumedRole"),
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:ResourceAccount", ACCOUNT),
        ("aws:SecureTransport", "true"),
        ("aws:SourceIp", "192.0.2.10"),
        ("aws:UserAgent", "aws-cli/2.9.19 Python/3.11.2"),
        ("aws:userid", "AROAJQABLZS4A3QDU576Q:nightly-report"),
        ("s3:prefix", "blue/2026"),
    ] {
        context.insert(key, value);
    }
    context
}

/// A role's session reads an object.
pub(crate) fn request<'a>(context: &'a Context, resource: &'a str) -> Request<'a> {
    Request {
        principal: Principal::Role {
            account: ACCOUNT,
            session_arn: "arn:aws:sts::111122223333:assumed-role/reader/nightly-report",
            role_arn: ROLE,
            role_id: Some("AROAJQABLZS4A3QDU576Q"),
            service_linked: false,
        },
        action: ACTION,
        resource,
        resource_account: Some(ACCOUNT),
        context,
    }
}

//! What a decision costs, from one statement to ten thousand, and what somebody can make it cost who tries.

use std::hint::black_box;

use daypass_policy::{Context, Named, Policies, Policy, Request, evaluate};

use crate::Outcome;
use crate::parts::{best, document_of};
use crate::question;

/// The most characters that a managed policy may have without its white space.
const MANAGED_MAX: usize = 6144;
/// The most that any document may have (`daypass_policy::validate`).
const DOCUMENT_MAX: usize = 131_072;
const LAKE: &str = "arn:aws:s3:::lake/blue/2026/01/15/part-0001.parquet";

/// Measures all of it and prints a line for each.
pub(crate) fn print() -> Outcome<()> {
    ordinary()?;
    large()?;
    stars()?;
    at_the_bound()
}

fn ordinary() -> Outcome<()> {
    let context = question::context();
    let lake = question::request(&context, LAKE);
    let one = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}}"#;
    allowed("decision (a): 1 statement", &lake, &[one.to_owned()], None)?;
    let question = question::request(&context, question::OBJECT);
    for (one_service, name) in [(false, "half"), (true, "all")] {
        let name = format!(
            "decision (b): 5 policies of 4 statements, wildcards, 2 conditions, {name} of the action's service"
        );
        allowed(&name, &question, &question::documents(one_service), None)?;
    }
    allowed("decision, small: 1 policy, 3 statements", &lake, &[typical(0)], None)?;
    let ten: Vec<String> = (0..10).map(typical).collect();
    let name = "decision, typical: 10 policies, 30 statements, conditions, a session policy";
    allowed(name, &lake, &ten, Some(ANY_READ))
}

/// The statement that allows comes last: none is spared.
fn large() -> Outcome<()> {
    let context = question::context();
    let lake = question::request(&context, LAKE);
    let with_last = |mut texts: Vec<String>| {
        texts.push(typical(0));
        texts
    };
    let ten = with_last(vec![document_of(MANAGED_MAX); 9]);
    allowed("decision (c): 9 managed policies of the largest size and 3 statements", &lake, &ten, None)?;
    let thousand = with_last(vec![many(0, 997, "s3")]);
    allowed("decision (d): 1,000 statements, all of the same action", &lake, &thousand, None)?;
    for (service, name) in [("dynamodb", "3 of the action's service"), ("s3", "all of the same action")] {
        let texts = with_last((0..20).map(|policy| many(policy, 500, service)).collect());
        allowed(&format!("decision, large: 10,003 statements, {name}"), &lake, &texts, None)?;
    }
    let largest = with_last(vec![document_of(DOCUMENT_MAX - 1000)]);
    allowed("decision, large: a document of 130,000 characters", &lake, &largest, None)
}

/// Measures a request that these policies must allow.
fn allowed(name: &str, request: &Request<'_>, texts: &[String], session: Option<&str>) -> Outcome<()> {
    let parsed: Vec<Policy> = texts.iter().map(|text| Policy::parse(text)).collect::<Result<_, _>>()?;
    let identity: Vec<_> = parsed.iter().map(|policy| Named { id: "p", policy }).collect();
    let session = session.map(Policy::parse).transpose()?;
    let layer: Vec<_> = session.iter().map(|policy| Named { id: "session", policy }).collect();
    let layers: Vec<&[Named<'_>]> = if layer.is_empty() { Vec::new() } else { vec![&layer] };
    let policies = Policies { identity: &identity, session: &layers, ..Policies::default() };
    if !evaluate(request, &policies).is_allowed() {
        return Err(format!("{name}: the measured request is denied").into());
    }
    best(name, || drop(black_box(evaluate(black_box(request), &policies))));
    Ok(())
}

/// A text of `a` against `a*a*…b`: time in proportion to the text, whatever the stars.
fn stars() -> Outcome<()> {
    let context = question::context();
    for length in [500, 1000, 2000] {
        let pattern = format!("arn:aws:s3:::{}b", "a*".repeat(length / 2));
        let policy = Policy::parse(&format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"{pattern}"}}}}"#
        ))?;
        let identity = [Named { id: "p", policy: &policy }];
        let policies = Policies { identity: &identity, ..Policies::default() };
        let resource = format!("arn:aws:s3:::{}", "a".repeat(length));
        let request = question::request(&context, &resource);
        best(&format!("decision: a*a*…b of {length} characters on {length} times a"), || {
            drop(black_box(evaluate(black_box(&request), &policies)));
        });
    }
    Ok(())
}

/// What a caller can make one decision cost, who chose patterns and texts to that end. Nothing matches, so policy after
/// policy is looked at, until the bound; after it nothing is compared any more.
fn at_the_bound() -> Outcome<()> {
    let wildcards = format!("*{}zz", "a?a*".repeat(150));
    let address = "2001:db8:1:2:3:4:5:6/128";
    for (operator, pattern, value, values) in [
        ("StringLike", wildcards.as_str(), "a".repeat(450) + "cN", 100),
        ("StringLike", "*x?y*", "x".repeat(60_000), 1),
        ("StringEqualsIgnoreCase", &"\u{e9}".repeat(5000), "\u{c9}".repeat(4999) + "x", 1),
        ("ArnLike", &format!("arn:aws:{0}:{0}:{0}:{0}x", "*a?a*".repeat(20)), arn_of(&"a".repeat(100)), 100),
        ("NumericEquals", "12345678901234.5678901234567", "12345678901234.5678901234568".into(), 100),
        ("IpAddress", address, "2001:db8:1:2:3:4:5:7".into(), 100),
        ("BinaryEquals", &"YWJj".repeat(100), "YWJj".repeat(99) + "YWJk", 100),
    ] {
        let policy = Policy::parse(&format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*",
  "Condition":{{"ForAnyValue:{operator}":{{"aws:TagKeys":"{pattern}"}}}}}}]}}"#
        ))?;
        let identity = vec![Named { id: "p", policy: &policy }; 10_000];
        let policies = Policies { identity: &identity, ..Policies::default() };
        let mut context = Context::new();
        context.insert_list("aws:TagKeys", vec![value; values]);
        let request = question::request(&context, LAKE);
        let what = pattern.chars().take(12).collect::<String>();
        best(&format!("decision at its bound: {operator} {what}…, {values} values"), || {
            drop(black_box(evaluate(black_box(&request), &policies)));
        });
    }
    Ok(())
}

/// An ARN with this in the place of everything that may be chosen.
fn arn_of(part: &str) -> String {
    format!("arn:aws:{part}:{part}:{part}:{part}")
}

const ANY_READ: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}}"#;

/// Three statements as people write them. Only the first document allows what is asked.
fn typical(n: usize) -> String {
    let bucket = if n == 0 { "lake".to_owned() } else { format!("lake-{n}") };
    format!(
        r#"{{"Version":"2012-10-17","Statement":[
  {{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"arn:aws:s3:::{bucket}/${{aws:PrincipalTag/team}}/*",
    "Condition":{{"IpAddress":{{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}}}}},
  {{"Sid":"List","Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::{bucket}","Condition":{{"StringLike":{{"s3:prefix":"${{aws:PrincipalTag/team}}/*"}}}}}},
  {{"Sid":"Tls","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::{bucket}/*","Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}]}}"#
    )
}

/// Many statements on other resources.
fn many(policy: usize, statements: usize, service: &str) -> String {
    let statement = |n| {
        format!(
            r#"{{"Effect":"Allow","Action":"{service}:GetObject","Resource":"arn:aws:{service}:::t{policy}-{n}/*"}}"#
        )
    };
    let statements: Vec<String> = (0..statements).map(statement).collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

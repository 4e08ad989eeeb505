//! A decision that allows takes nothing from the heap: what is asked for every request must not grow with it.

use allocation_counter::measure;
use daypass_policy::{Context, evaluate};

use crate::support::{OTHER, ROLE, Scene, allow, attached, policy};

const CONDITIONS: &str = r#"{"Sid":"Lake","Effect":"Allow","Action":["s3:Get*","s3:*Object*","s3:GetObject"],
  "Resource":["arn:aws:s3:::lake/${aws:PrincipalTag/team}/*","arn:aws:s3:::*-lake/*"],
  "Condition":{"StringLike":{"aws:PrincipalTag/team":"b*"},"Bool":{"aws:SecureTransport":"true"},
    "IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"},
    "NumericLessThan":{"aws:MultiFactorAuthAge":"3600"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"},
    "ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]},"Null":{"aws:TokenIssueTime":"true"}}}"#;

fn scene() -> Scene {
    let mut context = Context::new();
    for (key, value) in [
        ("aws:PrincipalTag/team", "blue"),
        ("aws:SecureTransport", "true"),
        ("aws:SourceIp", "192.0.2.10"),
        ("aws:CurrentTime", "2026-01-15T12:00:00Z"),
        ("aws:MultiFactorAuthAge", "60"),
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/team/Dev"),
    ] {
        context.insert(key, value);
    }
    context.insert_list("aws:TagKeys", vec!["b".to_owned()]);
    Scene {
        principal: ROLE,
        resource: "arn:aws:s3:::lake/blue/part-0001",
        context,
        identity: vec![policy(CONDITIONS), allow("sqs:*")],
        boundary: Some(vec![allow("s3:*")]),
        session: vec![vec![allow("s3:Get*")]],
        ..Scene::default()
    }
}

/// How often one decision allocates, which must be an allow.
fn allocations(scene: &Scene) -> u64 {
    scene.with(|request, policies| {
        assert!(evaluate(request, policies).is_allowed());
        measure(|| drop(evaluate(request, policies))).count_total
    })
}

#[test]
fn an_allow_allocates_nothing() {
    assert_eq!(allocations(&scene()), 0);
    // Two statements grant, one on each side.
    let both = Scene { owner: Some(OTHER), attached: Some(attached("Allow", r#""*""#)), ..scene() };
    assert_eq!(both.decide().statements.len(), 2);
    assert_eq!(allocations(&both), 0);
    // Enough statements for an index.
    let others: Vec<String> = (0..50)
        .map(|n| format!(r#"{{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b{n}/*"}}"#))
        .collect();
    let large = Scene { identity: vec![policy(&others.join(",")), policy(CONDITIONS)], ..scene() };
    assert_eq!(allocations(&large), 0);
}

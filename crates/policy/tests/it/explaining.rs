//! What an explanation says of each statement.

use daypass_policy::{Context, Outcome, PolicyType, explain};

use crate::support::{Scene, allow, attached, deny, policy};

#[test]
fn the_first_part_that_does_not_match_is_named() {
    let scene = Scene {
        identity: vec![policy(
            r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"},
               {"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::other/*"},
               {"Sid":"Tagged","Effect":"Allow","Action":"s3:Get*","Resource":"*","Condition":{
                 "Null":{"aws:Nope":"true"},"StringEquals":{"aws:PrincipalTag/Team":"blue"}}},
               {"Effect":"Deny","Action":"s3:Get*","Resource":"*","Condition":{"StringIs":{"aws:x":"y"}}}"#,
        )],
        attached: Some(attached("Allow", r#"{"AWS":"444455556666"}"#)),
        ..Scene::default()
    };
    let explanation = scene.with(explain);
    assert_eq!(explanation.decision, scene.decide());
    let outcomes: Vec<_> = explanation
        .statements
        .iter()
        .map(|report| (report.policy_type, report.index, report.outcome.to_string()))
        .collect();
    assert_eq!(
        outcomes,
        [
            (PolicyType::Resource, 0, "the principal does not match".to_owned()),
            (PolicyType::Identity, 0, "the action does not match".to_owned()),
            (PolicyType::Identity, 1, "the resource does not match".to_owned()),
            (
                PolicyType::Identity,
                2,
                "the condition `StringEquals` on `aws:PrincipalTag/Team` is not met: the request has no such key".to_owned()
            ),
            (PolicyType::Identity, 3, "matches".to_owned()),
        ]
    );
    assert_eq!(explanation.statements[3].sid.as_deref(), Some("Tagged"));
}

#[test]
fn a_key_of_several_values_is_told_to_need_a_qualifier() {
    let mut context = Context::new();
    context.insert_list("aws:TagKeys", vec!["a".to_owned()]);
    context.insert_list("aws:CalledVia", vec![]);
    let scene = Scene {
        identity: vec![policy(
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:TagKeys":"a"}}},
               {"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"b"}}},
               {"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"b"}}},
               {"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"aws:TagKeys":"true"}}}"#,
        )],
        context,
        ..Scene::default()
    };
    let outcomes: Vec<_> =
        scene.with(explain).statements.iter().map(|report| report.outcome.to_string()).collect();
    assert_eq!(
        outcomes,
        [
            "the condition `StringEquals` on `aws:TagKeys` is not met: a key of several values needs ForAllValues: or ForAnyValue:",
            "the condition `ForAnyValue:StringEquals` on `aws:TagKeys` is not met by `a`",
            "the condition `ForAnyValue:StringEquals` on `aws:CalledVia` is not met: the request has the key, and no value in it",
            "the condition `Null` on `aws:TagKeys` is not met by `a`",
        ]
    );
}

#[test]
fn statements_that_change_nothing_are_explained_too() {
    let scene = Scene { identity: vec![allow("*"), allow("s3:*"), deny("sqs:*")], ..Scene::default() };
    let explanation = scene.with(explain);
    assert_eq!(explanation.statements.len(), 3);
    assert_eq!(explanation.statements[1].outcome, Outcome::Matched);
    assert_eq!(explanation.decision.statements.len(), 1);
}

#[test]
fn levels_of_the_organization_are_named() {
    let scene = Scene {
        scp: vec![vec![allow("*")], vec![deny("s3:*"), allow("*")]],
        identity: vec![allow("*")],
        ..Scene::default()
    };
    let explanation = scene.with(explain);
    let levels: Vec<_> = explanation.statements.iter().map(|report| report.level.as_deref()).collect();
    assert_eq!(levels, [Some("ou"), Some("ou"), Some("ou"), None]);
    assert_eq!(explanation.decision.statements[0].sid.as_deref(), Some("No"));
}

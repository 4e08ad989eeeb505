//! Documents that are too long, and what looking through one of the largest size may cost and tell.

use super::*;

/// By the quotas of the IAM and the Organizations User Guide.
#[test]
fn a_document_beyond_its_quota_is_an_error() {
    let long = |size: usize, white_space: usize, members: &str| {
        let text =
            policy(members).replace("\"Version\": ", &format!("{}\"Version\": ", " ".repeat(white_space)));
        let unpadded = if white_space > 0 { text.len() } else { crate::size_without_white_space(&text) };
        text.replace("\"Effect\"", &format!("\"Sid\":\"{}\",\"Effect\"", "a".repeat(size - unpadded - 9)))
    };
    let trust = r#""Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"}"#;
    let rcp = r#""Effect":"Deny","Action":"s3:*","Principal":"*","Resource":"*""#;
    let deny = r#""Effect":"Deny","Action":"s3:*","Resource":"*""#;
    for (kind, members, size_max, white_space) in [
        (Kind::Managed, deny, 6144, 0),
        (Kind::Boundary, deny, 6144, 0),
        (Kind::Inline, deny, 10_240, 0),
        (Kind::Session, deny, 2048, 100),
        (Kind::Trust, trust, 2048, 0),
        (Kind::Scp, deny, 5120, 100),
        (Kind::Rcp, rcp, 5120, 100),
    ] {
        assert_eq!(codes(kind, &long(size_max, white_space, members)), [], "{kind:?}");
        let over = long(size_max + 1, white_space, members);
        assert_eq!(codes(kind, &over), [(TOO_LONG, "$".to_owned())], "{kind:?}");
    }
    let told = &found(Kind::Managed, &long(8718, 0, deny))[0];
    assert_eq!(told.message, "The policy has 8718 characters without white space; 6144 are the most.");
    assert_eq!(told.aws_message.as_deref(), Some("Cannot exceed quota for PolicySize: 6144"));
    let told = &found(Kind::Trust, &long(2049, 0, trust))[0];
    assert_eq!(told.aws_message.as_deref(), Some("Cannot exceed quota for ACLSizePerRole: 2048"));
}

/// A document of the largest size is looked through in time that a call may take.
#[test]
fn a_list_of_thousands_is_compared_with_bounds() {
    let actions: Vec<String> = (0..5000).map(|n| format!("\"s3:Get{n:04}*\"")).collect();
    // The last is the first once more, which nobody compares it with.
    let list = format!(r#"{},"s3:Get0000*""#, actions.join(","));
    let text = policy(&format!(r#""Effect": "Allow", "Action": [{list}], "Resource": "*""#));
    assert!(text.len() < json::CHARACTERS_MAX);
    assert_eq!(codes(Kind::Inline, &text), [(TOO_LONG, "$".to_owned())]);
}

/// What keys of one operator share is one finding, and does not push others out of the bounded list.
#[test]
fn what_is_told_once_takes_the_room_of_one() {
    let keys: Vec<String> = (0..2000).map(|n| format!(r#""aws:PrincipalTag/{n}": "x""#)).collect();
    let text = policy(&format!(
        r#""Sid": "", "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {{"StringNotEquals": {{{}}}}}"#,
        keys.join(",")
    ));
    assert_eq!(
        found(Kind::Inline, &text).iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(),
        [TOO_LONG, "ALLOW_WITH_NEGATED_CONDITION_ON_OPTIONAL_KEY", "EMPTY_SID_VALUE"]
    );
}

/// A document of the largest size with something to say everywhere is looked through in a moment, and told in part.
#[test]
fn what_is_told_of_a_hostile_document_is_bounded() {
    let list = |n: usize| (0..95).map(|m| format!("\"s3:G{n}x{m:02}*\"")).collect::<Vec<_>>().join(",");
    let statement = |n| format!(r#"{{"Sid":"","Effect":"Allow","Action":[{}],"Resource":"*"}}"#, list(n));
    let statements: Vec<String> = (0..90).map(statement).collect();
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    assert!(text.len() < json::CHARACTERS_MAX, "{}", text.len());
    assert_eq!(found(Kind::Resource, &text).len(), 180, "a Principal is missing and a Sid is empty in each");
    let unknown = r#""iam:Nothing","#.repeat(8000);
    let text = policy(&format!(r#""Effect": "Allow", "Action": [{unknown}"iam:GetUser"], "Resource": "*""#));
    assert_eq!(found(Kind::Inline, &text).len(), FINDINGS_MAX);
}

//! Whatever the quotas admit can be stored: white space counts against none of AWS's, and ARNs may be long.

use serde_json::json;

use crate::answers::{each, refusal, refused};
use crate::examples::TRUST;
use crate::support::TestHouse;

/// What `policy validate` calls too long is what a call would refuse.
#[test]
fn the_quotas_that_are_told_are_those_that_bind() {
    use daypass_model::limits;
    use daypass_policy::Kind;

    for (kind, size_max) in [
        (Kind::Managed, limits::MANAGED_POLICY_SIZE_MAX),
        (Kind::Boundary, limits::MANAGED_POLICY_SIZE_MAX),
        (Kind::Inline, limits::ROLE_POLICY_SIZE_MAX),
        (Kind::Session, limits::SESSION_POLICY_CHARACTERS_MAX),
        (Kind::Trust, limits::TRUST_POLICY_SIZE_MAX),
    ] {
        assert_eq!(kind.size_max(), Some(size_max), "{kind:?}");
    }
}

/// Longest `PolicyDocument`, in characters.
const DOCUMENT_MAX: usize = 131_072;
/// Bytes of an entity's policies as they were written.
const TEXTS_MAX: usize = 262_144;
/// `TagsPerUser` and so on.
const TAGS: usize = 50;

/// A document of `size` bytes that takes as many more as possible when it is stored: JSON escapes line feeds.
fn document(size: usize) -> String {
    let before = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","#;
    let after = r#""Resource":"*"}}"#;
    format!("{before}{}{after}", "\n".repeat(size - before.len() - after.len()))
}

/// As many tags as there may be, of the longest keys and values, in letters of four bytes.
fn tags() -> Vec<(String, String)> {
    let tag = |n: usize| {
        let key = format!("{n:02}{}", "\u{20000}".repeat(126));
        [(format!("Tags.member.{n}.Key"), key), (format!("Tags.member.{n}.Value"), "\u{20000}".repeat(256))]
    };
    (1..=TAGS).flat_map(tag).collect()
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn too_long(owner: &str) -> (&'static str, String) {
    let sentence = format!("Maximum policy size of {TEXTS_MAX} bytes with white space exceeded for {owner}");
    refusal("LimitExceeded", &sentence)
}

#[tokio::test]
async fn inline_policies_have_a_bound_with_white_space_and_what_is_within_it_is_stored() {
    let house = TestHouse::new().await;
    let tags = tags();
    let trust = format!("{TRUST}{}", "\n".repeat(DOCUMENT_MAX - TRUST.len()));
    for (kind, member) in [("User", "UserName"), ("Group", "GroupName"), ("Role", "RoleName")] {
        let mut made = vec![(member, "Full")];
        if kind != "Group" {
            made.extend(borrowed(&tags));
        }
        if kind == "Role" {
            made.push(("AssumeRolePolicyDocument", &trust));
        }
        house.root("iam", &format!("Create{kind}"), &made).await;
        let put = format!("Put{kind}Policy");
        let (half, over) = (document(DOCUMENT_MAX), document(TEXTS_MAX - 2 * DOCUMENT_MAX + 100));
        for name in ["a", "b"] {
            house
                .root("iam", &put, &[(member, "Full"), ("PolicyName", name), ("PolicyDocument", &half)])
                .await;
        }
        let before = house.stored().await;
        let third = [(member, "Full"), ("PolicyName", "c"), ("PolicyDocument", over.as_str())];
        let word = kind.to_lowercase();
        assert_eq!(refused(&house, &put, &third).await, too_long(&format!("{word} Full")));
        assert!(house.stored().await == before);
    }
}

#[tokio::test]
async fn versions_of_a_policy_have_a_bound_with_white_space_and_what_is_within_it_is_stored() {
    let house = TestHouse::new().await;
    let (tags, half) = (tags(), document(DOCUMENT_MAX));
    let mut made = vec![("PolicyName", "Wide"), ("PolicyDocument", half.as_str())];
    made.extend(borrowed(&tags));
    let made = house.root("iam", "CreatePolicy", &made).await;
    let arn = made["Policy"]["Arn"].as_str().unwrap();
    house.root("iam", "CreatePolicyVersion", &[("PolicyArn", arn), ("PolicyDocument", &half)]).await;
    let third = [("PolicyArn", arn), ("PolicyDocument", &document(100))];
    assert_eq!(refused(&house, "CreatePolicyVersion", &third).await, too_long("policy Wide"));
    house.root("iam", "DeletePolicyVersion", &[("PolicyArn", arn), ("VersionId", "v2")]).await;
    house.root("iam", "CreatePolicyVersion", &third).await;
}

#[tokio::test]
async fn a_resource_with_an_arn_of_any_length_has_a_policy() {
    let house = TestHouse::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;
    let arns = [900, 1100, 2048].map(|length| format!("{:q<length$}", "arn:aws:sqs:us-east-1::"));
    for arn in &arns {
        let put = json!({"ResourceArn": arn, "Policy": policy});
        house.call_json(&house.root, "PutResourcePolicy", &put).await.unwrap();
    }
    // Read from the store again, they are found under their ARNs, and in their order.
    let house = house.copy().await;
    let page = house.call_json(&house.root, "ListResourcePolicies", &json!({"MaxItems": 2})).await.unwrap();
    assert_eq!(each(&page["ResourcePolicies"], "ResourceArn"), arns[..2]);
    let rest = json!({"Marker": page["Marker"]});
    let page = house.call_json(&house.root, "ListResourcePolicies", &rest).await.unwrap();
    assert_eq!(each(&page["ResourcePolicies"], "ResourceArn"), arns[2..]);
    for arn in &arns {
        let named = json!({"ResourceArn": arn});
        let read = house.call_json(&house.root, "GetResourcePolicy", &named).await.unwrap();
        assert_eq!(read["Policy"], policy);
        house.call_json(&house.root, "DeleteResourcePolicy", &named).await.unwrap();
        let gone = house.call_json(&house.root, "GetResourcePolicy", &named).await.expect_err("it is gone");
        assert_eq!(gone.code, "NoSuchEntity");
    }
}

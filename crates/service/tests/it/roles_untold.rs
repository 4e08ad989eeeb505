//! A refusal of AssumeRole tells what the caller's own policies say, and nothing of the role: not even whether it is there.
//!
//! Sources: IAM User Guide, "Troubleshoot access denied error messages"; answers of AWS STS recorded in 2026 end with the
//! resource for a role that is not there and for one whose trust policy is in the way.

use crate::answers::{ALLOW_ALL, DENY_ALL};
use crate::sessions::{GET_USER, Params, TRUST, assume, assumed, role, start, told};
use crate::support::{ACCOUNT, Keys, TestHouse};

const IDENTITY: &str = " because no identity-based policy allows the sts:AssumeRole action";
const IDENTITY_DENIES: &str = " with an explicit deny in an identity-based policy";

/// A statement on everything with a condition on the role's tag, which is `red`.
fn if_red(effect: &str, operator: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{{"{operator}":{{"aws:ResourceTag/Team":"red"}}}}}}"#
    )
}

fn policy(statements: &[&str]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

/// Who calls, by ARN, and what its own policies say of every role that might be there.
type Caller = (String, Keys, &'static str);

async fn users(house: &TestHouse) -> Vec<Caller> {
    let everything = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let mut callers = Vec::new();
    for (name, document, reason) in [
        ("Nobody", None, IDENTITY),
        ("All", Some(ALLOW_ALL.to_owned()), ""),
        ("Denied", Some(DENY_ALL.to_owned()), IDENTITY_DENIES),
        // What depends on the role's tags is decided as if it had none.
        ("Red", Some(policy(&[&if_red("Allow", "StringEquals")])), IDENTITY),
        ("NotRed", Some(policy(&[everything, &if_red("Deny", "StringEquals")])), ""),
        ("OnlyRed", Some(policy(&[everything, &if_red("Deny", "StringNotEquals")])), IDENTITY_DENIES),
    ] {
        let keys = house.user(name, document.as_deref()).await;
        callers.push((format!("arn:aws:iam::{ACCOUNT}:user/{name}"), keys, reason));
    }
    for (name, document, reason) in [
        ("Bounded", GET_USER, " because no permissions boundary allows the sts:AssumeRole action"),
        ("Limited", DENY_ALL, " with an explicit deny in a permissions boundary"),
    ] {
        let made = [("PolicyName", name), ("PolicyDocument", document)];
        house.root("iam", "CreatePolicy", &made).await;
        let keys = house.user(name, Some(ALLOW_ALL)).await;
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        let bound = [("UserName", name), ("PermissionsBoundary", arn.as_str())];
        house.root("iam", "PutUserPermissionsBoundary", &bound).await;
        callers.push((format!("arn:aws:iam::{ACCOUNT}:user/{name}"), keys, reason));
    }
    callers
}

async fn sessions(house: &TestHouse, ada: &Keys) -> Vec<Caller> {
    let mut callers = Vec::new();
    for (policy, reason) in [
        (ALLOW_ALL, ""),
        (GET_USER, " because no session policy allows the sts:AssumeRole action"),
        (DENY_ALL, " with an explicit deny in a session policy"),
    ] {
        let keys = assumed(house, ada, "Crew", &[("Policy", policy)]).await;
        callers.push((format!("arn:aws:sts::{ACCOUNT}:assumed-role/Crew/s1"), keys, reason));
    }
    callers
}

/// Roles that let none of them in, and what is none: the names under which they are asked for.
async fn roles(house: &TestHouse) -> Vec<&'static str> {
    let red = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red")];
    let under_path: Params<'_> = &[red[0], red[1], ("Path", "/p/")];
    let nobody = TRUST.replace(r#""AWS":"111122223333""#, r#""Service":"ec2.amazonaws.com""#);
    let another = TRUST.replace(r#""AWS":"111122223333""#, r#""AWS":"arn:aws:iam::111122223333:user/Ada""#);
    let denies = TRUST.replace(
        r#""Statement":["#,
        r#""Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"},"#,
    );
    let external =
        TRUST.replace(r#""Action""#, r#""Condition":{"StringEquals":{"sts:ExternalId":"secret"}},"Action""#);
    for (name, trust, more) in [
        ("Service", &nobody, &red[..]),
        ("Another", &another, &red),
        ("Denies", &denies, &red),
        ("External", &external, &red),
        ("Pathy", &nobody, under_path),
    ] {
        role(house, name, trust, ALLOW_ALL, more).await;
    }
    vec!["Service", "Another", "Denies", "External", "p/Pathy", "Missing", "Pathy", "q/Service", "SERVICE"]
}

#[tokio::test]
async fn a_role_that_is_not_there_is_refused_like_one_that_does_not_let_the_caller_in() {
    let (house, ada) = start().await;
    let roles = roles(&house).await;
    let callers = [users(&house).await, sessions(&house, &ada).await].concat();
    let with: [Params<'_>; 4] = [
        &[],
        &[("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")],
        &[("SourceIdentity", "ada")],
        &[("ExternalId", "guess"), ("DurationSeconds", "43200")],
    ];
    for (caller, keys, reason) in &callers {
        for role in &roles {
            for more in with {
                let (code, message) = told(assume(&house, keys, role, more).await);
                assert_eq!(code, "AccessDenied");
                let resource = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
                let expected = format!(
                    "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {resource}{reason}"
                );
                assert_eq!(message, expected, "{more:?}");
            }
        }
    }
    assert_eq!((callers.len(), roles.len()), (11, 9));
}

//! The bounds of what STS takes: at the bound a value is taken, one beyond it the call is refused in AWS's words.
//!
//! Source: AWS STS API Reference and model (AssumeRole, GetAccessKeyInfo); the form of a ValidationError is recorded.

use serde_json::Value;

use crate::answers::{ALLOW_ALL, refused};
use crate::sessions::{Params, TRUST, assume, role, start, told};
use crate::support::{Keys, TestHouse};

/// A parameter of AssumeRole: its path in a message, the lengths it may have, and what a value of such a length that
/// is in order gets (nothing: it is taken).
const LENGTHS: [(&str, &str, usize, usize, Option<&str>); 7] = [
    ("ExternalId", "externalId", 2, 1224, None),
    ("SourceIdentity", "sourceIdentity", 2, 256, None),
    // Without a code, which is told of the value that is in order.
    ("SerialNumber", "serialNumber", 9, 256, Some("AccessDenied")),
    ("RoleSessionName", "roleSessionName", 2, 64, None),
    ("Tags.member.1.Key", "tags.1.member.key", 1, 128, None),
    ("Tags.member.1.Value", "tags.1.member.value", 0, 256, None),
    (
        "ProvidedContexts.member.1.ContextAssertion",
        "providedContexts.1.member.contextAssertion",
        4,
        3072,
        Some("InvalidContextAssertion"),
    ),
];

fn constraint(value: &str, path: &str, rule: &str) -> String {
    format!(
        "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: Member must {rule}"
    )
}

/// What stands beside the parameter, where it does not stand alone.
fn beside(name: &str) -> Params<'static> {
    match name {
        "Tags.member.1.Key" => &[("Tags.member.1.Value", "v")],
        "Tags.member.1.Value" => &[("Tags.member.1.Key", "k")],
        "ProvidedContexts.member.1.ContextAssertion" => {
            &[("ProvidedContexts.member.1.ProviderArn", PROVIDER)]
        }
        _ => &[],
    }
}

const PROVIDER: &str = "arn:aws:iam::aws:contextProvider/IdentityCenter";

/// AssumeRole of a role that may be told everything, contexts included.
async fn ask(house: &TestHouse, ada: &Keys, more: Params<'_>) -> Result<Value, (&'static str, String)> {
    if more.iter().any(|(name, _)| *name == "RoleSessionName") {
        let arn = [("RoleArn", "arn:aws:iam::111122223333:role/Open")];
        let answer = house.call(ada, "sts", "AssumeRole", &[&arn[..], more].concat()).await;
        return answer.map_err(|error| (error.code, error.message));
    }
    assume(house, ada, "Open", more).await.map_err(|error| (error.code, error.message))
}

async fn open() -> (TestHouse, Keys) {
    let (house, ada) = start().await;
    let trust = TRUST.replace(r#""sts:TagSession""#, r#""sts:TagSession","sts:SetContext""#);
    role(&house, "Open", &trust, ALLOW_ALL, &[]).await;
    (house, ada)
}

#[tokio::test]
async fn lengths_end_where_the_model_says() {
    let (house, ada) = open().await;
    for (name, path, least, most, in_order) in LENGTHS {
        let of_length = async |length: usize| {
            let value = "x".repeat(length);
            let outcome = ask(&house, &ada, &[beside(name), &[(name, value.as_str())]].concat()).await;
            (value, outcome)
        };
        for length in [least, most] {
            let (_, outcome) = of_length(length).await;
            let code = outcome.err().map(|(code, _)| code);
            assert_eq!(code, in_order, "{name} of {length}");
        }
        let (value, outcome) = of_length(most + 1).await;
        let rule = format!("have length less than or equal to {most}");
        assert_eq!(outcome.unwrap_err(), ("ValidationError", constraint(&value, path, &rule)), "{name}");
        if least > 1 {
            let (value, outcome) = of_length(least - 1).await;
            let rule = format!("have length greater than or equal to {least}");
            assert_eq!(outcome.unwrap_err(), ("ValidationError", constraint(&value, path, &rule)), "{name}");
        }
    }
    // No letter at all is no word of the pattern either, and both are told.
    let (_, message) =
        ask(&house, &ada, &[("Tags.member.1.Key", ""), beside("Tags.member.1.Key")[0]]).await.unwrap_err();
    assert_eq!(
        message,
        r"2 validation errors detected: Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+"
    );
}

#[tokio::test]
async fn five_contexts_may_be_passed_and_not_six() {
    let (house, ada) = open().await;
    let passed = async |number: usize| {
        let name = |n: usize, part: &str| format!("ProvidedContexts.member.{n}.{part}");
        let pairs: Vec<(String, &str)> = (1..=number)
            .flat_map(|n| [(name(n, "ProviderArn"), PROVIDER), (name(n, "ContextAssertion"), "assertion")])
            .collect();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        ask(&house, &ada, &pairs).await.unwrap_err()
    };
    assert_eq!(passed(5).await.0, "InvalidContextAssertion");
    let (code, message) = passed(6).await;
    assert_eq!(code, "ValidationError");
    let rule =
        "at 'providedContexts' failed to satisfy constraint: Member must have length less than or equal to 5";
    assert!(
        message.starts_with("1 validation error detected: Value ") && message.ends_with(rule),
        "{message}"
    );
}

#[tokio::test]
async fn a_session_token_is_padded_to_at_most_4096_bytes() {
    let (house, ada) = open().await;
    for size in ["0", "4096"] {
        assert!(ask(&house, &ada, &[("MinimumSessionTokenSize", size)]).await.is_ok(), "{size}");
    }
    for (size, rule) in [("-1", "greater than or equal to 0"), ("4097", "less than or equal to 4096")] {
        let refused = ask(&house, &ada, &[("MinimumSessionTokenSize", size)]).await.unwrap_err();
        let message = constraint(size, "minimumSessionTokenSize", &format!("have value {rule}"));
        assert_eq!(refused, ("ValidationError", message));
    }
}

#[tokio::test]
async fn an_access_key_id_has_sixteen_letters_at_least() {
    let (house, ada) = start().await;
    let asked =
        async |id: &str| told(house.call(&ada, "sts", "GetAccessKeyInfo", &[("AccessKeyId", id)]).await);
    for length in [16, 128] {
        let (_, message) = asked(&"A".repeat(length)).await;
        assert!(!message.contains("failed to satisfy constraint"), "{length}: {message}");
    }
    for (id, rule) in [
        ("A".repeat(15), "have length greater than or equal to 16"),
        ("A".repeat(129), "have length less than or equal to 128"),
        ("AKIA-7EXAMPLE123".to_owned(), r"satisfy regular expression pattern: [\w]*"),
    ] {
        assert_eq!(asked(&id).await, ("ValidationError", constraint(&id, "accessKeyId", rule)));
    }
}

#[tokio::test]
async fn awss_policies_have_the_versions_and_dates_of_awss() {
    let (house, _) = start().await;
    // Seconds since 1970 of what GetPolicy answers there: 2015-02-06, from 18:39:46Z to 18:40:59Z, and 2025-11-19, 18:34:09Z.
    let policies = [
        ("AdministratorAccess", "v1", 1_423_247_986),
        ("PowerUserAccess", "v12", 1_423_247_987),
        ("ReadOnlyAccess", "v182", 1_423_247_988),
        ("IAMFullAccess", "v2", 1_423_248_038),
        ("IAMReadOnlyAccess", "v4", 1_423_248_039),
        ("AmazonS3FullAccess", "v2", 1_423_248_058),
        ("AmazonS3ReadOnlyAccess", "v3", 1_423_248_059),
        ("SignInLocalDevelopmentAccess", "v3", 1_763_577_249),
    ];
    for (name, version, created) in policies {
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        let read = &house.root("iam", "GetPolicy", &[("PolicyArn", &arn)]).await["Policy"];
        let told = [&read["PolicyName"], &read["Arn"], &read["DefaultVersionId"]];
        assert_eq!(told, [name, arn.as_str(), version]);
        assert_eq!(read["CreateDate"], created, "{name}");
    }
    let listed = house.root("iam", "ListPolicies", &[("Scope", "AWS")]).await;
    assert_eq!(listed["Policies"].as_array().unwrap().len(), policies.len(), "every one is above");
    let older = [("PolicyArn", "arn:aws:iam::aws:policy/PowerUserAccess"), ("VersionId", "v11")];
    assert_eq!(refused(&house, "GetPolicyVersion", &older).await.0, "NoSuchEntity");
}

//! The success of every action, member by member, beside an answer that was written down from the public
//! references (`golden/<service>/<Action>.json`; each names its source and what was checked against it).
//!
//! What differs from run to run stands there as a word in angle brackets, and has its own form here.

use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::examples::{EXAMPLES, Example, METADATA, UNSIGNED};
use crate::support::BASE;
use crate::world::World;

/// The golden file of an action.
pub(crate) fn golden(example: &Example) -> Value {
    let (service, action) = example.name();
    let name = format!("tests/golden/{service}/{action}.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compare with an answer that may hold placeholders; the place of the first difference.
fn differs(expected: &Value, found: &Value, place: &str) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let surplus = found.keys().find(|name| !expected.contains_key(*name));
            if let Some(name) = surplus {
                return Some(format!("{place}.{name} should not be there"));
            }
            expected.iter().find_map(|(name, value)| match found.get(name) {
                Some(found) => differs(value, found, &format!("{place}.{name}")),
                None => Some(format!("{place}.{name} is missing")),
            })
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.find_map(|(n, (expected, found))| differs(expected, found, &format!("{place}[{n}]")))
        }
        (Value::String(text), found) if text.starts_with('<') => {
            (!has_form(text, found)).then(|| format!("{place} is {found}, which is no {text}"))
        }
        _ => (expected != found).then(|| format!("{place} is {found} and should be {expected}")),
    }
}

/// Whether a value has the form that its placeholder names.
fn has_form(placeholder: &str, found: &Value) -> bool {
    let (word, rest) = placeholder.trim_start_matches('<').split_once('>').unwrap();
    let text = found.as_str().unwrap_or_default();
    let Some(text) = text.strip_suffix(rest) else { return false };
    let all = |text: &str, more: &[u8]| {
        text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || more.contains(&b))
    };
    match word {
        "AIDA" | "AROA" | "AGPA" | "ANPA" | "AIPA" => {
            text.len() == 21 && text.starts_with(word) && all(text, b"")
        }
        "AKIA" | "ASIA" => {
            text.len() == 20
                && text.starts_with(word)
                && all(text, b"")
                && !text.contains(['0', '1', '8', '9'])
        }
        "secret" => {
            text.len() == 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'/' || b == b'+')
        }
        "seed" => BASE64.decode(text.as_bytes()).is_ok_and(|seed| {
            seed.len() == 64 && seed.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
        }),
        "png" => BASE64.decode(text.as_bytes()).is_ok_and(|png| png.starts_with(b"\x89PNG\r\n\x1a\n")),
        "metadata" => text == METADATA,
        // Of 22 to 64 capitals and digits, as AWS's.
        "SAMLSP" => text.len() == 23 && text.starts_with(word) && all(text, b""),
        "SAMLPK" => text.len() == 30 && text.starts_with(word) && all(text, b""),
        "issuer" => text
            .strip_prefix(BASE)
            .is_some_and(|path| path.strip_prefix("/web-identity/").is_some_and(|uuid| uuid.len() == 36)),
        "jwt" => text.split('.').count() == 3 && text.starts_with("eyJ"),
        "task" => text
            .strip_prefix("task/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch/")
            .is_some_and(|uuid| uuid.len() == 36),
        "token" => !text.is_empty() && text.len() <= 4096,
        "session" => {
            text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        }
        "uuid" => text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]),
        "pem" => {
            text.starts_with("-----BEGIN CERTIFICATE-----\n") && text.ends_with("-----END CERTIFICATE-----\n")
        }
        "crl-data" => {
            BASE64.decode(text.as_bytes()).is_ok_and(|list| list.starts_with(b"-----BEGIN X509 CRL-----"))
        }
        "trust-anchor" | "profile" | "crl" | "subject" => text
            .strip_prefix(&format!("arn:aws:rolesanywhere:eu-west-1:111122223333:{word}/"))
            .is_some_and(|id| id.len() == 36),
        "association" => text.strip_prefix("a-").is_some_and(|id| {
            id.len() == 17 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        }),
        "association-arn" => text
            .strip_prefix("arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/")
            .is_some_and(|id| has_form("<association>", &json!(id))),
        "pod-session" => {
            text.strip_prefix("arn:aws:sts::111122223333:assumed-role/Build/").is_some_and(is_pods)
        }
        "pod-session-id" => {
            text.split_once(':').is_some_and(|(id, name)| has_form("<AROA>", &json!(id)) && is_pods(name))
        }
        "machine-secret" => {
            text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        }
        "task-uri" => text.strip_prefix("/v2/credentials/").is_some_and(|id| id.len() == 32),
        "hash" => text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
        "percent" => found.as_u64().is_some_and(|percent| (1..=100).contains(&percent)),
        "size" => found.as_u64().is_some_and(|size| (1..=4096).contains(&size)),
        other => panic!("golden files know no <{other}>"),
    }
}

/// `eks-<cluster>-<pod>-<uuid>`
fn is_pods(session: &str) -> bool {
    session.strip_prefix("eks-blue-till-0-").is_some_and(|uuid| has_form("<uuid>", &json!(uuid)))
}

#[tokio::test]
async fn every_action_answers_what_the_references_say() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for example in EXAMPLES {
        let world = world.copy_for(example).await;
        world.permit(ALLOW_ALL).await;
        // A minute later: what was made before can be told from what the call makes.
        world.house.clock.advance(60);
        let answer = world.call(&world.caller, example).await.unwrap();
        if let Some(difference) = differs(&golden(example)["answer"], &answer, &example.permission()) {
            wrong.push(difference);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_answers_with_a_session_token_is_known_to_issue_and_what_takes_a_role_is_audited_with_it() {
    for example in EXAMPLES {
        let (service, action) = example.name();
        let row = daypass_service::actions::find(service, action).unwrap();
        let answer = &golden(example)["answer"];
        let issues = answer["Credentials"]["SessionToken"].is_string()
            || answer["credentials"]["sessionToken"].is_string();
        assert_eq!(row.issues, issues, "{action}");
        let input = daypass_service::shapes::operation(service, action).unwrap().input;
        let role = input.members.iter().map(|member| member.name).find(|name| *name == "RoleArn");
        assert_eq!(row.audit.role, role, "{action}");
    }
}

#[test]
fn every_golden_answer_names_its_source_and_belongs_to_an_action() {
    for example in EXAMPLES.iter().chain(UNSIGNED) {
        let golden = golden(example);
        for member in ["source", "checked"] {
            let text = golden[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{} says no {member}", example.permission());
        }
        let source = golden["source"].as_str().unwrap();
        assert!(source.contains(example.action), "{source}");
    }
    let files = ["sts", "iam", "daypass", "eks", "eks-auth", "rolesanywhere"].map(|service| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(service);
        std::fs::read_dir(folder).unwrap().count()
    });
    assert_eq!(
        files.iter().sum::<usize>(),
        EXAMPLES.len() + UNSIGNED.len(),
        "a golden file belongs to no action"
    );
}

#[test]
fn a_member_too_many_too_few_or_of_another_form_is_a_difference() {
    let expected = json!({"Id": "<AIDA>", "List": [1, 2], "Name": "x"});
    let found = json!({"Id": "AIDAJQABLZS4A3QDU576Q", "List": [1, 2], "Name": "x"});
    assert_eq!(differs(&expected, &found, ""), None);
    for (name, value) in [
        ("Id", json!("AROAJQABLZS4A3QDU576Q")),
        ("List", json!([1])),
        ("Name", json!("y")),
        ("More", json!(1)),
    ] {
        let mut other = found.clone();
        other[name] = value;
        assert!(differs(&expected, &other, "").is_some(), "{name}");
    }
    assert!(differs(&expected, &json!({"Id": "AIDAJQABLZS4A3QDU576Q", "Name": "x"}), "").is_some());
}

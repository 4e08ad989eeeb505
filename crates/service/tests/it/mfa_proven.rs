//! What a code proves: the two condition keys of every kind of caller, and what a trust policy sees.

use daypass_service::Error;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::mfa::{UNABLE, assume, get_user_if, refused, role, start, told};
use crate::support::{Keys, TestHouse};

const PRESENT: &str = "aws:MultiFactorAuthPresent";
const AGE: &str = "aws:MultiFactorAuthAge";

async fn get_user(house: &TestHouse, who: &Keys) -> Result<Value, Error> {
    house.call(who, "iam", "GetUser", &[("UserName", "Ada")]).await
}

#[tokio::test]
async fn a_session_given_for_a_code_has_mfa_and_its_age_grows_from_the_issue() {
    let (house, ada, phone) = start().await;
    let fresh = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "300"}});
    let params = [("UserName", "Ada"), ("PolicyName", "p"), ("PolicyDocument", &*get_user_if(&fresh))];
    house.root("iam", "PutUserPolicy", &params).await;
    assert_eq!(told(get_user(&house, &ada).await).0, "AccessDenied", "a key has no MFA");
    let without = Keys::of(&house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    assert_eq!(told(get_user(&house, &without).await).0, "InvalidClientTokenId", "IAM takes no such session");
    let session = phone.session(&house, &ada, &phone.code(0)).await.unwrap();
    get_user(&house, &session).await.unwrap();
    let record = house.audit.lock().unwrap().last().unwrap().clone();
    assert_eq!(record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"], "true");
    house.clock.advance(299);
    get_user(&house, &session).await.unwrap();
    house.clock.advance(1);
    assert_eq!(told(get_user(&house, &session).await).0, "AccessDenied");
    // What was proven stays, whatever becomes of the device.
    let session = phone.session(&house, &ada, &phone.code(0)).await.unwrap();
    let gone = [("UserName", "Ada"), ("SerialNumber", &*phone.serial)];
    house.root("iam", "DeactivateMFADevice", &gone).await;
    get_user(&house, &session).await.unwrap();
    refused(&house, &ada, &phone, &phone.code(1), UNABLE).await;
}

/// Conditions on the two keys, and what is true of a caller.
fn present(value: &str) -> Value {
    json!({"Bool": {"aws:MultiFactorAuthPresent": value}})
}

fn absent(key: &str) -> Value {
    json!({"Null": {key: "true"}})
}

#[tokio::test]
async fn the_trust_policy_sees_what_the_caller_proves() {
    let (house, ada, phone) = start().await;
    let brand_new = json!({"Bool": {PRESENT: "true"}, "NumericEquals": {AGE: "0"}});
    let ten_seconds = json!({"NumericEquals": {AGE: "10"}});
    for (name, condition) in [
        ("New", brand_new),
        ("Ten", ten_seconds),
        ("True", present("true")),
        ("False", present("false")),
        ("Absent", absent(PRESENT)),
        ("Ageless", absent(AGE)),
    ] {
        role(&house, name, condition, json!({})).await;
    }
    let outcomes = async |who: &Keys, code: bool| {
        let mut allowed = Vec::new();
        for (n, role) in ["New", "Ten", "True", "False", "Absent", "Ageless"].into_iter().enumerate() {
            // Each try in a window of its own, and each code once.
            let code = code.then(|| {
                house.clock.advance(180);
                phone.code(0)
            });
            let more: Vec<_> = code
                .iter()
                .flat_map(|code| [("SerialNumber", &*phone.serial), ("TokenCode", code)])
                .collect();
            match assume(&house, who, role, &more).await {
                Ok(_) => allowed.push(role),
                Err(error) => assert!(error.message.contains("is not authorized"), "{n} {error}"),
            }
        }
        allowed
    };
    assert_eq!(outcomes(&ada, false).await, ["Absent", "Ageless"], "a key");
    assert_eq!(outcomes(&ada, true).await, ["New", "True"], "a key with a code");
    let plain = Keys::of(&house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    assert_eq!(outcomes(&plain, false).await, ["False", "Ageless"], "a session without MFA");
    assert_eq!(outcomes(&plain, true).await, ["New", "True"], "a session without MFA, with a code");
    house.clock.advance(180);
    let session = phone.session(&house, &ada, &phone.code(0)).await.unwrap();
    house.clock.advance(10);
    assert_eq!(outcomes(&session, false).await, ["Ten", "True"], "a session with MFA");
    let crew = assume(&house, &ada, "Absent", &[]).await.unwrap();
    assert_eq!(outcomes(&crew, false).await, ["False", "Ageless"], "a role session");
    let name = [("Name", "Jill"), ("Policy", ALLOW_ALL)];
    let jill = house.call(&ada, "sts", "GetFederationToken", &name).await.unwrap();
    let jill = Keys::of(&jill["Credentials"]);
    let refused = told(assume(&house, &jill, "False", &[]).await).1;
    assert!(refused.ends_with("is not authorized to perform: sts:AssumeRole"), "{refused}");
}

#[tokio::test]
async fn a_role_session_never_has_mfa_however_it_was_assumed() {
    let (house, ada, phone) = start().await;
    let without = json!({"Bool": {PRESENT: "false"}, "Null": {AGE: "true"}});
    role(&house, "Crew", json!({}), without).await;
    let code = phone.code(0);
    let given = [("SerialNumber", &*phone.serial), ("TokenCode", &*code)];
    let with_code = assume(&house, &ada, "Crew", &given).await.unwrap();
    get_user(&house, &with_code).await.unwrap();
    let session = phone.session(&house, &ada, &phone.code(1)).await.unwrap();
    let chained = assume(&house, &session, "Crew", &[]).await.unwrap();
    get_user(&house, &chained).await.unwrap();
    let record = house.audit.lock().unwrap().last().unwrap().clone();
    let attributes = &record["userIdentity"]["sessionContext"]["attributes"];
    assert_eq!(attributes["mfaAuthenticated"], "false");
}

#[tokio::test]
async fn federated_sessions_have_no_mfa() {
    let (house, ada, _) = start().await;
    let allowed = |condition: Value| {
        let statement =
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": condition});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let shelf = json!({"Bool": {PRESENT: "false"}, "Null": {AGE: "true"}});
    let params = [("Name", "Jill"), ("Policy", &*allowed(shelf))];
    for issuer in [&ada, &house.root] {
        let jill = house.call(issuer, "sts", "GetFederationToken", &params).await.unwrap();
        let jill = Keys::of(&jill["Credentials"]);
        let http = daypass_authn::sigv4::HttpRequest::new("GET", "/shelf/a.txt", "")
            .with_header("host", "store.test");
        let question = crate::world::asking(&house.signed(&jill, "s3", http));
        let answer = house.call_json(&house.root, "CheckRequest", &question).await.unwrap();
        assert_eq!(answer["Decision"], "Allowed", "{answer}");
    }
}

//! The other signatures, through whole calls: Signature Version 4A everywhere, Version 2 where it is switched on.

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_sigv4::sign::v4a;
use daypass_authn::sigv4::{HttpRequest, amz_date, explain};
use daypass_model::{Clock, Secret};
use daypass_service::Error;
use serde_json::{Value, json};

use crate::checking::{Shop, get, with};
use crate::support::{ACCOUNT, Keys};
use crate::world::{World, asking, request};

/// Signed with Signature Version 4A; the key and the signature are those of AWS's signer.
fn signed_4a(world: &World, who: &Keys, service: &str, regions: &str, http: HttpRequest) -> HttpRequest {
    let time = amz_date(world.house.clock.now());
    let mut http = http.with_header("x-amz-date", time.as_str()).with_header("x-amz-region-set", regions);
    if let Some(token) = &who.session_token {
        http = http.with_header("x-amz-security-token", token.as_str());
    }
    let mut names: Vec<&str> = http.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let value = format!(
        "AWS4-ECDSA-P256-SHA256 Credential={}/{}/{service}/aws4_request, SignedHeaders={}, Signature=",
        who.access_key_id,
        &time[..8],
        names.join(";")
    );
    let mut http = http.with_header("authorization", value);
    let text = explain(&http, &Secret::new(who.secret_access_key.as_str())).unwrap().string_to_sign;
    let key = v4a::generate_signing_key(&who.access_key_id, &who.secret_access_key);
    let signature = v4a::calculate_signature(key, text.as_bytes());
    http.headers.last_mut().unwrap().1.extend_from_slice(signature.as_bytes());
    http
}

async fn identity(world: &World, http: HttpRequest) -> Result<Value, Error> {
    let params = daypass_service::params::Params::from_pairs(Vec::new()).unwrap();
    world.house.send_http(http, "sts", "GetCallerIdentity", "2011-06-15", Ok(params)).await
}

fn last_event(world: &World) -> Value {
    world.house.audit.lock().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn every_kind_of_caller_may_sign_with_version_4a_and_the_audit_says_so() {
    let world = World::new().await;
    for kind in crate::world::KINDS {
        let who = world.caller_of(kind).await;
        let answer = identity(&world, signed_4a(&world, &who, "sts", "*", request())).await;
        assert_eq!(answer.unwrap()["Account"], ACCOUNT, "{kind}");
        let event = last_event(&world);
        assert_eq!(event["additionalEventData"]["SignatureVersion"], "SigV4A", "{kind}");
        assert_eq!(event["awsRegion"], "us-east-1");
        // A key pair is one secret's: another's is nobody's.
        let other = Keys { secret_access_key: "another".into(), ..who };
        let refused = identity(&world, signed_4a(&world, &other, "sts", "*", request())).await;
        assert_eq!(refused.unwrap_err().code, "SignatureDoesNotMatch", "{kind}");
        assert_eq!(
            last_event(&world)["additionalEventData"].get("SignatureVersion"),
            None,
            "nothing is proven"
        );
    }
    identity(&world, world.house.signed(&world.admin, "sts", request())).await.unwrap();
    assert_eq!(last_event(&world)["additionalEventData"], json!({"SignatureVersion": "SigV4"}));
}

#[tokio::test]
async fn a_session_signs_with_version_4a_with_its_token_and_while_it_lives() {
    let world = World::new().await;
    let session = world.caller_of("role").await;
    let whole = signed_4a(&world, &session, "sts", "*", request());
    // Some clients add the token after signing.
    let bare = Keys { session_token: None, ..session.clone() };
    let without = signed_4a(&world, &bare, "sts", "*", request());
    assert_eq!(identity(&world, without.clone()).await.unwrap_err().code, "InvalidClientTokenId");
    let appended = without.with_header("x-amz-security-token", session.session_token.as_deref().unwrap());
    identity(&world, appended).await.unwrap();
    let other = world.caller_of("user-session").await;
    let mixed = Keys { session_token: other.session_token, ..session.clone() };
    let mixed = signed_4a(&world, &mixed, "sts", "*", request());
    assert_eq!(identity(&world, mixed).await.unwrap_err().code, "InvalidClientTokenId");
    identity(&world, whole.clone()).await.unwrap();
    world.house.clock.advance(901);
    let late = identity(&world, whole).await.unwrap_err();
    assert!(late.message.starts_with("Signature expired: "), "{late}");
    world.house.clock.advance(3600);
    let over = identity(&world, signed_4a(&world, &session, "sts", "*", request())).await.unwrap_err();
    assert_eq!(over.code, "ExpiredToken");
}

#[tokio::test]
async fn the_requested_region_is_the_one_that_was_signed_for_and_none_of_several() {
    let world = World::new().await;
    let allow = |condition: Value| {
        let statement =
            json!({"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", "Condition": condition});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let list = async |regions: &str| {
        let params = daypass_service::params::Params::from_pairs(Vec::new()).unwrap();
        let http = signed_4a(&world, &world.caller, "iam", regions, request());
        let outcome = world.house.send_http(http, "iam", "ListUsers", "2010-05-08", Ok(params)).await;
        outcome.map(|_| ()).map_err(|error| error.code)
    };
    world.permit(&allow(json!({"StringLike": {"aws:RequestedRegion": "eu-*"}}))).await;
    assert_eq!(list("eu-west-1").await, Ok(()));
    for regions in ["us-east-1", "*", "eu-*", "eu-west-1,eu-west-2", "eu-west-1,us-east-1"] {
        assert_eq!(list(regions).await, Err("AccessDenied"), "{regions}");
    }
    world.permit(&allow(json!({"Null": {"aws:RequestedRegion": "true"}}))).await;
    assert_eq!((list("*").await, list("eu-west-1").await), (Ok(()), Err("AccessDenied")));
    let asked = [("AccessKeyId", world.caller.access_key_id.as_str())];
    let used = world.house.root("iam", "GetAccessKeyLastUsed", &asked).await;
    assert_eq!(used["AccessKeyLastUsed"]["Region"], "eu-west-1");
    world.house.clock.advance(1);
    list("*").await.unwrap();
    let used = world.house.root("iam", "GetAccessKeyLastUsed", &asked).await;
    assert_eq!(used["AccessKeyLastUsed"]["Region"], "N/A");
}

#[tokio::test]
async fn a_service_is_told_how_its_request_was_signed_and_a_name_that_no_twin_escapes() {
    let shop = Shop::new().await;
    let read = || {
        let hash = crate::checking::hex(b"");
        signed_4a(&shop.world, &shop.alice, "s3", "*", get().with_header("x-amz-content-sha256", hash))
    };
    let answer = shop.answer(&asking(&read())).await;
    assert_eq!(answer["Decision"], "Allowed");
    // Of the access key id, a line feed and the string to sign, whatever the signature.
    let secret = Secret::new(shop.alice.secret_access_key.as_str());
    let text = explain(&read(), &secret).unwrap().string_to_sign;
    let named = format!("{}\n{text}", shop.alice.access_key_id);
    assert_eq!(answer["SignatureHash"], crate::checking::hex(named.as_bytes()));

    let policy = |version: &str| {
        json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::shelf/*",
            "Condition": {"StringNotEquals": {"s3:signatureversion": version}},
        }, {
            "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/div/Alice")},
            "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/*",
        }]}).to_string()})
    };
    for (version, of_4a, of_4) in [
        ("AWS4-ECDSA-P256-SHA256", "Allowed", "ExplicitlyDenied"),
        ("AWS4-HMAC-SHA256", "ExplicitlyDenied", "Allowed"),
    ] {
        shop.world
            .house
            .call_json(&shop.world.house.root, "PutResourcePolicy", &policy(version))
            .await
            .unwrap();
        assert_eq!(shop.answer(&asking(&read())).await["Decision"], of_4a, "{version}");
        assert_eq!(shop.answer(&asking(&shop.read())).await["Decision"], of_4, "{version}");
    }
    // The same rules as for Version 4: what was signed for us is nobody's there, and every field is signed.
    let ours = signed_4a(&shop.world, &shop.alice, "sts", "*", get());
    assert_eq!(shop.inner_error(&asking(&ours)).await, "SignatureDoesNotMatch");
    let more = read().with_header("x-amz-acl", "public-read");
    assert_eq!(shop.inner_error(&asking(&more)).await, "AccessDenied");
}

/// Pairs of a form with a Signature Version 2.
fn version_2(world: &World, who: &Keys, pairs: &[(&str, &str)], method: &str) -> String {
    let time = daypass_model::rfc3339_seconds(world.house.clock.now());
    let mut all: Vec<(&str, &str)> = pairs.to_vec();
    all.extend([
        ("AWSAccessKeyId", who.access_key_id.as_str()),
        ("SignatureVersion", "2"),
        ("SignatureMethod", method),
        ("Timestamp", time.as_str()),
    ]);
    all.extend(who.session_token.as_deref().map(|token| ("SecurityToken", token)));
    all.sort_unstable();
    let escape = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    let text: Vec<String> = all.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let text = text.join("&");
    let algorithm = match method {
        "HmacSHA1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        _ => hmac::HMAC_SHA256,
    };
    let key = hmac::Key::new(algorithm, who.secret_access_key.as_bytes());
    let signature = hmac::sign(&key, format!("POST\ndaypass.test\n/\n{text}").as_bytes());
    format!("{text}&Signature={}", escape(&data_encoding::BASE64.encode(signature.as_ref())))
}

fn posted(form: String) -> HttpRequest {
    HttpRequest::new("POST", "/", form)
        .with_header("host", "daypass.test")
        .with_header("content-type", "application/x-www-form-urlencoded")
}

async fn world_with_version_2() -> World {
    let mut world = World::new().await;
    Arc::get_mut(&mut world.house.house).unwrap().settings.allow_signature_v2 = true;
    world
}

const WHO: [(&str, &str); 2] = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];

#[tokio::test]
async fn version_2_is_off_and_refused_by_name_until_it_is_switched_on() {
    let (off, on) = (World::new().await, world_with_version_2().await);
    for method in ["HmacSHA256", "HmacSHA1"] {
        let form = |world: &World| posted(version_2(world, &world.admin, &WHO, method));
        let refused = identity(&off, form(&off)).await.unwrap_err();
        assert_eq!(refused.code, "IncompleteSignature");
        assert!(refused.message.contains("(Signature Version 2) is not supported"), "{refused}");
        let answer = identity(&on, form(&on)).await.unwrap();
        assert_eq!(answer["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/Admin"));
        assert_eq!(last_event(&on)["additionalEventData"], json!({"SignatureVersion": "SigV2"}));
    }
}

#[tokio::test]
async fn every_kind_of_caller_may_sign_with_version_2_and_a_session_needs_its_token() {
    let world = world_with_version_2().await;
    for kind in crate::world::KINDS {
        let who = world.caller_of(kind).await;
        let send = async |who: &Keys| {
            let form = version_2(&world, who, &WHO, "HmacSHA256");
            identity(&world, posted(form)).await.map(|_| ()).map_err(|error| error.code)
        };
        assert_eq!(send(&who).await, Ok(()), "{kind}");
        let wrong = Keys { secret_access_key: "another".into(), ..who.clone() };
        assert_eq!(send(&wrong).await, Err("SignatureDoesNotMatch"), "{kind}");
        // A long-term key takes no token, a temporary one needs its own.
        let token = if who.session_token.is_some() { None } else { Some("x".to_owned()) };
        let other = Keys { session_token: token, ..who };
        assert_eq!(send(&other).await, Err("InvalidClientTokenId"), "{kind}");
    }
    // Unlike Version 4's, the token is always signed.
    let session = world.caller_of("role").await;
    let bare = version_2(&world, &Keys { session_token: None, ..session.clone() }, &WHO, "HmacSHA256");
    let token = session.session_token.unwrap().replace('+', "%2B");
    let appended = identity(&world, posted(format!("{bare}&SecurityToken={token}"))).await;
    assert_eq!(appended.unwrap_err().code, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn version_2_is_for_sts_and_iam_alone() {
    let mut world = world_with_version_2().await;
    let params = || daypass_service::params::Params::from_pairs(Vec::new());
    let form = version_2(&world, &world.admin, &WHO, "HmacSHA256");
    let send = async |world: &World, service, action| {
        let params = params().map_err(|error| Error::new(error.code(), error.to_string()));
        world.house.send_http(posted(form.clone()), service, action, "any", params).await
    };
    send(&world, "sts", "GetCallerIdentity").await.unwrap();
    send(&world, "iam", "ListUsers").await.unwrap();
    let own = send(&world, "daypass", "ListResourcePolicies").await.unwrap_err();
    assert!(own.message.contains("Signature Version 2"), "{own}");
    // Nor is it good for a request to another service, in the query or (S3's own) in the Authorization field.
    for inner in [
        HttpRequest::new("GET", &format!("/shelf/a.txt?{form}"), "").with_header("host", "store.test"),
        get().with_header("authorization", format!("AWS {}:c2lnbmVk", world.admin.access_key_id)),
    ] {
        let question = with(&asking(&inner), "/Action", json!("s3:GetObject"));
        let answer = world.house.call_json(&world.admin, "CheckRequest", &question).await.unwrap();
        assert_eq!(answer["Decision"], "ImplicitlyDenied");
        assert_eq!(answer["AuthenticationError"]["Code"], "IncompleteSignature");
        assert_eq!(answer.get("Principal"), None);
    }
    let s3 = request().with_header("authorization", format!("AWS {}:c2lnbmVk", world.admin.access_key_id));
    assert_eq!(identity(&world, s3).await.unwrap_err().code, "IncompleteSignature");
    // A public URL binds its host too.
    Arc::get_mut(&mut world.house.house).unwrap().settings.public_authority =
        Some("https://sts.corp.test".parse().unwrap());
    let elsewhere = send(&world, "sts", "GetCallerIdentity").await.unwrap_err();
    assert_eq!(elsewhere.message, "The request was signed for another host.");
}

#[tokio::test]
async fn a_request_of_version_2_names_no_region() {
    let world = world_with_version_2().await;
    let condition = json!({"Null": {"aws:RequestedRegion": "true"}});
    let statement =
        json!({"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", "Condition": condition});
    world.permit(&json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()).await;
    let form = version_2(&world, &world.caller, &WHO, "HmacSHA256");
    let params = daypass_service::params::Params::from_pairs(Vec::new()).unwrap();
    world.house.send_http(posted(form), "iam", "ListUsers", "any", Ok(params)).await.unwrap();
}

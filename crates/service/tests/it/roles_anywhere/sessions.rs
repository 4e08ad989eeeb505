//! Sessions of machines.

use daypass_model::Clock as _;
use serde_json::json;

use super::{ROLE, Site, keys, text};
use crate::anywhere_machine::Holder;
use crate::support::OTHER;

#[tokio::test]
async fn a_session_by_a_certificate_is_one_of_the_role_and_ends_with_it() {
    let site = Site::new().await;
    let answer = site.session(&site.root.machine("host1", 7), json!({})).await.unwrap();
    let who = site.house.call(&keys(&answer), "sts", "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(who["Arn"], "arn:aws:sts::111122223333:assumed-role/Fleet/07");
    let claims = crate::world::claims(&site.house, &keys(&answer));
    let tags: Vec<_> = claims.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    assert_eq!(tags, [("x509Subject/CN", "host1"), ("x509Issuer/CN", "Fleet CA")]);
    assert_eq!((claims.source_identity.as_deref(), claims.transitive_tag_keys.len()), (Some("CN=host1"), 0));
    site.house.clock.advance(3601);
    let error = site.house.call(&keys(&answer), "sts", "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(error.code, "ExpiredToken");
    let answer = site.session(&site.root.machine("host1", 7), json!({})).await.unwrap();
    site.house.root("iam", "DeleteRole", &[("RoleName", "Fleet")]).await;
    let error = site.house.call(&keys(&answer), "sts", "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(error.code, "InvalidClientTokenId");
}

#[tokio::test]
async fn a_certificate_counts_for_its_time_and_no_longer() {
    let site = Site::new().await;
    let mut params = crate::anywhere_machine::machine_params("host1", 7);
    params.not_after = rcgen::date_time_ymd(2026, 1, 16);
    let host = site.root.issue(params);
    site.session(&host, json!({})).await.unwrap();
    site.house.clock.advance(12 * 3600);
    site.session(&host, json!({})).await.unwrap();
    site.house.clock.advance(1);
    let error = site.session(&host, json!({})).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("AccessDenied", "Insufficient certificate."));
}

#[tokio::test]
async fn a_closed_account_takes_its_anchors_with_it() {
    let site = Site::new().await;
    site.house.account(OTHER).await;
    let host = site.root.machine("host1", 7);
    site.session(&host, json!({})).await.unwrap();
    let directory = &site.house.house.directory;
    directory.close_account(crate::support::ACCOUNT.parse().unwrap(), "test").await.unwrap();
    let error = site.session(&host, json!({})).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("NoSuchEntity", "Trust anchor not found."));
}

#[tokio::test]
async fn a_role_of_the_same_name_is_not_the_one_that_was_passed() {
    let site = Site::new().await;
    let host = site.root.machine("host1", 7);
    site.house.root("iam", "DeleteRole", &[("RoleName", "Fleet")]).await;
    let role = [("RoleName", "Fleet"), ("AssumeRolePolicyDocument", super::TRUST)];
    site.house.root("iam", "CreateRole", &role).await;
    let error = site.session(&host, json!({})).await.unwrap_err();
    let message = format!("Unable to assume role for {ROLE}");
    assert_eq!((error.code, error.message), ("AccessDenied", message));
}

#[tokio::test]
async fn a_subject_is_written_down_now_and_then_and_not_at_every_call() {
    let site = Site::new().await;
    let host = site.root.machine("host1", 7);
    let answer = site.session(&host, json!({})).await.unwrap();
    let (written, _) = site.house.stored().await;
    for _ in 0..3 {
        site.house.clock.advance(60);
        assert_eq!(site.session(&host, json!({})).await.unwrap()["subjectArn"], answer["subjectArn"]);
        assert_eq!(site.house.stored().await.0, written, "it was seen lately");
    }
    site.house.clock.advance(300);
    site.session(&host, json!({"instanceProperties": {"rack": "7"}})).await.unwrap();
    // Another certificate of the same name is news at once.
    site.session(&site.root.machine("host1", 7), json!({})).await.unwrap();
    let id = text(&answer["subjectArn"]);
    let subject =
        site.call("GetSubject", json!({"subjectId": id.rsplit('/').next().unwrap()})).await.unwrap();
    let subject = &subject["subject"];
    assert_eq!(subject["lastSeenAt"], daypass_model::rfc3339_seconds(site.house.clock.now()));
    assert_eq!(subject["instanceProperties"][0]["properties"], json!({"rack": "7"}));
}

#[tokio::test]
async fn who_is_not_vouched_for_is_told_to_the_account_of_the_anchor() {
    let site = Site::new().await;
    let stranger = Holder::root("Fleet CA").machine("host1", 7);
    let error = site.session(&stranger, json!({})).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("AccessDenied", "Untrusted signing certificate."));
    let events = site.house.audit.lock().unwrap();
    let event = events.last().unwrap();
    assert_eq!(
        (&event["errorCode"], &event["recipientAccountId"]),
        (&json!("AccessDenied"), &json!("111122223333"))
    );
    assert_eq!(event["additionalEventData"]["identityProvider"], site.anchor);
    assert!(event.get("userIdentity").is_none(), "nobody was proven");
}

#[tokio::test]
async fn an_authority_that_is_over_is_told_to_the_account_of_the_anchor_and_nobody_else() {
    let site = Site::new().await;
    let mut params = crate::anywhere_machine::machine_params("host1", 7);
    params.not_after = rcgen::date_time_ymd(2046, 1, 1);
    let host = site.root.issue(params);
    let end: jiff::Timestamp = "2045-01-01T00:00:00Z".parse().unwrap();
    site.house.clock.advance(end.as_second() - site.house.clock_now());
    site.session(&host, json!({})).await.unwrap();
    site.house.clock.advance(1);
    let error = site.session(&host, json!({})).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("AccessDenied", "Untrusted signing certificate."));
    let told = json!({
        "identityProvider": site.anchor,
        "detail": "the trust anchor's certificate CN=Fleet CA ended at 2045-01-01T00:00:00Z",
    });
    assert_eq!(site.house.audit.lock().unwrap().last().unwrap()["additionalEventData"], told);
    // Whoever another authority issued a certificate for is told apart.
    let mut params = crate::anywhere_machine::machine_params("host1", 7);
    params.not_after = rcgen::date_time_ymd(2046, 1, 1);
    site.session(&Holder::root("Other CA").issue(params), json!({})).await.unwrap_err();
    let told = json!({"identityProvider": site.anchor});
    assert_eq!(site.house.audit.lock().unwrap().last().unwrap()["additionalEventData"], told);
    // A bundle with it says which one is over.
    let mut params = crate::anywhere_machine::authority_params("Next CA", None);
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    let next = Holder::self_signed(params);
    let id = site.anchor.rsplit('/').next().unwrap();
    let update = async |bundle: String| {
        let data = json!({"x509CertificateData": bundle});
        let source = json!({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": data});
        site.call("UpdateTrustAnchor", json!({"trustAnchorId": id, "source": source})).await
    };
    let refused = update(format!("{}{}", next.pem, site.root.pem)).await.unwrap_err();
    assert_eq!(
        refused.message,
        "The certificates of the trust anchor cannot be used: CN=Fleet CA has expired, at 2045-01-01T00:00:00Z."
    );
    update(next.pem.clone()).await.unwrap();
}

#[tokio::test]
async fn secrets_of_a_session_are_in_no_record() {
    let site = Site::new().await;
    let answer = site.session(&site.root.machine("host1", 7), json!({})).await.unwrap();
    let events = serde_json::to_string(&*site.house.audit.lock().unwrap()).unwrap();
    let keys = keys(&answer);
    assert!(events.contains(&keys.access_key_id));
    assert!(!events.contains(&keys.secret_access_key) && !events.contains(&keys.session_token.unwrap()));
}

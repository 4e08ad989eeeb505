//! The control plane: quotas, races and what is kept.

use data_encoding::BASE64;
use serde_json::json;

use super::{ROLE, Site, text};
use crate::anywhere_machine::Holder;

#[tokio::test]
async fn an_account_has_so_many_trust_anchors_however_many_are_made_at_once() {
    let site = Site::new().await;
    let next = Holder::root("Next");
    for _ in 1..48 {
        site.anchor_of(&next).await;
    }
    let source = json!({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": next.pem}});
    let body = json!({"name": "a", "source": source});
    let calls = (0..6).map(|_| site.call("CreateTrustAnchor", body.clone()));
    let mut made = 0;
    for outcome in join(calls).await {
        match outcome {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(error.message, "The quota is reached: 50 trust anchors."),
        }
    }
    assert_eq!(made, 2);
}

#[tokio::test]
async fn a_list_is_imported_only_for_an_anchor_that_is_as_it_was() {
    let site = Site::new().await;
    let list = BASE64.encode(site.root.revoke(&[7]).as_bytes());
    let id = site.anchor.rsplit('/').next().unwrap();
    let other = Holder::root("Fleet CA");
    let source =
        json!({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": other.pem}});
    site.call("UpdateTrustAnchor", json!({"trustAnchorId": id, "source": source})).await.unwrap();
    let import = json!({"name": "c", "crlData": list, "trustAnchorArn": site.anchor, "enabled": true});
    let error = site.call("ImportCrl", import).await.unwrap_err();
    assert_eq!(error.message, "The CRL cannot be used: it is not signed by the trust anchor.");
}

#[tokio::test]
async fn an_enabled_list_takes_a_certificate_back_and_a_disabled_one_does_not() {
    let site = Site::new().await;
    let host = site.root.machine("host1", 7);
    let list = BASE64.encode(site.root.revoke(&[7]).as_bytes());
    let import = json!({"name": "c", "crlData": list, "trustAnchorArn": site.anchor});
    let made = site.call("ImportCrl", import).await.unwrap();
    let id = text(&made["crl"]["crlId"]);
    site.session(&host, json!({})).await.expect("it is not enabled yet");
    site.call("EnableCrl", json!({"crlId": id})).await.unwrap();
    let error = site.session(&host, json!({})).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("AccessDenied", "Certificate revoked."));
    // Months after its next update was promised it still counts.
    site.house.clock.advance(90 * 86_400);
    let error = site.session(&host, json!({})).await.unwrap_err();
    assert_eq!(error.message, "Certificate revoked.");
    site.call("DeleteCrl", json!({"crlId": id})).await.unwrap();
    site.session(&host, json!({})).await.unwrap();
}

#[tokio::test]
async fn a_profile_is_of_the_region_where_it_was_made() {
    let site = Site::new().await;
    let made =
        site.call("CreateProfile", json!({"name": "p", "roleArns": [ROLE], "enabled": true})).await.unwrap();
    let arn = text(&made["profile"]["profileArn"]);
    let host = site.root.machine("host1", 7);
    site.session(&host, json!({"profileArn": arn})).await.unwrap();
    let elsewhere = arn.replace("eu-west-1", "us-east-1");
    let error = site.session(&host, json!({"profileArn": elsewhere})).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("NoSuchEntity", "Profile not found."));
    for id in [elsewhere.as_str(), "arn:aws:rolesanywhere:eu-west-1:444455556666:profile/x"] {
        assert!(site.call("GetProfile", json!({"profileId": id})).await.is_err(), "{id}");
    }
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_its_name_and_changes_nothing() {
    let site = Site::new().await;
    let before = site.house.stored().await;
    for (action, body, told) in [
        ("CreateProfile", json!({"name": "p", "roleArns": [], "aliasName": "x"}), "aliasName"),
        (
            "CreateProfile",
            json!({"name": "p", "roleArns": [], "tipConfiguration": {"status": "ENABLED"}}),
            "tipConfiguration",
        ),
        ("PutNotificationSettings", json!({}), "Notification settings"),
        ("ResetNotificationSettings", json!({}), "Notification settings"),
    ] {
        let error = site.call(action, body).await.unwrap_err();
        assert!(error.code == "ValidationError" && error.message.contains(told), "{action}: {error}");
    }
    assert!(site.house.stored().await == before);
}

/// All of them at once.
async fn join<T>(calls: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = calls.map(|call| (Box::pin(call), None)).collect();
    std::future::poll_fn(|context| {
        for (call, outcome) in waiting.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
            if let std::task::Poll::Ready(done) = call.as_mut().poll(context) {
                *outcome = Some(done);
            }
        }
        let all = waiting.iter().all(|(_, outcome)| outcome.is_some());
        if all { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, outcome)| outcome).collect()
}

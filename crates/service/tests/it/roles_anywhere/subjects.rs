//! Subjects: who asked by a certificate of the trust anchor, whether it got a session or not.
//!
//! Source: IAM Roles Anywhere API Reference, CredentialSummary and InstanceProperty: `failed` says whether the request for temporary
//! credentials was successful.

use daypass_model::rfc3339_seconds;
use serde_json::{Value, json};

use super::{Site, TRUST, text};
use crate::anywhere_machine::Holder;
use crate::race::Gate;
use crate::support::TestHouse;

impl Site {
    async fn subjects(&self) -> Vec<Value> {
        self.call("ListSubjects", json!({})).await.unwrap()["subjects"].as_array().unwrap().clone()
    }

    /// The one subject that there is.
    async fn subject(&self) -> Value {
        let [one]: [Value; 1] = self.subjects().await.try_into().unwrap();
        self.call("GetSubject", json!({"subjectId": one["subjectId"]})).await.unwrap()["subject"].clone()
    }

    async fn refused(&self, machine: &Holder, serial: &str, more: Value) -> String {
        self.session_of(machine, serial, more).await.unwrap_err().message
    }

    async fn trust(&self, document: &str) {
        let trust = [("RoleName", "Fleet"), ("PolicyDocument", document)];
        self.house.root("iam", "UpdateAssumeRolePolicy", &trust).await;
    }

    async fn switch(&self, action: &str, name: &str, arn: &str) {
        self.call(action, json!({name: arn.rsplit('/').next().unwrap()})).await.unwrap();
    }
}

/// Serial number and outcome of each of its certificates.
fn seen(subject: &Value) -> Vec<(String, bool)> {
    let all = subject["credentials"].as_array().unwrap().iter();
    all.map(|one| (text(&one["serialNumber"]), one["failed"].as_bool().unwrap())).collect()
}

#[tokio::test]
async fn who_is_refused_is_seen_with_that_and_who_comes_again_with_both() {
    let site = Site::new().await;
    let host = site.root.machine("host1", 7);
    site.switch("DisableProfile", "profileId", &site.profile).await;
    assert_eq!(site.refused(&host, "7", json!({})).await, "The profile is disabled.");
    let subject = site.subject().await;
    assert_eq!(
        (subject["x509Subject"].as_str(), seen(&subject)),
        (Some("CN=host1"), vec![("7".into(), true)])
    );
    assert_eq!(subject["lastSeenAt"], rfc3339_seconds(daypass_model::Clock::now(&*site.house.clock)));
    site.switch("EnableProfile", "profileId", &site.profile).await;
    // The trust policy says no, which is decided elsewhere.
    site.trust(&TRUST.replace("rolesanywhere", "ec2")).await;
    site.house.clock.advance(301);
    let rack = json!({"instanceProperties": {"rack": "7"}});
    assert!(site.refused(&host, "7", rack.clone()).await.starts_with("Not authorized to perform sts:"));
    site.trust(TRUST).await;
    let answer = site.session(&host, rack).await.unwrap();
    let subject = site.subject().await;
    assert_eq!(subject["subjectArn"], answer["subjectArn"]);
    assert_eq!(seen(&subject), [("7".into(), false), ("7".into(), true)]);
    let said: Vec<_> = subject["instanceProperties"].as_array().unwrap().iter().collect();
    assert_eq!((said.len(), &said[0]["failed"], &said[1]["failed"]), (2, &json!(false), &json!(true)));
    assert_eq!(
        (&said[0]["properties"], &said[1]["properties"]),
        (&json!({"rack": "7"}), &json!({"rack": "7"}))
    );
}

#[tokio::test]
async fn who_has_no_certificate_of_an_enabled_trust_anchor_leaves_nothing() {
    let site = Site::new().await;
    let stranger = Holder::root("Fleet CA").machine("host1", 7);
    assert_eq!(site.refused(&stranger, "7", json!({})).await, "Untrusted signing certificate.");
    let mut params = crate::anywhere_machine::machine_params("host1", 7);
    params.not_after = rcgen::date_time_ymd(2025, 12, 31);
    assert_eq!(site.refused(&site.root.issue(params), "7", json!({})).await, "Insufficient certificate.");
    let host = site.root.machine("host1", 7);
    // Somebody who has the certificate, and not its key.
    assert!(site.refused(&host, "8", json!({})).await.starts_with("The request signature we calculated"));
    site.switch("DisableTrustAnchor", "trustAnchorId", &site.anchor).await;
    assert_eq!(site.refused(&host, "7", json!({})).await, "The trust anchor is disabled.");
    assert_eq!(site.subjects().await, [json!(null); 0]);
}

#[tokio::test]
async fn a_revoked_certificate_is_seen_of_a_subject_that_is_known_alone() {
    let site = Site::new().await;
    let host = site.root.machine("host1", 7);
    site.session(&host, json!({})).await.unwrap();
    let list = data_encoding::BASE64.encode(site.root.revoke(&[7, 8]).as_bytes());
    let list = json!({"name": "l", "crlData": list, "trustAnchorArn": site.anchor, "enabled": true});
    site.call("ImportCrl", list).await.unwrap();
    assert_eq!(site.refused(&host, "7", json!({})).await, "Certificate revoked.");
    assert_eq!(site.refused(&site.root.machine("host2", 8), "8", json!({})).await, "Certificate revoked.");
    assert_eq!(seen(&site.subject().await), [("7".into(), true), ("7".into(), false)]);
}

#[tokio::test]
async fn refusals_are_written_down_now_and_then_and_put_out_nothing_that_was_good() {
    let site = Site::new().await;
    let host = site.root.machine("host1", 7);
    site.session(&host, json!({})).await.unwrap();
    let name = json!({"roleSessionName": "mine"});
    for serial in 100..112_u64 {
        let other = site.root.machine("host1", serial);
        let told = site.refused(&other, &serial.to_string(), name.clone()).await;
        assert_eq!(told, "Not authorized to set roleSessionName.");
    }
    let expected: Vec<_> = (102..112).rev().map(|serial| (serial.to_string(), true)).collect();
    assert_eq!(seen(&site.subject().await), [expected, vec![("7".into(), false)]].concat());
    let (written, _) = site.house.stored().await;
    let last = site.root.machine("host1", 111);
    for _ in 0..3 {
        site.house.clock.advance(60);
        site.refused(&last, "111", name.clone()).await;
        site.session(&host, json!({})).await.unwrap();
        assert_eq!(site.house.stored().await.0, written, "both were seen lately");
    }
}

/// What somebody was told is done stays done, whoever comes meanwhile.
#[tokio::test]
async fn tags_that_are_put_or_taken_while_its_machine_calls_stay_so() {
    let gate = Gate::new();
    let site = Site::of(TestHouse::on(gate.clone()).await).await;
    let host = site.root.machine("host1", 7);
    let answer = site.session(&host, json!({})).await.unwrap();
    let arn = text(&answer["subjectArn"]);
    let tags =
        async || site.call("ListTagsForResource", json!({"resourceArn": arn})).await.unwrap()["tags"].clone();
    let tag = || site.call("TagResource", json!({"resourceArn": arn, "tags": [{"key": "a", "value": "b"}]}));
    let untag = || site.call("UntagResource", json!({"resourceArn": arn, "tagKeys": ["a"]}));
    let calls = || site.session(&host, json!({}));
    for session_first in [true, false] {
        site.house.clock.advance(301);
        gate.arm();
        let (tagged, called) = if session_first {
            let (called, tagged) = tokio::join!(calls(), tag());
            (tagged, called)
        } else {
            tokio::join!(tag(), calls())
        };
        assert!(tagged.is_ok() && called.is_ok());
        assert_eq!(tags().await, json!([{"key": "a", "value": "b"}]));
        site.house.clock.advance(301);
        gate.arm();
        let (untagged, called) = if session_first {
            let (called, untagged) = tokio::join!(calls(), untag());
            (untagged, called)
        } else {
            tokio::join!(untag(), calls())
        };
        assert!(untagged.is_ok() && called.is_ok());
        assert_eq!(tags().await, json!([]));
    }
}

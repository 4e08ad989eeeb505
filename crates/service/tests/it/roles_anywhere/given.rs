//! What is given to a profile, an anchor or a list, and means exactly what it says.

use data_encoding::BASE64;
use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Clock as _, Secret};
use daypass_service::params::Params;
use serde_json::{Value, json};

use super::{ROLE, Site, TRUST, text};
use crate::anywhere_machine::Holder;
use crate::support::Keys;

fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_service_linked_role_is_passed_to_no_profile_and_no_task() {
    let site = Site::new().await;
    let linked = [("AWSServiceName", "rolesanywhere.amazonaws.com")];
    let linked = site.house.root("iam", "CreateServiceLinkedRole", &linked).await["Role"].clone();
    let arn = text(&linked["Arn"]);
    let refused = format!("The service-linked role {arn} is passed to nobody.");
    let error = site.call("CreateProfile", json!({"name": "p", "roleArns": [arn]})).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("ValidationError", refused.as_str()));
    let update = json!({"profileId": id(&site.profile), "roleArns": [ROLE, arn]});
    let error = site.call("UpdateProfile", update).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("ValidationError", refused.as_str()));

    let named = [("InstanceProfileName", "Fleet")];
    site.house.root("iam", "CreateInstanceProfile", &named).await;
    let register = json!({"InstanceProfileName": "Fleet"});
    let instance = site.house.call_json(&site.house.root, "RegisterInstance", &register).await.unwrap();
    let task = json!({"InstanceId": instance["InstanceId"], "RoleArn": arn});
    let error = site.house.call_json(&site.house.root, "RegisterTask", &task).await.unwrap_err();
    assert_eq!((error.code, error.message), ("ValidationError", refused));
}

#[tokio::test]
async fn a_profile_that_lists_a_service_linked_role_already_gives_it_to_nobody() {
    let site = Site::new().await;
    let linked = [("AWSServiceName", "rolesanywhere.amazonaws.com")];
    let linked = site.house.root("iam", "CreateServiceLinkedRole", &linked).await["Role"].clone();
    let role = site.house.root("iam", "GetRole", &[("RoleName", "Fleet")]).await["Role"].clone();
    let (_, records) = site.house.stored().await;
    let profile = records.iter().find(|record| record.key.ends_with(id(&site.profile))).unwrap();
    let stored = std::str::from_utf8(&profile.value).unwrap();
    let [from, to] = [&role, &linked].map(|role| (text(&role["Arn"]), text(&role["RoleId"])));
    let changed = stored.replace(&from.0, &to.0).replace(&from.1, &to.1);
    site.house.put(vec![(profile.key.to_string(), changed.into())]).await;
    let host = site.root.machine("host1", 7);
    let error = site.session(&host, json!({"roleArn": to.0})).await.unwrap_err();
    let message = format!("Unable to assume role for {}", to.0);
    assert_eq!((error.code, error.message), ("AccessDenied", message));
}

#[tokio::test]
async fn a_specifier_is_a_name_or_how_names_begin() {
    let site = Site::new().await;
    let put = |specifier: &str| {
        let rules = json!([{"specifier": specifier}]);
        json!({"profileId": id(&site.profile), "certificateField": "x509Subject", "mappingRules": rules})
    };
    for wrong in ["", "C*N", "O*U*", "**", "*OU*", "*OU"] {
        let error = site.call("PutAttributeMapping", put(wrong)).await.unwrap_err();
        assert!(error.code == "ValidationError", "{wrong}: {error}");
    }
    for right in ["*", "O*", "CN", "2.5.4.*"] {
        site.call("PutAttributeMapping", put(right)).await.unwrap_or_else(|error| panic!("{right}: {error}"));
    }
}

#[tokio::test]
async fn whoever_updates_a_profile_passes_roles_to_that_profile() {
    let site = Site::new().await;
    let update = json!({"profileId": id(&site.profile), "roleArns": [ROLE]});
    let other = site.profile.replace(id(&site.profile), "00000000-0000-4000-8000-000000000000");
    for (n, (effect, profile, may)) in [
        ("Allow", &site.profile, true),
        ("Allow", &other, false),
        ("Deny", &site.profile, false),
        ("Deny", &other, true),
    ]
    .into_iter()
    .enumerate()
    {
        let condition = json!({"ArnLike": {"iam:AssociatedResourceArn": profile}});
        let mut statements = vec![
            json!({"Effect": "Allow", "Action": "rolesanywhere:*", "Resource": "*"}),
            json!({"Effect": effect, "Action": "iam:PassRole", "Resource": "*", "Condition": condition}),
        ];
        if effect == "Deny" {
            statements.push(json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}));
        }
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let user = site.house.user(&format!("user{n}"), Some(&policy)).await;
        let outcome = site.house.call_rest(&user, "rolesanywhere", "UpdateProfile", &update).await;
        assert_eq!(outcome.is_ok(), may, "{effect} {profile}: {outcome:?}");
    }
}

/// CreateTrustAnchor, signed for this region.
async fn create_for(site: &Site, who: &Keys, region: &str) -> Result<Value, daypass_service::Error> {
    let mut http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
    let secret = Secret::new(who.secret_access_key.as_str());
    let keys =
        Credentials { access_key_id: &who.access_key_id, secret_access_key: &secret, session_token: None };
    let now = site.house.clock.now();
    sign(&mut http, &keys, region, "rolesanywhere", SignatureForm::Header, now).unwrap();
    let certificates = json!({"x509CertificateData": Holder::root("Next").pem});
    let source = json!({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": certificates});
    let body = json!({"name": "a", "source": source}).to_string();
    let params = Params::from_json(body.as_bytes()).map_err(|error| panic!("{error}"));
    site.house.send_http(http, "rolesanywhere", "CreateTrustAnchor", "", params).await
}

#[tokio::test]
async fn what_is_made_is_of_the_region_that_was_signed_for_or_not_made() {
    let site = Site::new().await;
    let denied = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}]});
    let user = site.house.user("Ada", Some(&denied.to_string())).await;
    let made = create_for(&site, &user, "eu-north-1").await.unwrap();
    let arn = text(&made["trustAnchor"]["trustAnchorArn"]);
    assert!(arn.starts_with("arn:aws:rolesanywhere:eu-north-1:"), "{arn}");
    assert_eq!(create_for(&site, &user, "us-east-1").await.unwrap_err().code, "AccessDenied");
    let long = "a".repeat(33);
    for region in ["US-EAST-1", "..", "us_east_1", &long] {
        let error = create_for(&site, &user, region).await.unwrap_err();
        let message = "The region that the request is signed for is no name of one region.";
        assert_eq!((error.code, error.message.as_str()), ("ValidationError", message), "{region}");
    }
}

#[tokio::test]
async fn who_is_refused_by_the_trust_policy_is_told_with_the_anchor() {
    let site = Site::new().await;
    let trust = TRUST.replace("Allow", "Deny");
    let update = [("RoleName", "Fleet"), ("PolicyDocument", trust.as_str())];
    site.house.root("iam", "UpdateAssumeRolePolicy", &update).await;
    let error = site.session(&site.root.machine("host1", 7), json!({})).await.unwrap_err();
    assert_eq!(error.code, "AccessDenied");
    let events = site.house.audit.lock().unwrap();
    let told = &events.last().unwrap()["additionalEventData"];
    assert_eq!((&told["identityProvider"], &told["serialNumber"]), (&json!(site.anchor), &json!("7")));
}

#[tokio::test]
async fn which_certificate_was_refused_is_told_once_it_leads_to_the_anchor() {
    let site = Site::new().await;
    let told = |(code, message): (&str, &str)| {
        let events = site.house.audit.lock().unwrap();
        let event = events.last().unwrap();
        assert_eq!((&event["errorCode"], &event["errorMessage"]), (&json!(code), &json!(message)));
        event["additionalEventData"].clone()
    };
    let known = json!({"identityProvider": site.anchor, "x509Subject": "CN=host1", "serialNumber": "7"});
    let list = BASE64.encode(site.root.revoke(&[7]).as_bytes());
    let import = json!({"name": "c", "crlData": list, "trustAnchorArn": site.anchor, "enabled": true});
    site.call("ImportCrl", import).await.unwrap();
    site.session(&site.root.machine("host1", 7), json!({})).await.unwrap_err();
    assert_eq!(told(("AccessDenied", "Certificate revoked.")), known);
    let other = format!("{ROLE}x");
    site.session(&site.root.machine("host1", 7), json!({"roleArn": other})).await.unwrap_err();
    assert_eq!(told(("AccessDenied", &format!("Unable to assume role for {other}"))), known);
    // Somebody else's words.
    site.session(&Holder::root("Fleet CA").machine("host1", 7), json!({})).await.unwrap_err();
    let untrusted = ("AccessDenied", "Untrusted signing certificate.");
    assert_eq!(told(untrusted), json!({"identityProvider": site.anchor}));
}

#[tokio::test]
async fn an_older_list_takes_no_newer_ones_place() {
    let site = Site::new().await;
    let data = |serials: &[u64], number, day| BASE64.encode(site.root.list(serials, number, day).as_bytes());
    let import =
        json!({"name": "c", "crlData": data(&[7], 300, 10), "trustAnchorArn": site.anchor, "enabled": true});
    let made = site.call("ImportCrl", import).await.unwrap();
    let crl = text(&made["crl"]["crlId"]);
    // By its number, by its date, by both.
    for (number, day) in [(299, 10), (255, 10), (1, 12), (300, 9), (301, 9), (1, 1)] {
        let update = json!({"crlId": crl, "crlData": data(&[], number, day)});
        let error = site.call("UpdateCrl", update).await.unwrap_err();
        let message = "The CRL cannot be used: it is older than the one that is here.";
        assert_eq!((error.code, error.message.as_str()), ("ValidationError", message), "{number} {day}");
    }
    let host = site.root.machine("host1", 7);
    assert_eq!(site.session(&host, json!({})).await.unwrap_err().message, "Certificate revoked.");
    for (number, day) in [(300, 10), (301, 10), (70_000, 11)] {
        site.call("UpdateCrl", json!({"crlId": crl, "crlData": data(&[], number, day)})).await.unwrap();
    }
    site.session(&host, json!({})).await.unwrap();
}

/// An anchor may have several authorities: the genuine list of one takes nothing back of what another's revokes.
#[tokio::test]
async fn another_authoritys_list_takes_no_lists_place() {
    let site = Site::new().await;
    let other = Holder::root("Other CA");
    let both = format!("{}{}", site.root.pem, other.pem);
    let source = json!({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": both}});
    let made = site.call("CreateTrustAnchor", json!({"name": "b", "source": source, "enabled": true})).await;
    let anchor = text(&made.unwrap()["trustAnchor"]["trustAnchorArn"]);
    let data = |holder: &Holder, serials: &[u64], day| BASE64.encode(holder.list(serials, 1, day).as_bytes());
    let import = |data| json!({"name": "c", "crlData": data, "trustAnchorArn": anchor, "enabled": true});
    let made = site.call("ImportCrl", import(data(&site.root, &[7], 1))).await.unwrap();
    let update = json!({"crlId": made["crl"]["crlId"], "crlData": data(&other, &[], 10)});
    let error = site.call("UpdateCrl", update).await.unwrap_err();
    assert_eq!(error.code, "ValidationError");
    assert!(error.message.contains("another authority issued the one that is here"), "{}", error.message);
    let host = site.root.machine("host1", 7);
    let with = json!({"trustAnchorArn": anchor});
    assert_eq!(site.session(&host, with.clone()).await.unwrap_err().message, "Certificate revoked.");
    site.call("ImportCrl", import(data(&other, &[], 10))).await.unwrap();
    assert_eq!(site.session(&host, with).await.unwrap_err().message, "Certificate revoked.");
}

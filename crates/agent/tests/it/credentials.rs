//! Credentials over time: others before the old ones end, the last good ones while the server is away, none where it says no.

use serde_json::Value;

use crate::world::Machine;

fn key(document: &Value) -> &str {
    document["AccessKeyId"].as_str().unwrap_or_else(|| panic!("{document}"))
}

#[tokio::test]
async fn others_are_there_long_before_the_old_ones_end() {
    let machine = Machine::new().await;
    let first = machine.credentials().await;
    machine.clock.advance(16_199); // three quarters of six hours, and a second less
    assert_eq!(key(&machine.credentials().await), key(&first));
    machine.clock.advance(1800); // a twelfth, for chance
    let second = machine.credentials().await;
    assert_ne!(key(&second), key(&first));
    // The AWS SDKs ask again fifteen minutes before the end: so much and more was left of the first.
    assert_eq!(second["LastUpdated"], "2026-01-02T08:04:04Z");
    assert_eq!(second["Expiration"], "2026-01-02T14:04:04Z");
}

#[tokio::test]
async fn the_last_good_ones_are_told_while_the_server_is_away() {
    let machine = Machine::new().await;
    let first = machine.credentials().await;
    machine.stub.is_away(true);
    for seconds in [18_000, 3599, 1, 86_400] {
        machine.clock.advance(seconds);
        // Past their end, too: whoever signs with them hears ExpiredToken.
        assert_eq!(key(&machine.credentials().await), key(&first));
    }
    let health = machine.get("/healthz", &[]).await;
    assert_eq!((health.status, health.json()["status"].as_str()), (503, Some("failing")));
    machine.stub.is_away(false);
    machine.clock.advance(10);
    assert_ne!(key(&machine.credentials().await), key(&first));
    assert_eq!(machine.get("/healthz", &[]).await.status, 200);
}

#[tokio::test]
async fn a_role_that_lets_nobody_in_any_more_is_told_in_their_place() {
    let machine = Machine::new().await;
    machine.credentials().await;
    machine.stub.refuses(Some("AccessDenied"));
    machine.clock.advance(18_000);
    let refused = machine.credentials().await;
    // "Troubleshoot IAM and Amazon EC2", IAM User Guide.
    assert_eq!(refused["Code"], "AssumeRoleUnauthorizedAccess");
    let message = refused["Message"].as_str().unwrap();
    assert!(message.starts_with("EC2 cannot assume the role Worker."), "{message}");
    assert_eq!(refused["LastUpdated"], "2026-01-02T08:04:05Z");
    assert!(refused.get("AccessKeyId").is_none() && refused.get("Token").is_none());
    machine.stub.refuses(None);
    machine.clock.advance(10);
    assert_eq!(machine.credentials().await["Code"], "Success");
}

#[tokio::test]
async fn a_machine_that_the_server_does_not_know_any_more_gives_nothing() {
    let machine = Machine::new().await;
    machine.credentials().await;
    machine.stub.forgets_the_machine();
    machine.clock.advance(301);
    let said = machine.credentials().await;
    assert_eq!(said["Code"], "InvalidIdentityToken");
    assert_eq!(machine.get_v2("/latest/meta-data/iam/security-credentials/").await.status, 404);
    assert_eq!(machine.get("/healthz", &[]).await.json()["status"], "refused");
}

/// Otherwise a fleet that gets nothing says that it is well.
#[tokio::test]
async fn a_machine_without_a_role_is_not_well() {
    let machine = Machine::new().await;
    machine.credentials().await;
    machine.stub.role_is(None);
    machine.clock.advance(301);
    assert_eq!(machine.get_v2("/latest/meta-data/iam/security-credentials/").await.status, 404);
    let health = machine.get_v2("/healthz").await;
    assert_eq!((health.status, health.json()["status"].as_str()), (503, Some("no role")));
    machine.stub.role_is(Some("Worker"));
    machine.clock.advance(301);
    assert_eq!(machine.get_v2("/healthz").await.status, 200);
}

#[tokio::test]
async fn the_profile_may_get_another_role() {
    let machine = Machine::new().await;
    machine.credentials().await;
    machine.stub.role_is(Some("Other"));
    machine.clock.advance(301);
    let path = "/latest/meta-data/iam/security-credentials/";
    assert_eq!(machine.get_v2(path).await.body, "Other");
    assert_eq!(machine.get_v2(&format!("{path}Worker")).await.status, 404);
    assert_eq!(machine.get_v2(&format!("{path}Other")).await.json()["Code"], "Success");
    // Should the server be away meanwhile, nobody is told the credentials of one role for another's.
    machine.stub.role_is(Some("Third"));
    machine.clock.advance(301);
    assert_eq!(machine.get_v2(path).await.body, "Third");
    machine.stub.is_away(true);
    assert_eq!(machine.get_v2(&format!("{path}Third")).await.status, 503);
}

#[tokio::test]
async fn short_ones_are_replaced_in_time_as_well() {
    let machine = Machine::new().await;
    machine.stub.credentials_live(3600);
    machine.clock.advance(18_000);
    let first = machine.credentials().await;
    machine.clock.advance(3000);
    assert_ne!(key(&machine.credentials().await), key(&first));
}

#[tokio::test]
async fn a_role_made_again_under_its_name_is_another() {
    let machine = Machine::new().await;
    let first = machine.credentials().await;
    // Deleted and made again between two looks at the instance: its name alone tells nothing.
    machine.stub.role_is_made_again();
    machine.clock.advance(301);
    let second = machine.credentials().await;
    assert_ne!(key(&second), key(&first));
    assert_eq!(key(&machine.credentials().await), key(&second));
    // Those of the role before are shown to nobody, a server that is away or not.
    machine.stub.role_is_made_again();
    machine.clock.advance(301);
    assert_eq!(machine.get_v2("/latest/meta-data/iam/security-credentials/").await.body, "Worker");
    machine.stub.is_away(true);
    assert_eq!(machine.get_v2("/latest/meta-data/iam/security-credentials/Worker").await.status, 503);
}

#[tokio::test]
async fn a_call_that_is_sent_again_on_the_way_takes_nothing_away() {
    let machine = Machine::new().await;
    let first = machine.credentials().await;
    // Once: another proof, at once.
    machine.stub.saw_before(1);
    machine.clock.advance(18_000);
    let second = machine.credentials().await;
    assert_ne!(key(&second), key(&first));
    // Again and again: as a server that is away.
    machine.stub.saw_before(u32::MAX);
    machine.clock.advance(18_000);
    assert_eq!(key(&machine.credentials().await), key(&second));
    machine.stub.saw_before(0);
    machine.clock.advance(10);
    assert_ne!(key(&machine.credentials().await), key(&second));
}

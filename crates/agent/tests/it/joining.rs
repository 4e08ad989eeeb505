//! Joining: once, by a secret; again by the key that is kept; and what is told where it cannot be.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use daypass_agent::Settings;
use daypass_model::MockClock;

use crate::stub::Stub;
use crate::world::{Machine, SECRET, Scratch, private};

async fn not_joined(secret: &str, scratch: Scratch) -> Machine {
    let clock = Arc::new(MockClock::at("2026-01-02T03:04:05Z".parse().unwrap()));
    let stub = Stub::start(clock.clone(), secret).await;
    Machine::at(clock, stub, scratch, |_| {}).await
}

#[tokio::test]
async fn a_machine_joins_once_and_keeps_its_key() {
    let machine = Machine::new().await;
    let joins =
        |machine: &Machine| machine.stub.calls().iter().filter(|call| *call == "JoinInstance").count();
    assert_eq!(joins(&machine), 1);
    let state = machine.scratch.join("state");
    assert_eq!(state.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(state.join("identity.json").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = machine.credentials().await;
    // The secret is needed no more.
    std::fs::remove_file(machine.scratch.join("secret")).unwrap();
    let machine = machine.again(|settings| settings.join_secret = None).await;
    machine.joined().await;
    assert_ne!(machine.credentials().await["AccessKeyId"], before["AccessKeyId"]);
    assert_eq!(joins(&machine), 1);
}

#[tokio::test]
async fn a_new_secret_means_to_join_anew_with_another_key() {
    let machine = Machine::new().await;
    let key = std::fs::read(machine.scratch.join("state").join("identity.json")).unwrap();
    machine.stub.secret_is("another-secret");
    private(&machine.scratch.join("secret"), "another-secret\n");
    let machine = machine.again(|_| {}).await;
    machine.joined().await;
    assert_ne!(std::fs::read(machine.scratch.join("state").join("identity.json")).unwrap(), key);
    assert_eq!(machine.credentials().await["Code"], "Success");
}

#[tokio::test]
async fn a_secret_that_is_not_good_takes_nothing_away() {
    let machine = Machine::new().await;
    let secret = machine.scratch.join("secret");
    private(&secret, "mistyped");
    let (clock, stub) = (machine.clock.clone(), machine.stub.clone());
    let mut machine = machine.again(|_| {}).await;
    let scratch = std::mem::replace(&mut machine.scratch, Scratch::new());
    assert!(machine.ended().await.is_err());
    private(&secret, SECRET);
    let machine = Machine::at(clock, stub, scratch, |_| {}).await;
    machine.joined().await;
    assert_eq!(machine.credentials().await["Code"], "Success");
}

#[tokio::test]
async fn a_secret_that_somebody_else_used_ends_the_agent_with_what_to_do() {
    let clock = Arc::new(MockClock::at("2026-01-02T03:04:05Z".parse().unwrap()));
    let stub = Stub::start(clock.clone(), SECRET).await;
    Machine::at(clock.clone(), stub.clone(), Scratch::new(), |_| {}).await.joined().await;
    let machine = Machine::at(clock, stub, Scratch::new(), |_| {}).await;
    let line = machine.ended().await.unwrap_err().to_string();
    for said in ["may not join", "somebody else has used it", "daypass:RenewJoinSecret"] {
        assert!(line.contains(said), "{line}");
    }
    assert!(!line.contains(SECRET));
}

#[tokio::test]
async fn programs_hear_that_there_is_nothing_yet_while_the_server_is_away() {
    let clock = Arc::new(MockClock::at("2026-01-02T03:04:05Z".parse().unwrap()));
    let stub = Stub::start(clock.clone(), SECRET).await;
    stub.is_away(true);
    let machine = Machine::at(clock, stub, Scratch::new(), |_| {}).await;
    while machine.stub.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    let said = machine.get_v2("/latest/meta-data/iam/security-credentials/").await;
    assert_eq!(said.status, 503);
    assert_eq!(machine.get("/healthz", &[]).await.json()["status"], "waiting to join");
}

#[tokio::test]
async fn what_others_can_read_is_no_secret() {
    let scratch = Scratch::new();
    std::fs::write(scratch.join("secret"), SECRET).unwrap();
    std::fs::set_permissions(scratch.join("secret"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let line = not_joined(SECRET, scratch).await.ended().await.unwrap_err().to_string();
    assert!(line.contains("others may read it; chmod 600"), "{line}");
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.join("state")).unwrap();
    std::fs::set_permissions(scratch.join("state"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let line = not_joined(SECRET, scratch).await.ended().await.unwrap_err().to_string();
    assert!(line.contains("chmod 700"), "{line}");
}

#[tokio::test]
async fn a_machine_that_joined_is_not_made_another_by_a_flag() {
    let machine = Machine::new().await;
    let other = "arn:aws:ec2:eu-central-1:111122223333:instance/i-0ffffffffffffffff";
    let line = machine.again(|settings| settings.instance = Some(other.into())).await.ended().await;
    assert!(line.unwrap_err().to_string().contains("this machine joined as"));
}

#[tokio::test]
async fn nobody_is_blamed_for_a_secret_that_is_only_not_the_right_one() {
    let line = not_joined("of another instance", Scratch::new()).await.ended().await.unwrap_err().to_string();
    assert!(line.contains("may not join") && line.contains("daypass:RenewJoinSecret"), "{line}");
    assert!(!line.contains("somebody else") && !line.contains(".."), "{line}");
}

#[tokio::test]
async fn a_try_for_another_instance_is_not_gone_on_with() {
    let other = "arn:aws:ec2:eu-central-1:111122223333:instance/i-0ffffffffffffffff";
    let clock = Arc::new(MockClock::at("2026-01-02T03:04:05Z".parse().unwrap()));
    let stub = Stub::start(clock.clone(), SECRET).await;
    let mistyped = |settings: &mut Settings| settings.instance = Some(other.into());
    let mut machine = Machine::at(clock.clone(), stub.clone(), Scratch::new(), mistyped).await;
    let scratch = std::mem::replace(&mut machine.scratch, Scratch::new());
    assert!(machine.ended().await.is_err());
    let machine = Machine::at(clock, stub, scratch, |_| {}).await;
    machine.joined().await;
    assert_eq!(machine.credentials().await["Code"], "Success");
}

#[tokio::test]
async fn a_new_secret_that_cannot_be_read_ends_a_machine_that_joined() {
    let machine = Machine::new().await;
    let secret = machine.scratch.join("secret");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let line = machine.again(|_| {}).await.ended().await.unwrap_err().to_string();
    assert!(line.contains("--join-secret-file") && line.contains("others may read it"), "{line}");
}

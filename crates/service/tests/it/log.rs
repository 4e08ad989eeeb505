//! What the log says of calls that fail, and under which id.

use daypass_directory::Change;
use daypass_service::Error;
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use crate::answers::ALLOW_ALL;
use crate::secrets::Captured;
use crate::support::{ACCOUNT, TestHouse};

impl Captured {
    /// Log at this level, for as long as the guard lives.
    pub(crate) fn at(level: LevelFilter) -> (Self, tracing::subscriber::DefaultGuard) {
        let captured = Self::default();
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(captured.clone());
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(level).with(lines));
        (captured, guard)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

fn last_request_id(house: &TestHouse) -> String {
    house.audit.lock().unwrap().last().unwrap()["requestID"].as_str().unwrap().to_owned()
}

/// A policy that had all the versions that can be counted, and a call for one more.
async fn one_version_too_many(house: &TestHouse) -> Result<Value, Error> {
    house.root("iam", "CreatePolicy", &[("PolicyName", "P"), ("PolicyDocument", ALLOW_ALL)]).await;
    let directory = &house.house.directory;
    let view = directory.snapshot();
    let account = view.operator().account(ACCOUNT.parse().unwrap()).unwrap();
    let policy = account.policy_by_name("P").unwrap();
    let mut record = policy.record.clone();
    record.next_version = u32::MAX;
    let mut change = Change::new("test", &view);
    change.update(account.id(), policy.revision, record);
    directory.commit(change).await.unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/P");
    let params = [("PolicyArn", arn.as_str()), ("PolicyDocument", ALLOW_ALL)];
    house.call(&house.root, "iam", "CreatePolicyVersion", &params).await
}

#[tokio::test]
async fn an_internal_failure_is_logged_once_with_its_cause_and_request_id_at_every_level() {
    for level in [LevelFilter::ERROR, LevelFilter::INFO] {
        let house = TestHouse::new().await;
        let (log, _guard) = Captured::at(level);
        let error = one_version_too_many(&house).await.unwrap_err();
        assert_eq!(error.code, "InternalFailure");
        assert!(!error.message.contains("version"), "the cause is not the client's to know: {error}");
        let lines = log.lines();
        let [line] = lines.as_slice() else { panic!("{level}: one line: {lines:#?}") };
        for part in ["ERROR", &last_request_id(&house), "CreatePolicyVersion", "version numbers"] {
            assert!(line.contains(part), "{level}: {part} in {line}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_logged_with_code_and_request_id_for_whoever_debugs() {
    for (level, lines) in [(LevelFilter::INFO, 0), (LevelFilter::DEBUG, 1)] {
        let house = TestHouse::new().await;
        let (log, _guard) = Captured::at(level);
        house.call(&house.root, "iam", "GetUser", &[("UserName", "Nobody")]).await.unwrap_err();
        house.root("iam", "ListUsers", &[]).await;
        let (id, logged) = (house.audit.lock().unwrap()[0]["requestID"].clone(), log.lines());
        assert_eq!(logged.len(), lines, "{level}: {logged:#?}");
        assert!(
            logged.iter().all(|line| line.contains("NoSuchEntity") && line.contains(id.as_str().unwrap()))
        );
    }
}

#[tokio::test]
async fn what_a_call_logs_on_its_way_carries_its_request_id() {
    let house = TestHouse::new().await;
    let (log, _guard) = Captured::at(LevelFilter::DEBUG);
    let stranger =
        crate::support::Keys { access_key_id: "AKIAIOSFODNN7EXAMPLE".into(), ..house.root.clone() };
    house.call(&stranger, "sts", "GetCallerIdentity", &[]).await.unwrap_err();
    let (id, lines) = (last_request_id(&house), log.lines());
    let line = lines.iter().find(|line| line.contains("a credential was refused")).unwrap();
    assert!(line.contains(&id) && line.contains("GetCallerIdentity"), "{line}");
}

//! What the file survives, and what nobody waits for.

use std::os::unix::fs::PermissionsExt;

use daypass_model::{AccountId, SeededRandom, SessionId};
use serde_json::json;

use super::*;
use crate::scratch::Scratch;

const NOW: i64 = 1_768_478_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn entry(n: u64, expires_at: i64) -> SessionEntry {
    let account: AccountId = "111122223333".parse().unwrap();
    let id = SessionId::generate(account, &SeededRandom::new(n)).to_string();
    serde_json::from_value(json!({
        "id": id, "ancestry": [], "access_key_id": "ASIAQNZGKIQY56JQ7WML", "type": "AssumedRole",
        "account": account, "arn": "arn:aws:sts::111122223333:assumed-role/Crew/s1",
        "principal_arn": "arn:aws:iam::111122223333:role/Crew", "principal_id": "AROAX", "session_name": format!("s{n}"),
        "at": NOW, "issued_at": NOW, "expires_at": expires_at,
        "requested_by": {"account": account, "arn": "arn:aws:iam::111122223333:user/Ada", "access_key_id": "AKIAQNZGKIQY56JQ7WML"},
        "mfa": false, "layers": 0, "scoped_layers": 0,
    }))
    .unwrap()
}

async fn names(log: &SessionLog) -> Vec<String> {
    let reading = log.read(NOW).await;
    let mut names: Vec<_> = reading
        .index
        .search(None, None, 1000, |_| true)
        .entries
        .iter()
        .map(|e| e.session_name.clone())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_start_knows_the_sessions_that_live_whatever_stands_beside_them() {
    let scratch = Scratch::new("sessions");
    let path = scratch.join("sessions.jsonl");
    let (log, file) = open(&path, 100, at(NOW)).unwrap();
    log.keep(entry(1, NOW + 60));
    log.keep(entry(2, NOW + 600));
    assert_eq!(names(&log).await, ["s1", "s2"], "a list has what was issued before it");
    file.close();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // What is no entry, what has no end, and what a newer daypass knows more of.
    let mut newer = serde_json::to_value(entry(3, NOW + 600)).unwrap();
    newer["from_the_future"] = json!(true);
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str(&format!("{{}}\n{newer}\n\u{0}\n{}\n{{\"id\":\"torn", "x".repeat(3 * LINE_BYTES_MAX)));
    std::fs::write(&path, text).unwrap();
    let (log, file) = open(&path, 100, at(NOW + 60)).unwrap();
    assert_eq!(names(&log).await, ["s2", "s3"]);
    log.keep(entry(4, NOW + 600));
    file.close();
    let (log, _) = open(&path, 100, at(NOW + 60)).unwrap();
    assert_eq!(names(&log).await, ["s2", "s3", "s4"], "what came after a torn line is whole");
}

#[tokio::test]
async fn the_files_are_bounded_and_so_is_what_a_start_takes_in() {
    let scratch = Scratch::new("bounded");
    let path = scratch.join("sessions.jsonl");
    let (log, file) = open(&path, 10, at(NOW)).unwrap();
    for n in 0..35 {
        log.keep(entry(n, NOW + 1000 + i64::try_from(n).unwrap()));
    }
    file.close();
    assert_eq!(scratch.names(), ["sessions.jsonl", "sessions.jsonl.1"]);
    let lines = |name: &str| std::fs::read_to_string(scratch.join(name)).unwrap().lines().count();
    assert_eq!((lines("sessions.jsonl"), lines("sessions.jsonl.1")), (5, 10));
    let last: Vec<_> = (25..35).map(|n| format!("s{n}")).collect();
    assert_eq!(names(&log).await, last);
    assert!(log.read(NOW).await.may_be_incomplete);
    let (log, file) = open(&path, 10, at(NOW)).unwrap();
    assert_eq!(names(&log).await, last, "the newest of both files");
    for n in 35..41 {
        log.keep(entry(n, NOW + 2000));
    }
    file.close();
    assert_eq!((lines("sessions.jsonl"), lines("sessions.jsonl.1")), (1, 10), "it goes on where it was");
}

#[tokio::test]
async fn nobody_waits_for_a_queue_that_is_full() {
    let (queue, messages) = sync_channel(2);
    let file = SessionFile { queue, not_written: Arc::default(), writer: Mutex::new(None) };
    let index = Arc::new(Mutex::new(SessionIndex::new(10)));
    let log = SessionLog::new(index, Box::new(Queue(Arc::new(file))));
    (0..5).for_each(|n| log.keep(entry(n, NOW + 60)));
    assert_eq!(log.lost(), 3);
    // The thread is stuck, and lists show what there is.
    assert!(log.read(NOW).await.may_be_incomplete);
    assert!(!log.read(NOW + 60).await.may_be_incomplete, "what was lost is over");
    assert_eq!(messages.try_iter().count(), 2);
}

#[tokio::test]
async fn a_disk_that_fails_costs_lines_and_no_list() {
    let scratch = Scratch::new("failing");
    let folder = scratch.join("gone");
    std::fs::create_dir(&folder).unwrap();
    let (log, file) = open(&folder.join("sessions.jsonl"), 2, at(NOW)).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    (0..2).for_each(|n| log.keep(entry(n, NOW + 60 + i64::try_from(n).unwrap())));
    names(&log).await;
    assert_eq!(file.not_written(), 0, "the file is open still");
    log.keep(entry(2, NOW + 70));
    assert_eq!(names(&log).await, ["s1", "s2"]);
    assert_eq!(file.not_written(), 1, "it cannot be replaced");
    std::fs::create_dir(&folder).unwrap();
    log.keep(entry(3, NOW + 80));
    file.close();
    let text = std::fs::read_to_string(folder.join("sessions.jsonl"));
    assert_eq!(text.map_or(0, |text| text.lines().count()), 1, "and goes on when it can");
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let why = open(Path::new("/dev"), 10, at(NOW)).err().unwrap().to_string();
    assert!(why.contains("the session log `/dev` cannot be opened"), "{why}");
}

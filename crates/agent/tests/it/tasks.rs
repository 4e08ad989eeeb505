//! Container credentials: a path and a token for each task, and nobody else's.

use crate::world::Machine;

const TASK: &str = "/v2/credentials/0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_task_gets_its_role_by_its_token() {
    let machine = Machine::new().await;
    let said = machine.get(TASK, &[("authorization", "task-token")]).await;
    assert_eq!((said.status, said.field("content-type")), (200, Some("application/json")));
    // AWS SDKs and Tools Reference Guide, "Container credential provider"; Amazon ECS Developer Guide, "Task IAM role".
    let document = said.json();
    let mut names: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["AccessKeyId", "AccountId", "Expiration", "RoleArn", "SecretAccessKey", "Token"]);
    assert_eq!((&document["Token"], &document["AccountId"]), (&"token".into(), &"111122223333".into()));
    assert_eq!(document["Expiration"], "2026-01-02T09:04:05Z");
    let asked = machine.stub.params_of_last("GetTaskCredentials");
    assert_eq!(asked["TaskId"], "0123456789abcdef0123456789abcdef");
}

#[tokio::test]
async fn no_token_and_another_token_get_nothing_even_after_the_right_one() {
    let machine = Machine::new().await;
    assert_eq!(machine.get(TASK, &[("authorization", "task-token")]).await.status, 200);
    for (fields, status) in [
        (vec![], 401),
        (vec![("authorization", "another")], 403),
        (vec![("authorization", "Bearer task-token")], 403),
        (vec![("authorization", "task-token"), ("authorization", "task-token")], 401),
    ] {
        let said = machine.get(TASK, &fields).await;
        assert_eq!(said.status, status, "{fields:?}");
        assert!(said.json()["code"].is_string() && said.json()["message"].is_string());
        assert!(!said.body.contains("secret"));
    }
    for path in ["/v2/credentials/", "/v2/credentials/..", "/v2/credentials/a/b", "/v2/credentials/x%2F"] {
        assert_eq!(machine.get(path, &[("authorization", "task-token")]).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn its_credentials_are_kept_and_replaced_as_the_machines_are() {
    let machine = Machine::new().await;
    let key = async || {
        let said = machine.get(TASK, &[("authorization", "task-token")]).await;
        said.json()["AccessKeyId"].as_str().unwrap().to_owned()
    };
    let first = key().await;
    assert_eq!(key().await, first);
    machine.stub.is_away(true);
    machine.clock.advance(30_000);
    assert_eq!(key().await, first);
    machine.stub.is_away(false);
    machine.clock.advance(10);
    assert_ne!(key().await, first);
}

#[tokio::test]
async fn whoever_guesses_tokens_takes_no_room_from_those_who_have_one() {
    let machine = Machine::new().await;
    let known = machine.get(TASK, &[("authorization", "task-token")]).await.json();
    for n in 0..300 {
        let guess = format!("guess-{n}");
        assert!(matches!(machine.get(TASK, &[("authorization", &guess)]).await.status, 403 | 429));
    }
    machine.stub.is_away(true);
    assert_eq!(machine.get(TASK, &[("authorization", "task-token")]).await.json(), known);
}

#[tokio::test]
async fn guesses_reach_the_server_by_a_ration_for_each_task_and_one_for_programs_of_the_machine() {
    let machine = Machine::new().await;
    let asked = || machine.stub.calls().iter().filter(|call| *call == "GetTaskCredentials").count();
    let known = machine.get(TASK, &[("authorization", "task-token")]).await.json();
    assert_eq!(asked(), 1);
    let guess = async |task: usize, n: usize| {
        let path = format!("/v2/credentials/{task:032x}");
        machine.get(&path, &[("authorization", &format!("guess-{n}"))]).await
    };
    for n in 0..30 {
        let said = guess(1, n).await;
        assert_eq!(said.status, if n < 10 { 403 } else { 429 }, "{n}");
        assert!(n < 10 || said.json()["code"] == "TooManyRequestsException", "{}", said.body);
    }
    assert_eq!(asked(), 11);
    // Another task's programs are not kept from theirs.
    let path = format!("/v2/credentials/{:032x}", 2);
    assert_eq!(machine.get(&path, &[("authorization", "task-token")]).await.status, 200);
    for n in 0..300 {
        guess(100 + n, n).await;
    }
    assert_eq!(asked(), 1 + 30 + 1, "what was given is not counted");
    // What was given before is told on, and asked for again.
    assert_eq!(machine.get(TASK, &[("authorization", "task-token")]).await.json(), known);
    machine.clock.advance(6);
    assert_eq!((guess(1, 1000).await.status, guess(1, 1001).await.status), (403, 429));
    machine.clock.advance(18_000);
    assert_ne!(machine.get(TASK, &[("authorization", "task-token")]).await.json(), known);
}

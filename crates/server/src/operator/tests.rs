//! What the operator is told when the server does not answer.

use std::io::ErrorKind;

use super::*;
use crate::scratch::Scratch;

#[test]
fn a_socket_of_another_user_is_told_with_whose_it_is_and_no_start_is_asked_for() {
    let scratch = Scratch::new("socket");
    let (data, socket) = (scratch.path(), scratch.join(names::OPERATOR_SOCKET));
    let line = |data: &Path, kind: ErrorKind| unanswered(data, &socket, &kind.into()).to_string();
    let uid = data.metadata().unwrap().uid();
    let denied = line(data, ErrorKind::PermissionDenied);
    assert!(denied.ends_with(&format!("run this as the server's user, which is uid {uid}")), "{denied}");
    assert!(denied.contains(&format!("`{}` may be opened by its owner", socket.display())), "{denied}");
    let unknown = line(Path::new("/no/such/place"), ErrorKind::PermissionDenied);
    assert!(unknown.ends_with("run this as the server's user"), "{unknown}");
    let none = line(data, ErrorKind::ConnectionRefused);
    assert!(none.starts_with("no daypass answers at ") && none.contains("start `daypass serve"), "{none}");
}

/// Takes connections; to those from the given one on it answers that there are no keys.
fn server_that_answers_from(scratch: &Scratch, first: usize) -> tokio::task::JoinHandle<()> {
    let listener = UnixListener::bind(scratch.join(names::OPERATOR_SOCKET)).unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            if kept.len() >= first {
                stream.write_all(b"{\"answer\":\"keys\",\"keys\":[]}\n").await.unwrap();
            }
            kept.push(stream);
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_server_that_took_a_question_and_is_silent_is_not_waited_for_without_end() {
    let questions = [Ask::AccountList, Ask::KeyList, Ask::Backup { file: "copy".into() }];
    for (question, seconds) in questions.into_iter().zip([15, 15, 30]) {
        let scratch = Scratch::new("silent");
        let server = server_that_answers_from(&scratch, usize::MAX);
        let begun = tokio::time::Instant::now();
        let line = ask(scratch.path(), &question).await.unwrap_err().to_string();
        assert!(line.starts_with("the server took the question at ") && line.contains("/readyz"), "{line}");
        assert_eq!(begun.elapsed().as_secs(), seconds, "{question:?}");
        server.abort();
    }
}

#[tokio::test]
async fn a_server_that_ends_before_its_answer_is_told_as_such() {
    for begun in ["", "{\"answer\":\"ke"] {
        let scratch = Scratch::new("ends");
        let listener = UnixListener::bind(scratch.join(names::OPERATOR_SOCKET)).unwrap();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (reader, mut writer) = stream.into_split();
            BufReader::new(reader).read_line(&mut String::new()).await.unwrap();
            writer.write_all(begun.as_bytes()).await.unwrap();
        });
        let line = ask(scratch.path(), &Ask::KeyList).await.unwrap_err().to_string();
        assert!(line.contains("ended before it had answered; what was asked may have been done"), "{line}");
        server.await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_kept() {
    let scratch = Scratch::new("endless");
    let listener = UnixListener::bind(scratch.join(names::OPERATOR_SOCKET)).unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut sent = 0;
        let block = vec![b'a'; 1024 * 1024];
        while sent < 64 && stream.write_all(&block).await.is_ok() {
            sent += 1;
        }
        sent
    });
    let line = ask(scratch.path(), &Ask::KeyList).await.unwrap_err().to_string();
    assert!(line.starts_with("the server's answer could not be read"), "{line}");
    assert!(server.await.unwrap() < 64, "nobody takes what comes after the longest answer");
}

#[tokio::test(start_paused = true)]
async fn a_backup_may_take_long_while_the_server_answers_others() {
    let scratch = Scratch::new("long");
    let server = server_that_answers_from(&scratch, 1);
    let backup = Ask::Backup { file: "copy".into() };
    let an_hour = Duration::from_secs(3600);
    assert!(timeout(an_hour, ask(scratch.path(), &backup)).await.is_err(), "it is waited for");
    server.abort();
}

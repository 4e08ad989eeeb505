//! `daypass demo`: twelve lines as expected, again and again, and never over somebody's data.

use std::process::Output;

use crate::binary::{Scratch, Server, run};

fn demo(scratch: &Scratch, args: &[&str]) -> (Output, String) {
    let args: Vec<&str> = ["demo"].iter().chain(args).copied().collect();
    let output = run(scratch.path(), &args);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

fn numbers(text: &str) -> Vec<usize> {
    text.lines().filter_map(|line| line.get(..4)?.trim().parse().ok()).collect()
}

#[test]
fn the_story_is_told_as_expected_twice_in_one_directory() {
    let scratch = Scratch::new("demo-twice");
    let mut roots = Vec::new();
    for run in 1..=2 {
        let (output, text) = demo(&scratch, &[]);
        assert!(output.status.success(), "run {run}: {text}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(numbers(&text), (1..=12).collect::<Vec<_>>(), "{text}");
        assert!(text.contains("12 of 12 as expected"), "{text}");
        let fourth =
            " 4  Jill    GET federated-user/Susan/b.txt → 403, no session policy allows s3:GetObject\n";
        assert!(text.contains(fourth), "{text}");
        assert!(text.contains("`cargo run --release` serves this data on 127.0.0.1:7777"), "{text}");
        roots.push(std::fs::read_to_string(scratch.join("daypass-data/root-credentials")).unwrap());
    }
    assert_ne!(roots[0], roots[1], "a new run begins anew");
    let server = Server::start(&scratch.join("daypass-data"));
    assert!(server.banner.contains("root-credentials"), "{}", server.banner);
    server.stop();
    // What was made since is somebody's own.
    let (output, _) = demo(&scratch, &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && error.contains("a server has run on"), "{error}");
    let server = Server::start(&scratch.join("daypass-data"));
    server.stop();
}

#[test]
fn no_secret_is_printed_where_there_is_no_terminal() {
    let scratch = Scratch::new("demo-secrets");
    let (output, text) = demo(&scratch, &["--data", "here"]);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("-- --data here` serves this data"), "{text}");
    let all = text + &String::from_utf8_lossy(&output.stderr);
    let mut files = 0;
    for entry in std::fs::read_dir(scratch.join("here")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap().starts_with("root-credentials") {
            let credentials = std::fs::read_to_string(entry.path()).unwrap();
            let secret =
                credentials.lines().find_map(|line| line.strip_prefix("aws_secret_access_key = ")).unwrap();
            assert!(!all.contains(secret));
            files += 1;
        }
    }
    assert_eq!(files, 2);
    for name in ["SecretAccessKey", "AWS_SECRET_ACCESS_KEY", "SessionToken"] {
        assert!(!all.contains(name), "{name} in {all}");
    }
}

#[test]
fn a_directory_with_something_else_in_it_is_refused_untouched() {
    let scratch = Scratch::new("demo-foreign");
    let data = scratch.join("daypass-data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("store.sqlite"), "precious").unwrap();
    let (output, text) = demo(&scratch, &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text, "");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("daypass-data") && error.contains("--data"), "{error}");
    let names: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["store.sqlite"]);
    assert_eq!(std::fs::read_to_string(data.join("store.sqlite")).unwrap(), "precious");
}

#[test]
fn a_file_in_the_place_of_the_directory_is_refused() {
    let scratch = Scratch::new("demo-file");
    std::fs::write(scratch.join("taken"), "precious").unwrap();
    let (output, _) = demo(&scratch, &["--data", "taken"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--data"));
    assert_eq!(std::fs::read_to_string(scratch.join("taken")).unwrap(), "precious");
}

//! `policy eval`, `policy validate` and `signature explain` with input of somebody else's: from a pipe, hostile, or without an end.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use crate::binary::{Scratch, daypass, run};
use crate::command_line::one_line;

/// Runs it with this on standard input.
fn piped(dir: &Scratch, args: &[&str], input: &[u8]) -> Output {
    let mut command = daypass(dir.path());
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn case(id: &str, action: &str) -> String {
    format!(
        r#"{{"id":"{id}","principal":"arn:aws:iam::111122223333:user/alice","account":"111122223333","action":"{action}","resource":{{"arn":"arn:aws:s3:::b/k","account":"111122223333"}},"context":{{}},"policies":{{"identity":[{{"name":"p","policy":{{"Statement":{{"Sid":"one","Effect":"Allow","Action":"s3:Get*","Resource":"*"}}}}}}]}}}}"#
    )
}

#[test]
fn policy_eval_reads_cases_from_standard_input() {
    let dir = Scratch::new("eval-stdin");
    let cases = format!("{}\n\n{}", case("a", "s3:GetObject"), case("b", "s3:PutObject"));
    let output = piped(&dir, &["policy", "eval", "--cases", "-"], cases.as_bytes());
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "{\"decision\":\"Allowed\",\"id\":\"a\"}\n{\"decision\":\"ImplicitlyDenied\",\"id\":\"b\"}\n"
    );
    let output = piped(&dir, &["policy", "eval", "--cases", "-"], b"{}");
    assert_eq!(one_line(&output), "daypass: `-`, line 1: `resource` is missing");
    assert!(output.stdout.is_empty());
    let cases = format!("{}\n{{}}\n{}", case("a", "s3:GetObject"), case("b", "s3:PutObject"));
    let output = piped(&dir, &["policy", "eval", "--cases", "-"], cases.as_bytes());
    assert_eq!(one_line(&output), "daypass: `-`, line 2: `resource` is missing");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "{\"decision\":\"Allowed\",\"id\":\"a\"}\n{\"decision\":\"ImplicitlyDenied\",\"id\":\"b\"}\n"
    );
}

#[test]
fn policy_eval_refuses_a_caller_or_action_that_cannot_be() {
    let dir = Scratch::new("eval-refuses");
    let good = case("a", "s3:GetObject");
    for (from, to, why) in [
        (
            r#""account":"111122223333","action""#,
            r#""action""#,
            "`account` is missing: the principal is of `111122223333`",
        ),
        (
            r#""account":"111122223333","action""#,
            r#""account":"1","action""#,
            "`account` is `1`, and `111122223333` in the principal's ARN",
        ),
        (
            "arn:aws:iam::111122223333:user/alice",
            "junk",
            "the principal `junk` is neither an ARN nor the name of a service or an identity provider",
        ),
        (
            "arn:aws:iam",
            "arn:aws-cn:iam",
            "the principal `arn:aws-cn:iam::111122223333:user/alice` is the ARN of no caller",
        ),
        ("s3:GetObject", "", "the action `` is no `service:Name`"),
        (
            r#""context":{"#,
            r#""context":{"a:B":"1","A:b":"2""#,
            "the context key `A:b` stands there twice, in upper and lower case",
        ),
    ] {
        assert!(good.contains(from));
        let output = piped(&dir, &["policy", "eval", "--cases", "-"], good.replacen(from, to, 1).as_bytes());
        assert_eq!(one_line(&output), format!("daypass: `-`, line 1: {why}"));
    }
}

/// The parts of AWS's own vector `get-vanilla` of its test suite for Signature Version 4, whose secret is public.
const VANILLA: &str = "GET / HTTP/1.1\r\nHost:example.amazonaws.com\r\nX-Amz-Date:20150830T123600Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31\r\n\r\n";
const EXPLAIN: [&str; 4] = ["signature", "explain", "--request", "request"];

#[test]
fn signature_explain_takes_the_secret_from_standard_input() {
    let dir = Scratch::new("explain-stdin");
    fs::write(dir.join("request"), VANILLA).unwrap();
    for (secret, code, verdict) in [
        ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n", 0, "the signature matches\n"),
        ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ\n", 1, "the signature does not match"),
    ] {
        let output = piped(&dir, &EXPLAIN, secret.as_bytes());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(text.contains(verdict) && !text.contains(secret.trim()), "{text}");
    }
}

/// AWS's own signature for the same request with Signature Version 4A, of the same keys.
const VANILLA_4A: &str = "GET / HTTP/1.1\r\nHost:example.amazonaws.com\r\nX-Amz-Date:20150830T123600Z\r\nX-Amz-Region-Set:us-east-1\r\nAuthorization:AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20150830/service/aws4_request, SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=3046022100fddaaf816a31e30d04973875b13bc27b98da10907a3a1872fd5819a221334abc022100de2ee81d83b54f31efc82834de07e6cd4d5c6f25bfa08e0f29a15bb0977c343e\r\n\r\n";

#[test]
fn signature_explain_explains_version_4a() {
    let dir = Scratch::new("explain-4a");
    for (request, code, told) in [
        (VANILLA_4A.to_owned(), 0, "the signature matches\n"),
        (
            VANILLA_4A.replace("Host:example.amazonaws.com", "Host:example.amazonaws.com:443"),
            1,
            "the signature does not match: the host was signed as `example.amazonaws.com`",
        ),
        (VANILLA_4A.replace("GET /", "POST /"), 1, "the method was signed as GET"),
        (VANILLA_4A.replace("us-east-1\r\n", "us-east-*\r\n"), 1, "the signature does not match; compare"),
    ] {
        fs::write(dir.join("request"), request).unwrap();
        let output = piped(&dir, &EXPLAIN, b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(told), "{text}");
        assert!(
            text.contains("AWS4-ECDSA-P256-SHA256\n20150830T123600Z\n20150830/service/aws4_request\n"),
            "{text}"
        );
        assert!(text.contains("\nx-amz-region-set:us-east-"), "{text}");
    }
    fs::write(dir.join("request"), VANILLA_4A.replace("X-Amz-Region-Set:us-east-1\r\n", "")).unwrap();
    let output = piped(&dir, &EXPLAIN, b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    assert!(one_line(&output).contains("AWS4-ECDSA-P256-SHA256 requires 'X-Amz-Region-Set'."));
    let theirs = "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\nx-amz-region-set:*\n";
    fs::write(dir.join("request"), VANILLA_4A).unwrap();
    fs::write(dir.join("theirs"), theirs).unwrap();
    let args = [&EXPLAIN[..], &["--canonical-request", "theirs"]].concat();
    let output = piped(&dir, &args, b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(
        "first difference, line 6\n  ours    x-amz-region-set:us-east-1\n  theirs  x-amz-region-set:*\n"
    ));
}

/// ESC and the one-character form of the same: what begins a terminal's command.
const ESCAPES: [char; 2] = ['\u{1b}', '\u{9b}'];

#[test]
fn no_escape_sequence_of_the_input_reaches_the_terminal() {
    let dir = Scratch::new("escapes");
    let hostile = "\u{1b}[2J\u{9b}2J";
    let request =
        VANILLA.replace("GET / ", &format!("GET /{hostile} ")).replace("host;", &format!("{hostile};host;"));
    fs::write(dir.join("request"), request).unwrap();
    let explained = daypass(dir.path()).args(EXPLAIN).env("AWS_SECRET_ACCESS_KEY", "x").output().unwrap();
    fs::write(dir.join("request"), VANILLA.replace("AKIDEXAMPLE", hostile)).unwrap();
    let refused = daypass(dir.path()).args(EXPLAIN).env("AWS_SECRET_ACCESS_KEY", "x").output().unwrap();
    fs::write(dir.join("cases"), case("\u{9b}2J\\u001b[2J\\u009b", "s3:GetObject")).unwrap();
    let decided = run(dir.path(), &["policy", "eval", "--cases", "cases", "--explain"]);
    assert!(decided.status.success());
    let answer: serde_json::Value = serde_json::from_slice(&decided.stdout).unwrap();
    assert_eq!(answer["id"], "\u{9b}2J\u{1b}[2J\u{9b}", "escaped, and the same to a program");
    fs::write(dir.join("cases"), case("a", "\\u001b[2J\\n\\u009b")).unwrap();
    let wrong = run(dir.path(), &["policy", "eval", "--cases", "cases"]);
    assert!(one_line(&wrong).contains("the action `\\u001b[2J"));
    for output in [explained, refused, decided, wrong] {
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!text.is_empty() && !text.contains(ESCAPES), "{text:?}");
    }
}

#[test]
fn what_has_no_end_or_is_too_large_is_not_read() {
    let dir = Scratch::new("bounded");
    fs::write(dir.join("request"), VANILLA).unwrap();
    for args in [
        &["signature", "explain", "--request", "/dev/zero"][..],
        &["signature", "explain", "--request", "request", "--canonical-request", "/dev/zero"],
        &["policy", "eval", "--cases", "/dev/zero"],
    ] {
        let output = daypass(dir.path()).args(args).env("AWS_SECRET_ACCESS_KEY", "x").output().unwrap();
        assert_eq!(one_line(&output), "daypass: `/dev/zero` is neither a file nor a pipe");
    }
    let padded = |bytes: usize| {
        let body = "x".repeat(bytes - VANILLA.len());
        fs::write(dir.join("request"), format!("{VANILLA}{body}")).unwrap();
        daypass(dir.path()).args(EXPLAIN).env("AWS_SECRET_ACCESS_KEY", "x").output().unwrap()
    };
    assert!(String::from_utf8(padded(1 << 20).stdout).unwrap().contains("does not match"));
    assert_eq!(one_line(&padded((1 << 20) + 1)), "daypass: `request` has more than 1048576 bytes");
    let spaces = |length: usize| format!("{}{}\n", case("a", "s3:GetObject"), " ".repeat(length));
    fs::write(dir.join("cases"), spaces(4 << 20) + &spaces(0)).unwrap();
    let output = run(dir.path(), &["policy", "eval", "--cases", "cases"]);
    assert_eq!(one_line(&output), "daypass: `cases`, line 1: it has more than 4194304 bytes");
    assert!(output.stdout.is_empty());
}

const BROAD: &str = "{\"Version\": \"2012-10-17\",\n  \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"iam:PassRole\", \"Resource\": \"*\"}}";

#[test]
fn policy_validate_tells_findings_with_places_and_an_exit_code() {
    let dir = Scratch::new("validate");
    fs::write(dir.path().join("broad.json"), BROAD).unwrap();
    fs::write(
        dir.path().join("bad.json"),
        "{\"Version\": \"2012-10-17\", \"Statement\": {\"Effect\": \"Allow\"}}",
    )
    .unwrap();
    let validate =
        |more: &[&str]| run(dir.path(), &[&["policy", "validate", "--kind", "identity"], more].concat());

    let output = validate(&["broad.json"]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    let start = "broad.json:2:74: SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE at $.Statement.Resource: ";
    assert!(said.starts_with(start) && said.lines().count() == 1, "{said}");

    assert_eq!(validate(&["--fail-on", "security-warning", "broad.json"]).status.code(), Some(1));
    assert_eq!(validate(&["--fail-on", "warning", "broad.json"]).status.code(), Some(1));

    let output = validate(&["--json", "broad.json", "bad.json"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        lines.iter().map(|line| (line["file"].as_str().unwrap(), line["code"].as_str().unwrap())).collect();
    assert_eq!(
        told,
        [
            ("broad.json", "PASS_ROLE_WITH_STAR_IN_RESOURCE"),
            ("bad.json", "MISSING_ACTION"),
            ("bad.json", "MISSING_RESOURCE")
        ]
    );
    assert_eq!(lines[1]["awsMessage"], "Policy statement must contain actions.");
    assert_eq!(lines[1]["path"], "$.Statement");
}

#[test]
fn policy_validate_says_of_each_case_whether_it_could_be_written() {
    let dir = Scratch::new("validate-cases");
    let cases = concat!(
        r#"{"id":"a","kind":"session","document":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}","edit":"none"}"#,
        "\n\n",
        r#"{"id":"b","kind":"identity","document":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}"}"#,
    );
    let output = piped(&dir, &["policy", "validate", "--cases", "-"], cases.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        concat!(
            "{\"id\":\"a\",\"verdict\":\"valid\"}\n",
            "{\"id\":\"b\",\"message\":\"Policy document must be version 2012-10-17 or greater.\",\"verdict\":\"invalid\"}\n",
        )
    );
}

/// Of a long list the others are worth an answer, as with `policy eval`.
#[test]
fn policy_validate_goes_on_behind_a_case_that_is_none() {
    let dir = Scratch::new("validate-cases-wrong");
    let good = r#"{"id":"d","kind":"scp","document":"{\"Statement\":[]}"}"#;
    let cases = format!(
        "{}\n{}\n{good}",
        r#"{"id":"c","kind":"poem","document":""}"#, r#"{"id":"c","kind":"scp","document":{}}"#
    );
    let output = piped(&dir, &["policy", "validate", "--cases", "-"], cases.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "{\"id\":\"d\",\"verdict\":\"valid\"}\n");
    let complaints = String::from_utf8(output.stderr).unwrap();
    let complaints: Vec<&str> = complaints.lines().collect();
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].starts_with("daypass: `-`, line 1: there is no kind of policy called `poem`"));
    assert!(complaints[1].starts_with("daypass: `-`, line 2: invalid type: map, expected a string"));
}

#[test]
fn policy_validate_says_of_a_case_that_it_is_too_long() {
    let dir = Scratch::new("validate-cases-long");
    let document = format!(
        r#"{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Sid\":\"{}\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}}}"#,
        "a".repeat(6144)
    );
    let case = format!(r#"{{"id":"a","kind":"identity","document":"{document}"}}"#);
    let output = piped(&dir, &["policy", "validate", "--cases", "-"], case.as_bytes());
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "{\"id\":\"a\",\"message\":\"Cannot exceed quota for PolicySize: 6144\",\"verdict\":\"invalid\"}\n"
    );
}

#[test]
fn policy_validate_reads_standard_input_and_bounds_it() {
    let dir = Scratch::new("validate-stdin");
    let validate = ["policy", "validate", "--kind", "inline", "-"];
    assert_eq!(piped(&dir, &validate, BROAD.as_bytes()).status.code(), Some(0));
    let long = format!("{}{}", " ".repeat(900_000), BROAD);
    let output = piped(&dir, &validate, long.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("the document is too long"));
    assert_eq!(run(dir.path(), &["policy", "validate", "-"]).status.code(), Some(2));
    assert_eq!(piped(&dir, &validate, b"\xff\xfe").status.code(), Some(1));
}

//! Findings from what a test puts together: a shell, settings, files of another time.

use std::collections::HashMap;

use super::*;
use crate::config::ServeArgs;
use crate::scratch::Scratch;

const NOW: i64 = 1_800_000_000;
const URL: &str = "http://127.0.0.1:7777";

fn patient(dir: &Scratch, args: ServeArgs, variables: &[(&str, &str)]) -> Patient {
    let data = Some(dir.join("data"));
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Patient {
        config: Config::load(ServeArgs { data, ..args }).unwrap(),
        clock_url: None,
        now: Timestamp::from_second(NOW).unwrap(),
        variable: Box::new(move |name| variables.get(name).cloned()),
    }
}

/// What the shell is told, for each level.
fn shell(variables: &[(&str, &str)]) -> (usize, usize, String) {
    let dir = Scratch::new("doctor-shell");
    let findings = shell::variables(&patient(&dir, ServeArgs::default(), variables));
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let text = findings.iter().map(ToString::to_string).collect();
    (count(Level::Problem), count(Level::Warning), text)
}

const POINTED: [(&str, &str); 4] = [
    ("AWS_ENDPOINT_URL_STS", URL),
    ("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:7777/"),
    ("AWS_ENDPOINT_URL_DAYPASS", URL),
    ("AWS_REGION", "us-east-1"),
];

#[test]
fn a_shell_that_is_pointed_here_is_well_and_any_other_is_told_what_to_paste() {
    let (problems, warnings, text) = shell(&POINTED);
    assert_eq!((problems, warnings), (0, 0), "{text}");
    let with = |more: &[(&'static str, &'static str)]| shell(&[&POINTED, more].concat());
    let key = ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    let session = ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE");
    let secret = ("AWS_SECRET_ACCESS_KEY", "hush-hush");
    let token = ("AWS_SESSION_TOKEN", "hush-token");
    for (more, expected, paste) in [
        (&[][..], (0, 0), "are pointed at"),
        (&[key, secret], (0, 0), "are pointed at"),
        (&[session, secret, token], (0, 0), "are pointed at"),
        (&[key], (1, 0), "unset AWS_ACCESS_KEY_ID"),
        (&[secret], (1, 0), "unset AWS_ACCESS_KEY_ID"),
        (&[key, secret, token], (1, 0), "unset AWS_SESSION_TOKEN"),
        (&[session, secret], (1, 0), "unset AWS_ACCESS_KEY_ID"),
        (&[key, secret, ("AWS_PROFILE", "work")], (0, 1), "unset AWS_PROFILE"),
        (&[("AWS_PROFILE", "work")], (0, 0), "are pointed at"),
        (&[("AWS_ENDPOINT_URL", URL)], (0, 1), "unset AWS_ENDPOINT_URL;"),
        (&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")], (1, 0), "unset AWS_IGNORE"),
        (&[("AWS_CA_BUNDLE", "/nowhere")], (1, 0), "unset AWS_CA_BUNDLE"),
        (&[("HTTP_PROXY", "http://p")], (0, 1), "export no_proxy=127.0.0.1"),
        (&[("http_proxy", "http://p"), ("no_proxy", "a, 127.0.0.1")], (0, 0), "are pointed at"),
        (&[("https_proxy", "http://p")], (0, 0), "are pointed at"),
    ] {
        let (problems, warnings, text) = with(more);
        assert_eq!((problems, warnings), expected, "{more:?}: {text}");
        assert!(text.contains(paste), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }
    let (problems, warnings, text) =
        shell(&[("AWS_ENDPOINT_URL_STS", "https://u:hush@sts.test"), ("AWS_REGION", "x")]);
    assert_eq!((problems, warnings), (0, 1));
    assert!(
        text.contains("AWS_ENDPOINT_URL_STS leads to https://sts.test") && !text.contains("hush"),
        "{text}"
    );
    assert!(text.contains(&format!("export AWS_ENDPOINT_URL_STS={URL}")), "{text}");
    let (_, warnings, text) = shell(&[]);
    assert!(warnings == 2 && text.contains("such calls go to AWS") && text.contains("no region"), "{text}");
}

#[test]
fn settings_that_weaken_are_told_of() {
    let dir = Scratch::new("doctor-settings");
    let args = ServeArgs {
        listen: Some("0.0.0.0:7777".parse().unwrap()),
        allow_plain_http: Some(true),
        allow_signature_v2: Some(true),
        tolerate_unsigned_header: vec!["x-amz-cf-id".to_owned()],
        trust_proxy: vec!["10.0.0.0/8".to_owned(), "192.0.2.1".to_owned(), "2001:db8::/32".to_owned()],
        ..ServeArgs::default()
    };
    let findings = shell::settings(&patient(&dir, args, &[]));
    let text: String = findings.iter().map(ToString::to_string).collect();
    assert_eq!(findings.len(), 5, "{text}");
    for told in
        ["--listen 0.0.0.0:7777", "--allow-signature-v2", "x-amz-cf-id", "10.0.0.0/8", "2001:db8::/32"]
    {
        assert!(text.contains(told), "{text}");
    }
    assert!(findings.iter().all(|finding| finding.level == Level::Warning && finding.paste.is_some()));
    assert!(shell::settings(&patient(&dir, ServeArgs::default(), &[])).is_empty());
}

#[test]
fn a_clock_behind_what_was_written_is_wrong() {
    let dir = Scratch::new("doctor-clock");
    let patient = patient(&dir, ServeArgs::default(), &[]);
    let level = || machine::clock(&patient).first().map(|finding| finding.level);
    assert_eq!(level(), Some(Level::Ok), "nothing was written");
    std::fs::create_dir(dir.join("data")).unwrap();
    let file = std::fs::File::create(dir.join("data/audit.jsonl")).unwrap();
    for (off, expected) in [(-100, Level::Ok), (5, Level::Ok), (60, Level::Problem)] {
        let written =
            std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(NOW + off).unwrap());
        file.set_modified(written).unwrap();
        assert_eq!(level(), Some(expected), "{off}");
    }
}

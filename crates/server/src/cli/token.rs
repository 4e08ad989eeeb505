//! `daypass token inspect`: what a session token says, through the operator's door of the running server, whose keyring
//! opens it. The token comes from a file or standard input, never from an argument, which others could see.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use daypass_model::Secret;
use serde_json::Value;

use super::input::{read, show};
use crate::config::DataArgs;
use crate::failure::Failure;
use crate::operator::{Answer, Ask, Hidden, ask};

/// Credentials are far shorter.
const INPUT_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Print what a session token says and whether it lives, as JSON
    Inspect {
        /// Access key id and session token as `aws sts` prints them, as variables or in a credentials file; `-` reads standard input
        #[arg(long, value_name = "FILE", default_value = "-")]
        credentials: PathBuf,
    },
}

pub(super) async fn run(args: TokenArgs) -> Result<(), Failure> {
    let TokenCommand::Inspect { credentials } = args.command;
    let text = text_of(&credentials)?;
    let (access_key_id, token) = credentials_in(text.expose_str()).ok_or_else(|| {
        Failure::new(format!("`{}` has no access key id and session token in it", credentials.display()))
    })?;
    let question = Ask::TokenInspect { access_key_id, token: Hidden(token) };
    match ask(&args.data.directory()?, &question).await? {
        Answer::Token { claims } => {
            show(&format!("{claims:#}\n"));
            Ok(())
        }
        other => Err(other.unexpected()),
    }
}

fn text_of(path: &Path) -> Result<Secret, Failure> {
    if path != Path::new("-") {
        return read(path, INPUT_BYTES_MAX).map(Secret::new);
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(INPUT_BYTES_MAX).unwrap_or(u64::MAX);
    let read = std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(format!("standard input cannot be read: {error}")))?;
    Ok(Secret::new(bytes))
}

/// Access key id and session token, from the JSON of an answer or from `NAME=value` lines.
fn credentials_in(text: &str) -> Option<(String, String)> {
    if let Ok(answer) = serde_json::from_str::<Value>(text) {
        let members = answer.get("Credentials").unwrap_or(&answer);
        let member = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        return member("AccessKeyId").zip(member("SessionToken"));
    }
    let value = |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        let named = |(name, _): &(&str, &str)| {
            name.trim().trim_start_matches("export ").trim().eq_ignore_ascii_case(wanted)
        };
        lines.find(named).map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
    };
    value("aws_access_key_id").zip(value("aws_session_token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_in_the_forms_that_people_have_them_in() {
        let found = Some(("ASIAX".to_owned(), "t/o+k==".to_owned()));
        for text in [
            r#"{"Credentials": {"AccessKeyId": "ASIAX", "SecretAccessKey": "s", "SessionToken": "t/o+k=="}, "Other": 1}"#,
            r#"{"AccessKeyId": "ASIAX", "SessionToken": "t/o+k=="}"#,
            "export AWS_ACCESS_KEY_ID=ASIAX\nexport AWS_SESSION_TOKEN='t/o+k=='\n",
            "[default]\naws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t/o+k==\n",
        ] {
            assert_eq!(credentials_in(text), found, "{text}");
        }
        for text in ["", "{}", "t/o+k==", "AWS_ACCESS_KEY_ID=ASIAX\n", r#"{"Credentials": []}"#] {
            assert_eq!(credentials_in(text), None, "{text}");
        }
    }
}

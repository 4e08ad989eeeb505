//! `daypass signature explain`: why does a signature not match?

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use daypass_authn::sigv4::{HttpRequest, explain, first_difference};
use daypass_model::Secret;

use super::input::{read, show, visible};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct SignatureArgs {
    #[command(subcommand)]
    command: SignatureCommand,
}

#[derive(Debug, Subcommand)]
enum SignatureCommand {
    /// Show our canonical request and string to sign, and where the client's part from them.
    /// The secret access key comes from AWS_SECRET_ACCESS_KEY or, failing that, from standard input.
    Explain {
        /// The raw HTTP request: request line, header fields, empty line, body
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        /// The client's own canonical request, to compare line by line
        #[arg(long, value_name = "FILE")]
        canonical_request: Option<PathBuf>,
    },
}

/// Longest request, and longest canonical request of a client's.
const FILE_BYTES_MAX: usize = 1024 * 1024;

pub(super) fn run(args: &SignatureArgs) -> Result<ExitCode, Failure> {
    let SignatureCommand::Explain { request, canonical_request } = &args.command;
    let parsed = parse(&read(request, FILE_BYTES_MAX)?)?;
    let explained = explain(&parsed, &secret()?)
        .map_err(|error| Failure::new(visible(&format!("{}: {error}", error.code())).replace('\n', " ")))?;
    // With ECDSA the same text has another signature each time: there is none to show.
    let expected = explained.expected_signature.as_deref().unwrap_or("any of this text by the key pair");
    let mut text = format!(
        "canonical request\n-----------------\n{}\n\nstring to sign\n--------------\n{}\n\nexpected signature  {expected}\ngiven signature     {}\n",
        explained.canonical_request, explained.string_to_sign, explained.given_signature
    );
    if let Some(path) = canonical_request {
        let theirs = String::from_utf8_lossy(&read(path, FILE_BYTES_MAX)?).into_owned();
        if let Some(found) = first_difference(&explained.canonical_request, theirs.trim_end_matches('\n')) {
            let line = |side: Option<String>| side.unwrap_or_else(|| "(no such line)".into());
            text.push_str(&format!(
                "\nfirst difference, line {}\n  ours    {}\n  theirs  {}\n",
                found.line,
                line(found.ours),
                line(found.theirs)
            ));
        }
    }
    let unsigned = explained.unsigned_field.as_deref();
    let verdict = match (explained.matches, &explained.difference) {
        (true, _) if unsigned.is_some() => format!(
            "the signature matches, but the header field `{}` came unsigned, and the server refuses such a request: something on the way added it; see --tolerate-unsigned-header",
            unsigned.unwrap_or_default()
        ),
        (true, _) => "the signature matches".to_owned(),
        (false, Some(mistake)) => format!("the signature does not match: {mistake}"),
        (false, None) => "the signature does not match; compare the client's canonical request with --canonical-request, or look for another secret".to_owned(),
    };
    text.push_str(&format!("\n{verdict}\n"));
    show(&text);
    Ok(if explained.matches && unsigned.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Never an argument: arguments are seen by every user of the machine.
fn secret() -> Result<Secret, Failure> {
    let wanted = "the secret access key in AWS_SECRET_ACCESS_KEY or on standard input";
    let (text, place) = match std::env::var("AWS_SECRET_ACCESS_KEY") {
        Ok(text) => (text, "AWS_SECRET_ACCESS_KEY"),
        Err(_) if std::io::stdin().is_terminal() => return Err(Failure::new(format!("give {wanted}"))),
        Err(_) => (first_of_stdin()?.trim().to_owned(), "standard input"),
    };
    // It would sign as well, and nothing would match.
    if text.trim().is_empty() {
        return Err(Failure::new(format!("{place} is empty; give {wanted}")));
    }
    Ok(Secret::new(text))
}

fn first_of_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(4096).read_to_string(&mut text);
    read.map_err(|error| Failure::new(format!("standard input: {error}")))?;
    Ok(text)
}

/// A raw HTTP/1.1 request; lines may end with or without a carriage return.
fn parse(raw: &[u8]) -> Result<HttpRequest, Failure> {
    let bad = |what: &str| Failure::new(format!("the request file is no HTTP request: {what}"));
    let mut rest = raw;
    let mut next_line = || {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        String::from_utf8(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
            .map_err(|_| bad("its head is not text"))
    };
    let first = next_line()?;
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(bad("its first line is no request line"));
    };
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = next_line()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("a header field has no colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().as_bytes().to_vec()));
    }
    let mut request = HttpRequest::new(&method, &target, rest.to_vec());
    request.headers = headers;
    Ok(request)
}

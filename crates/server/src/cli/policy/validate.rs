//! `daypass policy validate`: what a linter says of policy documents, with an exit code for CI.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use daypass_policy::{FINDINGS_MAX, Finding, Kind, Severity, findings};
use daypass_service::known_actions;
use serde::Deserialize;
use serde_json::{Value, json};

use super::lines::Lines;
use crate::cli::complain;
use crate::cli::input::{self, show};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Files with one policy document each, or - for standard input
    #[arg(value_name = "FILE", required_unless_present = "cases", requires = "kind")]
    files: Vec<PathBuf>,
    /// What the documents are: `identity` is a managed policy, `inline` one inside a user, group or role
    #[arg(long, value_name = "KIND", value_parser = kind_parser())]
    kind: Option<Kind>,
    /// Findings of this severity, or a worse one, end in exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: SeverityArg,
    /// Print findings as JSON lines
    #[arg(long)]
    json: bool,
    /// File with one case per line (kind and document in JSON), or -: print whether each could be written
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "kind", "json", "fail_on"])]
    cases: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SeverityArg {
    Error,
    SecurityWarning,
    Warning,
    Suggestion,
}

impl From<SeverityArg> for Severity {
    fn from(severity: SeverityArg) -> Self {
        match severity {
            SeverityArg::Error => Self::Error,
            SeverityArg::SecurityWarning => Self::SecurityWarning,
            SeverityArg::Warning => Self::Warning,
            SeverityArg::Suggestion => Self::Suggestion,
        }
    }
}

/// The names of the kinds, which help and errors list.
fn kind_parser() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::NAMES.map(|(name, _)| name)).try_map(|name| kind_of(&name))
}

fn kind_of(name: &str) -> Result<Kind, String> {
    Kind::named(name).ok_or_else(|| format!("there is no kind of policy called `{name}`"))
}

/// Most bytes that are read of one document; of longer ones the reader says that they are too long.
const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

pub(super) fn run(args: &ValidateArgs) -> Result<ExitCode, Failure> {
    if let Some(cases) = &args.cases {
        return verdicts(cases);
    }
    let kind = args.kind.ok_or_else(|| Failure::new("say what the documents are with --kind"))?;
    let mut failed = false;
    for path in &args.files {
        let text = read(path)?;
        let found = findings(kind, &text, &known_actions());
        for finding in found.iter().take(FINDINGS_MAX - 1) {
            failed |= finding.code.severity() <= args.fail_on.into();
            let line = if args.json { as_json(path, finding) } else { as_text(path, finding) };
            show(&format!("{line}\n"));
        }
        if found.len() == FINDINGS_MAX {
            complain(&Failure::new(format!(
                "`{}`: there is more to say; mend what is told first",
                path.display()
            )));
        }
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn read(path: &Path) -> Result<String, Failure> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let limit = u64::try_from(DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX);
        let read = std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
        read.map_err(|error| Failure::new(format!("standard input cannot be read: {error}")))?;
        bytes
    } else {
        input::read(path, DOCUMENT_BYTES_MAX)?
    };
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("`{}` is not UTF-8", path.display())))
}

/// `file:line:column: SEVERITY CODE at path: message`, which editors and CI systems know how to read.
fn as_text(path: &Path, finding: &Finding) -> String {
    let Finding { code, message, aws_message, path: place, line, column, .. } = finding;
    let (severity, name) = (code.severity().as_str(), code.as_str());
    let aws = aws_message.as_ref().map(|text| format!(" AWS says: {text}")).unwrap_or_default();
    format!(
        "{}:{line}:{column}: {severity} {name} at {place}: {message} {}{aws}",
        path.display(),
        code.remedy()
    )
}

fn as_json(path: &Path, finding: &Finding) -> String {
    let code = finding.code;
    json!({
        "file": path.display().to_string(), "line": finding.line, "column": finding.column, "offset": finding.offset,
        "path": finding.path, "severity": code.severity().as_str(), "code": code.as_str(),
        "message": finding.message, "remedy": code.remedy(), "awsMessage": finding.aws_message,
    })
    .to_string()
}

/// What `--cases` reads; other members are remarks.
#[derive(Deserialize)]
struct WrittenCase {
    id: String,
    kind: String,
    document: String,
}

/// Whether each document could be written, in AWS's words where not.
fn verdicts(cases: &Path) -> Result<ExitCode, Failure> {
    let mut lines = Lines::open(cases)?;
    let mut refused = false;
    while let Some(line) = lines.next()? {
        // Of a long list the others are worth an answer.
        match verdict(&line) {
            Ok(answer) => show(&format!("{answer}\n")),
            Err(why) => {
                complain(&lines.failure(&why));
                refused = true;
            }
        }
    }
    Ok(ExitCode::from(u8::from(refused)))
}

fn verdict(line: &str) -> Result<Value, String> {
    let case: WrittenCase = serde_json::from_str(line).map_err(|why| why.to_string())?;
    Ok(match fault(kind_of(&case.kind)?, &case.document) {
        None => json!({"id": case.id, "verdict": "valid"}),
        Some(message) => json!({"id": case.id, "verdict": "invalid", "message": message}),
    })
}

/// What keeps the document from being written.
fn fault(kind: Kind, document: &str) -> Option<String> {
    match daypass_policy::validate(kind, document) {
        Err(malformed) => Some(malformed.message),
        Ok(()) => {
            let too_long = daypass_policy::check_size(kind, document).err()?;
            Some(too_long.aws_message().unwrap_or_else(|| too_long.to_string()))
        }
    }
}

//! The numbered lines: what was tried, what was answered, and whether that is what the story says.

use std::fmt;

use quick_xml::escape::unescape;
use serde_json::Value;

use super::client::Answer;
use crate::terminal::say;

/// What was answered: a status, and for refusals the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    status: u16,
    reason: String,
}

/// One try of a line.
pub(super) struct Try {
    what: String,
    got: Outcome,
    expected: Outcome,
}

/// The lines so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: usize,
    as_expected: usize,
}

impl Outcome {
    pub(super) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    /// Read an answer: AccessDenied by its reason, any other error by its code.
    pub(super) fn of(answer: &Answer) -> Self {
        if answer.status < 300 {
            return Self::new(answer.status, "");
        }
        let (code, message) = error_of(&answer.body);
        let reason = if code == "AccessDenied" { reason(&message) } else { code };
        Self::new(answer.status, reason)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, ", {}", self.reason) }
    }
}

impl Try {
    /// `what` was answered with `got`; the story says `status` and `reason`.
    pub(super) fn new(what: impl Into<String>, got: Outcome, status: u16, reason: &str) -> Self {
        Self { what: what.into(), got, expected: Outcome::new(status, reason) }
    }
}

impl Report {
    /// Print a line; it counts as expected when every try of it was.
    pub(super) fn line(&mut self, who: &str, tries: &[Try]) {
        self.lines += 1;
        let good = !tries.is_empty() && tries.iter().all(|one| one.got == one.expected);
        self.as_expected += usize::from(good);
        for (n, one) in tries.iter().enumerate() {
            let number = if n == 0 { self.lines.to_string() } else { String::new() };
            let who = if n == 0 { who } else { "" };
            let mut text = format!("{number:>2}  {who:<7} {} → {}", one.what, one.got);
            if one.got != one.expected {
                text.push_str(&format!("   UNEXPECTED: the story says {}", one.expected));
            }
            text.push('\n');
            say(&text);
        }
    }

    /// `12 of 12 as expected`
    pub(super) fn summary(&self) -> String {
        format!("{} of {} as expected", self.as_expected, self.lines)
    }

    /// Whether every line was, and there are as many as the story has.
    pub(super) fn is_good(&self, lines: usize) -> bool {
        self.lines == lines && self.as_expected == lines
    }
}

/// Code and message of an error, in any of the three forms that the demo meets.
pub(super) fn error_of(body: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(body);
    if let Ok(json) = serde_json::from_str::<Value>(&text) {
        let (error, code) = match json.get("Error") {
            Some(error) => (error, "Code"),
            None => (&json, "__type"),
        };
        let member = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = if code == "Code" { member("Message") } else { member("message") };
        return (member(code), message);
    }
    let element = |name: &str| {
        let inside = text
            .split_once(&format!("<{name}>"))
            .and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
        let inside = inside.map_or("", |(inside, _)| inside);
        unescape(inside).map_or_else(|_| inside.to_owned(), |plain| plain.into_owned())
    };
    (element("Code"), element("Message"))
}

/// The tail of a refusal sentence, shortened: `no session policy allows s3:GetObject`, `explicit deny in a session policy`.
pub(super) fn reason(sentence: &str) -> String {
    if let Some((_, kind)) = sentence.rsplit_once("with an explicit deny in ") {
        return format!("explicit deny in {kind}");
    }
    match sentence.rsplit_once("because ").and_then(|(_, why)| why.split_once(" allows the ")) {
        Some((kind, action)) => format!("{kind} allows {}", action.trim_end_matches(" action")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer { status, body: body.into() }
    }

    #[test]
    fn a_denial_is_shown_by_its_reason_and_other_errors_by_their_code() {
        let implicit = r#"{"Error":{"Code":"AccessDenied","Message":"User: arn is not authorized to perform: s3:GetObject on resource: x because no session policy allows the s3:GetObject action"}}"#;
        assert_eq!(
            Outcome::of(&answer(403, implicit)).to_string(),
            "403, no session policy allows s3:GetObject"
        );
        let explicit = "<Error><Code>AccessDenied</Code><Message>User: a on resource: &quot;x&quot; with an explicit deny in a resource-based policy</Message></Error>";
        assert_eq!(
            Outcome::of(&answer(403, explicit)).to_string(),
            "403, explicit deny in a resource-based policy"
        );
        let bare =
            r#"{"__type":"AccessDenied","message":"User: a is not authorized to perform: b on resource: c"}"#;
        assert_eq!(Outcome::of(&answer(403, bare)).to_string(), "403");
        let other = r#"{"__type":"InvalidClientTokenId","message":"no"}"#;
        assert_eq!(Outcome::of(&answer(403, other)).to_string(), "403, InvalidClientTokenId");
        assert_eq!(Outcome::of(&answer(204, "")).to_string(), "204");
    }

    #[test]
    fn a_line_with_one_unexpected_try_is_not_as_expected() {
        let good = || Try::new("a", Outcome::new(200, ""), 200, "");
        let mut report = Report::default();
        report.line("x", &[good(), good()]);
        assert!(report.is_good(1));
        assert!(!report.is_good(2));
        report.line("x", &[good(), Try::new("b", Outcome::new(403, "one"), 403, "another")]);
        report.line("x", &[]);
        assert_eq!(report.summary(), "1 of 3 as expected");
        assert!(!report.is_good(3));
    }
}

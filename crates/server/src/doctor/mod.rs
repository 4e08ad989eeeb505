//! What is wrong with a daypass that does not do what its operator expects: each finding says what was looked at, how
//! it is, and, where something should be done, the line to paste. It changes nothing and prints no secret.
//!
//! INVARIANT (quoted): whatever is in a line to paste and was not written here is one word of it (`shell_word`). A lock, an
//! answer or a `daypass.toml` may be somebody else's.

mod machine;
mod paste;
mod probe;
mod process;
mod rights;
mod room;
mod server;
mod shell;
mod start;
mod store;
mod tls;

use std::fmt;

use clap::{Args, Command};
use jiff::Timestamp;
use serde::Serialize;

use self::paste::resolved;
use crate::banner::shell_word;
use crate::config::{Config, ServeArgs};

/// What is looked at.
pub(crate) struct Patient {
    /// The settings that `daypass serve` would run with.
    pub(crate) config: Config,
    /// Whose `Date` the clock is compared with.
    pub(crate) clock_url: Option<String>,
    pub(crate) now: Timestamp,
    /// Who asks, by number.
    pub(crate) user: u32,
    /// The words behind `daypass` that asked.
    pub(crate) words: Vec<String>,
    /// The shell's environment.
    pub(crate) variable: Variables,
}

impl Patient {
    /// The line that asks again, for another user too, whose environment may be another.
    fn command(&self) -> String {
        let words = self.words.iter().cloned().chain(self.by_environment("--data"));
        let words = words.map(|word| shell_word(&word));
        let mut line = ["daypass".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ");
        if !self.words.iter().any(|word| word == "--data" || word.starts_with("--data=")) {
            line.push_str(&format!(" --data {}", shell_word(&self.config.data.to_string_lossy())));
        }
        line
    }

    /// The line that starts a server with the settings that were asked about, as their owner, and one of them changed or
    /// left out. The directory is named in full: pasted elsewhere a relative one would be the place of a new account.
    fn serve_line(&self, flag: &str, value: Option<&str>) -> String {
        let data = resolved(&self.config.data);
        let mut words = without(&self.words, &["--data", "--json", "--clock-url", flag]);
        words.extend(self.by_environment(flag));
        words.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value.to_owned()]));
        words.extend(["--data".to_owned(), data.to_string_lossy().into_owned()]);
        let words: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
        let given = self.config.master_key.as_ref().filter(|_| flag != "--master-key-file");
        let keeps = given.map(|_| "DAYPASS_MASTER_KEY");
        let owner =
            rights::Owner::of(&data).map(|owner| owner.sudo_with(self.user, keeps)).unwrap_or_default();
        let variable = format!("DAYPASS_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
        let unset = match value {
            None if (self.variable)(&variable).is_some() => format!("env -u {variable} "),
            _ => String::new(),
        };
        format!("{unset}{owner}daypass serve {}", words.join(" "))
    }

    /// The settings that this shell's environment gives, as flags, since `sudo` hands none of it on. No secret is among
    /// them. The words are for other flags than this one, which has its value elsewhere.
    fn by_environment(&self, flag: &str) -> Vec<String> {
        let settings = ServeArgs::augment_args(Command::new("serve"));
        let is_said = |flag: &str| {
            let with_value = format!("{flag}=");
            self.words.iter().any(|word| word == flag || word.starts_with(&with_value))
        };
        let given = settings.get_arguments().filter_map(|setting| {
            let (name, variable) = (format!("--{}", setting.get_long()?), setting.get_env()?.to_str()?);
            let value = (self.variable)(variable)?;
            (name != flag && name != "--data" && !is_said(&name)).then_some([name, value])
        });
        given.flatten().collect()
    }
}

/// The words behind the command, without these flags and what they are given.
fn without(words: &[String], flags: &[&str]) -> Vec<String> {
    let mut is_left_out = false;
    let kept = words.iter().skip(1).filter(|word| {
        if word.starts_with("--") {
            let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
            is_left_out = flags.contains(&name);
        }
        !is_left_out
    });
    kept.cloned().collect()
}

/// The report for people. A line to paste that several findings end in is there once.
pub(crate) fn report(findings: &[Finding]) -> String {
    let mut pasted = Vec::new();
    let mut text = String::new();
    for finding in findings {
        let is_new = finding.paste.as_ref().is_none_or(|paste| !pasted.contains(&paste));
        pasted.extend(&finding.paste);
        let finding = Finding { paste: finding.paste.clone().filter(|_| is_new), ..finding.clone() };
        text.push_str(&finding.to_string());
    }
    text
}

/// What a variable of the environment says.
pub(crate) type Variables = Box<dyn Fn(&str) -> Option<String>>;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    /// It works, and may be not what was meant.
    Warning,
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    check: &'static str,
    level: Level,
    says: String,
    /// A line for a shell, or the setting to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    paste: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, says: on_one_line(&says.into()), paste: None }
    }

    /// With a line to paste, if there is one.
    fn told(check: &'static str, level: Level, says: impl Into<String>, paste: Option<String>) -> Self {
        let mut says = on_one_line(&says.into());
        // What is shown of such a name is another: pasted it would name nothing.
        let is_as_shown =
            |line: &String| !line.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER);
        if paste.as_ref().is_some_and(|line| !is_as_shown(line)) {
            says.push_str(
                " (a name in this has characters that cannot be pasted, so there is no line to mend it with)",
            );
        }
        Self { check, level, says, paste: paste.filter(is_as_shown) }
    }

    fn warning(check: &'static str, says: impl Into<String>, paste: impl Into<String>) -> Self {
        Self::told(check, Level::Warning, says, Some(paste.into()))
    }

    fn problem(check: &'static str, says: impl Into<String>, paste: impl Into<String>) -> Self {
        Self::told(check, Level::Problem, says, Some(paste.into()))
    }

    /// Whether something is in the way.
    pub(crate) fn is_problem(&self) -> bool {
        self.level == Level::Problem
    }

    /// A line of JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// What others answer, and what they are called, must not look like a line to paste.
fn on_one_line(says: &str) -> String {
    let lines: Vec<_> = says.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ")
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Problem => "PROBLEM",
        };
        writeln!(f, "{level:<8} {:<9} {}", self.check, self.says)?;
        self.paste.iter().try_for_each(|paste| writeln!(f, "                   {paste}"))
    }
}

/// Look at everything.
pub(crate) fn examine(patient: &Patient) -> Vec<Finding> {
    let mut findings = machine::clock(patient);
    findings.extend(start::findings(patient));
    findings.extend(rights::findings(patient));
    findings.extend(room::findings(patient));
    findings.extend(store::findings(patient));
    findings.extend(machine::ports(patient));
    findings.extend(tls::files(patient));
    findings.extend(tls::public_url(patient));
    findings.extend(shell::settings(patient));
    findings.extend(shell::variables(patient));
    findings
}

#[cfg(test)]
mod tests;

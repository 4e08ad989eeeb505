//! What is checked when a policy is written, by kind of policy, with AWS's messages in AWS's order.
//!
//! The first failing step answers. Documents that were stored before a rule existed are not judged here: they
//! are parsed by `Policy::parse`, which checks syntax alone.

mod actions;
mod issuers;
mod literals;
mod organization;
mod principals;
mod resources;
mod size;

pub(crate) use issuers::untested as untested_issuers;
pub use size::{TooLong, check_size};

use crate::code::Code;
use crate::condition::{LiteralCheck, Operator};
use crate::document::{Document, Fault, FaultKind, Malformed, SYNTAX_ERRORS, StatementText, Version};

/// The kinds of policies, as far as their documents must keep to different rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A managed identity policy. The only kind, with `Boundary`, that must carry `Version` 2012-10-17.
    Managed,
    /// An inline policy of a user, group or role.
    Inline,
    /// A session policy.
    Session,
    /// A permissions boundary: a managed policy in that use.
    Boundary,
    /// The trust policy of a role.
    Trust,
    /// The policy of a resource of another service.
    Resource,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
}

impl Kind {
    /// Every kind under the name that people give it: `identity` is a managed policy.
    pub const NAMES: [(&'static str, Kind); 8] = [
        ("identity", Kind::Managed),
        ("inline", Kind::Inline),
        ("trust", Kind::Trust),
        ("resource", Kind::Resource),
        ("scp", Kind::Scp),
        ("rcp", Kind::Rcp),
        ("session", Kind::Session),
        ("boundary", Kind::Boundary),
    ];

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Kind> {
        Kind::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, kind)| kind)
    }

    /// IAM's own policies, whose checks were observed in detail.
    pub(crate) fn is_iam(self) -> bool {
        !matches!(self, Kind::Resource | Kind::Scp | Kind::Rcp)
    }

    pub(crate) fn takes_principal(self) -> bool {
        matches!(self, Kind::Trust | Kind::Resource | Kind::Rcp)
    }

    pub(crate) fn literal_check(self) -> LiteralCheck {
        match self {
            Kind::Managed | Kind::Inline | Kind::Boundary | Kind::Trust => LiteralCheck::All,
            Kind::Session => LiteralCheck::Binary,
            Kind::Resource | Kind::Scp | Kind::Rcp => LiteralCheck::Nothing,
        }
    }
}

/// Checks a document that is about to be stored or put into a session.
///
/// ```
/// use daypass_policy::{Kind, validate};
/// let text = r#"{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;
/// assert!(validate(Kind::Inline, text).is_ok());
/// assert_eq!(
///     validate(Kind::Managed, text).unwrap_err().message,
///     "Policy document must be version 2012-10-17 or greater."
/// );
/// ```
///
/// # Errors
///
/// `Malformed` with AWS's text for the first rule that is broken, and its place in the document.
pub fn validate(kind: Kind, text: &str) -> Result<(), Malformed> {
    match faults(kind, text).into_iter().next() {
        None => Ok(()),
        Some(fault) => {
            let message = message(kind, &fault.kind);
            Err(fault.locate(text, message))
        }
    }
}

/// Every fault, in the order in which AWS's service would come to them. A document that breaks the grammar has no
/// statements to look at, so that its faults are the only ones.
pub(crate) fn faults(kind: Kind, text: &str) -> Vec<Fault> {
    let mut found = Vec::new();
    match check_characters(text).and_then(|()| Document::parse(text)) {
        Ok(document) => check(kind, &document, &mut found),
        Err(fault) => found.push(fault),
    }
    found
}

/// A rule that looks at one statement and adds what it finds.
type Rule = fn(Kind, &StatementText, &mut Vec<Fault>);

fn check(kind: Kind, document: &Document, found: &mut Vec<Fault>) {
    check_syntax(kind, document, found);
    if !found.is_empty() {
        return;
    }
    if matches!(kind, Kind::Managed | Kind::Boundary) && document.version != Some(Version::V2012) {
        let message = "Policy document must be version 2012-10-17 or greater.";
        found.push(Fault::rule(Code::UnsupportedVersion, message, document.version_at));
    }
    literals::check(kind, document, found);
    if kind.is_iam() {
        check_sids(kind, document, found);
    }
    for rule in rules(kind) {
        for statement in &document.statements {
            rule(kind, statement, found);
        }
    }
}

/// What is looked at in each statement, in AWS's order.
fn rules(kind: Kind) -> Vec<Rule> {
    let mut rules: Vec<Rule> = vec![actions::check_present];
    if kind.is_iam() {
        rules.push(resources::check_format);
    }
    rules.extend([actions::check_prefixes as Rule, resources::check_present, principals::check]);
    match kind {
        Kind::Trust => rules.extend([actions::check_trust as Rule, issuers::check]),
        Kind::Rcp => rules.push(organization::check_rcp),
        _ => {}
    }
    rules
}

/// AWS's words for faults that each kind of policy words differently.
pub(crate) fn message(kind: Kind, fault: &FaultKind) -> String {
    let words = match (fault, kind) {
        (FaultKind::Rule(message), _) => message,
        (FaultKind::Json(_), Kind::Trust) => "This policy contains invalid Json",
        (FaultKind::VersionUnknown, Kind::Trust) => "The policy must contain a valid version string",
        (FaultKind::EffectMissing, Kind::Trust) => "Missing required field Effect",
        (FaultKind::StatementEmpty, Kind::Trust) => "Could not parse the policy: Statement is empty!",
        _ => SYNTAX_ERRORS,
    };
    words.to_owned()
}

/// Tab, line feed, carriage return and U+0020–U+00FF (pattern of the `policyDocumentType` of the IAM API).
fn check_characters(text: &str) -> Result<(), Fault> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    match text.char_indices().find(|(_, c)| !allowed(*c)) {
        Some((at, _)) => Err(Fault::syntax(Code::JsonSyntaxError, at)),
        None => Ok(()),
    }
}

/// What the grammar leaves to the kind: an empty list of statements, unknown condition operators, and the
/// form of a principal where one belongs.
fn check_syntax(kind: Kind, document: &Document, found: &mut Vec<Fault>) {
    if document.statements.is_empty() && kind.is_iam() {
        let (kind, offset) = (FaultKind::StatementEmpty, document.statements_at);
        found.push(Fault { code: Code::MissingStatement, kind, offset });
    }
    for statement in &document.statements {
        let operators = statement.conditions.iter().filter(|operator| !operator.keys.is_empty());
        let unknown =
            operators.map(|operator| &operator.name).filter(|name| !Operator::is_writable(&name.value));
        found.extend(unknown.map(|name| Fault::syntax(Code::InvalidConditionOperator, name.at)));
        if kind.takes_principal() {
            principals::check_form(statement, found);
        }
    }
}

/// Names of statements consist of letters and digits, in IAM's policies, where spaces and dashes are let pass as well; and are
/// unique. Empty ones do not count.
fn check_sids(kind: Kind, document: &Document, found: &mut Vec<Fault>) {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-');
    // Of session policies AWS's answer is not known.
    let others = document.sids().filter(|sid| kind != Kind::Session && !sid.value.bytes().all(good));
    let message = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*";
    found.extend(others.map(|sid| Fault::rule(Code::InvalidSid, message, sid.at)));
    let message = "Statement IDs (SID) in a single policy must be unique.";
    found.extend(document.repeated_sids().map(|sid| Fault::rule(Code::UniqueSidsRequired, message, sid.at)));
}

#[cfg(test)]
mod tests;

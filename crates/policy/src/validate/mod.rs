//! What is checked when a policy is written, by kind of policy, with AWS's messages in AWS's order.
//!
//! The first failing step answers. Documents that were stored before a rule existed are not judged here: they
//! are parsed by `Policy::parse`, which checks syntax alone.

mod actions;
mod literals;
mod organization;
mod principals;
mod resources;

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
    /// IAM's own policies, whose checks were observed in detail.
    fn is_iam(self) -> bool {
        !matches!(self, Kind::Resource | Kind::Scp | Kind::Rcp)
    }

    fn takes_principal(self) -> bool {
        matches!(self, Kind::Trust | Kind::Resource | Kind::Rcp)
    }

    fn literal_check(self) -> LiteralCheck {
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
    check(kind, text).map_err(|fault| {
        let message = message(kind, &fault.kind);
        fault.locate(text, message)
    })
}

fn check(kind: Kind, text: &str) -> Result<(), Fault> {
    check_characters(text)?;
    let document = Document::parse(text)?;
    check_syntax(kind, &document)?;
    if matches!(kind, Kind::Managed | Kind::Boundary) && document.version != Some(Version::V2012) {
        return Err(Fault::rule("Policy document must be version 2012-10-17 or greater.", 0));
    }
    let each = |rule: fn(Kind, &StatementText) -> Result<(), Fault>| {
        document.statements.iter().try_for_each(|statement| rule(kind, statement))
    };
    literals::check(kind, &document)?;
    if kind.is_iam() {
        check_sids(&document)?;
    }
    each(actions::check_present)?;
    if kind.is_iam() {
        each(resources::check_format)?;
    }
    each(resources::check_present)?;
    each(actions::check_prefixes)?;
    each(principals::check)?;
    match kind {
        Kind::Trust => each(actions::check_trust),
        Kind::Rcp => each(organization::check_rcp),
        _ => Ok(()),
    }
}

/// AWS's words for faults that each kind of policy words differently.
fn message(kind: Kind, fault: &FaultKind) -> String {
    let words = match (fault, kind) {
        (FaultKind::Rule(message), _) => message,
        (FaultKind::Json, Kind::Trust) => "This policy contains invalid Json",
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
        Some((at, _)) => Err(Fault::syntax(at)),
        None => Ok(()),
    }
}

/// What the grammar leaves to the kind: an empty list of statements, unknown condition operators, and the
/// form of a principal where one belongs.
fn check_syntax(kind: Kind, document: &Document) -> Result<(), Fault> {
    if document.statements.is_empty() && kind.is_iam() {
        return Err(Fault { kind: FaultKind::StatementEmpty, offset: 0 });
    }
    for statement in &document.statements {
        let operators = statement.conditions.iter().filter(|operator| !operator.keys.is_empty());
        if let Some(unknown) =
            operators.map(|operator| &operator.name).find(|name| !Operator::is_writable(&name.value))
        {
            return Err(Fault::syntax(unknown.at));
        }
        if kind.takes_principal() {
            principals::check_form(statement)?;
        }
    }
    Ok(())
}

/// Names of statements are unique; empty ones do not count.
fn check_sids(document: &Document) -> Result<(), Fault> {
    let mut seen = std::collections::BTreeSet::new();
    let sids = document.statements.iter().filter_map(|statement| statement.sid.as_ref());
    for sid in sids.filter(|sid| !sid.value.is_empty()) {
        if !seen.insert(sid.value.as_str()) {
            return Err(Fault::rule("Statement IDs (SID) in a single policy must be unique.", sid.at));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! What is wrong, dangerous or unclear in a policy document: errors, security warnings, warnings, suggestions.
//!
//! Errors are those of [`validate`](crate::validate()), all of them and not only the first, and a length beyond the quota.
//! The others are looked for in documents without errors of grammar; none of them keeps a policy from being written.

mod access;
mod anybody;
mod conditions;
mod dead;
mod families;
mod names;
mod place;
mod style;
mod variables;

pub use names::Catalog;

use crate::code::Code;
use crate::document::{Document, Fault, FaultKind, PrincipalForm, StatementText, Text, line_and_column};
use crate::json;
use crate::principal::PrincipalKind;
use crate::validate::{self, Kind, TooLong};

/// Most findings that are told of one document: the most serious ones. So many stand for "and more".
pub const FINDINGS_MAX: usize = 1001;

/// One thing to say about a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// A sentence or two about this place.
    pub message: String,
    /// For an error, AWS's `MalformedPolicyDocument` text; of a length the `LimitExceeded` one, where it is known.
    pub aws_message: Option<String>,
    /// The place as a JSONPath (RFC 9535): `$.Statement[0].Condition.StringEquals['aws:userid']`. `$` when the
    /// text is not JSON.
    pub path: String,
    /// Byte offset in the text.
    pub offset: usize,
    /// Line of that offset, from 1.
    pub line: u32,
    /// Column of that offset in characters, from 1.
    pub column: u32,
}

/// Everything there is to say about a document of that kind, most serious first, then in the order of the text.
///
/// `catalog` names the services whose actions are all known; of others no action is called unknown.
///
/// ```
/// use daypass_policy::{Catalog, Code, Kind, findings};
/// let text = r#"{"Version": "2012-10-17", "Statement":
///   {"Effect": "Allow", "Action": ["iam:PassRole", "iam:PasRole"], "Resource": "*"}}"#;
/// let known = [("iam", &["PassRole"][..])];
/// let found = findings(Kind::Managed, text, &Catalog { services: &known });
/// assert_eq!(found[0].code, Code::PassRoleWithStarInResource);
/// assert_eq!(found[0].code.as_str(), "PASS_ROLE_WITH_STAR_IN_RESOURCE");
/// assert_eq!((found[0].line, found[0].path.as_str()), (2, "$.Statement.Resource"));
/// assert_eq!(found[1].message, "iam has no action `PasRole`, so it never matches. Did you mean `PassRole`?");
/// ```
#[must_use]
pub fn findings(kind: Kind, text: &str, catalog: &Catalog<'_>) -> Vec<Finding> {
    let tree = json::parse(text, json::CHARACTERS_MAX).ok();
    let place = |offset| tree.as_ref().map_or_else(|| "$".to_owned(), |tree| place::path(tree, offset));
    let faults = validate::faults(kind, text).into_iter().map(|fault| Note::of_fault(kind, &fault));
    let mut notes: Vec<Note> = faults.collect();
    if let Ok(document) = Document::parse(text) {
        notes.extend(validate::check_size(kind, text).err().map(Note::of_length));
        look(kind, &document, catalog, &mut notes);
    }
    notes.sort_by_key(|note| (note.code.severity(), note.offset, note.code));
    // What several keys of one operator share is told once, and takes the room of nothing else.
    notes.dedup();
    // Each place is counted from the start of the text: a bound here bounds what a hostile document costs.
    notes.truncate(FINDINGS_MAX);
    notes.into_iter().map(|note| note.locate(text, place)).collect()
}

/// A finding before its place is known as people name it.
#[derive(PartialEq, Eq)]
struct Note {
    code: Code,
    message: String,
    aws_message: Option<String>,
    offset: usize,
}

impl Note {
    /// What the code says of itself.
    fn plain(code: Code, offset: usize) -> Note {
        Note::new(code, code.meaning(), offset)
    }

    fn new(code: Code, message: impl Into<String>, offset: usize) -> Note {
        Note { code, message: message.into(), aws_message: None, offset }
    }

    fn of_fault(kind: Kind, fault: &Fault) -> Note {
        let aws_message = Some(validate::message(kind, &fault.kind));
        let message = match fault.kind {
            FaultKind::Json(reason) => format!("The text is not the JSON of a policy: {reason}."),
            _ => fault.code.meaning().to_owned(),
        };
        Note { code: fault.code, message, aws_message, offset: fault.offset }
    }

    fn of_length(too_long: TooLong) -> Note {
        let (code, message) = (Code::PolicySizeExceedsQuota, too_long.to_string());
        Note { code, message, aws_message: too_long.aws_message(), offset: 0 }
    }

    fn locate(self, text: &str, place: impl Fn(usize) -> String) -> Finding {
        let Note { code, message, aws_message, offset } = self;
        let (line, column) = line_and_column(text, offset);
        Finding { code, message, aws_message, path: place(offset), offset, line, column }
    }
}

/// What every check of a statement sees.
struct Look<'a> {
    kind: Kind,
    /// Whether policy variables mean something in this document.
    variables: bool,
    statement: &'a StatementText,
    catalog: &'a Catalog<'a>,
}

impl<'a> Look<'a> {
    fn actions(&self) -> &'a [Text] {
        self.statement.action.as_ref().map_or(&[], |action| &action.items)
    }

    fn resources(&self) -> &'a [Text] {
        self.statement.resource.as_ref().map_or(&[], |resource| &resource.items)
    }

    /// The principals of one type.
    fn principals(&self, type_: PrincipalKind) -> impl Iterator<Item = &'a Text> {
        let form = self.statement.principal.as_ref().map(|principal| &principal.form);
        let kinds = match form {
            Some(PrincipalForm::Map(kinds)) => kinds.as_slice(),
            _ => &[],
        };
        kinds.iter().filter(move |(kind, _)| *kind == type_).flat_map(|(_, values)| values)
    }
}

fn look(kind: Kind, document: &Document, catalog: &Catalog<'_>, notes: &mut Vec<Note>) {
    style::look_at_document(kind, document, notes);
    for statement in &document.statements {
        let look = Look { kind, variables: document.has_variables(), statement, catalog };
        access::look(&look, notes);
        dead::look(&look, notes);
        style::look(&look, notes);
        variables::look(&look, notes);
    }
}

#[cfg(test)]
mod tests;

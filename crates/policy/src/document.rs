//! The grammar of a policy document: from JSON to statements, before any meaning.
//!
//! It answers for which elements exist, which types they have and which exclude each other (IAM User Guide,
//! "Grammar of the IAM JSON policy language"). Rules of one kind of policy are in the validate module,
//! meaning is in the policy module.

use std::collections::BTreeSet;
use std::fmt;

use crate::code::Code;
use crate::json::{self, JsonError, Member, Node, Value};
use crate::principal::PrincipalKind;

/// Why a policy document is not accepted: AWS's `MalformedPolicyDocument` text, and where it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// AWS's words for it.
    pub message: String,
    /// Byte offset in the text.
    pub offset: usize,
    /// Line of that offset, from 1.
    pub line: u32,
    /// Column of that offset in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Malformed {}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// `"Allow"`
    Allow,
    /// `"Deny"`
    Deny,
}

impl Effect {
    /// As documents write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        }
    }
}

/// A fault before its line and column are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) kind: FaultKind,
    pub(crate) offset: usize,
}

/// Whose words AWS has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The reader's reason, which AWS does not tell.
    Json(&'static str),
    Syntax,
    VersionUnknown,
    EffectMissing,
    StatementEmpty,
    Rule(String),
}

impl Fault {
    /// A breach of the grammar.
    pub(crate) fn syntax(code: Code, offset: usize) -> Fault {
        Fault { code, kind: FaultKind::Syntax, offset }
    }

    /// A breach of a rule that AWS has words for.
    pub(crate) fn rule(code: Code, message: impl Into<String>, offset: usize) -> Fault {
        Fault { code, kind: FaultKind::Rule(message.into()), offset }
    }

    pub(crate) fn locate(self, text: &str, message: String) -> Malformed {
        let (line, column) = line_and_column(text, self.offset);
        Malformed { message, offset: self.offset, line, column }
    }
}

/// Line and column of a byte, from 1; columns count characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let count = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
    (
        count(before.bytes().filter(|byte| *byte == b'\n').count()),
        count(before.get(line_start..).unwrap_or_default().chars().count()),
    )
}

impl From<JsonError> for Fault {
    fn from(error: JsonError) -> Fault {
        Fault { code: Code::JsonSyntaxError, kind: FaultKind::Json(error.reason), offset: error.offset }
    }
}

/// What `Malformed` says for a syntax error.
pub(crate) const SYNTAX_ERRORS: &str = "Syntax errors in policy.";

/// A document that keeps to the grammar.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) version: Option<Version>,
    /// Where the version stands; the document, if it has none.
    pub(crate) version_at: usize,
    pub(crate) statements: Vec<StatementText>,
    pub(crate) statements_at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `2008-10-17`, and what a document without a version means: no policy variables.
    V2008,
    /// `2012-10-17`
    V2012,
}

/// A text of the document and the byte where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) at: usize,
}

/// An element that names things, or names those it does not mean (`NotAction` and so on).
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) negated: bool,
    pub(crate) items: Vec<Text>,
    pub(crate) at: usize,
}

#[derive(Debug)]
pub(crate) struct StatementText {
    pub(crate) at: usize,
    /// The byte behind it.
    pub(crate) end: usize,
    pub(crate) sid: Option<Text>,
    /// `Allow` or `Deny` in any case: the exact spelling is a later check.
    pub(crate) effect: Text,
    pub(crate) principal: Option<PrincipalText>,
    pub(crate) action: Option<Listed>,
    pub(crate) resource: Option<Listed>,
    pub(crate) conditions: Vec<OperatorText>,
}

/// `Principal` or `NotPrincipal`. Kinds of policies that take none answer with a text of their own whatever
/// its form, so a wrong form is kept as such.
#[derive(Debug)]
pub(crate) struct PrincipalText {
    pub(crate) negated: bool,
    pub(crate) at: usize,
    pub(crate) form: PrincipalForm,
}

#[derive(Debug)]
pub(crate) enum PrincipalForm {
    Star,
    Map(Vec<(PrincipalKind, Vec<Text>)>),
    Wrong(Code, usize),
}

/// One operator of a `Condition` with its keys and values.
#[derive(Debug)]
pub(crate) struct OperatorText {
    pub(crate) name: Text,
    pub(crate) keys: Vec<(Text, Vec<Text>)>,
}

impl StatementText {
    pub(crate) fn effect(&self) -> Option<Effect> {
        match self.effect.value.as_str() {
            "Allow" => Some(Effect::Allow),
            "Deny" => Some(Effect::Deny),
            _ => None,
        }
    }
}

impl Document {
    pub(crate) fn parse(text: &str) -> Result<Document, Fault> {
        Document::read(&json::parse(text, json::CHARACTERS_MAX)?)
    }

    pub(crate) fn read(node: &Node) -> Result<Document, Fault> {
        let members = node.as_object().ok_or_else(|| wrong_type(node))?;
        let (mut version, mut version_at) = (None, node.span.start);
        let (mut statements, mut statements_at) = (None, node.span.start);
        for member in members {
            match member.name.as_str() {
                "Version" => {
                    version = Some(read_version(&member.node)?);
                    version_at = member.node.span.start;
                }
                "Id" => drop(read_text(&member.node)?),
                "Statement" => {
                    statements = Some(read_statements(&member.node)?);
                    statements_at = member.node.span.start;
                }
                _ => return Err(Fault::syntax(Code::InvalidPolicyElement, member.name_at)),
            }
        }
        let missing = || Fault::syntax(Code::MissingStatement, node.span.start);
        let statements = statements.ok_or_else(missing)?;
        Ok(Document { version, version_at, statements, statements_at })
    }

    /// The names of statements.
    pub(crate) fn sids(&self) -> impl Iterator<Item = &Text> {
        self.statements.iter().filter_map(|statement| statement.sid.as_ref())
    }

    /// The names of statements that an earlier statement has; empty ones do not count.
    pub(crate) fn repeated_sids(&self) -> impl Iterator<Item = &Text> {
        let mut seen = BTreeSet::new();
        self.sids().filter(move |sid| !sid.value.is_empty() && !seen.insert(sid.value.as_str()))
    }

    pub(crate) fn has_variables(&self) -> bool {
        self.version == Some(Version::V2012)
    }
}

fn read_version(node: &Node) -> Result<Version, Fault> {
    match node.as_str() {
        Some("2012-10-17") => Ok(Version::V2012),
        Some("2008-10-17") => Ok(Version::V2008),
        _ => Err(Fault {
            code: Code::InvalidVersion,
            kind: FaultKind::VersionUnknown,
            offset: node.span.start,
        }),
    }
}

fn read_statements(node: &Node) -> Result<Vec<StatementText>, Fault> {
    match &node.value {
        Value::Array(nodes) => nodes.iter().map(read_statement).collect(),
        _ => Ok(vec![read_statement(node)?]),
    }
}

fn read_statement(node: &Node) -> Result<StatementText, Fault> {
    let members = node.as_object().ok_or_else(|| wrong_type(node))?;
    let mut sid = None;
    let mut effect = None;
    let mut principal = None;
    let mut action = None;
    let mut resource = None;
    let mut conditions = Vec::new();
    for member in members {
        match member.name.as_str() {
            "Sid" => sid = Some(read_text(&member.node)?),
            "Effect" => effect = Some(read_effect(&member.node)?),
            "Principal" | "NotPrincipal" => read_principal(member, &mut principal),
            "Action" | "NotAction" => read_listed(member, &mut action)?,
            "Resource" | "NotResource" => read_listed(member, &mut resource)?,
            "Condition" => conditions = read_conditions(&member.node)?,
            _ => return Err(Fault::syntax(Code::InvalidPolicyElement, member.name_at)),
        }
    }
    let at = node.span.start;
    let effect =
        effect.ok_or(Fault { code: Code::MissingEffect, kind: FaultKind::EffectMissing, offset: at })?;
    Ok(StatementText { at, end: node.span.end, sid, effect, principal, action, resource, conditions })
}

fn read_effect(node: &Node) -> Result<Text, Fault> {
    let text = read_text(node)?;
    let known = ["Allow", "Deny"].iter().any(|known| text.value.eq_ignore_ascii_case(known));
    if known { Ok(text) } else { Err(Fault::syntax(Code::InvalidEffect, text.at)) }
}

/// An element and its negation exclude each other.
fn read_listed(member: &Member, slot: &mut Option<Listed>) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(Fault::syntax(Code::UnsupportedElementCombination, member.name_at));
    }
    let items = read_texts(&member.node)?;
    *slot = Some(Listed { negated: member.name.starts_with("Not"), items, at: member.name_at });
    Ok(())
}

fn read_principal(member: &Member, slot: &mut Option<PrincipalText>) {
    let form = if slot.is_some() {
        PrincipalForm::Wrong(Code::UnsupportedElementCombination, member.name_at)
    } else {
        let wrong = |at| PrincipalForm::Wrong(Code::InvalidPrincipal, at);
        read_principal_form(&member.node).unwrap_or_else(wrong)
    };
    *slot = Some(PrincipalText { negated: member.name.starts_with("Not"), at: member.name_at, form });
}

/// `"*"`, or an object of principal types. The error is the place of what is wrong.
fn read_principal_form(node: &Node) -> Result<PrincipalForm, usize> {
    if node.as_str() == Some("*") {
        return Ok(PrincipalForm::Star);
    }
    let members = node.as_object().ok_or(node.span.start)?;
    let entry = |member: &Member| {
        let kind = PrincipalKind::parse(&member.name).ok_or(member.name_at)?;
        let values = read_texts(&member.node).map_err(|fault| fault.offset)?;
        Ok((kind, values))
    };
    members.iter().map(entry).collect::<Result<_, usize>>().map(PrincipalForm::Map)
}

fn read_conditions(node: &Node) -> Result<Vec<OperatorText>, Fault> {
    let operators = node.as_object().ok_or_else(|| wrong_type(node))?;
    operators.iter().map(read_operator).collect()
}

fn read_operator(member: &Member) -> Result<OperatorText, Fault> {
    let keys = member.node.as_object().ok_or_else(|| wrong_type(&member.node))?;
    let keys = keys
        .iter()
        .map(|key| Ok((Text { value: key.name.clone(), at: key.name_at }, read_scalars(&key.node)?)))
        .collect::<Result<_, Fault>>()?;
    Ok(OperatorText { name: Text { value: member.name.clone(), at: member.name_at }, keys })
}

/// Condition values: quotes are optional for numbers and booleans.
fn read_scalars(node: &Node) -> Result<Vec<Text>, Fault> {
    match &node.value {
        Value::Array(nodes) => nodes.iter().map(read_scalar).collect(),
        _ => Ok(vec![read_scalar(node)?]),
    }
}

fn read_scalar(node: &Node) -> Result<Text, Fault> {
    let value = match &node.value {
        Value::String(text) | Value::Number(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(wrong_type(node)),
    };
    Ok(Text { value, at: node.span.start })
}

/// A string or a list of strings.
fn read_texts(node: &Node) -> Result<Vec<Text>, Fault> {
    match &node.value {
        Value::Array(nodes) => nodes.iter().map(read_text).collect(),
        _ => Ok(vec![read_text(node)?]),
    }
}

fn read_text(node: &Node) -> Result<Text, Fault> {
    let value = node.as_str().ok_or_else(|| wrong_type(node))?;
    Ok(Text { value: value.to_owned(), at: node.span.start })
}

fn wrong_type(node: &Node) -> Fault {
    Fault::syntax(Code::DataTypeMismatch, node.span.start)
}

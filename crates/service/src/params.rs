//! The parameters of a call: from names and text (AWS Query) or JSON to the input type of an action.
//!
//! Answers for: the grammar of parameter names, what each model allows (through
//! [`shapes`](crate::shapes)), and that nothing a caller sent is dropped where that could matter.
//! Refuses to know: HTTP, percent-encoding, who calls, and what a parameter means.
//!
//! Order of refusals, as on AWS: what cannot be read at all (`MalformedInput`) before what breaks a
//! limit (one `ValidationError` with everything wrong). Governing documents: "Query API requests" in
//! the IAM User Guide, the `awsQuery` and `awsJson1_1` protocols of Smithy.

mod build;
mod json;
mod log;
mod read;
mod rest;
#[cfg(test)]
mod tests;

use std::fmt;

use daypass_model::cut;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::shapes::{self, Operation};

/// The deepest nesting of any parameter, far above what the models use.
const DEPTH_MAX: usize = 32;
/// How much of a caller's own text a message repeats, in characters.
const ECHO_MAX: usize = 4096;
/// How much of a caller's parameter name a message repeats, in characters.
const NAME_ECHO_MAX: usize = 128;

/// A parameter, or a part of one.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Text; in Query everything is, until a shape says otherwise.
    Text(String),
    /// A whole number; a moment, in seconds since 1970.
    Number(i64),
    /// The whole number above one that is not whole, as only a moment may be.
    Above(i64),
    /// `true` or `false`.
    Bool(bool),
    /// Bytes.
    Blob(Vec<u8>),
    /// Elements in order; `None` where a position was left out.
    List(Vec<Option<Value>>),
    /// Named parts, sorted by name, no name twice.
    Structure(Vec<(String, Value)>),
}

impl fmt::Debug for Value {
    /// The form without the content: parameters can be passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::Number(_) | Self::Above(_) => f.write_str("Number"),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Blob(_) => f.write_str("Blob"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Structure(parts) => {
                f.debug_map().entries(parts.iter().map(|(name, value)| (name, value))).finish()
            }
        }
    }
}

/// Where parameters came from: it decides how text becomes a number, and the code of what cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `A.member.N.B=value`.
    Query,
    /// An object.
    Json,
}

impl Format {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Query => "MalformedInput",
            Self::Json => "SerializationException",
        }
    }
}

/// All parameters of one call, without `Action`, `Version` and what belongs to its signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Params {
    root: Vec<(String, Value)>,
    format: Format,
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.root.iter().map(|(name, value)| (name, value))).finish()
    }
}

impl Params {
    /// From the decoded pairs of an AWS Query request, in the order they were sent.
    ///
    /// # Errors
    /// A name twice (`01` and `1` are the same position), a name that is both a value and a
    /// structure, a position below 1 or more than 10 beyond the largest before it, too many or too
    /// deep.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Result<Self, ParamsError> {
        Ok(Self { root: build::root(pairs)?, format: Format::Query })
    }

    /// From the body of an AWS JSON 1.1 request.
    ///
    /// # Errors
    /// A body that is not one JSON object, a name twice in an object, too many values or too deep, a
    /// number that is too large.
    pub fn from_json(body: &[u8]) -> Result<Self, ParamsError> {
        Ok(Self { root: json::root(body)?, format: Format::Json })
    }

    /// From a request whose method and path told `operation`: the parts of the path that are parameters, the decoded
    /// pairs of its query, and the body, which may be empty. Wherever a parameter stands, it stands there once.
    ///
    /// # Errors
    /// As of [`from_json`](Self::from_json); a name in two places, a name in the query that belongs into the body.
    pub fn from_rest(
        operation: &'static Operation,
        labels: Vec<(&'static str, String)>,
        query: Vec<(String, String)>,
        body: &[u8],
    ) -> Result<Self, ParamsError> {
        Ok(Self { root: rest::root(operation, labels, query, body)?, format: Format::Json })
    }

    /// The text of a top-level parameter, before any validation: for proofs of identity that are
    /// parameters, such as `WebIdentityToken`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match find(&self.root, name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The names of the top-level parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.root.iter().map(|(name, _)| name.as_str())
    }

    /// The input of an action, all of it checked against the model of `operation`.
    ///
    /// A name that no model knows is refused unless the call is `read_only`: on calls that issue
    /// credentials or write, it could be a newer client's restriction. A name that the model knows and
    /// `T` does not is always refused, so `T` must carry `#[serde(deny_unknown_fields)]`.
    ///
    /// # Errors
    /// See [`InputError`].
    pub fn read<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        read_only: bool,
    ) -> Result<T, InputError> {
        // INVARIANT (nothing-dropped): a parameter is used, refused, or unknown on a read.
        let checked = shapes::check(operation, &self.root, self.format, !read_only)?;
        read::from(checked)
    }
}

fn find<'a>(parts: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    let index = parts.binary_search_by(|(part, _)| part.as_str().cmp(name)).ok()?;
    parts.get(index).map(|(_, value)| value)
}

/// Parameters that could not be taken apart at all; nothing is known of the operation yet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParamsError {
    /// The same name twice: two readers could disagree about which one counts.
    #[error("the parameter `{0}` is given more than once")]
    Duplicate(String),
    /// A name that is used both with a value and with parts.
    #[error("the parameter `{0}` is both a value and a structure")]
    Mixed(String),
    /// A list position that is out of order.
    #[error("the position in `{0}` is out of order")]
    Position(String),
    /// More parameters than [`daypass_model::limits::REQUEST_PARAMETERS_MAX`].
    #[error("the request has too many parameters")]
    TooMany,
    /// Nested too deeply.
    #[error("a parameter is nested too deeply")]
    TooDeep,
    /// A name in the query of an operation that has no such parameter there.
    #[error("the query has no parameter `{0}`")]
    NotInQuery(String),
    /// A body that is not JSON as this API takes it.
    #[error("the body could not be read as JSON: {0}")]
    Json(String),
}

impl ParamsError {
    /// The code on the wire.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => Format::Json.code(),
            _ => Format::Query.code(),
        }
    }
}

/// Why parameters are not the input of an operation. Status 400.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct InputError {
    /// `MalformedInput` (`SerializationException` for JSON) or `ValidationError`.
    pub code: &'static str,
    /// AWS's sentence where AWS has one.
    pub message: String,
}

impl InputError {
    /// One violation or several, in AWS's words.
    pub(crate) fn violations(items: &[String]) -> Self {
        let plural = if items.len() == 1 { "" } else { "s" };
        let message = format!("{} validation error{plural} detected: {}", items.len(), items.join("; "));
        Self::validation(message)
    }

    /// A limit that is broken, in a sentence of its own.
    pub(crate) fn validation(message: String) -> Self {
        Self { code: "ValidationError", message }
    }

    /// A value that cannot be what the model says.
    pub(crate) fn malformed(format: Format, name: &str, what: &str) -> Self {
        Self { code: format.code(), message: format!("the parameter `{}` {what}", cut(name, NAME_ECHO_MAX)) }
    }
}

impl From<ParamsError> for InputError {
    fn from(error: ParamsError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

/// As much of a value as a message may repeat.
pub(crate) fn echo(text: &str) -> &str {
    cut(text, ECHO_MAX)
}

/// As much of a name as a message may repeat.
pub(crate) fn echo_name(name: &str) -> &str {
    cut(name, NAME_ECHO_MAX)
}

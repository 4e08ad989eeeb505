//! Do parameters have the shape their operation asks for? One reader of the table, for all operations.
//!
//! Converts text to what the model says (else `MalformedInput`), collects every limit that is broken
//! into one `ValidationError` in AWS's words and the order of the model, and refuses names that no
//! model knows where the caller asks for that. IAM refuses characters of names, paths and policies
//! with a sentence of their own, alone and before everything else. Rules between parameters, and all
//! that needs state, belong to the actions.

use std::fmt;

use data_encoding::BASE64;

use super::{Bounds, Kind, Operation, Pattern, Shape, Structure, Text};
use crate::params::{Format, InputError, Value, echo, echo_name};

/// The most violations that one message lists.
const VIOLATIONS_MAX: usize = 100;
const NOT_NULL: &str = "Member must not be null";

/// The parameters with every value of the type its shape has.
///
/// Names that no model knows are refused if `strict`, else left out.
pub(crate) fn check(
    operation: &'static Operation,
    given: &[(String, Value)],
    format: Format,
    strict: bool,
) -> Result<Value, InputError> {
    let service = operation.service.name;
    let mut check = Check {
        format,
        strict,
        shows_values: service == "sts",
        names_characters: service == "iam",
        path: Vec::new(),
        found: Vec::new(),
        characters: None,
    };
    let input = check.structure(operation.input, given)?;
    match check.characters {
        Some(sentence) => Err(InputError::validation(sentence)),
        None if check.found.is_empty() => Ok(input),
        None => Err(InputError::violations(&check.found)),
    }
}

struct Check<'a> {
    format: Format,
    strict: bool,
    /// STS repeats the value that it refuses. IAM stopped doing so, and daypass's own API carries
    /// other people's signed requests.
    shows_values: bool,
    /// IAM has sentences of its own for characters that may not be, see [`allowed_characters`].
    names_characters: bool,
    path: Vec<Step<'a>>,
    found: Vec<String>,
    /// The first of those sentences, in the order of the model.
    characters: Option<String>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Position(usize),
}

/// What a violation says of the value.
#[derive(Clone, Copy)]
enum Shown<'a> {
    Null,
    Text(&'a str),
    Nothing,
}

impl<'a> Check<'a> {
    fn structure(
        &mut self,
        shape: &'static Structure,
        given: &'a [(String, Value)],
    ) -> Result<Value, InputError> {
        let mut parts = Vec::new();
        for member in shape.members {
            self.path.push(Step::Member(member.name));
            match given.iter().find(|(name, _)| name == member.name) {
                Some((name, value)) => parts.push((name.clone(), self.value(member.shape, value)?)),
                None if member.required => self.violation(Shown::Null, NOT_NULL),
                None => {}
            }
            self.path.pop();
        }
        if shape.union && parts.len() != 1 {
            self.violation(Shown::Nothing, "Member must have exactly one of its members");
        }
        if self.strict {
            for (name, _) in
                given.iter().filter(|(name, _)| shape.members.iter().all(|known| known.name != name))
            {
                self.unknown(shape, name);
            }
        }
        parts.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Value::Structure(parts))
    }

    fn value(&mut self, shape: &'static Shape, value: &'a Value) -> Result<Value, InputError> {
        match (&shape.kind, value) {
            (Kind::Structure(of), Value::Structure(given)) => self.structure(of, given),
            (Kind::List(of, size), Value::List(items)) => self.list(of, *size, items),
            // How clients write a list that is there and empty.
            (Kind::List(of, size), Value::Text(text)) if self.query() && text.is_empty() => {
                self.list(of, *size, &[])
            }
            (Kind::Map(key, of, size), Value::Structure(given)) => self.map(key, of, *size, given),
            (Kind::String(limits), Value::Text(text)) => {
                self.text(shape, limits, text);
                Ok(Value::Text(text.clone()))
            }
            (Kind::Integer(range), _) => {
                let number = self.number(value).filter(|number| i32::try_from(*number).is_ok());
                self.range(shape, *range, value, number)
            }
            (Kind::Long(range), _) => {
                let number = self.number(value);
                self.range(shape, *range, value, number)
            }
            (Kind::Boolean, _) => match (value, self.format) {
                (Value::Bool(bool), Format::Json) => Ok(Value::Bool(*bool)),
                (Value::Text(text), Format::Query) => match text.as_str() {
                    "true" | "1" => Ok(Value::Bool(true)),
                    "false" | "0" => Ok(Value::Bool(false)),
                    _ => Err(self.malformed("must be true or false")),
                },
                _ => Err(self.malformed("must be true or false")),
            },
            // Our moments are whole seconds. The one above: "issued before" a part of a second means that second too.
            (Kind::Timestamp, Value::Number(seconds) | Value::Above(seconds)) => Ok(Value::Number(*seconds)),
            (Kind::Timestamp, Value::Text(text)) if self.query() => {
                let time: jiff::Timestamp = text.parse().map_err(|_| self.malformed("must be a time"))?;
                Ok(Value::Number(time.as_second()))
            }
            (Kind::Blob(size), Value::Text(text)) => {
                let bytes = BASE64.decode(text.as_bytes()).map_err(|_| self.malformed("must be base64"))?;
                self.size(*size, bytes.len());
                Ok(Value::Blob(bytes))
            }
            _ => Err(self.malformed("has the wrong form")),
        }
    }

    fn list(
        &mut self,
        of: &'static Shape,
        size: Bounds,
        items: &'a [Option<Value>],
    ) -> Result<Value, InputError> {
        self.size(size, items.len());
        if let Kind::String(limits) = &of.kind {
            return self.texts(of, limits, items);
        }
        let mut checked = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.push(Step::Position(index + 1));
            match item {
                Some(value) => checked.push(Some(self.value(of, value)?)),
                // INVARIANT (no-gaps): a position left out is a violation.
                None => self.violation(Shown::Null, NOT_NULL),
            }
            self.path.pop();
        }
        Ok(Value::List(checked))
    }

    /// A list of plain texts is refused as a whole, with every rule of its elements, whichever is broken.
    fn texts(
        &mut self,
        of: &'static Shape,
        limits: &'static Text,
        items: &'a [Option<Value>],
    ) -> Result<Value, InputError> {
        let mut texts = Vec::with_capacity(items.len());
        for item in items.iter().flatten() {
            let Value::Text(text) = item else { return Err(self.malformed("has the wrong form")) };
            texts.push(text.as_str());
        }
        // INVARIANT (no-gaps): a position left out is a violation.
        let gap = texts.len() < items.len();
        if gap || texts.iter().any(|text| rules(limits).any(|rule| rule.is_broken_by(text))) {
            let mut all: Vec<_> = rules(limits).map(|rule| rule.to_string()).collect();
            // As recorded: said beside a pattern, and not beside bounds of the length alone.
            if gap || limits.pattern.is_some() {
                all.push(NOT_NULL.to_owned());
            }
            let all = all.join(", ");
            let value = format!("[{}]", texts.join(", "));
            let shown = if of.is_secret() { Shown::Nothing } else { Shown::Text(&value) };
            self.violation(shown, &format!("Member must satisfy constraint: [{all}]"));
        }
        Ok(Value::List(texts.into_iter().map(|text| Some(Value::Text(text.to_owned()))).collect()))
    }

    fn map(
        &mut self,
        key: &'static Shape,
        of: &'static Shape,
        size: Bounds,
        given: &'a [(String, Value)],
    ) -> Result<Value, InputError> {
        let entries = match self.format {
            Format::Json => given.iter().map(|(name, value)| (name, value)).collect(),
            Format::Query => self.entries(given)?,
        };
        self.size(size, entries.len());
        let mut parts = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            self.path.push(Step::Member(name));
            if let Kind::String(limits) = &key.kind {
                self.text(key, limits, name);
            }
            parts.push((name.clone(), self.value(of, value)?));
            self.path.pop();
        }
        parts.sort_by(|(a, _), (b, _)| a.cmp(b));
        if parts.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return Err(self.malformed("has a key twice"));
        }
        Ok(Value::Structure(parts))
    }

    /// `Name.entry.N.key` and `.value`.
    fn entries(&self, given: &'a [(String, Value)]) -> Result<Vec<(&'a String, &'a Value)>, InputError> {
        let wrong = || self.malformed("has the wrong form");
        let [(name, Value::List(items))] = given else { return Err(wrong()) };
        if name != "entry" {
            return Err(wrong());
        }
        let entry = |item: &'a Option<Value>| match item {
            Some(Value::Structure(parts)) => match parts.as_slice() {
                [(key, Value::Text(name)), (value, of)] if key == "key" && value == "value" => Ok((name, of)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        };
        items.iter().map(entry).collect()
    }

    fn text(&mut self, shape: &Shape, limits: &Text, text: &'a str) {
        let shown = if shape.is_secret() { Shown::Nothing } else { Shown::Text(text) };
        for rule in rules(limits).filter(|rule| rule.is_broken_by(text)) {
            let allowed = match rule {
                Rule::Pattern(pattern) if self.names_characters => allowed_characters(shape, pattern),
                _ => None,
            };
            match allowed {
                Some(allowed) => self.wrong_characters(allowed),
                None => self.violation(shown, &rule.to_string()),
            }
        }
    }

    fn size(&mut self, Bounds(min, max): Bounds, size: usize) {
        let rules = [max.map(Rule::LengthMax), min.map(Rule::LengthMin)];
        for rule in rules.into_iter().flatten().filter(|rule| rule.is_broken_by_length(size)) {
            self.violation(Shown::Nothing, &rule.to_string());
        }
    }

    fn number(&self, value: &Value) -> Option<i64> {
        match (value, self.format) {
            // Exactly `[+-]?[0-9]+`, without overflow: blanks, fractions and exponents are refused.
            (Value::Text(text), Format::Query) => text.parse().ok(),
            (Value::Number(number), Format::Json) => Some(*number),
            _ => None,
        }
    }

    fn range(
        &mut self,
        shape: &Shape,
        Bounds(min, max): Bounds,
        given: &Value,
        number: Option<i64>,
    ) -> Result<Value, InputError> {
        let number = number.ok_or_else(|| self.no_number(given))?;
        let text = number.to_string();
        let shown = if shape.is_secret() { Shown::Nothing } else { Shown::Text(&text) };
        if let Some(max) = max.filter(|max| number > *max) {
            self.violation(shown, &format!("Member must have value less than or equal to {max}"));
        }
        if let Some(min) = min.filter(|min| number < *min) {
            self.violation(shown, &format!("Member must have value greater than or equal to {min}"));
        }
        Ok(Value::Number(number))
    }

    fn query(&self) -> bool {
        self.format == Format::Query
    }

    fn violation(&mut self, shown: Shown<'_>, rule: &str) {
        if self.found.len() == VIOLATIONS_MAX {
            return;
        }
        let value = match shown {
            Shown::Null if self.shows_values => "Value null".to_owned(),
            Shown::Text(text) if self.shows_values => format!("Value '{}'", echo(text)),
            _ => "Value".to_owned(),
        };
        let at = self.at(lower_first);
        self.found.push(format!("{value} at '{at}' failed to satisfy constraint: {rule}"));
    }

    /// AWS says one such thing, and nothing else: an empty name is called invalid and not too short. Which of
    /// several it says is not recorded; here the first.
    fn wrong_characters(&mut self, allowed: &str) {
        let at = self.at(lower_first);
        let sentence = || format!("The specified value for {at} is invalid. It must {allowed}");
        self.characters.get_or_insert_with(sentence);
    }

    /// A name that no model knows is repeated as it was sent, so that its sender finds it; but not beside a password, of
    /// which it may be the part behind an `&`.
    fn unknown(&mut self, of: &'static Structure, name: &'a str) {
        if self.found.len() < VIOLATIONS_MAX {
            let is_beside_secret = self.query() && of.members.iter().any(|member| member.shape.sensitive);
            self.path.push(Step::Member(if is_beside_secret { "…" } else { name }));
            let at = self.at(str::to_owned);
            self.path.pop();
            let rule = "failed to satisfy constraint: Member is not a parameter of this operation";
            self.found.push(format!("Value at '{at}' {rule}"));
        }
    }

    /// Of a number that is none AWS says nothing, and of a missing one this, as recorded against STS and IAM in 2026.
    fn no_number(&self, given: &Value) -> InputError {
        match given {
            Value::Text(text) if self.query() => {
                let message = if text.is_empty() { "missing value for decimal type" } else { "" };
                InputError { code: self.format.code(), message: message.to_owned() }
            }
            _ => self.malformed("must be a whole number in range"),
        }
    }

    fn malformed(&self, what: &str) -> InputError {
        InputError::malformed(self.format, &self.at(str::to_owned), what)
    }

    /// `tags.1.member.key`
    fn at(&self, name: fn(&str) -> String) -> String {
        let step = |step: &Step<'_>| match step {
            Step::Member(member) => name(echo_name(member)),
            Step::Position(position) => format!("{position}.member"),
        };
        self.path.iter().map(step).collect::<Vec<_>>().join(".")
    }
}

/// A limit of a text, displayed in AWS's words.
#[derive(Clone, Copy)]
enum Rule {
    LengthMax(i64),
    LengthMin(i64),
    Pattern(&'static Pattern),
    Values(&'static [&'static str]),
}

/// The limits of a text, in the order in which AWS lists them.
fn rules(limits: &Text) -> impl Iterator<Item = Rule> {
    let Bounds(min, max) = limits.length;
    let values = Some(limits.values).filter(|values| !values.is_empty());
    [
        max.map(Rule::LengthMax),
        min.map(Rule::LengthMin),
        limits.pattern.map(Rule::Pattern),
        values.map(Rule::Values),
    ]
    .into_iter()
    .flatten()
}

impl Rule {
    fn is_broken_by(self, text: &str) -> bool {
        match self {
            Self::LengthMax(_) | Self::LengthMin(_) => self.is_broken_by_length(text.chars().count()),
            Self::Pattern(pattern) => !pattern.matches(text),
            Self::Values(values) => !values.contains(&text),
        }
    }

    fn is_broken_by_length(self, length: usize) -> bool {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        match self {
            Self::LengthMax(max) => length > max,
            Self::LengthMin(min) => length < min,
            Self::Pattern(_) | Self::Values(_) => false,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LengthMax(max) => write!(f, "Member must have length less than or equal to {max}"),
            Self::LengthMin(min) => write!(f, "Member must have length greater than or equal to {min}"),
            Self::Pattern(pattern) => {
                write!(f, "Member must satisfy regular expression pattern: {}", pattern.text)
            }
            Self::Values(values) => write!(f, "Member must satisfy enum value set: [{}]", values.join(", ")),
        }
    }
}

/// What IAM says a value must consist of, where it says that instead of the pattern, as recorded from AWS. The
/// sentences are shorter than the truth: the pattern is what decides.
fn allowed_characters(shape: &Shape, pattern: &Pattern) -> Option<&'static str> {
    match (shape.name, pattern.text) {
        (_, "[\\w+=,.@-]+") => Some("contain only alphanumeric characters and/or the following: +=,.@_-"),
        ("pathType" | "policyPathType", _) => {
            Some("begin and end with / and contain only alphanumeric characters and/or / characters.")
        }
        ("policyDocumentType", _) => Some("contain only printable ASCII characters."),
        _ => None,
    }
}

/// A member as messages and CloudTrail write it: `RoleArn` → `roleArn`.
pub(crate) fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

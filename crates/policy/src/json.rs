//! A strict JSON reader (RFC 8259) that remembers where each value stood.
//!
//! It answers for syntax only and knows nothing about policies. It is stricter than common readers in
//! the two points that matter for authorization: a name twice in one object is refused at any depth
//! (two readers that keep different ones would decide differently), and depth and length are bounded.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// Deepest nesting of lists and objects.
pub(crate) const DEPTH_MAX: usize = 32;

/// Longest policy document, in characters; the bound AWS's API models state for policy documents.
pub(crate) const CHARACTERS_MAX: usize = 131_072;

/// A value and the bytes it was read from (quotes and brackets included).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

/// What a node holds. Numbers stay text: nothing is lost, and `10` equals `"10"` in a policy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// One `"name": value` of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) name_at: usize,
    pub(crate) node: Node,
}

/// Why a text is not acceptable JSON, and the byte offset where that showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) reason: &'static str,
    pub(crate) offset: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.offset)
    }
}

/// Reads one value and nothing after it but white space. `characters_max` bounds the text's length.
pub(crate) fn parse(text: &str, characters_max: usize) -> Result<Node, JsonError> {
    // A character has at least one byte, so the count is only needed for longer texts.
    if text.len() > characters_max && text.chars().count() > characters_max {
        return Err(JsonError { reason: "the document is too long", offset: 0 });
    }
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
    reader.white_space();
    let node = reader.node(0)?;
    reader.white_space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.error("text after the end of the document")),
    }
}

impl Node {
    /// The text, when this is a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members, when this is an object.
    pub(crate) fn as_object(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, when this is a list.
    pub(crate) fn as_array(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Array(nodes) => Some(nodes),
            _ => None,
        }
    }

    /// The member called `name`, when this is an object that has one.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.as_object()?.iter().find(|member| member.name == name).map(|member| &member.node)
    }
}

/// Writes `text` as a JSON string, quotes included. Only what JSON requires is escaped, so the result
/// keeps to the characters of the text itself.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn error(&self, reason: &'static str) -> JsonError {
        JsonError { reason, offset: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(self.error(reason));
        }
        self.at += 1;
        Ok(())
    }

    fn node(&mut self, depth: usize) -> Result<Node, JsonError> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => Value::Object(self.object(depth + 1)?),
            Some(b'[') => Value::Array(self.array(depth + 1)?),
            Some(b'"') => Value::String(self.string()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            _ => return Err(self.error("a value is missing")),
        };
        Ok(Node { span: start..self.at, value })
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            return Err(self.error("a value is missing"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member>, JsonError> {
        let mut members = Vec::new();
        // The recursion is bounded here and in `array`, so a hostile text cannot use up the stack.
        if depth > DEPTH_MAX {
            return Err(self.error("the document is nested too deeply"));
        }
        self.at += 1;
        self.white_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(members);
        }
        loop {
            let name_at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.error("a name in double quotes is missing"));
            }
            let name = self.string()?;
            self.white_space();
            self.expect(b':', "a colon is missing")?;
            self.white_space();
            let node = self.node(depth)?;
            members.push(Member { name, name_at, node });
            self.white_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("a comma or closing brace is missing")),
            }
            self.white_space();
        }
        self.at += 1;
        refuse_repeated_names(&members)?;
        Ok(members)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, JsonError> {
        let mut nodes = Vec::new();
        if depth > DEPTH_MAX {
            return Err(self.error("the document is nested too deeply"));
        }
        self.at += 1;
        self.white_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(nodes);
        }
        loop {
            nodes.push(self.node(depth)?);
            self.white_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.error("a comma or closing bracket is missing")),
            }
            self.white_space();
        }
        self.at += 1;
        Ok(nodes)
    }

    /// RFC 8259 section 6: no leading zeroes, no plus sign, digits on both sides of the point.
    fn number(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.text.get(start..self.at).unwrap_or_default().to_owned())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error("a digit is missing"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let run = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            text.push_str(self.text.get(run..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.error("a control character stands in a string")),
                None => return Err(self.error("a string does not end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        self.at += 1;
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.error("an escape is unknown")),
        };
        self.at += 1;
        Ok(c)
    }

    /// `XXXX` after `\u`, or a surrogate pair `XXXX\uXXXX`. A lone surrogate is no character: refused.
    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.four_hex()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            self.expect(b'\\', "a surrogate stands alone")?;
            self.expect(b'u', "a surrogate stands alone")?;
            let second = self.four_hex()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(self.error("a surrogate stands alone"));
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.error("a surrogate stands alone"))
    }

    fn four_hex(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.error("an escape needs four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

// INVARIANT (names-once): no object that leaves this module has a name twice.
fn refuse_repeated_names(members: &[Member]) -> Result<(), JsonError> {
    let mut seen = BTreeSet::new();
    for member in members {
        if !seen.insert(member.name.as_str()) {
            return Err(JsonError { reason: "a name stands twice in one object", offset: member.name_at });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> &'static str {
        parse(text, CHARACTERS_MAX).unwrap_err().reason
    }

    #[test]
    fn values_keep_their_place() {
        let node = parse(r#" {"a": ["x", 1.50, true, null]} "#, 100).unwrap();
        let list = node.get("a").unwrap();
        assert_eq!(list.span, 7..30);
        let values: Vec<_> = list.as_array().unwrap().iter().map(|node| node.value.clone()).collect();
        assert_eq!(
            values,
            [Value::String("x".into()), Value::Number("1.50".into()), Value::Bool(true), Value::Null]
        );
    }

    #[test]
    fn a_name_twice_is_refused_at_any_depth() {
        assert_eq!(reason(r#"{"a":1,"a":2}"#), "a name stands twice in one object");
        assert_eq!(reason(r#"[{"x":{"a":1,"\u0061":2}}]"#), "a name stands twice in one object");
        assert!(parse(r#"{"a":1,"A":2}"#, 100).is_ok());
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(parse(&deep(DEPTH_MAX), 1000).is_ok());
        assert_eq!(reason(&deep(DEPTH_MAX + 1)), "the document is nested too deeply");
        assert_eq!(reason(&"{\"a\":".repeat(100_000)), "the document is too long");
        assert_eq!(reason(&"[".repeat(100_000)), "the document is nested too deeply");
        assert!(parse("\"\u{e9}\u{e9}\"", 4).is_ok());
        assert!(parse("\"\u{e9}\u{e9}\"", 3).is_err());
    }

    #[test]
    fn escapes_are_read_and_lone_surrogates_refused() {
        let node = parse(r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00""#, 100).unwrap();
        assert_eq!(node.as_str().unwrap(), "\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}");
        for text in [r#""\ud83d""#, r#""\ud83dx""#, r#""\ude00""#, r#""\ud83d\u0041""#, r#""\u12"#, r#""\x""#]
        {
            assert!(parse(text, 100).is_err(), "{text}");
        }
    }

    #[test]
    fn what_rfc_8259_forbids_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "-",
            "tru",
            "nul",
            "\"\n\"",
            "\"",
            "[1 2]",
            "{} {}",
            "/* x */ {}",
            "NaN",
            "\u{feff}{}",
        ] {
            assert!(parse(text, 100).is_err(), "{text}");
        }
        for text in ["0", "-0", "10.5e+3", " [ ] ", "{ }", "\"\"", "true"] {
            assert!(parse(text, 100).is_ok(), "{text}");
        }
    }

    #[test]
    fn quoting_reads_back() {
        for text in ["", "a\"b\\c", "line\nend\u{1}", "\u{e9}\u{1f600}"] {
            assert_eq!(parse(&quote(text), 100).unwrap().as_str(), Some(text));
        }
    }
}

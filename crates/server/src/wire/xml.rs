//! AWS Query out: answers and errors as XML.
//!
//! One serde serializer for all outputs: members are elements in the order of the Rust type, `None` is
//! left out, lists hold `<member>`, maps hold `<entry>`, and a newtype named `Time` (seconds since
//! 1970) becomes ISO 8601. `()` is a void reply, which has no result element.

use std::fmt::{self, Display};

use data_encoding::BASE64;
use daypass_model::rfc3339_seconds;
use daypass_service::shapes;
use quick_xml::escape::escape;
use serde::ser::{self, Impossible, Serialize, Serializer};

/// The namespace of an error before it is known which service was meant, and of an operation that none has.
const UNKNOWN_SERVICE: &str = "http://webservices.amazon.com/AWSFault/2005-15-09";

/// The answer to a successful call: `<{Action}Response><{Action}Result>…</…><ResponseMetadata>…`.
///
/// # Errors
/// An output that these rules cannot express: a fault of the action, not of its caller.
pub fn reply<T: Serialize + ?Sized>(
    service: &str,
    action: &str,
    request_id: &str,
    output: &T,
) -> Result<Vec<u8>, XmlError> {
    let mut out = String::with_capacity(1024);
    open(&mut out, "", action, "Response", Some(namespace(service)));
    let result = format!("{action}Result");
    output.serialize(Element { out: &mut out, name: &result, time: false })?;
    out.push_str("<ResponseMetadata>");
    leaf(&mut out, "RequestId", request_id);
    out.push_str("</ResponseMetadata></");
    out.push_str(action);
    out.push_str("Response>");
    Ok(out.into_bytes())
}

/// The error document; without a message where there is none. `sender` says that the caller is to blame (4xx).
#[must_use]
pub fn error(service: &str, request_id: &str, code: &str, message: &str, sender: bool) -> Vec<u8> {
    let mut out = String::with_capacity(512);
    // An operation that nobody knows is no service's, as was recorded against AWS.
    let namespace = if code == "InvalidAction" { UNKNOWN_SERVICE } else { namespace(service) };
    open(&mut out, "", "Error", "Response", Some(namespace));
    out.push_str("<Error>");
    leaf(&mut out, "Type", if sender { "Sender" } else { "Receiver" });
    leaf(&mut out, "Code", code);
    if !message.is_empty() {
        leaf(&mut out, "Message", message);
    }
    out.push_str("</Error>");
    leaf(&mut out, "RequestId", request_id);
    out.push_str("</ErrorResponse>");
    out.into_bytes()
}

/// An output that has no form in AWS Query XML.
#[derive(Debug, PartialEq, Eq)]
pub struct XmlError(String);

impl Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the output cannot be written as XML: {}", self.0)
    }
}

impl std::error::Error for XmlError {}

impl ser::Error for XmlError {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

fn namespace(service: &str) -> &'static str {
    shapes::service(service)
        .map(|service| service.namespace)
        .filter(|name| !name.is_empty())
        .unwrap_or(UNKNOWN_SERVICE)
}

fn open(out: &mut String, before: &str, name: &str, after: &str, namespace: Option<&str>) {
    out.push('<');
    out.extend([before, name, after]);
    if let Some(namespace) = namespace {
        out.extend([" xmlns=\"", namespace, "\""]);
    }
    out.push('>');
}

fn close(out: &mut String, name: &str) {
    out.extend(["</", name, ">"]);
}

fn leaf(out: &mut String, name: &str, text: &str) {
    open(out, "", name, "", None);
    out.push_str(&escape(&*carried(text)));
    close(out, name);
}

/// The text with what no XML 1.0 document can carry, not even escaped, replaced by U+FFFD (section
/// 2.2, `Char`): one such character in a description must not make a whole list unreadable.
fn carried(text: &str) -> std::borrow::Cow<'_, str> {
    let foreign =
        |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    if text.contains(foreign) { text.replace(foreign, "\u{fffd}").into() } else { text.into() }
}

/// Writes one value as the element `name`.
struct Element<'a> {
    out: &'a mut String,
    name: &'a str,
    /// The value is a `Time`.
    time: bool,
}

impl<'a> Element<'a> {
    fn text(self, text: &str) -> Result<(), XmlError> {
        leaf(self.out, self.name, text);
        Ok(())
    }

    fn parts(self) -> Parts<'a> {
        open(self.out, "", self.name, "", None);
        Parts { inner: self.out.len(), out: self.out, name: self.name }
    }
}

impl<'a> Serializer for Element<'a> {
    type Ok = ();
    type Error = XmlError;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Impossible<(), XmlError>;
    type SerializeTupleVariant = Impossible<(), XmlError>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Impossible<(), XmlError>;

    fn serialize_bool(self, value: bool) -> Result<(), XmlError> {
        self.text(if value { "true" } else { "false" })
    }

    fn serialize_i8(self, value: i8) -> Result<(), XmlError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), XmlError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), XmlError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), XmlError> {
        if self.time {
            let time = jiff::Timestamp::from_second(value).map_err(ser::Error::custom)?;
            return self.text(&rfc3339_seconds(time));
        }
        self.text(&value.to_string())
    }

    fn serialize_u8(self, value: u8) -> Result<(), XmlError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), XmlError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), XmlError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), XmlError> {
        self.text(&value.to_string())
    }

    fn serialize_f32(self, value: f32) -> Result<(), XmlError> {
        self.text(&value.to_string())
    }

    fn serialize_f64(self, value: f64) -> Result<(), XmlError> {
        self.text(&value.to_string())
    }

    fn serialize_char(self, value: char) -> Result<(), XmlError> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), XmlError> {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), XmlError> {
        self.text(&BASE64.encode(value))
    }

    fn serialize_none(self) -> Result<(), XmlError> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), XmlError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), XmlError> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), XmlError> {
        self.parts().finish();
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), XmlError> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), XmlError> {
        value.serialize(Element { time: name == "Time", ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), XmlError> {
        Err(no_form(name))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, XmlError> {
        Ok(self.parts())
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, XmlError> {
        Ok(self.parts())
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, XmlError> {
        Err(no_form(name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, XmlError> {
        Err(no_form(name))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, XmlError> {
        Ok(self.parts())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, XmlError> {
        Ok(self.parts())
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, XmlError> {
        Err(no_form(name))
    }
}

fn no_form(name: &str) -> XmlError {
    XmlError(format!("`{name}` has no form there"))
}

/// An element that has been opened and gets its content.
struct Parts<'a> {
    out: &'a mut String,
    name: &'a str,
    /// Where the content begins.
    inner: usize,
}

impl Parts<'_> {
    fn part<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), XmlError> {
        value.serialize(Element { out: self.out, name, time: false })
    }

    fn finish(self) {
        if self.out.len() == self.inner {
            self.out.pop();
            self.out.push_str("/>");
        } else {
            close(self.out, self.name);
        }
    }
}

impl ser::SerializeSeq for Parts<'_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), XmlError> {
        self.part("member", value)
    }

    fn end(self) -> Result<(), XmlError> {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeTuple for Parts<'_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), XmlError> {
        self.part("member", value)
    }

    fn end(self) -> Result<(), XmlError> {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), XmlError> {
        self.out.push_str("<entry>");
        self.part("key", key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), XmlError> {
        self.part("value", value)?;
        self.out.push_str("</entry>");
        Ok(())
    }

    fn end(self) -> Result<(), XmlError> {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), XmlError> {
        self.part(name, value)
    }

    fn end(self) -> Result<(), XmlError> {
        self.finish();
        Ok(())
    }
}

#[cfg(test)]
mod tests;

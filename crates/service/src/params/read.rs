//! From a checked tree to the input type of an action, by serde.
//!
//! The shapes have been checked before; what can still go wrong is a member that the model has and
//! the Rust type does not: that is a parameter daypass does not support, and it is refused.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::{InputError, Value};

pub(super) fn from<T: DeserializeOwned>(value: Value) -> Result<T, InputError> {
    T::deserialize(Reader(value)).map_err(|refusal| match refusal {
        Refusal::Unsupported(name) => {
            let what = "failed to satisfy constraint: Member is not supported by this server";
            InputError::violations(&[format!("Value at '{name}' {what}")])
        }
        Refusal::Missing(name) => {
            let what = "failed to satisfy constraint: Member must not be null";
            InputError::violations(&[format!("Value null at '{name}' {what}")])
        }
        Refusal::Other(message) => InputError::validation(message),
    })
}

/// Why serde did not make the type.
#[derive(Debug)]
enum Refusal {
    Unsupported(String),
    Missing(String),
    Other(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unsupported(text) | Self::Missing(text) | Self::Other(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for Refusal {}

impl Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::Unsupported(field.to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field.to_owned())
    }
}

struct Reader(Value);

impl<'de> IntoDeserializer<'de, Refusal> for Reader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Text(text) => visitor.visit_string(text),
            // INVARIANT (whole): `shapes::check` lets no other through.
            Value::Number(number) | Value::Above(number) => visitor.visit_i64(number),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Blob(bytes) => visitor.visit_byte_buf(bytes),
            // INVARIANT (no-gaps): `shapes::check` refuses a list with a position left out.
            Value::List(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.into_iter().flatten().map(Reader)))
            }
            Value::Structure(parts) => {
                let parts = parts.into_iter().map(|(name, value)| (name, Reader(value)));
                visitor.visit_map(MapDeserializer::new(parts))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            // `Vec<u8>` asks for a sequence.
            Value::Blob(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.into_iter())),
            other => Self(other).deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Text(text) => {
                let reader: StringDeserializer<Refusal> = text.into_deserializer();
                reader.deserialize_enum(name, variants, visitor)
            }
            other => Self(other).deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

//! From the body of an AWS JSON 1.1 request to a tree.
//!
//! Stricter than JSON: a name twice in an object is refused at any depth, since two readers could
//! disagree about which one counts; numbers are whole, but for moments; a `null` is an absent member, as in Smithy.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use daypass_model::limits::REQUEST_PARAMETERS_MAX;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{DEPTH_MAX, ParamsError, Value};

pub(super) fn root(body: &[u8]) -> Result<Vec<(String, Value)>, ParamsError> {
    let wrong = |error: serde_json::Error| ParamsError::Json(error.to_string());
    let values = Cell::new(0);
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = Reader { depth: 0, values: &values }.deserialize(&mut reader).map_err(wrong)?;
    reader.end().map_err(wrong)?;
    match value {
        Some(Value::Structure(parts)) => Ok(parts),
        _ => Err(ParamsError::Json("it is not an object".to_owned())),
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    depth: usize,
    values: &'a Cell<usize>,
}

impl Reader<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom("it is nested too deeply"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > REQUEST_PARAMETERS_MAX {
            return Err(D::Error::custom("it holds too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Value::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Value::Number(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        let value = i64::try_from(value).map_err(|_| E::custom("a number is too large"))?;
        Ok(Some(Value::Number(value)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "checked: whole, and within 2^53")]
    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        if value.abs() > 9_007_199_254_740_992.0 {
            return Err(E::custom("a number is too large"));
        }
        let above = value.ceil() as i64;
        // Some clients write moments as `1.57e9`, and some with parts of a second.
        Ok(Some(if value.fract() == 0.0 { Value::Number(above) } else { Value::Above(above) }))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Some(Value::Text(value.to_owned())))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(Some(Value::Text(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let seed = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = elements.next_element_seed(seed)? {
            items.push(item);
        }
        Ok(Some(Value::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let seed = self.deeper()?;
        let mut parts = BTreeMap::new();
        while let Some(name) = entries.next_key::<String>()? {
            if parts.contains_key(&name) {
                return Err(A::Error::custom("a name is given more than once"));
            }
            let value = entries.next_value_seed(seed)?;
            parts.insert(name, value);
        }
        let parts = parts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Ok(Some(Value::Structure(parts)))
    }
}

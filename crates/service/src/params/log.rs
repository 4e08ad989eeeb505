//! The parameters of a call as an audit record repeats them: CloudTrail's `requestParameters`.
//!
//! Member names begin in lower case; what the model calls sensitive and one-time codes are left out,
//! as is every name that the model does not know.

use serde_json::{Map, Value as Json};

use super::{Params, Value, find};
use crate::shapes::{self, Kind, Operation, Shape, Structure};

impl Params {
    /// What an audit record may say of the parameters; `null` when they do not have the shape that
    /// `operation` asks for, or when there are none.
    #[must_use]
    pub fn logged(&self, operation: &'static Operation) -> Json {
        match shapes::check(operation, &self.root, self.format, false) {
            Ok(Value::Structure(parts)) if !parts.is_empty() => structure(operation.input, &parts),
            _ => Json::Null,
        }
    }
}

fn structure(shape: &'static Structure, parts: &[(String, Value)]) -> Json {
    let mut members = Map::new();
    for member in shape.members {
        if let Some(json) = find(parts, member.name).and_then(|part| value(member.shape, part)) {
            members.insert(shapes::lower_first(member.name), json);
        }
    }
    Json::Object(members)
}

fn value(shape: &'static Shape, part: &Value) -> Option<Json> {
    if shape.is_secret() {
        return None;
    }
    Some(match (&shape.kind, part) {
        (Kind::Structure(of), Value::Structure(parts)) => structure(of, parts),
        (Kind::List(of, _), Value::List(items)) => {
            items.iter().flatten().filter_map(|item| value(of, item)).collect()
        }
        (Kind::Map(_, of, _), Value::Structure(parts)) => {
            let entries = parts.iter().filter_map(|(name, part)| Some((name.clone(), value(of, part)?)));
            Json::Object(entries.collect())
        }
        (_, Value::Text(text)) => Json::from(text.as_str()),
        (_, Value::Number(number)) => Json::from(*number),
        (_, Value::Bool(bool)) => Json::from(*bool),
        _ => return None,
    })
}

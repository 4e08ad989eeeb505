//! From pairs of AWS Query to a tree: `Tags.member.1.Key=a` is a list of structures.
//!
//! Knows the grammar of names and no model. Lists are recognised by `member` and a number; maps
//! keep their `entry` list until the shape says that it is a map.

use std::collections::BTreeMap;

use daypass_model::limits::REQUEST_PARAMETERS_MAX;

use super::{DEPTH_MAX, ParamsError, Value, echo_name};

/// How far a position may lie beyond the largest before it.
const POSITION_AHEAD_MAX: usize = 10;

pub(super) fn root(pairs: Vec<(String, String)>) -> Result<Vec<(String, Value)>, ParamsError> {
    if pairs.len() > REQUEST_PARAMETERS_MAX {
        return Err(ParamsError::TooMany);
    }
    let mut root: BTreeMap<String, Node> = BTreeMap::new();
    for (name, value) in pairs {
        let segments: Vec<&str> = name.split('.').take(DEPTH_MAX + 1).collect();
        if segments.len() > DEPTH_MAX {
            return Err(ParamsError::TooDeep);
        }
        if let Some((first, rest)) = segments.split_first() {
            // The root is a structure, whatever its members are called.
            let leaf = Leaf { name: &name, value };
            root.entry((*first).to_owned()).or_default().place(rest, leaf)?;
        }
    }
    Ok(parts(root))
}

struct Leaf<'a> {
    name: &'a str,
    value: String,
}

#[derive(Default)]
enum Node {
    #[default]
    Empty,
    Text(String),
    List(Vec<Node>),
    Structure(BTreeMap<String, Node>),
}

impl Node {
    fn place(&mut self, segments: &[&str], leaf: Leaf<'_>) -> Result<(), ParamsError> {
        match segments {
            [] => match self {
                Self::Empty => *self = Self::Text(leaf.value),
                Self::Text(_) => return Err(ParamsError::Duplicate(echo_name(leaf.name).to_owned())),
                _ => return Err(mixed(&leaf)),
            },
            ["member", number, rest @ ..] if is_number(number) => {
                self.item(number, &leaf)?.place(rest, leaf)?;
            }
            ["entry", number, rest @ ..] if is_number(number) => {
                self.member("entry", &leaf)?.item(number, &leaf)?.place(rest, leaf)?;
            }
            [first, rest @ ..] => self.member(first, &leaf)?.place(rest, leaf)?,
        }
        Ok(())
    }

    fn member(&mut self, name: &str, leaf: &Leaf<'_>) -> Result<&mut Self, ParamsError> {
        if matches!(self, Self::Empty) {
            *self = Self::Structure(BTreeMap::new());
        }
        let Self::Structure(members) = self else { return Err(mixed(leaf)) };
        Ok(members.entry(name.to_owned()).or_default())
    }

    fn item(&mut self, number: &str, leaf: &Leaf<'_>) -> Result<&mut Self, ParamsError> {
        if matches!(self, Self::Empty) {
            *self = Self::List(Vec::new());
        }
        let Self::List(items) = self else { return Err(mixed(leaf)) };
        let wrong = || ParamsError::Position(echo_name(leaf.name).to_owned());
        let position: usize = number.parse().map_err(|_| wrong())?;
        if position > items.len() + POSITION_AHEAD_MAX {
            return Err(wrong());
        }
        if position > items.len() {
            items.resize_with(position, Self::default);
        }
        position.checked_sub(1).and_then(|index| items.get_mut(index)).ok_or_else(wrong)
    }

    fn value(self) -> Option<Value> {
        match self {
            Self::Empty => None,
            Self::Text(text) => Some(Value::Text(text)),
            Self::List(items) => Some(Value::List(items.into_iter().map(Self::value).collect())),
            Self::Structure(members) => Some(Value::Structure(parts(members))),
        }
    }
}

/// A position, even one that will be refused.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn mixed(leaf: &Leaf<'_>) -> ParamsError {
    ParamsError::Mixed(echo_name(leaf.name).to_owned())
}

fn parts(members: BTreeMap<String, Node>) -> Vec<(String, Value)> {
    members.into_iter().filter_map(|(name, node)| Some((name, node.value()?))).collect()
}

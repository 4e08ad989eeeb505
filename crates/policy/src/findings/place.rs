//! Where something stands, in words that survive another formatting of the document: a JSONPath (RFC 9535).

use crate::json::{Node, Value};

/// The path of the innermost member or element at that byte.
pub(super) fn path(root: &Node, offset: usize) -> String {
    let mut path = String::from("$");
    let mut node = root;
    while let Some(inner) = step(node, offset, &mut path) {
        node = inner;
    }
    path
}

fn step<'n>(node: &'n Node, offset: usize, path: &mut String) -> Option<&'n Node> {
    match &node.value {
        Value::Object(members) => {
            let held = |start: usize, end: usize| (start..end).contains(&offset);
            let member = members.iter().find(|member| held(member.name_at, member.node.span.end))?;
            path.push_str(&selector(&member.name));
            Some(&member.node)
        }
        Value::Array(nodes) => {
            let (index, inner) = nodes.iter().enumerate().find(|(_, node)| node.span.contains(&offset))?;
            path.push_str(&format!("[{index}]"));
            Some(inner)
        }
        _ => None,
    }
}

/// `.Name` where the shorthand may stand, `['any text']` elsewhere.
fn selector(name: &str) -> String {
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if word && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!(".{name}");
    }
    let mut quoted = String::from("['");
    for c in name.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push_str("']");
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn a_place_is_named_by_members_and_elements() {
        let text = r#"{"a": [1, {"b:c'd": {"e": [true]}}], "f": {}}"#;
        let tree = json::parse(text, 1000).unwrap();
        let at = |piece: &str| path(&tree, text.find(piece).unwrap());
        assert_eq!(at("{"), "$");
        assert_eq!(at("\"a\""), "$.a");
        assert_eq!(at("1"), "$.a[0]");
        assert_eq!(at("\"b:c"), r"$.a[1]['b:c\'d']");
        assert_eq!(at("true"), r"$.a[1]['b:c\'d'].e[0]");
        assert_eq!(at("\"f\""), "$.f");
        assert_eq!(path(&tree, 10_000), "$");
    }
}

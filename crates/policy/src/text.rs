//! Policies as texts: their counted size, names made safe to put in, and principals replaced in place.
//!
//! What users wrote is what they read back, so no byte changes but those asked for.

use std::ops::Range;

use crate::document::{Document, Fault, Malformed, SYNTAX_ERRORS};
use crate::json::{self, Node, Value};

/// The length of a policy as IAM counts it against its quotas: characters, white space outside JSON strings
/// not counted (IAM User Guide, "IAM and AWS STS quotas").
///
/// ```
/// assert_eq!(daypass_policy::size_without_white_space("{ \"Sid\": \"a b\" }"), 13);
/// ```
#[must_use]
pub fn size_without_white_space(text: &str) -> usize {
    let mut in_string = false;
    let mut escaped = false;
    let mut size = 0;
    for c in text.chars() {
        if in_string {
            size += 1;
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if !matches!(c, ' ' | '\t' | '\n' | '\r') {
            size += 1;
            in_string = c == '"';
        }
    }
    size
}

/// Text that stands for itself in the resource part of an ARN and in values of String and Arn operators of a
/// document of version 2012-10-17: `*`, `?` and `$` become `${*}`, `${?}` and `${$}`.
///
/// Whoever writes names that others chose (a table, a user, a folder) into a policy needs it; a name with a `*`
/// in it would widen the policy.
///
/// ```
/// assert_eq!(daypass_policy::escape("a*${b}"), "a${*}${$}{b}");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' => escaped.push_str("${*}"),
            '?' => escaped.push_str("${?}"),
            '$' => escaped.push_str("${$}"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Replaces principals of the `AWS` type in `Principal` and `NotPrincipal` by what `replace` returns for them;
/// `None` leaves one as it is. No other byte of the text changes.
///
/// IAM stores the unique ids of users and roles in the place of their ARNs and shows ARNs again when a policy
/// is read (IAM User Guide, "AWS JSON policy elements: Principal").
///
/// # Errors
///
/// `Malformed` when the text is not a policy document.
pub fn rewrite_principals(
    text: &str,
    mut replace: impl FnMut(&str) -> Option<String>,
) -> Result<String, Malformed> {
    let malformed = |fault: Fault| fault.locate(text, SYNTAX_ERRORS.to_owned());
    let root = json::parse(text, json::CHARACTERS_MAX).map_err(|error| malformed(error.into()))?;
    Document::read(&root).map_err(malformed)?;

    let mut rewritten = String::with_capacity(text.len());
    let mut copied = 0;
    for node in aws_principals(&root) {
        let Some(new) = node.as_str().and_then(&mut replace) else { continue };
        let Range { start, end } = node.span;
        rewritten.push_str(text.get(copied..start).unwrap_or_default());
        rewritten.push_str(&json::quote(&new));
        copied = end;
    }
    rewritten.push_str(text.get(copied..).unwrap_or_default());
    Ok(rewritten)
}

/// The string nodes of AWS principals, in the order of the text.
fn aws_principals(root: &Node) -> Vec<&Node> {
    let mut found = Vec::new();
    for statement in root.get("Statement").into_iter().flat_map(one_or_many) {
        for member in statement.as_object().unwrap_or_default() {
            if matches!(member.name.as_str(), "Principal" | "NotPrincipal")
                && let Some(aws) = member.node.get("AWS")
            {
                found.extend(one_or_many(aws).iter().filter(|node| node.as_str().is_some()));
            }
        }
    }
    found
}

fn one_or_many(node: &Node) -> &[Node] {
    match &node.value {
        Value::Array(nodes) => nodes,
        _ => std::slice::from_ref(node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_counts_only_inside_strings() {
        assert_eq!(size_without_white_space(""), 0);
        assert_eq!(size_without_white_space(" \t\r\n{ \"a b\" : \"c\\\" d\" } "), 15);
        assert_eq!(size_without_white_space("\"\u{e9} \u{e9}\""), 5);
        assert_eq!(size_without_white_space(r#""\\" "x""#), 7);
    }

    #[test]
    fn only_aws_principals_change() {
        let text = r#"{ "Statement" : [ {"Effect":"Allow", "Principal": {"AWS" : ["arn:a", "\u0061rn:b"], "Service":"arn:a"},
          "Action":"sts:AssumeRole", "Sid" : "arn:a"}, {"Effect":"Deny","NotPrincipal":{"AWS":"arn:a"},"Action":"*"} ] }"#;
        let rewritten = rewrite_principals(text, |value| match value {
            "arn:a" => Some("AIDA\"1".into()),
            "arn:b" => Some("AROA2".into()),
            _ => None,
        })
        .unwrap();
        let expected = r#"{ "Statement" : [ {"Effect":"Allow", "Principal": {"AWS" : ["AIDA\"1", "AROA2"], "Service":"arn:a"},
          "Action":"sts:AssumeRole", "Sid" : "arn:a"}, {"Effect":"Deny","NotPrincipal":{"AWS":"AIDA\"1"},"Action":"*"} ] }"#;
        assert_eq!(rewritten, expected);
        assert_eq!(rewrite_principals(text, |_| None).unwrap(), text);
    }

    #[test]
    fn what_is_no_policy_is_not_rewritten() {
        assert!(rewrite_principals("{}", |_| None).is_err());
        assert!(rewrite_principals(r#"{"Statement":{"Effect":"Allow","Effect":"Deny"}}"#, |_| None).is_err());
    }

    #[test]
    fn a_bare_star_is_no_aws_principal() {
        let text = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*"}}"#;
        assert_eq!(rewrite_principals(text, |_| Some("x".into())).unwrap(), text);
    }
}

//! Warnings about policy variables: where they are plain text, and those that no request gives a value.
//!
//! Source: IAM User Guide, "IAM policy elements: Variables and tags".

use super::names::{self, KeyKind};
use super::{Look, Note, conditions};
use crate::code::Code;
use crate::condition::Base;
use crate::document::Text;
use crate::variable;

pub(super) fn look(look: &Look<'_>, notes: &mut Vec<Note>) {
    look.actions().iter().for_each(|item| check(look, item, false, notes));
    for item in look.resources() {
        let head = item
            .value
            .match_indices(':')
            .nth(4)
            .map_or(item.value.as_str(), |(colon, _)| item.value.get(..colon).unwrap_or_default());
        check(look, item, !head.contains("${"), notes);
    }
    for test in conditions::of(look.statement) {
        let works = matches!(test.operator.base, Base::Text { .. } | Base::Arn { .. });
        test.values.iter().for_each(|value| check(look, value, works, notes));
    }
}

/// One text of a policy, in a place where variables work or do not.
fn check(look: &Look<'_>, text: &Text, works: bool, notes: &mut Vec<Note>) {
    let Some(start) = text.value.find("${") else { return };
    let code = if !text.value.get(start..).is_some_and(|rest| rest.contains('}')) {
        Code::MissingBraceInVariable
    } else if !works {
        Code::VariableUnsupportedInElement
    } else if !look.variables {
        Code::VariableUnsupportedInVersion
    } else {
        let dead = variable::keys(&text.value).find_map(why_it_has_no_value);
        notes.extend(dead.map(|message| Note::new(Code::VariableWithoutValue, message, text.at)));
        return;
    };
    notes.push(Note::plain(code, text.at));
}

/// Why no request gives the variable of that key a value.
fn why_it_has_no_value(key: &str) -> Option<String> {
    let (family, tag) = key.split_once('/').unwrap_or((key, ""));
    // The names of tags may have blanks.
    let misspelt = if names::key_kind(family) == KeyKind::TagWithoutName {
        tag.contains([',', '\'', '"'])
    } else {
        key.contains([',', '\'', '"']) || key.contains(char::is_whitespace)
    };
    if key.is_empty() {
        return Some("`${}` names no key, so it never has a value.".to_owned());
    }
    if misspelt {
        return Some(format!(
            "`${{{key}}}` is not the spelling of a variable, which is `${{key}}` or `${{key, 'default'}}`, so it never has a value."
        ));
    }
    match names::key_kind(key) {
        KeyKind::TagWithoutName => Some(format!("`${{{key}}}` names no tag, so it never has a value.")),
        KeyKind::Multivalued => {
            Some(format!("`{key}` has many values, so that as a variable it never has one, nor its default."))
        }
        KeyKind::NoSuchGlobal | KeyKind::NoSuchOfService | KeyKind::NoSuchClaim => Some(unknown(key)),
        KeyKind::Unknown if !key.contains(':') => Some(unknown(key)),
        KeyKind::Single | KeyKind::Unknown => None,
    }
}

fn unknown(key: &str) -> String {
    let mut message = format!("There is no condition key `{key}`, so the variable never has its value.");
    if let Some(meant) = names::meant_key(key) {
        message.push_str(&format!(" Did you mean `{meant}`?"));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_no_request_gives_a_value_are_known() {
        for key in [
            "",
            "aws:usernam",
            "username",
            "saml:audience",
            "sts:RoleSessionNam",
            "www.amazon.com:userid",
            "aws:TagKeys",
            "aws:PrincipalTag",
            "aws:PrincipalTag/",
            "aws:username,'x'",
            "aws:PrincipalTag/team,'x'",
            " aws:username ",
            "aws:username , \"x\"",
        ] {
            assert!(why_it_has_no_value(key).is_some(), "{key}");
        }
        for key in [
            "aws:username",
            "AWS:UserName",
            "aws:PrincipalTag/cost centre",
            "aws:ResourceTag/a/b:c",
            "s3:prefix",
            "oidc.example.com/id/X:sub",
            "sts:ExternalId",
        ] {
            assert_eq!(why_it_has_no_value(key), None, "{key}");
        }
        let message = why_it_has_no_value("aws:usernam").unwrap();
        assert!(message.ends_with("Did you mean `aws:username`?"), "{message}");
    }
}

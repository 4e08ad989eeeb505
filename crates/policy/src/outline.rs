//! What a document says about itself, statement by statement: where each stands, and which condition keys it asks for.
//!
//! For simulators, which are given texts and answer with places in them (IAM API Reference, `SimulateCustomPolicy` and
//! `GetContextKeysForCustomPolicy`).

use std::collections::BTreeSet;

use crate::condition::{Base, Operator};
use crate::context::fold;
use crate::document::{
    Document, Listed, Malformed, PrincipalForm, SYNTAX_ERRORS, StatementText, Text, line_and_column,
};
use crate::variable;

/// One statement of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementOutline {
    /// Line and column of its first character, from 1; columns count characters.
    pub start: (u32, u32),
    /// Line and column behind its last character.
    pub end: (u32, u32),
    /// Whether it has a `Principal` or `NotPrincipal`, as the policy of a resource must and no other may.
    pub has_principal: bool,
    /// What `Principal` or `NotPrincipal` lists; `*` for the bare `"*"`.
    pub principals: Vec<String>,
    /// What `Action` or `NotAction` lists.
    pub actions: Vec<String>,
    /// What `Resource` or `NotResource` lists.
    pub resources: Vec<String>,
    /// The keys of its `Condition` with their values, whatever the operator.
    pub conditions: Vec<(String, Vec<String>)>,
    /// Keys of its variables in `Resource` and `NotResource`, as written.
    pub resource_keys: Vec<String>,
    /// Keys of its `Condition`, and of the variables in there, as written.
    pub condition_keys: Vec<String>,
}

/// The statements of a document, in its order.
///
/// # Errors
///
/// `Malformed` when the document breaks the grammar.
pub fn outline(text: &str) -> Result<Vec<StatementOutline>, Malformed> {
    let document = Document::parse(text).map_err(|fault| fault.locate(text, SYNTAX_ERRORS.to_owned()))?;
    let variables = document.has_variables();
    let one = |statement: &StatementText| StatementOutline {
        start: line_and_column(text, statement.at),
        end: line_and_column(text, statement.end),
        has_principal: statement.principal.is_some(),
        principals: principals(statement),
        actions: listed(statement.action.as_ref()),
        resources: listed(statement.resource.as_ref()),
        conditions: conditions(statement),
        resource_keys: resource_keys(statement, variables),
        condition_keys: condition_keys(statement, variables),
    };
    Ok(document.statements.iter().map(one).collect())
}

/// Every condition key that a document asks for, once, in its order.
///
/// ```
/// use daypass_policy::context_keys;
/// let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*",
///   "Resource": "arn:aws:s3:::corp/${aws:username}/*", "Condition": {"Bool": {"aws:SecureTransport": true}}}}"#;
/// assert_eq!(context_keys(text)?, ["aws:username", "aws:SecureTransport"]);
/// # Ok::<(), daypass_policy::Malformed>(())
/// ```
///
/// # Errors
///
/// `Malformed` when the document breaks the grammar.
pub fn context_keys(text: &str) -> Result<Vec<String>, Malformed> {
    let mut seen = BTreeSet::new();
    let keys =
        outline(text)?.into_iter().flat_map(|one| one.resource_keys.into_iter().chain(one.condition_keys));
    Ok(keys.filter(|key| seen.insert(fold(key))).collect())
}

fn listed(element: Option<&Listed>) -> Vec<String> {
    element.into_iter().flat_map(|element| &element.items).map(|item| item.value.clone()).collect()
}

fn principals(statement: &StatementText) -> Vec<String> {
    match statement.principal.as_ref().map(|principal| &principal.form) {
        Some(PrincipalForm::Star) => vec!["*".to_owned()],
        Some(PrincipalForm::Map(kinds)) => {
            kinds.iter().flat_map(|(_, values)| values).map(|value| value.value.clone()).collect()
        }
        Some(PrincipalForm::Wrong(..)) | None => Vec::new(),
    }
}

fn conditions(statement: &StatementText) -> Vec<(String, Vec<String>)> {
    let keys = statement.conditions.iter().flat_map(|operator| &operator.keys);
    let texts = |values: &[Text]| values.iter().map(|value| value.value.clone()).collect();
    keys.map(|(key, values)| (key.value.clone(), texts(values))).collect()
}

fn resource_keys(statement: &StatementText, variables: bool) -> Vec<String> {
    let items = statement.resource.iter().flat_map(|resource| &resource.items);
    items.flat_map(|item| keys_in(behind_the_account(&item.value), variables)).collect()
}

/// Variables count only in the sixth field of an ARN.
fn behind_the_account(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or_default()
}

fn condition_keys(statement: &StatementText, variables: bool) -> Vec<String> {
    let mut keys = Vec::new();
    for operator in &statement.conditions {
        let base = Operator::parse(&operator.name.value).map(|operator| operator.base);
        let substitutes = matches!(base, Some(Base::Text { .. } | Base::Arn { .. }));
        for (key, values) in &operator.keys {
            keys.push(key.value.clone());
            let texts = values.iter().filter(|_| substitutes);
            keys.extend(texts.flat_map(|value| keys_in(&value.value, variables)));
        }
    }
    keys
}

fn keys_in(text: &str, variables: bool) -> impl Iterator<Item = String> {
    variable::keys(if variables { text } else { "" }).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_with_places_and_keys() {
        let text = concat!(
            "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\"},\n",
            "  {\"Effect\": \"Deny\", \"Action\": \"s3:*\", \"Resource\": \"arn:aws:s3:${aws:a}::b/${aws:b, 'x'}/${*}\",\n",
            "   \"Condition\": {\"StringLike\": {\"s3:prefix\": \"${aws:c}/*\"}, \"Bool\": {\"AWS:B\": \"${aws:d}\"}}}]}",
        );
        let statements = outline(text).unwrap();
        assert_eq!((statements[0].start, statements[0].end), ((1, 41), (1, 95)));
        assert_eq!((statements[1].start, statements[1].end), ((2, 3), (3, 92)));
        assert_eq!(statements[1].resource_keys.join(" "), "aws:b");
        assert_eq!(statements[1].condition_keys.join(" "), "s3:prefix aws:c AWS:B");
        assert_eq!(context_keys(text).unwrap().join(" "), "aws:b s3:prefix aws:c");
        assert_eq!(
            (statements[1].actions.join(" ").as_str(), statements[0].resources.join(" ").as_str()),
            ("s3:*", "*")
        );
        assert_eq!(statements[1].conditions[0], ("s3:prefix".to_owned(), vec!["${aws:c}/*".to_owned()]));
    }

    #[test]
    fn an_older_version_has_no_variables() {
        let text = r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"}}"#;
        assert_eq!(context_keys(text).unwrap(), [""; 0]);
        assert!(context_keys("{}").is_err());
    }
}

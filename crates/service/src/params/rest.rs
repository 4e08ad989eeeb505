//! From the path, the query and the body of a REST request to a tree: three places, and each name in one of them.
//!
//! What stands in path and query is text; the shape says what it is. What it cannot be is left as it is, and refused with
//! everything else that does not fit its shape.

use super::{ParamsError, Value, echo_name, json};
use crate::shapes::{Kind, Operation, Shape};

pub(super) fn root(
    operation: &'static Operation,
    labels: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
    body: &[u8],
) -> Result<Vec<(String, Value)>, ParamsError> {
    let mut root = if body.is_empty() { Vec::new() } else { json::root(body)? };
    let shape = |name: &str| {
        operation.input.members.iter().find(|member| member.name == name).map(|member| member.shape)
    };
    let mut outside: Vec<(String, Value)> = Vec::with_capacity(labels.len() + query.len());
    for (name, text) in labels {
        outside.push((name.to_owned(), of_text(shape(name), text)));
    }
    let in_query = operation.http.as_ref().map_or(&[][..], |http| http.query);
    for (name, text) in query {
        if !in_query.contains(&name.as_str()) {
            return Err(ParamsError::NotInQuery(echo_name(&name).to_owned()));
        }
        let shape = shape(&name);
        // A list is there as often as it has elements.
        if let (Some(Kind::List(of, _)), Some((_, Value::List(items)))) =
            (shape.map(|shape| &shape.kind), outside.iter_mut().find(|(known, _)| *known == name))
        {
            items.push(Some(of_text(Some(of), text)));
            continue;
        }
        outside.push((name, of_text(shape, text)));
    }
    root.extend(outside);
    root.sort_by(|(a, _), (b, _)| a.cmp(b));
    match root.windows(2).find(|two| matches!(two, [(a, _), (b, _)] if a == b)) {
        Some([(twice, _), ..]) => Err(ParamsError::Duplicate(echo_name(twice).to_owned())),
        _ => Ok(root),
    }
}

fn of_text(shape: Option<&'static Shape>, text: String) -> Value {
    match shape.map(|shape| &shape.kind) {
        Some(Kind::Integer(_) | Kind::Long(_)) => match text.parse() {
            Ok(number) => Value::Number(number),
            Err(_) => Value::Text(text),
        },
        Some(Kind::Boolean) if text == "true" => Value::Bool(true),
        Some(Kind::Boolean) if text == "false" => Value::Bool(false),
        Some(Kind::List(of, _)) => Value::List(vec![Some(of_text(Some(of), text))]),
        _ => Value::Text(text),
    }
}

#[cfg(test)]
mod tests {
    //! The mapping of CreateSession, which takes three parameters in the query or the body, and of a list in the query.

    use super::super::Params;
    use super::*;
    use crate::shapes::operation;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn create_session(query: &[(&str, &str)], body: &str) -> Result<Params, ParamsError> {
        let of = operation("rolesanywhere", "CreateSession").unwrap();
        Params::from_rest(of, Vec::new(), pairs(query), body.as_bytes())
    }

    #[test]
    fn a_parameter_stands_in_the_query_or_in_the_body_and_not_in_both() {
        let in_query = create_session(&[("roleArn", "r")], r#"{"durationSeconds":900}"#).unwrap();
        let in_body = create_session(&[], r#"{"durationSeconds":900,"roleArn":"r"}"#).unwrap();
        assert_eq!(in_query, in_body);
        let twice = create_session(&[("roleArn", "r")], r#"{"roleArn":"r"}"#);
        assert_eq!(twice, Err(ParamsError::Duplicate("roleArn".into())));
        let twice = create_session(&[("roleArn", "r"), ("roleArn", "s")], "");
        assert_eq!(twice, Err(ParamsError::Duplicate("roleArn".into())));
    }

    #[test]
    fn what_belongs_into_the_body_is_no_parameter_of_the_query() {
        for name in ["durationSeconds", "instanceProperties", "unheard", "RoleArn", ""] {
            let wanted = Err(ParamsError::NotInQuery(name.into()));
            assert_eq!(create_session(&[(name, "900")], ""), wanted, "{name}");
        }
    }

    #[test]
    fn text_outside_of_the_body_is_what_its_shape_says() {
        let list = operation("rolesanywhere", "ListProfiles").unwrap();
        let given = |size: &str| Params::from_rest(list, Vec::new(), pairs(&[("pageSize", size)]), b"");
        assert_eq!(given("7").unwrap(), Params::from_json(br#"{"pageSize":7}"#).unwrap());
        assert_eq!(given("x").unwrap(), Params::from_json(br#"{"pageSize":"x"}"#).unwrap());
        let delete = operation("rolesanywhere", "DeleteAttributeMapping").unwrap();
        let query = pairs(&[("specifiers", "CN"), ("certificateField", "x509Subject"), ("specifiers", "O")]);
        let found = Params::from_rest(delete, vec![("profileId", "p".into())], query, b"").unwrap();
        let body = br#"{"certificateField":"x509Subject","profileId":"p","specifiers":["CN","O"]}"#;
        assert_eq!(found, Params::from_json(body).unwrap());
    }
}

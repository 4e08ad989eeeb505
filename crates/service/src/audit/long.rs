//! What a line has no room for.

use serde_json::{Value, json};

/// Leave out the members that are long: whose they are and what they are called is told all the same.
pub(super) fn omit_long(members: &mut Value, bytes_max: usize) {
    for member in members.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
        let size = member.to_string().len();
        if size > bytes_max {
            let omitted = || json!({"omitted": true, "reason": "too large", "originalSize": size});
            *member = without_white_space(member, bytes_max).unwrap_or_else(omitted);
        }
    }
}

/// A document that is long because of what it is padded with, without that.
fn without_white_space(member: &Value, bytes_max: usize) -> Option<Value> {
    let document: Value = serde_json::from_str(member.as_str()?).ok()?;
    Some(Value::from(document.to_string())).filter(|document| document.to_string().len() <= bytes_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_long_members_a_padded_document_is_kept_without_its_padding() {
        let padded = format!("{{\"a\":{}1}}", "\n".repeat(500));
        let mut members = json!({"userName": "Ann", "policyDocument": padded, "other": "x".repeat(500)});
        omit_long(&mut members, 100);
        let omitted = json!({"omitted": true, "reason": "too large", "originalSize": 502});
        assert_eq!(members, json!({"userName": "Ann", "policyDocument": r#"{"a":1}"#, "other": omitted}));
    }
}

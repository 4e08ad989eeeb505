//! What the event of a visit at a door for people tells beyond that of a call.
//!
//! Source: "AWS Management Console sign-in events" in the CloudTrail User Guide.

use daypass_directory::Principal;
use serde_json::{Map, Value, json};

/// See the module.
pub(super) struct VisitEvent {
    name: &'static str,
    data: Map<String, Value>,
}

impl VisitEvent {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, data: Map::new() }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn named(&mut self, name: &'static str) {
        self.name = name;
    }

    pub(super) fn tells(&mut self, name: &'static str, value: Value) {
        self.data.insert(name.to_owned(), value);
    }

    /// `responseElements`
    pub(super) fn outcome(&self, done: bool) -> Value {
        json!({ self.name: if done { "Success" } else { "Failure" } })
    }

    /// `additionalEventData`
    pub(super) fn told(&self, principal: Option<&Principal>) -> Value {
        let mfa = if principal.is_some_and(Principal::has_mfa) { "Yes" } else { "No" };
        let mut data = self.data.clone();
        data.insert("MobileVersion".into(), "No".into());
        // In the identity of a SAML user stands something else under this name: a hash (IAM User Guide, `saml:namequalifier`).
        if let Some(vouched) = principal.and_then(Principal::vouched) {
            data.insert("identityProvider".into(), vouched.provider.as_str().into());
        }
        data.entry("MFAUsed").or_insert_with(|| mfa.into());
        Value::Object(data)
    }
}

/// Two objects as one.
pub(super) fn merged(told: Option<Value>, more: Option<Value>) -> Option<Value> {
    match (told, more) {
        (Some(Value::Object(mut told)), Some(Value::Object(more))) => {
            told.extend(more);
            Some(Value::Object(told))
        }
        (told, more) => more.or(told),
    }
}

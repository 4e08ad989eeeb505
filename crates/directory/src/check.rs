//! What a call must be allowed: questions of principal, action and resource, each literally what the call is about to do.
//!
//! Who asks them is [`authorize`](crate::authorize())'s business, and how policies answer that of `daypass_policy`.

use std::sync::Arc;

use daypass_model::{AccountId, Tag, TagSet};
use daypass_policy::Named;

use crate::context::Value;
use crate::entity::{ResourcePolicy, Role};

/// One question: may the caller do `action` on `resource`?
#[derive(Debug, Clone)]
pub struct Check {
    /// `iam:CreateUser`
    pub action: String,
    /// ARN, or `*` for actions that take no resource.
    pub resource: String,
    /// How a denial names the resource, where that is not the ARN (`user Bob`).
    pub shown: Option<String>,
    /// The account that owns the resource.
    pub owner: AccountId,
    /// Condition keys beside the global ones.
    pub keys: Vec<(String, Value)>,
    /// The policy of the resource itself.
    pub grantor: Grantor,
}

/// Who beside the caller's own policies may give it the permission.
#[derive(Debug, Clone, Default)]
pub enum Grantor {
    /// Nobody: only identity policies speak.
    #[default]
    Nobody,
    /// The trust policy of the role.
    Role(Arc<Role>),
    /// The policy of a resource of some service behind daypass.
    Resource(Arc<ResourcePolicy>),
    /// The account's password policy, which lets its users see it and change their own passwords. It counts among the caller's
    /// own policies: what bounds these, and what denies, is in force.
    PasswordPolicy,
}

impl Check {
    /// A check on a resource of `owner`'s account; of the caller's own: [`Scope::check`].
    #[must_use]
    pub fn new(action: impl Into<String>, resource: impl Into<String>, owner: AccountId) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            shown: None,
            owner,
            keys: Vec::new(),
            grantor: Grantor::Nobody,
        }
    }

    /// How a denial names the resource.
    #[must_use]
    pub fn shown(mut self, text: impl Into<String>) -> Self {
        self.shown = Some(text.into());
        self
    }

    /// Add a condition key.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.keys.push((key.into(), value.into()));
        self
    }

    /// Add a condition key when there is a value for it; absent and empty differ.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Add the tags that the call passes, `aws:RequestTag/…` and `aws:TagKeys`. Of two with the same key the last
    /// value is the one tested; the call then fails on the duplicate.
    #[must_use]
    pub fn with_request_tags(mut self, tags: &[Tag]) -> Self {
        if tags.is_empty() {
            return self;
        }
        for tag in &tags.iter().cloned().collect::<TagSet>() {
            self = self.with(format!("aws:RequestTag/{}", tag.key), tag.value.as_str());
        }
        self.with("aws:TagKeys", tags.iter().map(|tag| tag.key.clone()).collect::<Vec<_>>())
    }

    /// Of a role that is asked for: its trust policy speaks, and `tags` are the role's as far as conditions can see.
    #[must_use]
    pub fn of_role(mut self, role: &Arc<Role>, tags: &TagSet) -> Self {
        self.grantor = Grantor::Role(role.clone());
        for tag in tags {
            for prefix in ["aws", "iam"] {
                self = self.with(format!("{prefix}:ResourceTag/{}", tag.key), tag.value.as_str());
            }
        }
        self
    }

    /// The same question as far as the caller's account may know of it when the resource is another's: without the
    /// policy of the resource, and without what is said of the resource itself. It is the same question for a resource
    /// that is not there.
    #[must_use]
    pub fn callers_side(&self) -> Self {
        let keys = self.keys.iter().filter(|(key, _)| !is_about_resource(key)).cloned().collect();
        Self { keys, grantor: Grantor::Nobody, ..self.clone() }
    }
}

/// Tags that somebody put on the resource: `aws:ResourceTag/…`, those of a service, `s3:ExistingObjectTag/…`.
fn is_about_resource(key: &str) -> bool {
    let name = key.split('/').next().unwrap_or(key).to_lowercase();
    name.ends_with(":resourcetag") || name.ends_with(":existingobjecttag")
}

/// What a call must be allowed: never empty by accident.
#[derive(Debug, Clone)]
pub struct Checks(pub(crate) Asked);

#[derive(Debug, Clone)]
pub(crate) enum Asked {
    All(Vec<Check>),
    NothingCanDeny,
    NobodyMay {
        action: String,
        resource: String,
    },
    /// Of something that is not there.
    Missing(Box<Check>),
}

impl Checks {
    /// One check.
    #[must_use]
    pub fn one(check: Check) -> Self {
        Self(Asked::All(vec![check]))
    }

    /// A second permission that the call needs as well. What nobody may stays so.
    #[must_use]
    pub fn and(mut self, check: Check) -> Self {
        match &mut self.0 {
            Asked::All(checks) => checks.push(check),
            Asked::NothingCanDeny => self.0 = Asked::All(vec![check]),
            Asked::NobodyMay { .. } | Asked::Missing(_) => {}
        }
        self
    }

    /// A second permission that the call needs in some cases, on the same resource and in the same context as the
    /// first.
    #[must_use]
    pub fn also_if(self, needed: bool, action: &str) -> Self {
        match self.as_slice().first().filter(|_| needed) {
            Some(first) => {
                let second = Check { action: action.to_owned(), ..first.clone() };
                self.and(second)
            }
            None => self,
        }
    }

    /// For calls that AWS lets nobody be denied: GetCallerIdentity and GetSessionToken.
    #[must_use]
    pub fn nothing_can_deny() -> Self {
        Self(Asked::NothingCanDeny)
    }

    /// Refused whoever asks, with the sentence of a plain denial.
    #[must_use]
    pub fn nobody_may(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self(Asked::NobodyMay { action: action.into(), resource: resource.into() })
    }

    /// The check on a role that is not there, by whoever asks: refused, and explained to the caller, like one on
    /// another account's role that does not trust it.
    #[must_use]
    pub fn missing(check: Check) -> Self {
        Self(Asked::Missing(Box::new(check)))
    }

    /// The checks, for the tests that compare them with AWS's published ones.
    #[must_use]
    pub fn as_slice(&self) -> &[Check] {
        match &self.0 {
            Asked::All(checks) => checks,
            Asked::Missing(check) => std::slice::from_ref(check),
            Asked::NothingCanDeny | Asked::NobodyMay { .. } => &[],
        }
    }
}

impl Grantor {
    pub(crate) fn named(&self) -> Option<Named<'_>> {
        match self {
            Self::Nobody | Self::PasswordPolicy => None,
            Self::Role(role) => Some(Named { id: &role.arn, policy: &role.trust }),
            Self::Resource(resource) => Some(Named { id: &resource.record.arn, policy: &resource.policy }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(action: &str) -> Check {
        Check::new(action, "*", "111122223333".parse().unwrap())
    }

    #[test]
    fn a_further_permission_is_asked_for_whatever_came_before() {
        let asked = |checks: &Checks| -> Vec<String> {
            checks.as_slice().iter().map(|check| check.action.clone()).collect()
        };
        assert_eq!(asked(&Checks::one(check("a:One")).and(check("a:Two"))), ["a:One", "a:Two"]);
        assert_eq!(asked(&Checks::nothing_can_deny().and(check("a:Two"))), ["a:Two"]);
        assert_eq!(asked(&Checks::one(check("a:One")).also_if(true, "a:Two")), ["a:One", "a:Two"]);
        assert_eq!(asked(&Checks::one(check("a:One")).also_if(false, "a:Two")), ["a:One"]);
        let nobody = Checks::nobody_may("a:One", "*").and(check("a:Two"));
        assert!(matches!(nobody.0, Asked::NobodyMay { .. }));
        assert_eq!(asked(&Checks::missing(check("a:One")).and(check("a:Two"))), ["a:One"]);
    }

    #[test]
    fn the_callers_side_of_a_question_has_nothing_of_the_resource_itself() {
        let keys = [
            "aws:ResourceTag/a",
            "iam:resourcetag/a",
            "s3:ExistingObjectTag/a",
            "aws:RequestTag/a",
            "aws:TagKeys",
            "s3:prefix",
        ];
        let asked = keys.iter().fold(check("s3:GetObject"), |check, key| check.with(*key, "x"));
        let known: Vec<_> = asked.callers_side().keys.into_iter().map(|(key, _)| key).collect();
        assert_eq!(known, keys[3..]);
    }
}

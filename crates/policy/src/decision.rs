//! The answer to a request, and AWS's sentence for a refusal.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use crate::document::Effect;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecisionEffect {
    /// Some policy allows it and nothing stands against it.
    Allowed,
    /// A Deny statement matched.
    ExplicitlyDenied,
    /// No Deny matched, but an allow that was needed is missing.
    ImplicitlyDenied,
}

impl DecisionEffect {
    /// The name, as evaluation cases spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DecisionEffect::Allowed => "Allowed",
            DecisionEffect::ExplicitlyDenied => "ExplicitlyDenied",
            DecisionEffect::ImplicitlyDenied => "ImplicitlyDenied",
        }
    }
}

/// The kinds of policies that take part in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyType {
    /// No policy was asked: the root user in its own account, or an action that needs no permission.
    NotNeeded,
    /// Resource control policies of the resource owner's organization.
    Rcp,
    /// Service control policies of the caller's organization.
    Scp,
    /// The policy of the resource.
    Resource,
    /// The trust policy of the role.
    RoleTrust,
    /// Policies of the caller: user, groups, role.
    Identity,
    /// The caller's permissions boundary.
    Boundary,
    /// The session policies of the caller's session.
    Session,
}

impl PolicyType {
    /// The name in lower-case words: `role trust policy`, `permissions boundary`…
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyType::NotNeeded => "no policy",
            PolicyType::Rcp => "resource control policy",
            PolicyType::Scp => "service control policy",
            PolicyType::Resource => "resource-based policy",
            PolicyType::RoleTrust => "role trust policy",
            PolicyType::Identity => "identity-based policy",
            PolicyType::Boundary => "permissions boundary",
            PolicyType::Session => "session policy",
        }
    }
}

/// A statement that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Determining<'a> {
    /// The kind of policy it stands in.
    pub policy_type: PolicyType,
    /// The name or ARN the policy was given with.
    pub policy: Cow<'a, str>,
    /// Its `Sid`, if it has one.
    pub sid: Option<Cow<'a, str>>,
    /// Its place in the document, from 0.
    pub index: usize,
    /// Whether it allows or denies.
    pub effect: Effect,
}

/// The statements that decided: a slice of them. An allow has two at most, which take no allocation.
#[derive(Clone, Default)]
pub struct Statements<'a>(Listed<'a>);

#[derive(Clone, Default)]
enum Listed<'a> {
    #[default]
    None,
    One([Determining<'a>; 1]),
    Two([Determining<'a>; 2]),
    Many(Vec<Determining<'a>>),
}

/// The answer to one request. It borrows from the policies; [`Decision::into_owned`] cuts it loose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'a> {
    /// What was decided.
    pub effect: DecisionEffect,
    /// The kind of policy that denied, or was silent where it had to allow, or granted.
    pub decided_by: PolicyType,
    /// For an allow, the statements that grant; for an explicit deny, every statement that denies; empty for
    /// an implicit deny.
    pub statements: Statements<'a>,
    /// Whether caller and resource belong to different accounts.
    pub cross_account: bool,
}

impl Decision<'_> {
    /// The same, to be kept longer than the policies.
    #[must_use]
    pub fn into_owned(self) -> Decision<'static> {
        let statements = self.statements.iter().cloned().map(Determining::into_owned).collect();
        let Self { effect, decided_by, cross_account, .. } = self;
        Decision { effect, decided_by, statements, cross_account }
    }

    /// Whether the request may go on.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.effect == DecisionEffect::Allowed
    }

    /// The tail of AWS's refusal sentence, `because no identity-based policy allows the iam:GetRole action` or
    /// `with an explicit deny in a session policy` (IAM User Guide, "Troubleshoot access denied error
    /// messages"). Empty when the request is allowed, and across accounts, where a reason would tell one
    /// account about the policies of another.
    #[must_use]
    pub fn denial_reason(&self, action: &str) -> String {
        if self.is_allowed() || self.cross_account {
            return String::new();
        }
        let kind = self.decided_by.as_str();
        if self.effect == DecisionEffect::ImplicitlyDenied {
            return format!("because no {kind} allows the {action} action");
        }
        let article = match self.decided_by {
            PolicyType::RoleTrust => "the",
            PolicyType::Identity => "an",
            _ => "a",
        };
        format!("with an explicit deny in {article} {kind}")
    }
}

impl Determining<'_> {
    fn into_owned(self) -> Determining<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let Self { policy_type, index, effect, .. } = self;
        Determining { policy_type, policy: own(self.policy), sid: self.sid.map(own), index, effect }
    }
}

impl<'a> Deref for Statements<'a> {
    type Target = [Determining<'a>];

    fn deref(&self) -> &[Determining<'a>] {
        match &self.0 {
            Listed::None => &[],
            Listed::One(one) => one,
            Listed::Two(two) => two,
            Listed::Many(many) => many,
        }
    }
}

impl<'a> FromIterator<Determining<'a>> for Statements<'a> {
    fn from_iter<I: IntoIterator<Item = Determining<'a>>>(statements: I) -> Self {
        let mut rest = statements.into_iter().fuse();
        Self(match (rest.next(), rest.next(), rest.next()) {
            (Some(a), Some(b), Some(c)) => Listed::Many([a, b, c].into_iter().chain(rest).collect()),
            (Some(a), Some(b), None) => Listed::Two([a, b]),
            (Some(a), None, _) => Listed::One([a]),
            (None, ..) => Listed::None,
        })
    }
}

impl PartialEq for Statements<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Statements<'_> {}

impl fmt::Debug for Statements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_listed_in_their_order_however_many() {
        for count in 0..5 {
            let one = |index| Determining {
                policy_type: PolicyType::Identity,
                policy: "p".into(),
                sid: None,
                index,
                effect: Effect::Deny,
            };
            let statements: Statements<'_> = (0..count).map(one).collect();
            let places: Vec<usize> = statements.iter().map(|statement| statement.index).collect();
            assert_eq!(places, (0..count).collect::<Vec<_>>());
        }
    }

    fn reason(effect: DecisionEffect, decided_by: PolicyType, cross_account: bool) -> String {
        Decision { effect, decided_by, statements: Statements::default(), cross_account }
            .denial_reason("iam:GetRole")
    }

    #[test]
    fn implicit_denials_name_the_kind_that_was_silent() {
        for (kind, expected) in [
            (PolicyType::Identity, "because no identity-based policy allows the iam:GetRole action"),
            (PolicyType::Resource, "because no resource-based policy allows the iam:GetRole action"),
            (PolicyType::RoleTrust, "because no role trust policy allows the iam:GetRole action"),
            (PolicyType::Session, "because no session policy allows the iam:GetRole action"),
            (PolicyType::Boundary, "because no permissions boundary allows the iam:GetRole action"),
            (PolicyType::Scp, "because no service control policy allows the iam:GetRole action"),
        ] {
            assert_eq!(reason(DecisionEffect::ImplicitlyDenied, kind, false), expected);
        }
    }

    #[test]
    fn explicit_denials_name_the_kind_that_denied() {
        for (kind, expected) in [
            (PolicyType::Identity, "with an explicit deny in an identity-based policy"),
            (PolicyType::Resource, "with an explicit deny in a resource-based policy"),
            (PolicyType::RoleTrust, "with an explicit deny in the role trust policy"),
            (PolicyType::Session, "with an explicit deny in a session policy"),
            (PolicyType::Boundary, "with an explicit deny in a permissions boundary"),
            (PolicyType::Scp, "with an explicit deny in a service control policy"),
            (PolicyType::Rcp, "with an explicit deny in a resource control policy"),
        ] {
            assert_eq!(reason(DecisionEffect::ExplicitlyDenied, kind, false), expected);
        }
    }

    #[test]
    fn there_is_no_reason_across_accounts() {
        assert_eq!(reason(DecisionEffect::ExplicitlyDenied, PolicyType::Identity, true), "");
        assert_eq!(reason(DecisionEffect::Allowed, PolicyType::Identity, false), "");
    }
}

//! The answer to a request, and AWS's sentence for a refusal.

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
pub struct Determining {
    /// The kind of policy it stands in.
    pub policy_type: PolicyType,
    /// The name or ARN the policy was given with.
    pub policy: String,
    /// Its `Sid`, if it has one.
    pub sid: Option<String>,
    /// Its place in the document, from 0.
    pub index: usize,
    /// Whether it allows or denies.
    pub effect: Effect,
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub effect: DecisionEffect,
    /// The kind of policy that denied, or was silent where it had to allow, or granted.
    pub decided_by: PolicyType,
    /// For an allow, the statements that grant; for an explicit deny, every statement that denies; empty for
    /// an implicit deny.
    pub statements: Vec<Determining>,
    /// Whether caller and resource belong to different accounts.
    pub cross_account: bool,
}

impl Decision {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(effect: DecisionEffect, decided_by: PolicyType, cross_account: bool) -> String {
        Decision { effect, decided_by, statements: Vec::new(), cross_account }.denial_reason("iam:GetRole")
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

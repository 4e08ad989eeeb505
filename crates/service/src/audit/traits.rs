//! What an action's audit record says beyond the form that all records have.

/// An action names what differs: `AuditTraits { role: Some("RoleArn"), ..AuditTraits::PLAIN }`.
#[derive(Debug, Clone, Copy)]
pub struct AuditTraits {
    /// `readOnly`, where CloudTrail means another thing by it than whether something is changed or issued.
    pub read_only: Option<bool>,
    /// The parameter with the ARN of the role that the call is about. The record names the role as its resource,
    /// and where that is another account's, the other account hears of the call.
    pub role: Option<&'static str>,
    /// The parameter with the name of the service that gets the role by this call: the role's account hears that the service
    /// took it by AssumeRole, as CloudTrail tells it.
    pub service: Option<&'static str>,
    /// Whether tags of the caller's session go over to what the call issues: `incomingTransitiveTags`.
    pub inherits_tags: bool,
    /// Parameters that no record repeats: JSON pointers into `requestParameters`. The last name ignores case.
    pub hidden: &'static [&'static str],
    /// What a record keeps of the answer to a call that only reads: names in `additionalEventData`, and JSON
    /// pointers into the answer.
    pub told: &'static [(&'static str, &'static str)],
    /// Member of the answer with a signed token, whose `jti` and `kid` a record names: what others see of it.
    pub token: Option<&'static str>,
}

impl AuditTraits {
    /// Nothing beyond.
    pub const PLAIN: Self = Self {
        read_only: None,
        role: None,
        service: None,
        inherits_tags: false,
        hidden: &[],
        told: &[],
        token: None,
    };
}

//! The order over the policy kinds, written once (IAM User Guide, "Policy evaluation logic").
//!
//! First every statement of every policy that can speak of the action is asked, then the answers are
//! combined: a Deny anywhere ends it; then the organization must allow; then resource policy and caller's
//! policies together decide, by whose account it is, what kind of caller asks and how strongly the resource
//! policy names it. What a single statement says is the policy module's business.

use std::borrow::Cow;

use crate::action::{Action, TAKING_A_ROLE, WITH_A_ROLE, lower};
use crate::arn::Arn;
use crate::decision::{Decision, DecisionEffect, Determining, PolicyType, Statements};
use crate::document::Effect;
use crate::explain::{Recorder, Silent};
use crate::policy::{Call, Place, Policy, Statement};
use crate::principal::Strength;
use crate::rcp;
use crate::request::{Issuer, Principal, Request};
use crate::work::Work;

/// A policy with the name or ARN it goes by; the name comes back in the decision.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The name or ARN.
    pub id: &'a str,
    /// The policy.
    pub policy: &'a Policy,
}

/// The policies attached at one level of an organization: a root, an organizational unit or an account.
#[derive(Debug, Clone, Copy)]
pub struct Level<'a> {
    /// The name of the level, for explanations.
    pub name: &'a str,
    /// The policies; those of one level unite.
    pub policies: &'a [Named<'a>],
}

/// Every policy that takes part in one request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// The caller's own: of the user and its groups, of the role, or of the user that issued a federated
    /// user's credentials.
    pub identity: &'a [Named<'a>],
    /// The permissions boundary of the caller. `None`: it has none.
    pub boundary: Option<&'a [Named<'a>]>,
    /// The session policies. The policies of one layer unite, layers intersect, and a layer without policies
    /// grants nothing. No layers: the session is not limited.
    pub session: &'a [&'a [Named<'a>]],
    /// What GetScopedCredentials added to the session, layer by layer. Like session policies, but no way around
    /// them: where a resource policy names a session, its session policies do not limit what that gives, and these do.
    pub scoped: &'a [&'a [Named<'a>]],
    /// The policy of the resource; for `sts:AssumeRole*`, `sts:TagSession`, `sts:SetSourceIdentity` and
    /// `sts:SetContext` on a role its trust policy.
    pub resource: Option<Named<'a>>,
    /// Service control policies from the root down to the caller's account. Empty: no organization, or its
    /// management account.
    pub scp: &'a [Level<'a>],
    /// Resource control policies from the root down to the account of the resource. `RCPFullAWSAccess` stands
    /// at every level without being listed. Empty for resources they do not bind: those of the management
    /// account, and KMS keys that AWS manages.
    pub rcp: &'a [Level<'a>],
}

/// Decides one request.
#[must_use]
pub fn evaluate<'a>(request: &Request<'_>, policies: &Policies<'a>) -> Decision<'a> {
    evaluate_with(request, policies, &mut Silent).0
}

/// The same with a recorder that hears about every statement, and the share of what a decision may cost that it cost.
pub(crate) fn evaluate_with<'a, R: Recorder>(
    request: &Request<'_>,
    policies: &Policies<'a>,
    recorder: &mut R,
) -> (Decision<'a>, f64) {
    let caller = &request.principal;
    let mut buffer = [0; 128];
    let action = lower(request.action, &mut buffer);
    let work = Work::new();
    let call = Call {
        action: Action::new(&action),
        resource: Arn::parse(request.resource),
        resource_bytes: request.resource.len(),
        principal: caller,
        context: request.context,
        bounded: policies.boundary.is_some() && !matches!(caller, Principal::Root { .. }),
        work: &work,
    };
    let scene = Scene { call, caller, cross_account: crosses_accounts(request) };
    if needs_no_permission(&call, policies) {
        return (scene.allowed(PolicyType::NotNeeded, []), 0.0);
    }
    let findings = scene.ask(policies, recorder);
    (scene.decide(&findings), work.share_spent())
}

/// Not even an explicit Deny stops anybody from asking who they are, or a user or root user from getting a
/// session of their own (AWS STS API Reference, "Permissions" of these two). Whoever holds a session with
/// policies of its own is asked for permission like for any other action.
fn needs_no_permission(call: &Call<'_>, policies: &Policies<'_>) -> bool {
    if call.action.is("sts", "GetCallerIdentity") {
        return true;
    }
    call.action.is("sts", "GetSessionToken")
        && policies.session.is_empty()
        && policies.scoped.is_empty()
        && matches!(call.principal, Principal::User { .. } | Principal::Root { .. })
}

fn crosses_accounts(request: &Request<'_>) -> bool {
    match (request.principal.account(), request.resource_account) {
        (Some(caller), Some(owner)) => caller != owner,
        _ => false,
    }
}

/// One request with what is known about it at once.
struct Scene<'a> {
    call: Call<'a>,
    caller: &'a Principal<'a>,
    cross_account: bool,
}

/// A statement that granted.
#[derive(Debug, Clone, Copy)]
struct Grant<'p> {
    policy_type: PolicyType,
    policy: &'p str,
    statement: &'p Statement,
    index: usize,
}

/// What all statements said.
#[derive(Debug, Default)]
struct Findings<'p> {
    denies: Vec<Grant<'p>>,
    /// Whether some level of the caller's organization allows nothing of this.
    scp_silent: bool,
    resource: ResourceGrants<'p>,
    identity: Option<Grant<'p>>,
    boundary: Layer,
    session: Layer,
    scoped: Layer,
}

/// A kind of policy that limits but does not grant.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Layer {
    #[default]
    Absent,
    Allows,
    Silent,
}

/// The first Allow of the resource policy for each strength in which it names the caller.
#[derive(Debug, Default)]
struct ResourceGrants<'p> {
    everyone: Option<Grant<'p>>,
    direct: Option<Grant<'p>>,
    /// The caller's role, or the user who issued its credentials.
    origin: Option<Grant<'p>>,
    account: Option<Grant<'p>>,
}

impl<'p> ResourceGrants<'p> {
    fn note(&mut self, strength: Strength, grant: Grant<'p>) {
        let slot = match strength {
            Strength::Everyone => &mut self.everyone,
            Strength::Direct => &mut self.direct,
            Strength::Role | Strength::Issuer => &mut self.origin,
            Strength::Account => &mut self.account,
        };
        slot.get_or_insert(grant);
    }

    fn any(&self) -> Option<Grant<'p>> {
        self.everyone.or(self.direct).or(self.origin).or(self.account)
    }
}

impl Scene<'_> {
    /// Asks every statement that can speak of the action. Denies may stand anywhere, so none is left out.
    fn ask<'p, R: Recorder>(&self, policies: &Policies<'p>, recorder: &mut R) -> Findings<'p> {
        let mut findings = Findings::default();
        if self.rcps_apply() {
            for level in policies.rcp {
                recorder.level(level.name);
                self.scan(PolicyType::Rcp, level.policies, recorder, &mut findings.denies);
            }
        }
        if self.caller.has_identity() && !self.caller.is_service_linked() {
            for level in policies.scp {
                recorder.level(level.name);
                let allow = self.scan(PolicyType::Scp, level.policies, recorder, &mut findings.denies);
                findings.scp_silent |= allow.is_none();
            }
        }
        recorder.level("");
        if let Some(resource) = &policies.resource {
            self.ask_resource(resource, recorder, &mut findings);
        }
        if self.caller.has_identity() {
            let denies = &mut findings.denies;
            if !matches!(self.caller, Principal::Root { .. }) {
                findings.identity = self.scan(PolicyType::Identity, policies.identity, recorder, denies);
                findings.boundary = policies.boundary.map_or(Layer::Absent, |boundary| {
                    Layer::of(self.scan(PolicyType::Boundary, boundary, recorder, denies))
                });
            }
            for layer in policies.session {
                let allows = Layer::of(self.scan(PolicyType::Session, layer, recorder, denies));
                findings.session = findings.session.and(allows);
            }
            for layer in policies.scoped {
                let allows = Layer::of(self.scan(PolicyType::Session, layer, recorder, denies));
                findings.scoped = findings.scoped.and(allows);
            }
        }
        findings
    }

    /// Notes the Denies of some policies and answers with their first Allow.
    fn scan<'p, R: Recorder>(
        &self,
        policy_type: PolicyType,
        policies: &'p [Named<'p>],
        recorder: &mut R,
        denies: &mut Vec<Grant<'p>>,
    ) -> Option<Grant<'p>> {
        let place = if policy_type == PolicyType::Rcp { Place::Resource } else { Place::Caller };
        let mut allow = None;
        for named in policies {
            self.each::<R>(named.policy, |(index, statement)| {
                if allow.is_some() && statement.effect == Effect::Allow && !R::WANTS_ALL {
                    return;
                }
                let outcome = statement.check(&self.call, place);
                recorder.statement(policy_type, named.id, index, statement, &outcome);
                if outcome.is_ok() {
                    let grant = Grant { policy_type, policy: named.id, statement, index };
                    match statement.effect {
                        Effect::Deny => denies.push(grant),
                        Effect::Allow => allow = allow.or(Some(grant)),
                    }
                }
            });
        }
        allow
    }

    fn ask_resource<'p, R: Recorder>(
        &self,
        named: &Named<'p>,
        recorder: &mut R,
        findings: &mut Findings<'p>,
    ) {
        let policy_type = self.resource_type();
        let place = if policy_type == PolicyType::RoleTrust { Place::Role } else { Place::Resource };
        self.each::<R>(named.policy, |(index, statement)| {
            let outcome = statement.check(&self.call, place);
            recorder.statement(policy_type, named.id, index, statement, &outcome);
            if let Ok(strength) = outcome {
                let grant = Grant { policy_type, policy: named.id, statement, index };
                match statement.effect {
                    Effect::Deny => findings.denies.push(grant),
                    Effect::Allow => findings.resource.note(strength, grant),
                }
            }
        });
    }

    /// Goes through the statements of a policy that can match; who explains hears of the others, too.
    fn each<'p, R: Recorder>(&self, policy: &'p Policy, ask: impl FnMut((usize, &'p Statement))) {
        if R::WANTS_ALL {
            policy.statements().for_each(ask);
        } else {
            policy.each_candidate(self.call.action, ask);
        }
    }

    /// Resource control policies bind every caller but service-linked roles, for the services that support
    /// them and the actions that have a resource.
    fn rcps_apply(&self) -> bool {
        !self.caller.is_service_linked()
            && self.call.resource.is_some()
            && rcp::supports(self.call.action.service)
            && !self.call.action.is("kms", "RetireGrant")
    }

    // INVARIANT (deny-wins): whatever allows, one matching Deny decides.
    fn decide<'p>(&self, findings: &Findings<'p>) -> Decision<'p> {
        if let Some(kind) = findings.denies.iter().map(|deny| deny.policy_type).min() {
            let statements = findings.denies.iter().copied().map(Grant::determining).collect();
            return self.decision(DecisionEffect::ExplicitlyDenied, kind, statements);
        }
        if findings.scp_silent {
            return self.silent(PolicyType::Scp);
        }
        // "The intersection of the calling session's existing permissions and this scope down policy" (AWS STS API
        // Reference, GetScopedCredentials), whoever gave them.
        if findings.scoped == Layer::Silent {
            return self.silent(PolicyType::Session);
        }
        if !self.caller.has_identity() {
            return self.resource_alone(findings);
        }
        if self.cross_account {
            return self.across_accounts(findings);
        }
        self.within_account(findings)
    }

    /// Services, providers and anonymous callers have no policies of their own.
    fn resource_alone<'p>(&self, findings: &Findings<'p>) -> Decision<'p> {
        // A role trusts a service by its name alone: whoever trusts everybody means those who have an account.
        let is_service = matches!(self.caller, Principal::Service { .. });
        let everyone = findings.resource.everyone.filter(|_| !(is_service && self.is_role_trust()));
        match findings.resource.direct.or(everyone) {
            Some(grant) => self.allowed(self.resource_type(), [grant]),
            None => self.silent(self.resource_type()),
        }
    }

    /// Both sides must allow, however the resource policy names the caller.
    // INVARIANT (two-keys): no account can open another's resource, and none is opened without its owner.
    fn across_accounts<'p>(&self, findings: &Findings<'p>) -> Decision<'p> {
        let Some(owner) = findings.resource.any() else {
            return self.silent(self.resource_type());
        };
        match self.callers_side(findings) {
            Ok(own) => self.allowed(self.resource_type(), [owner].into_iter().chain(own)),
            Err(kind) => self.silent(kind),
        }
    }

    fn within_account<'p>(&self, findings: &Findings<'p>) -> Decision<'p> {
        let grants = &findings.resource;
        let by_resource = |grant| self.allowed(self.resource_type(), [grant]);
        if let Some(grant) = grants.everyone {
            return by_resource(grant);
        }
        // A user's own restricted credentials are not the user: their limits stay, where a session that is
        // named by its own ARN is free of them.
        let named_as_user = matches!(self.caller, Principal::User { .. });
        if let Some(grant) = grants.direct
            && (!named_as_user || findings.session != Layer::Silent)
        {
            return by_resource(grant);
        }
        if let Some(grant) = grants.origin
            && self.limits(findings).is_ok()
        {
            return by_resource(grant);
        }
        if self.resource_must_take_part() && grants.account.is_none() {
            // Only a weaker side is missing when the role or issuer is named but its limits are silent.
            let silent = match grants.direct.or(grants.origin) {
                Some(_) => self.limits(findings).err(),
                None => None,
            };
            return self.silent(silent.unwrap_or(self.resource_type()));
        }
        match self.callers_side(findings) {
            Ok(own) => self.allowed(own.map_or(PolicyType::NotNeeded, |own| own.policy_type), own),
            Err(kind) => self.silent(kind),
        }
    }

    /// Whether the caller's own policies allow: identity, boundary and session all of them. The statement is
    /// missing for the root user, who needs none.
    fn callers_side<'p>(&self, findings: &Findings<'p>) -> Result<Option<Grant<'p>>, PolicyType> {
        let as_root =
            matches!(self.caller, Principal::Root { .. } | Principal::Federated { issuer: Issuer::Root, .. });
        if findings.identity.is_none() && !as_root {
            return Err(PolicyType::Identity);
        }
        self.limits(findings)?;
        Ok(findings.identity)
    }

    /// Whether nothing that limits the caller is silent. A federated user without session policies has no
    /// rights of its issuer at all (AWS STS API Reference, GetFederationToken).
    // INVARIANT (no-widening): a session never has more than each of its layers gives.
    fn limits(&self, findings: &Findings<'_>) -> Result<(), PolicyType> {
        let federated = matches!(self.caller, Principal::Federated { .. });
        if findings.boundary == Layer::Silent {
            return Err(PolicyType::Boundary);
        }
        match findings.session {
            Layer::Silent => Err(PolicyType::Session),
            Layer::Absent if federated => Err(PolicyType::Session),
            Layer::Absent | Layer::Allows => Ok(()),
        }
    }

    /// Role trust policies and KMS key policies are asked even inside the account: without them the caller's
    /// own policies count for nothing (AWS KMS Developer Guide, "Key policies").
    fn resource_must_take_part(&self) -> bool {
        self.is_role_trust() || self.is_kms_key()
    }

    fn is_kms_key(&self) -> bool {
        // For the key's own actions: who may write its policy, or tag it, is not for that policy to say.
        self.call.action.service == "kms"
            && self
                .call
                .resource
                .is_some_and(|arn| arn.service() == "kms" && arn.resource().starts_with("key/"))
    }

    fn is_role_trust(&self) -> bool {
        let is_one_of = |names: &[&str]| names.iter().any(|name| self.call.action.is("sts", name));
        // Taking a role without a word of its trust policy must not be possible, whatever resource is given.
        if is_one_of(&TAKING_A_ROLE) {
            return true;
        }
        // The others also go with GetFederationToken, where the resource is no role.
        let on_role = self
            .call
            .resource
            .is_some_and(|arn| arn.service() == "iam" && arn.resource().starts_with("role/"));
        on_role && is_one_of(&WITH_A_ROLE)
    }

    fn resource_type(&self) -> PolicyType {
        if self.is_role_trust() { PolicyType::RoleTrust } else { PolicyType::Resource }
    }

    fn silent(&self, kind: PolicyType) -> Decision<'static> {
        self.decision(DecisionEffect::ImplicitlyDenied, kind, Statements::default())
    }

    fn allowed<'p>(&self, kind: PolicyType, grants: impl IntoIterator<Item = Grant<'p>>) -> Decision<'p> {
        let statements = grants.into_iter().map(Grant::determining).collect();
        self.decision(DecisionEffect::Allowed, kind, statements)
    }

    fn decision<'p>(
        &self,
        effect: DecisionEffect,
        decided_by: PolicyType,
        statements: Statements<'p>,
    ) -> Decision<'p> {
        Decision { effect, decided_by, statements, cross_account: self.cross_account }
    }
}

impl Layer {
    fn of(allow: Option<Grant<'_>>) -> Layer {
        if allow.is_some() { Layer::Allows } else { Layer::Silent }
    }

    /// Layers intersect.
    fn and(self, next: Layer) -> Layer {
        if self == Layer::Silent { Layer::Silent } else { next }
    }
}

impl<'p> Grant<'p> {
    fn determining(self) -> Determining<'p> {
        Determining {
            policy_type: self.policy_type,
            policy: self.policy.into(),
            sid: self.statement.sid.as_deref().map(Cow::Borrowed),
            index: self.index,
            effect: self.statement.effect,
        }
    }
}

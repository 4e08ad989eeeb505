//! May this principal do this? The only maker of [`Authorized`], and so the only way to an action.
//!
//! An action states its checks (principal – action – resource, literally what it is about to do); all
//! must pass. The policies that take part are gathered here from one view; how they combine is
//! `daypass_policy::evaluate`'s.

use std::sync::Arc;

use daypass_model::{AccountId, Tag, TagSet, is_service_linked};
use daypass_policy::{Context, Decision, Explanation, Named, Policies, Request};

use crate::account_view::AccountView;
use crate::change::Change;
use crate::context::{Operation, Value, context};
use crate::entity::{NamedPolicy, ResourcePolicy, Role};
use crate::grounds::grounds;
use crate::principal::{Identity, Issuer, Principal};
use crate::revocation::Descent;
use crate::scope::Scope;
use crate::view::View;

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

/// The resource's own policy, where it has one.
#[derive(Debug, Clone, Default)]
pub enum Grantor {
    /// None: only identity policies speak.
    #[default]
    Nobody,
    /// The trust policy of the role.
    Role(Arc<Role>),
    /// The policy of a resource of some service behind daypass.
    Resource(Arc<ResourcePolicy>),
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
}

/// What a call must be allowed: never empty by accident.
#[derive(Debug, Clone)]
pub struct Checks(Asked);

#[derive(Debug, Clone)]
enum Asked {
    All(Vec<Check>),
    NothingCanDeny,
    NobodyMay { action: String, resource: String },
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
            Asked::NobodyMay { .. } => {}
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

    /// Refused whoever asks, with the sentence of a plain denial: a role that does not exist must look
    /// like one that does not trust the caller.
    #[must_use]
    pub fn nobody_may(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self(Asked::NobodyMay { action: action.into(), resource: resource.into() })
    }

    /// The checks, for the tests that compare them with AWS's published ones.
    #[must_use]
    pub fn as_slice(&self) -> &[Check] {
        match &self.0 {
            Asked::All(checks) => checks,
            Asked::NothingCanDeny | Asked::NobodyMay { .. } => &[],
        }
    }
}

/// Proof that every check of a call passed. Only [`authorize()`] makes one.
// INVARIANT (authorized-only): the fields are private to this module's constructor; an action takes
// `Authorized<Input>`, so a call that skipped its checks does not compile.
pub struct Authorized<I> {
    scope: Scope,
    input: I,
    decisions: Vec<Decision<'static>>,
}

impl<I> Authorized<I> {
    /// What the checks were made on; the action decides on the same.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The view of that, for what belongs to no account and for the doors between accounts.
    #[must_use]
    pub fn view(&self) -> &View {
        self.scope.view()
    }

    /// The caller's own account.
    #[must_use]
    pub fn account(&self) -> AccountView<'_> {
        self.scope.account()
    }

    /// Who was allowed.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        self.scope.principal()
    }

    /// A write of this call: it counts only while the caller's rights are what they were when it was decided.
    #[must_use]
    pub fn change(&self, op: &Operation) -> Change {
        let mut change = Change::new(&op.request_id, self.view());
        // INVARIANT (fresh-authorization)
        for place in grounds(self.view(), self.principal()) {
            change.unchanged(place, self.view().revision());
        }
        // A session that was ended meanwhile has no rights either.
        let session = self.principal().session.as_deref();
        for place in session.into_iter().flat_map(|session| Descent::from(&session.claims).places()) {
            if self.view().has_revocation(&place) {
                change.unchanged(place, self.view().revision());
            } else {
                change.absent(place);
            }
        }
        change
    }

    /// What was asked for.
    #[must_use]
    pub fn input(&self) -> &I {
        &self.input
    }

    /// What was decided about each of the checks, in their order.
    #[must_use]
    pub fn decisions(&self) -> &[Decision<'static>] {
        &self.decisions
    }
}

/// A refusal, and who refused. Displayed as AWS's sentence.
#[derive(Debug, thiserror::Error)]
#[error("User: {principal} is not authorized to perform: {action} on resource: {resource}{reason}")]
pub struct Denied {
    /// ARN of the caller.
    pub principal: String,
    /// The action that was refused.
    pub action: String,
    /// The resource as AWS prints it.
    pub resource: String,
    /// ` because no …` or ` with an explicit deny …`; empty across accounts.
    pub reason: String,
    /// The decision itself, when there was one.
    pub decision: Option<Decision<'static>>,
    /// The check that did not pass, by its place among the checks.
    pub check: usize,
}

/// What a decision is asked about.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The call.
    pub op: &'a Operation,
    /// The view everything is read from.
    pub view: &'a View,
    /// Who asks.
    pub principal: &'a Principal,
    /// Whether a one-time code came with the call and proved good.
    pub mfa_given: bool,
}

impl Facts<'_> {
    /// What conditions can ask about.
    fn context(&self, check: &Check) -> Context {
        context(self.op, Some(self.principal), self.mfa_given, check.owner, &check.keys)
    }
}

/// Make every check; all must pass.
///
/// # Errors
/// [`Denied`] by the first check that does not.
pub fn authorize<I>(
    op: &Operation,
    scope: &Scope,
    checks: &Checks,
    input: I,
) -> Result<Authorized<I>, Box<Denied>> {
    let principal = scope.principal();
    let facts = Facts { op, view: scope.view(), principal, mfa_given: scope.mfa_given() };
    let mut decisions = Vec::new();
    match &checks.0 {
        Asked::NothingCanDeny => {}
        Asked::NobodyMay { action, resource } => {
            return Err(Box::new(Denied {
                principal: principal.arn.clone(),
                action: action.clone(),
                resource: resource.clone(),
                reason: String::new(),
                decision: None,
                check: 0,
            }));
        }
        Asked::All(checks) => {
            let policies = Gathered::of(facts);
            for (place, check) in checks.iter().enumerate() {
                let decision = policies.decide(facts, check);
                if !decision.is_allowed() {
                    return Err(Box::new(denied(principal, check, decision, place)));
                }
                decisions.push(decision);
            }
        }
    }
    Ok(Authorized { scope: scope.clone(), input, decisions })
}

fn denied(principal: &Principal, check: &Check, decision: Decision<'static>, place: usize) -> Denied {
    // Empty across accounts: the sentence must not tell what the other account's policies say.
    let reason = match decision.denial_reason(&check.action) {
        reason if reason.is_empty() => reason,
        reason => format!(" {reason}"),
    };
    Denied {
        principal: principal.arn.clone(),
        action: check.action.clone(),
        resource: check.shown.clone().unwrap_or_else(|| check.resource.clone()),
        reason,
        decision: Some(decision),
        check: place,
    }
}

/// Evaluate one check for a principal; the answer for every door (`CheckRequest` asks here too).
#[must_use]
pub fn decide(facts: Facts<'_>, check: &Check) -> Decision<'static> {
    Gathered::of(facts).decide(facts, check)
}

/// The same with what every statement had to say, and the context that it was asked about.
#[must_use]
pub fn explain(facts: Facts<'_>, check: &Check) -> (Explanation, Context) {
    let context = facts.context(check);
    let explanation = Gathered::of(facts).ask(facts, check, &context, daypass_policy::explain);
    (explanation, context)
}

/// Evaluate one check for a request without credentials: only the resource's own policy can let it in.
#[must_use]
pub fn decide_anonymous(op: &Operation, check: &Check) -> Decision<'static> {
    let policies = Policies { resource: check.grantor.named(), ..Policies::default() };
    let context = context(op, None, false, check.owner, &check.keys);
    let request = request(check, daypass_policy::Principal::Anonymous, &context);
    daypass_policy::evaluate(&request, &policies).into_owned()
}

fn request<'a>(
    check: &'a Check,
    principal: daypass_policy::Principal<'a>,
    context: &'a Context,
) -> Request<'a> {
    Request {
        principal,
        action: &check.action,
        resource: &check.resource,
        resource_account: Some(check.owner.as_str()),
        context,
    }
}

impl Grantor {
    fn named(&self) -> Option<Named<'_>> {
        match self {
            Self::Nobody => None,
            Self::Role(role) => Some(Named { id: &role.arn, policy: &role.trust }),
            Self::Resource(resource) => Some(Named { id: &resource.record.arn, policy: &resource.policy }),
        }
    }
}

/// The policies on the caller's side: the same for every check of a call.
struct Gathered<'a> {
    identity: Vec<Named<'a>>,
    /// `Some` and empty when the boundary's policy is gone: then nothing is allowed.
    boundary: Option<Vec<Named<'a>>>,
    layers: Vec<Vec<Named<'a>>>,
    /// Behind how many of the layers come those of GetScopedCredentials.
    unscoped: usize,
}

impl<'a> Gathered<'a> {
    fn of(Facts { view, principal, .. }: Facts<'a>) -> Self {
        let nothing = Self { identity: Vec::new(), boundary: None, layers: Vec::new(), unscoped: 0 };
        let Some(account) = view.account(principal.account) else { return nothing };
        let (identity, boundary) = match &principal.identity {
            Identity::Root | Identity::Federated(Issuer::Root) => (Vec::new(), None),
            Identity::User(user) | Identity::Federated(Issuer::User(user)) => {
                (account.policies_of_user(user), user.record.boundary.as_ref())
            }
            Identity::Role(role) => (account.policies_of_role(role), role.record.boundary.as_ref()),
        };
        let boundary = boundary.map(|arn| account.managed(std::slice::from_ref(arn)).collect());
        let layers = principal.session.iter().flat_map(|session| &session.layers);
        let layers = layers.map(|layer| {
            let managed: Option<Vec<_>> =
                layer.policies.iter().map(|id| account.policy_by_id(id)?.named()).collect();
            // One that is gone may have denied something: then the layer as a whole allows nothing.
            let with_inline =
                |managed: Vec<_>| layer.inline.iter().map(NamedPolicy::named).chain(managed).collect();
            managed.map(with_inline).unwrap_or_default()
        });
        let layers: Vec<_> = layers.collect();
        let scoped = principal.session.as_ref().map_or(0, |session| session.claims.scoped_layers);
        let unscoped = layers.len().saturating_sub(scoped);
        Self { identity, boundary, layers, unscoped }
    }

    fn decide(&self, facts: Facts<'_>, check: &Check) -> Decision<'static> {
        self.ask(facts, check, &facts.context(check), |request, policies| {
            daypass_policy::evaluate(request, policies).into_owned()
        })
    }

    /// Put the check to the engine, in one of its two ways of answering.
    fn ask<T>(
        &self,
        facts: Facts<'_>,
        check: &Check,
        context: &Context,
        engine: impl Fn(&Request<'_>, &Policies<'_>) -> T,
    ) -> T {
        let layers: Vec<&[Named<'_>]> = self.layers.iter().map(Vec::as_slice).collect();
        let (session, scoped) = layers.split_at_checked(self.unscoped).unwrap_or((&layers, &[]));
        let policies = Policies {
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session,
            scoped,
            resource: check.grantor.named(),
            scp: &[],
            rcp: &[],
        };
        engine(&request(check, as_policy_principal(facts.principal), context), &policies)
    }
}

fn as_policy_principal(principal: &Principal) -> daypass_policy::Principal<'_> {
    use daypass_policy::Principal as P;
    let account = principal.account.as_str();
    match &principal.identity {
        Identity::Root => P::Root { account },
        Identity::User(user) => P::User { account, arn: &user.arn, id: Some(user.record.id.as_str()) },
        Identity::Role(role) => P::Role {
            account,
            session_arn: &principal.arn,
            role_arn: &role.arn,
            role_id: Some(role.record.id.as_str()),
            service_linked: is_service_linked(&role.record.path),
        },
        Identity::Federated(issuer) => P::Federated {
            account,
            arn: &principal.arn,
            issuer: match issuer {
                Issuer::Root => daypass_policy::Issuer::Root,
                Issuer::User(user) => {
                    daypass_policy::Issuer::User { arn: &user.arn, id: Some(user.record.id.as_str()) }
                }
            },
        },
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
    }
}

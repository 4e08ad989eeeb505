//! May this principal do this? The only maker of [`Authorized`], and so the only way to an action.
//!
//! An action states its checks (principal – action – resource, literally what it is about to do); all
//! must pass. The policies that take part are gathered here from one view; how they combine is
//! `daypass_policy::evaluate`'s.

use std::sync::LazyLock;

use daypass_model::is_service_linked;
use daypass_policy::{Context, Decision, Explanation, Named, Policies, Policy, Request};

use crate::account_view::AccountView;
use crate::change::Change;
use crate::check::{Asked, Check, Checks, Grantor};
use crate::context::{Operation, context};
use crate::entity::NamedPolicy;
use crate::grounds::grounds;
use crate::principal::{Identity, Issuer, Principal};
use crate::scope::Scope;
use crate::view::View;

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
        let places = session.map(|session| self.view().revocations_of((&session.claims).into()));
        for place in places.into_iter().flatten() {
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
#[error("{}", self.sentence())]
pub struct Denied {
    /// ARN of the caller; none of whoever is vouched for.
    pub principal: Option<String>,
    /// The action that was refused.
    pub action: String,
    /// The resource as AWS prints it.
    pub resource: String,
    /// ` because no …` or ` with an explicit deny …`; empty across accounts, and where the role alone is in the way.
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
                principal: named(principal),
                action: action.clone(),
                resource: resource.clone(),
                reason: String::new(),
                decision: None,
                check: 0,
            }));
        }
        Asked::Missing(check) => {
            let policies = Gathered::of(facts);
            let decision = policies.decide(facts, check);
            let reason = policies.callers_reason(facts, check);
            return Err(Box::new(denied(principal, check, reason, decision, 0)));
        }
        Asked::All(checks) => {
            let policies = Gathered::of(facts);
            for (place, check) in checks.iter().enumerate() {
                let decision = policies.decide(facts, check);
                if !decision.is_allowed() {
                    let reason = match check.grantor {
                        Grantor::Role(_) => policies.callers_reason(facts, check),
                        Grantor::Nobody | Grantor::Resource(_) | Grantor::PasswordPolicy => {
                            decision.denial_reason(&check.action)
                        }
                    };
                    let mut denied = denied(principal, check, reason, decision, place);
                    if let (None, Some(first)) = (&denied.principal, checks.first()) {
                        // Which of the permissions was missing says what the role's policy is like.
                        denied.action.clone_from(&first.action);
                    }
                    return Err(Box::new(denied));
                }
                decisions.push(decision);
            }
        }
    }
    Ok(Authorized { scope: scope.clone(), input, decisions })
}

impl Denied {
    fn sentence(&self) -> String {
        let Self { action, resource, reason, .. } = self;
        match &self.principal {
            Some(principal) => {
                format!(
                    "User: {principal} is not authorized to perform: {action} on resource: {resource}{reason}"
                )
            }
            // Neither whether there is such a role nor what it says of whom.
            None => format!("Not authorized to perform {action}"),
        }
    }
}

fn named(principal: &Principal) -> Option<String> {
    principal.vouched().is_none().then(|| principal.arn.clone())
}

fn denied(
    principal: &Principal,
    check: &Check,
    reason: String,
    decision: Decision<'static>,
    place: usize,
) -> Denied {
    Denied {
        principal: named(principal),
        action: check.action.clone(),
        resource: check.shown.clone().unwrap_or_else(|| check.resource.clone()),
        // Empty across accounts: the sentence must not tell what the other account's policies say.
        reason: if reason.is_empty() { reason } else { format!(" {reason}") },
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
    let grantor = check.grantor.named();
    let explanation = Gathered::of(facts).ask(facts, check, grantor, &context, daypass_policy::explain);
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
            Identity::Root | Identity::Federated(Issuer::Root) | Identity::Vouched(_) => (Vec::new(), None),
            Identity::User(user) | Identity::Federated(Issuer::User(user)) => {
                (account.policies_of_user(user), user.record.boundary.as_ref())
            }
            Identity::Role(role) => (account.policies_of_role(role), role.record.boundary.as_ref()),
        };
        let boundary = boundary.map(|arn| account.managed(std::slice::from_ref(arn)).collect());
        let layers = principal.session.iter().flat_map(|session| &session.layers);
        let mut is_one_gone = false;
        let layers = layers.map(|layer| {
            let found: Vec<_> = layer.policies.iter().map(|id| account.policy_by_id(id)?.named()).collect();
            is_one_gone |= found.iter().any(Option::is_none);
            layer.inline.iter().map(NamedPolicy::named).chain(found.into_iter().flatten()).collect()
        });
        let mut layers: Vec<_> = layers.collect();
        let mut scoped = principal.session.as_ref().map_or(0, |session| session.claims.scoped_layers);
        if is_one_gone {
            // It may have denied something: nothing is allowed any more, whoever gives it; what the others deny is denied.
            layers.push(Vec::new());
            scoped += 1;
        }
        let unscoped = layers.len().saturating_sub(scoped);
        Self { identity, boundary, layers, unscoped }
    }

    fn decide(&self, facts: Facts<'_>, check: &Check) -> Decision<'static> {
        self.decide_with(facts, check, check.grantor.named())
    }

    fn decide_with(&self, facts: Facts<'_>, check: &Check, grantor: Option<Named<'_>>) -> Decision<'static> {
        self.ask(facts, check, grantor, &facts.context(check), |request, policies| {
            daypass_policy::evaluate(request, policies).into_owned()
        })
    }

    /// Which of the caller's own policies keep it from a role, as if that trusted the account and had no tags; empty when
    /// none does, and across accounts.
    // INVARIANT (roles-untold): the answer is the same for a role that does not let the caller in and for one that
    // is not there, or whoever may do nothing could try names until it knows the roles of the account.
    fn callers_reason(&self, facts: Facts<'_>, check: &Check) -> String {
        let owner = check.owner.as_str();
        let trust = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{owner}"}},"Action":"sts:*"}}}}"#
        );
        // It always parses; a sentence without a reason tells nothing, either.
        let Ok(trust) = Policy::parse(&trust) else { return String::new() };
        let trust = Named { id: &check.resource, policy: &trust };
        self.decide_with(facts, &check.callers_side(), Some(trust)).denial_reason(&check.action)
    }

    /// Put the check to the engine, in one of its two ways of answering.
    fn ask<T>(
        &self,
        facts: Facts<'_>,
        check: &Check,
        grantor: Option<Named<'_>>,
        context: &Context,
        engine: impl Fn(&Request<'_>, &Policies<'_>) -> T,
    ) -> T {
        let layers: Vec<&[Named<'_>]> = self.layers.iter().map(Vec::as_slice).collect();
        let (session, scoped) = layers.split_at_checked(self.unscoped).unwrap_or((&layers, &[]));
        let with_own_password: Vec<Named<'_>>;
        let identity = match &check.grantor {
            Grantor::PasswordPolicy => {
                with_own_password = self.identity.iter().copied().chain(own_password()).collect();
                &with_own_password
            }
            Grantor::Nobody | Grantor::Role(_) | Grantor::Resource(_) => &self.identity,
        };
        let policies = Policies {
            identity,
            boundary: self.boundary.as_deref(),
            session,
            scoped,
            resource: grantor,
            scp: &[],
            rcp: &[],
        };
        engine(&request(check, as_policy_principal(facts.principal), context), &policies)
    }
}

/// What the password policy of an account gives to its users, for checks on the caller's own password and on that policy. No
/// name of a policy has spaces.
pub(crate) const OWN_PASSWORD: (&str, &str) = (
    "account password policy",
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ChangePassword","iam:GetAccountPasswordPolicy"],"Resource":"*"}]}"#,
);

fn own_password() -> Option<Named<'static>> {
    static POLICY: LazyLock<Option<Policy>> = LazyLock::new(|| Policy::parse(OWN_PASSWORD.1).ok());
    POLICY.as_ref().map(|policy| Named { id: OWN_PASSWORD.0, policy })
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
        Identity::Vouched(vouched) if vouched.service_name().is_some() => {
            P::Service { name: &vouched.provider }
        }
        Identity::Vouched(vouched) => {
            P::Provider { account: vouched.is_registered.then_some(account), name: &vouched.provider }
        }
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

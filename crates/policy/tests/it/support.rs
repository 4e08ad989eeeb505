//! Short ways to say a request and the policies around it.

use daypass_policy::{
    Context, Decision, DecisionEffect, Issuer, Level, Named, Policies, Policy, PolicyType, Principal,
    Request, evaluate,
};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER: &str = "444455556666";

pub(crate) const USER: Principal<'static> = Principal::User {
    account: ACCOUNT,
    arn: "arn:aws:iam::111122223333:user/alice",
    id: Some("AIDAALICEALICEALICE00"),
};

pub(crate) const ROLE: Principal<'static> = Principal::Role {
    account: ACCOUNT,
    session_arn: "arn:aws:sts::111122223333:assumed-role/Dev/s1",
    role_arn: "arn:aws:iam::111122223333:role/team/Dev",
    role_id: Some("AROADEVDEVDEVDEVDEV00"),
    service_linked: false,
};

pub(crate) const FEDERATED: Principal<'static> = Principal::Federated {
    account: ACCOUNT,
    arn: "arn:aws:sts::111122223333:federated-user/jill",
    issuer: Issuer::User { arn: "arn:aws:iam::111122223333:user/john", id: Some("AIDAJOHNJOHNJOHNJOHN0") },
};

/// A policy whose statements carry no principal.
pub(crate) fn policy(statements: &str) -> Policy {
    Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
}

pub(crate) fn allow(action: &str) -> Policy {
    policy(&format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#))
}

pub(crate) fn deny(action: &str) -> Policy {
    policy(&format!(r#"{{"Sid":"No","Effect":"Deny","Action":"{action}","Resource":"*"}}"#))
}

/// A resource policy with one statement on every action and resource.
pub(crate) fn attached(effect: &str, principal: &str) -> Policy {
    policy(&format!(r#"{{"Effect":"{effect}","Principal":{principal},"Action":"*","Resource":"*"}}"#))
}

/// A trust policy with one statement.
pub(crate) fn trust(principal: &str) -> Policy {
    policy(&format!(
        r#"{{"Effect":"Allow","Principal":{principal},"Action":["sts:AssumeRole","sts:TagSession"]}}"#
    ))
}

/// A request and everything around it, owned. The defaults: `alice` reads a bucket of her own account and
/// nothing allows it.
pub(crate) struct Scene {
    pub(crate) principal: Principal<'static>,
    pub(crate) action: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) owner: Option<&'static str>,
    pub(crate) context: Context,
    pub(crate) identity: Vec<Policy>,
    pub(crate) boundary: Option<Vec<Policy>>,
    pub(crate) session: Vec<Vec<Policy>>,
    pub(crate) scoped: Vec<Vec<Policy>>,
    pub(crate) attached: Option<Policy>,
    pub(crate) scp: Vec<Vec<Policy>>,
    pub(crate) rcp: Vec<Vec<Policy>>,
}

impl Default for Scene {
    fn default() -> Scene {
        Scene {
            principal: USER,
            action: "s3:GetObject",
            resource: "arn:aws:s3:::bucket/key",
            owner: Some(ACCOUNT),
            context: Context::new(),
            identity: Vec::new(),
            boundary: None,
            session: Vec::new(),
            scoped: Vec::new(),
            attached: None,
            scp: Vec::new(),
            rcp: Vec::new(),
        }
    }
}

impl Scene {
    pub(crate) fn with<T>(&self, answer: impl FnOnce(&Request<'_>, &Policies<'_>) -> T) -> T {
        let request = Request {
            principal: self.principal,
            action: self.action,
            resource: self.resource,
            resource_account: self.owner,
            context: &self.context,
        };
        let identity = named("identity", &self.identity);
        let boundary = self.boundary.as_ref().map(|policies| named("boundary", policies));
        let session: Vec<_> = self.session.iter().map(|layer| named("session", layer)).collect();
        let session: Vec<&[Named<'_>]> = session.iter().map(Vec::as_slice).collect();
        let scoped: Vec<_> = self.scoped.iter().map(|layer| named("scoped", layer)).collect();
        let scoped: Vec<&[Named<'_>]> = scoped.iter().map(Vec::as_slice).collect();
        let scp: Vec<_> = self.scp.iter().map(|level| named("scp", level)).collect();
        let rcp: Vec<_> = self.rcp.iter().map(|level| named("rcp", level)).collect();
        let policies = Policies {
            identity: &identity,
            boundary: boundary.as_deref(),
            session: &session,
            scoped: &scoped,
            resource: self.attached.as_ref().map(|policy| Named { id: "attached", policy }),
            scp: &scp.iter().map(|policies| Level { name: "ou", policies }).collect::<Vec<_>>(),
            rcp: &rcp.iter().map(|policies| Level { name: "ou", policies }).collect::<Vec<_>>(),
        };
        answer(&request, &policies)
    }

    pub(crate) fn decide(&self) -> Decision<'static> {
        self.with(|request, policies| evaluate(request, policies).into_owned())
    }

    #[track_caller]
    pub(crate) fn is_allowed_by(&self, kind: PolicyType) {
        let decision = self.decide();
        assert_eq!((decision.effect, decision.decided_by), (DecisionEffect::Allowed, kind));
    }

    #[track_caller]
    pub(crate) fn is_missing(&self, kind: PolicyType) {
        let decision = self.decide();
        assert_eq!((decision.effect, decision.decided_by), (DecisionEffect::ImplicitlyDenied, kind));
    }

    #[track_caller]
    pub(crate) fn is_denied_by(&self, kind: PolicyType) {
        let decision = self.decide();
        assert_eq!((decision.effect, decision.decided_by), (DecisionEffect::ExplicitlyDenied, kind));
    }
}

fn named<'p>(id: &'static str, policies: &'p [Policy]) -> Vec<Named<'p>> {
    policies.iter().map(|policy| Named { id, policy }).collect()
}

//! One API action: who may call it, how its input is read, which checks it makes, what it does.
//!
//! `run` is the typed half of the pipeline; everything else compiles once, not per action.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use daypass_authn::sigv4::Presented;
use daypass_directory::{Authorized, Caller, Checks, Operation, Scope, View};
use serde::de::DeserializeOwned;

use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::decide::decide;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::request::{Reply, Request, Serial};
use crate::shapes;

/// An API action. One file each, under `actions/`.
pub trait Action: Sized + Send + Sync + 'static {
    /// Service and operation, `sts:GetFederationToken`: the name of its permission, too.
    const NAME: &'static str;
    /// Which kinds of callers it admits, before any policy.
    const CALLERS: Callers;
    /// Whether it changes nothing and issues nothing.
    const READ_ONLY: bool;
    /// Whether it hands out temporary credentials, which the operator's metrics count.
    const ISSUES: bool = false;
    /// What its audit record says beyond the form of all.
    const AUDIT: AuditTraits = AuditTraits::PLAIN;
    /// Its parameters, under the public model's names and with `deny_unknown_fields`.
    type Input: DeserializeOwned + Send + Sync;
    /// Its result; `()` when it has none.
    type Output: Serial + 'static;

    /// Read the parameters by the public model's shape; what a shape cannot say, an action adds.
    ///
    /// # Errors
    /// MalformedInput, ValidationError.
    fn parse(params: &Params) -> Result<Self::Input, Error> {
        read::<Self>(params, Self::READ_ONLY)
    }

    /// What the call proves beyond its signature: a one-time code, of which policies may ask. It is in the scope that
    /// `checks` and `act` get. Made again when the call is decided again, so it must come to the same.
    ///
    /// # Errors
    /// AccessDenied; 503 when nobody can tell whether the proof was used before.
    fn prove(
        _: &Operation,
        _: &House,
        scope: Scope,
        _: &Self::Input,
    ) -> impl Future<Output = Result<Scope, Error>> + Send {
        std::future::ready(Ok(scope))
    }

    /// Everything the call must be allowed. Existence is not decided here: a caller who may not ask is told so first.
    fn checks(scope: &Scope, input: &Self::Input) -> Checks;

    /// Note that the call was denied, where somebody wants to see that elsewhere than in the audit. Nothing is decided on it.
    fn denied(_: &Operation, _: &House, _: &Scope, _: &Params) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Do it. The only step that writes anything that is decided on.
    fn act(
        op: &Operation,
        house: &House,
        call: Authorized<Self::Input>,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// An action that nobody signs: an identity provider vouches for its caller, by something that comes with the call.
pub trait Unsigned: Action {
    /// Whether the key of a certificate signs its calls, which proves who holds it and opens nothing by itself.
    const BY_CERTIFICATE: bool = false;

    /// Verify what the provider says. Nothing is decided yet: the role's trust policy is asked by `checks`, in the view that
    /// comes back, which is as new as the last answer that was waited for.
    ///
    /// # Errors
    /// InvalidIdentityToken and its kin.
    fn vouch(
        op: &Operation,
        house: &House,
        input: &Self::Input,
    ) -> impl Future<Output = Result<(Arc<View>, Caller), Error>> + Send;

    /// The same where what vouches is in the request and not among its parameters.
    ///
    /// # Errors
    /// As there.
    fn vouch_by_request(
        op: &Operation,
        house: &House,
        _: &Request,
        _: &Presented,
        input: &Self::Input,
    ) -> impl Future<Output = Result<(Arc<View>, Caller), Error>> + Send {
        Self::vouch(op, house, input)
    }
}

/// One step of the pipeline, boxed so that the table holds every action alike.
pub type Step<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// What every step of a call sees.
pub struct Scene<'a> {
    /// The call.
    pub op: &'a Operation,
    /// Who calls, in the view that the whole call reads.
    pub scope: Scope,
    /// Everything the house offers.
    pub house: &'a House,
}

/// A row of the action table.
pub struct Row {
    /// Service and operation.
    pub name: (&'static str, &'static str),
    /// Who may call.
    pub callers: Callers,
    /// Whether it changes and issues nothing.
    pub read_only: bool,
    /// Whether it hands out temporary credentials.
    pub issues: bool,
    /// What its audit record says beyond the form of all.
    pub audit: AuditTraits,
    /// What a call with these parameters must be allowed, without making it: for the tests that compare every
    /// action's checks with the Service Authorization Reference.
    pub checks: fn(&Scope, &Params) -> Result<Checks, Error>,
    /// How a call that nobody signs proves who makes it.
    pub(crate) vouch: Option<Vouch>,
    /// Whether calls of it are signed by the key of a certificate.
    pub(crate) by_certificate: bool,
    pub(crate) run: for<'a> fn(&'a Scene<'a>, &'a Params) -> Step<'a, Reply>,
}

impl Row {
    /// The row of an action.
    #[must_use]
    pub const fn of<A: Action>() -> Self {
        Self {
            name: split(A::NAME),
            callers: A::CALLERS,
            read_only: A::READ_ONLY,
            issues: A::ISSUES,
            audit: A::AUDIT,
            checks: checks::<A>,
            vouch: None,
            by_certificate: false,
            run: run::<A>,
        }
    }

    /// Whether nobody signs calls of the action.
    #[must_use]
    pub const fn is_unsigned(&self) -> bool {
        self.vouch.is_some()
    }

    /// The row of an action that nobody signs.
    #[must_use]
    pub const fn of_unsigned<A: Unsigned>() -> Self {
        Self { vouch: Some(vouch::<A>), by_certificate: A::BY_CERTIFICATE, ..Self::of::<A>() }
    }
}

/// See [`Unsigned::vouch`].
pub(crate) type Vouch = for<'a> fn(
    &'a Operation,
    &'a House,
    &'a Request,
    &'a Presented,
    &'a Params,
) -> Step<'a, (Arc<View>, Caller)>;

fn vouch<'a, A: Unsigned>(
    op: &'a Operation,
    house: &'a House,
    request: &'a Request,
    presented: &'a Presented,
    params: &'a Params,
) -> Step<'a, (Arc<View>, Caller)> {
    Box::pin(async move {
        let input = A::parse(params)?;
        A::vouch_by_request(op, house, request, presented, &input).await
    })
}

fn checks<A: Action>(scope: &Scope, params: &Params) -> Result<Checks, Error> {
    Ok(A::checks(scope, &A::parse(params)?))
}

fn run<'a, A: Action>(scene: &'a Scene<'a>, params: &'a Params) -> Step<'a, Reply> {
    Box::pin(async move {
        let input = A::parse(params)?;
        let scope = A::prove(scene.op, scene.house, scene.scope.clone(), &input).await?;
        let checks = A::checks(&scope, &input);
        let outcome = decide(scene.op, scene.house, &scope, &checks, input);
        if outcome.is_err() {
            A::denied(scene.op, scene.house, &scope, params).await;
        }
        let call = outcome?;
        Ok(Box::new(A::act(scene.op, scene.house, call).await?) as Reply)
    })
}

/// Read an action's parameters by the public model's shape. Names that no model knows may be ignored by a call
/// that only reads; elsewhere they could be a newer client's restriction.
///
/// # Errors
/// MalformedInput, ValidationError.
pub fn read<A: Action>(params: &Params, ignore_unknown: bool) -> Result<A::Input, Error> {
    let (service, operation) = const { split(A::NAME) };
    let shape = shapes::operation(service, operation);
    let shape = shape.ok_or_else(|| Error::internal("an action of the table has no shape"))?;
    params.read(shape, ignore_unknown).map_err(|error| Error::new(error.code, error.message))
}

/// `sts:GetFederationToken` → (`sts`, `GetFederationToken`).
#[expect(clippy::indexing_slicing, reason = "runs in the compiler: a name without a colon does not compile")]
const fn split(name: &'static str) -> (&'static str, &'static str) {
    let mut colon = 0;
    while name.as_bytes()[colon] != b':' {
        colon += 1;
    }
    let (service, rest) = name.split_at(colon);
    (service, rest.split_at(1).1)
}

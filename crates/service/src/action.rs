//! One API action: who may call it, how its input is read, which checks it makes, what it does.
//!
//! `run` is the typed half of the pipeline; everything else compiles once, not per action.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use daypass_directory::{Authorized, Checks, Facts, Operation, Principal, View, authorize};

use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::request::{Reply, Serial};
use crate::shapes;

/// An API action. One file each, under `actions/`.
pub trait Action: Send + Sync + 'static {
    /// Service and operation, `("sts", "GetFederationToken")`.
    const NAME: (&'static str, &'static str);
    /// Which kinds of callers it admits, before any policy.
    const CALLERS: Callers;
    /// Whether it changes nothing and issues nothing.
    const READ_ONLY: bool;
    /// Its parameters.
    type Input: Send + Sync;
    /// Its result; `()` when it has none.
    type Output: Serial + 'static;

    /// Read the parameters; shape errors in AWS's words.
    ///
    /// # Errors
    /// MalformedInput, ValidationError.
    fn parse(params: &Params) -> Result<Self::Input, Error>;

    /// Everything the call must be allowed. Existence is not decided here: a caller who may not ask is told so first.
    fn checks(view: &View, who: &Principal, input: &Self::Input) -> Checks;

    /// Do it. The only step that writes.
    fn act(
        op: &Operation,
        house: &House,
        call: Authorized<Self::Input>,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// One step of the pipeline, boxed so that the table holds every action alike.
pub type Step<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// What every step of a call sees.
pub struct Scene<'a> {
    /// The call.
    pub op: &'a Operation,
    /// The view that the whole call reads.
    pub view: Arc<View>,
    /// Who calls.
    pub principal: Principal,
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
    /// What a call with these parameters must be allowed, without making it: for the tests that compare every
    /// action's checks with the Service Authorization Reference.
    pub checks: fn(&View, &Principal, &Params) -> Result<Checks, Error>,
    pub(crate) run: for<'a> fn(&'a Scene<'a>, &'a Params) -> Step<'a, Reply>,
}

impl Row {
    /// The row of an action.
    #[must_use]
    pub const fn of<A: Action>() -> Self {
        Self {
            name: A::NAME,
            callers: A::CALLERS,
            read_only: A::READ_ONLY,
            checks: checks::<A>,
            run: run::<A>,
        }
    }
}

fn checks<A: Action>(view: &View, who: &Principal, params: &Params) -> Result<Checks, Error> {
    Ok(A::checks(view, who, &A::parse(params)?))
}

fn run<'a, A: Action>(scene: &'a Scene<'a>, params: &'a Params) -> Step<'a, Reply> {
    Box::pin(async move {
        let input = A::parse(params)?;
        let checks = A::checks(&scene.view, &scene.principal, &input);
        let facts = Facts { op: scene.op, view: &scene.view, principal: &scene.principal };
        let call = authorize(facts, &checks, input)?;
        Ok(Box::new(A::act(scene.op, scene.house, call).await?) as Reply)
    })
}

/// Read an action's parameters by the public model's shape: what `parse` of nearly every action is.
///
/// # Errors
/// MalformedInput, ValidationError.
pub fn read<A: Action>(params: &Params) -> Result<A::Input, Error>
where
    A::Input: serde::de::DeserializeOwned,
{
    let (service, action) = A::NAME;
    let shape = shapes::operation(service, action).ok_or_else(Error::internal)?;
    params.read(shape, A::READ_ONLY).map_err(|error| Error::new(error.code, error.message))
}

//! `iam:DeleteUserPermissionsBoundary`, `iam:DeleteRolePermissionsBoundary`: from the next call on, the
//! identity policies alone say what is allowed.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Entity, Operation, Principal, View};
use serde::Deserialize;

use super::Bounded;
use crate::action::{Action, read};
use crate::actions::iam::rules::{self, Link};
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(in crate::actions::iam) struct DeletePermissionsBoundary<K>(PhantomData<K>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "RoleName")]
    name: String,
}

impl<K: Bounded> Action for DeletePermissionsBoundary<K> {
    const NAME: (&'static str, &'static str) = ("iam", K::DELETE);
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(view: &View, who: &Principal, input: &Input) -> Checks {
        let check = K::check(&format!("iam:{}", K::DELETE), view, who, &input.name);
        Checks::one(K::with_boundary(check, view, who, &input.name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, view) = (call.input(), call.view());
        let account = target::account(view, call.principal())?;
        let entity = K::find(&account, &input.name)?;
        K::modifiable(entity)?;
        let (record, revision) = K::record(entity);
        let mut record = record.clone();
        let Some(old) = K::boundary(&mut record).take() else {
            let message = format!("The {} with name {} has no permissions boundary.", K::WORD, input.name);
            return Err(Error::no_such_entity(message));
        };
        let mut change = house.change(op, view);
        rules::unlink(&mut change, Link::Boundary, &account, &old, record.id());
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

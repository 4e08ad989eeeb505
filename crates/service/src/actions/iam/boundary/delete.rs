//! `iam:DeleteUserPermissionsBoundary`, `iam:DeleteRolePermissionsBoundary`: from the next call on, the
//! identity policies alone say what is allowed.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use serde::Deserialize;

use super::Bounded;
use crate::action::Action;
use crate::actions::iam::rules::{self, Link};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeletePermissionsBoundary<K>(PhantomData<K>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "RoleName")]
    name: String,
}

impl<K: Bounded> Action for DeletePermissionsBoundary<K> {
    const NAME: &'static str = K::DELETE;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = K::check(Self::NAME, scope, &input.name);
        Checks::one(K::with_boundary(check, scope, &input.name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let entity = K::find(&account, &input.name)?;
        K::modifiable(entity)?;
        let (record, revision) = K::record(entity);
        let mut record = record.clone();
        let Some(old) = K::boundary(&mut record).take() else {
            let message = format!("The {} with name {} has no permissions boundary.", K::WORD, input.name);
            return Err(Error::no_such_entity(message));
        };
        let mut change = call.change(op);
        rules::unlink(&mut change, Link::Boundary, &account, &old, record.id());
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

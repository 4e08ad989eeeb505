//! `iam:PutUserPermissionsBoundary`, `iam:PutRolePermissionsBoundary`

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use serde::Deserialize;

use super::Bounded;
use crate::action::Action;
use crate::actions::iam::rules::{self, Link};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct PutPermissionsBoundary<K>(PhantomData<K>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "RoleName")]
    name: String,
    #[serde(rename = "PermissionsBoundary")]
    policy_arn: String,
}

impl<K: Bounded> Action for PutPermissionsBoundary<K> {
    const NAME: &'static str = K::PUT;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    /// The condition key is the boundary that is asked for, not the one there is.
    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = K::check(Self::NAME, scope, &input.name);
        Checks::one(check.with("iam:PermissionsBoundary", input.policy_arn.as_str()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let entity = K::find(&account, &input.name)?;
        K::modifiable(entity)?;
        let policy = rules::boundary(&account, &input.policy_arn)?;
        let (record, revision) = K::record(entity);
        let mut record = record.clone();
        let old = K::boundary(&mut record).replace(input.policy_arn.clone());
        if old.as_ref() == Some(&input.policy_arn) {
            return Ok(());
        }
        let mut change = call.change(op);
        if let Some(old) = old {
            rules::unlink(&mut change, Link::Boundary, &account, &old, record.id());
        }
        rules::link(&mut change, Link::Boundary, policy, record.id());
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

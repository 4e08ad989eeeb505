//! `iam:DeleteLoginProfile`: the user has no password any more. What was remembered of earlier ones goes with it.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::access_key::owner;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteLoginProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
}

impl Action for DeleteLoginProfile {
    const NAME: &'static str = "iam:DeleteLoginProfile";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let account = call.account();
        let user = super::user(call.scope(), call.input().user_name.as_deref())?;
        let profile = super::profile(&account, user)?;
        let place = key::login_profile(account.id(), &user.record.id);
        let mut change = call.change(op);
        change.unchanged(place.clone(), profile.revision);
        change.delete(place);
        Ok(house.directory.commit(change).await?)
    }
}

//! `iam:GetUser`: of a user by name, or of whoever asks.

use daypass_directory::{Authorized, Checks, Identity, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::shape::{RootShape, UserShape};
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    user: Shown,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    User(UserShape),
    Root(RootShape),
}

impl Action for GetUser {
    const NAME: &'static str = "iam:GetUser";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let who = scope.principal();
        match input.user_name.as_deref().or_else(|| who.user_name()) {
            Some(name) => Checks::one(target::user(Self::NAME, scope, name)),
            None => Checks::one(scope.check(Self::NAME, who.principal_arn())),
        }
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (who, account) = (call.principal(), call.account());
        if let (None, Identity::Root) = (&call.input().user_name, &who.identity) {
            return Ok(Output { user: Shown::Root(RootShape::of(&account)) });
        }
        let name = rules::named_user(call.input().user_name.as_deref(), who)?;
        let user = target::find_user(&account, name)?;
        Ok(Output {
            user: Shown::User(UserShape::whole(&user.arn, &user.record).with_password_of(&account, user)),
        })
    }
}

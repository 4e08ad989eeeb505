//! `iam:CreateLoginProfile`: a user gets a password.

use daypass_directory::record::{LoginProfileRecord, Unknown};
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::Secret;
use serde::{Deserialize, Serialize};

use super::{LoginProfileShape, rules};
use crate::action::Action;
use crate::actions::iam::access_key::owner;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::hidden_if_any;

pub(in crate::actions::iam) struct CreateLoginProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
    #[serde(default, deserialize_with = "hidden_if_any")]
    password: Option<Secret>,
    #[serde(default)]
    password_reset_required: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    login_profile: LoginProfileShape,
}

impl Action for CreateLoginProfile {
    const NAME: &'static str = "iam:CreateLoginProfile";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let user = super::user(call.scope(), input.user_name.as_deref())?;
        let (id, name) = (&user.record.id, &user.record.name);
        if account.login_profile(id).is_some() {
            return Err(Error::already_exists(format!("Login Profile for user {name} already exists.")));
        }
        // AWS's model lets it be absent, for root passwords that sessions of AssumeRoot make.
        let password = input.password.clone().ok_or_else(|| {
            let missing = "Value at 'password' failed to satisfy constraint: Member must not be null";
            Error::validation(format!("1 validation error detected: {missing}"))
        })?;
        rules::hold(&account, &user.record, &password)?;
        let random = house.directory.random();
        let hash = house.passwords.hash(account.id(), op.source_ip, password, random).await?;
        let sealed_hash = house.directory.seal_password(account.id(), id, &hash);
        let mut change = call.change(op);
        let record = LoginProfileRecord {
            written: change.written(),
            created: op.now.as_second(),
            changed: op.now.as_second(),
            sealed_hash: sealed_hash.map_err(|_| Error::internal("a hash was not sealed"))?,
            reset_required: input.password_reset_required,
            earlier: Vec::new(),
            last_used: None,
            browsers: Vec::new(),
            browsers_with_code: Vec::new(),
            unknown: Unknown::new(),
        };
        let place = key::login_profile(account.id(), id);
        change.absent(place.clone());
        super::user_stays(&mut change, user);
        rules::stand(&mut change, &account);
        change.put(place, &record);
        house.directory.commit(change).await?;
        Ok(Output { login_profile: LoginProfileShape::of(user, &record) })
    }
}

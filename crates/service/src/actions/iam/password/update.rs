//! `iam:UpdateLoginProfile`: an administrator sets a user's password, or whether the user must choose another. A new password
//! alone leaves that as it is, as on AWS.

use daypass_authn::password::{PasswordHash, Salt};
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::Secret;
use serde::Deserialize;

use super::rules;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::hidden_if_any;

pub(in crate::actions::iam) struct UpdateLoginProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: String,
    #[serde(default, deserialize_with = "hidden_if_any")]
    password: Option<Secret>,
    password_reset_required: Option<bool>,
}

impl Action for UpdateLoginProfile {
    const NAME: &'static str = "iam:UpdateLoginProfile";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::user(Self::NAME, scope, &input.user_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let user = target::find_user(&account, &input.user_name)?;
        let profile = super::profile(&account, user)?;
        let place = key::login_profile(account.id(), &user.record.id);
        let mut record = profile.record.clone();
        let mut change = call.change(op);
        if let Some(password) = &input.password {
            rules::hold(&account, &user.record, password)?;
            let (before, password) = (profile.clone(), password.clone());
            let (salt, remembered) = (Salt::new(house.directory.random()), rules::remembered(&account));
            let work = move || match remembered {
                Some(count) if rules::is_remembered(&before, count, &password) => None,
                _ => Some(PasswordHash::of(&password, &salt)),
            };
            let hash = house.passwords.work(account.id(), op.source_ip, work).await?;
            let hash = hash.ok_or_else(rules::reused)?;
            let hash = hash.map_err(|_| Error::internal("a password was not hashed"))?;
            let now = op.now.as_second();
            let changed = house.directory.with_password(account.id(), &user.record.id, profile, &hash, now);
            record = changed.map_err(|_| Error::internal("a hash was not sealed"))?;
            rules::stand(&mut change, &account);
        }
        record.reset_required = input.password_reset_required.unwrap_or(record.reset_required);
        record.written = change.written();
        change.unchanged(place.clone(), profile.revision);
        super::user_stays(&mut change, user);
        change.put(place, &record);
        Ok(house.directory.commit(change).await?)
    }
}

//! `iam:ChangePassword`: a user changes its own password, by the old one.
//!
//! Whoever has a user's access key could guess its password here. So a try is spent in the store before the old password is
//! looked at.

use daypass_authn::password::{PasswordHash, Salt};
use daypass_directory::{Authorized, Checks, Hashed, LoginProfile, Operation, Scope, key};
use daypass_model::Secret;
use serde::Deserialize;

use super::rules;
use crate::action::Action;
use crate::actions::iam::access_key::owner;
use crate::actions::iam::password_policy;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::line::busy;
use crate::request::hidden;

pub(in crate::actions::iam) struct ChangePassword;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(deserialize_with = "hidden")]
    old_password: Secret,
    #[serde(deserialize_with = "hidden")]
    new_password: Secret,
}

impl Action for ChangePassword {
    const NAME: &'static str = "iam:ChangePassword";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(password_policy::granted(scope, owner::check(Self::NAME, scope, None)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let user = call
            .principal()
            .user()
            .ok_or_else(|| Error::new("InvalidUserType", "Only an IAM user can change its own password."))?;
        let profile = super::profile(&account, user)?;
        rules::hold(&account, &user.record, &input.new_password)?;
        if !house.directory.spend_password_try(op, &user.record.id).await? {
            return Err(busy());
        }
        let remembered = rules::remembered(&account);
        let made_of = Hashed { compared_with: profile.revision, user: user.record.id.clone(), remembered };
        let hash = match op.spent.hash(&made_of) {
            Some(hash) => hash,
            None => {
                let before = profile.clone();
                let passwords = (input.old_password.clone(), input.new_password.clone());
                let salt = Salt::new(house.directory.random());
                let work = move || exchanged(&before, (&passwords.0, &passwords.1), remembered, &salt);
                house.passwords.work(account.id(), op.source_ip, work).await??
            }
        };
        op.spent.keep_hash(made_of, &hash);
        let now = op.now.as_second();
        let record = house.directory.with_password(account.id(), &user.record.id, profile, &hash, now);
        let mut record = record.map_err(|_| Error::internal("a hash was not sealed"))?;
        let place = key::login_profile(account.id(), &user.record.id);
        let mut change = call.change(op);
        record.reset_required = false;
        record.written = change.written();
        change.unchanged(place.clone(), profile.revision);
        super::user_stays(&mut change, user);
        // It may have been what allowed the call, too.
        rules::stand(&mut change, &account);
        change.put(place, &record);
        Ok(house.directory.commit(change).await?)
    }
}

/// The hash of the new password, for whoever knows the old one. Of earlier passwords nobody else hears.
fn exchanged(
    profile: &LoginProfile,
    (old, new): (&Secret, &Secret),
    remembered: Option<usize>,
    salt: &Salt,
) -> Result<PasswordHash, Error> {
    if !profile.hash.matches(old) || old == new {
        // One sentence for both.
        let what = "The old password is not right, or the new password is the same.";
        return Err(Error::access_denied(what));
    }
    if remembered.is_some_and(|count| rules::is_remembered(profile, count, new)) {
        return Err(rules::reused());
    }
    PasswordHash::of(new, salt).map_err(|_| Error::internal("a password was not hashed"))
}

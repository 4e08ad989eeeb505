//! `iam:DeleteUser`: only a user with nothing left to lose. Its sessions end with it.

use daypass_directory::record::KeyOwner;
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: String,
}

impl Action for DeleteUser {
    const NAME: &'static str = "iam:DeleteUser";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::user(Self::NAME, scope, &input.user_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let account = call.account();
        let user = target::find_user(&account, &call.input().user_name)?;
        let record = &user.record;
        let devices = KeyOwner::User(record.id.clone());
        let first = [
            (account.login_profile(&record.id).is_none(), "delete login profile first."),
            (record.access_keys.is_empty(), "delete access keys first."),
            (record.inline.is_empty(), "delete policies first."),
            (account.mfa_devices_of(&devices).next().is_none(), "delete MFA device first."),
            (record.attached.is_empty(), "detach all policies first."),
            (record.groups.is_empty(), "remove users from group first."),
        ];
        if let Some((_, what)) = first.iter().find(|(done, _)| !done) {
            return Err(Error::delete_conflict(&format!("Cannot delete entity, must {what}")));
        }
        // What a user has is in its own record: a key or policy made meanwhile changes it and wins. A device that is
        // enabled meanwhile writes a link, and a password is a record of its own.
        let mut change = call.change(op);
        change.absent(key::login_profile(account.id(), &record.id));
        change.quiet(key::assignments(account.id(), &devices));
        if let Some(arn) = &record.boundary {
            rules::unlink(&mut change, rules::Link::Boundary, &account, arn, &record.id);
        }
        change.remove(account.id(), user.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

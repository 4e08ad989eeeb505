//! Login profiles: the passwords of users. Those of an account are held to its policy; what is kept of one is its hash, and
//! no answer, error, log or audit event repeats one.

mod change;
mod create;
mod delete;
mod get;
mod replace;
mod rules;
mod update;

pub(super) use change::ChangePassword;
pub(super) use create::CreateLoginProfile;
pub(super) use delete::DeleteLoginProfile;
pub(super) use get::GetLoginProfile;
pub(crate) use replace::replaced_password;
pub(crate) use rules::stand as password_policy_stands;
pub(super) use update::UpdateLoginProfile;

use std::sync::Arc;

use daypass_directory::record::LoginProfileRecord;
use daypass_directory::{AccountView, Change, LoginProfile, Scope, User, key};
use daypass_model::EntityKind;
use serde::Serialize;

use super::{rules as iam_rules, target};
use crate::error::Error;
use crate::request::Time;

/// `LoginProfile`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoginProfileShape {
    user_name: String,
    create_date: Time,
    password_reset_required: bool,
}

impl LoginProfileShape {
    fn of(user: &User, profile: &LoginProfileRecord) -> Self {
        Self {
            user_name: user.record.name.clone(),
            create_date: Time(profile.created),
            password_reset_required: profile.reset_required,
        }
    }
}

/// The user that a call names, or who calls. The root user has no password here, and must name somebody as a role must.
fn user<'v>(scope: &'v Scope, name: Option<&str>) -> Result<&'v Arc<User>, Error> {
    target::find_user(&scope.account(), iam_rules::named_user(name, scope.principal())?)
}

/// The user's password, or AWS's sentence.
fn profile<'v>(account: &AccountView<'v>, user: &User) -> Result<&'v Arc<LoginProfile>, Error> {
    let missing = || {
        let name = &user.record.name;
        Error::no_such_entity(format!("Login Profile for User {name} cannot be found."))
    };
    account.login_profile(&user.record.id).ok_or_else(missing)
}

/// The user must still be there when its password is written: who deletes it meanwhile, or this call, decides again.
fn user_stays(change: &mut Change, user: &User) {
    change.unchanged(key::entity(user.account, EntityKind::User, &user.record.id), user.revision);
}

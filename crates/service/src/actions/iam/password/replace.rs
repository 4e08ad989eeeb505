//! Another password in the place of one that its user has proven, at the door where people sign in. It is held to all that
//! `ChangePassword` holds one to, and no policy is asked: the account itself wants it changed.

use std::sync::Arc;

use daypass_authn::password::{PasswordHash, Salt};
use daypass_directory::record::LoginProfileRecord;
use daypass_directory::{AccountView, Hashed, LoginProfile, Operation, User};
use daypass_model::Secret;

use super::rules;
use crate::error::Error;
use crate::house::House;

/// The record of the new password, which [`rules::stand`] must hold in the commit.
///
/// # Errors
/// PasswordPolicyViolation, also where it is the present one; Throttling.
pub(crate) async fn replaced_password(
    house: &House,
    op: &Operation,
    account: &AccountView<'_>,
    user: &User,
    profile: &Arc<LoginProfile>,
    new: Secret,
) -> Result<LoginProfileRecord, Error> {
    rules::hold(account, &user.record, &new)?;
    let remembered = rules::remembered(account).unwrap_or(0);
    let made_of = Hashed {
        compared_with: profile.revision,
        user: user.record.id.clone(),
        remembered: Some(remembered),
    };
    let hash = match op.spent.hash(&made_of) {
        Some(hash) => hash,
        None => new_hash(house, op, account, profile, new, remembered).await?,
    };
    op.spent.keep_hash(made_of, &hash);
    let now = op.now.as_second();
    let record = house.directory.with_password(account.id(), &user.record.id, profile, &hash, now);
    let record = record.map_err(|_| Error::internal("a hash was not sealed"))?;
    Ok(LoginProfileRecord { reset_required: false, ..record })
}

async fn new_hash(
    house: &House,
    op: &Operation,
    account: &AccountView<'_>,
    profile: &Arc<LoginProfile>,
    new: Secret,
    remembered: usize,
) -> Result<PasswordHash, Error> {
    let (before, salt) = (profile.clone(), Salt::new(house.directory.random()));
    // The present one always: nobody leaves a password that must not stay by choosing it again.
    let work =
        move || (!rules::is_remembered(&before, remembered, &new)).then(|| PasswordHash::of(&new, &salt));
    let hash = house.passwords.work(account.id(), op.source_ip, work).await?.ok_or_else(rules::reused)?;
    hash.map_err(|_| Error::internal("a password was not hashed"))
}

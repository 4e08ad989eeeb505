//! What passwords of an account must be like, where it says so itself.

mod delete;
mod get;
mod update;

pub(super) use delete::DeletePasswordPolicy;
pub(super) use get::GetPasswordPolicy;
pub(super) use update::UpdatePasswordPolicy;

use std::sync::Arc;

use daypass_directory::{AccountView, Check, Grantor, PasswordPolicy, Scope};

use crate::error::Error;

/// The policy, or AWS's sentence.
fn find<'v>(account: &AccountView<'v>) -> Result<&'v Arc<PasswordPolicy>, Error> {
    let missing = || {
        let account = account.id();
        Error::no_such_entity(format!("The Password Policy with domain name {account} cannot be found."))
    };
    account.password_policy().ok_or_else(missing)
}

/// A check that the policy itself passes for users of the account, where it lets them change their own passwords: on the own
/// password, and on the policy, which who chooses one must know.
pub(super) fn granted(scope: &Scope, check: Check) -> Check {
    let users_may_change =
        scope.account().password_policy().is_some_and(|policy| policy.record.users_may_change);
    if users_may_change && scope.principal().user().is_some() {
        Check { grantor: Grantor::PasswordPolicy, ..check }
    } else {
        check
    }
}

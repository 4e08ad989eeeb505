//! The other name of an account, which no other account has: people sign in by it where the number is hard to remember.

mod create;
mod delete;
mod list;

pub(super) use create::CreateAccountAlias;
pub(super) use delete::DeleteAccountAlias;
pub(super) use list::ListAccountAliases;

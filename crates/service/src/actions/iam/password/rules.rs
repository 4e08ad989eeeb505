//! Which passwords an account takes.
//!
//! Source: "Set an account password policy for IAM users" in the IAM User Guide.

use daypass_directory::record::{PasswordPolicyRecord, UserRecord};
use daypass_directory::{AccountView, Change, LoginProfile, key};
use daypass_model::Secret;

use crate::error::Error;

/// Characters of a password where the account has no policy.
const LENGTH_MIN: u32 = 8;
/// Kinds of characters that it has then.
const KINDS_MIN: usize = 3;
/// What AWS calls a symbol.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

/// A kind of characters: what a password without it is told, and which characters are of it.
type Kind = (&'static str, fn(char) -> bool);

const UPPERCASE: Kind =
    ("Password should have at least one uppercase letter", |c: char| c.is_ascii_uppercase());
const LOWERCASE: Kind =
    ("Password should have at least one lowercase letter", |c: char| c.is_ascii_lowercase());
const NUMBER: Kind = ("Password should have at least one number", |c: char| c.is_ascii_digit());
const SYMBOL: Kind = ("Password should have at least one symbol", |c: char| SYMBOLS.contains(c));

/// Hold a new password of a user to what the account asks for, or to what AWS does where it does not.
pub(super) fn hold(account: &AccountView<'_>, user: &UserRecord, password: &Secret) -> Result<(), Error> {
    let password = password.expose_str();
    match account.password_policy() {
        Some(policy) => hold_to(&policy.record, password),
        None => hold_to_default(account, user, password),
    }
}

fn hold_to(policy: &PasswordPolicyRecord, password: &str) -> Result<(), Error> {
    long_enough(password, policy.length_min)?;
    let required = [
        (policy.require_uppercase, UPPERCASE),
        (policy.require_lowercase, LOWERCASE),
        (policy.require_numbers, NUMBER),
        (policy.require_symbols, SYMBOL),
    ];
    let required = required.into_iter().filter(|(is_required, _)| *is_required).map(|(_, kind)| kind);
    let missing = missing(password, required);
    if missing.is_empty() { Ok(()) } else { Err(violation(missing.join(", "))) }
}

fn hold_to_default(account: &AccountView<'_>, user: &UserRecord, password: &str) -> Result<(), Error> {
    long_enough(password, LENGTH_MIN)?;
    let kinds = [UPPERCASE, LOWERCASE, NUMBER, SYMBOL];
    let missing = missing(password, kinds.into_iter());
    let more = (KINDS_MIN + missing.len()).saturating_sub(kinds.len());
    if more > 0 {
        let missing = missing.join(", ");
        return Err(violation(format!(
            "Password should meet {more} more of the following requirements: {missing}"
        )));
    }
    let alias = account.alias().map(|alias| alias.record.alias.as_str());
    let mut names = std::iter::once(user.name.as_str()).chain(alias);
    if names.any(|name| name.eq_ignore_ascii_case(password)) {
        return Err(violation("Password should not be the name of the user or of the account"));
    }
    Ok(())
}

fn long_enough(password: &str, min: u32) -> Result<(), Error> {
    if password.chars().count() < usize::try_from(min).unwrap_or(usize::MAX) {
        return Err(violation(format!("Password should have a minimum length of {min}")));
    }
    Ok(())
}

/// What a password is told of the kinds that it has not.
fn missing(password: &str, kinds: impl Iterator<Item = Kind>) -> Vec<&'static str> {
    kinds.filter(|(_, is_of)| !password.chars().any(is_of)).map(|(told, _)| told).collect()
}

/// How many of the passwords before the present one may not come again; none: any may, and the present one too.
pub(super) fn remembered(account: &AccountView<'_>) -> Option<usize> {
    let count = account.password_policy()?.record.reuse_prevention?;
    Some(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Whether a password is the present one, or one of so many before it. Every comparison takes a hash.
pub(super) fn is_remembered(profile: &LoginProfile, count: usize, password: &Secret) -> bool {
    let mut hashes = std::iter::once(&profile.hash).chain(profile.earlier.iter().rev().take(count));
    hashes.any(|hash| hash.matches(password))
}

/// The refusal of a password that the user had.
pub(super) fn reused() -> Error {
    violation("Password should not be one of the passwords that were used before")
}

/// The policy that a password was held to must still be the account's when the password is written.
pub(crate) fn stand(change: &mut Change, account: &AccountView<'_>) {
    let place = key::password_policy(account.id());
    match account.password_policy() {
        Some(policy) => change.unchanged(place, policy.revision),
        None => change.absent(place),
    }
}

fn violation(message: impl Into<String>) -> Error {
    Error::new("PasswordPolicyViolation", message)
}

//! What limits a profile's sessions, checked when it is given: a session that its policies make impossible is nobody's use.

use daypass_directory::Scope;
use daypass_directory::anywhere::record::ProfileRoleRecord;
use daypass_directory::record::Unknown;
use daypass_directory::{AccountView, Checks};
use daypass_model::limits::{SESSION_POLICY_ARNS_MAX, SESSION_POLICY_CHARACTERS_MAX};
use daypass_policy::Kind;

use crate::actions::pass_role;
use crate::error::Error;
use crate::services::OwnService;

/// Whoever puts roles into a profile hands them to every holder of a certificate: each must be allowed, for the `profile` of this
/// ARN where there is one already.
pub(super) fn passing(checks: Checks, scope: &Scope, role_arns: &[String], profile: Option<&str>) -> Checks {
    let mut asked: Vec<&String> = Vec::new();
    let mut checks = checks;
    for arn in role_arns {
        if !asked.contains(&arn) {
            asked.push(arn);
            let passed = pass_role::by_arn(scope, arn, OwnService::RolesAnywhere);
            checks = checks.and(match profile {
                Some(profile) => pass_role::for_one(passed, profile),
                None => passed,
            });
        }
    }
    checks
}

/// The roles that ARNs name, each once; those that are `known` stay as they are.
///
/// # Errors
/// ValidationException.
pub(super) fn roles(
    account: &AccountView<'_>,
    arns: &[String],
    known: &[ProfileRoleRecord],
) -> Result<Vec<ProfileRoleRecord>, Error> {
    let mut roles: Vec<ProfileRoleRecord> = Vec::new();
    for arn in arns {
        let missing = || Error::validation(format!("There is no role {arn} in this account."));
        let role = pass_role::passed(account, arn, missing)?;
        if roles.iter().all(|before| before.id != role.record.id) {
            let (arn, id) = (arn.clone(), role.record.id.clone());
            let same = known.iter().find(|known| known.id == id && known.arn == arn);
            roles.push(same.cloned().unwrap_or_else(|| ProfileRoleRecord {
                arn,
                id,
                unknown: Unknown::new(),
            }));
        }
    }
    Ok(roles)
}

/// Session policies, inline and managed.
///
/// # Errors
/// ValidationException.
pub(super) fn check_policies(
    account: &AccountView<'_>,
    inline: Option<&String>,
    managed: &[String],
) -> Result<(), Error> {
    if let Some(text) = inline {
        let checked = daypass_policy::validate(Kind::Session, text);
        checked.map_err(|malformed| Error::validation(format!("sessionPolicy: {}", malformed.message)))?;
    }
    if managed.len() > SESSION_POLICY_ARNS_MAX {
        let message = format!("A session can be limited by {SESSION_POLICY_ARNS_MAX} managed policies.");
        return Err(Error::validation(message));
    }
    if let Some(missing) = managed.iter().find(|arn| account.policy(arn).is_none()) {
        let message = format!("{missing} names no managed policy of this account or of AWS.");
        return Err(Error::validation(message));
    }
    let inline = inline.map_or(0, |text| text.chars().count());
    if inline + managed.iter().map(String::len).sum::<usize>() > SESSION_POLICY_CHARACTERS_MAX {
        let message = format!(
            "sessionPolicy and managedPolicyArns may have {SESSION_POLICY_CHARACTERS_MAX} characters together."
        );
        return Err(Error::validation(message));
    }
    Ok(())
}

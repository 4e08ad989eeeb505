//! Users and roles in trust and resource policies are kept as unique ids and shown as ARNs: made again under the same
//! name, a user or role is somebody else, and the policy then shows the id ("IAM identifiers", IAM User Guide).
//! Accounts must exist: a policy that trusts a number that is nobody's would trust whoever gets it.

use daypass_directory::View;
use daypass_model::{AccountId, Arn};
use daypass_policy::{Policy, rewrite_principals};

use crate::error::Error;

/// The text as stored: every user and role in a principal replaced by its unique id. They must exist, and accounts too.
pub(super) fn stored(view: &View, document: &str) -> Result<String, Error> {
    let mut missing = None;
    let stored = rewrite_principals(document, |principal| match id_of(view, principal) {
        Principal::Id(id) => Some(id),
        Principal::AsWritten => None,
        Principal::Missing => {
            missing.get_or_insert_with(|| principal.to_owned());
            None
        }
    });
    if let Some(principal) = missing {
        return Err(Error::malformed_policy(format!("Invalid principal in policy: \"AWS\":\"{principal}\"")));
    }
    let stored = stored.map_err(|malformed| Error::malformed_policy(malformed.message))?;
    Policy::parse(&stored).map_err(|malformed| Error::malformed_policy(malformed.message))?;
    Ok(stored)
}

/// The text as shown: ids replaced by present ARNs; the id of somebody who is gone stays.
pub(super) fn shown(view: &View, stored: &str) -> String {
    let shown =
        rewrite_principals(stored, |principal| is_id(principal).then(|| view.arn_of(principal)).flatten());
    shown.unwrap_or_else(|_| stored.to_owned())
}

enum Principal {
    Id(String),
    AsWritten,
    Missing,
}

fn id_of(view: &View, principal: &str) -> Principal {
    let of_account = |id: Option<AccountId>| match id {
        Some(id) if view.is_account(id) => Principal::AsWritten,
        _ => Principal::Missing,
    };
    if principal == "*" {
        return Principal::AsWritten;
    }
    if let Ok(id) = principal.parse() {
        return of_account(Some(id));
    }
    if is_id(principal) {
        return if view.arn_of(principal).is_some() { Principal::AsWritten } else { Principal::Missing };
    }
    let Ok(arn) = principal.parse::<Arn>() else { return Principal::Missing };
    match (arn.service(), arn.resource_parts()) {
        ("iam", Some(("user" | "role", _))) => {
            view.id_of(&arn).map_or(Principal::Missing, |id| Principal::Id(id.to_string()))
        }
        ("iam", None) if arn.resource() == "root" => of_account(arn.account_id()),
        // Sessions are no entities: kept as written, not checked for existence beyond their account.
        ("sts", Some(("assumed-role" | "federated-user", _))) => of_account(arn.account_id()),
        _ => Principal::Missing,
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 21
        && (text.starts_with("AIDA") || text.starts_with("AROA"))
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

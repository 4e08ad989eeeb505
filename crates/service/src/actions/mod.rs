//! The action table: everything daypass can be asked, one file each.

mod daypass;
mod eks;
mod eks_auth;
pub(crate) mod iam;
mod paging;
mod pass_role;
mod principals;
mod region;
mod rolesanywhere;
mod service_role;
pub(crate) mod sts;

use crate::action::Row;

pub(crate) use pass_role::find as passed_role;

/// Every action there is.
pub fn all() -> impl Iterator<Item = &'static Row> {
    let all = [sts::ROWS, iam::ROWS, daypass::ROWS, eks::ROWS, eks_auth::ROWS, rolesanywhere::ROWS];
    all.into_iter().flatten()
}

/// The row of an action; names are case-sensitive. Of STS also those that no account has enabled.
#[must_use]
pub fn find(service: &str, action: &str) -> Option<&'static Row> {
    let (rows, more): (&[Row], &[Row]) = match service {
        "sts" => (sts::ROWS, sts::NOT_ENABLED),
        "iam" => (iam::ROWS, &[]),
        "daypass" => (daypass::ROWS, &[]),
        "eks" => (eks::ROWS, &[]),
        "eks-auth" => (eks_auth::ROWS, &[]),
        "rolesanywhere" => (rolesanywhere::ROWS, rolesanywhere::NOT_ENABLED),
        _ => (&[], &[]),
    };
    rows.iter().chain(more).find(|row| row.name.1 == action)
}

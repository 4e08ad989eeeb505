//! The action table: everything daypass can be asked, one file each.

mod daypass;
mod iam;
mod paging;
mod principals;
mod sts;

use crate::action::Row;

/// Every action there is.
pub fn all() -> impl Iterator<Item = &'static Row> {
    [sts::ROWS, iam::ROWS, daypass::ROWS].into_iter().flatten()
}

/// The row of an action; names are case-sensitive.
#[must_use]
pub fn find(service: &str, action: &str) -> Option<&'static Row> {
    let rows: &[Row] = match service {
        "sts" => sts::ROWS,
        "iam" => iam::ROWS,
        "daypass" => daypass::ROWS,
        _ => &[],
    };
    rows.iter().find(|row| row.name.1 == action)
}

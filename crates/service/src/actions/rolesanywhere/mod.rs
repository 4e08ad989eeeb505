//! AWS IAM Roles Anywhere, API version 2018-05-10: machines that have a certificate instead of access keys.

mod lists;
mod trust_anchor;

use crate::action::Row;

/// The table of Roles Anywhere.
pub(super) static ROWS: &[Row] = &[Row::of::<trust_anchor::ListTrustAnchors>()];

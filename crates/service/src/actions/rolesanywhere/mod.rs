//! AWS IAM Roles Anywhere, API version 2018-05-10: machines that have a certificate instead of access keys.
//!
//! Resources are named by UUID or ARN. The region in an ARN is the one that its maker signed for; lists show those of all
//! regions, since there is one server.

mod crl;
mod delete;
mod get;
mod kind;
mod list;
mod lists;
mod notifications;
mod profile;
mod rules;
mod session;
mod shape;
mod subject;
mod tags;
mod target;
mod toggle;
mod trust_anchor;

use crate::action::Row;
use delete::Delete;
use get::Get;
use kind::{Crls, Profiles, Subjects, TrustAnchors};
use list::List;
use toggle::{Disable, Enable};

/// The table of Roles Anywhere.
pub(super) static ROWS: &[Row] = &[
    Row::of::<profile::CreateProfile>(),
    Row::of_unsigned::<session::CreateSession>(),
    Row::of::<trust_anchor::CreateTrustAnchor>(),
    Row::of::<profile::DeleteAttributeMapping>(),
    Row::of::<Delete<Crls>>(),
    Row::of::<Delete<Profiles>>(),
    Row::of::<Delete<TrustAnchors>>(),
    Row::of::<Disable<Crls>>(),
    Row::of::<Disable<Profiles>>(),
    Row::of::<Disable<TrustAnchors>>(),
    Row::of::<Enable<Crls>>(),
    Row::of::<Enable<Profiles>>(),
    Row::of::<Enable<TrustAnchors>>(),
    Row::of::<Get<Crls>>(),
    Row::of::<Get<Profiles>>(),
    Row::of::<Get<Subjects>>(),
    Row::of::<Get<TrustAnchors>>(),
    Row::of::<crl::ImportCrl>(),
    Row::of::<List<Crls>>(),
    Row::of::<List<Profiles>>(),
    Row::of::<List<Subjects>>(),
    Row::of::<tags::ListTags>(),
    Row::of::<List<TrustAnchors>>(),
    Row::of::<profile::PutAttributeMapping>(),
    Row::of::<tags::Tag>(),
    Row::of::<tags::Untag>(),
    Row::of::<crl::UpdateCrl>(),
    Row::of::<profile::UpdateProfile>(),
    Row::of::<trust_anchor::UpdateTrustAnchor>(),
];

/// Operations whose effect nobody here would bring about.
pub(super) static NOT_ENABLED: &[Row] = &[
    Row::of::<notifications::PutNotificationSettings>(),
    Row::of::<notifications::ResetNotificationSettings>(),
];

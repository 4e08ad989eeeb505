//! What the four kinds of resources have alike: Get, Delete, Enable, Disable and List are one action each for all of them.

use std::sync::Arc;

use daypass_authn::x509::{Certificate, Crl};
use daypass_directory::AccountView;
use daypass_directory::anywhere::record::{CrlRecord, ProfileRecord, SubjectRecord, TrustAnchorRecord};
use daypass_directory::anywhere::{AnywhereKind, AnywhereRecord, Kept};
use serde::Serialize;

use super::shape::{CrlDetail, ProfileDetail, SubjectDetail, TrustAnchorDetail};

/// A resource of a kind in an account's view.
pub(super) type Found<'v, R> = &'v Arc<Kept<<R as Resource>::Record, <R as Resource>::Read>>;
/// Several, by id.
pub(super) type All<'v, R> = Box<dyn Iterator<Item = Found<'v, R>> + 'v>;

/// One of the kinds.
pub(super) trait Resource: Sized + Send + Sync + 'static {
    /// Its permissions.
    const NAMES: Names;
    /// Member of an answer that holds one.
    const ONE: &'static str;
    /// Member of an answer that holds several.
    const MANY: &'static str;
    /// How messages call it.
    const CALLED: &'static str;
    /// What is stored.
    type Record: AnywhereRecord + Clone + Send + Sync;
    /// What of that is read when it arrives.
    type Read: Send + Sync;
    /// What is shown.
    type Detail: Serialize + Send + Sync;

    /// Which.
    const KIND: AnywhereKind = Self::Record::KIND;

    /// One of the account's by its id.
    fn find<'v>(account: &AccountView<'v>, id: &str) -> Option<Found<'v, Self>>;
    /// All of them, by id.
    fn all<'v>(account: &AccountView<'v>) -> All<'v, Self>;
    /// What is shown of a record; a list shows less of some.
    fn detail(account: &AccountView<'_>, record: &Self::Record, arn: &str, in_list: bool) -> Self::Detail;
}

/// Permissions of a kind.
pub(super) struct Names {
    pub(super) get: &'static str,
    pub(super) delete: &'static str,
    pub(super) enable: &'static str,
    pub(super) disable: &'static str,
    pub(super) list: &'static str,
}

macro_rules! names {
    ($name:literal, $plural:literal) => {
        Names {
            get: concat!("rolesanywhere:Get", $name),
            delete: concat!("rolesanywhere:Delete", $name),
            enable: concat!("rolesanywhere:Enable", $name),
            disable: concat!("rolesanywhere:Disable", $name),
            list: concat!("rolesanywhere:List", $plural),
        }
    };
}

macro_rules! resource {
    ($kind:ident, $record:ty, $read:ty, $detail:ty, $names:expr, $one:literal, $many:literal, $called:literal, $find:ident, $all:ident) => {
        impl Resource for $kind {
            const NAMES: Names = $names;
            const ONE: &'static str = $one;
            const MANY: &'static str = $many;
            const CALLED: &'static str = $called;
            type Record = $record;
            type Read = $read;
            type Detail = $detail;

            fn find<'v>(account: &AccountView<'v>, id: &str) -> Option<Found<'v, Self>> {
                account.$find(id)
            }

            fn all<'v>(account: &AccountView<'v>) -> All<'v, Self> {
                Box::new(account.$all())
            }

            fn detail(account: &AccountView<'_>, record: &$record, arn: &str, in_list: bool) -> $detail {
                <$detail>::of(account, record, arn, in_list)
            }
        }
    };
}

/// Trust anchors.
pub(super) struct TrustAnchors;
resource!(
    TrustAnchors,
    TrustAnchorRecord,
    Vec<Certificate>,
    TrustAnchorDetail,
    names!("TrustAnchor", "TrustAnchors"),
    "trustAnchor",
    "trustAnchors",
    "Trust anchor",
    trust_anchor,
    trust_anchors
);

/// Profiles.
pub(super) struct Profiles;
resource!(
    Profiles,
    ProfileRecord,
    (),
    ProfileDetail,
    names!("Profile", "Profiles"),
    "profile",
    "profiles",
    "Profile",
    anywhere_profile,
    anywhere_profiles
);

/// Lists of revocations.
pub(super) struct Crls;
resource!(Crls, CrlRecord, Crl, CrlDetail, names!("Crl", "Crls"), "crl", "crls", "CRL", crl, crls);

/// Subjects.
pub(super) struct Subjects;
resource!(
    Subjects,
    SubjectRecord,
    (),
    SubjectDetail,
    names!("Subject", "Subjects"),
    "subject",
    "subjects",
    "Subject",
    x509_subject,
    x509_subjects
);

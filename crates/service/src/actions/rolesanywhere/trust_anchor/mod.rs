//! Trust anchors: whose certificates machines may come with.

mod list;

pub(super) use list::ListTrustAnchors;

//! Trust anchors: whose certificates machines may come with.

mod create;
mod source;
mod update;

pub(super) use create::CreateTrustAnchor;
pub(super) use source::CERTIFICATE_BUNDLE;
pub(super) use update::UpdateTrustAnchor;

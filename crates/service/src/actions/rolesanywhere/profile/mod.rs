//! Profiles: which roles holders of certificates may ask for, and how far.

mod create;
mod limits;
mod mappings;
mod update;

pub(super) use create::CreateProfile;
pub(super) use mappings::{DeleteAttributeMapping, PutAttributeMapping};
pub(super) use update::UpdateProfile;

//! Lists of revocations, imported by hand.

mod import;
mod update;

pub(super) use import::ImportCrl;
pub(super) use update::UpdateCrl;

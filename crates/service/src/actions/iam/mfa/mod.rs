//! Virtual MFA devices of users and of the root user: made, assigned by two codes in a row, brought back in step, taken
//! away, deleted. Their tags are with those of the other kinds.

mod create;
mod deactivate;
mod delete;
mod enable;
mod get;
mod list;
mod list_virtual;
mod owner;
mod picture;
mod resync;

pub(super) use create::CreateVirtualMfaDevice;
pub(super) use deactivate::DeactivateMfaDevice;
pub(super) use delete::DeleteVirtualMfaDevice;
pub(super) use enable::EnableMfaDevice;
pub(super) use get::GetMfaDevice;
pub(super) use list::ListMfaDevices;
pub(super) use list_virtual::ListVirtualMfaDevices;
pub(super) use resync::ResyncMfaDevice;

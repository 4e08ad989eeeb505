//! The directory from outside: what it stores, and what it does when the store changes under it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod commit;
mod intercepted;
mod keyring;
mod master;
mod records;
mod revocation;
mod scope;
mod store;

//! An agent over real sockets, against a server of the test's own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod anywhere;
mod credentials;
mod creds;
mod detours;
mod joining;
mod metadata;
mod pods;
mod stub;
mod tasks;
mod world;

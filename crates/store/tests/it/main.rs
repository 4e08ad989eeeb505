//! The store's tests: the conformance suite on each backend, the file, the lock, and kills.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking; clippy excuses only what is inside a test function"
)]

mod backends;
mod backup;
mod damage;
mod displaced;
mod examined;
mod golden;
mod kill;
mod lock;
mod restored;
#[path = "../writer/rules.rs"]
mod rules;
mod sqlite;
mod support;

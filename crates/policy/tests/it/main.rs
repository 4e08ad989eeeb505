//! The policy language through its public API: the case files, the facts one by one, laws over random worlds,
//! a second evaluator, and inputs made to hurt.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail by panicking and print scores; clippy excuses only what is inside a test function"
)]

mod allocations;
mod cases;
mod evaluation;
mod explaining;
mod facts;
mod hostile;
mod model;
mod properties;
mod second;
mod support;
mod trust;

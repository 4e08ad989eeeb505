//! The server and its binary, from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod binary;
mod client;
mod command_line;
mod demo;
mod hangup;
mod secrets;
mod wire;

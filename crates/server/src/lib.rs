//! Sockets and bytes: listeners, wire formats, configuration, the data directory, telemetry, the command line.
//!
//! This room knows HTTP, files and processes, and nothing of policies or records: it hands a
//! [`daypass_service::Request`] down and renders the answer.

mod admin;
mod assemble;
mod audit_file;
pub mod cli;
mod config;
mod data_dir;
mod failure;
mod http;
mod metrics;
mod operator;
mod serve;
mod telemetry;
mod wire;

pub use failure::Failure;

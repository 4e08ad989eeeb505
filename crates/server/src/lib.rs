//! Sockets and bytes: listeners, wire formats, configuration, the data directory, telemetry, the command line.
//!
//! This room knows HTTP, files and processes, and nothing of policies or records: it hands a
//! [`daypass_service::Request`] down and renders the answer.

pub mod admin;
pub mod assemble;
pub mod audit_file;
pub mod cli;
pub mod config;
pub mod data_dir;
mod demo;
mod failure;
pub mod http;
pub mod metrics;
pub mod operator;
pub mod serve;
pub mod telemetry;
pub mod wire;

pub use failure::Failure;

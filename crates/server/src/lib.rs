//! Sockets and bytes: listeners, wire formats, configuration, the data directory, telemetry, the command line.
//!
//! This room knows HTTP, files and processes, and nothing of policies or records: it hands a
//! [`daypass_service::Request`] down and renders the answer.

mod accept;
mod accounts;
mod admin;
mod anchor_metrics;
pub mod assemble;
mod audit_file;
mod banner;
pub mod cli;
mod clock_watch;
mod closing;
pub mod config;
mod data_dir;
mod demo;
mod descriptors;
mod doctor;
mod failure;
mod first_account;
pub mod http;
mod master_rotation;
mod metrics;
mod operator;
mod outbound;
mod pages;
mod preflight;
mod provider_metrics;
mod restore;
mod root_credentials;
mod root_key;
#[cfg(test)]
mod scratch;
mod serve;
mod session_file;
mod signals;
mod telemetry;
mod terminal;
mod tls;
pub mod wire;

pub use data_dir::names::is_ours as is_data_file;
pub use failure::Failure;

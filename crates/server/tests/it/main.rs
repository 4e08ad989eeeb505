//! The server and its binary, from outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "helpers of tests fail by panicking, and have no other users"
)]

mod agreed;
mod binary;
mod client;
mod closing;
mod command_line;
mod condition;
mod demo;
mod descriptors;
mod displaced;
mod doctor;
mod hangup;
mod hostile;
mod http2;
mod keys;
mod left_behind;
mod links;
mod mends;
mod named;
mod pinned;
mod preflight;
mod proxy;
mod published;
mod recovery;
mod refused;
mod rest;
mod restore;
mod secrets;
mod sentences;
mod sessions;
mod settings;
mod signals;
mod signed_bytes;
mod slow;
mod tls;
mod tools;
mod unnamed;
mod visits;
mod wire;

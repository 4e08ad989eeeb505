//! Bytes in, bytes out: from a connection to a [`Request`](daypass_service::Request) and from a
//! [`Response`](daypass_service::Response) to bytes. All limits of size and time are here.

mod body;
mod connection;
mod converse;
mod error;
mod forwarded;
mod published;
mod receive;
mod render;
mod visits;

pub(crate) use connection::serve_with;
pub use connection::{Api, CONNECTIONS_MAX, serve};
pub(crate) use converse::converse;
pub use forwarded::TrustedProxies;

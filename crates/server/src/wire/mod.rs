//! The wire formats: AWS Query and REST in, XML and JSON out. Bytes on one side, serde on the other.
//!
//! No operation has code of its own here. Which format a client asked for, and which status goes
//! with an error, is decided elsewhere. Governing documents: the `awsQuery`, `awsJson1_1`
//! and `restJson1` protocols of Smithy, XML 1.0, the URL Standard (application/x-www-form-urlencoded).

pub mod json;
pub mod query;
pub mod rest;
pub mod xml;

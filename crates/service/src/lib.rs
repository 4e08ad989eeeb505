//! The pipeline and the actions: the life of a call between the wire and what is known.
//!
//! This room knows no HTTP and no database. It takes a [`Request`], walks it through the steps of
//! [`call`] and hands back a [`Response`] for the server to render. What browsers ask, which sign nothing, goes
//! through [`doors`].

pub mod action;
pub mod actions;
mod audit;
mod authenticate;
mod authorization_message;
mod callers;
mod decide;
mod decisions;
pub mod doors;
mod error;
pub mod federation;
mod house;
mod known;
mod line;
mod lineage;
mod machine;
mod network;
pub mod params;
mod passwords;
mod pipeline;
mod request;
pub mod rest;
mod services;
pub mod sessions;
pub mod shapes;
mod why;

pub use audit::{Audit, AuditLog, AuditTraits, Refused, refused};
pub use callers::Callers;
pub use decisions::{DECISION_LOG_HOURS, DecisionLog};
pub use error::Error;
pub use house::{House, REGION_DEFAULT, Settings, region_for_clients};
pub use known::known_actions;
pub use passwords::Passwords;
pub use pipeline::call;
pub use request::{Reply, Request, Response, Serial, Time};
pub use services::{NotRegistered, Services};

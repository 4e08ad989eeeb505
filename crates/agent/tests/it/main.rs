//! An agent over real sockets, against a server of the test's own.

mod credentials;
mod detours;
mod joining;
mod metadata;
mod stub;
mod tasks;
mod world;

//! Machines with certificates: those of the tests of `daypass-authn`, which know nothing of this room.

#[path = "../../../authn/tests/it/x509/machine.rs"]
mod machine;

pub(crate) use machine::{Holder, authority_params, machine_params};

//! A provider that signs tokens: the one of the tests of `daypass-authn`, which knows nothing of this room.

#[path = "../../../authn/tests/it/oidc/issuer.rs"]
mod issuer;

pub(crate) use issuer::{Key, key_set};

//! A provider that signs assertions: the one of the tests of `daypass-authn`, which knows nothing of this room.

#[path = "../../../authn/tests/it/saml/document.rs"]
#[expect(dead_code, reason = "the tests there need more of it")]
mod document;

pub(crate) use document::{
    ASSERTION, IDP, ISSUER, PROVIDER, ROLE, STRANGER, edited, insert, metadata_of, response, signed,
};

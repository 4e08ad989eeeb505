//! SAML from outside: vectors of other implementations, hand-made documents with one fault each, and attacks.

mod attributes;
mod document;
mod encryption;
mod malformed;
mod metadata;
mod mutations;
mod requirements;
mod says;
mod signatures;
mod vectors;
mod wrapping;

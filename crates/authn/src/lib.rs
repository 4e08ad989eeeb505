//! Proof of identity: request signatures, OpenID Connect tokens, SAML assertions, session tokens, one-time codes and passwords.
//!
//! This room answers eight questions. [`sigv4`]: was this request signed with that secret, now, for
//! this service? [`oidc`] and [`saml`]: what does this identity provider say about a user, to us and now? [`token`]: what
//! does this session token say, and did we make it? [`totp`]: which moment's code of a device is this? [`password`]: is
//! this the password that this hash was made of? [`browser`]: is this the browser that a console session was begun in?
//! [`machine`]: did this machine make this call? It refuses to know who holds which access key, device or password, whether a
//! principal still exists, and what anybody may do.
//!
//! Everything is a plain function on values: no async, no clock (`now` is a parameter), no I/O.
//! Randomness is a parameter too; [`SystemRandom`] is the real source for whoever needs one.
//!
//! Governing documents: the AWS IAM User Guide, "AWS Signature Version 4 for API requests"; the
//! Amazon S3 API Reference, "Authenticating Requests"; RFC 5869 (HKDF); RFC 8452 (AES-GCM-SIV); RFC 6238
//! (TOTP); RFC 9106 (Argon2); OpenID Connect Core 1.0 and RFC 7515 to 7519; SAML 2.0 Core and XML Signature 1.1.

pub mod browser;
pub mod machine;
pub mod oidc;
pub mod password;
mod random;
pub mod saml;
pub mod sigv4;
pub mod token;
pub mod totp;
pub mod x509;

pub use random::SystemRandom;

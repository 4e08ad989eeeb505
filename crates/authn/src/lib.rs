//! Proof of identity: request signatures and session tokens.
//!
//! This room answers two questions. [`sigv4`]: was this request signed with that secret, now, for
//! this service? [`token`]: what does this session token say, and did we make it? It refuses to know
//! who holds which access key, whether a principal still exists, and what anybody may do.
//!
//! Everything is a plain function on values: no async, no clock (`now` is a parameter), no I/O.
//! Randomness is a parameter too; [`SystemRandom`] is the real source for whoever needs one.
//!
//! Governing documents: the AWS IAM User Guide, "AWS Signature Version 4 for API requests"; the
//! Amazon S3 API Reference, "Authenticating Requests"; RFC 5869 (HKDF); RFC 8452 (AES-GCM-SIV).

mod random;
pub mod sigv4;
pub mod token;

pub use random::SystemRandom;

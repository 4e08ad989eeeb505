//! A well-formed but unverified claim: "this key signed this request".

use std::fmt;

use jiff::Timestamp;

use super::Algorithm;
use super::region_set::RegionSet;

/// Where the credential stands in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the `Authorization` field.
    Header,
    /// In the query: a presigned request.
    Query,
}

/// The credential scope, without its terminator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `yyyymmdd`.
    pub date: String,
    /// The region the client signed for; empty in Signature Version 4A, whose scope has none. [`Proof::region`] knows
    /// of both.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

/// What a request presents as its proof. Nothing in it is verified until [`verify`](super::verify) says so.
#[derive(Clone)]
pub struct Proof {
    /// How it was signed.
    pub algorithm: Algorithm,
    /// The access key id as given: 1–128 printable ASCII characters.
    pub access_key_id: String,
    /// The scope the signature was made for.
    pub scope: Scope,
    /// The session token, if any came. A credential: never log it.
    pub session_token: Option<String>,
    /// The time the client signed.
    pub time: Timestamp,
    /// Header or query.
    pub place: Place,
    /// The last part of the scope, as given.
    pub(crate) terminator: String,
    /// `yyyymmddThhmmssZ` of `time`.
    pub(crate) time_text: String,
    /// INVARIANT (signed-headers): sorted, distinct, lower-case names joined by `;`; `host` is one of them.
    pub(crate) signed_headers: String,
    /// The signature as given.
    pub(crate) signature: String,
    /// INVARIANT (signed-region-set): there is one exactly with Signature Version 4A, and the signature covers it.
    pub(crate) region_set: Option<RegionSet>,
    /// `X-Amz-Expires` as given (query form only).
    pub(crate) expires: Option<String>,
    /// `X-Amz-Content-Sha256` in the query, as some presigners of S3 send it.
    pub(crate) query_payload_hash: Option<String>,
}

impl Proof {
    /// The one region that the client signed for; empty when Signature Version 4A names several, or a pattern.
    #[must_use]
    pub fn region(&self) -> &str {
        match &self.region_set {
            Some(set) => set.only().unwrap_or_default(),
            None => &self.scope.region,
        }
    }

    /// Whether the signature claims to cover this header field (`name` in lower case).
    #[must_use]
    pub fn signs(&self, name: &str) -> bool {
        self.signed_headers.split(';').any(|signed| signed == name)
    }

    /// The header fields the signature claims to cover, sorted.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }
}

/// Prints neither signature nor session token: within its window a signature can be replayed.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof")
            .field("algorithm", &self.algorithm)
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .field("time", &self.time_text)
            .field("place", &self.place)
            .field("signed_headers", &self.signed_headers)
            .field("has_session_token", &self.session_token.is_some())
            .finish_non_exhaustive()
    }
}

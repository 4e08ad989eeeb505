//! What can be wrong with the proof of a request, in AWS's words.
//!
//! A variant is what happened; [`AuthError::code`] is AWS's error code and `Display` its message. HTTP
//! statuses are the server's table. Messages never echo an `Authorization` field (it may hold a password
//! or a replayable signature): they name its SHA-256 instead, as AWS does.
//!
//! Governing documents: "Common Errors" of the AWS STS API Reference; IAM User Guide, "Troubleshoot
//! Signature Version 4 signing"; "Error responses" of the Amazon S3 API Reference for the S3 family.

use std::fmt;

/// Why a request is not authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// There is no part of a credential.
    MissingAuthenticationToken,
    /// Unknown or inactive access key, or a session token that is missing, malformed or another key's.
    InvalidClientTokenId,
    /// The signature is not the one we calculate. Also an unsigned `host` or `x-amz-*` field and a payload
    /// hash that is not the body's: nothing is said about which.
    SignatureDoesNotMatch,
    /// The scope names another region than the endpoint's, a service that is not asked here, or both.
    Scope {
        /// Whether the region is another.
        region: bool,
        /// Where the service is another: the service, or services, asked here, as the message names them.
        service: Option<String>,
    },
    /// The scope names a service whose requests are never checked for others.
    ScopeElsewhere {
        /// The service.
        given: String,
    },
    /// The scope does not end in `aws4_request`.
    ScopeTerminator {
        /// What it ends in.
        given: String,
    },
    /// The scope's date is not that of the request's time.
    ScopeDate {
        /// `yyyymmdd` in the scope.
        scope: String,
        /// `yyyymmddThhmmssZ` of the request.
        time: String,
    },
    /// The request is older than the window.
    SignatureExpired {
        /// Time of the request, `yyyymmddThhmmssZ`.
        time: String,
        /// Oldest time accepted now.
        limit: String,
        /// The server's time.
        now: String,
        /// The window in minutes.
        minutes: i64,
    },
    /// The request is from further ahead than the window.
    SignatureNotYetCurrent {
        /// Time of the request, `yyyymmddThhmmssZ`.
        time: String,
        /// Newest time accepted now.
        limit: String,
        /// The server's time.
        now: String,
        /// The window in minutes.
        minutes: i64,
    },
    /// S3 family: the request's time is outside the window.
    RequestTimeTooSkewed,
    /// A presigned request outlived its `X-Amz-Expires`.
    PresignedExpired,
    /// `X-Amz-Expires` is missing, not a number, or outside 1–604,800.
    PresignedLifetime {
        /// What is wrong with it, a whole sentence.
        problem: &'static str,
    },
    /// Parts of the `Authorization` field, or its time, are missing.
    AuthorizationRequires {
        /// The whole sentences that name them.
        missing: Vec<&'static str>,
        /// SHA-256 of the field, base64.
        hash: String,
    },
    /// A part of the `Authorization` field has no `=`, or appears twice, or is unknown.
    AuthorizationSyntax {
        /// SHA-256 of the field, base64.
        hash: String,
    },
    /// Authentication parameters are missing in the query.
    QueryRequires {
        /// Their names.
        missing: Vec<&'static str>,
    },
    /// An algorithm or scheme that AWS does not have.
    UnsupportedAlgorithm {
        /// Its name, when it is short and plain enough to repeat.
        given: String,
    },
    /// Signature Version 2 (or an older one), which is switched off, or not for this request.
    SignatureVersion2,
    /// A parameter of Signature Version 2 is missing.
    Version2Missing {
        /// Its name.
        name: &'static str,
    },
    /// A parameter of Signature Version 2 has a value that is none.
    Version2Value {
        /// Its name.
        name: &'static str,
    },
    /// Signature Version 2 with `Timestamp` and `Expires`.
    Version2TwoTimes,
    /// Signature Version 2 too long ago, or from too far ahead.
    Version2Expired {
        /// `Timestamp` or `Expires`.
        name: &'static str,
        /// The time it names, in UTC.
        time: String,
    },
    /// `X-Amz-Region-Set` is missing, unsigned, malformed, or out of place.
    RegionSet {
        /// What is wrong with it, a whole sentence.
        problem: &'static str,
    },
    /// The session token of S3 Express, which daypass does not issue.
    S3SessionToken,
    /// The credential is not `<access key id>/<date>/<region>/<service>/aws4_request`.
    MalformedCredential,
    /// The credential of Signature Version 4A is not `<access key id>/<date>/<service>/aws4_request`.
    MalformedCredentialOf4A,
    /// The request's time is not in ISO 8601 basic format.
    MalformedDate,
    /// `SignedHeaders` is not a sorted list of distinct lower-case names.
    MalformedSignedHeaders,
    /// `host` is not among the signed header fields.
    HostNotSigned,
    /// The request carries two credentials, for instance one in the header and one in the query.
    TwoCredentials,
    /// A field that matters to authentication appears twice.
    RepeatedField {
        /// Its name, one of ours.
        name: &'static str,
    },
    /// A query parameter of authentication is spelled in another case than AWS's.
    ParameterCase {
        /// AWS's spelling.
        name: &'static str,
    },
    /// S3 family: `x-amz-*` fields that the signature does not cover.
    HeadersNotSigned,
    /// S3 family: a streaming payload, which is not accepted yet.
    StreamingPayload,
    /// S3 family: `x-amz-content-sha256` is neither a digest nor a known word.
    PayloadHashSyntax,
    /// S3 family: the body is not the one that was signed.
    PayloadHashMismatch,
    /// The signature covers the body's hash, and whoever asks to check it did not give that hash.
    BodyHashRequired,
    /// Credentials of another kind where only a certificate counts.
    ByCertificateOnly,
    /// The certificate that comes with a request, or one of its chain, cannot be read.
    Certificate {
        /// What is wrong with it, a whole sentence.
        problem: String,
    },
    /// Request line and header fields are too large to look at.
    HeadTooLarge,
}

impl AuthError {
    /// AWS's error code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationToken",
            Self::InvalidClientTokenId => "InvalidClientTokenId",
            Self::SignatureDoesNotMatch
            | Self::HostNotSigned
            | Self::Scope { .. }
            | Self::ScopeElsewhere { .. }
            | Self::ScopeTerminator { .. }
            | Self::ScopeDate { .. }
            | Self::SignatureExpired { .. }
            | Self::SignatureNotYetCurrent { .. } => "SignatureDoesNotMatch",
            Self::RequestTimeTooSkewed => "RequestTimeTooSkewed",
            Self::PresignedExpired | Self::HeadersNotSigned => "AccessDenied",
            Self::PresignedLifetime { .. } => "AuthorizationQueryParametersError",
            Self::AuthorizationRequires { .. }
            | Self::AuthorizationSyntax { .. }
            | Self::QueryRequires { .. }
            | Self::UnsupportedAlgorithm { .. }
            | Self::SignatureVersion2
            | Self::S3SessionToken
            | Self::RegionSet { .. }
            | Self::MalformedCredential
            | Self::MalformedCredentialOf4A
            | Self::MalformedDate
            | Self::MalformedSignedHeaders
            | Self::TwoCredentials
            | Self::ByCertificateOnly
            | Self::RepeatedField { .. }
            | Self::ParameterCase { .. } => "IncompleteSignature",
            Self::Certificate { .. } => "ValidationException",
            Self::StreamingPayload => "NotImplemented",
            Self::PayloadHashSyntax => "InvalidArgument",
            Self::PayloadHashMismatch => "XAmzContentSHA256Mismatch",
            Self::BodyHashRequired | Self::Version2Missing { .. } => "MissingParameter",
            Self::Version2Value { .. } => "InvalidParameterValue",
            Self::Version2TwoTimes => "InvalidParameterCombination",
            Self::Version2Expired { .. } => "RequestExpired",
            Self::HeadTooLarge => "RequestEntityTooLargeException",
        }
    }
}

impl std::error::Error for AuthError {}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check \
                        your AWS Secret Access Key and signing method. Consult the service documentation for \
                        details.";

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // With a blank behind each, as they were recorded against AWS in 2026; before, the region was named.
            Self::Scope { region, service } => {
                if *region {
                    f.write_str("Credential should be scoped to a valid region. ")?;
                }
                match service {
                    Some(expected) => {
                        write!(f, "Credential should be scoped to correct service: '{expected}'. ")
                    }
                    None => Ok(()),
                }
            }
            Self::ScopeElsewhere { given } => {
                write!(f, "Credential should not be scoped to '{given}': it checks its own requests.")
            }
            Self::ScopeTerminator { given } => write!(
                f,
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{given}'."
            ),
            Self::ScopeDate { scope, time } => {
                let day = time.get(..8).unwrap_or(time);
                write!(
                    f,
                    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                     '{scope}' != '{day}', from '{time}'."
                )
            }
            Self::SignatureExpired { time, limit, now, minutes } => {
                write!(f, "Signature expired: {time} is now earlier than {limit} ({now} - {minutes} min.)")
            }
            Self::SignatureNotYetCurrent { time, limit, now, minutes } => {
                write!(
                    f,
                    "Signature not yet current: {time} is still later than {limit} ({now} + {minutes} min.)"
                )
            }
            Self::AuthorizationRequires { missing, hash } => {
                missing.iter().try_for_each(|sentence| write!(f, "{sentence} "))?;
                write!(f, "(Hashed with SHA-256 and encoded with Base64) Authorization={hash}")
            }
            Self::AuthorizationSyntax { hash } => write!(
                f,
                "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and \
                 encoded with Base64): '{hash}'."
            ),
            Self::QueryRequires { missing } => {
                missing
                    .iter()
                    .try_for_each(|name| write!(f, "AWS query-string parameters must include '{name}'. "))?;
                f.write_str("Re-examine the query-string parameters.")
            }
            Self::UnsupportedAlgorithm { given } => write!(f, "Unsupported AWS 'algorithm': '{given}'."),
            Self::RepeatedField { name } => {
                write!(f, "The request signature does not conform to AWS standards: '{name}' appears twice.")
            }
            Self::ParameterCase { name } => write!(
                f,
                "The request signature does not conform to AWS standards: the parameter is spelled '{name}'."
            ),
            Self::PresignedLifetime { problem } | Self::RegionSet { problem } => f.write_str(problem),
            Self::Certificate { problem } => f.write_str(problem),
            Self::Version2Missing { name } => write!(f, "The request must contain the parameter {name}."),
            Self::Version2Value { name } => write!(f, "The value of the parameter {name} is not valid."),
            Self::Version2Expired { name, time } => write!(f, "Request has expired. {name} date is {time}."),
            plain => f.write_str(plain.sentence()),
        }
    }
}

impl AuthError {
    /// The messages that hold no value.
    fn sentence(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "Request is missing Authentication Token",
            Self::InvalidClientTokenId => "The security token included in the request is invalid.",
            Self::RequestTimeTooSkewed => {
                "The difference between the request time and the current time is too large."
            }
            Self::PresignedExpired => "Request has expired",
            Self::SignatureVersion2 => {
                "The authorization mechanism you have provided (Signature Version 2) is not supported. Please \
                 use AWS4-HMAC-SHA256."
            }
            Self::S3SessionToken => {
                "The authorization mechanism you have provided (X-Amz-S3session-Token) is not supported. Please \
                 use X-Amz-Security-Token."
            }
            Self::MalformedCredential => {
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term."
            }
            Self::MalformedCredentialOf4A => {
                "Credential must have exactly 4 slash-delimited elements, e.g. keyid/date/service/term."
            }
            Self::Version2TwoTimes => {
                "The parameter Timestamp may not be used together with the parameter Expires."
            }
            Self::MalformedDate => {
                "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601"
            }
            Self::MalformedSignedHeaders => {
                "'SignedHeaders' must be a sorted list of distinct lower-case header names."
            }
            Self::HostNotSigned => {
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
            }
            Self::TwoCredentials => {
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
                 string parameter or the Authorization header should be specified"
            }
            Self::ByCertificateOnly => {
                "Only a signature by the key of a certificate (AWS4-X509-RSA-SHA256, AWS4-X509-ECDSA-SHA256) counts here."
            }
            Self::HeadersNotSigned => "There were headers present in the request which were not signed",
            Self::StreamingPayload => {
                "A header you provided implies functionality that is not implemented: streaming payload"
            }
            Self::PayloadHashSyntax => {
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid \
                 sha256 value."
            }
            Self::PayloadHashMismatch => {
                "The provided 'x-amz-content-sha256' header does not match what was computed."
            }
            Self::BodyHashRequired => "The SHA-256 of the body is required: the signature covers it.",
            Self::HeadTooLarge => "The request line and headers are too large.",
            _ => MISMATCH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_the_captured_ones() {
        let token = "The security token included in the request is invalid.";
        assert_eq!(AuthError::InvalidClientTokenId.to_string(), token);
        let expired = AuthError::SignatureExpired {
            time: "20160609T184512Z".into(),
            limit: "20160610T013008Z".into(),
            now: "20160610T014508Z".into(),
            minutes: 15,
        };
        assert_eq!(
            expired.to_string(),
            "Signature expired: 20160609T184512Z is now earlier than 20160610T013008Z (20160610T014508Z - 15 min.)"
        );
        let date = AuthError::ScopeDate { scope: "20260115".into(), time: "20260114T235959Z".into() };
        assert_eq!(
            date.to_string(),
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '20260115' != '20260114', from '20260114T235959Z'."
        );
        assert_eq!(date.code(), "SignatureDoesNotMatch");
        assert_eq!(AuthError::SignatureDoesNotMatch.to_string(), MISMATCH);
        assert_eq!(
            AuthError::MissingAuthenticationToken.to_string(),
            "Request is missing Authentication Token"
        );
    }
}

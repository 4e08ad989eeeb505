//! One table: which HTTP status goes with which error code.

use http::StatusCode;

/// The status that AWS's clients expect with `code`. Codes are unique across our services, so one table serves all.
pub(super) fn status(code: &str) -> StatusCode {
    match code {
        "AccessDenied"
        | "MissingAuthenticationToken"
        | "InvalidClientTokenId"
        | "ExpiredToken"
        | "SignatureDoesNotMatch"
        | "InvalidAuthenticationCode"
        | "OptInRequired" => StatusCode::FORBIDDEN,
        "NoSuchEntity" | "MalformedQueryString" => StatusCode::NOT_FOUND,
        "EntityAlreadyExists"
        | "DeleteConflict"
        | "LimitExceeded"
        | "ConcurrentModification"
        | "EntityTemporarilyUnmodifiable" => StatusCode::CONFLICT,
        "RequestTimeoutException" => StatusCode::REQUEST_TIMEOUT,
        "RequestEntityTooLargeException" => StatusCode::PAYLOAD_TOO_LARGE,
        "InternalFailure" | "ServiceFailure" => StatusCode::INTERNAL_SERVER_ERROR,
        "ServiceUnavailable" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

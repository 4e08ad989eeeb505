//! Which HTTP status goes with which error code: what the public models declare, and for the rest two tables.

use daypass_service::shapes::{self, SERVICES};
use http::StatusCode;

/// The status that AWS's clients expect with `code` from this service. Services that speak REST have words and numbers of
/// their own; among the others a code has one status, whichever of them answers it.
pub(super) fn status(service: &str, code: &str) -> StatusCode {
    match shapes::service(service).filter(|service| service.rest) {
        Some(service) => {
            let declared = service.error(code).and_then(|error| StatusCode::from_u16(error.status).ok());
            declared.unwrap_or_else(|| undeclared_by_rest(code))
        }
        None => declared(code).unwrap_or_else(|| undeclared(code)),
    }
}

/// From the models of our other services.
fn declared(code: &str) -> Option<StatusCode> {
    let error = SERVICES.iter().filter(|service| !service.rest).find_map(|service| service.error(code))?;
    StatusCode::from_u16(error.status).ok()
}

/// What AWS's JSON services have in common: "Common errors" in their API references.
fn undeclared_by_rest(code: &str) -> StatusCode {
    match code {
        "AccessDeniedException"
        | "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException" => StatusCode::FORBIDDEN,
        "UnknownOperationException" => StatusCode::NOT_FOUND,
        "ServiceUnavailableException" => StatusCode::SERVICE_UNAVAILABLE,
        other => undeclared(other),
    }
}

/// What AWS's services have in common: "Common Error Types" in the API references of STS and IAM.
fn undeclared(code: &str) -> StatusCode {
    match code {
        "MissingAuthenticationToken"
        | "InvalidClientTokenId"
        | "ExpiredToken"
        | "SignatureDoesNotMatch"
        | "OptInRequired" => StatusCode::FORBIDDEN,
        "MalformedQueryString" => StatusCode::NOT_FOUND,
        "RequestTimeoutException" => StatusCode::REQUEST_TIMEOUT,
        "RequestHeaderFieldsTooLargeException" => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "RequestEntityTooLargeException" => StatusCode::PAYLOAD_TOO_LARGE,
        "InternalFailure" => StatusCode::INTERNAL_SERVER_ERROR,
        "NotImplemented" => StatusCode::NOT_IMPLEMENTED,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_error_has_the_status_of_its_model() {
        for service in SERVICES {
            for error in service.errors {
                let found = status(service.name, error.code).as_u16();
                assert_eq!(found, error.status, "{} {}", service.name, error.code);
            }
        }
        for (code, wanted) in [
            ("ReportInProgress", 404),
            ("IDPRejectedClaim", 403),
            ("PolicyEvaluation", 500),
            ("NameConflict", 409),
        ] {
            assert_eq!(status("iam", code).as_u16(), wanted, "{code}");
        }
    }

    #[test]
    fn every_golden_error_has_the_status_it_was_written_down_with() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../service/tests/golden");
        for service in SERVICES {
            for file in std::fs::read_dir(format!("{golden}/{}", service.name)).unwrap() {
                let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
                let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
                for error in golden["errors"].as_array().unwrap() {
                    let code = error["code"].as_str().unwrap();
                    assert_eq!(error["status"], status(service.name, code).as_u16(), "{error}");
                }
            }
        }
    }

    #[test]
    fn the_table_holds_only_what_no_model_declares() {
        for code in [
            "MissingAuthenticationToken",
            "InvalidClientTokenId",
            "ExpiredToken",
            "SignatureDoesNotMatch",
            "OptInRequired",
            "MalformedQueryString",
            "RequestTimeoutException",
            "RequestEntityTooLargeException",
            "InternalFailure",
            "NotImplemented",
        ] {
            assert_eq!(declared(code), None, "{code}");
            assert_ne!(undeclared(code), StatusCode::BAD_REQUEST, "{code}");
        }
    }

    #[test]
    fn errors_of_our_own_making_have_the_status_their_names_promise() {
        use daypass_service::Error;
        for (error, wanted) in [
            (Error::validation(""), 400),
            (Error::access_denied(""), 403),
            (Error::no_such_entity(""), 404),
            (Error::already_exists(""), 409),
            (Error::limit_exceeded(""), 409),
            (Error::delete_conflict(""), 409),
            (Error::internal("a test"), 500),
            (Error::unavailable(""), 503),
        ] {
            assert_eq!(status("", error.code).as_u16(), wanted, "{}", error.code);
            let code = daypass_service::rest::code("rolesanywhere", error.code);
            let of_rest = if matches!(wanted, 409) { 400 } else { wanted };
            assert!(code == error.code || status("rolesanywhere", code).as_u16() == of_rest, "{code}");
        }
        let head_too_large = daypass_authn::sigv4::AuthError::HeadTooLarge.code();
        assert_eq!(status("", head_too_large), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

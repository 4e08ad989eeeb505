//! How callers of a service that speaks REST and JSON know the errors of this house, whose own words are those of the
//! Query protocol.
//!
//! Source: "Common errors" in the API references of AWS's JSON services, and the errors that their models declare.

use crate::shapes;

/// The code that callers of `service` know. Other services than those that speak REST keep the house's own.
#[must_use]
pub fn code(service: &str, code: &'static str) -> &'static str {
    if !shapes::service(service).is_some_and(|service| service.rest) {
        return code;
    }
    match code {
        "InternalFailure" if service == "eks" => "ServerException",
        "InternalFailure" if service == "eks-auth" => "InternalServerException",
        "InvalidIdentityToken" if service == "eks-auth" => "InvalidTokenException",
        "IDPCommunicationError" if service == "eks-auth" => "ServiceUnavailableException",
        // What is wrong is the association that an administrator made, and not what the agent sends.
        "MalformedPolicyDocument" | "PackedPolicyTooLarge" | "LimitExceeded" if service == "eks-auth" => {
            "InvalidRequestException"
        }
        "LimitExceeded" if service == "eks" => "ResourceLimitExceededException",
        "AccessDenied" => "AccessDeniedException",
        "NoSuchEntity" => "ResourceNotFoundException",
        "ValidationError"
        | "InvalidInput"
        | "InvalidParameterValue"
        | "MalformedInput"
        | "MalformedQueryString"
        | "InvalidIdentityToken"
        | "SerializationException"
        | "MalformedPolicyDocument"
        | "PackedPolicyTooLarge"
        | "LimitExceeded" => match service {
            "eks" | "eks-auth" => "InvalidParameterException",
            _ => "ValidationException",
        },
        "ConcurrentModification" | "ServiceUnavailable" => "ServiceUnavailableException",
        "InvalidAction" => "UnknownOperationException",
        "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
        "IncompleteSignature" => "IncompleteSignatureException",
        "InvalidClientTokenId" => "UnrecognizedClientException",
        "SignatureDoesNotMatch" => "InvalidSignatureException",
        "ExpiredToken" => "ExpiredTokenException",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    //! Codes by service.

    use super::*;

    #[test]
    fn services_of_the_query_protocol_keep_their_codes() {
        for service in ["sts", "iam", "daypass", ""] {
            assert_eq!(code(service, "AccessDenied"), "AccessDenied");
        }
        assert_eq!(code("rolesanywhere", "AccessDenied"), "AccessDeniedException");
        assert_eq!(code("rolesanywhere", "InternalFailure"), "InternalFailure");
        // Once more is the same.
        assert_eq!(code("rolesanywhere", "ValidationException"), "ValidationException");
    }
}

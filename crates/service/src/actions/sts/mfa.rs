//! `SerialNumber` and `TokenCode` of the issuing calls, and AWS's sentences about them.

use daypass_directory::{NotProven, Operation, Scope};

use crate::error::Error;
use crate::house::House;

/// The caller, having proven what it gives a code for. A role session has no device.
///
/// # Errors
/// AccessDenied; 503 when the code cannot be noted as used.
pub(super) async fn prove(
    op: &Operation,
    house: &House,
    scope: Scope,
    serial_number: Option<&str>,
    token_code: Option<&str>,
) -> Result<Scope, Error> {
    let proven = scope.prove_mfa(&house.directory, op, serial_number, token_code).await;
    proven.map_err(|why| {
        let failed = |how: &str| Error::access_denied(format!("MultiFactorAuthentication failed{how} "));
        match why {
            NotProven::Half => failed(", must provide both MFA serial number and one time pass code."),
            NotProven::Unable => failed(
                ", unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
            ),
            NotProven::WrongCode => failed(" with invalid MFA one time pass code."),
            NotProven::NotSpent(error) => error.into(),
        }
    })
}

//! MFA parameters of the issuing calls. There are no MFA devices yet, so no code can be validated: a call
//! that names one is refused in AWS's words and never served as if it had none.

use crate::error::Error;

/// Refuse `SerialNumber` and `TokenCode`.
///
/// # Errors
/// AccessDenied when either is given.
pub(super) fn refuse_unverifiable(
    serial_number: Option<&str>,
    token_code: Option<&str>,
) -> Result<(), Error> {
    match (serial_number, token_code) {
        (None, None) => Ok(()),
        (Some(_), Some(_)) => Err(Error::access_denied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user. ",
        )),
        _ => Err(Error::access_denied(
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code. ",
        )),
    }
}

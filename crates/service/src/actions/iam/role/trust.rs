//! A trust policy as a call passes it: what it may say, how long it may be, and the form it is stored in.

use daypass_directory::View;
use daypass_model::limits::TRUST_POLICY_SIZE_MAX;
use daypass_policy::{Kind, size_without_white_space, validate};

use crate::actions::iam::rules;
use crate::actions::principals;
use crate::error::Error;

/// The text to store, once it is known to be a trust policy whose users and roles exist.
pub(super) fn accepted(view: &View, document: &str) -> Result<String, Error> {
    validate(Kind::Trust, document).map_err(|malformed| Error::malformed_policy(malformed.message))?;
    rules::within("ACLSizePerRole", size_without_white_space(document), TRUST_POLICY_SIZE_MAX)?;
    principals::stored(view, document)
}

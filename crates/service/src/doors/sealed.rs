//! What goes away with somebody and comes back: JSON, sealed for one purpose and context, and the number that tells it from others.

use daypass_authn::token::Purpose;
use daypass_directory::View;
use daypass_model::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::house::House;

/// Seal it. `context` must be given again to open it.
///
/// # Errors
/// PackedPolicyTooLarge: the keyring has no place for so much.
pub(super) fn seal<T: Serialize>(
    house: &House,
    view: &View,
    purpose: Purpose,
    context: &[u8],
    what: &T,
) -> Result<Secret, Error> {
    let text = serde_json::to_vec(what).map_err(|_| Error::internal("what was to be sealed is no JSON"))?;
    // There may be secrets in it.
    let text = Secret::new(text);
    let sealed = view.keyring().seal_message(purpose, context, text.expose(), house.directory.random());
    Ok(Secret::new(sealed?))
}

/// What was sealed for this purpose and context; `None` for whatever else it is.
pub(super) fn open<T: DeserializeOwned>(
    view: &View,
    purpose: Purpose,
    context: &[u8],
    text: &str,
) -> Option<T> {
    let text = view.keyring().open_message(purpose, context, text).ok().map(Secret::new)?;
    serde_json::from_slice(text.expose()).ok()
}

/// How far the clocks of two servers may be apart, in seconds.
const CLOCK_SECONDS: i64 = 60;

/// Whether what was sealed at `at` for so many seconds counts now. What was sealed by a clock that was ahead would for longer.
pub(super) fn is_now(at: i64, seconds: i64, now: i64) -> bool {
    (at.saturating_sub(CLOCK_SECONDS)..at.saturating_add(seconds)).contains(&now)
}

/// By which one is told from others, and spent.
pub(super) fn number(house: &House) -> u64 {
    let mut bytes = [0; 8];
    house.directory.random().fill(&mut bytes);
    u64::from_be_bytes(bytes)
}

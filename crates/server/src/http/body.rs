//! Request bodies: how large one may be, how long it may take, and how much memory all of them may.
//!
//! A body is held whole, because its hash is signed, and it is held before anybody is asked who they are. Few requests
//! of IAM and STS have more than [`SMALL_BYTES_MAX`] to say, so there is little room for those that have.

use std::time::Duration;

use bytes::BytesMut;
use daypass_model::limits::REQUEST_BODY_BYTES_MAX;
use daypass_service::Error;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use tokio::sync::Semaphore;

/// How long a client may take to send a body, and a large one may wait for its place.
const TIME_MAX: Duration = Duration::from_secs(30);
/// How long a place may be held by a body that is not there yet.
const PLACE_TIME_MAX: Duration = Duration::from_secs(5);
/// Bytes that a body may have without a place among the large ones.
const SMALL_BYTES_MAX: usize = 16 * 1024;
/// Larger bodies on their way at once.
const LARGE_MAX: usize = 64;

/// The bodies on their way.
pub(super) struct Bodies {
    large: Semaphore,
}

impl Bodies {
    pub(super) fn new() -> Self {
        Self { large: Semaphore::new(LARGE_MAX) }
    }

    /// The whole of a body.
    ///
    /// # Errors
    /// It is too large or broken off; it, or its place among the large ones, did not come in time.
    pub(super) async fn read(&self, body: Incoming) -> Result<Bytes, Error> {
        let whole = self.collect(Limited::new(body, REQUEST_BODY_BYTES_MAX));
        tokio::time::timeout(TIME_MAX, whole).await.unwrap_or_else(|_| Err(late()))
    }

    async fn collect(&self, mut body: Limited<Incoming>) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        while whole.len() <= SMALL_BYTES_MAX {
            if !extend(&mut whole, &mut body).await? {
                return Ok(whole.freeze());
            }
        }
        let place = self.large.acquire().await.map_err(|_| Error::internal("no places for large bodies"))?;
        let rest = async {
            while extend(&mut whole, &mut body).await? {}
            Ok(())
        };
        tokio::time::timeout(PLACE_TIME_MAX, rest).await.unwrap_or_else(|_| Err(late()))?;
        drop(place);
        Ok(whole.freeze())
    }
}

/// Add what comes next; `false` at the end.
async fn extend(whole: &mut BytesMut, body: &mut Limited<Incoming>) -> Result<bool, Error> {
    let Some(frame) = body.frame().await else { return Ok(false) };
    let frame = frame.map_err(|error| broken(&*error))?;
    // Trailers say nothing to us.
    if let Ok(data) = frame.into_data() {
        whole.extend_from_slice(&data);
    }
    Ok(true)
}

fn late() -> Error {
    Error::new("RequestTimeoutException", "The request body did not arrive in time.")
}

fn broken(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    if error.is::<LengthLimitError>() {
        return Error::new(
            "RequestEntityTooLargeException",
            format!("The request body is larger than {REQUEST_BODY_BYTES_MAX} bytes."),
        );
    }
    Error::new("MalformedInput", "The request body could not be read.")
}

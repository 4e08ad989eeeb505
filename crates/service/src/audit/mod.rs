//! One audit event for each call, whatever its outcome, finished exactly once.
//!
//! The form is CloudTrail's record ("CloudTrail record contents" in the AWS CloudTrail User Guide), one JSON
//! object per line. Where the lines go is the server's business ([`AuditLog`]). No secret is ever in one:
//! sensitive parameters are left out, and of issued credentials only key id and expiry are kept.
//!
//! AWS does not log a call whose credentials prove nobody; we do, without a `userIdentity`. Such lines are
//! rationed, or whoever can reach the port could turn the log over until older evidence is rotated away.

mod answer;
mod event;
mod identity;
mod long;
mod ration;
mod record;
mod refused;
mod said;
mod traits;
mod visit;

use std::pin::Pin;

use daypass_model::rfc3339_seconds;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::Error;

pub(crate) use event::Event;
pub(crate) use identity::SigningIn;
pub(crate) use ration::{Ration, Rations};
pub use refused::{Refused, refused};
pub(crate) use said::names_of_certificate;
pub use traits::AuditTraits;

/// The member that says how many were not.
const NOT_LOGGED: &str = "unprovenCallsNotLogged";

/// Room for one line about the operator.
const OPERATOR_LINE_BYTES_MAX: usize = 4096;

/// Where audit lines go.
pub trait AuditLog: Send + Sync + 'static {
    /// Set room for `bytes` aside; asked before anything is written or issued, and given back by
    /// [`append`](AuditLog::append). What is set aside can be written even if the disk is full by then.
    ///
    /// # Errors
    /// A 503: what cannot be audited is not done.
    fn reserve(&self, bytes: usize) -> Result<(), Error>;

    /// The same for what the operator does, which calls, however many there are, leave room for.
    ///
    /// # Errors
    /// As there.
    fn reserve_operator(&self, bytes: usize) -> Result<(), Error> {
        self.reserve(bytes)
    }

    /// Take one line or several, each with its end, for which `reserved` bytes were set aside. With 0 there
    /// was nothing to reserve for: the lines are kept if there is room. `false` when they cannot be kept.
    fn append(&self, lines: String, reserved: usize) -> bool;

    /// Take lines that room was set aside for, and complete once they are written: then the end of this process does
    /// not lose them. `false` when they cannot be kept.
    fn write(&self, lines: String, reserved: usize) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(std::future::ready(self.append(lines, reserved)))
    }

    /// Give room back that nothing is written into.
    fn give_back(&self, reserved: usize);
}

/// The audit of a house.
pub struct Audit {
    log: Box<dyn AuditLog>,
    unproven: Ration,
    /// Of those whom a provider that is known does not vouch for.
    not_vouched: Rations,
    /// Of those who did not prove that they are a user of an account.
    not_signed_in: Rations,
}

impl Audit {
    /// Audit into this log.
    #[must_use]
    pub fn new(log: Box<dyn AuditLog>) -> Self {
        Self {
            log,
            unproven: Ration::new(
                "too many calls without a proven caller: the audit counts them from here on",
            ),
            not_vouched: Rations::new(
                "too many calls that no identity provider vouches for: the audit counts some of them",
            ),
            not_signed_in: Rations::new("too many sign-ins that failed: the audit counts some of them"),
        }
    }

    /// Set room aside for one [`operator`](Audit::operator) line; asked before anything is done.
    ///
    /// # Errors
    /// A 503: what cannot be audited is not done.
    pub fn reserve_operator(&self) -> Result<(), Error> {
        self.log.reserve_operator(OPERATOR_LINE_BYTES_MAX)
    }

    /// What the operator did through the door of the host, which is no API call and has no principal: an event
    /// of type `AwsServiceEvent`. `done` says what came of it, or why nothing did; it holds no secret. Complete once the
    /// line is written.
    pub async fn operator(&self, id: &str, now: Timestamp, name: &str, done: Result<&str, &str>) {
        let mut event = service_event(id, now, name);
        if let Some(fields) = event.as_object_mut() {
            fields.insert("userIdentity".into(), json!({"type": "Unknown", "invokedBy": "operator"}));
            let (field, text) = match done {
                Ok(text) => ("serviceEventDetails", text),
                Err(text) => ("errorMessage", text),
            };
            fields.insert(
                field.into(),
                text.chars().take(OPERATOR_LINE_BYTES_MAX / 8).collect::<String>().into(),
            );
        }
        if !self.log.write(format!("{event}\n"), OPERATOR_LINE_BYTES_MAX).await {
            tracing::error!(name, "what the operator did could not be audited");
        }
    }

    /// The end of the house. Calls of nobody that we know which have no line are counted in the next one that has,
    /// and after the end there is none: so many get a line of their own.
    pub fn end(&self, id: &str, now: Timestamp) {
        let not_logged = self.unproven.rest() + self.not_vouched.rest() + self.not_signed_in.rest();
        if not_logged == 0 {
            return;
        }
        let mut event = service_event(id, now, "ServerEnd");
        if let Some(fields) = event.as_object_mut() {
            fields.insert("additionalEventData".into(), json!({ NOT_LOGGED: not_logged }));
        }
        if !self.log.append(format!("{event}\n"), 0) {
            tracing::warn!(not_logged, "calls without a proven caller that the audit has no line for");
        }
    }
}

/// What all events have that tell of no call.
fn service_event(id: &str, now: Timestamp, name: &str) -> Value {
    json!({
        "eventVersion": "1.08",
        "eventTime": rfc3339_seconds(now),
        "eventSource": "daypass.amazonaws.com",
        "eventName": name,
        "eventType": "AwsServiceEvent",
        "requestID": id,
        "eventID": id,
        "managementEvent": true,
        "eventCategory": "Management",
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::audit::ration::BURST_MAX;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<String>>);

    impl AuditLog for Lines {
        fn reserve(&self, _: usize) -> Result<(), Error> {
            Ok(())
        }
        fn append(&self, lines: String, _: usize) -> bool {
            self.0.lock().unwrap().push_str(&lines);
            true
        }

        fn give_back(&self, _: usize) {}
    }

    #[test]
    fn the_end_tells_of_unproven_calls_that_no_line_told_of_once() {
        let lines = Lines::default();
        let audit = Audit::new(Box::new(lines.clone()));
        audit.end("id", Timestamp::UNIX_EPOCH);
        assert_eq!(*lines.0.lock().unwrap(), "", "there is nothing to tell");
        let logged = (0..BURST_MAX + 3).filter(|_| audit.unproven.take(1_000_000).is_some());
        assert_eq!(logged.count(), 1000);
        for _ in 0..2 {
            audit.end("id", Timestamp::UNIX_EPOCH);
        }
        let line: Value = serde_json::from_str(&lines.0.lock().unwrap()).unwrap();
        assert_eq!(line["additionalEventData"], json!({"unprovenCallsNotLogged": 3}));
        assert_eq!(
            (&line["eventName"], &line["eventTime"]),
            (&"ServerEnd".into(), &"1970-01-01T00:00:00Z".into())
        );
    }
}

//! What the operator's dashboards read: calls by action and result, how long they took, sessions issued.
//!
//! Labels are bounded: an action that is not in the table counts as `unknown`.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use daypass_service::{Response, actions};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 1.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    service: &'static str,
    action: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Action {
    service: &'static str,
    action: &'static str,
}

/// All metrics of one server.
pub struct Metrics {
    registry: Registry,
    calls: Family<Call, Counter>,
    seconds: Family<Action, Histogram>,
    sessions: Family<Action, Counter>,
    healthy: Gauge<f64, AtomicU64>,
}

/// When a call began.
pub struct Started(Instant);

impl Metrics {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("daypass");
        let calls = Family::default();
        registry.register(
            "requests",
            "Calls by service, action and result (an error code, or ok)",
            calls.clone(),
        );
        let seconds = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        registry.register(
            "request_duration_seconds",
            "Time from the whole request to its result",
            seconds.clone(),
        );
        let sessions = Family::default();
        registry.register("sessions_issued", "Temporary credentials issued, by action", sessions.clone());
        let healthy = Gauge::default();
        registry.register("store_followed", "1 while this node follows the store", healthy.clone());
        Arc::new(Self { registry, calls, seconds, sessions, healthy })
    }

    /// The beginning of a call.
    #[expect(
        clippy::disallowed_methods,
        reason = "durations for a histogram, never compared with anything a client says"
    )]
    pub(crate) fn start(&self) -> Started {
        Started(Instant::now())
    }

    /// Its end.
    pub(crate) fn finish(&self, started: &Started, response: &Response) {
        let row = actions::find(response.service, &response.action);
        let (service, action) = row.map_or(("unknown", "unknown"), |row| row.name);
        let result = response.outcome.as_ref().map_or_else(|error| error.code, |_| "ok");
        self.calls.get_or_create(&Call { service, action, result }).inc();
        self.seconds.get_or_create(&Action { service, action }).observe(started.0.elapsed().as_secs_f64());
        if response.outcome.is_ok()
            && matches!(action, "AssumeRole" | "GetSessionToken" | "GetFederationToken")
        {
            self.sessions.get_or_create(&Action { service, action }).inc();
        }
    }

    /// A request that never became a call, refused with an error of this code.
    pub(crate) fn refused(&self, code: &'static str) {
        self.calls.get_or_create(&Call { service: "unknown", action: "unknown", result: code }).inc();
    }

    /// In the OpenMetrics text format.
    #[must_use]
    pub fn render(&self, follows_store: bool) -> String {
        self.healthy.set(if follows_store { 1.0 } else { 0.0 });
        let mut out = String::new();
        match text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            Err(_) => String::new(),
        }
    }
}

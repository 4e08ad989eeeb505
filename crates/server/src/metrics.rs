//! What the operator's dashboards read: calls by action and result, how long they took, sessions issued.
//!
//! Labels are bounded: an action that is not in the table counts as `unknown`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use daypass_service::doors::Visited;
use daypass_service::federation::KeysHealth;
use daypass_service::{Error, Response, actions};
use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use crate::anchor_metrics::{AnchorEnd, Anchors};
use crate::provider_metrics::Providers;

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
    follows_store: Gauge<f64, AtomicU64>,
    store_writable: Gauge<f64, AtomicU64>,
    audit_writable: Gauge<f64, AtomicU64>,
    audit_lines_lost: Counter,
    sessions_lost: Counter,
    connections: Gauge,
    connections_max: Gauge,
    /// Of the one certificate, where there is one.
    certificate: Family<[(&'static str, &'static str); 0], Gauge>,
    providers: Arc<Providers>,
    anchors: Arc<Anchors>,
}

/// What `/readyz` goes by, and what else is asked of others when somebody looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    /// This node follows the store.
    pub(crate) follows_store: bool,
    /// Its last commit came through.
    pub(crate) store_writable: bool,
    /// So does the audit.
    pub(crate) audit_writable: bool,
    /// Lines that it did not keep, since the start.
    pub(crate) audit_lines_lost: u64,
    /// Sessions that the session log or its file does not have, since the start.
    pub(crate) sessions_lost: u64,
    /// The end of the TLS certificate in use.
    pub(crate) certificate_until: Option<Timestamp>,
}

/// A connection to the API, counted until this is dropped.
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A call that began. One that is dropped before it was finished panicked, and counts as a failure of ours.
pub(crate) struct Started<'a> {
    metrics: &'a Metrics,
    action: Action,
    issues: bool,
    begun: Instant,
    finished: bool,
}

impl Metrics {
    /// Everything at zero, for a server that started then.
    #[must_use]
    pub fn new(started: Timestamp) -> Arc<Self> {
        let mut registry = Registry::with_prefix("daypass");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", version);
        let start = Gauge::<f64, AtomicU64>::default();
        start.set(started.as_duration().as_secs_f64());
        registry.register("start_time_seconds", "When this server started, in Unix time", start);
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
        let sessions = Family::<Action, Counter>::default();
        // At zero from the start on: a rate is known of what has been seen before it grows.
        for (service, action) in actions::all().filter(|row| row.issues).map(|row| row.name) {
            drop(sessions.get_or_create(&Action { service, action }));
        }
        registry.register("sessions_issued", "Temporary credentials issued, by action", sessions.clone());
        let [follows_store, store_writable, audit_writable] = [
            ("store_followed", "1 while this node follows the store"),
            ("store_writable", "1 while commits to the store come through"),
            ("audit_writable", "1 while the audit can be written"),
        ]
        .map(|(name, help)| registered(&mut registry, name, help));
        let help = "Audit lines that were not kept: of reads and refusals, with the disk too far behind";
        let audit_lines_lost: Counter = registered(&mut registry, "audit_lines_lost", help);
        let help = "Sessions issued that the session log does not have, or that its file does not have";
        let sessions_lost: Counter = registered(&mut registry, "session_log_lost", help);
        let connections: Gauge = registered(&mut registry, "connections", "Connections to the API");
        let help = "Connections to the API at most";
        let connections_max: Gauge = registered(&mut registry, "connections_max", help);
        let certificate = Family::default();
        let help = "When the TLS certificate in use ends, in Unix time; absent without TLS";
        registry.register("tls_certificate_expiry_seconds", help, certificate.clone());
        let providers = Arc::<Providers>::default();
        registry.register_collector(Box::new(providers.clone()));
        let anchors = Arc::<Anchors>::default();
        registry.register_collector(Box::new(anchors.clone()));
        Arc::new(Self {
            registry,
            calls,
            seconds,
            sessions,
            follows_store,
            store_writable,
            audit_writable,
            audit_lines_lost,
            sessions_lost,
            connections,
            connections_max,
            certificate,
            providers,
            anchors,
        })
    }

    /// The beginning of a call to this action of this service.
    #[expect(
        clippy::disallowed_methods,
        reason = "durations for a histogram, never compared with anything a client says"
    )]
    pub(crate) fn start(&self, service: &str, action: &str) -> Started<'_> {
        let row = actions::find(service, action);
        let (service, action) = row.map_or(("unknown", "unknown"), |row| row.name);
        let (action, issues) = (Action { service, action }, row.is_some_and(|row| row.issues));
        Started { metrics: self, action, issues, begun: Instant::now(), finished: false }
    }

    /// The beginning of a visit at a door for people. What it is shows when it is finished.
    pub(crate) fn start_visit(&self) -> Started<'_> {
        self.start("signin", "")
    }

    /// More connections than these wait.
    pub(crate) fn connections_at_most(&self, max: usize) {
        self.connections_max.set(i64::try_from(max).unwrap_or(i64::MAX));
    }

    /// One connection more.
    pub(crate) fn connected(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }

    /// A request that never became a call, refused with an error of this code.
    pub(crate) fn refused(&self, code: &'static str) {
        self.calls.get_or_create(&Call { service: "unknown", action: "unknown", result: code }).inc();
    }

    /// How the server is now.
    pub(crate) fn observe(&self, condition: Condition) {
        for (gauge, holds) in [
            (&self.follows_store, condition.follows_store),
            (&self.store_writable, condition.store_writable),
            (&self.audit_writable, condition.audit_writable),
        ] {
            gauge.set(if holds { 1.0 } else { 0.0 });
        }
        if let Some(until) = condition.certificate_until {
            self.certificate.get_or_create(&[]).set(until.as_second());
        }
        // Two who look at once must not make it go back.
        self.audit_lines_lost.inner().fetch_max(condition.audit_lines_lost, Ordering::SeqCst);
        self.sessions_lost.inner().fetch_max(condition.sessions_lost, Ordering::SeqCst);
    }

    /// How it stands with the keys of identity providers now.
    pub(crate) fn observe_providers(&self, health: Vec<KeysHealth>, now: Timestamp) {
        self.providers.observe(health, now.as_second());
    }

    /// When the certificates of trust anchors end.
    pub(crate) fn observe_anchors(&self, ends: Vec<AnchorEnd>) {
        self.anchors.observe(ends);
    }

    /// In the OpenMetrics text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        match text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            Err(_) => String::new(),
        }
    }
}

/// A metric at zero.
fn registered<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

impl Started<'_> {
    /// The end of the call.
    pub(crate) fn finish(mut self, response: &Response) {
        self.count(response.outcome.as_ref().map_or_else(|error| error.code, |_| "ok"));
        if response.outcome.is_ok() && self.issues {
            self.metrics.sessions.get_or_create(&self.action).inc();
        }
    }

    /// The end of a visit.
    pub(crate) fn finish_visit(mut self, visited: &Visited) {
        self.action = Action { service: "signin", action: visited.name };
        self.count(visited.error().map_or("ok", |error| error.code));
    }

    fn count(&mut self, result: &'static str) {
        self.finished = true;
        let Action { service, action } = self.action;
        self.metrics.calls.get_or_create(&Call { service, action, result }).inc();
        self.metrics.seconds.get_or_create(&self.action).observe(self.begun.elapsed().as_secs_f64());
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.count(Error::internal("a call panicked").code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_panicked_is_counted_as_a_failure() {
        let metrics = Metrics::new(Timestamp::UNIX_EPOCH);
        let call = std::panic::AssertUnwindSafe(|| {
            let _started = metrics.start("sts", "AssumeRole");
            panic!("a bug");
        });
        assert!(std::panic::catch_unwind(call).is_err());
        let text = metrics.render();
        let line = r#"daypass_requests_total{service="sts",action="AssumeRole",result="InternalFailure"} 1"#;
        assert!(text.contains(line), "{text}");
        let none = r#"daypass_sessions_issued_total{service="sts",action="AssumeRole"} 0"#;
        assert!(text.contains(none) && text.contains("# TYPE daypass_sessions_issued counter"), "{text}");
    }

    #[test]
    fn a_call_that_ended_is_counted_once_and_names_nobody_chose_are_bounded() {
        let metrics = Metrics::new(Timestamp::UNIX_EPOCH);
        let (request_id, action) = (String::new(), "x".repeat(9));
        let response =
            Response { request_id, service: "sts", action, outcome: Err(Error::internal("a test")) };
        metrics.start(response.service, &response.action).finish(&response);
        let text = metrics.render();
        let line = r#"daypass_requests_total{service="unknown",action="unknown",result="InternalFailure"} 1"#;
        assert!(text.contains(line), "{text}");
    }
}

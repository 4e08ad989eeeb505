//! What the operator's dashboards read of trust anchors: when the first of an anchor's certificates ends. After that day nobody
//! comes in by it, and the one who notices should not be the fleet.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use daypass_directory::View;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// Anchors that are told of: those that end first.
const ANCHORS_MAX: usize = 1000;

/// An enabled trust anchor of any account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AnchorEnd {
    /// When the first of its certificates ends, in Unix seconds.
    pub(crate) at: i64,
    /// Its ARN.
    pub(crate) arn: String,
}

/// The ends of all of them.
pub(crate) fn ends(view: &View) -> Vec<AnchorEnd> {
    let accounts = view.account_ids().into_iter().filter_map(|id| view.operator().account(id));
    let anchors = accounts.flat_map(|account| account.trust_anchors());
    let enabled = anchors.filter(|anchor| anchor.record.common.enabled);
    let end = |anchor: &daypass_directory::anywhere::TrustAnchor| {
        let at = anchor.read.iter().map(|certificate| certificate.not_after()).min()?;
        Some(AnchorEnd { at, arn: anchor.arn.clone() })
    };
    enabled.filter_map(|anchor| end(anchor)).collect()
}

/// As they were when somebody looked last.
#[derive(Debug, Default)]
pub(crate) struct Anchors(Mutex<Vec<AnchorEnd>>);

impl Anchors {
    /// Those that end first, first.
    pub(crate) fn observe(&self, mut ends: Vec<AnchorEnd>) {
        ends.sort();
        ends.truncate(ANCHORS_MAX);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }
}

impl Collector for Anchors {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let help = "When the first certificate of an enabled trust anchor ends, in Unix time";
        let mut family =
            encoder.encode_descriptor("trust_anchor_expiry_seconds", help, None, MetricType::Gauge)?;
        for end in ends.iter() {
            let labels = [("trust_anchor", end.arn.as_str())];
            ConstGauge::new(end.at).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    //! Which are told of.

    use super::*;
    use crate::metrics::Metrics;
    use jiff::Timestamp;

    #[test]
    fn the_anchors_that_end_first_are_told_of_and_a_thousand_at_most() {
        let metrics = Metrics::new(Timestamp::UNIX_EPOCH);
        let arn = |n: i64| format!("arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/{n}");
        metrics.observe_anchors((0..1_500).map(|n| AnchorEnd { at: 3_000 - n, arn: arn(n) }).collect());
        let text = metrics.render();
        let line = |n| format!("daypass_trust_anchor_expiry_seconds{{trust_anchor=\"{}\"}} ", arn(n));
        assert!(text.contains(&format!("{}1501\n", line(1_499))), "{text}");
        assert!(!text.contains(&line(499)) && text.contains(&line(500)));
        metrics.observe_anchors(Vec::new());
        assert!(
            !metrics.render().contains("expiry_seconds{trust_anchor"),
            "one that is gone is told of no more"
        );
    }
}

//! What the operator's dashboards read of identity providers: how old their keys are, and for how long they cannot be had.
//!
//! Providers come and go, and their names with them: they are told as they are when somebody looks, and so many of them only.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use daypass_service::federation::KeysHealth;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// Providers that are told of: those that fail first.
const PROVIDERS_MAX: usize = 1000;

/// As they were when somebody looked last.
#[derive(Debug, Default)]
pub(crate) struct Providers(Mutex<Vec<Told>>);

#[derive(Debug)]
struct Told {
    provider: String,
    /// In seconds, where it ever gave its keys.
    age: Option<i64>,
    /// For how long it has not given them, in seconds.
    failing: i64,
}

impl Providers {
    /// How it stands with them, those that fail first.
    pub(crate) fn observe(&self, health: Vec<KeysHealth>, now: i64) {
        let since = |at: i64| now.saturating_sub(at).max(0);
        let told = |health: KeysHealth| Told {
            provider: health.provider,
            age: health.fetched_at.map(since),
            // From the first failure on it shows.
            failing: health.failing_since.map_or(0, |at| since(at).max(1)),
        };
        let told = health.into_iter().take(PROVIDERS_MAX).map(told).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}

impl Collector for Providers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let providers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ages = providers.iter().filter_map(|told| Some((&told.provider, told.age?))).collect::<Vec<_>>();
        let failing = providers.iter().map(|told| (&told.provider, told.failing)).collect();
        for (name, help, values) in [
            ("provider_keys_age_seconds", "Time since an identity provider's keys were fetched", ages),
            (
                "provider_failing_seconds",
                "For how long an identity provider has not answered as it should; 0 while it does",
                failing,
            ),
        ] {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (provider, value) in values {
                let labels = [("provider", provider.as_str())];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use jiff::Timestamp;

    #[test]
    fn providers_are_told_of_as_they_are_now_and_a_thousand_at_most() {
        let metrics = Metrics::new(Timestamp::UNIX_EPOCH);
        let health = |n: usize, fetched_at, failing_since| KeysHealth {
            provider: format!("arn:aws:iam::111122223333:oidc-provider/{n}.example"),
            fetched_at,
            failing_since,
        };
        let now = Timestamp::from_second(1_000).unwrap();
        metrics.observe_providers(vec![health(1, Some(400), Some(900)), health(2, None, Some(1_000))], now);
        let text = metrics.render();
        for line in [
            r#"daypass_provider_keys_age_seconds{provider="arn:aws:iam::111122223333:oidc-provider/1.example"} 600"#,
            r#"daypass_provider_failing_seconds{provider="arn:aws:iam::111122223333:oidc-provider/1.example"} 100"#,
            r#"daypass_provider_failing_seconds{provider="arn:aws:iam::111122223333:oidc-provider/2.example"} 1"#,
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(
            !text.contains(r#"age_seconds{provider="arn:aws:iam::111122223333:oidc-provider/2.example"}"#)
        );
        metrics.observe_providers((0..1_500).map(|n| health(n, Some(1_000), None)).collect(), now);
        let text = metrics.render();
        assert_eq!(text.lines().filter(|line| line.contains("failing_seconds{")).count(), 1_000);
        assert!(text.contains("oidc-provider/3.example\"} 0"), "{text}");
    }
}

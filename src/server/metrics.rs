//! What the server counts about itself, in Prometheus' text format.
//!
//! Each [`Metrics`] has its own registry: two servers in one process, for instance in tests, do not mix.

use std::sync::Arc;
use std::time::Duration;

use ::metrics::{Key, KeyName, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

const REQUESTS: &str = "svod_http_requests_total";
const DURATION: &str = "svod_http_request_duration_seconds";
const SNAPSHOT: &str = "svod_snapshot_number";
const FRESHNESS: &str = "svod_freshness_seconds";
const ROWS: &str = "svod_snapshot_rows";
const PUSHED: &str = "svod_push_pending_bytes";

/// Upper bounds of the duration histogram, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

static METADATA: Metadata<'static> = Metadata::new("svod", Level::INFO, Some("svod"));

/// Counters and gauges of one server.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl Metrics {
    /// An empty registry with its descriptions.
    #[must_use]
    pub fn new() -> Self {
        let builder = PrometheusBuilder::new();
        let recorder = builder.set_buckets(&BUCKETS).unwrap_or_default().build_recorder();
        recorder.describe_counter(KeyName::from(REQUESTS), None, "Requests by route and status".into());
        recorder.describe_histogram(KeyName::from(DURATION), Some(Unit::Seconds), "Time to answer, by route".into());
        recorder.describe_gauge(KeyName::from(SNAPSHOT), None, "Number of the snapshot that is read".into());
        recorder.describe_gauge(
            KeyName::from(FRESHNESS),
            Some(Unit::Seconds),
            "Seconds since the last event of a pipeline".into(),
        );
        recorder.describe_gauge(KeyName::from(ROWS), None, "Rows of a table in the snapshot".into());
        recorder.describe_gauge(
            KeyName::from(PUSHED),
            Some(Unit::Bytes),
            "Pushed bytes that wait for the next run of a pipeline".into(),
        );
        let handle = recorder.handle();
        Self { recorder: Arc::new(recorder), handle }
    }

    /// Notes one answered request; `route` is the pattern of the path, never the path itself.
    pub fn observe_request(&self, route: &str, status: u16, duration: Duration) {
        let route = Label::new("route", route.to_owned());
        let labels = vec![route.clone(), Label::new("status", status.to_string())];
        self.recorder.register_counter(&Key::from_parts(REQUESTS, labels), &METADATA).increment(1);
        self.recorder
            .register_histogram(&Key::from_parts(DURATION, vec![route]), &METADATA)
            .record(duration.as_secs_f64());
    }

    /// Sets the number of the snapshot that is read.
    pub fn set_snapshot(&self, number: u64) {
        self.set(SNAPSHOT, vec![], as_gauge(number));
    }

    /// Sets the age of the last event of a pipeline.
    pub fn set_freshness(&self, pipeline: &str, age: chrono::Duration) {
        self.set(FRESHNESS, vec![Label::new("pipeline", pipeline.to_owned())], age.as_seconds_f64());
    }

    /// Sets the rows of a table.
    pub fn set_rows(&self, table: &str, n_rows: u64) {
        self.set(ROWS, vec![Label::new("table", table.to_owned())], as_gauge(n_rows));
    }

    /// Sets the pushed bytes that wait for the next run of a pipeline.
    pub fn set_pending(&self, pipeline: &str, n_bytes: u64) {
        self.set(PUSHED, vec![Label::new("pipeline", pipeline.to_owned())], as_gauge(n_bytes));
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    fn set(&self, name: &'static str, labels: Vec<Label>, value: f64) {
        self.recorder.register_gauge(&Key::from_parts(name, labels), &METADATA).set(value);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and counts of rows stay below 2^53")]
fn as_gauge(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route() {
        let metrics = Metrics::new();
        metrics.observe_request("/dashboards/{id}", 200, Duration::from_millis(3));
        metrics.set_rows("cases", 7);
        let text = metrics.render();
        assert!(text.contains("svod_http_requests_total{route=\"/dashboards/{id}\",status=\"200\"} 1"), "{text}");
        assert!(text.contains("svod_snapshot_rows{table=\"cases\"} 7"), "{text}");
    }
}

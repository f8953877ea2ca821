//! What each step of a refresh takes, told to the log at the level `debug`: `SVOD_LOG=svod=debug svod run`.

use std::time::Instant;

/// Measures the steps of one model, or of what all models share, one after the other.
pub(super) struct Stopwatch<'a> {
    model: &'a str,
    since: Instant,
}

impl<'a> Stopwatch<'a> {
    /// Starts with the first step of a model.
    pub(super) fn start(model: &'a str) -> Self {
        Self { model, since: Instant::now() }
    }

    /// Tells how long the step took that ends here; the next one begins.
    pub(super) fn lap(&mut self, step: &str) {
        let now = Instant::now();
        let millis = u64::try_from((now - self.since).as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(model = self.model, step, millis, "a step of the refresh");
        self.since = now;
    }
}

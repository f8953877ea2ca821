//! How far long work is: one line that changes on a terminal, plain lines where there is none.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use super::output;

/// Tells steps on standard error.
pub(super) struct Steps {
    bar: Option<ProgressBar>,
    last: Mutex<String>,
}

impl Steps {
    /// Nothing is told before the first step.
    pub(super) fn start() -> Self {
        let bar = output::is_watched().then(|| {
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        Self { bar, last: Mutex::default() }
    }

    /// Tells a step, once.
    pub(super) fn tell(&self, step: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(step.to_owned());
            bar.tick();
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *last != step {
            output::error_line(step);
            step.clone_into(&mut last);
        }
    }

    /// Tells how far a step is: on a terminal alone, where it replaces the step's line.
    pub(super) fn tell_count(&self, step: &str, n_done: usize, n_all: usize) {
        match &self.bar {
            Some(_) => self.tell(&format!("{step}: {n_done} of {n_all}")),
            None => self.tell(step),
        }
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

//! The server: pages for people and an API for programs over one core.
//!
//! A handler turns a request into domain types, makes one call into the core and wraps the answer. Pages are
//! rendered here, with plotted SVG and tables, and work without JavaScript. Nothing here computes a figure, and
//! nothing prints: the caller learns the bound address and tells it.

mod assets;
mod batches;
mod conditional;
mod dashboards;
mod error;
mod explanations;
mod extract;
mod health;
mod indicators;
mod metrics;
mod observe;
mod openapi;
mod pages;
mod params;
mod passport;
mod pipelines;
mod push;
mod push_refusal;
mod receipts;
mod router;
mod runs;
mod snapshots;
mod state;
mod theme;
mod values;
mod view;
mod widgets;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use error::Problem;
pub use openapi::openapi;
pub(crate) use passport::IndicatorResponse;
pub use router::{Route, router, routes};
pub use state::App;

/// Longest wait for open requests after the signal to stop.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);

/// Why the server could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not allowed.
    #[error("cannot listen at `{bind}`")]
    Bind {
        /// The address.
        bind: SocketAddr,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The signals to stop cannot be heard.
    #[error("cannot listen to the signals of the system")]
    Signals(#[source] std::io::Error),
    /// The schedule cannot be kept.
    #[error("cannot keep the schedule")]
    Schedule(#[source] std::io::Error),
    /// Serving ended with an error.
    #[error("cannot serve")]
    Serve(#[source] std::io::Error),
}

/// Serves and keeps the schedule until SIGTERM or ctrl-c, then finishes open requests and stops runs.
/// `on_bound` learns the address, whose port may have
/// been chosen by the system.
///
/// # Errors
/// [`ServeError`], if the address cannot be bound or the system refuses to go on.
pub async fn serve(app: App, bind: SocketAddr, on_bound: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let listener = TcpListener::bind(bind).await.map_err(|cause| ServeError::Bind { bind, cause })?;
    let signals = StopSignals::listen().map_err(ServeError::Signals)?;
    let runner = Arc::clone(app.runner());
    if let Err(error) = runner.unfinished() {
        tracing::error!(error = error::chain(&error), "the runs before this start cannot be looked at");
    }
    let schedule = runner.keep_schedule().map_err(ServeError::Schedule)?;
    on_bound(listener.local_addr().map_err(|cause| ServeError::Bind { bind, cause })?);
    let (stop, mut stopped) = watch::channel(false);
    tokio::spawn(async move {
        signals.heard().await;
        let _ = stop.send(true);
    });
    let mut graceful = stopped.clone();
    let serving = axum::serve(listener, router(app)).with_graceful_shutdown(async move {
        let _ = graceful.wait_for(|stopped| *stopped).await;
    });
    let farewell = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(LONGEST_FAREWELL).await;
    };
    let ended = tokio::select! {
        ended = serving => ended.map_err(ServeError::Serve),
        () = farewell => Ok(()),
    };
    let stopping = tokio::task::spawn_blocking(move || {
        runner.stop(LONGEST_FAREWELL);
        // Its thread only looks at the clock, so it ends at once.
        schedule.map(std::thread::JoinHandle::join)
    });
    let _ = stopping.await;
    ended
}

/// The signals that ask a server to stop.
struct StopSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn heard(mut self) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn heard(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

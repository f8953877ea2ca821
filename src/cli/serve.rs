//! `svod serve`.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;

use super::context::Context;
use super::{CliError, Place, output};
use crate::server::{App, serve as serve_app};
use crate::warehouse::Snapshots;

/// Where to listen.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod serve
  svod serve --bind 0.0.0.0:80
  svod serve --bind 127.0.0.1:0      a free port, which is printed")]
pub(super) struct ServeArguments {
    /// Address and port; the one of svod.yaml if not said
    #[arg(long, value_name = "ADDR", env = "SVOD_BIND")]
    pub(super) bind: Option<SocketAddr>,
}

/// Serves until it is asked to stop.
pub(super) fn serve(place: &Place, arguments: &ServeArguments) -> Result<(), CliError> {
    serve_context(Context::open(place)?, arguments)
}

/// Serves an open warehouse until the program is asked to stop.
pub(super) fn serve_context(context: Context, arguments: &ServeArguments) -> Result<(), CliError> {
    let bind = arguments.bind.unwrap_or(context.project.settings.bind);
    let Context { project, data_dir, clock, engine, runtime } = context;
    let snapshots = Snapshots::new(&data_dir);
    let app = App::new(Arc::clone(&project), engine, snapshots, data_dir, clock);
    runtime
        .block_on(serve_app(app, bind, |address| output::line(&format!("serving http://{address}"))))
        .map_err(CliError::failed)
}

//! `svod demo`.

use super::context::Context;
use super::headline::headlines;
use super::ingest::{RunArguments, run_context};
use super::serve::{ServeArguments, serve_context};
use super::{CliError, Place, output};

/// Ingests what the pipelines find, prints the tiles of every dashboard, and serves.
pub(super) fn demo(place: &Place, arguments: &ServeArguments) -> Result<(), CliError> {
    let context = Context::open(place)?;
    run_context(&context, &RunArguments::default())?;
    context.block_on(print_headline(&context))?;
    serve_context(context, arguments)
}

/// One line per tile: what a reader of the dashboards sees first.
async fn print_headline(context: &Context) -> Result<(), CliError> {
    let tiles = headlines(&context.project, &context.engine, &context.data_dir, context.clock).await?;
    let rows = tiles.iter().map(|tile| [tile.dashboard.clone(), tile.title.clone(), tile.shown(), tile.period.clone()]);
    output::line(&output::table(&["сводка", "показатель", "значение", "период"], rows, 9));
    Ok(())
}

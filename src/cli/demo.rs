//! `svod demo`.

use super::context::Context;
use super::ingest::{RunArguments, run_context};
use super::serve::{ServeArguments, serve_context};
use super::{CliError, Place, output};
use crate::dashboards::{Freshness, Sources, WidgetKind, WidgetRequest, build_widget};
use crate::domain::language::Lang;
use crate::domain::table::display_figure;
use crate::indicators::Scope;
use crate::warehouse::Snapshots;

/// Ingests what the pipelines find, prints the tiles of every dashboard, and serves.
pub(super) fn demo(place: &Place, arguments: &ServeArguments) -> Result<(), CliError> {
    let context = Context::open(place)?;
    run_context(&context, &RunArguments::default())?;
    context.block_on(print_headline(&context))?;
    serve_context(context, arguments)
}

/// One line per tile: what a reader of the dashboards sees first.
async fn print_headline(context: &Context) -> Result<(), CliError> {
    let project = &context.project;
    let Some(snapshot) = Snapshots::new(&context.data_dir).latest().map_err(CliError::failed)? else {
        return Ok(());
    };
    let last_event_at = snapshot.last_event_at();
    let sources = Sources {
        engine: &context.engine,
        reference: &project.reference,
        freshness: Freshness { last_event_at, last_event_on: snapshot.last_event_on },
        today: context.clock.today(project.settings.time_zone),
    };
    let lang = Lang::Ru;
    let request = WidgetRequest::default();
    let mut rows = Vec::new();
    for dashboard in &project.dashboards {
        for widget in dashboard.widgets.iter().filter(|widget| widget.kind == WidgetKind::Tile) {
            let data =
                build_widget(&sources, &Scope::all(), dashboard, widget, &request).await.map_err(CliError::failed)?;
            let value = data.total.as_ref().map(|total| display_figure(total.figure(), data.decimals, lang));
            rows.push([
                dashboard.title.get(lang).to_owned(),
                data.title.clone(),
                format!("{} {}", value.unwrap_or_default(), data.unit.symbol),
                data.period_label.clone(),
            ]);
        }
    }
    output::line(&output::table(&["сводка", "показатель", "значение", "период"], rows, 9));
    Ok(())
}

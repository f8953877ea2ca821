//! The headline figures: the tiles of every dashboard, as their readers see them first.

use std::path::Path;

use super::CliError;
use crate::clock::Clock;
use crate::dashboards::{Freshness, Sources, Total, WidgetKind, WidgetRequest, build_widget};
use crate::domain::language::Lang;
use crate::domain::number::format_change;
use crate::domain::table::display_figure;
use crate::indicators::{Engine, Scope};
use crate::project::Project;
use crate::warehouse::Snapshots;

/// Language of what is printed.
const LANG: Lang = Lang::Ru;

/// One tile.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Headline {
    pub(super) dashboard: String,
    pub(super) title: String,
    pub(super) period: String,
    pub(super) value: Option<f64>,
    shown: String,
    decimals: usize,
    unit: String,
}

impl Headline {
    /// The value with its unit.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.shown, self.unit).trim().to_owned()
    }

    /// How the value differs from an earlier one of the same tile; `=` where it does not.
    pub(super) fn change_from(&self, before: Option<&Self>) -> String {
        match (before.and_then(|before| before.value), self.value) {
            (None, None) => "=".to_owned(),
            (Some(before), Some(now)) if before.total_cmp(&now).is_eq() => "=".to_owned(),
            (Some(before), Some(now)) => format_change(now - before, self.decimals, LANG),
            (None, Some(_)) => "впервые".to_owned(),
            (Some(_), None) => "пропало".to_owned(),
        }
    }
}

/// The tiles of every dashboard; nothing where nothing was ever published.
pub(super) async fn headlines(
    project: &Project,
    engine: &Engine,
    data_dir: &Path,
    clock: Clock,
) -> Result<Vec<Headline>, CliError> {
    let Some(snapshot) = Snapshots::new(data_dir).latest().map_err(CliError::failed)? else {
        return Ok(Vec::new());
    };
    let last_event_at = snapshot.last_event_at();
    let sources = Sources {
        engine,
        freshness: Freshness { last_event_at, last_event_on: snapshot.last_event_on },
        today: clock.today(project.settings.time_zone),
    };
    let request = WidgetRequest::default();
    let mut tiles = Vec::new();
    for dashboard in &project.dashboards {
        for widget in dashboard.widgets.iter().filter(|widget| widget.kind == WidgetKind::Tile) {
            let data =
                build_widget(&sources, &Scope::all(), dashboard, widget, &request).await.map_err(CliError::failed)?;
            let figure = data.total.as_ref().map(Total::figure);
            tiles.push(Headline {
                dashboard: dashboard.title.get(LANG).to_owned(),
                title: data.title,
                period: data.period_label,
                value: figure.and_then(|figure| figure.value),
                shown: figure.map(|figure| display_figure(figure, data.decimals, LANG)).unwrap_or_default(),
                decimals: data.decimals,
                unit: data.unit.symbol,
            });
        }
    }
    Ok(tiles)
}

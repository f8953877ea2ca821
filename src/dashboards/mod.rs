//! Dashboards: what a page shows, declared in `dashboards/*.yaml`, and the figures of its widgets.
//!
//! ```text
//! dashboards/*.yaml ──▶ RawDashboard ──check──▶ Dashboard ──build_widget──▶ WidgetData ──▶ Chart, Table, JSON
//! ```
//!
//! A widget is indicators and a shape, never SQL. Knows nothing of HTTP nor of pages.

mod assemble;
mod build;
mod chart;
mod check;
mod context;
mod coverage;
mod declaration;
mod judge;
mod kind;
mod milestones;
mod passport;
mod rows;
mod table;
mod vocabulary;
mod widget;
mod words;

use std::path::Path;

use crate::declarations::{Problems, Source, list_files};
use crate::indicators::Catalog;
use crate::warehouse::reference::Reference;

pub use build::{Sources, WidgetError, WidgetRequest, build_widget};
pub use context::describe_indicator;
pub use coverage::{Coverage, build_coverage};
pub use declaration::{DASHBOARDS_FOLDER, Dashboard, DefaultPeriod, RawDashboard, Widget};
pub use kind::{Compare, Sort, WidgetKind};
pub use passport::passport_rows;
pub use widget::{
    ChangeKind, Comparison, Dimension, Filter, Freshness, Key, Light, Milestone, Passport, Place, Row, Series,
    SnapshotMark, Status, Total, Unit, WidgetData,
};

impl Dashboard {
    /// Reads and checks every file of [`DASHBOARDS_FOLDER`], in the order of the menu.
    ///
    /// # Errors
    /// Every problem of every file, with its place.
    pub fn load_all(project: &Path, catalog: &Catalog, reference: &Reference) -> Result<Vec<Self>, Problems> {
        let vocabulary = vocabulary::gather(catalog, reference);
        let mut problems = Problems::new();
        let mut dashboards = Vec::new();
        for path in list_files(project, DASHBOARDS_FOLDER, ".yaml")? {
            let checked = Source::read(project, &path).and_then(|source| check::check_dashboard(&source, &vocabulary));
            dashboards.extend(problems.keep(checked));
        }
        dashboards.sort_by(|one, other| one.order.cmp(&other.order).then_with(|| one.id.cmp(&other.id)));
        problems.into_result(dashboards)
    }
}

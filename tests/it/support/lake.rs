//! Everything that a run leaves, to be compared with what another run left.

use std::collections::BTreeMap;
use std::sync::Arc;

use svod::clock::Clock;
use svod::domain::period::Grain;
use svod::indicators::{Engine, Query, Scope};
use svod::project::Project;
use svod::warehouse::Lake;
use tokio::runtime::Runtime;

use super::{NOW, Program};

/// Rows of tables, sorted.
type Rows = BTreeMap<String, Vec<String>>;

/// Everything that the lake and the entities hold, but for ids and moments that differ between any two runs.
pub(crate) fn whole_lake(program: &Program) -> Rows {
    let opened = Opened::new(program);
    let tables = opened.runtime.block_on(opened.engine.table_names(None)).unwrap();
    assert!(tables.iter().any(|table| table == "cases"), "{tables:?}");
    tables.iter().map(|table| (table.clone(), opened.rows(table))).collect()
}

/// The same of some tables.
pub(crate) fn tables_of(program: &Program, tables: &[&str]) -> Rows {
    let opened = Opened::new(program);
    tables.iter().map(|table| ((*table).to_owned(), opened.rows(table))).collect()
}

/// Figures that depend on everything that came in.
pub(crate) fn headline_figures(program: &Program) -> String {
    let opened = Opened::new(program);
    let cuts = [
        ("appeals", "status"),
        ("support_rate", "status"),
        ("passports", "municipality"),
        ("cards_issued", "municipality"),
        ("kpi_value", "kpi"),
        ("rows_rejected", "pipeline"),
    ];
    let figures = cuts.map(|(indicator, dimension)| {
        let query = Query::of(indicator).by(dimension).grain(Grain::Month);
        let figures = opened.runtime.block_on(opened.engine.query(&Scope::all(), &query)).unwrap();
        format!("{indicator}: {:#?}\n", figures.rows)
    });
    figures.concat()
}

/// A warehouse opened in this process, so that the project is loaded once for many questions.
struct Opened {
    runtime: Runtime,
    engine: Engine,
}

impl Opened {
    fn new(program: &Program) -> Self {
        let project = Project::load(&program.project).unwrap();
        let runtime = Runtime::new().unwrap();
        let data_dir = program.data.path();
        let lake = runtime.block_on(Lake::open_at(data_dir, project.settings.lake.as_ref())).unwrap();
        let (catalog, reference) = (Arc::clone(&project.indicators), Arc::clone(&project.reference));
        let clock = Clock::Fixed(NOW.parse().unwrap());
        let engine = Engine::over_lake(lake, catalog, reference, project.settings.time_zone, data_dir, clock).unwrap();
        Self { runtime, engine }
    }

    fn rows(&self, table: &str) -> Vec<String> {
        let text = format!("SELECT * FROM {table}");
        let batches = self.runtime.block_on(self.engine.sql(&Scope::all(), &text, None)).unwrap();
        let mut writer = arrow::csv::Writer::new(Vec::new());
        for batch in &batches {
            writer.write(batch).unwrap();
        }
        let text = writer.into_inner();
        let mut records = csv::Reader::from_reader(text.as_slice());
        let header = records.headers().unwrap().clone();
        let changing = ["run", "started_at", "finished_at", "quarantine"];
        let mut rows: Vec<String> = records
            .records()
            .map(|record| {
                let record = record.unwrap();
                let kept = header.iter().zip(&record).filter(|(name, _)| !changing.contains(name));
                kept.map(|(name, value)| format!("{name}={value};")).collect()
            })
            .collect();
        rows.sort_unstable();
        rows
    }
}

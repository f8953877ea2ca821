//! Everything that a run leaves, to be compared with what another run left.

use std::collections::BTreeMap;

use super::Program;

/// Everything that the lake and the entities hold, but for ids and moments that differ between any two runs.
pub(crate) fn whole_lake(program: &Program) -> BTreeMap<String, Vec<String>> {
    let listing = program.succeed(["sql"]);
    let tables: Vec<&str> = listing.lines().collect();
    assert!(tables.contains(&"cases"), "{tables:?}");
    tables_of(program, &tables)
}

/// The same of some tables.
pub(crate) fn tables_of(program: &Program, tables: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut lake = BTreeMap::new();
    for table in tables {
        let text = program.succeed(["sql", "--format", "csv", &format!("SELECT * FROM {table}")]);
        let mut records = csv::Reader::from_reader(text.as_bytes());
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
        lake.insert((*table).to_owned(), rows);
    }
    lake
}

/// Figures that depend on everything that came in.
pub(crate) fn headline_figures(program: &Program) -> String {
    ["appeals", "support_rate", "passports", "cards_issued", "kpi_value", "rows_rejected"]
        .map(|indicator| {
            let by = match indicator {
                "kpi_value" => "kpi",
                "rows_rejected" => "pipeline",
                "passports" | "cards_issued" => "municipality",
                _ => "status",
            };
            program.succeed(["query", indicator, "--by", by, "--grain", "month", "--format", "csv"])
        })
        .concat()
}

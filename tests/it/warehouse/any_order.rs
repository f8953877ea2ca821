//! Whatever order events come in, and however often: every model makes the same entities of them.

use std::path::Path;

use duckdb::Connection;
use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::Value;
use svod::warehouse::contracts::{Contract, Contracts};
use svod::warehouse::models::{Model, Versions};
use svod::warehouse::reference::Reference;
use svod::warehouse::samples::check_samples;

use super::small_project::time_zone;
use crate::support::project_root;
use crate::support::warehouse::sample_warehouse;

fn shipped() -> (Contracts, Vec<Model>) {
    let reference = Reference::load(&project_root()).unwrap();
    let contracts = Contracts::load(&project_root(), &reference).unwrap();
    let models = Model::load_all(&project_root(), &contracts, &reference).unwrap();
    (contracts, models)
}

/// Samples of a model with the events of each table shuffled and some of them repeated. Versions of one event keep their
/// order, for without a `recorded_at` the place in the file tells which is the later one; a repetition stands beside its event.
fn shuffled(text: &str, contracts: &Contracts, mut random: impl FnMut(usize) -> usize) -> String {
    let mut samples: Vec<IndexMap<String, Value>> = serde_saphyr::from_str(text).unwrap();
    for sample in &mut samples {
        for (table, rows) in sample["events"].as_object_mut().unwrap() {
            let key: Vec<&str> =
                contracts.get(table).unwrap().key().iter().map(|column| column.name.as_str()).collect();
            let mut versions: IndexMap<String, Vec<Value>> = IndexMap::new();
            for row in rows.as_array().unwrap() {
                let identity: Vec<&Value> = key.iter().map(|column| &row[*column]).collect();
                versions.entry(format!("{identity:?}")).or_default().push(row.clone());
            }
            let mut identities: Vec<Vec<Value>> = versions.into_values().collect();
            for place in (1..identities.len()).rev() {
                identities.swap(place, random(place + 1));
            }
            let repeat = identities.iter().flatten().flat_map(|row| vec![row.clone(); 1 + random(3)]);
            *rows = repeat.collect::<Vec<_>>().into();
        }
    }
    serde_json::to_string(&samples).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]

    #[test]
    fn shuffled_and_repeated_samples_come_out_the_same(choices in proptest::collection::vec(0_usize..1_000_000, 64)) {
        let (contracts, models) = shipped();
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(folder.path().join("sql/models")).unwrap();
        for model in &models {
            let path = model.source.path.with_extension("samples.yaml");
            let text = fs_err::read_to_string(project_root().join(&path)).unwrap();
            let mut turn = 0;
            let changed = shuffled(&text, &contracts, |below| {
                turn += 1;
                (choices[turn % choices.len()] + turn) % below
            });
            fs_err::write(folder.path().join(&path), changed).unwrap();
            let checked = check_samples(folder.path(), model, &contracts, time_zone());
            prop_assert!(checked.is_ok(), "{}: {}", model.name, checked.unwrap_err());
        }
    }
}

/// The entities that a model makes of the events in `lake`, each as one text, in order.
fn fold(model: &Model, contracts: &Contracts, lake: &Path, order: &str) -> Vec<String> {
    let duckdb = Connection::open_in_memory().unwrap();
    for table in &model.from {
        let contract = contracts.get(table).unwrap();
        duckdb.execute_batch(&view_of(contract, model, lake, order)).unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    for list in &model.lists {
        let columns: Vec<String> = list.column_names().map(|name| format!("\"{name}\" VARCHAR")).collect();
        duckdb.execute_batch(&format!("CREATE TABLE \"{}\" ({})", list.name, columns.join(", "))).unwrap();
        let mut appender = duckdb.appender(&list.name).unwrap();
        for code in list.codes() {
            let cells = list.column_names().map(|name| list.value(code, name).filter(|cell| !cell.is_empty()));
            appender.append_row(duckdb::appender_params_from_iter(cells)).unwrap();
        }
    }
    let columns: Vec<String> = model.columns.fields().iter().map(|field| format!("\"{}\"", field.name())).collect();
    let sql = format!("SELECT row({})::VARCHAR FROM (\n{}\n) ORDER BY 1", columns.join(", "), model.sql);
    let mut statement = duckdb.prepare(&sql).unwrap_or_else(|error| panic!("{}: {error}", model.name));
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The events of a table as a model sees them, by a statement written for this test. In the changed order a third of the
/// events stands there twice.
fn view_of(contract: &Contract, model: &Model, lake: &Path, order: &str) -> String {
    let files = lake.join(format!("lake/events/{}/**/*.parquet", contract.table));
    let key: Vec<String> = contract.key().iter().map(|column| format!("\"{}\"", column.name)).collect();
    let belongs: Vec<String> = model.key.iter().map(|column| format!("\"{column}\" IS NOT NULL")).collect();
    let repeated = if order == "_row" { "" } else { "UNION ALL SELECT * FROM told WHERE _row % 3 = 0" };
    let last = match model.versions {
        Versions::Last => format!(
            "QUALIFY row_number() OVER (PARTITION BY {} ORDER BY recorded_at DESC NULLS LAST, _batch DESC, _row DESC) = 1",
            key.join(", ")
        ),
        Versions::All => String::new(),
    };
    format!(
        "CREATE TABLE \"{table}\" AS
         WITH told AS (SELECT * REPLACE (make_timestamp(epoch_us(occurred_at)) AS occurred_at,
             make_timestamp(epoch_us(recorded_at)) AS recorded_at), date_trunc('month', occurred_on)::DATE AS occurred_month,
             CAST({subject} AS VARCHAR) AS subject_id FROM read_parquet('{files}', union_by_name = TRUE))
         SELECT * FROM (SELECT * FROM told {repeated}) WHERE {belongs} {last} ORDER BY {order}",
        table = contract.table,
        files = files.display(),
        subject = key[0],
        belongs = belongs.join(" AND "),
    )
}

#[test]
fn shuffled_and_repeated_events_of_the_samples_make_the_same_entities() {
    let (contracts, models) = shipped();
    for model in &models {
        let expected = fold(model, &contracts, sample_warehouse(), "_row");
        assert!(!expected.is_empty(), "{}", model.name);
        for order in ["_row DESC", "hash(_key_hash, _row)"] {
            let found = fold(model, &contracts, sample_warehouse(), order);
            let different = expected.iter().zip(&found).find(|(one, other)| one != other);
            assert!(different.is_none() && expected.len() == found.len(), "{} by {order}: {different:?}", model.name);
        }
    }
}

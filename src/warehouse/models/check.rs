//! From a model as written to a model that can be folded, with every problem at its place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};

use crate::declarations::{Problems, Source, Spanned};

use super::super::contracts::{Contract, Contracts};
use super::super::event_views::{OCCURRED_MONTH, SUBJECT_ID};
use super::super::reference::{CodeList, Reference};
use super::super::regulations::{REGULATIONS_FOLDER, Regulations};
use super::prepare::Workbench;
use super::{CompiledFrom, Dimension, Model, RUNS, RawModel, Versions};

/// What a model is checked against.
pub(super) struct Surroundings<'a> {
    pub(super) contracts: &'a Contracts,
    pub(super) reference: &'a Reference,
    /// None where they are wrong.
    pub(super) regulations: Option<&'a Regulations>,
    pub(super) workbench: &'a Workbench,
}

/// A checked model.
pub(super) fn check_model(project: &Path, path: &Path, around: &Surroundings<'_>) -> Result<Model, Problems> {
    let Surroundings { contracts, reference, workbench, .. } = *around;
    let source = Source::read(project, path)?;
    let raw: RawModel = source.parse()?;
    let mut problems = Problems::new();
    let sql = match raw.compiled_from {
        None => problems.keep(Source::read(project, &path.with_extension("sql"))),
        Some(CompiledFrom::Regulations) => problems.keep(compile_regulations(&source, &raw, around)),
    };
    check_texts(&source, path, &raw, &mut problems);
    let from = check_tables(&source, &raw, contracts, &mut problems);
    check_dimensions(&source, &raw, reference, &mut problems);
    let lists = check_lists(&source, &raw, reference, &mut problems);
    let (Some(sql), Some(from), Some(lists)) = (sql, from, lists) else { return Err(problems) };
    let Some(columns) = problems.keep(workbench.result_columns(&sql, &from, &lists)) else { return Err(problems) };
    check_columns(&source, &raw, &columns, &mut problems);
    let hash = hash_of(&raw, &sql, &from, &lists);
    let dimensions = raw.dimensions.iter().map(|dimension| Dimension {
        name: dimension.name.value.clone(),
        title: dimension.title.value.clone(),
        list: dimension.list.as_ref().map(|list| list.value.clone()),
        expr: dimension.expr.as_ref().map(|expr| expr.value.clone()),
    });
    problems.into_result(Model {
        name: raw.model.value.clone(),
        grain: raw.grain.value.clone(),
        description: raw.description.value.clone(),
        from: raw.from.iter().map(|table| table.value.clone()).collect(),
        key: raw.key.iter().map(|column| column.value.clone()).collect(),
        versions: raw.versions,
        // Clocks start with an event; what other SQL makes of a code list nobody knows.
        is_of_events: lists.is_empty() || raw.compiled_from == Some(CompiledFrom::Regulations),
        lists: lists.into_iter().cloned().collect(),
        month: raw.month.value.clone(),
        dimensions: dimensions.collect(),
        sql: sql.text,
        columns: Arc::new(columns),
        hash,
        sql_path: sql.path,
        source: source.clone(),
    })
}

/// The SQL of the regulations, all of whose tables the model has to read.
fn compile_regulations(source: &Source, raw: &RawModel, around: &Surroundings<'_>) -> Result<Source, Problems> {
    let mut problems = Problems::new();
    let Some(regulations) = around.regulations else { return Err(problems) };
    for regulation in
        regulations.iter().filter(|regulation| raw.from.iter().all(|table| table.value != regulation.raw.table.value))
    {
        let table = &regulation.raw.table;
        let message = format!("the model `{}` does not read the event table `{}`", raw.model.value, table.value);
        problems.push(
            regulation.source.problem(table, message).help(format!("add it to `from` in {}", source.path.display())),
        );
    }
    if regulations.is_empty() {
        problems.push(source.problem(&raw.model, format!("there are no regulations in {REGULATIONS_FOLDER}")));
    }
    let path = PathBuf::from(REGULATIONS_FOLDER);
    problems.into_result(Source { path, text: regulations.sql(around.contracts, around.reference) })
}

fn check_texts(source: &Source, path: &Path, raw: &RawModel, problems: &mut Problems) {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if raw.model.value != stem {
        let problem = source.problem(&raw.model, format!("`model`: expected `{stem}`, found `{}`", raw.model.value));
        problems.push(problem.help("the name of the entity is the name of its file"));
    }
    if raw.model.value == RUNS {
        problems.push(source.problem(&raw.model, format!("the entity `{RUNS}` is built in")));
    }
    for (key, text) in [("grain", &raw.grain), ("description", &raw.description)] {
        if text.trim().is_empty() {
            problems.push(source.problem(text, format!("`{key}` is empty")));
        }
    }
}

/// The contracts of the event tables, if all are known.
fn check_tables<'a>(
    source: &Source,
    raw: &RawModel,
    contracts: &'a Contracts,
    problems: &mut Problems,
) -> Option<Vec<&'a Contract>> {
    let mut found = Vec::new();
    for table in &raw.from {
        if let Some(contract) = contracts.get(table) {
            found.push(contract);
        } else {
            let problem = source.problem(table, format!("there is no event table `{}`", table.value));
            problems.push(problem.suggest(table, contracts.tables()));
        }
    }
    if raw.from.is_empty() {
        problems.push(source.problem(&raw.model, "`from` names no event table"));
    }
    if raw.key.is_empty() {
        problems.push(source.problem(&raw.model, "`key` names no column"));
    }
    for (column, contract) in raw.key.iter().flat_map(|column| found.iter().map(move |contract| (column, contract))) {
        // A corrected event may leave the group of its earlier versions unless the key is part of its identity.
        let (what, known): (_, Vec<&str>) = match raw.versions {
            Versions::Last => {
                let key = contract.key().into_iter().map(|known| known.name.as_str());
                ("key column", key.chain([SUBJECT_ID]).collect())
            }
            Versions::All => {
                ("column", contract.lake_columns().map(|known| known.name.as_str()).chain([OCCURRED_MONTH]).collect())
            }
        };
        if !known.contains(&column.value.as_str()) {
            let message = format!("`{}` is no {what} of the event table `{}`", column.value, contract.table);
            problems.push(source.problem(column, message).suggest(column, known));
        }
    }
    (!found.is_empty() && found.len() == raw.from.len()).then_some(found)
}

/// The code lists that the SQL reads, if all are known.
fn check_lists<'a>(
    source: &Source,
    raw: &RawModel,
    reference: &'a Reference,
    problems: &mut Problems,
) -> Option<Vec<&'a CodeList>> {
    let mut found = Vec::new();
    for list in &raw.lists {
        if raw.from.iter().any(|table| table.value == list.value) {
            let message = format!("the code list `{}` has the name of an event table that the model reads", list.value);
            problems.push(source.problem(list, message));
        } else if let Some(known) = reference.list(list) {
            found.push(known);
        } else {
            let problem = source.problem(list, format!("there is no code list `{}`", list.value));
            problems.push(problem.suggest(list, reference.names()));
        }
    }
    (found.len() == raw.lists.len()).then_some(found)
}

fn check_dimensions(source: &Source, raw: &RawModel, reference: &Reference, problems: &mut Problems) {
    for (index, dimension) in raw.dimensions.iter().enumerate() {
        if raw.dimensions.iter().take(index).any(|other| other.name.value == dimension.name.value) {
            let message = format!("the dimension `{}` stands twice", dimension.name.value);
            problems.push(source.problem(&dimension.name, message));
        }
        if dimension.title.ru.trim().is_empty() || dimension.title.en.trim().is_empty() {
            problems.push(source.problem(&dimension.title, "`title` is empty"));
        }
        if let Some(list) = dimension.list.as_ref().filter(|list| reference.list(list).is_none()) {
            let problem = source.problem(list, format!("there is no code list `{}`", list.value));
            problems.push(problem.suggest(list, reference.names()));
        }
    }
}

/// The key, the month and plain dimensions are columns of the result.
fn check_columns(source: &Source, raw: &RawModel, columns: &Schema, problems: &mut Problems) {
    let known = || columns.fields().iter().map(|field| field.name().as_str());
    let mut missing = |column: &Spanned<String>| {
        let problem = source.problem(column, format!("the result has no column `{}`", column.value));
        problems.push(problem.suggest(column, known()));
    };
    let plain = raw.dimensions.iter().filter(|dimension| dimension.expr.is_none()).map(|dimension| &dimension.name);
    for column in raw.key.iter().chain(plain).chain([&raw.month]) {
        if columns.field_with_name(column).is_err() {
            missing(column);
        }
    }
    if columns.field_with_name(&raw.month).is_ok_and(|field| *field.data_type() != DataType::Date32) {
        problems.push(source.problem(&raw.month, format!("`{}` is not a DATE", raw.month.value)));
    }
}

/// Hash of all that decides what the rows are: the SQL, the key, the month, the columns of the events and the code lists.
fn hash_of(raw: &RawModel, sql: &Source, from: &[&Contract], lists: &[&CodeList]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &str| {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    };
    add(&sql.text);
    raw.key.iter().chain([&raw.month]).for_each(|column| add(column));
    for contract in from {
        add(&contract.table);
        contract.key().iter().for_each(|column| add(&column.name));
        for field in contract.arrow_schema().fields() {
            add(field.name());
            add(&field.data_type().to_string());
        }
    }
    if raw.versions == Versions::All {
        add("all versions");
    }
    for list in lists {
        add(&list.name);
        for column in list.column_names() {
            add(column);
            list.column(column).unwrap_or_default().iter().for_each(|value| add(value));
        }
    }
    hasher.finalize().to_hex().to_string()
}

//! `svod query`.

use clap::{Args, ValueEnum};
use indexmap::IndexMap;

use super::context::Context;
use super::{CliError, Place, output};
use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};
use crate::domain::table::{TableColumn, state_meaning};
use crate::indicators::{Against, Cumulate, PlanVersion, Query, QueryError, Scope};
use crate::reports::{CsvFlavour, IndicatorValues, write_csv};

/// What to compute.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod query appeals
  svod query support_rate --by municipality --from 2026-01 --to 2026-06
  svod query kpi_value --by kpi --from 2024 --to 2024 --grain month --format csv
  svod query appeals --where region=36000000 --grain quarter --as-of 3
  svod query kpi_value --by kpi --from 2024 --to 2024 --plan current
  svod query appeals --from 2026 --to 2026 --grain month --compare previous,year-ago --cumulative year --rolling 12")]
pub(super) struct QueryArguments {
    /// Id of an indicator, as in sql/indicators/
    indicator: String,
    /// Dimension to cut by; may be repeated
    #[arg(long, value_name = "DIM")]
    by: Vec<String>,
    /// Value that a dimension must have; repeated values of one dimension are alternatives
    #[arg(long = "where", value_name = "DIM=VALUE", value_parser = parse_filter)]
    filters: Vec<(String, String)>,
    /// First day, month, quarter or year: 2024, 2024-Q1, 2024-03, 2024-03-15
    #[arg(long, value_name = "POINT")]
    from: Option<String>,
    /// Last day, month, quarter or year, included
    #[arg(long, value_name = "POINT")]
    to: Option<String>,
    /// Length of a time bucket: day, week, month, quarter, half-year, year
    #[arg(long)]
    grain: Option<Grain>,
    /// What each value is compared with: previous, year-ago, or both
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    compare: Vec<Against>,
    /// Running total beside each value, anew with every month, quarter, half-year or year, or with the period
    #[arg(long, value_name = "SPAN")]
    cumulative: Option<Cumulate>,
    /// Value over the last N buckets beside each one
    #[arg(long, value_name = "N")]
    rolling: Option<u32>,
    /// Give each value per working day as well
    #[arg(long)]
    per_working_day: bool,
    /// Give the share of each row in the sum of its bucket as well
    #[arg(long)]
    share: bool,
    /// Number of an older snapshot
    #[arg(long, value_name = "N")]
    as_of: Option<u64>,
    /// Put the plan beside each value: initial, current, or that of a day, 2024-03-15
    #[arg(long, value_name = "VERSION")]
    plan: Option<PlanVersion>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Language of names: ru or en
    #[arg(long, default_value_t = Lang::Ru)]
    lang: Lang,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For reading.
    Table,
    /// One document, as the API gives it.
    Json,
    /// Commas, no byte order mark, a point in decimals.
    Csv,
}

pub(super) fn parse_filter(text: &str) -> Result<(String, String), String> {
    let (dimension, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form DIM=VALUE"))?;
    Ok((dimension.trim().to_owned(), value.trim().to_owned()))
}

impl QueryArguments {
    fn query(&self) -> Result<Query, CliError> {
        let mut filters: IndexMap<String, Vec<String>> = IndexMap::new();
        for (dimension, value) in &self.filters {
            filters.entry(dimension.clone()).or_default().push(value.clone());
        }
        let period = match (&self.from, &self.to) {
            (None, None) => None,
            (Some(from), Some(to)) => Some(Period::parse(from, to).map_err(CliError::argument)?),
            (Some(only), None) => Some(Period::parse(only, "9999").map_err(CliError::argument)?),
            (None, Some(only)) => Some(Period::parse("1900", only).map_err(CliError::argument)?),
        };
        Ok(Query {
            indicator: self.indicator.clone(),
            by: self.by.clone(),
            filters,
            period,
            grain: self.grain,
            as_of: self.as_of,
            compare: self.compare.clone(),
            cumulate: self.cumulative,
            rolling: self.rolling,
            per_working_day: self.per_working_day,
            share: self.share,
            coverage: true,
        })
    }
}

/// Computes one indicator and prints it.
pub(super) fn query(place: &Place, arguments: &QueryArguments) -> Result<(), CliError> {
    let query = arguments.query()?;
    let context = Context::open(place)?;
    let figures = context.block_on(context.engine.query(&Scope::all(), &query)).map_err(of_query)?;
    let definitions = context.block_on(context.engine.definitions(query.as_of)).map_err(of_query)?;
    let indicator = definitions.catalog.get(&query.indicator).ok_or_else(|| CliError::argument(query.indicator))?;
    let lang = arguments.lang;
    let plan = arguments.plan.map(|version| (definitions.catalog.plans(), version));
    let values = IndicatorValues::of(indicator, figures, &definitions.reference, plan, lang);
    match arguments.format {
        Format::Json => output::line(&serde_json::to_string_pretty(&values).map_err(CliError::failed)?),
        Format::Csv => output::bytes(write_csv(&values.table(lang, true), CsvFlavour::Machine).as_bytes()),
        Format::Table => print_for_people(&values, lang),
    }
    Ok(())
}

fn print_for_people(values: &IndicatorValues, lang: Lang) {
    let table = values.table(lang, false);
    let header: Vec<String> = table.columns.iter().map(TableColumn::heading).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let first_number = table.columns.iter().position(TableColumn::is_number).unwrap_or(0);
    output::line(&format!("{} · {} · {}", table.title, table.subtitle, snapshot_words(values.snapshot, lang)));
    output::line(&output::table(&header, table.displayed_rows(lang), first_number));
    for state in table.states() {
        output::line(state_meaning(state, lang));
    }
}

fn snapshot_words(number: u64, lang: Lang) -> String {
    format!("{} {number}", lang.pick("снимок", "snapshot"))
}

/// A query that another query would mend is a wrong argument; anything else a failure.
pub(super) fn of_query(error: QueryError) -> CliError {
    if error.is_of_the_query() { CliError::argument(error) } else { CliError::failed(error) }
}

//! `svod verify-figure`.

use arrow::util::pretty::pretty_format_batches;
use clap::Args;

use super::context::Context;
use super::query::of_query;
use super::{CliError, Place, output};
use crate::domain::language::Lang;
use crate::domain::number::{format_date, format_number};
use crate::indicators::{Indicator, Outcome, Receipt, Scope, Seen, Verification};
use crate::project::Project;

/// Which figure, and how much of it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod verify-figure svod1.appeals.3f2ab1c0d4e5f607.…
  svod verify-figure --rows --limit 20 svod1.…     the rows that the figure was counted from
  svod verify-figure --plan svod1.…                what the engine does to compute it

A receipt stands beside every value in the API, in the JSON of a widget and in CSV files for programs. The figure is computed again
out of its own snapshot, on its own day, by the definitions of today. Persons in rows are pseudonyms.
Exit codes: 0 the same figure, 1 another one or none, 2 no receipt.")]
pub(super) struct VerifyFigureArguments {
    /// The receipt
    receipt: String,
    /// Show the rows behind the figure
    #[arg(long)]
    rows: bool,
    /// Most rows that are shown
    #[arg(long, value_name = "N", default_value_t = 100, requires = "rows")]
    limit: usize,
    /// Show the plan of the engine
    #[arg(long)]
    plan: bool,
    /// Language of texts: ru or en
    #[arg(long, default_value_t = Lang::Ru)]
    lang: Lang,
}

/// Computes the figure of a receipt again and says what became of it.
pub(super) fn verify_figure(place: &Place, arguments: &VerifyFigureArguments) -> Result<(), CliError> {
    let receipt: Receipt = arguments.receipt.parse().map_err(CliError::argument)?;
    let context = Context::open(place)?;
    let (engine, scope, lang) = (&context.engine, Scope::all(), arguments.lang);
    let found = context.block_on(engine.verify_figure(&scope, &receipt)).map_err(of_query)?;
    print_verification(&context.project, &receipt, &found, lang);
    if found.figure.is_some() && arguments.rows {
        let behind = context.block_on(engine.rows_behind(&scope, &receipt, arguments.limit)).map_err(of_query)?;
        output::line(&format!("\n{}: {}", lang.pick("строк", "rows"), behind.n_rows));
        output::line(&pretty_format_batches(&behind.rows).map_err(CliError::failed)?.to_string());
    }
    if found.figure.is_some() && arguments.plan {
        let plan = context.block_on(engine.plan_behind(&scope, &receipt)).map_err(of_query)?;
        output::line(&format!("\n{plan}"));
    }
    match found.outcome {
        Outcome::Equal => Ok(()),
        Outcome::Differs => Err(CliError::failed(lang.pick("значение другое", "the figure is another one"))),
        Outcome::Gone => Err(CliError::failed(lang.pick("значение нельзя посчитать", "the figure cannot be computed"))),
    }
}

fn print_verification(project: &Project, receipt: &Receipt, found: &Verification, lang: Lang) {
    let indicator = project.indicators.get(&receipt.indicator);
    let title = indicator.map_or(receipt.indicator.as_str(), |indicator| indicator.title().get(lang));
    let mut parts = vec![title.to_owned()];
    parts.extend(receipt.keys.iter().map(|(name, code)| format!("{name}={}", code.as_deref().unwrap_or("–"))));
    parts.extend(receipt.basis.filters.iter().map(|(name, codes)| format!("{name}={}", codes.join(","))));
    parts.extend(receipt.basis.period.map(|period| period.label(lang)));
    parts.extend(receipt.grain.zip(receipt.bucket).map(|(grain, bucket)| grain.label(bucket, lang)));
    parts.push(format!("{} {}", lang.pick("снимок", "snapshot"), receipt.snapshot));
    parts.push(match receipt.basis.seen {
        Seen::Day(day) => format_date(day),
        Seen::Moment(moment) => moment.to_rfc3339(),
    });
    output::line(&parts.join(" · "));
    let decimals = indicator.map_or(0, Indicator::decimals);
    let figure = found.figure.and_then(|figure| figure.value).map(|value| format_number(value, decimals, lang));
    let word = match found.outcome {
        Outcome::Equal => lang.pick("совпадает", "equal"),
        Outcome::Differs => lang.pick("отличается", "differs"),
        Outcome::Gone => lang.pick("не вычисляется", "gone"),
    };
    output::line(&format!("{word}: {}", figure.unwrap_or_else(|| "–".to_owned())));
    for reason in &found.reasons {
        output::line(&format!("  {}", reason.text().get(lang)));
    }
}

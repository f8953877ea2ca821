//! `svod explain`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use indexmap::IndexMap;
use serde::Serialize;

use super::context::Context;
use super::query::{of_query, parse_filter};
use super::{CliError, Place, output};
use crate::domain::language::Lang;
use crate::domain::period::Period;
use crate::indicators::{
    Cause, Change, ChangeQuery, Dimension, Effects, Exact, Indicator, Query, Revision, RevisionQuery, Scope, SplitKind,
    parse_period,
};
use crate::project::Project;

/// Which change.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod explain appeals --from 2025 --to 2026 --by municipality
  svod explain support_rate --from 2025-Q1 --to 2026-Q1 --by service --by category
  svod explain appeals --published 3..7 --within 2026-01/2026-03
  svod explain kpi_value --published 3..7 --where kpi=1.1 --within 2024-06 --plan

Between two periods the change is split among the values of each dimension; ratios by rate and mix. Between two snapshots it is split
into late rows, corrections, the passing of time, method and plan. Parts always add up to the last digit.")]
pub(super) struct ExplainArguments {
    /// Id of an indicator, as in sql/indicators/
    indicator: String,
    /// The earlier period: 2024, 2024-Q1, 2024-03, 2024-03-15 or 2024-01/2024-05
    #[arg(long, value_name = "PERIOD", value_parser = parse_period, requires = "to", requires = "by")]
    from: Option<Period>,
    /// The later period
    #[arg(long, value_name = "PERIOD", value_parser = parse_period, requires = "from")]
    to: Option<Period>,
    /// Dimension among whose values the change is split; may be repeated
    #[arg(long, value_name = "DIM", requires = "from")]
    by: Vec<String>,
    /// Two snapshots between which the published figure changed
    #[arg(long, value_name = "N..M", value_parser = parse_snapshots, conflicts_with = "from", required_unless_present = "from")]
    published: Option<(u64, u64)>,
    /// Period of the published figure; all of history if not said
    #[arg(long, value_name = "PERIOD", value_parser = parse_period, requires = "published")]
    within: Option<Period>,
    /// Explain attainment of the plan in place of the figure
    #[arg(long, requires = "published")]
    plan: bool,
    /// Project folder with the definitions of the earlier snapshot, e.g. a checkout of then; those kept with it if not said
    #[arg(long, value_name = "DIR", requires = "published")]
    definitions: Option<PathBuf>,
    /// Value that a dimension must have; repeated values of one dimension are alternatives
    #[arg(long = "where", value_name = "DIM=VALUE", value_parser = parse_filter)]
    filters: Vec<(String, String)>,
    /// Number of an older snapshot
    #[arg(long, value_name = "N", conflicts_with = "published")]
    as_of: Option<u64>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    /// Language of names: ru or en
    #[arg(long, default_value_t = Lang::Ru)]
    lang: Lang,
}

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For reading.
    Table,
    /// As the API gives it, one document per dimension.
    Json,
}

fn parse_snapshots(text: &str) -> Result<(u64, u64), String> {
    let numbers = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    numbers.ok_or_else(|| format!("`{text}` is no pair of snapshots, expected `3..7`"))
}

/// Splits a change and prints its parts.
pub(super) fn explain(place: &Place, arguments: &ExplainArguments) -> Result<(), CliError> {
    let mut filters: IndexMap<String, Vec<String>> = IndexMap::new();
    for (dimension, value) in &arguments.filters {
        filters.entry(dimension.clone()).or_default().push(value.clone());
    }
    let definitions = match &arguments.definitions {
        Some(folder) => Some(Arc::clone(&Project::load(folder)?.indicators)),
        None => None,
    };
    let context = Context::open(place)?;
    let id = &arguments.indicator;
    if let Some((from, to)) = arguments.published {
        let query = Query { filters, period: arguments.within, ..Query::of(id) };
        let wanted = RevisionQuery { query, from, to, definitions, of_attainment: arguments.plan };
        let revision = context.block_on(context.engine.explain_revision(&Scope::all(), &wanted)).map_err(of_query)?;
        return print(arguments.format, &revision, || print_revision(&context.project, &revision, arguments.lang));
    }
    let (Some(from), Some(to)) = (arguments.from, arguments.to) else {
        return Err(CliError::argument("expected `--from` and `--to`, or `--published`"));
    };
    for by in &arguments.by {
        let (indicator, by, filters) = (id.clone(), by.clone(), filters.clone());
        let wanted = ChangeQuery { indicator, by, filters, from, to, as_of: arguments.as_of };
        let change = context.block_on(context.engine.explain_change(&Scope::all(), &wanted)).map_err(of_query)?;
        print(arguments.format, &change, || print_change(&context.project, &change, arguments.lang))?;
    }
    Ok(())
}

fn print<T: Serialize>(form: Form, answer: &T, for_people: impl FnOnce()) -> Result<(), CliError> {
    match form {
        Form::Table => for_people(),
        Form::Json => output::line(&serde_json::to_string_pretty(answer).map_err(CliError::failed)?),
    }
    Ok(())
}

fn title<'a>(project: &'a Project, id: &'a str, lang: Lang) -> &'a str {
    project.indicators.get(id).map_or(id, |indicator| indicator.title().get(lang))
}

/// An amount to its last digit, in the writing of a language.
fn amount(amount: Exact, lang: Lang) -> String {
    match lang {
        Lang::Ru => amount.to_string().replace('.', ",").replace('-', "\u{2212}"),
        Lang::En => amount.to_string(),
    }
}

fn print_change(project: &Project, change: &Change, lang: Lang) {
    let pick = |ru, en| lang.pick(ru, en);
    let Change { from, to, .. } = change;
    let [before, after] = [change.before, change.after].map(|figure| amount(figure, lang));
    output::line(&format!(
        "{} · {}: {before} · {}: {after} · {}: {} · {} {}",
        title(project, &change.indicator, lang),
        from.label(lang),
        to.label(lang),
        pick("изменение", "change"),
        amount(change.change, lang),
        pick("снимок", "snapshot"),
        change.snapshot,
    ));
    let is_ratio = change.kind == SplitKind::Ratio;
    let mut header = vec![change.by.as_str(), pick("Было", "Before"), pick("Стало", "After"), pick("Вклад", "Part")];
    if is_ratio {
        header.extend([pick("доли групп", "rate"), pick("структура", "mix")]);
    }
    let dimension = project
        .indicators
        .get(&change.indicator)
        .map(Indicator::entity)
        .and_then(|entity| entity.dimension(&change.by));
    let list = dimension.and_then(Dimension::list).and_then(|list| project.reference.list(list));
    let label = |code: &Option<String>| match code {
        Some(code) => list.and_then(|list| list.label(code, lang)).unwrap_or(code).to_owned(),
        None => pick("не указано", "not stated").to_owned(),
    };
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| amount(Exact::nearest(value), lang));
    let line = |name: String, sides: [String; 2], part: Exact, effects: Option<&Effects>| {
        let [before, after] = sides;
        let mut cells = vec![name, before, after, amount(part, lang)];
        if is_ratio {
            let effect =
                |of: fn(&Effects) -> Exact| effects.map_or_else(String::new, |effects| amount(of(effects), lang));
            cells.extend([effect(|effects| effects.rate), effect(|effects| effects.mix)]);
        }
        cells
    };
    let none = || [String::new(), String::new()];
    let mut rows: Vec<Vec<String>> = change
        .parts
        .iter()
        .map(|part| {
            line(label(&part.key), [figure(part.before), figure(part.after)], part.change, part.effects.as_ref())
        })
        .collect();
    if change.overlap != Exact::ZERO {
        rows.push(line(pick("в нескольких группах", "in several groups").to_owned(), none(), change.overlap, None));
    }
    rows.push(line(pick("Всего", "Total").to_owned(), none(), change.change, change.effects.as_ref()));
    output::line(&output::table(&header, rows, 1));
}

fn print_revision(project: &Project, revision: &Revision, lang: Lang) {
    let pick = |ru, en| lang.pick(ru, en);
    output::line(&format!(
        "{} · {} {}: {} · {} {}: {}",
        title(project, &revision.indicator, lang),
        pick("снимок", "snapshot"),
        revision.from,
        amount(revision.before, lang),
        pick("снимок", "snapshot"),
        revision.to,
        amount(revision.after, lang),
    ));
    let name = |cause| match cause {
        Cause::LateRows => pick("поздние строки", "late rows"),
        Cause::Corrections => pick("исправления", "corrections"),
        Cause::Time => pick("наступили сроки", "time passed"),
        Cause::Method => pick("методика", "method"),
        Cause::Plan => pick("план", "plan"),
    };
    let mut rows: Vec<[String; 2]> =
        revision.parts.iter().map(|part| [name(part.cause).to_owned(), amount(part.change, lang)]).collect();
    rows.push([pick("Всего", "Total").to_owned(), amount(revision.change, lang)]);
    output::line(&output::table(&[pick("Причина", "Cause"), pick("Вклад", "Part")], rows, 1));
}

//! Asks the engine the questions of a widget.

use chrono::NaiveDate;
use futures::future::try_join_all;
use indexmap::IndexMap;

use super::assemble::{Answers, Whole, assemble};
use super::context::Context;
use super::coverage::build_coverage;
use super::declaration::{Dashboard, DefaultPeriod, Widget};
use super::judge::Grounds;
use super::kind::{Compare, WidgetKind};
use super::widget::{Freshness, SnapshotMark, WidgetData};
use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};
use crate::indicators::{Definitions, Engine, Figures, Indicator, PlanVersion, Query, QueryError, Scope, attain};

/// How often the questions of a widget are asked anew when a refresh comes in between.
const MAX_TRIES: usize = 3;

/// Where the figures of widgets come from.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// Computes the figures.
    pub engine: &'a Engine,
    /// How fresh the data of the requested snapshot are.
    pub freshness: Freshness,
    /// The present date in the region's time zone.
    pub today: NaiveDate,
}

/// What the reader of a dashboard picked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WidgetRequest {
    /// Language of the texts.
    pub lang: Lang,
    /// Codes that are let through, by dimension.
    pub filters: IndexMap<String, Vec<String>>,
    /// The period; the dashboard's own if none.
    pub period: Option<Period>,
    /// Length of the buckets; the widget's own if none.
    pub grain: Option<Grain>,
    /// Number of an older snapshot.
    pub as_of: Option<u64>,
}

/// Why a widget has no figures.
#[derive(Debug, thiserror::Error)]
pub enum WidgetError {
    /// No indicator has a dimension of this name, so the filter would be lost in silence.
    #[error("no indicator has a dimension `{dimension}` to filter by")]
    UnknownFilter {
        /// What was asked for.
        dimension: String,
    },
    /// The declaration names an indicator that the catalogue does not have any more.
    #[error("widget `{widget}` names an unknown indicator `{indicator}`")]
    UnknownIndicator {
        /// The widget.
        widget: String,
        /// What it names.
        indicator: String,
    },
    /// Every try met another refresh.
    #[error("the warehouse changed while widget `{widget}` was computed")]
    Unsteady {
        /// The widget.
        widget: String,
    },
    /// The engine has no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// The figures of one widget as a document that explains itself.
///
/// All figures of the widget come from one snapshot. A filter by a dimension that the widget's indicators do not have
/// is left out and named in [`WidgetData::ignored_filters`]; one that no indicator has is an error.
///
/// # Errors
/// [`WidgetError::UnknownFilter`], or why the engine has no answer.
pub async fn build_widget(
    sources: &Sources<'_>,
    scope: &Scope,
    dashboard: &Dashboard,
    widget: &Widget,
    request: &WidgetRequest,
) -> Result<WidgetData, WidgetError> {
    let definitions = sources.engine.definitions(request.as_of).await?;
    let mut context = context(sources, &definitions, dashboard, widget, request)?;
    for _ in 0..MAX_TRIES {
        let Some((snapshot, mut answers)) = ask(sources.engine, scope, &context, request.as_of).await? else {
            continue;
        };
        if widget.kind == WidgetKind::Tile && answers.grounds.rule.is_some() {
            let coverage = build_coverage(sources, scope, dashboard, request).await?;
            answers.grounds.coverage_percent = coverage.map(|coverage| coverage.n_reported * 100.0 / coverage.n_owing);
        }
        context.snapshot = snapshot;
        context.data_from = answers.data_from;
        return Ok(assemble(&context, &answers));
    }
    Err(WidgetError::Unsteady { widget: widget.id.clone() })
}

fn context<'a>(
    sources: &Sources<'_>,
    definitions: &'a Definitions,
    dashboard: &'a Dashboard,
    widget: &'a Widget,
    request: &WidgetRequest,
) -> Result<Context<'a>, WidgetError> {
    let catalog = &definitions.catalog;
    let mut indicators: Vec<&Indicator> = Vec::new();
    for id in &widget.indicators {
        let missing = || WidgetError::UnknownIndicator { widget: widget.id.clone(), indicator: id.clone() };
        indicators.push(catalog.get(id).ok_or_else(missing)?);
    }
    let mut filters = widget.only.clone();
    let mut ignored = Vec::new();
    for (dimension, codes) in &request.filters {
        if indicators.iter().all(|indicator| indicator.entity().dimension(dimension).is_some()) {
            filters.entry(dimension.clone()).or_insert_with(|| codes.clone());
        } else if catalog.iter().any(|indicator| indicator.entity().dimension(dimension).is_some()) {
            ignored.push(dimension.clone());
        } else {
            return Err(WidgetError::UnknownFilter { dimension: dimension.clone() });
        }
    }
    let days = |period: DefaultPeriod| period.days(sources.freshness.last_event_on, sources.today);
    let period = widget.period.map(days).or(request.period).unwrap_or_else(|| days(dashboard.period));
    Ok(Context {
        dashboard: &dashboard.id,
        widget,
        indicators,
        reference: &definitions.reference,
        lang: request.lang,
        period,
        grain: grain_of(widget, request.grain),
        filters,
        ignored,
        snapshot: SnapshotMark { number: 0, published_at: chrono::DateTime::UNIX_EPOCH },
        freshness: sources.freshness.clone(),
        data_from: None,
        today: sources.today,
    })
}

/// Length of the buckets of the rows, none where time is not cut.
fn grain_of(widget: &Widget, wanted: Option<Grain>) -> Option<Grain> {
    let grain = Some(wanted.or(widget.grain).unwrap_or(Grain::Month));
    match widget.kind {
        WidgetKind::Tile => Some(Grain::Month),
        WidgetKind::Milestones => Some(Grain::Day),
        WidgetKind::Line | WidgetKind::PlanFact => grain,
        WidgetKind::Bar if widget.by.is_empty() => grain,
        WidgetKind::StackedBar | WidgetKind::HeatGrid if widget.by.len() == 1 => grain,
        WidgetKind::Table if widget.by.is_empty() || widget.grain.is_some() => grain,
        WidgetKind::Bar
        | WidgetKind::StackedBar
        | WidgetKind::Ranking
        | WidgetKind::HeatGrid
        | WidgetKind::TileMap
        | WidgetKind::Table => None,
    }
}

/// The answers to all questions of the widget, or none if they come from several snapshots.
async fn ask(
    engine: &Engine,
    scope: &Scope,
    context: &Context<'_>,
    as_of: Option<u64>,
) -> Result<Option<(SnapshotMark, Answers)>, WidgetError> {
    let question = |indicator: &Indicator, period: Period, is_cut: bool| Query {
        indicator: indicator.id().to_owned(),
        by: if is_cut { context.widget.by.clone() } else { Vec::new() },
        filters: context.filters.clone(),
        period: Some(period),
        grain: context.grain.filter(|_| is_cut),
        as_of,
        ..Query::default()
    };
    let has_total = |indicator: &Indicator| {
        let is_fixed = |name: &String| context.filters.get(name).is_some_and(|codes| codes.len() == 1);
        indicator.requires().iter().all(is_fixed) && context.widget.kind != WidgetKind::Milestones
    };
    let mut queries: Vec<Query> = Vec::new();
    queries.extend(context.indicators.iter().map(|indicator| {
        let mut query = question(indicator, context.period, true);
        // The second indicator of control points is cut by the points alone.
        query.by.retain(|name| indicator.entity().dimension(name).is_some());
        query
    }));
    let first = context.indicator();
    let with_total: Vec<bool> = context.indicators.iter().map(|indicator| has_total(indicator)).collect();
    let totals = context.indicators.iter().zip(&with_total).filter(|(_, has_total)| **has_total);
    queries.extend(totals.map(|(indicator, _)| question(indicator, context.period, false)));
    let base = earlier(context.period, context.widget.compare);
    if let Some(base) = base.filter(|_| context.widget.kind == WidgetKind::Line && context.widget.by.is_empty()) {
        queries.push(question(first, base, true));
    }
    let n_before_base = queries.len();
    let compared = earlier(covered(context), context.widget.compare).filter(|_| with_total[0]);
    // All of history, unfiltered, tells where the data begin: what lies before is unknown, not zero.
    queries.extend(compared.map(|_| Query { as_of, ..Query::of(first.id()) }).filter(|_| first.requires().is_empty()));
    queries.extend(compared.map(|base| question(first, base, false)));

    let mut answers = try_join_all(queries.iter().map(|query| engine.query(scope, query))).await?;
    let numbers = || answers.iter().map(|figures| figures.snapshot);
    if numbers().min() != numbers().max() {
        return Ok(None);
    }
    let Some(mark) = answers.first().map(|one| SnapshotMark { number: one.snapshot, published_at: one.published_at })
    else {
        return Ok(None);
    };
    let mut compared_with = answers.split_off(n_before_base);
    let total_before = compared_with.pop();
    let data_from = compared_with.pop().map(|history| Grain::Month.start(history.period.from));
    let mut rest = answers.split_off(context.indicators.len()).into_iter();
    let mut totals = Vec::with_capacity(with_total.len());
    for (indicator, has_total) in context.indicators.iter().zip(with_total) {
        let figures = if has_total { rest.next() } else { None };
        totals.push(figures.and_then(|figures| whole(engine, indicator, &figures)));
    }
    let only = |figures: Figures| figures.rows.into_iter().next();
    let total_before = compared.zip(total_before.and_then(only)).map(|(period, row)| (period, row.figure));
    let today = answers.first().map_or(context.today, |figures| figures.today);
    let rule = engine.catalog().policy().and_then(|policy| policy.edition_on(today)).cloned();
    let grounds = Grounds { rule, ..Grounds::default() };
    Ok(Some((mark, Answers { main: answers, before: rest.next(), totals, grounds, total_before, data_from })))
}

/// The only row of an answer, with its receipt and its place against the plan.
fn whole(engine: &Engine, indicator: &Indicator, figures: &Figures) -> Option<Whole> {
    let row = figures.rows.first()?;
    let planned = engine.catalog().plans().of(indicator, figures, row, PlanVersion::Current);
    let plan = planned.map(|planned| planned.value);
    let attained_percent = attain(indicator.direction(), row.figure, plan, figures.is_over(row)).percent;
    Some(Whole { row: row.clone(), receipt: figures.receipt(row).to_string(), attained_percent })
}

/// The part of the period that the data cover, so that like is compared with like.
fn covered(context: &Context<'_>) -> Period {
    let Period { from, to } = context.period;
    let last = context.freshness.last_event_on.filter(|last| *last >= from).unwrap_or(to);
    Period { from, to: to.min(last) }
}

fn earlier(period: Period, compare: Compare) -> Option<Period> {
    match compare {
        Compare::None => None,
        Compare::YearBefore => Some(period.year_before()),
        Compare::Previous => Some(period.previous()),
    }
}

//! Puts the engine's answers together into one widget.

use chrono::NaiveDate;

use super::context::Context;
use super::judge::{Grounds, Measure, compare, judge};
use super::kind::WidgetKind;
use super::milestones::milestone_rows;
use super::rows::{fact_rows, order_and_limit, rows_before, total_row};
use super::widget::{Light, Row, Status, WidgetData};
use super::words::{self, Story};
use crate::domain::figure::{Figure, State};
use crate::domain::period::Period;
use crate::indicators::{FigureRow, Figures};

/// What the engine said to the questions of one widget.
pub(super) struct Answers {
    /// The rows of each indicator, in the order of the widget.
    pub(super) main: Vec<Figures>,
    /// The first indicator in the earlier period, by its own buckets.
    pub(super) before: Option<Figures>,
    /// Each indicator over everything that the filters let through, where that has a meaning.
    pub(super) totals: Vec<Option<Whole>>,
    /// What lights are given by.
    pub(super) grounds: Grounds,
    /// The first indicator over the days of the earlier period that answer to days with data in this one.
    pub(super) total_before: Option<(Period, Figure)>,
    /// The month in which the data of the first indicator begin, where something is compared.
    pub(super) data_from: Option<NaiveDate>,
}

/// The figure of an indicator over everything that the filters let through.
pub(super) struct Whole {
    /// The figure.
    pub(super) row: FigureRow,
    /// Its receipt.
    pub(super) receipt: String,
    /// Percent of the current plan that it attains, where something is planned.
    pub(super) attained_percent: Option<f64>,
}

/// The widget out of the engine's answers.
pub(super) fn assemble(context: &Context<'_>, answers: &Answers) -> WidgetData {
    let widget = context.widget;
    let indicator = context.indicator();
    let lang = context.lang;
    let unit = context.unit(indicator);
    let measure = Measure {
        unit: indicator.unit(),
        decimals: indicator.decimals(),
        direction: indicator.direction(),
        thresholds: indicator.thresholds(),
    };
    let mut rows: Vec<Row> = match (widget.kind, answers.main.as_slice()) {
        (WidgetKind::Milestones, [points, rest @ ..]) => milestone_rows(context, points, rest.first()),
        (_, all) => all.iter().flat_map(|figures| fact_rows(context, figures)).collect(),
    };
    let whole = answers.totals.first().and_then(Option::as_ref);
    let total = whole.map(|whole| whole.row.figure);
    let comparison = total.zip(answers.total_before).map(|(now, (to, before))| {
        let is_covered = context.data_from.is_none_or(|data_from| to.from >= data_from);
        let before = if is_covered { before } else { Figure::without(State::Missing) };
        compare(now, before, measure, widget.compare, to, lang)
    });
    let all_rows = rows.clone();
    let n_keys = match widget.kind {
        WidgetKind::Milestones => rows.len(),
        _ => order_and_limit(context, &mut rows),
    };
    let status = match widget.kind {
        WidgetKind::Milestones => status_of_points(&all_rows),
        _ => whole.map_or_else(Status::default, |whole| {
            let grounds = Grounds { attained_percent: whole.attained_percent, ..answers.grounds.clone() };
            judge(whole.row.figure, comparison.as_ref(), measure, &grounds, lang)
        }),
    };
    let symbol = unit.symbol.clone();
    let story = Story {
        context,
        rows: &all_rows,
        shown: &rows,
        total,
        comparison: comparison.as_ref(),
        status: &status,
        symbol: &symbol,
        n_keys,
    };
    let (headline, subtitle, summary) = (story.headline(), story.subtitle(), story.summary());
    rows.extend(answers.before.iter().flat_map(|before| rows_before(context, before)));
    if widget.kind == WidgetKind::Table {
        let totals = answers.main.iter().zip(&answers.totals);
        rows.extend(totals.filter_map(|(figures, total)| Some(total_row(context, figures, total.as_ref()?))));
    }
    let measures = context.indicators.iter().map(|indicator| {
        let names = indicator.measures().iter().map(|measure| measure.name().to_owned()).collect();
        (indicator.id().to_owned(), names)
    });
    WidgetData {
        id: widget.id.clone(),
        dashboard: context.dashboard.to_owned(),
        kind: widget.kind,
        lang,
        title: context.title(),
        headline,
        subtitle,
        note: widget.note.as_ref().map(|note| note.get(lang).to_owned()),
        total: whole.map(|whole| words::total(whole.row.figure, &whole.receipt, indicator.decimals(), &unit, lang)),
        unit,
        decimals: indicator.decimals(),
        direction: indicator.direction(),
        thresholds: indicator.thresholds(),
        period: context.period,
        period_label: context.period.label(lang),
        grain: context.grain,
        filters: context.filters(),
        ignored_filters: context.ignored.iter().map(|name| context.dimension(name)).collect(),
        snapshot: context.snapshot.clone(),
        freshness: context.freshness.clone(),
        indicators: context.indicators.iter().map(|indicator| context.passport(indicator)).collect(),
        dimensions: widget.by.iter().map(|name| context.dimension(name)).collect(),
        measures: measures.collect(),
        comparison,
        status,
        rows,
        n_keys,
        today: context.period.contains(context.today).then_some(context.today),
        summary,
    }
}

/// The worst light of the control points, with its count.
fn status_of_points(rows: &[Row]) -> Status {
    let points = || rows.iter().filter_map(|row| row.milestone.as_ref());
    let worst = [Light::Bad, Light::Attention, Light::Good];
    let light = worst.into_iter().find(|light| points().any(|point| point.light == *light)).unwrap_or_default();
    let mut names: Vec<&str> =
        points().filter(|point| point.light == light).map(|point| point.state.as_str()).collect();
    names.sort_unstable();
    let n_points = names.len();
    names.dedup();
    Status { light, reason: format!("{}: {n_points}", names.join(", ").to_lowercase()), why: String::new() }
}

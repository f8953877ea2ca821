//! From the engine's figures to the rows of a widget: names, gaps, order and limit.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use indexmap::IndexMap;

use super::assemble::Whole;
use super::context::Context;
use super::kind::{Sort, WidgetKind};
use super::widget::{Key, Place, Row, Series};
use crate::domain::figure::{Figure, State};
use crate::domain::period::Grain;
use crate::indicators::{Additivity, Direction, FigureRow, Figures};
use crate::warehouse::reference::CodeList;

/// Lines that one chart can carry before they tangle.
const MAX_LINES: usize = 6;
/// Columns that a map of several grids may take before the next one goes below.
const MAP_WIDTH: u32 = 14;
/// Free columns or rows between two grids of territories.
const GRID_GAP: u32 = 1;

/// The rows of one indicator, in the order of the engine.
pub(super) fn fact_rows(context: &Context<'_>, figures: &Figures) -> Vec<Row> {
    let mut rows: Vec<Row> = figures.rows.iter().map(|row| fact_row(context, figures, row)).collect();
    fill_grid(context, figures, &mut rows);
    if context.widget.kind == WidgetKind::TileMap {
        place_tiles(context, figures, &mut rows);
    }
    rows
}

/// The rows of the earlier period, set on the buckets of this one.
pub(super) fn rows_before(context: &Context<'_>, before: &Figures) -> Vec<Row> {
    let Some(grain) = before.grain else { return Vec::new() };
    let here = context.period.buckets(grain);
    let there: HashMap<NaiveDate, NaiveDate> = before.period.buckets(grain).into_iter().zip(here).collect();
    let shifted = before.rows.iter().filter_map(|row| {
        let bucket = there.get(&row.bucket?)?;
        let moved = FigureRow { bucket: Some(*bucket), ..row.clone() };
        let is_known = context.data_from.is_none_or(|data_from| row.bucket >= Some(data_from));
        let figure = if is_known { row.figure } else { Figure::without(State::Missing) };
        let receipt = Some(before.receipt(row).to_string());
        Some(Row { series: Series::Before, receipt, ..new_row(context, before, &moved, figure) })
    });
    shifted.collect()
}

/// The row of the whole, without keys.
pub(super) fn total_row(context: &Context<'_>, figures: &Figures, total: &Whole) -> Row {
    let label = context.lang.pick("Всего", "Total").to_owned();
    let receipt = Some(total.receipt.clone());
    Row { series: Series::Total, label, receipt, ..new_row(context, figures, &total.row, total.row.figure) }
}

/// Puts the rows into the widget's order and drops the keys over its limit; returns how many keys there were.
pub(super) fn order_and_limit(context: &Context<'_>, rows: &mut Vec<Row>) -> usize {
    let Some(first) = context.widget.by.first() else { return 0 };
    let keys = ordered_keys(context, first, rows);
    let n_keys = keys.len();
    let is_line = context.widget.kind == WidgetKind::Line;
    let limit = context.widget.limit.or(is_line.then_some(MAX_LINES)).unwrap_or(usize::MAX);
    let order: HashMap<Option<String>, usize> = keys.into_iter().take(limit).zip(0..).collect();
    rows.retain(|row| row.keys.first().is_none_or(|key| order.contains_key(&key.code)));
    let second = context.widget.by.get(1);
    let indicators = &context.widget.indicators;
    rows.sort_by_cached_key(|row| {
        let other = second.zip(row.keys.get(1)).map(|(name, key)| context.position(name, key.code.as_deref()));
        let indicator = indicators.iter().position(|id| *id == row.indicator);
        (indicator, row.keys.first().and_then(|key| order.get(&key.code).copied()), other, row.bucket)
    });
    n_keys
}

fn fact_row(context: &Context<'_>, figures: &Figures, row: &FigureRow) -> Row {
    new_row(context, figures, row, settle(context, figures.grain, row))
}

fn new_row(context: &Context<'_>, figures: &Figures, row: &FigureRow, figure: Figure) -> Row {
    let named = figures.dimensions.iter().zip(&row.keys);
    let keys: Vec<Key> = named.map(|(name, code)| context.key(name, code.as_deref())).collect();
    let bucket = row.bucket.zip(figures.grain).map(|(bucket, grain)| grain.label(bucket, context.lang));
    let label = keys.iter().map(|key| key.label.clone()).chain(bucket).collect::<Vec<_>>().join(" · ");
    let measures: IndexMap<String, Option<f64>> =
        figures.measures.iter().cloned().zip(row.measures.iter().copied()).collect();
    Row {
        indicator: figures.indicator.clone(),
        series: Series::Fact,
        keys,
        bucket: row.bucket,
        label,
        value: figure.value,
        state: figure.state,
        receipt: Some(figures.receipt(row).to_string()),
        measures,
        place: None,
        milestone: None,
    }
}

/// The figure of a bucket, seen from the data: what lies after their last day is not due, the bucket of that day may
/// change, what lies before their first month is not known.
fn settle(context: &Context<'_>, grain: Option<Grain>, row: &FigureRow) -> Figure {
    let figure = row.figure;
    let (Some(bucket), Some(grain), Some(last)) = (row.bucket, grain, context.freshness.last_event_on) else {
        return figure;
    };
    match (context.widget.kind, figure.state) {
        (WidgetKind::PlanFact, State::Missing) if bucket > last => Figure::without(State::NotDue),
        // A control point stands on a day of the plan, which may come; it is not a bucket that is not over.
        (WidgetKind::Milestones, State::Provisional) => Figure { state: State::Value, ..figure },
        (WidgetKind::PlanFact | WidgetKind::Milestones, _) => figure,
        (_, state) if bucket > last && state != State::Suppressed => Figure::without(State::NotDue),
        (_, State::Value | State::Provisional)
            if context.data_from.is_some_and(|data_from| grain.end(bucket) < data_from) =>
        {
            Figure::without(State::Missing)
        }
        (_, State::Value) if grain.end(bucket) > last => Figure { state: State::Provisional, ..figure },
        _ => figure,
    }
}

/// What a combination without any rows means: nothing happened, or nothing is known.
fn empty_figure(context: &Context<'_>, figures: &Figures) -> Figure {
    let found = context.indicators.iter().find(|indicator| indicator.id() == figures.indicator);
    match found.map(|indicator| indicator.additivity()) {
        Some(Additivity::Flow | Additivity::Distinct | Additivity::Stock) => Figure::new(0.0),
        _ => Figure::from(None),
    }
}

fn empty_row(context: &Context<'_>, figures: &Figures, keys: Vec<Option<String>>) -> Row {
    let figure = empty_figure(context, figures);
    let row = FigureRow {
        keys,
        bucket: None,
        figure,
        measures: vec![figure.value; figures.measures.len()],
        ..FigureRow::default()
    };
    new_row(context, figures, &row, figure)
}

/// Adds the combinations of two dimensions that have no rows.
fn fill_grid(context: &Context<'_>, figures: &Figures, rows: &mut Vec<Row>) {
    if figures.dimensions.len() != 2 || figures.grain.is_some() {
        return;
    }
    let codes =
        |position: usize| figures.rows.iter().map(move |row| row.keys[position].clone()).collect::<BTreeSet<_>>();
    let seen: BTreeSet<&[Option<String>]> = figures.rows.iter().map(|row| row.keys.as_slice()).collect();
    let seconds = codes(1);
    for first in codes(0) {
        for second in &seconds {
            let keys = vec![first.clone(), second.clone()];
            if !seen.contains(keys.as_slice()) {
                rows.push(empty_row(context, figures, keys));
            }
        }
    }
}

/// Gives every row its tile, adds the territories of the same grids that have no rows, and sets several grids apart.
fn place_tiles(context: &Context<'_>, figures: &Figures, rows: &mut Vec<Row>) {
    let Some(dimension) = figures.dimensions.first() else { return };
    let place_of = |row: &Row| context.place(dimension, row.keys.first()?.code.as_deref()?);
    let present: BTreeSet<String> = rows.iter().filter_map(place_of).map(|(grid, _)| grid).collect();
    let seen: BTreeSet<Option<String>> = rows.iter().filter_map(|row| Some(row.keys.first()?.code.clone())).collect();
    for code in context.list(dimension).map(CodeList::codes).unwrap_or_default() {
        let is_abolished =
            context.list(dimension).and_then(|list| list.value(code, "valid_to")).is_some_and(|day| !day.is_empty());
        let is_absent = !is_abolished && !seen.contains(&Some(code.clone()));
        let allowed = context.filters.get(dimension).is_none_or(|codes| codes.contains(code));
        if is_absent && allowed && context.place(dimension, code).is_some_and(|(grid, _)| present.contains(&grid)) {
            rows.push(empty_row(context, figures, vec![Some(code.clone())]));
        }
    }
    let mut sizes: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for (grid, place) in rows.iter().filter_map(place_of) {
        let (width, height) = sizes.entry(grid).or_default();
        (*width, *height) = ((*width).max(place.column + 1), (*height).max(place.row + 1));
    }
    let corners = pack_grids(&sizes);
    for row in rows.iter_mut() {
        row.place = place_of(row).map(|(grid, place)| {
            let (column, line) = corners.get(&grid).copied().unwrap_or_default();
            Place { column: place.column + column, row: place.row + line, ..place }
        });
    }
}

/// The upper left corner of each grid: side by side as long as they fit into the width, then below.
fn pack_grids(sizes: &BTreeMap<String, (u32, u32)>) -> HashMap<String, (u32, u32)> {
    let widest = sizes.values().map(|(width, _)| *width).max().unwrap_or(0).max(MAP_WIDTH);
    let (mut column, mut line, mut tallest) = (0, 0, 0);
    let corner = |(grid, (width, height)): (&String, &(u32, u32))| {
        if column > 0 && column + width > widest {
            (column, line, tallest) = (0, line + tallest + GRID_GAP, 0);
        }
        let corner = (grid.clone(), (column, line));
        (column, tallest) = (column + width + GRID_GAP, tallest.max(*height));
        corner
    };
    sizes.iter().map(corner).collect()
}

/// The codes of the first dimension in the order that the widget asks for.
fn ordered_keys(context: &Context<'_>, dimension: &str, rows: &[Row]) -> Vec<Option<String>> {
    let adds_up = context.indicator().additivity() == Additivity::Flow;
    let mut scores: IndexMap<Option<String>, (Option<f64>, String)> = IndexMap::new();
    for row in rows {
        let Some(key) = row.keys.first() else { continue };
        let (score, _) = scores.entry(key.code.clone()).or_insert_with(|| (None, key.label.clone()));
        if row.indicator == context.indicator().id() {
            *score = match (*score, row.value) {
                (Some(sum), Some(value)) if adds_up => Some(sum + value),
                (sum, None) => sum,
                (_, value) => value,
            };
        }
    }
    let mut keys: Vec<(Option<String>, Option<f64>, String)> =
        scores.into_iter().map(|(code, (score, label))| (code, score, label)).collect();
    let by_list = |key: &(Option<String>, Option<f64>, String)| context.position(dimension, key.0.as_deref());
    keys.sort_by(|one, other| by_list(one).cmp(&by_list(other)).then_with(|| one.0.cmp(&other.0)));
    let is_less_better = context.indicator().direction() == Direction::Down;
    match context.widget.sort.unwrap_or(default_sort(context.widget.kind, context.grain)) {
        Sort::List => {}
        Sort::Name => keys.sort_by_key(|key| key.2.to_lowercase()),
        Sort::Best => keys.sort_by(|one, other| by_score(one.1, other.1, is_less_better)),
        Sort::Worst => keys.sort_by(|one, other| by_score(one.1, other.1, !is_less_better)),
        Sort::Largest => keys.sort_by(|one, other| by_score(one.1, other.1, false)),
        Sort::Smallest => keys.sort_by(|one, other| by_score(one.1, other.1, true)),
    }
    // What the register left open is no answer to who is best or worst.
    keys.sort_by_key(|(code, ..)| code.is_none());
    keys.into_iter().map(|(code, ..)| code).collect()
}

/// Absent scores last, whichever way the others go.
fn by_score(one: Option<f64>, other: Option<f64>, ascending: bool) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) if ascending => one.total_cmp(&other),
        (Some(one), Some(other)) => other.total_cmp(&one),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

fn default_sort(kind: WidgetKind, grain: Option<Grain>) -> Sort {
    match kind {
        WidgetKind::Ranking => Sort::Best,
        WidgetKind::Bar | WidgetKind::Line if grain.is_none() || kind == WidgetKind::Line => Sort::Largest,
        _ => Sort::List,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_stand_side_by_side_and_then_below() {
        let sizes = [("a", (8, 8)), ("b", (4, 4)), ("c", (9, 5))];
        let sizes = sizes.into_iter().map(|(grid, size)| (grid.to_owned(), size)).collect();
        let corners = pack_grids(&sizes);
        assert_eq!([corners["a"], corners["b"], corners["c"]], [(0, 0), (9, 0), (0, 9)]);
    }

    #[test]
    fn absent_scores_come_last_both_ways() {
        let mut scores = [None, Some(1.0), Some(3.0), None, Some(2.0)];
        scores.sort_by(|one, other| by_score(*one, *other, true));
        assert_eq!(scores, [Some(1.0), Some(2.0), Some(3.0), None, None]);
        scores.sort_by(|one, other| by_score(*one, *other, false));
        assert_eq!(scores, [Some(3.0), Some(2.0), Some(1.0), None, None]);
    }
}

//! The change of a figure between two periods, split exactly among the values of one dimension.
//!
//! How a figure is split follows from its formula. A **sum** – measures that add up, each times a number – changes by the sum of the changes
//! of its groups. A **ratio** of two sums, `R = N / D`, changes because the ratios of groups change (*rate*) and because
//! their weights change (*mix*). With the weight `w = Dᵢ / D` and the ratio `r = Nᵢ / Dᵢ` of a group, and a bar for the mean of both periods,
//!
//! ```text
//! rateᵢ = w̄·Δr        mixᵢ = Δw·(r̄ − R̄)        Σ (rateᵢ + mixᵢ) = ΔR
//! ```
//!
//! which holds exactly, since `w₁r₁ − w₀r₀ = w̄·Δr + Δw·r̄` and the weights' changes add up to zero. A group that is new or gone has
//! no ratio of its own on one side; it takes that of the other, so that it changes the mix alone. What stands above the line, `N = D·w·r`,
//! changes by *volume*, *mix* and *rate*, each taken as the mean over all orders in which the three may change.
//! A **mean** is the ratio of a sum and a count.
//!
//! Values that one thing may have in several groups (`distinct`) are counted there several times; what they count too often is told as
//! `overlap`. Nothing else is ever left over: amounts are whole millionths.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::engine::Engine;
use super::error::QueryError;
use super::exact::Exact;
use super::figures::{FigureRow, Figures};
use super::formula::{Linear, Shape, shape_of};
use super::query::Query;
use super::scope::Scope;
use crate::domain::period::Period;

/// What is to be split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeQuery {
    /// Identifier of the indicator.
    pub indicator: String,
    /// The dimension among whose values the change is split.
    pub by: String,
    /// Values that are let through, by dimension.
    pub filters: IndexMap<String, Vec<String>>,
    /// The earlier period.
    pub from: Period,
    /// The later period.
    pub to: Period,
    /// Number of an older snapshot; none = the latest.
    pub as_of: Option<u64>,
}

/// A change and its parts, which add up to it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// Identifier of the indicator.
    pub indicator: String,
    /// The dimension.
    pub by: String,
    /// The earlier period.
    pub from: Period,
    /// The later period.
    pub to: Period,
    /// Number of the snapshot.
    pub snapshot: u64,
    /// How the figure is split.
    pub kind: SplitKind,
    /// The figure of the earlier period.
    #[schema(value_type = f64)]
    pub before: Exact,
    /// The figure of the later period.
    #[schema(value_type = f64)]
    pub after: Exact,
    /// By how much it changed: `after` less `before`, and the sum of the changes of `parts` and `overlap`.
    #[schema(value_type = f64)]
    pub change: Exact,
    /// What things that stand in several groups count too often.
    #[schema(value_type = f64)]
    pub overlap: Exact,
    /// Of a ratio: all parts' effects together.
    pub effects: Option<Effects>,
    /// One part per value of the dimension, the greatest first.
    pub parts: Vec<Part>,
}

/// How a figure is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// By the differences of the groups.
    Sum,
    /// By the ratios and the weights of the groups.
    Ratio,
}

/// What one value of the dimension adds to the change.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Part {
    /// The code; none where the entity has none.
    pub key: Option<String>,
    /// The group's own figure in the earlier period, where it has one.
    pub before: Option<f64>,
    /// The group's own figure in the later period, where it has one.
    pub after: Option<f64>,
    /// What it adds to the change.
    #[schema(value_type = f64)]
    pub change: Exact,
    /// Of a ratio: why.
    pub effects: Option<Effects>,
}

/// Why a ratio changed, and what stands above its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Effects {
    /// Change of the ratio because the ratios of groups changed.
    #[schema(value_type = f64)]
    pub rate: Exact,
    /// Change of the ratio because the weights of groups changed.
    #[schema(value_type = f64)]
    pub mix: Exact,
    /// What stands above the line.
    pub above: AboveEffects,
}

/// Why the amount above the line of a ratio changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct AboveEffects {
    /// Because there is more or less of everything below the line.
    #[schema(value_type = f64)]
    pub volume: Exact,
    /// Because the weights of groups changed.
    #[schema(value_type = f64)]
    pub mix: Exact,
    /// Because the ratios of groups changed.
    #[schema(value_type = f64)]
    pub rate: Exact,
}

impl Engine {
    /// Splits the change of a figure between two periods.
    ///
    /// # Errors
    /// Those of a query; [`QueryError::NotSplittable`] if the figure does not follow from sums, [`QueryError::NoValue`] if it
    /// is not known in one of the periods.
    pub async fn explain_change(&self, scope: &Scope, wanted: &ChangeQuery) -> Result<Change, QueryError> {
        let query = |period, by: &[String]| Query {
            indicator: wanted.indicator.clone(),
            by: by.to_vec(),
            filters: wanted.filters.clone(),
            period: Some(period),
            ..Query::default()
        };
        let definitions = self.definitions(wanted.as_of).await?;
        let cut = [wanted.by.clone()];
        query(wanted.from, &cut).check(&definitions.catalog, &definitions.reference)?;
        // All four questions are of one snapshot and one moment, whatever a refresh brings in between.
        let head = self.snapshot(wanted.as_of).await?.head.clone();
        let (engine, shape) = self.under(definitions).splitting(&wanted.indicator)?;
        let engine = engine.pinned(head.number, self.present(&head, wanted.as_of).moment);
        let [total_before, total_after, before, after] =
            [query(wanted.from, &[]), query(wanted.to, &[]), query(wanted.from, &cut), query(wanted.to, &cut)];
        let (total_before, total_after, before, after) = futures::try_join!(
            engine.query(scope, &total_before),
            engine.query(scope, &total_after),
            engine.query(scope, &before),
            engine.query(scope, &after),
        )?;
        let totals = [single(&total_before, wanted.from)?, single(&total_after, wanted.to)?];
        let groups = pair(&before, &after);
        let mut change = match &shape {
            Shape::Sum(sum) => split_sum(sum, totals, &groups),
            Shape::Ratio { top, bottom } => {
                let no_value = |period| QueryError::NoValue { indicator: wanted.indicator.clone(), period };
                split_ratio(top, bottom, totals, &groups).ok_or_else(|| no_value(wanted.to))?
            }
        };
        change.parts.sort_by(|one, other| {
            let size = |part: &Part| part.change.max(-part.change);
            size(other).cmp(&size(one)).then_with(|| one.key.cmp(&other.key))
        });
        Ok(Change {
            indicator: wanted.indicator.clone(),
            by: wanted.by.clone(),
            from: wanted.from,
            to: wanted.to,
            snapshot: head.number,
            ..change
        })
    }

    /// How an indicator is split, and the engine that gives the measures for it.
    fn splitting(&self, id: &str) -> Result<(Self, Shape), QueryError> {
        let Some(indicator) = self.definitions.catalog.get(id) else {
            return Err(QueryError::unknown_indicator(id, &self.definitions.catalog));
        };
        let (shape, derived) = shape_of(&self.context, indicator)?;
        let catalog = derived.map_or_else(
            || Arc::clone(&self.definitions.catalog),
            |derived| Arc::new(self.definitions.catalog.with(derived)),
        );
        Ok((self.with_definitions(catalog), shape))
    }
}

/// The row of the whole, whose figure has to be known.
fn single(figures: &Figures, period: Period) -> Result<&FigureRow, QueryError> {
    let row = figures.rows.first().filter(|row| row.figure.value.is_some());
    row.ok_or_else(|| QueryError::NoValue { indicator: figures.indicator.clone(), period })
}

/// The rows of both periods by key.
type Groups<'a> = BTreeMap<Option<String>, [Option<&'a FigureRow>; 2]>;

fn pair<'a>(before: &'a Figures, after: &'a Figures) -> Groups<'a> {
    let mut groups: Groups<'a> = BTreeMap::new();
    for (side, figures) in [before, after].into_iter().enumerate() {
        for row in &figures.rows {
            groups.entry(row.keys.first().cloned().flatten()).or_default()[side] = Some(row);
        }
    }
    groups
}

/// The frame of an answer; who asked fills in what was asked.
fn frame(kind: SplitKind, before: Exact, after: Exact, parts: Vec<Part>, effects: Option<Effects>) -> Change {
    let change = after - before;
    let overlap = change - parts.iter().map(|part| part.change).sum::<Exact>();
    let (indicator, by) = (String::new(), String::new());
    let whole = Period { from: chrono::NaiveDate::MIN, to: chrono::NaiveDate::MAX };
    Change { indicator, by, from: whole, to: whole, snapshot: 0, kind, before, after, change, overlap, effects, parts }
}

fn split_sum(sum: &Linear, totals: [&FigureRow; 2], groups: &Groups<'_>) -> Change {
    let amount = |row: Option<&FigureRow>| row.and_then(|row| sum.of(&row.measures));
    let exact = |row| Exact::nearest(amount(row).unwrap_or_default());
    let parts = groups.iter().map(|(key, [before, after])| Part {
        key: key.clone(),
        before: amount(*before),
        after: amount(*after),
        change: exact(*after) - exact(*before),
        effects: None,
    });
    let [before, after] = totals.map(|row| exact(Some(row)));
    frame(SplitKind::Sum, before, after, parts.collect(), None)
}

/// What stands above and below the line.
#[derive(Debug, Clone, Copy, Default)]
struct Fraction {
    top: f64,
    bottom: f64,
}

impl Fraction {
    fn of(top: &Linear, bottom: &Linear, row: Option<&FigureRow>) -> Self {
        let amount = |sum: &Linear| row.and_then(|row| sum.of(&row.measures)).unwrap_or_default();
        Self { top: amount(top), bottom: amount(bottom) }
    }

    fn ratio(self) -> Option<f64> {
        (self.bottom != 0.0).then(|| self.top / self.bottom)
    }
}

/// None if the ratio of the whole is not known on one side.
fn split_ratio(top: &Linear, bottom: &Linear, totals: [&FigureRow; 2], groups: &Groups<'_>) -> Option<Change> {
    let fraction = |row| Fraction::of(top, bottom, row);
    let wholes = totals.map(|row| fraction(Some(row)));
    let [whole_before, whole_after] = [wholes[0].ratio()?, wholes[1].ratio()?];
    let whole_mean = f64::midpoint(whole_before, whole_after);
    let mut effects: Vec<[f64; 5]> = Vec::with_capacity(groups.len());
    let mut parts = Vec::with_capacity(groups.len());
    for (key, rows) in groups {
        let sides = rows.map(fraction);
        // What stands above the line with nothing below it has no ratio: it is told as overlap.
        let [before, after] = [sides[0].ratio(), sides[1].ratio()];
        let (r0, r1) = match (before, after) {
            (Some(before), Some(after)) => (before, after),
            (Some(only), None) | (None, Some(only)) => (only, only),
            (None, None) => continue,
        };
        let [w0, w1] = [sides[0].bottom / wholes[0].bottom, sides[1].bottom / wholes[1].bottom];
        let [d0, d1] = wholes.map(|whole| whole.bottom);
        effects.push([
            f64::midpoint(w0, w1) * (r1 - r0),
            (w1 - w0) * (f64::midpoint(r0, r1) - whole_mean),
            factor(d0, d1, [w0, w1], [r0, r1]),
            factor(w0, w1, [d0, d1], [r0, r1]),
            factor(r0, r1, [d0, d1], [w0, w1]),
        ]);
        let shown = |row: Option<&FigureRow>| row.and_then(|row| row.figure.value);
        parts.push(Part {
            key: key.clone(),
            before: shown(rows[0]),
            after: shown(rows[1]),
            change: Exact::ZERO,
            effects: None,
        });
    }
    let [before, after] = [Exact::nearest(whole_before), Exact::nearest(whole_after)];
    let of_ratio: Vec<f64> = effects.iter().flat_map(|[rate, mix, ..]| [*rate, *mix]).collect();
    let of_ratio = settle(after - before, &of_ratio);
    let above = Exact::nearest(wholes[1].top) - Exact::nearest(wholes[0].top);
    let of_above: Vec<f64> = effects.iter().flat_map(|[_, _, rest @ ..]| *rest).collect();
    let of_above = settle(above, &of_above);
    for ((part, ratio), above) in parts.iter_mut().zip(of_ratio.chunks(2)).zip(of_above.chunks(3)) {
        part.change = ratio[0] + ratio[1];
        let above = AboveEffects { volume: above[0], mix: above[1], rate: above[2] };
        part.effects = Some(Effects { rate: ratio[0], mix: ratio[1], above });
    }
    let all: Vec<Effects> = parts.iter().filter_map(|part| part.effects).collect();
    let sum = |one: fn(&Effects) -> Exact| all.iter().map(one).sum();
    let together = Effects {
        rate: sum(|effects| effects.rate),
        mix: sum(|effects| effects.mix),
        above: AboveEffects {
            volume: sum(|effects| effects.above.volume),
            mix: sum(|effects| effects.above.mix),
            rate: sum(|effects| effects.above.rate),
        },
    };
    Some(frame(SplitKind::Ratio, before, after, parts, Some(together)))
}

/// What the change of one of three factors does to their product, as the mean over all orders in which they may change.
fn factor(before: f64, after: f64, [a0, a1]: [f64; 2], [b0, b1]: [f64; 2]) -> f64 {
    (after - before) * ((a0 * b0 + a1 * b1) / 3.0 + (a0 * b1 + a1 * b0) / 6.0)
}

/// The numbers as exact parts of a whole; if they do not make it up but for rounding, something overlaps and each is rounded by itself.
fn settle(whole: Exact, numbers: &[f64]) -> Vec<Exact> {
    let sum: f64 = numbers.iter().sum();
    let size: f64 = numbers.iter().map(|number| number.abs()).sum();
    if (whole.number() - sum).abs() <= 2e-6 + size * 1e-9 {
        whole.split(numbers)
    } else {
        numbers.iter().map(|number| Exact::nearest(*number)).collect()
    }
}

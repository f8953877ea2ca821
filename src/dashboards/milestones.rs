//! Control points: planned and actual dates out of two indicators, counted by day.
//!
//! The first indicator counts points by their planned day, so the bucket that holds a point is its planned day. The
//! second, where there is one, gives the days between plan and fact or forecast.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};

use super::context::Context;
use super::widget::{Key, Light, Milestone, Row};
use crate::domain::figure::Figure;
use crate::indicators::Figures;

/// Ending of the codes of states in which a point is reached.
const DONE: &str = "done";

/// One row per control point, by planned day; the value is its slip in days.
pub(super) fn milestone_rows(context: &Context<'_>, points: &Figures, slips: Option<&Figures>) -> Vec<Row> {
    let code_of = |row: &crate::indicators::FigureRow| row.keys.first().cloned().flatten();
    let slip_of: HashMap<String, (Figure, String)> = slips
        .iter()
        .flat_map(|figures| figures.rows.iter().map(move |row| (figures, row)))
        .filter(|(_, row)| row.figure.value.is_some())
        .filter_map(|(figures, row)| Some((code_of(row)?, (row.figure, figures.receipt(row).to_string()))))
        .collect();
    let mut rows: Vec<(NaiveDate, usize, Row)> = Vec::new();
    for row in points.rows.iter().filter(|row| row.figure.value.is_some_and(|count| count > 0.0)) {
        let (Some(code), Some(planned_on)) = (code_of(row), row.bucket) else { continue };
        let named = points.dimensions.iter().zip(&row.keys);
        let keys: Vec<Key> = named.map(|(name, code)| context.key(name, code.as_deref())).collect();
        let slip = slip_of.get(&code);
        let figure = slip.map_or(Figure::from(None), |(figure, _)| *figure);
        let label = keys.first().map(|key| key.label.clone()).unwrap_or_default();
        let state = row.keys.get(1).and_then(Option::as_deref);
        let milestone = milestone(context, points, state, &code, &label, planned_on, figure);
        let position = points.dimensions.first().map_or(0, |name| context.position(name, Some(&code)));
        let row = Row {
            indicator: slips.unwrap_or(points).indicator.clone(),
            series: super::widget::Series::Fact,
            keys,
            bucket: Some(planned_on),
            label,
            value: figure.value,
            state: figure.state,
            receipt: slip.map(|(_, receipt)| receipt.clone()),
            measures: points.measures.iter().cloned().zip(row.measures.iter().copied()).collect(),
            place: None,
            milestone: Some(milestone),
        };
        rows.push((planned_on, position, row));
    }
    rows.sort_by_key(|(planned_on, position, _)| (*position, *planned_on));
    rows.into_iter().map(|(.., row)| row).collect()
}

fn milestone(
    context: &Context<'_>,
    points: &Figures,
    state: Option<&str>,
    code: &str,
    label: &str,
    planned_on: NaiveDate,
    slip: Figure,
) -> Milestone {
    #[expect(clippy::cast_possible_truncation, reason = "a slip is a few thousand days at most")]
    let slip_days = slip.value.map(|days| days.round() as i64);
    let actual_on = slip_days.and_then(|days| {
        let shift = Days::new(days.unsigned_abs());
        if days < 0 { planned_on.checked_sub_days(shift) } else { planned_on.checked_add_days(shift) }
    });
    let is_done = state.is_none_or(|state| state.starts_with(DONE));
    let states = points.dimensions.get(1);
    let light = states.zip(state).and_then(|(name, state)| context.list(name)?.value(state, "status"));
    let light = match (light, slip_days) {
        (Some("good"), _) => Light::Good,
        (Some("attention"), _) => Light::Attention,
        (Some("bad"), _) => Light::Bad,
        (Some(_), _) | (None, None) => Light::None,
        (None, Some(days)) if days > 0 => Light::Attention,
        (None, Some(_)) => Light::Good,
    };
    Milestone {
        code: code.to_owned(),
        name: label.strip_prefix(code).unwrap_or(label).trim().to_owned(),
        planned_on,
        actual_on,
        is_forecast: !is_done,
        slip_days,
        state: states.map_or_else(String::new, |name| context.key(name, state).label),
        light,
    }
}

//! A plan against what happened.

use super::canvas::Canvas;
use super::line::LineChart;
use super::series::{Role, Series};
use crate::domain::figure::Figure;

/// Plan, fact and forecast over common buckets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlanFactChart {
    /// Labels of the time axis, as in a line chart.
    pub buckets: Vec<String>,
    /// What was planned; a figure per bucket.
    pub plan: Vec<Figure>,
    /// What happened; a figure per bucket.
    pub fact: Vec<Figure>,
    /// What is expected; a figure per bucket, or empty.
    pub forecast: Vec<Figure>,
    /// Symbol of the unit.
    pub unit: String,
    /// Decimals of the values.
    pub decimals: usize,
    /// Whether values hold until the next bucket instead of moving in a straight line.
    pub step: bool,
}

impl PlanFactChart {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        let lang = canvas.lang;
        let series = |role: Role, ru: &str, en: &str, points: &[Figure]| Series {
            name: lang.pick(ru, en).to_owned(),
            role,
            points: points.to_vec(),
        };
        let lines = LineChart {
            buckets: self.buckets.clone(),
            series: vec![
                series(Role::Plan, "план", "plan", &self.plan),
                series(Role::Forecast, "прогноз", "forecast", &self.forecast),
                series(Role::Subject, "факт", "fact", &self.fact),
            ],
            unit: self.unit.clone(),
            decimals: self.decimals,
            ..LineChart::default()
        };
        lines.draw_lines(canvas, self.step);
    }
}

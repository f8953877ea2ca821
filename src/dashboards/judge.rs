//! Changes and lights: what a figure means against an earlier one and against its thresholds.

use super::kind::Compare;
use super::widget::{ChangeKind, Comparison, Light, Status};
use crate::domain::figure::Figure;
use crate::domain::language::Lang;
use crate::domain::number::{THIN_SPACE, format_change};
use crate::domain::period::Period;
use crate::indicators::{
    ChangeUnit, Direction, Ground, Judged, Judgement, LightRule, Thresholds, judge_figure, level_of,
};

/// OKEI code of percent: figures in it change by points.
const PERCENT: &str = "744";

/// What a judgement needs to know of its indicator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure<'a> {
    /// OKEI code of the unit.
    pub(super) unit: &'a str,
    /// Digits after the decimal sign.
    pub(super) decimals: usize,
    /// Which way is better.
    pub(super) direction: Direction,
    /// Where the light changes.
    pub(super) thresholds: Option<Thresholds>,
}

/// A figure against the one of an earlier period.
pub(super) fn compare(
    now: Figure,
    before: Figure,
    measure: Measure<'_>,
    kind: Compare,
    to: Period,
    lang: Lang,
) -> Comparison {
    let is_percent = measure.unit == PERCENT;
    let change = now.value.zip(before.value).and_then(|(now, before)| {
        if is_percent { Some(now - before) } else { (before != 0.0).then(|| (now - before) * 100.0 / before.abs()) }
    });
    let decimals =
        if is_percent { measure.decimals.max(1) } else { usize::from(change.is_none_or(|c| c.abs() < 100.0)) };
    let sign = if is_percent { lang.pick("п. п.", "pp") } else { "%" };
    let text = change.map_or_else(
        || lang.pick("не с чем сравнить", "nothing to compare with").to_owned(),
        |change| format!("{}{THIN_SPACE}{sign}", format_change(change, decimals, lang)),
    );
    let rounded = change.map(|change| (change * 10f64.powi(i32::try_from(decimals).unwrap_or(1))).round());
    let is_better = rounded.filter(|change| *change != 0.0).and_then(|change| match measure.direction {
        Direction::Up => Some(change > 0.0),
        Direction::Down => Some(change < 0.0),
        Direction::None => None,
    });
    let label = match kind {
        Compare::Previous => lang.pick("к предыдущему периоду", "on the period before"),
        Compare::None | Compare::YearBefore => lang.pick("к прошлому году", "on the year before"),
    };
    Comparison {
        value: before.value,
        state: before.state,
        change,
        change_kind: if is_percent { ChangeKind::Points } else { ChangeKind::Percent },
        text,
        label: label.to_owned(),
        to,
        is_better,
    }
}

/// What a light is given by besides the figure and its change.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Grounds {
    /// The policy that was in force on the day of the figure.
    pub(super) rule: Option<LightRule>,
    /// Percent of the plan that the figure attains.
    pub(super) attained_percent: Option<f64>,
    /// Percent of those who had to report and did.
    pub(super) coverage_percent: Option<f64>,
}

/// The light of a figure: level × trend under a policy, else its level alone; where there is no level, its movement. With the reason.
pub(super) fn judge(
    now: Figure,
    comparison: Option<&Comparison>,
    measure: Measure<'_>,
    grounds: &Grounds,
    lang: Lang,
) -> Status {
    let change = comparison.and_then(|comparison| {
        let unit = match comparison.change_kind {
            ChangeKind::Percent => ChangeUnit::Percent,
            ChangeKind::Points => ChangeUnit::Points,
        };
        Some((comparison.change?, unit))
    });
    let Judgement { light, ground, why } = judge_figure(&Judged {
        figure: now,
        direction: measure.direction,
        thresholds: measure.thresholds,
        attained_percent: grounds.attained_percent,
        change,
        coverage_percent: grounds.coverage_percent,
        decimals: measure.decimals,
        rule: grounds.rule.as_ref(),
    });
    let why = why.get(lang).to_owned();
    let movement = comparison.and_then(|comparison| movement(comparison, lang));
    let words = match ground {
        Ground::NoValue => lang.pick("нет данных", "no data").to_owned(),
        Ground::Coverage(words) | Ground::Level(words) => words.get(lang).to_owned(),
        Ground::Nothing => {
            let light = match comparison.and_then(|comparison| comparison.is_better) {
                Some(true) => Light::Good,
                Some(false) => Light::Attention,
                None => Light::None,
            };
            let nothing = lang.pick("порог не задан", "no threshold is set");
            return Status { light, reason: movement.unwrap_or(nothing).to_owned(), why: String::new() };
        }
    };
    let movement = movement.filter(|_| now.value.is_some() && light != Light::None);
    let reason = [Some(words.as_str()), movement].into_iter().flatten().collect::<Vec<_>>().join(", ");
    Status { light, reason, why }
}

/// The light of a value by thresholds alone.
pub(super) fn light_of(value: f64, thresholds: Thresholds, direction: Direction) -> Light {
    level_of(value, thresholds, direction)
}

fn movement(comparison: &Comparison, lang: Lang) -> Option<&'static str> {
    let change = comparison.change?;
    let is_still = change.abs() < 0.05;
    Some(match (is_still, change > 0.0) {
        (true, _) => lang.pick("без изменений", "unchanged"),
        (false, true) => lang.pick("растёт", "rising"),
        (false, false) => lang.pick("снижается", "falling"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(unit: &str, direction: Direction, thresholds: Option<Thresholds>) -> Measure<'_> {
        Measure { unit, decimals: 1, direction, thresholds }
    }

    fn compare_ru(now: f64, before: f64, measure: Measure<'_>) -> Comparison {
        let to = Period::parse("2023", "2023").unwrap();
        compare(Figure::new(now), Figure::new(before), measure, Compare::YearBefore, to, Lang::Ru)
    }

    #[test]
    fn shares_change_by_points_and_counts_by_percent() {
        let share = compare_ru(79.1, 81.4, measure("744", Direction::Up, None));
        assert_eq!((share.text.as_str(), share.is_better), ("−2,3\u{202F}п. п.", Some(false)));
        let count = compare_ru(1174.0, 1000.0, measure("642", Direction::None, None));
        assert_eq!((count.text.as_str(), count.is_better), ("+17,4\u{202F}%", None));
        let doubled = compare_ru(250.0, 100.0, measure("642", Direction::Down, None));
        assert_eq!((doubled.text.as_str(), doubled.is_better), ("+150\u{202F}%", Some(false)));
    }

    #[test]
    fn growth_from_nothing_is_no_percentage() {
        let comparison = compare_ru(5.0, 0.0, measure("642", Direction::Up, None));
        assert_eq!((comparison.change, comparison.text.as_str()), (None, "не с чем сравнить"));
    }

    #[test]
    fn a_light_says_why() {
        let thresholds = Some(Thresholds { good: 85.0, bad: 70.0 });
        let measure = measure("744", Direction::Up, thresholds);
        let status = |value: f64, before: f64| {
            let status = judge(
                Figure::new(value),
                Some(&compare_ru(value, before, measure)),
                measure,
                &Grounds::default(),
                Lang::Ru,
            );
            (status.light, status.reason)
        };
        assert_eq!(status(85.0, 80.0), (Light::Good, "достигнут порог 85, растёт".into()));
        assert_eq!(status(79.1, 81.4), (Light::Attention, "ниже порога 85, снижается".into()));
        assert_eq!(status(70.0, 70.0), (Light::Bad, "ниже допустимого 70, без изменений".into()));
        let missing = judge(Figure::from(None), None, measure, &Grounds::default(), Lang::En);
        assert_eq!((missing.light, missing.reason.as_str()), (Light::None, "no data"));
    }

    #[test]
    fn fewer_is_better_where_the_direction_says_so() {
        let thresholds = Thresholds { good: 50.0, bad: 100.0 };
        let light = |value| light_of(value, thresholds, Direction::Down);
        assert_eq!([light(50.0), light(71.0), light(100.0)], [Light::Good, Light::Attention, Light::Bad]);
        assert_eq!(light_of(1.0, thresholds, Direction::None), Light::None);
    }
}

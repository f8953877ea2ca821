//! Lights: what a figure means, as one colour with its reason.

use serde::Serialize;
use utoipa::ToSchema;

use super::declaration::{Direction, Thresholds};
use super::policy::{LightRule, Trend};
use crate::domain::figure::{Figure, State};
use crate::domain::language::{Lang, Text};
use crate::domain::number::{format_change, format_number};

/// A traffic light; on a page always shape, colour and words together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// As it should be.
    Good,
    /// Needs attention.
    Attention,
    /// Bad.
    Bad,
    /// No judgement.
    #[default]
    None,
}

impl Light {
    /// The colour in words.
    #[must_use]
    pub fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Good => lang.pick("зелёный", "green"),
            Self::Attention => lang.pick("жёлтый", "yellow"),
            Self::Bad => lang.pick("красный", "red"),
            Self::None => lang.pick("серый", "grey"),
        }
    }
}

/// What a light is given for.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The figure.
    pub figure: Figure,
    /// Which way is better.
    pub direction: Direction,
    /// Values of the indicator at which the level changes; they count where nothing is planned.
    pub thresholds: Option<Thresholds>,
    /// Percent of the plan that the figure attains, where something is planned.
    pub attained_percent: Option<f64>,
    /// Change on the earlier period and what it is counted in, where it is known.
    pub change: Option<(f64, ChangeUnit)>,
    /// Percent of those who had to report and did, where that is known.
    pub coverage_percent: Option<f64>,
    /// Digits after the decimal sign.
    pub decimals: usize,
    /// The policy that is in force on the day.
    pub rule: Option<&'a LightRule>,
}

/// What a change is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeUnit {
    /// Percent of the earlier figure.
    Percent,
    /// Points, for figures that are percent themselves.
    Points,
}

/// A light and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The light.
    pub light: Light,
    /// What decided it.
    pub ground: Ground,
    /// Why it has this colour, as one sentence.
    pub why: Text,
}

/// What decided a light, with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// There is no value.
    NoValue,
    /// Too few have reported.
    Coverage(Text),
    /// The level, and under a policy the trend.
    Level(Text),
    /// Nothing says what is good.
    Nothing,
}

/// The light of a figure: its level, and under a policy level × trend.
///
/// Without a value, or under a policy with too few reports, there is no judgement. The level is that of attainment where something is
/// planned and a policy says from which percentage on it is good, else that of the thresholds. Without a level there is none either.
#[must_use]
pub fn judge_figure(judged: &Judged<'_>) -> Judgement {
    let both = |words: &dyn Fn(Lang) -> String| Text { ru: words(Lang::Ru), en: words(Lang::En) };
    let judgement = |light: Light, ground: Ground, reason: &dyn Fn(Lang) -> String| {
        let why = both(&|lang| format!("{}: {}{}.", head(light, lang), reason(lang), by_policy(judged.rule, lang)));
        Judgement { light, ground, why }
    };
    let Some(value) = judged.figure.value else {
        return judgement(Light::None, Ground::NoValue, &|lang| no_value(judged.figure.state, lang).to_owned());
    };
    if let Some((coverage, least)) = judged.coverage_percent.zip(judged.rule.map(|rule| rule.least_coverage_percent))
        && coverage < least
    {
        let words = |lang: Lang| coverage_words(coverage, least, lang);
        return judgement(Light::None, Ground::Coverage(both(&words)), &words);
    }
    let by_plan = judged.attained_percent.zip(judged.rule).map(|(percent, rule)| (percent, rule.attainment));
    let (level, words) = match (by_plan, judged.thresholds) {
        (Some((percent, limits)), _) => {
            let level = level_of(percent, limits, Direction::Up);
            (level, both(&|lang| attained_words(percent, limits, level, lang)))
        }
        (None, Some(limits)) if judged.direction != Direction::None => {
            let level = level_of(value, limits, judged.direction);
            (level, both(&|lang| threshold_words(limits, level, judged, lang)))
        }
        _ => {
            let words = |lang: Lang| lang.pick("порог не задан", "no threshold is set").to_owned();
            return judgement(Light::None, Ground::Nothing, &words);
        }
    };
    let trend = judged.change.zip(judged.rule).map(|((change, unit), rule)| {
        let least = if unit == ChangeUnit::Points { rule.least_points } else { rule.least_percent };
        (trend_of(change, least, judged.direction), change, unit)
    });
    // A figure that is not compared stands where it is.
    let moved = trend.map_or(Trend::Still, |(trend, ..)| trend);
    let light = judged.rule.map_or(level, |rule| rule.light(level, moved));
    let reason = |lang: Lang| {
        let moved = trend.map(|(trend, change, unit)| format!(", {}", trend_words(trend, change, unit, lang)));
        format!("{}{}", words.get(lang), moved.unwrap_or_default())
    };
    judgement(light, Ground::Level(words.clone()), &reason)
}

/// The colour as the first word of a sentence.
fn head(light: Light, lang: Lang) -> String {
    let mut letters = light.word(lang).chars();
    letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
}

fn coverage_words(coverage: f64, least: f64, lang: Lang) -> String {
    let [coverage, least] = [coverage, least].map(|percent| format_number(percent, 0, lang));
    match lang {
        Lang::Ru => format!("отчитались {coverage} % при необходимых {least} %"),
        Lang::En => format!("{coverage} % reported where {least} % have to"),
    }
}

/// The level of a value by its limits.
#[must_use]
pub fn level_of(value: f64, limits: Thresholds, direction: Direction) -> Light {
    let (is_good, is_bad) = match direction {
        Direction::Up => (value >= limits.good, value <= limits.bad),
        Direction::Down => (value <= limits.good, value >= limits.bad),
        Direction::None => return Light::None,
    };
    match (is_good, is_bad) {
        (true, _) => Light::Good,
        (false, true) => Light::Bad,
        (false, false) => Light::Attention,
    }
}

/// Towards the better, away from it, or still: a change smaller than the least one that counts is none.
fn trend_of(change: f64, least: f64, direction: Direction) -> Trend {
    let better = match direction {
        Direction::Up => change,
        Direction::Down => -change,
        Direction::None => 0.0,
    };
    if better.abs() < least || better == 0.0 {
        Trend::Still
    } else if better > 0.0 {
        Trend::Towards
    } else {
        Trend::Away
    }
}

fn by_policy(rule: Option<&LightRule>, lang: Lang) -> String {
    rule.map_or_else(String::new, |rule| format!(" ({})", rule.act.get(lang)))
}

fn no_value(state: State, lang: Lang) -> &'static str {
    match state {
        State::NotDue => lang.pick("срок ещё не наступил", "the value is not due yet"),
        State::NotReported => lang.pick("отчёта нет", "nothing was reported"),
        State::Suppressed => lang.pick("значение скрыто", "the value is suppressed"),
        State::Value | State::Provisional | State::Missing => lang.pick("нет данных", "there are no data"),
    }
}

fn threshold_words(limits: Thresholds, level: Light, judged: &Judged<'_>, lang: Lang) -> String {
    let words = match (level, judged.direction == Direction::Up) {
        (Light::Good, true) => lang.pick("достигнут порог", "reached the threshold of"),
        (Light::Good, false) => lang.pick("в пределах порога", "within the threshold of"),
        (Light::Attention | Light::None, true) => lang.pick("ниже порога", "below the threshold of"),
        (Light::Attention | Light::None, false) => lang.pick("выше порога", "above the threshold of"),
        (Light::Bad, true) => lang.pick("ниже допустимого", "below the tolerable"),
        (Light::Bad, false) => lang.pick("выше допустимого", "above the tolerable"),
    };
    let limit = if level == Light::Bad { limits.bad } else { limits.good };
    let decimals = if limit.fract() == 0.0 { 0 } else { judged.decimals.max(1) };
    format!("{words} {}", format_number(limit, decimals, lang))
}

fn attained_words(percent: f64, limits: Thresholds, level: Light, lang: Lang) -> String {
    let limit = if level == Light::Bad { limits.bad } else { limits.good };
    let [percent, limit] = [(percent, 1), (limit, 0)].map(|(number, decimals)| format_number(number, decimals, lang));
    match (lang, level) {
        (Lang::Ru, Light::Good) => format!("план выполнен на {percent} %, достаточно {limit} %"),
        (Lang::En, Light::Good) => format!("{percent} % of the plan attained, {limit} % is enough"),
        (Lang::Ru, _) => format!("план выполнен на {percent} %, это меньше {limit} %"),
        (Lang::En, _) => format!("{percent} % of the plan attained, which is less than {limit} %"),
    }
}

fn trend_words(trend: Trend, change: f64, unit: ChangeUnit, lang: Lang) -> String {
    let sign = if unit == ChangeUnit::Points { lang.pick("п. п.", "pp") } else { "%" };
    let change = format!("{} {sign}", format_change(change, 1, lang));
    match trend {
        Trend::Towards => lang.pick("меняется к лучшему", "getting better"),
        Trend::Still => lang.pick("почти не меняется", "hardly changing"),
        Trend::Away => lang.pick("меняется к худшему", "getting worse"),
    }
    .to_owned()
        + &format!(" ({change})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(value: f64) -> Judged<'static> {
        Judged {
            figure: Figure::new(value),
            direction: Direction::Up,
            thresholds: Some(Thresholds { good: 85.0, bad: 70.0 }),
            attained_percent: None,
            change: None,
            coverage_percent: None,
            decimals: 1,
            rule: None,
        }
    }

    #[test]
    fn without_a_policy_the_light_is_the_level() {
        let light = |value| judge_figure(&judged(value)).light;
        assert_eq!([light(85.0), light(80.0), light(70.0)], [Light::Good, Light::Attention, Light::Bad]);
        let why = judge_figure(&judged(79.1)).why;
        assert_eq!(
            (why.ru.as_str(), why.en.as_str()),
            ("Жёлтый: ниже порога 85.", "Yellow: below the threshold of 85.")
        );
        let unknown = Judged { figure: Figure::without(State::NotReported), ..judged(0.0) };
        assert_eq!(judge_figure(&unknown).why.en, "Grey: nothing was reported.");
        let undirected = Judged { direction: Direction::None, ..judged(90.0) };
        assert_eq!(judge_figure(&undirected).light, Light::None);
    }

    #[test]
    fn a_policy_gives_level_times_trend() {
        let rule = LightRule::for_tests();
        let with = |judged: Judged<'static>| {
            let judgement = judge_figure(&Judged { rule: Some(&rule), ..judged });
            (judgement.light, judgement.why.ru)
        };
        let moved = |change| Some((change, ChangeUnit::Points));
        // Bad and getting better is yellow by the policy of the test, bad and still is red.
        let (light, why) = with(Judged { change: moved(2.0), ..judged(60.0) });
        assert_eq!(light, Light::Attention);
        assert_eq!(why, "Жёлтый: ниже допустимого 70, меняется к лучшему (+2,0 п. п.) (Приказ № 1).");
        assert_eq!(with(Judged { change: moved(0.4), ..judged(60.0) }).0, Light::Bad);
        assert_eq!(with(Judged { change: moved(-0.6), ..judged(90.0) }).0, Light::Attention);
        // Less is better: the same change is one for the worse.
        let falling = Judged {
            direction: Direction::Down,
            thresholds: Some(Thresholds { good: 10.0, bad: 50.0 }),
            ..judged(60.0)
        };
        assert_eq!(with(Judged { change: moved(2.0), ..falling }).0, Light::Bad);
        // A plan counts before the thresholds.
        let (light, why) = with(Judged { attained_percent: Some(97.0), ..judged(60.0) });
        assert_eq!(
            (light, why.as_str()),
            (Light::Attention, "Жёлтый: план выполнен на 97,0 %, это меньше 100 % (Приказ № 1).")
        );
        // Too few reports: grey, whatever the value.
        let (light, why) = with(Judged { coverage_percent: Some(79.0), ..judged(90.0) });
        assert_eq!((light, why.as_str()), (Light::None, "Серый: отчитались 79 % при необходимых 80 % (Приказ № 1)."));
        assert_eq!(with(Judged { coverage_percent: Some(80.0), ..judged(90.0) }).0, Light::Good);
    }
}

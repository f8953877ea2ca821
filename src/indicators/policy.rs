//! The policy of lights: `warehouse/policies/lights.yaml`, editions of a rule with the act that each follows.

use std::path::Path;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::declaration::Thresholds;
use super::edition::edition_of;
use super::light::Light;
use crate::declarations::{Problems, Source, Spanned, list_files};
use crate::domain::language::Text;

/// Folder of the policies inside a project.
pub const POLICIES_FOLDER: &str = "warehouse/policies";
/// Name of the only policy so far.
const LIGHTS: &str = "lights";

/// The policy of lights as written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLightPolicy {
    /// `lights`, which is also the name of the file.
    pub policy: Spanned<String>,
    /// Name for people.
    pub title: Spanned<Text>,
    /// The editions, oldest first. An edition is in force until the day before the next one.
    pub editions: Vec<Spanned<RawLightRule>>,
}

/// One edition of the policy of lights.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLightRule {
    /// First day on which the edition is in force.
    pub valid_from: NaiveDate,
    /// The act that sets it, or the decision that it follows.
    pub act: Text,
    /// Percent of a plan from which on attainment is good, and up to which it is bad. Where nothing is planned, the
    /// `thresholds` of the indicator count.
    pub attainment: Thresholds,
    /// The least change that counts as movement.
    pub trend: RawTrend,
    /// Percent of reports below which there is no judgement.
    pub least_coverage_percent: f64,
    /// The light by level and trend.
    pub light: RawLights,
}

/// The least change that counts as movement.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTrend {
    /// Of figures that are percent themselves: percentage points.
    pub least_points: f64,
    /// Of all others: percent of the earlier figure.
    pub least_percent: f64,
}

/// The light by level and trend.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLights {
    /// Where the level is good.
    pub good: RawByTrend,
    /// Where the level is between good and bad.
    pub attention: RawByTrend,
    /// Where the level is bad.
    pub bad: RawByTrend,
}

/// The light by trend.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawByTrend {
    /// The figure gets better.
    pub towards: RawLight,
    /// It hardly changes, or there is nothing to compare with.
    pub still: RawLight,
    /// It gets worse.
    pub away: RawLight,
}

/// A light as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RawLight {
    /// As it should be.
    Green,
    /// Needs attention.
    Yellow,
    /// Bad.
    Red,
}

/// Where a figure moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// To the better.
    Towards,
    /// Nowhere.
    Still,
    /// To the worse.
    Away,
}

/// The editions of the policy, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct LightPolicy {
    rules: Vec<LightRule>,
}

/// One edition of the policy of lights.
#[derive(Debug, Clone, PartialEq)]
pub struct LightRule {
    /// Short hash of its content, which names it in receipts.
    pub id: String,
    /// First day on which it is in force.
    pub valid_from: NaiveDate,
    /// The act that sets it.
    pub act: Text,
    /// Percent of a plan from which on attainment is good, and up to which it is bad.
    pub attainment: Thresholds,
    /// Least change of a percentage that counts, in points.
    pub least_points: f64,
    /// Least change of any other figure that counts, in percent.
    pub least_percent: f64,
    /// Percent of reports below which there is no judgement.
    pub least_coverage_percent: f64,
    lights: RawLights,
}

impl LightRule {
    /// The light of a level and a trend; without a level there is none.
    #[must_use]
    pub fn light(&self, level: Light, trend: Trend) -> Light {
        let by_trend = match level {
            Light::Good => self.lights.good,
            Light::Attention => self.lights.attention,
            Light::Bad => self.lights.bad,
            Light::None => return Light::None,
        };
        let light = match trend {
            Trend::Towards => by_trend.towards,
            Trend::Still => by_trend.still,
            Trend::Away => by_trend.away,
        };
        match light {
            RawLight::Green => Light::Good,
            RawLight::Yellow => Light::Attention,
            RawLight::Red => Light::Bad,
        }
    }
}

impl LightPolicy {
    /// The edition in force on a day; none before the first.
    #[must_use]
    pub fn edition_on(&self, day: NaiveDate) -> Option<&LightRule> {
        self.rules.iter().rev().find(|rule| rule.valid_from <= day)
    }

    /// Reads and checks the policy; none if the project has none.
    pub(super) fn load(project: &Path) -> Result<Option<Self>, Problems> {
        let mut problems = Problems::new();
        let mut policy = None;
        for path in list_files(project, POLICIES_FOLDER, ".yaml")? {
            policy = problems.keep(Source::read(project, &path).and_then(|source| read(&source))).or(policy);
        }
        problems.into_result(policy)
    }
}

fn read(source: &Source) -> Result<LightPolicy, Problems> {
    let raw: RawLightPolicy = source.parse()?;
    let mut problems = Problems::new();
    let is_lights = source.path.file_stem().is_some_and(|stem| stem == LIGHTS);
    if raw.policy.value != LIGHTS || !is_lights {
        let problem = source.problem(&raw.policy, format!("unknown policy `{}`", raw.policy.value));
        problems.push(problem.help(format!("the policy `{LIGHTS}` in the file `{LIGHTS}.yaml` is the only one")));
    }
    if raw.editions.is_empty() {
        problems.push(source.problem(&raw.policy, "`editions` is empty"));
    }
    let mut last: Option<NaiveDate> = None;
    for edition in &raw.editions {
        let mut wrong = |message: &str| problems.push(source.problem(edition, message));
        if last.is_some_and(|last| last >= edition.valid_from) {
            wrong("an edition is not later than the one before it");
        }
        if edition.attainment.good < edition.attainment.bad {
            wrong("`attainment`: `good` is less than `bad`");
        }
        if edition.act.ru.trim().is_empty() || edition.act.en.trim().is_empty() {
            wrong("`act` is empty");
        }
        if !(0.0..=100.0).contains(&edition.least_coverage_percent) {
            wrong("`least_coverage_percent`: expected a percentage from 0 to 100");
        }
        if !(edition.trend.least_points >= 0.0 && edition.trend.least_percent >= 0.0) {
            wrong("`trend`: the least change cannot be negative");
        }
        last = Some(edition.valid_from);
    }
    let rules = raw.editions.into_iter().map(|edition| rule_of(edition.value));
    problems.into_result(LightPolicy { rules: rules.collect() })
}

fn rule_of(raw: RawLightRule) -> LightRule {
    let id = edition_of(&serde_json::to_value(&raw).unwrap_or_default());
    LightRule {
        id,
        valid_from: raw.valid_from,
        act: raw.act,
        attainment: raw.attainment,
        least_points: raw.trend.least_points,
        least_percent: raw.trend.least_percent,
        least_coverage_percent: raw.least_coverage_percent,
        lights: raw.light,
    }
}

#[cfg(test)]
impl LightRule {
    /// Full marks at 100 %, bad and getting better is yellow, good and getting worse as well.
    pub(super) fn for_tests() -> Self {
        use RawLight::{Green, Red, Yellow};
        rule_of(RawLightRule {
            valid_from: NaiveDate::default(),
            act: Text { ru: "Приказ № 1".to_owned(), en: "Order No. 1".to_owned() },
            attainment: Thresholds { good: 100.0, bad: 90.0 },
            trend: RawTrend { least_points: 0.5, least_percent: 1.0 },
            least_coverage_percent: 80.0,
            light: RawLights {
                good: RawByTrend { towards: Green, still: Green, away: Yellow },
                attention: RawByTrend { towards: Yellow, still: Yellow, away: Yellow },
                bad: RawByTrend { towards: Yellow, still: Red, away: Red },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { path: "warehouse/policies/lights.yaml".into(), text: text.to_owned() }
    }

    const RULE: &str = "    act: {ru: А, en: A}\n    attainment: {good: 100, bad: 90}\n    \
        trend: {least_points: 0.5, least_percent: 1}\n    least_coverage_percent: 80\n    light:\n      \
        good: {towards: green, still: green, away: green}\n      attention: {towards: yellow, still: yellow, away: red}\n      \
        bad: {towards: yellow, still: red, away: red}\n";

    fn policy(first: &str, second: &str) -> Result<LightPolicy, Problems> {
        read(&source(&format!(
            "policy: lights\ntitle: {{ru: а, en: a}}\neditions:\n  - valid_from: {first}\n{RULE}  - valid_from: {second}\n{RULE}"
        )))
    }

    #[test]
    fn the_edition_of_the_day_counts() {
        let policy = policy("2024-01-01", "2025-07-01").unwrap();
        let from = |day: &str| policy.edition_on(day.parse().unwrap()).map(|rule| rule.valid_from.to_string());
        assert_eq!(from("2023-12-31"), None);
        assert_eq!(from("2025-06-30").as_deref(), Some("2024-01-01"));
        assert_eq!(from("2025-07-01").as_deref(), Some("2025-07-01"));
        assert_ne!(policy.rules[0].id, policy.rules[1].id);
        assert_eq!(policy.rules[0].light(Light::Attention, Trend::Away), Light::Bad);
    }

    #[test]
    fn editions_out_of_order_are_told_at_their_place() {
        let text = policy("2025-07-01", "2024-01-01").unwrap_err().to_string();
        assert!(text.starts_with("error: warehouse/policies/lights.yaml:"), "{text}");
        assert!(text.contains("an edition is not later than the one before it"), "{text}");
    }
}

//! Checks the promises of a contract.

use serde_json::Value;

use super::check::Checks;
use super::promises::Freshness;
use super::raw_rules::RawPromise;
use crate::domain::calendar::{Term, TermUnit};

/// The longest term, so that a slip of the pen is noticed.
const LONGEST: u64 = 10_000;

impl Checks<'_> {
    /// How fresh the events are promised to be; other promises are for people.
    pub(super) fn freshness(&mut self, promises: &[RawPromise]) -> Option<Freshness> {
        let mut freshness = Freshness { frequency: None, latency: None };
        for promise in promises {
            let place = match promise.property.as_str() {
                "frequency" => &mut freshness.frequency,
                "latency" => &mut freshness.latency,
                _ => continue,
            };
            if place.is_some() {
                self.problem(&promise.property, format!("`{}` is promised twice", promise.property.value));
            }
            *place = self.term(promise);
        }
        (freshness.frequency.is_some() || freshness.latency.is_some()).then_some(freshness)
    }

    fn term(&mut self, promise: &RawPromise) -> Option<Term> {
        let amount = match &promise.value.value {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let amount =
            amount.filter(|amount| (1..=LONGEST).contains(amount)).and_then(|amount| u32::try_from(amount).ok());
        if amount.is_none() {
            self.problem(&promise.value, format!("`value`: expected a whole number from 1 to {LONGEST}"));
        }
        let Some(unit) = &promise.unit else {
            self.advise(&promise.property, "the promise has no `unit`", "e.g. `unit: bd` for working days");
            return None;
        };
        let (unit, factor) = match unit.as_str() {
            "h" | "hr" | "hour" | "hours" => (TermUnit::Hours, 1),
            "bd" | "business day" | "business days" => (TermUnit::WorkingDays, 1),
            "d" | "day" | "days" => (TermUnit::Days, 1),
            "w" | "week" | "weeks" => (TermUnit::Days, 7),
            "m" | "mo" | "month" | "months" => (TermUnit::Months, 1),
            "y" | "yr" | "year" | "years" => (TermUnit::Months, 12),
            _ => {
                self.one_of(unit, "unit", &["h", "bd", "d", "w", "m", "y"]);
                return None;
            }
        };
        amount.map(|amount| Term { amount: amount * factor, unit })
    }
}

//! What the contract demands of every event.
//!
//! One broken rule rejects the whole source row. A sentence names the column as the register calls it, the value unless it is
//! personal, and what to do.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::mapping::{Events, Label, Mapper};
use super::rejects::{Rejects, quoted};
use crate::warehouse::contracts::{Bound, Column, ColumnType, Contract, OCCURRED_AT};
use crate::warehouse::reference::Reference;

/// First year in which an event may have occurred; older dates are slips of the pen.
const FIRST_YEAR: i32 = 1990;

/// The rules of one contract, with code lists ready for search.
#[derive(Debug)]
pub struct RuleChecker {
    columns: Vec<ColumnRules>,
    occurred_at: Option<usize>,
    /// Earliest and latest moment of an event, in microseconds of UTC.
    range: (i64, i64),
    time_zone: Tz,
}

/// The rules of one column.
#[derive(Debug)]
struct ColumnRules {
    column: Column,
    allowed: Option<HashSet<String>>,
    codes: Option<(String, HashSet<String>)>,
}

impl RuleChecker {
    /// Prepares the rules; an event may lie at most one day after `now`, since clocks of registers differ.
    #[must_use]
    pub fn new(contract: &Contract, reference: &Reference, now: DateTime<Utc>, time_zone: Tz) -> Self {
        let columns = contract.columns.iter().map(|column| ColumnRules {
            allowed: column.allowed.as_ref().map(|allowed| allowed.iter().cloned().collect()),
            codes: column.reference.as_ref().map(|(list, by)| {
                let values = reference.list(list).and_then(|list| list.column(by)).unwrap_or_default();
                (list.clone(), values.iter().cloned().collect())
            }),
            column: column.clone(),
        });
        let first = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN);
        Self {
            columns: columns.collect(),
            occurred_at: contract.columns.iter().position(|column| column.name == OCCURRED_AT),
            range: (first.and_utc().timestamp_micros(), latest_event(now)),
            time_zone,
        }
    }

    /// Moves the latest moment of an event, as [`Self::new`] sets it.
    pub fn set_now(&mut self, now: DateTime<Utc>) {
        self.range.1 = latest_event(now);
    }

    /// Rejects the rows of events that break a rule.
    pub fn check(&self, events: &Events, mapper: &Mapper, rejects: &mut Rejects) {
        for (place, (rules, array)) in self.columns.iter().zip(&events.columns).enumerate() {
            let mut report = Report { events, mapper, column: place, rejects: &mut *rejects };
            if rules.column.required && array.null_count() > 0 {
                for event in (0..array.len()).filter(|event| array.is_null(*event)) {
                    report.add(event, "required", |_| "обязательное поле пустое; заполните его в реестре".to_owned());
                }
            }
            match rules.column.column_type {
                ColumnType::String => rules.check_texts(array.as_string_view(), &mut report),
                ColumnType::Boolean => {}
                _ => rules.check_bounds(array, self.time_zone, &mut report),
            }
            if self.occurred_at == Some(place) {
                self.check_range(array, &mut report);
            }
        }
    }

    fn check_range(&self, array: &ArrayRef, report: &mut Report<'_>) {
        let moments = array.as_primitive::<TimestampMicrosecondType>();
        let (first, last) = self.range;
        for (event, moment) in moments.iter().enumerate() {
            let Some(moment) = moment.filter(|moment| !(first..=last).contains(moment)) else { continue };
            report.add(event, "range", |label| {
                let shown = DateTime::from_timestamp_micros(moment)
                    .map(|moment| moment.with_timezone(&self.time_zone).format("%d.%m.%Y").to_string())
                    .filter(|_| !label.hidden)
                    .map_or_else(|| "дата".to_owned(), |day| quoted(&day));
                let wrong = if moment > last { "в будущем" } else { "раньше 1990 года" };
                format!("{shown} – {wrong}; исправьте дату в реестре")
            });
        }
    }
}

/// The latest moment at which an event may have occurred, in microseconds of UTC.
fn latest_event(now: DateTime<Utc>) -> i64 {
    (now + Duration::days(1)).timestamp_micros()
}

impl ColumnRules {
    fn check_texts(&self, texts: &StringViewArray, report: &mut Report<'_>) {
        let Column { pattern, min_length, max_length, .. } = &self.column;
        if self.allowed.is_none() && self.codes.is_none() && pattern.is_none() && min_length.or(*max_length).is_none() {
            return;
        }
        // Neighbours often have the same value, and what was right a row ago is right again.
        let mut right: Option<&str> = None;
        for (event, text) in texts.iter().enumerate() {
            let Some(text) = text else { continue };
            if right == Some(text) {
                continue;
            }
            if self.allowed.as_ref().is_some_and(|allowed| !allowed.contains(text)) {
                let allowed = self.column.allowed.as_deref().unwrap_or_default().join(", ");
                report.add(event, "allowed", |label| {
                    format!("{} не из допустимых: {allowed}; исправьте в реестре", label.show(text))
                });
            } else if let Some((list, codes)) = &self.codes
                && !codes.contains(text)
            {
                report.add(event, "reference", |label| {
                    let shown = label.show(text);
                    format!("код {shown} не найден в справочнике {list}; исправьте код или дополните справочник")
                });
            } else if let Some(pattern) = pattern
                && !pattern.is_match(text)
            {
                report.add(event, "pattern", |label| {
                    format!("{} не отвечает образцу {pattern}; исправьте в реестре", label.show(text))
                });
            } else if let Some(wrong) = self.wrong_length(text) {
                report.add(event, "length", |label| format!("{}: {wrong}; исправьте в реестре", label.show(text)));
            } else {
                right = Some(text);
            }
        }
    }

    fn wrong_length(&self, text: &str) -> Option<String> {
        let Column { min_length, max_length, .. } = self.column;
        // Counting bytes is cheaper and decides nearly always.
        if min_length.is_none_or(|least| text.len() / 4 >= least) && max_length.is_none_or(|most| text.len() <= most) {
            return None;
        }
        let n_characters = text.chars().count();
        if let Some(least) = min_length.filter(|least| n_characters < *least) {
            return Some(format!("знаков {n_characters}, а должно быть не меньше {least}"));
        }
        let most = max_length.filter(|most| n_characters > *most)?;
        Some(format!("знаков {n_characters}, а должно быть не больше {most}"))
    }

    /// Checks numbers, days and moments against the limits of the column.
    fn check_bounds(&self, array: &ArrayRef, time_zone: Tz, report: &mut Report<'_>) {
        let (lower, upper) = (self.column.lower.as_ref(), self.column.upper.as_ref());
        if lower.or(upper).is_none() {
            return;
        }
        let mut check = |event: usize, value: f64, shown: &dyn Fn() -> String| {
            let is_below = |bound: &&Bound| value < bound.at || bound.is_exclusive && value <= bound.at;
            let is_above = |bound: &&Bound| value > bound.at || bound.is_exclusive && value >= bound.at;
            if let Some(Bound { is_exclusive, text, .. }) = lower.filter(is_below) {
                let wrong = if *is_exclusive {
                    "должно быть больше"
                } else {
                    "меньше допустимого"
                };
                report.add(event, "minimum", |label| {
                    format!("{} {wrong} {text}; исправьте в реестре", label.show(&shown()))
                });
            } else if let Some(Bound { is_exclusive, text, .. }) = upper.filter(is_above) {
                let wrong = if *is_exclusive {
                    "должно быть меньше"
                } else {
                    "больше допустимого"
                };
                report.add(event, "maximum", |label| {
                    format!("{} {wrong} {text}; исправьте в реестре", label.show(&shown()))
                });
            }
        };
        if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
            for (event, value) in numbers.iter().enumerate() {
                if let Some(value) = value {
                    check(event, value, &|| value.to_string());
                }
            }
        } else if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
            for (event, value) in numbers.iter().enumerate() {
                if let Some(value) = value {
                    #[expect(clippy::cast_precision_loss, reason = "limits of a contract are far below 2^53")]
                    check(event, value as f64, &|| value.to_string());
                }
            }
        } else if let Some(days) = array.as_primitive_opt::<Date32Type>() {
            for (event, day) in days.iter().enumerate() {
                if let Some(day) = day {
                    check(event, day.into(), &|| {
                        let date = NaiveDate::default().checked_add_signed(Duration::days(day.into()));
                        date.map(|date| date.format("%d.%m.%Y").to_string()).unwrap_or_default()
                    });
                }
            }
        } else if let Some(moments) = array.as_primitive_opt::<TimestampMicrosecondType>() {
            for (event, moment) in moments.iter().enumerate() {
                if let Some(moment) = moment {
                    #[expect(clippy::cast_precision_loss, reason = "moments until 2255 are below 2^53 microseconds")]
                    check(event, moment as f64, &|| {
                        let moment =
                            DateTime::from_timestamp_micros(moment).map(|moment| moment.with_timezone(&time_zone));
                        moment.map(|moment| moment.format("%d.%m.%Y %H:%M").to_string()).unwrap_or_default()
                    });
                }
            }
        }
    }
}

impl Label {
    /// The value in quotes, or a word for one that must not be shown.
    pub(super) fn show(&self, value: &str) -> String {
        if self.hidden { "значение".to_owned() } else { quoted(value) }
    }
}

/// Where broken rules of one column go.
struct Report<'a> {
    events: &'a Events,
    mapper: &'a Mapper,
    column: usize,
    rejects: &'a mut Rejects,
}

impl Report<'_> {
    fn add(&mut self, event: usize, rule: &'static str, sentence: impl FnOnce(&Label) -> String) {
        let (Some(row), Some(made_by)) = (self.events.rows.get(event), self.events.rules.get(event)) else { return };
        let Some(label) = self.mapper.label(*made_by, self.column) else { return };
        self.rejects.add(*row as usize, rule, || format!("«{}»: {}", label.name, sentence(label)));
    }
}

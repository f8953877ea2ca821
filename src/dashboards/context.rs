//! What is known while one widget is put together: names, period, filters, the state of the warehouse.

use chrono::NaiveDate;
use indexmap::IndexMap;

use super::declaration::Widget;
use super::widget::{Dimension, Filter, Freshness, Key, Passport, Place, SnapshotMark, Unit};
use crate::domain::language::{Lang, Text};
use crate::domain::period::{Grain, Period};
use crate::indicators::{Additivity, Indicator, LEVELS, Measure, REGISTERS, VALUE_TYPES};
use crate::warehouse::reference::{CodeList, Reference};

/// Code list of the units of measure.
const UNITS: &str = "okei";

/// The surroundings of one widget.
pub(super) struct Context<'a> {
    pub(super) dashboard: &'a str,
    pub(super) widget: &'a Widget,
    /// The indicators of the widget, in its order; at least one.
    pub(super) indicators: Vec<&'a Indicator>,
    pub(super) reference: &'a Reference,
    pub(super) lang: Lang,
    pub(super) period: Period,
    /// Length of the buckets, where time is cut.
    pub(super) grain: Option<Grain>,
    /// Codes that are let through, the widget's own first.
    pub(super) filters: IndexMap<String, Vec<String>>,
    /// Filters of the reader that the figures have no dimension for.
    pub(super) ignored: Vec<String>,
    pub(super) snapshot: SnapshotMark,
    pub(super) freshness: Freshness,
    /// The month in which the data begin, where that was asked.
    pub(super) data_from: Option<NaiveDate>,
    pub(super) today: NaiveDate,
}

impl<'a> Context<'a> {
    /// The indicator that the widget is mainly about.
    pub(super) fn indicator(&self) -> &'a Indicator {
        self.indicators[0]
    }

    /// Name of the widget.
    pub(super) fn title(&self) -> String {
        let title = self.widget.title.as_ref().unwrap_or_else(|| self.indicator().title());
        title.get(self.lang).to_owned()
    }

    /// The code list of a dimension.
    pub(super) fn list(&self, dimension: &str) -> Option<&'a CodeList> {
        let found = self.indicators.iter().find_map(|indicator| indicator.entity().dimension(dimension))?;
        self.reference.list(found.list()?)
    }

    /// A dimension with its name for people.
    pub(super) fn dimension(&self, name: &str) -> Dimension {
        let found = self.indicators.iter().find_map(|indicator| indicator.entity().dimension(name));
        let title = found.map_or_else(|| name.to_owned(), |dimension| dimension.title().get(self.lang).to_owned());
        Dimension { name: name.to_owned(), title }
    }

    /// A code with its name for people.
    pub(super) fn key(&self, dimension: &str, code: Option<&str>) -> Key {
        let Some(code) = code else {
            return Key { code: None, label: self.lang.pick("не указано", "not stated").to_owned() };
        };
        let label = self.list(dimension).and_then(|list| list.label(code, self.lang)).unwrap_or(code);
        Key { code: Some(code.to_owned()), label: label.to_owned() }
    }

    /// Place of a code in its list; unknown codes and absent ones come last.
    pub(super) fn position(&self, dimension: &str, code: Option<&str>) -> usize {
        code.and_then(|code| self.list(dimension)?.position(code)).unwrap_or(usize::MAX)
    }

    /// Where a territory lies, and the grid that its place counts in.
    pub(super) fn place(&self, dimension: &str, code: &str) -> Option<(String, Place)> {
        let list = self.list(dimension)?;
        let number = |column| list.value(code, column)?.parse().ok();
        let place = Place { label: list.value(code, "label")?.to_owned(), column: number("col")?, row: number("row")? };
        Some((list.value(code, "grid").unwrap_or_default().to_owned(), place))
    }

    /// The filters with names for people.
    pub(super) fn filters(&self) -> Vec<Filter> {
        let filter = |(name, codes): (&String, &Vec<String>)| Filter {
            name: name.clone(),
            title: self.dimension(name).title,
            values: codes.iter().map(|code| self.key(name, Some(code))).collect(),
            is_fixed: self.widget.only.contains_key(name),
        };
        self.filters.iter().map(filter).collect()
    }

    /// The unit of an indicator.
    pub(super) fn unit(&self, indicator: &Indicator) -> Unit {
        unit(self.reference, indicator.unit(), self.lang)
    }

    /// The passport of an indicator.
    pub(super) fn passport(&self, indicator: &Indicator) -> Passport {
        describe_indicator(indicator, self.reference, self.lang)
    }
}

/// The passport of an indicator in one language.
#[must_use]
pub fn describe_indicator(indicator: &Indicator, reference: &Reference, lang: Lang) -> Passport {
    let passport = indicator.passport();
    let text = |text: &Text| text.get(lang).to_owned();
    let coded = |list: &str, code: Option<&str>, column: &str| {
        let column = format!("{column}_{}", lang.pick("ru", "en"));
        let cell = reference.list(list).and_then(|list| list.value(code?, &column));
        cell.filter(|cell| !cell.is_empty()).map(str::to_owned)
    };
    let of_register = |column: &str| coded(REGISTERS, passport.register.as_deref(), column);
    let names = || indicator.measures().iter().map(Measure::name).collect::<Vec<_>>().join(", ");
    Passport {
        id: indicator.id().to_owned(),
        title: text(indicator.title()),
        description: text(indicator.description()),
        unit: unit(reference, indicator.unit(), lang),
        decimals: indicator.decimals(),
        direction: indicator.direction(),
        method: text(&passport.method),
        formula: indicator.formula().map_or_else(names, str::to_owned),
        source: text(&passport.source),
        owner: text(&passport.owner),
        periodicity: text(&passport.periodicity),
        act: passport.act.as_ref().map(text),
        rationale: passport.rationale.as_ref().map(text),
        level: coded(LEVELS, passport.level.as_deref(), "name"),
        value_type: coded(VALUE_TYPES, passport.value_type.as_deref(), "name"),
        time_character: time_character(indicator.additivity(), lang).to_owned(),
        numerator: passport.numerator.as_ref().map(text),
        denominator: passport.denominator.as_ref().map(text),
        breakdowns: indicator.entity().dimensions().iter().map(|dimension| text(dimension.title())).collect(),
        collection: of_register("collection"),
        coverage: of_register("coverage"),
        data_owner: of_register("data_owner"),
        approver: of_register("approver"),
        due: of_register("due"),
        disclosure: of_register("disclosure"),
        breaks: of_register("breaks"),
        base: passport.base.as_ref().map(text),
        caveats: passport.caveats.as_ref().map(text),
        valid_from: passport.valid_from,
        valid_to: passport.valid_to,
        version: passport.changes.len() + 1,
        changes: passport.changes.iter().map(text).collect(),
    }
}

/// What a value says of time, which follows from how values go together.
fn time_character(additivity: Additivity, lang: Lang) -> &'static str {
    match additivity {
        Additivity::Flow => lang.pick("за период, суммируется по времени", "of a period, adds up over time"),
        Additivity::Stock => lang
            .pick("на конец периода, по времени не суммируется", "at the end of a period, does not add up over time"),
        Additivity::Last => {
            lang.pick("последнее значение периода, не суммируется", "the last value of a period, does not add up")
        }
        Additivity::Distinct => {
            lang.pick("за период, в каждой группе считается заново", "of a period, counted anew in each group")
        }
        Additivity::Average | Additivity::Extreme => {
            lang.pick("за период, считается по строкам группы", "of a period, computed from the rows of a group")
        }
        Additivity::Ratio => {
            lang.pick("считается из составляющих на каждом уровне", "computed from its parts at every level")
        }
    }
}

/// A unit by its OKEI code; the code itself where the list has no symbol.
fn unit(reference: &Reference, code: &str, lang: Lang) -> Unit {
    let list = reference.list(UNITS);
    let symbol = list.and_then(|list| list.value(code, lang.pick("symbol_ru", "symbol_en")));
    Unit {
        code: code.to_owned(),
        name: list.and_then(|list| list.label(code, lang)).unwrap_or(code).to_owned(),
        symbol: symbol.unwrap_or_default().to_owned(),
    }
}

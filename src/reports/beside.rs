//! What stands beside the keys of a row of values: the value, what it is compared with, totals, shares, coverage.

use serde::Serialize;

use super::values::{ComparedValue, IndicatorValue, IndicatorValues, PlanValue};
use crate::domain::figure::{Figure, State};
use crate::domain::language::Lang;
use crate::domain::number::format_number;
use crate::domain::table::{Cell, TableColumn};
use crate::indicators::Against;

/// A column and how its cell is taken from a row.
pub(super) type Column = (TableColumn, Box<dyn Fn(&IndicatorValue) -> Cell>);

/// The values of a row that may be compared with earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Series {
    Own,
    Cumulative,
    Rolling,
}

impl Series {
    /// Names for programs and for people.
    fn names(self, lang: Lang) -> (&'static str, &'static str) {
        match self {
            Self::Own => ("value", lang.pick("Значение", "Value")),
            Self::Cumulative => ("cumulative", lang.pick("Нарастающий итог", "Running total")),
            Self::Rolling => ("rolling", lang.pick("Скользящее окно", "Rolling window")),
        }
    }

    fn figure(self, row: &IndicatorValue) -> Option<Figure> {
        match self {
            Self::Own => Some(Figure { value: row.value, state: row.state }),
            Self::Cumulative => row.cumulative.as_ref().map(|one| Figure { value: one.value, state: one.state }),
            Self::Rolling => row.rolling.as_ref().map(|one| Figure { value: one.value, state: one.state }),
        }
    }

    fn compared(self, row: &IndicatorValue) -> &[ComparedValue] {
        match self {
            Self::Own => &row.compared,
            Self::Cumulative => row.cumulative.as_ref().map(|one| one.compared.as_slice()).unwrap_or_default(),
            Self::Rolling => row.rolling.as_ref().map(|one| one.compared.as_slice()).unwrap_or_default(),
        }
    }
}

/// The columns that these values have; every row has the same.
pub(super) fn columns(values: &IndicatorValues, lang: Lang, for_programs: bool) -> Vec<Column> {
    let mut columns = Vec::new();
    let has = |is_there: fn(&IndicatorValue) -> bool| values.rows.iter().any(is_there);
    for series in [Series::Own, Series::Cumulative, Series::Rolling] {
        if series == Series::Own || values.rows.first().is_some_and(|row| series.figure(row).is_some()) {
            push_series(&mut columns, values, series, lang, for_programs);
        }
    }
    if has(|row| row.plan.is_some()) {
        push_plan(&mut columns, values, lang, for_programs);
    }
    let number = |name: &str, title: &str, decimals, unit: &str| TableColumn::number(name, title, decimals, unit);
    if for_programs || has(|row| !row.compared.is_empty() || row.per_working_day.is_some()) {
        let column = number("working_days", lang.pick("Рабочих дней", "Working days"), 0, "");
        columns.push((
            column,
            Box::new(|row| row.working_days.map_or(Cell::Empty, |days| Figure::new(f64::from(days)).into())),
        ));
    }
    if has(|row| row.per_working_day.is_some()) {
        let title = lang.pick("На рабочий день", "Per working day");
        let column = number("per_working_day", title, values.decimals.max(1), &values.unit.symbol);
        columns
            .push((column, Box::new(|row| row.per_working_day.map_or(Cell::Empty, |value| Figure::new(value).into()))));
    }
    if has(|row| row.share.is_some()) {
        let column = number("share", lang.pick("Доля в итоге", "Share"), 1, "%");
        columns.push((column, Box::new(|row| row.share.map_or(Cell::Empty, |value| Figure::new(value).into()))));
    }
    if has(|row| row.to_date.is_some()) && (for_programs || has(|row| !row.compared.is_empty())) {
        let column = TableColumn::date("to_date", lang.pick("Сравнение по", "Compared up to"));
        columns.push((column, Box::new(|row| row.to_date.map_or(Cell::Empty, Cell::Date))));
    }
    if has(|row| row.coverage.is_some()) {
        push_coverage(&mut columns, lang, for_programs);
    }
    columns
}

/// The plan, the deviation from it, and how far it is attained.
fn push_plan(columns: &mut Vec<Column>, values: &IndicatorValues, lang: Lang, for_programs: bool) {
    let mut push = |name: &str, title: &str, decimals, unit: &str, value: fn(&PlanValue) -> Option<f64>| {
        let cell = move |row: &IndicatorValue| {
            row.plan.as_ref().and_then(value).map_or(Cell::Empty, |value| Figure::new(value).into())
        };
        columns.push((TableColumn::number(name, title, decimals, unit), Box::new(cell)));
    };
    let (decimals, unit) = (values.decimals, values.unit.symbol.as_str());
    push("plan", lang.pick("План", "Plan"), decimals, unit, |plan| plan.value);
    push("deviation", lang.pick("Отклонение", "Deviation"), decimals, unit, |plan| plan.deviation);
    push("attainment", lang.pick("Выполнение", "Attainment"), 1, "%", |plan| plan.attainment.percent);
    if for_programs {
        let column = TableColumn::text("attainment_state", lang.pick("Состояние плана", "State of the plan"));
        let state = |row: &IndicatorValue| row.plan.as_ref().map(|plan| state_code(plan.attainment.state));
        columns.push((column, Box::new(move |row| state(row).map_or(Cell::Empty, Into::into))));
    }
}

/// One value, its state and what it is compared with.
fn push_series(columns: &mut Vec<Column>, values: &IndicatorValues, series: Series, lang: Lang, for_programs: bool) {
    let (name, title) = series.names(lang);
    let unit = values.unit.symbol.as_str();
    let figure = TableColumn::number(name, title, values.decimals, unit);
    columns.push((figure, Box::new(move |row| series.figure(row).map_or(Cell::Empty, Into::into))));
    let prefix = if series == Series::Own { String::new() } else { format!("{name}_") };
    if for_programs {
        let status = TableColumn::text(format!("{prefix}obs_status"), "OBS_STATUS");
        let state = TableColumn::text(format!("{prefix}state"), lang.pick("Состояние", "State"));
        let code = |state: Option<State>| state.map_or(Cell::Empty, |state| state_code(state).into());
        columns.push((state, Box::new(move |row| code(series.figure(row).map(|figure| figure.state)))));
        let code = |state: Option<State>| state.map_or(Cell::Empty, |state| state.obs_status().into());
        columns.push((status, Box::new(move |row| code(series.figure(row).map(|figure| figure.state)))));
    }
    let compared = values.rows.first().map(|row| series.compared(row)).unwrap_or_default();
    for (at, against) in compared.iter().map(|compared| compared.against).enumerate() {
        let name = format!("{prefix}{}", against.code());
        let words = match against {
            Against::Previous => lang.pick("предыдущий период", "period before"),
            Against::YearAgo => lang.pick("год назад", "year before"),
        };
        let head = if series == Series::Own { words.to_owned() } else { format!("{title}: {words}") };
        let one = move |row: &IndicatorValue, cell: fn(&ComparedValue) -> Cell| {
            series.compared(row).get(at).map_or(Cell::Empty, cell)
        };
        let number = |value: Option<f64>| value.map_or(Cell::Empty, |value| Figure::new(value).into());
        let earlier = TableColumn::number(&name, &head, values.decimals, unit);
        columns
            .push((earlier, Box::new(move |row| one(row, |one| Figure { value: one.value, state: one.state }.into()))));
        if for_programs {
            let column = |what: &str| TableColumn::text(format!("{name}_{what}"), what);
            columns.push((column("state"), Box::new(move |row| one(row, |one| state_code(one.state).into()))));
            columns.push((column("obs_status"), Box::new(move |row| one(row, |one| one.obs_status.into()))));
        }
        let is_percent = compared[at].change_points.is_some() || values.unit.symbol == "%";
        let change_unit = if is_percent { lang.pick("п. п.", "pp") } else { unit };
        let change = TableColumn::number(
            format!("{name}_change"),
            format!("{head}: {}", lang.pick("изменение", "change")),
            values.decimals,
            change_unit,
        );
        columns.push((
            change,
            Box::new(move |row| one(row, |one| one.change.map_or(Cell::Empty, |change| Figure::new(change).into()))),
        ));
        let percent = TableColumn::number(
            format!("{name}_change_percent"),
            format!("{head}: {}", lang.pick("изменение, %", "change, %")),
            1,
            "%",
        );
        columns.push((
            percent,
            Box::new(move |row| {
                one(row, |one| one.change_percent.map_or(Cell::Empty, |change| Figure::new(change).into()))
            }),
        ));
        let has_per_day =
            |row: &IndicatorValue| series.compared(row).get(at).is_some_and(|one| one.per_working_day.is_some());
        if values.rows.iter().any(has_per_day) {
            let per_day = TableColumn::number(
                format!("{name}_per_working_day"),
                format!("{head}: {}", lang.pick("на рабочий день", "per working day")),
                values.decimals.max(1),
                unit,
            );
            columns.push((
                per_day,
                Box::new(move |row| number(series.compared(row).get(at).and_then(|one| one.per_working_day))),
            ));
        }
        let has_note = |row: &IndicatorValue| series.compared(row).get(at).is_some_and(|one| one.note.is_some());
        if for_programs || values.rows.iter().any(has_note) {
            let note =
                TableColumn::text(format!("{name}_note"), format!("{head}: {}", lang.pick("примечание", "note")));
            columns.push((note, Box::new(move |row| one(row, |one| one.note_text.map_or(Cell::Empty, Into::into)))));
        }
    }
}

/// How many reported: in words for people, as two numbers for programs.
fn push_coverage(columns: &mut Vec<Column>, lang: Lang, for_programs: bool) {
    if for_programs {
        let reported = TableColumn::number("reported", "reported", 0, "");
        columns
            .push((reported, Box::new(|row| row.coverage.map_or(Cell::Empty, |one| Figure::new(one.reported).into()))));
        let owing = TableColumn::number("owing", "owing", 0, "");
        columns.push((owing, Box::new(|row| row.coverage.map_or(Cell::Empty, |one| Figure::new(one.owing).into()))));
        return;
    }
    let column = TableColumn::text("coverage", lang.pick("Отчитались", "Reported"));
    let words = move |row: &IndicatorValue| {
        row.coverage.map_or(Cell::Empty, |one| {
            let number = |value| format_number(value, 0, lang);
            Cell::Text(format!("{} {} {}", number(one.reported), lang.pick("из", "of"), number(one.owing)))
        })
    };
    columns.push((column, Box::new(words)));
}

/// The name of a state, as in JSON.
fn state_code(state: impl Serialize) -> String {
    serde_json::to_value(state).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}

//! Values of one indicator with all that is needed to read them: what the API, the command line and CSV files give alike.

use chrono::{DateTime, NaiveDate, Utc};
use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::beside;
use crate::dashboards::{Dimension as Cut, Key, Unit, describe_indicator};
use crate::domain::figure::{Figure, State};
use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};
use crate::domain::table::{Cell, Table, TableColumn};
use crate::indicators::{
    Against, Attainment, Compared, Coverage, Cumulate, Dimension, Exact, FigureRow, Figures, Indicator, Note,
    PlanVersion, Planned, Plans, WindowFigure, attain,
};
use crate::warehouse::reference::Reference;

/// OKEI code of percent: values in it change by points.
const PERCENT: &str = "744";

/// Values of one indicator, with all that is needed to read them.
#[derive(Debug, Serialize, ToSchema)]
pub struct IndicatorValues {
    /// Identifier of the indicator.
    pub indicator: String,
    /// Edition of its definition: a hash of its file.
    pub edition: String,
    /// Edition of the declarations that were kept with the snapshot and used; absent if those of the present were.
    pub definitions: Option<String>,
    /// Its name.
    pub title: String,
    /// Unit of the values.
    pub unit: Unit,
    /// Digits after the decimal point that have a meaning.
    pub decimals: usize,
    /// Dimensions cut by, in the order of `keys` of a row.
    pub dimensions: Vec<Cut>,
    /// Length of a bucket; absent where a row is about the whole period.
    pub grain: Option<Grain>,
    /// Where the running total starts anew, if there is one.
    pub cumulative: Option<Cumulate>,
    /// Buckets of the rolling window, if there is one.
    pub rolling: Option<u32>,
    /// The period, both days included.
    pub period: Period,
    /// Number of the snapshot that was read.
    pub snapshot: u64,
    /// When that snapshot was published.
    pub published_at: DateTime<Utc>,
    /// Names of the measures that the values are made of.
    pub measures: Vec<String>,
    /// Sorted by keys in the order of their code lists, then by bucket.
    pub rows: Vec<IndicatorValue>,
}

/// One value.
#[derive(Debug, Serialize, ToSchema)]
pub struct IndicatorValue {
    /// One per dimension.
    pub keys: Vec<Key>,
    /// First day of the bucket.
    pub bucket: Option<NaiveDate>,
    /// The value; absent exactly where `state` says why. Zero is a value.
    pub value: Option<f64>,
    /// What is known about the value.
    pub state: State,
    /// The same as a code of the SDMX list `CL_OBS_STATUS`.
    pub obs_status: &'static str,
    /// The receipt of the value, by which it can be computed again.
    pub receipt: String,
    /// What was planned and how far it is attained, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanValue>,
    /// The measures that the value is made of, by name.
    #[schema(value_type = std::collections::BTreeMap<String, Option<f64>>)]
    pub measures: IndexMap<String, Option<f64>>,
    /// Working days of the bucket, or of its part up to `to_date`; absent where the official calendar is not published.
    pub working_days: Option<u32>,
    /// The value per working day, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_working_day: Option<f64>,
    /// Share in the sum of the bucket in percent, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The day to which the data reach, where the bucket is not over: it is compared with the same part of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_date: Option<NaiveDate>,
    /// How many of those who had to report for the bucket have done it, where the indicator says what tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// The value against earlier ones, in the order of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<ComparedValue>,
    /// The running total up to the end of the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cumulative: Option<WindowValue>,
    /// The value over the last buckets, this one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolling: Option<WindowValue>,
}

/// The value over some days.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowValue {
    /// The days, both included.
    pub period: Period,
    /// The value; absent exactly where `state` says why.
    pub value: Option<f64>,
    /// What is known about the value.
    pub state: State,
    /// The same as a code of the SDMX list `CL_OBS_STATUS`.
    pub obs_status: &'static str,
    /// The value against earlier ones, in the order of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<ComparedValue>,
}

/// An earlier value and the change since.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedValue {
    /// What the value is compared with.
    pub against: Against,
    /// The earlier days, both included; absent where there are none that are like these.
    pub period: Option<Period>,
    /// The earlier value; absent exactly where `state` says why.
    pub value: Option<f64>,
    /// What is known about the earlier value.
    pub state: State,
    /// The same as a code of the SDMX list `CL_OBS_STATUS`.
    pub obs_status: &'static str,
    /// Now less earlier, in the unit of the indicator.
    pub change: Option<f64>,
    /// The change in percent of the earlier value; absent where that is zero.
    pub change_percent: Option<f64>,
    /// The change in percentage points, where the unit is percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_points: Option<f64>,
    /// Working days of the earlier days; absent where the official calendar is not published.
    pub working_days: Option<u32>,
    /// The earlier value per working day, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_working_day: Option<f64>,
    /// What is worth knowing about the comparison, or why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The note in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note_text: Option<&'static str>,
}

/// A planned value beside the fact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlanValue {
    /// The planned value; none where nothing is planned.
    pub value: Option<f64>,
    /// Fact less plan.
    pub deviation: Option<f64>,
    /// How far the plan is attained.
    pub attainment: Attainment,
    /// The act that sets the plan.
    pub act: Option<String>,
    /// Day of that act.
    pub act_on: Option<NaiveDate>,
}

impl PlanValue {
    fn of(indicator: &Indicator, figures: &Figures, row: &FigureRow, planned: Option<&Planned>, lang: Lang) -> Self {
        let value = planned.map(|planned| planned.value);
        Self {
            value,
            deviation: row
                .figure
                .value
                .zip(value)
                .map(|(fact, plan)| (Exact::nearest(fact) - Exact::nearest(plan)).number()),
            attainment: attain(indicator.direction(), row.figure, value, figures.is_over(row)),
            act: planned.map(|planned| planned.act.act.get(lang).to_owned()),
            act_on: planned.map(|planned| planned.act.act_on),
        }
    }
}

impl IndicatorValues {
    /// The answer to a query, with labels in one language, and with a version of the plan where one is asked for.
    #[must_use]
    pub fn of(
        indicator: &Indicator,
        figures: Figures,
        reference: &Reference,
        plan: Option<(&Plans, PlanVersion)>,
        lang: Lang,
    ) -> Self {
        let cuts: Vec<Option<&Dimension>> =
            figures.dimensions.iter().map(|name| indicator.entity().dimension(name)).collect();
        let dimensions = figures.dimensions.iter().zip(&cuts).map(|(name, cut)| Cut {
            name: name.clone(),
            title: cut.map_or(name.as_str(), |cut| cut.title().get(lang)).to_owned(),
        });
        let is_percent = indicator.unit() == PERCENT;
        let value = |row: &FigureRow| value(&figures, row, &cuts, reference, (lang, is_percent));
        let rows = figures
            .rows
            .iter()
            .map(|row| {
                let plan = plan.map(|(plans, version)| {
                    let planned = plans.of(indicator, &figures, row, version);
                    PlanValue::of(indicator, &figures, row, planned.as_ref(), lang)
                });
                IndicatorValue { plan, ..value(row) }
            })
            .collect();
        Self {
            indicator: indicator.id().to_owned(),
            edition: figures.edition,
            definitions: figures.definitions,
            cumulative: figures.cumulate,
            rolling: figures.rolling,
            title: indicator.title().get(lang).to_owned(),
            unit: describe_indicator(indicator, reference, lang).unit,
            decimals: indicator.decimals(),
            dimensions: dimensions.collect(),
            grain: figures.grain,
            period: figures.period,
            snapshot: figures.snapshot,
            published_at: figures.published_at,
            rows,
            measures: figures.measures,
        }
    }

    /// The values as a table: for people labels only, for programs codes, labels and states.
    #[must_use]
    pub fn table(&self, lang: Lang, for_programs: bool) -> Table {
        let mut columns = Vec::new();
        for Cut { name, title } in &self.dimensions {
            if for_programs {
                columns.push(TableColumn::text(name, name));
                columns.push(TableColumn::text(format!("{name}_name"), title));
            } else {
                columns.push(TableColumn::text(name, title));
            }
        }
        let period = lang.pick("Период", "Period");
        columns.extend(self.grain.map(|grain| match grain {
            Grain::Month if !for_programs => TableColumn::month("period", period),
            Grain::Quarter | Grain::HalfYear | Grain::Year if !for_programs => TableColumn::text("period", period),
            _ => TableColumn::date("period", period),
        }));
        let (heads, beside): (Vec<_>, Vec<_>) = beside::columns(self, lang, for_programs).into_iter().unzip();
        columns.extend(heads);
        let shows_measures = for_programs || self.measures.len() > 1;
        if shows_measures {
            columns.extend(self.measures.iter().map(|name| TableColumn::number(name, name, 0, "")));
        }
        if for_programs {
            columns.push(TableColumn::text("receipt", lang.pick("Квитанция", "Receipt")));
        }
        let bucket = |start| match self.grain {
            Some(grain @ (Grain::Quarter | Grain::HalfYear | Grain::Year)) if !for_programs => {
                Cell::Text(grain.label(start, lang))
            }
            _ => Cell::Date(start),
        };
        let rows = self.rows.iter().map(|row| {
            let mut cells: Vec<Cell> = Vec::with_capacity(columns.len());
            for key in &row.keys {
                if for_programs {
                    cells.push(key.code.clone().map_or(Cell::Empty, Cell::Text));
                }
                cells.push(key.label.clone().into());
            }
            cells.extend(row.bucket.map(bucket));
            cells.extend(beside.iter().map(|cell| cell(row)));
            if shows_measures {
                cells.extend(row.measures.values().map(|measure| Figure::from(*measure).into()));
            }
            if for_programs {
                cells.push(row.receipt.clone().into());
            }
            cells
        });
        let rows = rows.collect();
        Table { title: self.title.clone(), subtitle: self.period.label(lang), columns, rows }
    }
}

fn value(
    figures: &Figures,
    row: &FigureRow,
    cuts: &[Option<&Dimension>],
    reference: &Reference,
    (lang, is_percent): (Lang, bool),
) -> IndicatorValue {
    let key = |(code, cut): (&Option<String>, Option<&Dimension>)| {
        let list = cut.and_then(Dimension::list).and_then(|name| reference.list(name));
        let label = code.as_deref().map(|code| list.and_then(|list| list.label(code, lang)).unwrap_or(code));
        Key { code: code.clone(), label: label.unwrap_or(lang.pick("не указано", "not stated")).to_owned() }
    };
    let compared = |all: &[Compared]| all.iter().map(|one| compared_value(one, lang, is_percent)).collect();
    let window = |one: &WindowFigure| WindowValue {
        period: one.period,
        value: one.figure.value,
        state: one.figure.state,
        obs_status: one.figure.state.obs_status(),
        compared: compared(&one.compared),
    };
    IndicatorValue {
        keys: row.keys.iter().zip(cuts.iter().copied()).map(key).collect(),
        bucket: row.bucket,
        value: row.figure.value,
        state: row.figure.state,
        obs_status: row.figure.state.obs_status(),
        receipt: figures.receipt(row).to_string(),
        plan: None,
        measures: figures.measures.iter().cloned().zip(row.measures.iter().copied()).collect(),
        working_days: row.working_days,
        per_working_day: row.per_working_day,
        share: row.share,
        to_date: row.to_date,
        coverage: row.coverage,
        compared: compared(&row.compared),
        cumulative: row.cumulative.as_ref().map(window),
        rolling: row.rolling.as_ref().map(window),
    }
}

fn compared_value(one: &Compared, lang: Lang, is_percent: bool) -> ComparedValue {
    ComparedValue {
        against: one.against,
        period: one.period,
        value: one.figure.value,
        state: one.figure.state,
        obs_status: one.figure.state.obs_status(),
        change: one.change,
        change_percent: one.change_percent,
        change_points: one.change.filter(|_| is_percent),
        working_days: one.working_days,
        per_working_day: one.per_working_day,
        note: one.note,
        note_text: one.note.map(|note| note.text(lang)),
    }
}

//! Values of one indicator with all that is needed to read them: what the API, the command line and CSV files give alike.

use chrono::{DateTime, NaiveDate, Utc};
use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::dashboards::{Dimension as Cut, Key, Unit, describe_indicator};
use crate::domain::figure::{Figure, State};
use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};
use crate::domain::table::{Cell, Table, TableColumn};
use crate::indicators::{
    Attainment, Dimension, Exact, FigureRow, Figures, Indicator, PlanVersion, Planned, Plans, attain,
};
use crate::warehouse::reference::Reference;

/// Values of one indicator, with all that is needed to read them.
#[derive(Debug, Serialize, ToSchema)]
pub struct IndicatorValues {
    /// Identifier of the indicator.
    pub indicator: String,
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
    /// The value; absent exactly where `state` says why.
    pub value: Option<f64>,
    /// What is known about the value.
    pub state: State,
    /// The receipt of the value, by which it can be computed again.
    pub receipt: String,
    /// What was planned and how far it is attained, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanValue>,
    /// The measures that the value is made of, by name.
    #[schema(value_type = std::collections::BTreeMap<String, Option<f64>>)]
    pub measures: IndexMap<String, Option<f64>>,
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
        Self {
            indicator: indicator.id().to_owned(),
            title: indicator.title().get(lang).to_owned(),
            unit: describe_indicator(indicator, reference, lang).unit,
            decimals: indicator.decimals(),
            dimensions: dimensions.collect(),
            grain: figures.grain,
            period: figures.period,
            snapshot: figures.snapshot,
            published_at: figures.published_at,
            rows: figures
                .rows
                .iter()
                .map(|row| {
                    let plan = plan.map(|(plans, version)| {
                        let planned = plans.of(indicator, &figures, row, version);
                        PlanValue::of(indicator, &figures, row, planned.as_ref(), lang)
                    });
                    IndicatorValue { plan, ..value(&figures, row, &cuts, reference, lang) }
                })
                .collect(),
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
            Grain::Quarter | Grain::Year if !for_programs => TableColumn::text("period", period),
            _ => TableColumn::date("period", period),
        }));
        let value = lang.pick("Значение", "Value");
        columns.push(TableColumn::number("value", value, self.decimals, self.unit.symbol.clone()));
        if for_programs {
            columns.push(TableColumn::text("state", lang.pick("Состояние", "State")));
        }
        let shows_plan = self.rows.iter().any(|row| row.plan.is_some());
        if shows_plan {
            let names = [("plan", "План", "Plan"), ("deviation", "Отклонение", "Deviation")];
            columns.extend(names.map(|(name, ru, en)| {
                TableColumn::number(name, lang.pick(ru, en), self.decimals, self.unit.symbol.clone())
            }));
            columns.push(TableColumn::number("attainment", lang.pick("Выполнение", "Attainment"), 1, "%"));
            if for_programs {
                columns.push(TableColumn::text("attainment_state", lang.pick("Состояние плана", "State of the plan")));
            }
        }
        let shows_measures = for_programs || self.measures.len() > 1;
        if shows_measures {
            columns.extend(self.measures.iter().map(|name| TableColumn::number(name, name, 0, "")));
        }
        if for_programs {
            columns.push(TableColumn::text("receipt", lang.pick("Квитанция", "Receipt")));
        }
        let bucket = |start| match self.grain {
            Some(grain @ (Grain::Quarter | Grain::Year)) if !for_programs => Cell::Text(grain.label(start, lang)),
            _ => Cell::Date(start),
        };
        let rows = self.rows.iter().map(|row| row.cells(for_programs, shows_measures, bucket)).collect();
        Table { title: self.title.clone(), subtitle: self.period.label(lang), columns, rows }
    }
}

impl IndicatorValue {
    fn cells(&self, for_programs: bool, shows_measures: bool, bucket: impl Fn(NaiveDate) -> Cell) -> Vec<Cell> {
        let mut cells: Vec<Cell> = Vec::new();
        for key in &self.keys {
            if for_programs {
                cells.push(key.code.clone().map_or(Cell::Empty, Cell::Text));
            }
            cells.push(key.label.clone().into());
        }
        cells.extend(self.bucket.map(bucket));
        cells.push(Figure { value: self.value, state: self.state }.into());
        if for_programs {
            cells.push(code_of(self.state).into());
        }
        if let Some(plan) = &self.plan {
            let number = |value: Option<f64>| value.map_or(Cell::Empty, |value| Figure::new(value).into());
            cells.extend([plan.value, plan.deviation, plan.attainment.percent].map(number));
            if for_programs {
                cells.push(code_of(plan.attainment.state).into());
            }
        }
        if shows_measures {
            cells.extend(self.measures.values().map(|measure| Figure::from(*measure).into()));
        }
        if for_programs {
            cells.push(self.receipt.clone().into());
        }
        cells
    }
}

/// The word of a state in files.
fn code_of(state: impl Serialize) -> String {
    serde_json::to_value(state).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}

fn value(
    figures: &Figures,
    row: &FigureRow,
    cuts: &[Option<&Dimension>],
    reference: &Reference,
    lang: Lang,
) -> IndicatorValue {
    let key = |(code, cut): (&Option<String>, Option<&Dimension>)| {
        let list = cut.and_then(Dimension::list).and_then(|name| reference.list(name));
        let label = code.as_deref().map(|code| list.and_then(|list| list.label(code, lang)).unwrap_or(code));
        Key { code: code.clone(), label: label.unwrap_or(lang.pick("не указано", "not stated")).to_owned() }
    };
    IndicatorValue {
        keys: row.keys.iter().zip(cuts.iter().copied()).map(key).collect(),
        bucket: row.bucket,
        value: row.figure.value,
        state: row.figure.state,
        receipt: figures.receipt(row).to_string(),
        plan: None,
        measures: figures.measures.iter().cloned().zip(row.measures.iter().copied()).collect(),
    }
}

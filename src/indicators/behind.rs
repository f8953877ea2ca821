//! What stands behind a figure: the rows that it was counted from, and the plan of the engine.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, lit};

use super::engine::{Engine, of_compute};
use super::error::QueryError;
use super::expression::{MOMENT, Present, at_present};
use super::indicator::{Indicator, Measure, Way};
use super::parts::Cut;
use super::plan::{self, column, date};
use super::query::Question;
use super::receipt::Receipt;
use super::scope::Scope;
use super::tables::TableContent;
use crate::domain::period::Period;

/// Head of the columns that say whether a measure counts a row.
const COUNTS: &str = "counts_";

/// The rows behind a figure.
#[derive(Debug, Clone)]
pub struct Behind {
    /// How many rows there are.
    pub n_rows: usize,
    /// The first of them: the key of the entity, the columns that the figure is made of, what it is cut and filtered by, and
    /// for each measure whether it counts the row (`counts_NAME`). Persons are pseudonyms, as everywhere in the lake.
    pub rows: Vec<RecordBatch>,
}

impl Engine {
    /// The rows that a figure was counted from, sorted by the key of the entity.
    ///
    /// # Errors
    /// If the receipt's snapshot, indicator or dimension is not there, or cannot be read.
    pub async fn rows_behind(&self, scope: &Scope, receipt: &Receipt, limit: usize) -> Result<Behind, QueryError> {
        let query = receipt.query();
        let definitions = self.definitions_of(receipt).await?;
        let question = query.check(&definitions.catalog, &definitions.reference)?;
        let (rows, present) = self.open_behind(scope, receipt, &question).await?;
        let failed = of_compute(question.indicator);
        let counted = counted_rows(rows, receipt, &question, present).map_err(&failed)?;
        let n_rows = counted.clone().count().await.map_err(&failed)?;
        let key = question.indicator.entity().key.iter().map(|name| column(name).sort(true, true)).collect();
        let shown = async { counted.sort(key)?.limit(0, Some(limit.min(n_rows)))?.collect().await };
        Ok(Behind { n_rows, rows: shown.await.map_err(failed)? })
    }

    /// The engine's plans for the answer that a figure is a row of, as text.
    ///
    /// # Errors
    /// As [`Self::rows_behind`].
    pub async fn plan_behind(&self, scope: &Scope, receipt: &Receipt) -> Result<String, QueryError> {
        let query = receipt.query();
        let definitions = self.definitions_of(receipt).await?;
        let question = query.check(&definitions.catalog, &definitions.reference)?;
        let (rows, present) = self.open_behind(scope, receipt, &question).await?;
        let columns = std::sync::Arc::clone(rows.schema().inner());
        let cut = question.grain.map_or(Cut::Whole, Cut::Grain);
        let text = || {
            let plans = plan::build(&rows, &columns, &question, (question.period, &cut), None, present)?;
            let mut text = String::new();
            let mut add = |title: &str, rows: DataFrame| -> Result<()> {
                let plan = rows.into_optimized_plan()?;
                text += &[title, ":\n", &plan.display_indent().to_string(), "\n"].concat();
                Ok(())
            };
            if let Some(flows) = plans.flows {
                add("measures", flows)?;
            }
            for stock in plans.stocks {
                let name = question.indicator.measures[stock.measure].name();
                add(&format!("opened, {name}"), stock.opened)?;
                add(&format!("closed, {name}"), stock.closed)?;
            }
            Ok(text)
        };
        text().map_err(of_compute(question.indicator))
    }

    /// The entity of a receipt's snapshot as the asker sees it, and the receipt's present.
    async fn open_behind(
        &self,
        scope: &Scope,
        receipt: &Receipt,
        question: &Question<'_>,
    ) -> Result<(DataFrame, Present), QueryError> {
        let snapshot = self.snapshot(Some(receipt.snapshot)).await?;
        let entity = question.indicator.entity();
        let table = self.table(&snapshot, entity.name(), TableContent::Entities).await?;
        let present = self.present_at(self.moment_of(receipt.basis.seen));
        let rows = self.scoped(scope, table);
        let rows = rows.map_err(|cause| QueryError::Compute { what: entity.name().to_owned(), cause: Box::new(cause) });
        Ok((rows?, present))
    }
}

/// The rows that at least one measure counts, with the columns that are shown.
fn counted_rows(rows: DataFrame, receipt: &Receipt, question: &Question<'_>, present: Present) -> Result<DataFrame> {
    let indicator = question.indicator;
    let now = |expr: &Expr| at_present(expr.clone(), present);
    let mut rows = rows;
    if let Some(condition) = &indicator.condition {
        rows = rows.filter(now(condition)?)?;
    }
    for (dimension, values) in &question.filters {
        rows = rows.filter(now(&dimension.text())?.in_list(values.iter().map(lit).collect(), false))?;
    }
    for (dimension, (_, code)) in question.by.iter().zip(&receipt.keys) {
        let value = now(&dimension.text())?;
        rows = rows.filter(match code {
            Some(code) => value.eq(lit(code)),
            None => value.is_null(),
        })?;
    }
    let days = receipt.days();
    let mut counts = Vec::with_capacity(indicator.measures.len());
    for measure in &indicator.measures {
        let within = is_within(indicator, measure, days, present);
        counts.push(match &measure.condition {
            Some(condition) => within.and(now(condition)?.is_true()),
            None => within,
        });
    }
    let Some(any) = counts.iter().cloned().reduce(Expr::or) else { return rows.filter(lit(false)) };
    let mut shown: Vec<Expr> = shown_columns(&rows, question).iter().map(|name| column(name)).collect();
    for dimension in &question.by {
        if rows.schema().field_with_unqualified_name(&dimension.name).is_err() {
            shown.push(now(&dimension.text())?.alias(&dimension.name));
        }
    }
    let names = indicator.measures.iter().map(|measure| format!("{COUNTS}{}", measure.name()));
    shown.extend(counts.into_iter().zip(names).map(|(counts, name)| counts.alias(name)));
    rows.filter(any)?.select(shown)
}

/// Whether a row lies in the days of a measure: its own day, or for a stock all days from opening to closing.
fn is_within(indicator: &Indicator, measure: &Measure, days: Option<Period>, present: Present) -> Expr {
    match (&measure.way, days) {
        (Way::Stock { from, until }, days) => {
            let (opened, closed) = (column(from), column(until));
            let to = days.map_or(present.today, |days| days.to);
            let is_open = opened.clone().lt_eq(date(to)).and(closed.clone().is_null().or(closed.clone().gt(date(to))));
            // A row that was closed before it was opened was never open.
            is_open.and(closed.is_null().or(column(until).gt(opened)))
        }
        (_, Some(Period { from, to })) => column(&indicator.time).between(date(from), date(to)),
        (_, None) => column(&indicator.time).is_not_null(),
    }
}

/// Key, time, and the columns that the figure's expressions, cut and filters read.
fn shown_columns(rows: &DataFrame, question: &Question<'_>) -> Vec<String> {
    let indicator = question.indicator;
    let mut names: Vec<String> = indicator.entity().key.clone();
    names.push(indicator.time.clone());
    let cut = question.by.iter().copied().chain(question.filters.iter().map(|(dimension, _)| *dimension));
    let cut: Vec<&Expr> = cut.map(|dimension| &dimension.expr).collect();
    let read: BTreeSet<String> = indicator
        .expressions()
        .into_iter()
        .chain(cut)
        .flat_map(|expr| expr.column_refs())
        .map(|c| c.name.clone())
        .collect();
    names.extend(read);
    for measure in &indicator.measures {
        if let Way::Stock { from, until } = &measure.way {
            names.extend([from.clone(), until.clone()]);
        }
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| rows.schema().field_with_unqualified_name(name).is_ok() && seen.insert(name.clone()));
    names
}

impl Indicator {
    /// Every expression over the rows of the entity.
    pub(super) fn expressions(&self) -> Vec<&Expr> {
        let values = self.measures.iter().filter_map(|measure| match &measure.way {
            Way::Sum { value, .. } | Way::Mean { value, .. } | Way::Percentile { value, .. } => Some(value),
            Way::Distinct(value) | Way::Median(value) | Way::Min(value) | Way::Max(value) | Way::Last(value) => {
                Some(value)
            }
            Way::Count | Way::Stock { .. } => None,
        });
        let conditions = self.measures.iter().filter_map(|measure| measure.condition.as_ref());
        self.condition.iter().chain(conditions).chain(values).collect()
    }

    /// Whether the values depend on the moment of the query and not only on its day.
    pub(super) fn depends_on_the_moment<'a>(&self, mut cut: impl Iterator<Item = &'a str>) -> bool {
        let reads = |expr: &Expr| expr.column_refs().iter().any(|column| column.name == MOMENT);
        self.expressions().into_iter().any(reads)
            || cut.any(|name| self.entity.dimension(name).is_some_and(|dimension| reads(&dimension.expr)))
    }
}

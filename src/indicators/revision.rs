//! Why a published figure is another one in a later snapshot: parts that add up to the change.
//!
//! The figure is computed step by step from the earlier publication to the later one, and each step is a part:
//!
//! | step | what is other than before | part |
//! |---|---|---|
//! | 0 | – | the figure as it was published |
//! | 1 | rows that the earlier snapshot did not have are there | late rows |
//! | 2 | all rows are those of the later snapshot | corrections: rows that say something else, or are gone |
//! | 3 | it is the day of the later publication | time: what falls due by itself |
//! | 4 | the definitions are those of today | method |
//! | 5 | the plan is the one in force on the later day | plan, where attainment is asked for |
//!
//! Each part is the difference of two neighbours, so that all of them add up to the last digit. A row is known by the key of its
//! entity; where several rows have one key, by key and month.

use std::sync::Arc;

use arrow::datatypes::DataType;
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, JoinType, Result};
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::cast;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Serialize;
use utoipa::ToSchema;

use super::attainment::attain;
use super::catalog::Catalog;
use super::definitions::Definitions;
use super::engine::Engine;
use super::error::QueryError;
use super::exact::Exact;
use super::plan::column;
use super::planned::PlanVersion;
use super::query::Query;
use super::scope::Scope;
use super::tables::{SnapshotHead, TableContent, TableSource};
use crate::domain::period::Period;

/// Which change is to be explained.
#[derive(Debug, Clone)]
pub struct RevisionQuery {
    /// The figure: an indicator, filters, a period; it may not be cut.
    pub query: Query,
    /// Number of the earlier snapshot.
    pub from: u64,
    /// Number of the later snapshot.
    pub to: u64,
    /// The definitions of the earlier time; none = those that were kept with the earlier snapshot.
    pub definitions: Option<Arc<Catalog>>,
    /// Whether attainment of the plan is explained in place of the figure.
    pub of_attainment: bool,
}

/// The change of a published figure, and its parts, which add up to it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Revision {
    /// Identifier of the indicator.
    pub indicator: String,
    /// Number of the earlier snapshot.
    pub from: u64,
    /// Number of the later snapshot.
    pub to: u64,
    /// The figure as it was published.
    #[schema(value_type = f64)]
    pub before: Exact,
    /// The figure of the later snapshot.
    #[schema(value_type = f64)]
    pub after: Exact,
    /// By how much it changed: the sum of all parts.
    #[schema(value_type = f64)]
    pub change: Exact,
    /// The parts, in their order.
    pub parts: Vec<RevisionPart>,
}

/// One cause and what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct RevisionPart {
    /// The cause.
    pub cause: Cause,
    /// What it added to the figure.
    #[schema(value_type = f64)]
    pub change: Exact,
}

/// Why a published figure changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Rows came that the earlier snapshot did not have.
    LateRows,
    /// Rows say something else now, or are gone.
    Corrections,
    /// Days passed, and what falls due by itself did.
    Time,
    /// The definition of the indicator was changed.
    Method,
    /// The plan was changed.
    Plan,
}

impl Engine {
    /// Explains why a figure of a snapshot is another one in a later snapshot.
    ///
    /// # Errors
    /// Those of a query; [`QueryError::NoValue`] if the figure is not known in one of the steps.
    pub async fn explain_revision(&self, scope: &Scope, wanted: &RevisionQuery) -> Result<Revision, QueryError> {
        let heads = (self.source.snapshot(Some(wanted.from)).await?, self.source.snapshot(Some(wanted.to)).await?);
        let (then, now) = (heads.0.published_at, heads.1.published_at);
        let before = match &wanted.definitions {
            Some(catalog) => self.with_definitions(Arc::clone(catalog)),
            None => self.under(self.definitions(Some(wanted.from)).await?),
        };
        let after = self.under(self.definitions(Some(wanted.to)).await?);
        let indicator = before.definitions.catalog.get(&wanted.query.indicator);
        let indicator = indicator
            .ok_or_else(|| QueryError::unknown_indicator(&wanted.query.indicator, &before.definitions.catalog))?;
        let late = before.over_tables(Arc::new(Late {
            source: Arc::clone(&self.source),
            head: heads.0.clone(),
            next: wanted.to,
            entity: indicator.entity().name().to_owned(),
            key: indicator.entity().key.clone(),
            month: indicator.entity().month.clone(),
        }));
        let steps = [
            before.pinned(wanted.from, then),
            late.pinned(wanted.from, then),
            before.pinned(wanted.to, then),
            before.pinned(wanted.to, now),
            after.pinned(wanted.to, now),
        ];
        let mut values = Vec::with_capacity(steps.len() + 1);
        for engine in &steps {
            values.push(engine.value_of(scope, wanted, then).await?);
        }
        let mut causes = vec![Cause::LateRows, Cause::Corrections, Cause::Time, Cause::Method];
        if wanted.of_attainment {
            causes.push(Cause::Plan);
            values.push(steps[4].value_of(scope, wanted, now).await?);
        }
        let parts: Vec<RevisionPart> = causes
            .into_iter()
            .zip(values.windows(2))
            .map(|(cause, pair)| RevisionPart { cause, change: pair[1] - pair[0] })
            .collect();
        let (before, after) = (values[0], values[values.len() - 1]);
        Ok(Revision {
            indicator: wanted.query.indicator.clone(),
            from: wanted.from,
            to: wanted.to,
            before,
            after,
            change: after - before,
            parts,
        })
    }

    /// The figure, or its attainment of the plan in force at a moment.
    async fn value_of(
        &self,
        scope: &Scope,
        wanted: &RevisionQuery,
        plan_at: DateTime<Utc>,
    ) -> Result<Exact, QueryError> {
        let query = Query { as_of: None, grain: None, by: Vec::new(), ..wanted.query.clone() };
        let figures = self.query(scope, &query).await?;
        let whole = query.period.unwrap_or(Period { from: figures.period.from, to: figures.period.to });
        let unknown = || QueryError::NoValue { indicator: query.indicator.clone(), period: whole };
        let row = figures.rows.first().ok_or_else(unknown)?;
        if !wanted.of_attainment {
            return row.figure.value.map(Exact::nearest).ok_or_else(unknown);
        }
        let indicator = self.definitions.catalog.get(&query.indicator).ok_or_else(unknown)?;
        let day = self.present_at(plan_at).today;
        let planned = self.definitions.catalog.plans().of(indicator, &figures, row, PlanVersion::On(day));
        let no_plan = || QueryError::NoPlan { indicator: query.indicator.clone(), period: whole };
        let planned = planned.ok_or_else(no_plan)?;
        attain(indicator.direction(), row.figure, Some(planned.value), true)
            .percent
            .map(Exact::nearest)
            .ok_or_else(unknown)
    }
}

/// A snapshot whose one entity also has the rows that came until a later snapshot.
#[derive(Debug)]
struct Late {
    source: Arc<dyn TableSource>,
    head: SnapshotHead,
    next: u64,
    entity: String,
    key: Vec<String>,
    month: Option<String>,
}

impl Late {
    async fn with_late_rows(
        &self,
        before: Arc<dyn TableProvider>,
        after: Arc<dyn TableProvider>,
    ) -> Result<Arc<dyn TableProvider>> {
        let context = SessionContext::new();
        let (before, after) = (context.read_table(before)?, context.read_table(after)?);
        let mut key = self.key.clone();
        if !(is_unique(&before, &key).await? && is_unique(&after, &key).await?) {
            key.extend(self.month.clone().filter(|month| !key.contains(month)));
        }
        let known = key.iter().map(|name| as_text(name).alias(format!("known_{name}"))).collect::<Vec<_>>();
        let known = before.clone().select(known)?.distinct()?;
        let on = key.iter().map(|name| as_text(name).eq(column(&format!("known_{name}"))));
        let late = after.join_on(known, JoinType::LeftAnti, on)?;
        Ok(before.union_by_name(late)?.into_view())
    }
}

/// A column of a key, compared as text, since a model may have given it another type in between.
fn as_text(name: &str) -> datafusion::logical_expr::Expr {
    cast(column(name), DataType::Utf8)
}

async fn is_unique(rows: &DataFrame, key: &[String]) -> Result<bool> {
    let names = key.iter().map(|name| column(name)).collect::<Vec<_>>();
    let different = rows.clone().select(names)?.distinct()?.count().await?;
    Ok(different == rows.clone().count().await?)
}

impl TableSource for Late {
    fn snapshot(&self, _: Option<u64>) -> BoxFuture<'_, Result<SnapshotHead, QueryError>> {
        async { Ok(self.head.clone()) }.boxed()
    }

    fn open<'a>(
        &'a self,
        snapshot: u64,
        table: &'a str,
        content: TableContent,
    ) -> BoxFuture<'a, Result<Arc<dyn TableProvider>, QueryError>> {
        async move {
            let before = self.source.open(snapshot, table, content).await?;
            if table != self.entity || content != TableContent::Entities {
                return Ok(before);
            }
            let after = self.source.open(self.next, table, content).await?;
            let failed =
                |cause: DataFusionError| QueryError::Compute { what: table.to_owned(), cause: Box::new(cause) };
            self.with_late_rows(before, after).await.map_err(failed)
        }
        .boxed()
    }

    fn definitions<'a>(&'a self, edition: &'a str) -> BoxFuture<'a, Result<Definitions, QueryError>> {
        self.source.definitions(edition)
    }
}

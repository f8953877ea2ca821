//! Computes figures: one query engine for all snapshots, with bounded memory and its tables kept open.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::{SessionConfig, SessionContext};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use futures::future::{try_join, try_join_all, try_join3};
use tokio::sync::OnceCell;

use super::catalog::Catalog;
use super::compare::Rows;
use super::coverage::{add_coverage, coverage_query};
use super::definitions::Definitions;
use super::error::QueryError;
use super::expression::Present;
use super::figures::Figures;
use super::fill::{Found, Horizon, day_at};
use super::indicator::Indicator;
use super::lake_tables::LakeTables;
use super::parts::Cut;
use super::plan;
use super::query::{Query, Question};
use super::receipt::Basis;
use super::scope::Scope;
use super::tables::{SnapshotHead, TableContent, TableSource};
use super::windows::Frame;
use crate::clock::Clock;
use crate::domain::period::{Grain, Period};
use crate::warehouse::lake::Lake;
use crate::warehouse::reference::Reference;

/// Memory of all queries together; what does not fit goes to the spill folder.
const MEMORY_LIMIT: usize = 512 << 20;
/// Folder inside the data directory for what does not fit into memory.
const SPILL_FOLDER: &str = "spill";
/// Threads of one query.
const PARTITIONS: usize = 2;
/// Snapshots whose tables are kept open.
const OPEN_SNAPSHOTS: usize = 4;

/// Computes figures out of snapshots.
pub struct Engine {
    pub(super) definitions: Arc<Definitions>,
    pub(super) source: Arc<dyn TableSource>,
    pub(super) time_zone: Tz,
    pub(super) clock: Clock,
    pub(super) context: SessionContext,
    pub(super) open: Mutex<BTreeMap<u64, Arc<OpenSnapshot>>>,
    /// Definitions that were kept with snapshots, by edition.
    pub(super) kept: Mutex<HashMap<String, Arc<Definitions>>>,
}

/// A snapshot and those of its tables that were asked for.
#[derive(Debug)]
pub(super) struct OpenSnapshot {
    pub(super) head: SnapshotHead,
    tables: Mutex<HashMap<(String, TableContent), Table>>,
}

type Table = Arc<OnceCell<Arc<dyn TableProvider>>>;

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("source", &self.source)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over the snapshots of a data directory with its lake, the empty one included.
    ///
    /// # Errors
    /// [`QueryError::Start`] if the data directory cannot be written to.
    pub async fn new(
        catalog: Arc<Catalog>,
        reference: Arc<Reference>,
        time_zone: Tz,
        data_dir: &Path,
        clock: Clock,
    ) -> Result<Self, QueryError> {
        let lake = Lake::open(data_dir).await.map_err(|error| QueryError::Start(Box::new(error)))?;
        Self::over_lake(lake, catalog, reference, time_zone, data_dir, clock)
    }

    /// An engine over the snapshots of a lake, whose manifests lie in the data directory.
    ///
    /// # Errors
    /// [`QueryError::Start`] if the data directory cannot be written to.
    pub fn over_lake(
        lake: Lake,
        catalog: Arc<Catalog>,
        reference: Arc<Reference>,
        time_zone: Tz,
        data_dir: &Path,
        clock: Clock,
    ) -> Result<Self, QueryError> {
        let bucket = lake.object_store();
        let source = Arc::new(LakeTables::new(lake, data_dir));
        let engine = Self::over(source, catalog, reference, time_zone, data_dir, clock)?;
        if let Some((url, store)) = bucket {
            engine.context.register_object_store(&url, store);
        }
        Ok(engine)
    }

    /// An engine over any source of tables; its spill folder is made inside `data_dir`.
    ///
    /// # Errors
    /// [`QueryError::Start`] if the spill folder cannot be made.
    pub fn over(
        source: Arc<dyn TableSource>,
        catalog: Arc<Catalog>,
        reference: Arc<Reference>,
        time_zone: Tz,
        data_dir: &Path,
        clock: Clock,
    ) -> Result<Self, QueryError> {
        let spill = data_dir.join(SPILL_FOLDER);
        fs_err::create_dir_all(&spill).map_err(|error| QueryError::Start(Box::new(error)))?;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_LIMIT)))
            .with_disk_manager_builder(
                DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![spill])),
            )
            .build_arc()
            .map_err(|error| QueryError::Start(Box::new(error)))?;
        let config = SessionConfig::new().with_target_partitions(PARTITIONS).with_information_schema(false);
        Ok(Self {
            definitions: Arc::new(Definitions::of(catalog, reference)),
            source,
            time_zone,
            clock,
            context: SessionContext::new_with_config_rt(config, runtime),
            open: Mutex::default(),
            kept: Mutex::default(),
        })
    }

    /// The indicators that can be asked for.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.definitions.catalog
    }

    /// The definitions that figures are computed by: those of the project, or for a named snapshot those that were kept with it.
    /// Snapshots from before definitions were kept have those of the project.
    ///
    /// # Errors
    /// If there is no such snapshot, or its definitions cannot be read.
    pub async fn definitions(&self, as_of: Option<u64>) -> Result<Arc<Definitions>, QueryError> {
        if as_of.is_none() {
            return Ok(Arc::clone(&self.definitions));
        }
        let Some(edition) = self.source.snapshot(as_of).await?.definitions else {
            return Ok(Arc::clone(&self.definitions));
        };
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().get(&edition) {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(self.source.definitions(&edition).await?);
        kept().insert(edition, Arc::clone(&found));
        Ok(found)
    }

    /// Values of one indicator, in the form that [`Figures`] describes.
    ///
    /// # Errors
    /// The query's own errors if a name in it is unknown or it puts together what cannot be put together; else
    /// [`QueryError::NoSnapshot`], [`QueryError::Open`] or [`QueryError::Compute`].
    pub async fn query(&self, scope: &Scope, query: &Query) -> Result<Figures, QueryError> {
        let definitions = self.definitions(query.as_of).await?;
        let mut figures = self.compute(scope, &definitions, query).await?;
        if let Some(asked) = coverage_query(&definitions, query, figures.period) {
            let answer = self.compute(scope, &definitions, &asked).await?;
            add_coverage(&definitions, query, &asked, answer, &mut figures);
        }
        Ok(figures)
    }

    /// The values without their coverage.
    async fn compute(&self, scope: &Scope, definitions: &Definitions, query: &Query) -> Result<Figures, QueryError> {
        let question = query.check(&definitions.catalog, &definitions.reference)?;
        let snapshot = self.snapshot(query.as_of).await?;
        let head = &snapshot.head;
        let present = self.present(head, query.as_of);
        let data_to = head.last_event_on.map_or(present.today, |last| last.min(present.today));
        let ask = async |span, cut, frame| self.find(scope, &snapshot, &question, (span, cut, frame), present).await;
        let wanted = query.wanted();
        let by_grain = question.grain.map_or(Cut::Whole, Cut::Grain);
        let mut found = None;
        // Without a period the windows follow from the days of the data.
        if question.period.is_none() || wanted.is_nothing() {
            found = Some(ask(question.period, by_grain, None).await?);
        }
        let days = found.as_ref().and_then(Found::days);
        let period = question.period.or(days).unwrap_or(Period { from: present.today, to: present.today });
        let n_buckets = question.grain.map_or(1, |grain| period.buckets(grain).len());
        not_too_many(n_buckets)?;
        let frame = Frame::new(period, question.grain, wanted, data_to);
        let found = match found {
            Some(found) if wanted.is_nothing() => found,
            _ => ask(frame.span(), Cut::Starts(frame.atoms()), Some(&frame)).await?,
        };
        let data_from = if query.compare.is_empty() && query.rolling.is_none() {
            None
        } else {
            self.data_from(scope, &snapshot, question.indicator, present).await?
        };
        let keys = found.keys(&question, &definitions.reference);
        not_too_many(keys.len().saturating_mul(frame.windows.len()))?;
        let horizon =
            Horizon { today: present.today, data_to, is_open: question.period.is_none() && question.grain.is_none() };
        let values = found.values(&question, &keys, &frame, horizon).map_err(of_compute(question.indicator))?;
        let rows = Rows { query, frame: &frame, calendar: &definitions.calendar, data_from };
        Ok(Figures {
            indicator: question.indicator.id.clone(),
            edition: question.indicator.edition.clone(),
            definitions: definitions.edition.clone(),
            dimensions: query.by.clone(),
            measures: question.indicator.measures.iter().map(|measure| measure.name().to_owned()).collect(),
            grain: query.grain,
            cumulate: query.cumulate,
            rolling: query.rolling,
            period,
            snapshot: head.number,
            published_at: head.published_at,
            today: present.today,
            basis: Basis::of(scope, query, question.indicator, present, definitions.policy_on(present.today)),
            rows: rows.make(keys, &values),
        })
    }

    /// Runs the plans of a question, side by side.
    async fn find(
        &self,
        scope: &Scope,
        snapshot: &OpenSnapshot,
        question: &Question<'_>,
        (span, cut, frame): (Option<Period>, Cut, Option<&Frame>),
        present: Present,
    ) -> Result<Found, QueryError> {
        let compute = of_compute(question.indicator);
        let table = self.table(snapshot, question.indicator.entity().name(), TableContent::Entities).await?;
        let columns = table.schema();
        let rows = self.scoped(scope, table).map_err(&compute)?;
        let windows = match (frame, &cut) {
            (Some(frame), Cut::Starts(starts)) => {
                Some(plan::windows_table(&self.context, frame, starts).map_err(&compute)?)
            }
            _ => None,
        };
        let plans =
            plan::build(&rows, &columns, question, (span, &cut), windows.as_ref(), present).map_err(&compute)?;
        let flows = async {
            match plans.flows {
                Some(flows) => flows.collect().await,
                None => Ok(Vec::new()),
            }
        };
        let windowed = try_join_all(plans.windowed.into_iter().map(|(measure, rows)| async move {
            let rows = rows.collect().await?;
            Ok::<_, DataFusionError>((measure, rows))
        }));
        let stocks = try_join_all(plans.stocks.into_iter().map(async |stock| {
            let (opened, closed) = try_join(stock.opened.collect(), stock.closed.collect()).await?;
            Ok::<_, DataFusionError>((stock.measure, opened, closed))
        }));
        let (flows, windowed, stocks) = try_join3(flows, windowed, stocks).await.map_err(&compute)?;
        let mut found = Found::new(cut);
        found.add_flows(question, &flows).map_err(&compute)?;
        for (measure, rows) in &windowed {
            found.add_windowed(question, *measure, rows).map_err(&compute)?;
        }
        for (measure, opened, closed) in &stocks {
            found.add_stock(question, *measure, 1.0, opened).map_err(&compute)?;
            found.add_stock(question, *measure, -1.0, closed).map_err(&compute)?;
        }
        Ok(found)
    }

    /// First day of the month in which the data of an indicator begin.
    async fn data_from(
        &self,
        scope: &Scope,
        snapshot: &OpenSnapshot,
        indicator: &Indicator,
        present: Present,
    ) -> Result<Option<NaiveDate>, QueryError> {
        let table = self.table(snapshot, indicator.entity().name(), TableContent::Entities).await?;
        let first = self.scoped(scope, table).and_then(|rows| plan::first_day(rows, indicator, present));
        let batches = match first {
            Ok(first) => first.collect().await,
            Err(cause) => Err(cause),
        };
        let batches = batches.map_err(of_compute(indicator))?;
        let first = batches.iter().filter(|batch| batch.num_rows() > 0).find_map(|batch| day_at(batch.column(0), 0));
        Ok(first.map(|day| Grain::Month.start(day)))
    }

    /// What `today` and `moment` mean: the present for the latest snapshot, its own time for one that is named.
    pub(super) fn present(&self, head: &SnapshotHead, as_of: Option<u64>) -> Present {
        let moment = if as_of.is_some() { head.published_at } else { self.clock.now() };
        self.present_at(moment)
    }

    /// What they mean at a moment.
    pub(super) fn present_at(&self, moment: DateTime<Utc>) -> Present {
        Present { today: moment.with_timezone(&self.time_zone).date_naive(), moment }
    }

    /// A table as an asker sees it.
    pub(super) fn scoped(&self, scope: &Scope, table: Arc<dyn TableProvider>) -> Result<DataFrame, DataFusionError> {
        let columns = table.schema();
        scope.apply(self.context.read_table(table)?, &columns)
    }

    /// The snapshot of a number or the latest, kept open with the last few others.
    pub(super) async fn snapshot(&self, number: Option<u64>) -> Result<Arc<OpenSnapshot>, QueryError> {
        let head = self.source.snapshot(number).await?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let number = head.number;
        let snapshot = open.entry(number).or_insert_with(|| Arc::new(OpenSnapshot { head, tables: Mutex::default() }));
        let snapshot = Arc::clone(snapshot);
        while open.len() > OPEN_SNAPSHOTS {
            let oldest = open.keys().copied().find(|other| *other != number);
            oldest.map(|oldest| open.remove(&oldest));
        }
        Ok(snapshot)
    }

    /// A table of a snapshot, opened once.
    pub(super) async fn table(
        &self,
        snapshot: &OpenSnapshot,
        name: &str,
        content: TableContent,
    ) -> Result<Arc<dyn TableProvider>, QueryError> {
        let cell = {
            let mut tables = snapshot.tables.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(tables.entry((name.to_owned(), content)).or_default())
        };
        cell.get_or_try_init(|| self.source.open(snapshot.head.number, name, content)).await.map(Arc::clone)
    }
}

/// The longest answer.
const MAX_ROWS: usize = 500_000;

fn not_too_many(n_rows: usize) -> Result<(), QueryError> {
    if n_rows > MAX_ROWS { Err(QueryError::TooManyRows { n_rows, limit: MAX_ROWS }) } else { Ok(()) }
}

/// A failure to compute an indicator.
pub(super) fn of_compute(indicator: &Indicator) -> impl Fn(DataFusionError) -> QueryError {
    |cause| QueryError::Compute { what: indicator.id.clone(), cause: Box::new(cause) }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use datafusion::datasource::MemTable;
    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;
    use crate::warehouse::models::{Model, RUNS};

    /// One snapshot with one table: three batches of runs.
    #[derive(Debug)]
    struct Runs(Arc<MemTable>);

    impl TableSource for Runs {
        fn snapshot(&self, _: Option<u64>) -> BoxFuture<'_, Result<SnapshotHead, QueryError>> {
            let tables = vec![(RUNS.to_owned(), TableContent::Entities)];
            async {
                Ok(SnapshotHead {
                    number: 1,
                    published_at: chrono::DateTime::UNIX_EPOCH,
                    last_event_on: None,
                    definitions: None,
                    tables,
                })
            }
            .boxed()
        }

        fn open<'a>(
            &'a self,
            _: u64,
            _: &'a str,
            _: TableContent,
        ) -> BoxFuture<'a, Result<Arc<dyn TableProvider>, QueryError>> {
            async { Ok(Arc::clone(&self.0) as Arc<dyn TableProvider>) }.boxed()
        }

        fn definitions<'a>(&'a self, edition: &'a str) -> BoxFuture<'a, Result<Definitions, QueryError>> {
            async move { Err(QueryError::NoDefinitions { edition: edition.to_owned(), cause: "none were kept".into() }) }.boxed()
        }
    }

    fn engine(folder: &Path) -> Engine {
        let row = serde_json::json!({"pipeline": "a", "batch": 1, "table": "cases", "run": "r", "file": "f", "started_at": "2024-01-01T00:00:00Z",
            "finished_at": "2024-01-01T00:00:00Z", "finished_on": "2024-01-01", "read": 5, "accepted": 4, "duplicate": 1,
            "rejected": 0, "events": 4});
        let mut decoder = arrow::json::ReaderBuilder::new(Model::runs().columns).build_decoder().unwrap();
        decoder.serialize(&[&row, &row, &row]).unwrap();
        let table = MemTable::try_new(Model::runs().columns, vec![vec![decoder.flush().unwrap().unwrap()]]).unwrap();
        let indicators = folder.join(super::super::INDICATORS_FOLDER);
        fs_err::create_dir_all(&indicators).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(super::super::INDICATORS_FOLDER);
        fs_err::copy(shipped.join("rows_accepted.yaml"), indicators.join("rows_accepted.yaml")).unwrap();
        let reference = Arc::new(Reference::default());
        let catalog = Arc::new(Catalog::load(folder, &[], &reference).unwrap());
        Engine::over(Arc::new(Runs(Arc::new(table))), catalog, reference, Tz::UTC, folder, Clock::System).unwrap()
    }

    #[tokio::test]
    async fn figures_and_sql_see_the_rows_of_the_scope_only() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        for (scope, accepted, n_rows) in [(Scope::all(), 12.0, 3), (Scope::municipality("36740000"), 0.0, 0)] {
            let figures = engine.query(&scope, &Query::of("rows_accepted")).await.unwrap();
            assert_eq!(figures.rows[0].figure.value, Some(accepted));
            let batches = engine.sql(&scope, "SELECT count(*) FROM runs", None).await.unwrap();
            assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().value(0), n_rows);
        }
    }
}

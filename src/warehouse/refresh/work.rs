//! What a refresh has to fold, and the blocking part that folds and writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono_tz::Tz;

use super::super::entities::{Entities, EventTable, FoldError, Folding, Progress, written_files};
use super::super::lake::{BatchRecord, Lake, LakeError, LakeFile, MonthChanges, PublishedFile, TableKind};
use super::super::models::Model;
use super::super::stopwatch::Stopwatch;
use super::{RefreshContext, RefreshError, RefreshProgress, RefreshStep};

/// What has to be folded.
pub(super) struct Work {
    pub(super) models: Vec<ModelWork>,
}

/// What has to be folded of one model.
pub(super) struct ModelWork {
    index: usize,
    pub(super) name: String,
    pub(super) folding: Folding,
    fresh: BTreeMap<String, Vec<LakeFile>>,
    batches: Vec<(String, BatchRecord)>,
    /// Files of its published table, to be compared with after a whole fold, and to be patched after another.
    published: Option<Vec<PublishedFile>>,
}

/// Finds the models that changed or whose event tables have new versions, and what is new in them.
pub(super) async fn plan_work(
    context: &RefreshContext<'_>,
    models: &[Model],
    tables: &[EventTable],
    progress: Vec<Progress>,
) -> Result<Work, RefreshError> {
    let mut work = Vec::new();
    for (index, (model, progress)) in models.iter().zip(progress).enumerate() {
        let read: Vec<&EventTable> = tables_of(model, tables);
        let seen_of = |table: &EventTable| progress.versions.get(&table.contract.table).copied();
        // A lake that went back to an older state is read anew like a changed model.
        let is_same =
            progress.is_same && read.iter().all(|table| seen_of(table).is_none_or(|seen| seen <= table.version));
        let is_seen = |table: &EventTable| seen_of(table) == Some(table.version);
        if is_same && read.iter().all(|table| is_seen(table)) {
            continue;
        }
        let mut item = ModelWork {
            index,
            name: model.name.clone(),
            folding: if is_same { Folding::Touched } else { Folding::Whole },
            fresh: BTreeMap::new(),
            batches: Vec::new(),
            published: None,
        };
        for table in &read {
            let name = &table.contract.table;
            let seen = seen_of(table).filter(|_| is_same).unwrap_or(-1);
            if model.is_builtin() {
                let batches = context.lake.batches_between(name, seen, table.version).await?;
                item.batches.extend(batches.into_iter().map(|batch| (name.clone(), batch)));
            } else if is_same {
                item.fresh.insert(name.clone(), context.lake.files_between(name, seen, table.version).await?);
            }
        }
        let n_fresh: u64 = item.fresh.values().flatten().map(|file| file.rows).sum();
        let n_all: u64 = read.iter().flat_map(|table| &table.files).map(|file| file.rows).sum();
        if !model.is_builtin() && n_fresh * 2 > n_all {
            item.folding = Folding::Whole;
        }
        item.published = context.lake.published_files(&model.name, &model.columns).await?;
        work.push(item);
    }
    Ok(Work { models: work })
}

/// The event tables that a model reads; the built-in one reads the log of all.
fn tables_of<'a>(model: &Model, tables: &'a [EventTable]) -> Vec<&'a EventTable> {
    tables.iter().filter(|table| model.is_builtin() || model.from.contains(&table.contract.table)).collect()
}

/// What is to be changed in the published table of a model, by its index.
pub(super) type Written = (usize, MonthChanges);

/// What a fold of touched keys leaves to be written.
struct Patchable {
    /// Files of the published table.
    published: Vec<PublishedFile>,
    /// Months that an earlier refresh has left dirty: in them other rows than those of the touched keys may differ.
    left: BTreeSet<String>,
}

/// Brings published files to this disk; one that is gone is written again by whoever misses it.
fn fetch_what_is_there<'a>(
    lake: &Lake,
    folder: &Path,
    files: impl Iterator<Item = &'a PublishedFile>,
) -> Result<(), LakeError> {
    for file in files {
        match lake.fetch_blocking([folder.join(file.path())]) {
            Ok(()) | Err(LakeError::NoObject { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Work {
    /// Folds and writes; what is dirty from an earlier refresh is written too.
    #[expect(clippy::too_many_arguments, reason = "the parts of a refresh, handed to its blocking thread")]
    pub(super) fn run(
        self,
        mut entities: Entities,
        path: &Path,
        models: &[Model],
        tables: &[EventTable],
        lake: &Lake,
        time_zone: Tz,
        progress: &RefreshProgress,
    ) -> Result<(Entities, Vec<Written>), RefreshError> {
        let unusable = |cause| RefreshError::Database { path: path.to_owned(), cause };
        let mut patchable = BTreeMap::new();
        // The model with the most tables touches the most subjects, whose events are then there for the others.
        let mut items = self.models;
        items.sort_by_key(|item| std::cmp::Reverse(models[item.index].from.len()));
        for item in items {
            let model = &models[item.index];
            let (name, whole) = (item.name, item.folding == Folding::Whole);
            progress(&RefreshStep::Folding { model: name.clone(), whole });
            let mut watch = Stopwatch::start(&name);
            let left = entities.dirty_months(model).map_err(unusable)?;
            let read = tables_of(model, tables);
            let folded = if model.is_builtin() {
                let versions: Vec<(&str, i64)> =
                    read.iter().map(|table| (table.contract.table.as_str(), table.version)).collect();
                entities.add_runs(model, &item.batches, &versions, time_zone, whole).map_err(FoldError::from)
            } else {
                entities.fold(model, &read, &item.fresh, item.folding, lake)
            };
            folded.map_err(|error| match error {
                FoldError::Lake(error) => RefreshError::Lake(error),
                FoldError::Sql(cause) => RefreshError::Fold { model: name.clone(), cause },
            })?;
            watch.lap("fold");
            match (item.published, left) {
                (Some(published), _) if whole => {
                    let table_folder = lake.table_folder(TableKind::Entity, &name);
                    fetch_what_is_there(lake, &table_folder, published.iter())?;
                    entities.spare_equal_months(model, &table_folder, &published).map_err(unusable)?;
                }
                (Some(published), Some(left)) if !model.is_builtin() => {
                    patchable.insert(item.index, Patchable { published, left });
                }
                _ => {}
            }
            watch.lap("comparison");
            progress(&RefreshStep::Folded { model: name });
        }
        let mut written = Vec::new();
        for (index, model) in models.iter().enumerate() {
            let mut replaced = entities.dirty_months(model).map_err(unusable)?;
            if replaced.as_ref().is_some_and(BTreeSet::is_empty) {
                continue;
            }
            let mut watch = Stopwatch::start(&model.name);
            let folder = lake.table_folder(TableKind::Entity, &model.name);
            fs_err::create_dir_all(&folder).map_err(LakeError::from)?;
            let failed = |cause| RefreshError::Write { model: model.name.clone(), cause };
            let (mut only_rows, mut patched) = (BTreeSet::new(), Vec::new());
            if let (Some(Patchable { published, left }), Some(dirty)) = (patchable.remove(&index), &mut replaced) {
                let clean: BTreeSet<String> = dirty.difference(&left).cloned().collect();
                fetch_what_is_there(lake, &folder, published.iter().filter(|file| clean.contains(&file.month)))?;
                (only_rows, patched) = entities.patch(model, &folder, &published, &clean).map_err(failed)?;
                dirty.retain(|month| !only_rows.contains(month));
            }
            watch.lap("marks of stale rows");
            let token = entities.write_months(model, replaced.as_ref(), &only_rows, &folder).map_err(failed)?;
            let files = written_files(&folder, &token)?;
            watch.lap("Parquet files");
            progress(&RefreshStep::Written { model: model.name.clone() });
            written.push((index, MonthChanges { replaced, patched, files }));
        }
        Ok((entities, written))
    }
}

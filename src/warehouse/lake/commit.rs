//! Committing actions to a table, wherever its log lies.

use std::collections::{BTreeSet, HashSet};

use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake_core::kernel::{Action, Transaction};
use deltalake_core::protocol::DeltaOperation;
use deltalake_core::{DeltaTable, DeltaTableError};

use super::append::commit_error;
use super::{Lake, LakeError, TableKind, commit_name, sync, version_of};

/// What is committed.
pub(super) struct Commit {
    pub(super) actions: Vec<Action>,
    /// The batch that it is, if it is one; `properties` hold it as well.
    pub(super) token: Option<Transaction>,
    pub(super) properties: CommitProperties,
    pub(super) operation: DeltaOperation,
}

impl Lake {
    /// Commits to a table, in a bucket after the files are there; returns the new version.
    ///
    /// # Errors
    /// [`LakeError::Commit`] or [`LakeError::Store`]; [`LakeError::Overtaken`] if another server has committed to the table since it was
    /// loaded. The table is unchanged then.
    pub(super) async fn commit(
        &self,
        kind: TableKind,
        name: &str,
        table: &DeltaTable,
        commit: Commit,
    ) -> Result<i64, LakeError> {
        let Commit { actions, token, properties, operation } = commit;
        let folder = self.table_folder(kind, name);
        // A file that a commit takes out and puts in again, with fewer rows that count, is there.
        let removed: HashSet<&str> = actions.iter().filter_map(removed_path).collect();
        let added = actions.iter().filter_map(|action| match action {
            Action::Add(add) if !removed.contains(add.path.as_str()) => Some(folder.join(&add.path)),
            _ => None,
        });
        self.upload(added.collect()).await?;
        let own = marks_of(actions.iter(), token.as_ref());
        let mut properties = properties.with_cleanup_expired_logs(Some(false));
        if self.is_remote() {
            // One server writes a bucket: what another one has committed was not seen by what is committed here.
            properties = properties.with_max_retries(0);
        }
        let committed = async {
            let state: &dyn TableReference = table.snapshot()?;
            let commit = CommitBuilder::from(properties)
                .with_actions(actions)
                .build(Some(state), table.log_store(), operation)
                .await?;
            Ok(i64::try_from(commit.version()).unwrap_or(i64::MAX))
        };
        match committed.await {
            Ok(version) => {
                self.sync_commit(kind, name, version)?;
                Ok(version)
            }
            Err(cause) if self.is_remote() => self.look_again(kind, name, version_of(table) + 1, &own, cause).await,
            Err(cause) => Err(commit_error(name, cause)),
        }
    }

    /// Whether a commit that failed got into the log after all: its answer may have been lost, or its repetition refused.
    async fn look_again(
        &self,
        kind: TableKind,
        name: &str,
        version: i64,
        own: &BTreeSet<String>,
        cause: DeltaTableError,
    ) -> Result<i64, LakeError> {
        let failed = commit_error(name, cause);
        let Ok(found) = self.actions(kind, name, version).await else { return Err(failed) };
        if !own.is_empty() && marks_of(found.iter(), None) == *own {
            return Ok(version);
        }
        Err(LakeError::Overtaken { table: name.to_owned() })
    }

    /// Makes a commit survive a power cut; a bucket does so itself.
    pub(super) fn sync_commit(&self, kind: TableKind, table: &str, version: i64) -> Result<(), LakeError> {
        if !self.is_remote() {
            let log = self.table_folder(kind, table).join("_delta_log");
            sync(&log.join(commit_name(version)))?;
            sync(&log)?;
        }
        Ok(())
    }
}

fn removed_path(action: &Action) -> Option<&str> {
    match action {
        Action::Remove(remove) => Some(&remove.path),
        _ => None,
    }
}

/// What tells a commit from every other: the names of its files, which are unique, and its batch with its moment.
fn marks_of<'a>(actions: impl Iterator<Item = &'a Action>, token: Option<&Transaction>) -> BTreeSet<String> {
    let of_token = |token: &Transaction| format!("{} {} {:?}", token.app_id, token.version, token.last_updated);
    let marks = actions.filter_map(|action| match action {
        Action::Add(add) => Some(format!("+{} {:?}", add.path, add.deletion_vector)),
        Action::Remove(remove) => Some(format!("-{}", remove.path)),
        Action::Txn(token) => Some(of_token(token)),
        _ => None,
    });
    marks.chain(token.map(of_token)).collect()
}

//! The record of one run.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) use crate::domain::error_chain::chain;
use crate::domain::language::Lang;
use crate::domain::period::Period;
use crate::domain::sentence::Sentence;
use crate::pipelines::{PipelineReport, RunError, StageSeconds, tell_file, tell_stop};
use crate::warehouse::BatchRecord;

/// How far a run is, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It waits for another run to end.
    Waiting,
    /// It works.
    Running,
    /// It came to its end; rows may have been rejected.
    Done,
    /// Something was not taken, see `failures`. What was committed stays.
    Failed,
    /// It was told to stop: its time was up, or the program ended. What was committed stays.
    Stopped,
    /// The process or the machine died under it. What was committed stays.
    Killed,
}

impl RunState {
    /// Whether nothing more will happen to the run.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// Who started a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Starter {
    /// Somebody at the command line.
    Cli {
        /// The user of the operating system, where that is known.
        user: Option<String>,
    },
    /// A program or a person through the API.
    Api,
    /// Files of the pipeline that changed.
    Watch,
    /// The schedule of the pipeline.
    Schedule {
        /// When the run was due.
        due_at: DateTime<Utc>,
        /// Which attempt it is, from 1.
        attempt: u32,
    },
}

impl Starter {
    /// The one who sits at the terminal.
    #[must_use]
    pub fn at_terminal() -> Self {
        Self::Cli { user: std::env::var("USER").ok().filter(|user| !user.is_empty()) }
    }
}

/// What one run was and did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunRecord {
    /// Id of the run, which is also kept with its batches.
    #[schema(value_type = String, example = "01994e2c-8f5a-7c1e-9d3b-3f2a6b1c0d4e")]
    pub run: Uuid,
    /// Who started it.
    pub started_by: Starter,
    /// How far it is, or how it ended.
    pub state: RunState,
    /// When work began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The days that were asked for; all if absent.
    pub period: Option<Period>,
    /// Whether everything was read again.
    pub full: bool,
    /// What it did, pipeline by pipeline.
    pub pipelines: Vec<PipelineRun>,
    /// Seconds from the last commit to the published snapshot.
    pub refresh_seconds: Option<f64>,
    /// The snapshot after it.
    pub snapshot: Option<u64>,
    /// Whether it published that snapshot itself; if not, nothing had changed.
    pub published: bool,
    /// What somebody should know although nothing failed; rejected rows are told by rule in `pipelines`.
    #[schema(value_type = Vec<String>)]
    pub warnings: Vec<Sentence>,
    /// What went wrong outside of any pipeline.
    #[schema(value_type = Vec<String>)]
    pub failures: Vec<Sentence>,
}

/// What a run did for one pipeline. `read = accepted + duplicate + rejected`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PipelineRun {
    /// Name of the pipeline.
    pub pipeline: String,
    /// How far it is, or how it ended.
    pub state: RunState,
    /// Files or other units that were read and committed.
    pub files: u64,
    /// Units left alone, since they are as they were.
    pub unchanged: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Source rows read.
    pub read: u64,
    /// Source rows that brought at least one new event.
    pub accepted: u64,
    /// Source rows whose events were all there already.
    pub duplicate: u64,
    /// Source rows that broke a rule and lie in quarantine.
    pub rejected: u64,
    /// Source rows left alone, since they are of other days than those asked for; not among those read.
    pub outside: u64,
    /// Events that went into the lake.
    pub events: u64,
    /// Rejected rows by rule.
    pub reasons: BTreeMap<String, u64>,
    /// Where the time went.
    pub stages: StageSeconds,
    /// Seconds of all stages.
    pub seconds: f64,
    /// What marks what was taken, in the words of the people who keep the register.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What was not taken, and why.
    #[schema(value_type = Vec<String>)]
    pub failures: Vec<Sentence>,
}

impl RunRecord {
    /// Whether the run took everything new of its pipelines: neither a part of time nor all anew.
    #[must_use]
    pub fn is_ordinary(&self) -> bool {
        self.period.is_none()
    }

    /// What the run did for a pipeline.
    #[must_use]
    pub fn of_pipeline(&self, pipeline: &str) -> Option<&PipelineRun> {
        self.pipelines.iter().find(|run| run.pipeline == pipeline)
    }

    /// Ends a record: its state follows from its parts.
    pub(super) fn finish(&mut self, finished_at: DateTime<Utc>) {
        let states = || self.pipelines.iter().map(|pipeline| pipeline.state);
        self.state = if states().any(|state| state == RunState::Stopped) {
            RunState::Stopped
        } else if !self.failures.is_empty() || states().any(|state| state == RunState::Failed) {
            RunState::Failed
        } else {
            RunState::Done
        };
        self.finished_at = Some(finished_at);
    }

    /// Ends the record of a run that died.
    pub(super) fn bury(&mut self, found_at: DateTime<Utc>) {
        self.state = RunState::Killed;
        self.finished_at = Some(found_at);
        for pipeline in self.pipelines.iter_mut().filter(|pipeline| !pipeline.state.is_final()) {
            pipeline.state = RunState::Killed;
        }
        self.failures.push(Sentence::new(
            "процесс, машина или диск отказали до конца загрузки; то, что уже записано, сохранено, следующая загрузка продолжит с этого места",
            "the process, the machine or its disk stopped before the run had ended; what was committed stays, the next run goes on from there",
        ));
    }

    /// The record with its sentences in one language.
    #[must_use]
    pub fn told(mut self, lang: Lang) -> Self {
        let of_pipelines = self.pipelines.iter_mut().flat_map(|run| &mut run.failures);
        for sentence in self.warnings.iter_mut().chain(&mut self.failures).chain(of_pipelines) {
            *sentence = sentence.told(lang);
        }
        self
    }
}

impl PipelineRun {
    /// A pipeline whose turn has not come.
    pub(super) fn waiting(pipeline: &str) -> Self {
        let report = PipelineReport { pipeline: pipeline.to_owned(), ..PipelineReport::default() };
        Self { state: RunState::Waiting, ..Self::of(&report) }
    }

    /// What a report says.
    pub(super) fn of(report: &PipelineReport) -> Self {
        let mut failures: Vec<Sentence> =
            report.failures.iter().map(|failure| tell_file(&failure.file, &failure.error)).collect();
        failures.extend(report.stopped.as_ref().map(tell_stop));
        let of_batch = |batch: &BatchRecord| -> Vec<String> {
            batch.warnings.iter().map(|warning| format!("{}: {warning}", batch.file)).collect()
        };
        let warnings = report.batches.iter().flat_map(of_batch).collect();
        let state = match &report.stopped {
            Some(RunError::Interrupted { .. }) => RunState::Stopped,
            _ if failures.is_empty() => RunState::Done,
            _ => RunState::Failed,
        };
        Self {
            pipeline: report.pipeline.clone(),
            state,
            files: report.files as u64,
            unchanged: report.unchanged as u64,
            bytes: report.bytes,
            read: report.read,
            accepted: report.accepted,
            duplicate: report.duplicate,
            rejected: report.rejected,
            outside: report.outside,
            events: report.events,
            reasons: report.reasons.clone(),
            stages: report.stages,
            seconds: report.seconds,
            warnings,
            failures,
        }
    }
}

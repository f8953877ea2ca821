//! One event as the specification has it.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::record::chain;
use crate::pipelines::{Pipeline, PipelineReport, RunError};
use crate::project::Project;
use crate::warehouse::lake::TableKind;
use crate::warehouse::{Contract, Lake};

/// Who tells.
const PRODUCER: &str = concat!("urn:svod:", env!("CARGO_PKG_VERSION"));
/// What an event is.
const RUN_EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
/// Job of a whole run, of which the pipelines' runs are parts.
const PARENT_JOB: &str = "run";

/// Which facet of the specification a part is.
#[derive(Debug, Clone, Copy)]
enum Facet {
    Parent,
    ErrorMessage,
    JobType,
    Documentation,
    Schema,
    OutputStatistics,
}

impl Facet {
    fn schema_url(self) -> String {
        let (version, name) = match self {
            Self::Parent => ("1-0-1", "ParentRunFacet"),
            Self::ErrorMessage => ("facets/1-0-0", "ErrorMessageRunFacet"),
            Self::JobType => ("facets/2-0-4", "JobTypeJobFacet"),
            Self::Documentation => ("1-0-1", "DocumentationJobFacet"),
            Self::Schema => ("facets/1-0-0", "SchemaDatasetFacet"),
            Self::OutputStatistics => ("1-0-1", "OutputStatisticsOutputDatasetFacet"),
        };
        format!("https://openlineage.io/spec/{version}/{name}.json#/$defs/{name}")
    }

    /// The facet with its fields, which are an object.
    fn with(self, fields: Value) -> Value {
        let mut facet = Map::from_iter([
            ("_producer".to_owned(), PRODUCER.into()),
            ("_schemaURL".to_owned(), self.schema_url().into()),
        ]);
        if let Value::Object(fields) = fields {
            facet.extend(fields);
        }
        facet.into()
    }
}

/// What has happened to the run of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventType {
    Start,
    Complete,
    Abort,
    Fail,
}

impl EventType {
    /// How a run ended: aborted if it was told to stop, failed if anything was not taken.
    pub(super) fn of(report: &PipelineReport) -> Self {
        match &report.stopped {
            Some(RunError::Interrupted { .. }) => Self::Abort,
            None if report.failures.is_empty() => Self::Complete,
            _ => Self::Fail,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Complete => "COMPLETE",
            Self::Abort => "ABORT",
            Self::Fail => "FAIL",
        }
    }
}

/// Makes the events of one run.
pub(super) struct Teller<'a> {
    pub(super) project: &'a Project,
    pub(super) lake: &'a Lake,
    pub(super) namespace: &'a str,
    pub(super) run: Uuid,
}

impl Teller<'_> {
    /// An event of the run of one pipeline; without a report it has read and written nothing yet.
    pub(super) fn event(
        &self,
        event_type: EventType,
        of_pipeline: Uuid,
        pipeline: &Pipeline,
        report: Option<&PipelineReport>,
        at: DateTime<Utc>,
    ) -> Value {
        let parent = json!({
            "run": {"runId": self.run},
            "job": {"namespace": self.namespace, "name": PARENT_JOB},
        });
        let mut run_facets = Map::from_iter([("parent".to_owned(), Facet::Parent.with(parent))]);
        let messages = report.map(messages_of).filter(|messages| !messages.is_empty());
        if let Some(messages) = messages {
            let message = json!({"message": messages.join("; "), "programmingLanguage": "Rust"});
            run_facets.insert("errorMessage".to_owned(), Facet::ErrorMessage.with(message));
        }
        let job_type = json!({"processingType": "BATCH", "integration": "SVOD", "jobType": "PIPELINE"});
        let inputs: Vec<Value> = report.map(|report| self.inputs(report)).unwrap_or_default();
        let contract = self.project.contracts.get(pipeline.contract());
        json!({
            "eventType": event_type.code(),
            "eventTime": at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "run": {"runId": of_pipeline, "facets": run_facets},
            "job": {
                "namespace": self.namespace,
                "name": pipeline.name(),
                "facets": {
                    "jobType": Facet::JobType.with(job_type),
                    "documentation": Facet::Documentation.with(json!({"description": pipeline.description()})),
                },
            },
            "inputs": inputs,
            "outputs": contract.map(|contract| self.output(contract, report)).into_iter().collect::<Vec<_>>(),
            "producer": PRODUCER,
            "schemaURL": RUN_EVENT,
        })
    }

    /// The files that were read; something that is no file of this machine goes by its name in the job's namespace.
    fn inputs(&self, report: &PipelineReport) -> Vec<Value> {
        let dataset = |file: &str| {
            let path = self.project.root.join(file);
            if path.is_file() {
                json!({"namespace": "file", "name": absolute(&path)})
            } else {
                json!({"namespace": self.namespace, "name": file})
            }
        };
        report.batches.iter().map(|batch| dataset(&batch.file)).collect()
    }

    /// The event table: its columns in the lake, and what was appended.
    fn output(&self, contract: &Contract, report: Option<&PipelineReport>) -> Value {
        let fields: Vec<Value> = contract
            .lake_columns()
            .map(|column| json!({"name": column.name, "type": column.column_type.code(), "description": column.description}))
            .collect();
        let folder = self.lake.table_folder(TableKind::Event, &contract.table);
        let mut output = json!({
            "namespace": if self.lake.is_remote() { "s3" } else { "file" },
            "name": if self.lake.is_remote() { self.lake.address_of(&folder) } else { absolute(&folder) },
            "facets": {"schema": Facet::Schema.with(json!({"fields": fields}))},
        });
        if let (Some(report), Some(output)) = (report, output.as_object_mut()) {
            let statistics = Facet::OutputStatistics.with(json!({"rowCount": report.events}));
            output.insert("outputFacets".to_owned(), json!({"outputStatistics": statistics}));
        }
        output
    }
}

/// What went wrong.
fn messages_of(report: &PipelineReport) -> Vec<String> {
    let of_files = report.failures.iter().map(|failure| format!("{}: {}", failure.file, chain(&failure.error)));
    of_files.chain(report.stopped.as_ref().map(|error| chain(error))).collect()
}

/// The whole path, with `/` between folders.
fn absolute(path: &Path) -> String {
    let whole = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole.to_string_lossy().replace('\\', "/")
}

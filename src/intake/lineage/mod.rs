//! OpenLineage events (specification 2-0-2): what each run of a pipeline read and wrote, told to whoever keeps lineage.
//!
//! Telling never harms a run: what cannot be delivered is warned of once per run, and the rest of that run is not told.

mod event;
mod sink;

use std::path::Path;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::record::chain;
use crate::domain::sentence::Sentence;
use crate::pipelines::{Pipeline, PipelineReport};
use crate::project::Project;
use crate::settings::Lineage;
use crate::warehouse::Lake;

use event::{EventType, Teller};
use sink::Sink;

/// Tells of the pipelines of one run.
pub(super) struct LineageTeller<'a> {
    teller: Teller<'a>,
    sink: Option<Sink>,
    /// The first failure to deliver.
    pub(super) warning: Option<Sentence>,
}

impl<'a> LineageTeller<'a> {
    /// A teller for a run; one without a place to tell says nothing.
    pub(super) fn new(project: &'a Project, data_dir: &Path, lake: &'a Lake, run: Uuid) -> Self {
        let settings = project.settings.lineage.as_ref();
        let namespace = settings.map(|Lineage { namespace, .. }| namespace.as_str()).unwrap_or_default();
        let mut warning = None;
        let sink = settings.and_then(|settings| match Sink::open(settings, data_dir) {
            Ok(sink) => Some(sink),
            Err(error) => {
                warning = Some(warn(&error));
                None
            }
        });
        Self { teller: Teller { project, lake, namespace, run }, sink, warning }
    }

    /// Tells that a pipeline begins; the id of its run, under which its end is told.
    pub(super) async fn tell_start(&mut self, pipeline: &Pipeline, at: DateTime<Utc>) -> Uuid {
        let of_pipeline = Uuid::now_v7();
        if self.sink.is_some() {
            let event = self.teller.event(EventType::Start, of_pipeline, pipeline, None, at);
            self.deliver(&event).await;
        }
        of_pipeline
    }

    /// Tells how a pipeline ended.
    pub(super) async fn tell_end(
        &mut self,
        of_pipeline: Uuid,
        pipeline: &Pipeline,
        report: &PipelineReport,
        at: DateTime<Utc>,
    ) {
        if self.sink.is_some() {
            let event = self.teller.event(EventType::of(report), of_pipeline, pipeline, Some(report), at);
            self.deliver(&event).await;
        }
    }

    async fn deliver(&mut self, event: &serde_json::Value) {
        let Some(sink) = &self.sink else { return };
        if let Err(error) = sink.deliver(event).await {
            self.warning = Some(warn(&error));
            self.sink = None;
        }
    }
}

fn warn(error: &sink::SinkError) -> Sentence {
    let cause = chain(error);
    let en = format!("lineage is not told in this run: {cause}");
    tracing::warn!("{en}");
    Sentence::new(format!("о происхождении данных в этой загрузке не сообщено: {cause}"), en)
}

//! The built-in entity of batches, made from the records in the lake's log.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use crate::declarations::Source;
use crate::domain::language::Text;

use super::{Dimension, Model, Versions};

/// Name of the built-in entity with one row per batch of a pipeline.
pub const RUNS: &str = "runs";

impl Model {
    /// The built-in entity: one row per batch that a pipeline has committed to an event table.
    #[must_use]
    pub fn runs() -> Self {
        let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let columns = [
            ("pipeline", DataType::Utf8),
            ("batch", DataType::Int64),
            ("table", DataType::Utf8),
            ("run", DataType::Utf8),
            ("file", DataType::Utf8),
            ("started_at", moment.clone()),
            ("finished_at", moment.clone()),
            ("finished_on", DataType::Date32),
            ("read", DataType::Int64),
            ("accepted", DataType::Int64),
            ("duplicate", DataType::Int64),
            ("rejected", DataType::Int64),
            ("events", DataType::Int64),
            ("last_event_at", moment),
            ("quarantine", DataType::Utf8),
            ("warnings", DataType::Utf8),
        ];
        let fields: Vec<Field> = columns.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect();
        let dimension = |name: &str, ru: &str, en: &str| Dimension {
            name: name.to_owned(),
            title: Text { ru: ru.to_owned(), en: en.to_owned() },
            list: None,
            expr: None,
        };
        Self {
            name: RUNS.to_owned(),
            grain: "one row per batch of a pipeline".to_owned(),
            description: "What each batch brought: rows read, accepted, duplicate and rejected, and events.".to_owned(),
            from: Vec::new(),
            key: vec!["pipeline".to_owned(), "batch".to_owned(), "table".to_owned()],
            versions: Versions::Last,
            lists: Vec::new(),
            is_of_events: true,
            month: "finished_on".to_owned(),
            dimensions: vec![
                dimension("pipeline", "Конвейер", "Pipeline"),
                dimension("table", "Таблица событий", "Event table"),
                dimension("file", "Файл", "File"),
                dimension("run", "Запуск", "Run"),
            ],
            sql: String::new(),
            columns: Arc::new(Schema::new(fields)),
            hash: "3".to_owned(),
            source: Source { path: PathBuf::new(), text: String::new() },
            sql_path: PathBuf::new(),
        }
    }
}

//! The pipelines that come with the project.

use svod::pipelines::{Pipeline, pipeline_schema};
use svod::settings::Settings;
use svod::warehouse::contracts::Contracts;
use svod::warehouse::reference::Reference;

use crate::support::project_root;

#[test]
fn every_shipped_pipeline_is_right() {
    let root = project_root();
    let load = || {
        let settings = Settings::load(&root)?;
        let reference = Reference::load(&root)?;
        let contracts = Contracts::load(&root, &reference)?;
        Pipeline::load_all(&root, &settings, &contracts, &reference)
    };
    let pipelines = load().unwrap_or_else(|problems| panic!("{problems}"));
    assert!(!pipelines.is_empty());
}

#[test]
fn every_key_of_a_declaration_is_explained() {
    fn check(place: &str, schema: &serde_json::Value) {
        if let Some(properties) = schema.get("properties").and_then(serde_json::Value::as_object) {
            for (key, property) in properties {
                assert!(property.get("description").is_some(), "{place}.{key} has no description");
            }
        }
        if let Some(definitions) = schema.get("$defs").and_then(serde_json::Value::as_object) {
            for (name, definition) in definitions {
                check(name, definition);
            }
        }
    }
    let schema = serde_json::to_value(pipeline_schema()).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    check("pipeline", &schema);
}

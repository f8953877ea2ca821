//! The documentation of the API is what the router serves.

use std::collections::BTreeSet;

use svod::server::{openapi, routes};

#[test]
fn every_route_is_documented_and_nothing_else() {
    let documented: BTreeSet<String> = openapi().paths.paths.keys().cloned().collect();
    let routed: BTreeSet<String> =
        routes().iter().flat_map(|route| route.documented).map(|&path| path.to_owned()).collect();
    assert_eq!(documented, routed);
}

#[test]
fn every_operation_parameter_and_field_says_what_it_is() {
    let document = serde_json::to_value(openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut silent = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["summary"].as_str().unwrap_or_default().is_empty() {
                silent.push(format!("{method} {path}"));
            }
            for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
                if parameter["description"].as_str().unwrap_or_default().is_empty() {
                    silent.push(format!("{method} {path} {}", parameter["name"]));
                }
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let parts = schema["allOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        for (field, description) in parts.iter().filter_map(|part| part["properties"].as_object()).flatten() {
            let is_silent = description["description"].as_str().unwrap_or_default().is_empty();
            if is_silent && description["$ref"].is_null() && description["oneOf"].is_null() {
                silent.push(format!("{name}.{field}"));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn the_contract_of_the_api_is_frozen() {
    insta::assert_json_snapshot!("openapi", openapi(), { ".info.version" => "[version]" });
}

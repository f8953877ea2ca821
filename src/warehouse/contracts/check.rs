//! From a contract as written to a contract that can be used, with every problem at its place.

use std::collections::HashSet;

use regex::Regex;

use crate::declarations::{Problems, Source, Spanned};

use super::super::reference::Reference;
use super::check_rules::allowed;
use super::{
    Column, ColumnType, Contract, EVENT, FOUND_PREFIX, OCCURRED_AT, Privacy, RECORDED_AT, RawContract, RawProperty,
    RawTable, RawTypeOptions, Rule, system_columns,
};

/// A checked contract and the place of its table's name.
pub(super) fn check_contract(source: &Source, reference: &Reference) -> Result<(Contract, Spanned<String>), Problems> {
    let raw: RawContract = source.parse()?;
    let mut checks = Checks { source, reference, problems: Problems::new() };
    checks.one_of(&raw.api_version, "apiVersion", &["v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0"]);
    checks.one_of(&raw.kind, "kind", &["DataContract"]);
    checks.one_of(&raw.status, "status", &["active", "draft", "proposed", "deprecated", "retired"]);
    checks.filled(&raw.id, "id");
    checks.filled(&raw.version, "version");
    if raw.description.purpose.trim().is_empty() {
        checks.problem(&raw.description, "`purpose` is empty");
    }
    let [table] = raw.schema.value.as_slice() else {
        checks.problem(&raw.schema, format!("`schema`: expected one table, found {}", raw.schema.len()));
        return Err(checks.problems);
    };
    let (columns, rules) = checks.table(table);
    let freshness = checks.freshness(&raw.sla_properties);
    let problems = checks.problems;
    let mut key: Vec<usize> = (0..columns.len()).filter(|index| columns[*index].key_position.is_some()).collect();
    key.sort_by_key(|index| columns[*index].key_position);
    let contract = Contract {
        table: table.name.value.clone(),
        version: raw.version.value,
        description: table.description.value.clone(),
        purpose: raw.description.value.purpose,
        columns,
        rules,
        freshness,
        source: source.clone(),
        key,
    };
    problems.into_result((contract, table.name.clone()))
}

/// The file under check and what was found so far.
pub(super) struct Checks<'a> {
    pub(super) source: &'a Source,
    reference: &'a Reference,
    pub(super) problems: Problems,
}

impl Checks<'_> {
    pub(super) fn problem<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        self.problems.push(self.source.problem(at, message));
    }

    pub(super) fn advise<T>(&mut self, at: &Spanned<T>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(self.source.problem(at, message).help(help));
    }

    fn filled(&mut self, text: &Spanned<String>, key: &str) {
        if text.trim().is_empty() {
            self.problem(text, format!("`{key}` is empty"));
        }
    }

    pub(super) fn one_of(&mut self, text: &Spanned<String>, key: &str, known: &[&str]) -> bool {
        let is_known = known.contains(&text.as_str());
        if !is_known {
            let problem = self.source.problem(text, format!("`{key}`: unknown value `{}`", text.value));
            self.problems.push(problem.suggest(text, known.iter().copied()));
        }
        is_known
    }

    pub(super) fn name(&mut self, name: &Spanned<String>) {
        let mut characters = name.chars();
        let is_plain = characters.next().is_some_and(|first| first.is_ascii_lowercase())
            && characters.all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || other == '_');
        if !is_plain {
            self.advise(
                name,
                format!("`{}` cannot be a name", name.value),
                "small Latin letters, digits and `_`, a letter first",
            );
        }
    }

    fn table(&mut self, table: &RawTable) -> (Vec<Column>, Vec<Rule>) {
        self.name(&table.name);
        self.filled(&table.description, "description");
        let mut columns: Vec<Column> = Vec::with_capacity(table.properties.len());
        let mut positions = HashSet::new();
        for property in &table.properties {
            self.name(&property.name);
            if system_columns().iter().any(|(name, _)| *name == property.name.value) {
                self.problem(
                    &property.name,
                    format!("the column `{}` is made by the lake itself", property.name.value),
                );
            }
            if property.name.starts_with(FOUND_PREFIX) {
                let help =
                    format!("names that begin with `{FOUND_PREFIX}` are given to columns that no contract names");
                self.advise(&property.name, format!("`{}` cannot be a name", property.name.value), help);
            }
            if columns.iter().any(|column| column.name == property.name.value) {
                self.problem(&property.name, format!("the column `{}` stands twice", property.name.value));
            }
            let column = self.column(property, columns.len());
            if let Some(position) = column.key_position
                && !positions.insert(position)
            {
                self.problem(&property.name, format!("the place {position} in the key is taken twice"));
            }
            columns.push(column);
        }
        self.required_columns(table, &columns);
        let rules = self.rules(table, &columns);
        (columns, rules)
    }

    /// Every event table says what happened, when, and when that was recorded, and has a key.
    fn required_columns(&mut self, table: &RawTable, columns: &[Column]) {
        let expected = [
            (EVENT, ColumnType::String, true),
            (OCCURRED_AT, ColumnType::Timestamp, true),
            (RECORDED_AT, ColumnType::Timestamp, false),
        ];
        for (name, column_type, required) in expected {
            let Some(index) = columns.iter().position(|column| column.name == name) else {
                let help = format!("add it as `{{name: {name}, logicalType: {}, …}}`", column_type.code());
                self.advise(&table.name, format!("the table has no column `{name}`"), help);
                continue;
            };
            let (property, column) = (&table.properties[index], &columns[index]);
            if column.column_type != column_type {
                self.problem(&property.logical_type, format!("`{name}` must be a {}", column_type.code()));
            }
            if required && !column.required {
                self.problem(&property.name, format!("`{name}` must be required"));
            }
            if name == EVENT && column.allowed.is_none() {
                let help =
                    "quality: [{type: library, metric: invalidValues, arguments: {validValues: […]}, mustBe: 0}]";
                self.advise(&property.name, "`event` lists no allowed values", help);
            }
            if column.privacy != Privacy::Open {
                self.problem(&property.name, format!("`{name}` must be open"));
            }
        }
        if columns.iter().all(|column| column.key_position.is_none()) {
            self.advise(&table.name, "the table has no key", "mark what identifies an event with `primaryKey: true`");
        } else if columns.iter().all(|column| column.key_position.is_none() || !column.required) {
            self.problem(&table.name, "no column of the key is required");
        }
    }

    fn column(&mut self, property: &RawProperty, index: usize) -> Column {
        let name = &property.name;
        self.filled(&property.description, "description");
        let known: Vec<&str> = ColumnType::ALL.iter().map(|column_type| column_type.code()).collect();
        self.one_of(&property.logical_type, "logicalType", &known);
        let column_type = ColumnType::from_code(&property.logical_type).unwrap_or(ColumnType::String);
        let is_required = property.required.as_ref().is_some_and(|required| required.value);
        let key_position = self.key_position(property, index);
        let privacy = self.privacy(property, column_type);
        if privacy == Privacy::Dropped && property.primary_key {
            self.problem(name, format!("the key column `{}` cannot be restricted", name.value));
        }
        let options = property.logical_type_options.as_ref();
        let length = |pick: fn(&RawTypeOptions) -> &Option<Spanned<u64>>| options.and_then(|o| pick(o).as_ref());
        let (min_length, max_length) = (length(|o| &o.min_length), length(|o| &o.max_length));
        let (lower, upper) = self.bounds(options, column_type);
        for bound in [min_length, max_length].into_iter().flatten() {
            self.only_for_texts(bound, column_type);
        }
        Column {
            name: name.value.clone(),
            column_type,
            required: is_required,
            key_position,
            allowed: allowed(property),
            reference: self.reference(property, column_type),
            pattern: self.pattern(options.and_then(|options| options.pattern.as_ref()), column_type),
            lower,
            upper,
            min_length: min_length.and_then(|bound| usize::try_from(bound.value).ok()),
            max_length: max_length.and_then(|bound| usize::try_from(bound.value).ok()),
            privacy,
            description: property.description.value.clone(),
        }
    }

    pub(super) fn only_for_texts<T>(&mut self, at: &Spanned<T>, column_type: ColumnType) {
        if column_type != ColumnType::String {
            self.problem(at, format!("only a string can have this, the column is a {}", column_type.code()));
        }
    }

    fn key_position(&mut self, property: &RawProperty, index: usize) -> Option<u32> {
        if let Some(position) = &property.primary_key_position {
            if position.value < 1 && position.value != -1 {
                self.problem(position, "`primaryKeyPosition` counts from 1");
            } else if !property.primary_key && position.value != -1 {
                self.advise(position, "a place in the key without `primaryKey: true`", "add `primaryKey: true`");
            }
        }
        let written = property.primary_key_position.as_ref().and_then(|position| u32::try_from(position.value).ok());
        property.primary_key.then(|| written.unwrap_or_else(|| u32::try_from(index + 1).unwrap_or(u32::MAX)))
    }

    fn privacy(&mut self, property: &RawProperty, column_type: ColumnType) -> Privacy {
        let Some(classification) = &property.classification else { return Privacy::Open };
        self.one_of(
            classification,
            "classification",
            &["public", "internal", "confidential", "personal", "restricted"],
        );
        match classification.as_str() {
            "personal" => {
                self.only_for_texts(classification, column_type);
                Privacy::Pseudonym
            }
            "restricted" => Privacy::Dropped,
            _ => Privacy::Open,
        }
    }

    fn reference(&mut self, property: &RawProperty, column_type: ColumnType) -> Option<(String, String)> {
        let mut found = None;
        for relationship in &property.relationships {
            if let Some(kind) = &relationship.kind {
                self.one_of(kind, "type", &["foreignKey"]);
            }
            let to = &relationship.to;
            self.only_for_texts(to, column_type);
            let Some((list_name, column)) = to.split_once('.') else {
                self.advise(to, format!("`{}` is no code list and column", to.value), "e.g. `municipalities.code`");
                continue;
            };
            let Some(list) = self.reference.list(list_name) else {
                let problem = self.source.problem(to, format!("there is no code list `{list_name}`"));
                self.problems.push(problem.suggest(list_name, self.reference.names()));
                continue;
            };
            if list.column(column).is_none() {
                let problem = self.source.problem(to, format!("the code list `{list_name}` has no column `{column}`"));
                self.problems.push(problem.suggest(column, list.column_names()));
            }
            found = Some((list_name.to_owned(), column.to_owned()));
        }
        found
    }

    pub(super) fn pattern(&mut self, pattern: Option<&Spanned<String>>, column_type: ColumnType) -> Option<Regex> {
        let pattern = pattern?;
        self.only_for_texts(pattern, column_type);
        match Regex::new(pattern) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let text = error.to_string();
                let cause = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.problem(pattern, format!("`pattern` is not a regular expression: {cause}"));
                None
            }
        }
    }
}

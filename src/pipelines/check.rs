//! From a declaration as written to a checked pipeline: all problems at once, each at its place.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use chrono_tz::Tz;
use encoding_rs::Encoding;
use polars::prelude::DataType;

use super::declaration::{RawColumn, RawCsv, RawEmit, RawFormat, RawPipeline, SourceType};
use super::formats::csv::CsvOptions;
use super::moment::MomentFormat;
use super::pipeline::{Emit, Format, Pipeline, RejectRule};
use super::quality::check_conditions;
use super::schema_change::SchemaChange;
use super::typing::{SourceColumn, Unfit};
use super::values::ValueChecker;
use crate::declarations::{Problems, Source, Spanned, list_files};
use crate::settings::Settings;
use crate::warehouse::contracts::{Column as ContractColumn, Contract, Contracts, FOUND_PREFIX, Privacy};
use crate::warehouse::reference::Reference;

/// Folder of the declarations.
pub const FOLDER: &str = "pipelines";

impl Pipeline {
    /// Reads and checks every pipeline of a project, in order of file name, and the conditions of the contracts.
    ///
    /// # Errors
    /// All problems of all files.
    pub fn load_all(
        project: &Path,
        settings: &Settings,
        contracts: &Contracts,
        reference: &Reference,
    ) -> Result<Vec<Self>, Problems> {
        let mut problems = Problems::new();
        check_conditions(contracts, &mut problems);
        let mut pipelines = Vec::new();
        let mut names = BTreeSet::new();
        for path in list_files(project, FOLDER, ".yaml")? {
            let Some(source) = problems.keep(Source::read(project, &path)) else { continue };
            let Some(raw) = problems.keep(source.parse::<RawPipeline>()) else { continue };
            if !names.insert(raw.pipeline.value.clone()) {
                let message = format!("`pipeline`: there is another pipeline `{}`", *raw.pipeline);
                problems.push(source.problem(&raw.pipeline, message));
            }
            let checker = Checker { source: &source, raw: &raw, settings, contracts, reference };
            pipelines.extend(problems.keep(checker.check()));
        }
        problems.into_result(pipelines)
    }
}

/// Checks one declaration.
struct Checker<'a> {
    source: &'a Source,
    raw: &'a RawPipeline,
    settings: &'a Settings,
    contracts: &'a Contracts,
    reference: &'a Reference,
}

impl Checker<'_> {
    fn check(&self) -> Result<Pipeline, Problems> {
        let (source, raw) = (self.source, self.raw);
        let mut problems = Problems::new();
        if !is_name(&raw.pipeline) {
            let message = format!("`pipeline`: `{}` is not a name", *raw.pipeline);
            problems.push(source.problem(&raw.pipeline, message).help(NAME_HELP));
        }
        if raw.description.trim().is_empty() {
            let problem = source.problem(&raw.description, "`description`: is empty");
            problems.push(problem.help("one sentence on what the pipeline brings"));
        }
        let (format, decimal_comma) = self.check_format(&mut problems);
        let columns = self.check_columns(decimal_comma, &mut problems);
        let Some(contract) = self.contracts.get(&raw.contract) else {
            let message = format!("`contract`: there is no contract `{}`", *raw.contract);
            let known = self.contracts.iter().map(|contract| contract.table.as_str());
            problems.push(source.problem(&raw.contract, message).suggest(&raw.contract, known));
            return Err(problems);
        };
        let checker = ValueChecker { source, contract, reference: self.reference, columns: &columns };
        let values = checker.check_all(&raw.values, &mut problems);
        let recorded_at =
            raw.recorded_at.as_ref().and_then(|name| checker.moment_column("recorded_at", name, &mut problems));
        let reject = self.check_rejects(&checker, &mut problems);
        if raw.emit.is_empty() {
            problems
                .push(source.problem(&raw.pipeline, "`emit`: no event is declared, so nothing would come of a row"));
        }
        let emit: Vec<Emit> = raw
            .emit
            .iter()
            .filter_map(|rule| {
                let emit = check_emit(&checker, rule, &mut problems)?;
                self.check_complete(contract, rule, &mut problems);
                Some(emit)
            })
            .collect();
        let mut pipeline = Pipeline {
            name: raw.pipeline.value.clone(),
            title: raw.title.clone(),
            description: raw.description.value.clone(),
            declared_in: source.path.clone(),
            contract: raw.contract.value.clone(),
            time_zone: self.check_time_zone(&mut problems),
            source: self.check_source(&mut problems),
            format,
            n_found: 0,
            empty: raw.empty.clone(),
            ignored: self.check_ignored(&columns, &mut problems),
            columns,
            schema_change: raw.schema_change,
            values,
            recorded_at,
            reject,
            emit,
        };
        mark_personal(&mut pipeline, contract);
        mark_needed(&mut pipeline, contract);
        problems.into_result(pipeline)
    }

    fn check_time_zone(&self, problems: &mut Problems) -> Tz {
        let Some(name) = &self.raw.time_zone else { return self.settings.time_zone };
        Tz::from_str(name).unwrap_or_else(|_| {
            let message = format!("`time_zone`: `{}` is not a time zone", **name);
            problems.push(self.source.problem(name, message).help("a name of the IANA list, e.g. `Europe/Moscow`"));
            self.settings.time_zone
        })
    }

    fn check_source(&self, problems: &mut Problems) -> super::sources::Source {
        let pattern = &self.raw.source.files;
        if let Err(error) = glob::Pattern::new(pattern) {
            problems.push(self.source.problem(pattern, format!("`files`: {}", error.msg)));
        }
        super::sources::Source::Files { pattern: pattern.value.clone() }
    }

    /// The format, and whether numbers have a decimal comma.
    fn check_format(&self, problems: &mut Problems) -> (Format, bool) {
        match &self.raw.format {
            RawFormat::Csv(csv) => (Format::Csv(self.check_csv(csv, problems)), csv.decimal_comma),
            RawFormat::Ndjson(ndjson) => (Format::Ndjson, ndjson.decimal_comma),
            RawFormat::Parquet(_) => (Format::Parquet, false),
        }
    }

    fn check_csv(&self, csv: &RawCsv, problems: &mut Problems) -> CsvOptions {
        let mut byte = |key: &str, text: &Spanned<String>| match text.as_bytes() {
            [byte] if byte.is_ascii() => *byte,
            _ => {
                let message = format!("`{key}`: expected one ASCII character, found `{}`", **text);
                problems.push(self.source.problem(text, message));
                b','
            }
        };
        let separator = byte("separator", &csv.separator);
        let quote = csv.quote.as_ref().map(|quote| byte("quote", quote));
        let encoding = Encoding::for_label(csv.encoding.as_bytes()).unwrap_or_else(|| {
            let message = format!("`encoding`: `{}` is not an encoding", *csv.encoding);
            let known = ["utf-8", "windows-1251", "ibm866", "koi8-r", "utf-16le", "utf-16be"];
            problems.push(self.source.problem(&csv.encoding, message).suggest(&csv.encoding, known));
            encoding_rs::UTF_8
        });
        CsvOptions { separator, quote, encoding, has_header: csv.header }
    }

    fn check_columns(&self, decimal_comma: bool, problems: &mut Problems) -> Vec<SourceColumn> {
        let mut names = BTreeSet::new();
        let mut columns = Vec::with_capacity(self.raw.columns.len());
        for raw in &self.raw.columns {
            if !is_name(&raw.name) {
                let message = format!("`name`: `{}` is not a name", *raw.name);
                problems.push(self.source.problem(&raw.name, message).help(NAME_HELP));
            }
            if raw.name.starts_with(FOUND_PREFIX) {
                let problem = self.source.problem(&raw.name, format!("`name`: `{}` is not a name here", *raw.name));
                problems.push(problem.help(format!("`{FOUND_PREFIX}` begins names of columns that nobody declared")));
            }
            if !names.insert(raw.name.as_str()) {
                problems.push(self.source.problem(&raw.name, format!("`name`: `{}` is declared twice", *raw.name)));
            }
            columns.push(SourceColumn {
                name: raw.name.value.clone(),
                from: raw.from.as_ref().map_or_else(|| raw.name.value.clone(), |from| from.value.trim().to_owned()),
                column_type: raw.column_type,
                format: self.check_moment_format(raw, problems),
                required: raw.required,
                empty: raw.empty.clone().unwrap_or_else(|| self.raw.empty.clone()),
                decimal_comma,
                unfit: match self.raw.schema_change {
                    Some(SchemaChange::DiscardValue) if !raw.required => Unfit::IsLeftOut,
                    _ => Unfit::RejectsRow,
                },
                personal: false,
            });
        }
        columns
    }

    fn check_ignored(&self, columns: &[SourceColumn], problems: &mut Problems) -> Vec<String> {
        let mut ignored = Vec::with_capacity(self.raw.ignore.len());
        for name in &self.raw.ignore {
            if columns.iter().any(|column| column.from == name.trim()) {
                let message = format!("`ignore`: `{}` is one of the columns", **name);
                problems.push(self.source.problem(name, message).help("either it is read or it is left alone"));
            }
            if self.raw.schema_change.is_none() {
                let problem = self.source.problem(name, "`ignore`: has no meaning without `schema_change`");
                problems.push(problem.help("columns that are not declared are left alone anyway"));
            }
            ignored.push(name.trim().to_owned());
        }
        ignored
    }

    fn check_moment_format(&self, raw: &RawColumn, problems: &mut Problems) -> MomentFormat {
        let Some(pattern) = &raw.format else { return MomentFormat::iso() };
        if !matches!(raw.column_type, SourceType::Date | SourceType::Timestamp) {
            problems.push(self.source.problem(pattern, "`format`: only dates and timestamps have one"));
        }
        MomentFormat::from_pattern(pattern).unwrap_or_else(|message| {
            let problem = self.source.problem(pattern, format!("`format`: {message}"));
            problems.push(problem.help("for instance `%d.%m.%Y`, `%Y-%m-%d`, `%d.%m.%Y %H:%M:%S`"));
            MomentFormat::iso()
        })
    }

    fn check_rejects(&self, checker: &ValueChecker<'_>, problems: &mut Problems) -> Vec<RejectRule> {
        let mut rules = Vec::with_capacity(self.raw.reject.len());
        for raw in &self.raw.reject {
            if !is_name(&raw.rule) {
                let message = format!("`rule`: `{}` is not a name", *raw.rule);
                problems.push(self.source.problem(&raw.rule, message).help(NAME_HELP));
            }
            if raw.sentence.trim().is_empty() {
                let problem = self.source.problem(&raw.sentence, "`sentence`: is empty");
                problems.push(problem.help("say what is wrong and what to do"));
            }
            let when = checker.expression("when", &raw.when, &[DataType::Boolean], problems);
            rules.extend(when.map(|when| RejectRule {
                rule: raw.rule.value.clone(),
                when,
                sentence: raw.sentence.value.clone(),
            }));
        }
        rules
    }

    /// Reports required contract columns that no event of a rule would have.
    fn check_complete(&self, contract: &Contract, rule: &Spanned<RawEmit>, problems: &mut Problems) {
        for column in contract.columns.iter().filter(|column| column.required) {
            let name = column.name.as_str();
            let given = match name {
                "occurred_at" => true,
                "event" if rule.event.is_some() => true,
                "recorded_at" => self.raw.recorded_at.is_some(),
                _ => self.raw.values.contains_key(name) || rule.values.contains_key(name),
            };
            if !given {
                let message =
                    format!("`emit`: the contract `{}` requires `{name}`, which is not given", contract.table);
                let help = format!("add `{name}` to `values`");
                problems.push(self.source.problem(&rule.at, message).help(help));
            }
        }
    }
}

const NAME_HELP: &str = "lower-case Latin letters, digits and underscores, beginning with a letter";

/// Whether a text may name a pipeline or a column.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|character| matches!(character, 'a'..='z' | '0'..='9' | '_'))
}

fn check_emit(checker: &ValueChecker<'_>, rule: &Spanned<RawEmit>, problems: &mut Problems) -> Option<Emit> {
    let contract = checker.contract;
    if let Some(event) = &rule.event
        && !contract.events().contains(event)
    {
        let message = format!("`event`: the contract `{}` has no event `{}`", contract.table, **event);
        let known = contract.events().iter().map(String::as_str);
        problems.push(checker.source.problem(event, message).suggest(event, known));
    }
    let values = checker.check_all(&rule.values, problems);
    let when = rule.when.as_ref().and_then(|when| checker.expression("when", when, &[DataType::Boolean], problems));
    let at = checker.moment_column("at", &rule.at, problems)?;
    Some(Emit { event: rule.event.as_ref().map(|event| event.value.clone()), at, when, values })
}

/// Places of the columns that feed columns of the contract.
fn feeding(pipeline: &Pipeline, contract: &Contract, fed: impl Fn(&ContractColumn) -> bool) -> Vec<usize> {
    let rules = pipeline.emit.iter().flat_map(|rule| &rule.values);
    let of_fed = pipeline.values.iter().chain(rules);
    let of_fed = of_fed.filter(|mapping| contract.column(&mapping.column).is_some_and(&fed));
    of_fed.flat_map(|mapping| mapping.value.sources(&pipeline.columns)).collect()
}

/// Marks the columns that feed personal columns of the contract.
fn mark_personal(pipeline: &mut Pipeline, contract: &Contract) {
    for place in feeding(pipeline, contract, |column| column.privacy != Privacy::Open) {
        if let Some(column) = pipeline.columns.get_mut(place) {
            column.personal = true;
        }
    }
}

/// Marks the columns whose values cannot be left out, since they feed required columns of the contract.
fn mark_needed(pipeline: &mut Pipeline, contract: &Contract) {
    for place in feeding(pipeline, contract, |column| column.required) {
        if let Some(column) = pipeline.columns.get_mut(place) {
            column.unfit = Unfit::RejectsRow;
        }
    }
}

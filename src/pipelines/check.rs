//! From a declaration as written to a checked pipeline: all problems at once, each at its place.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use chrono_tz::Tz;
use polars::prelude::DataType;

use super::declaration::{RawColumn, RawEmit, RawPipeline, SourceType};
use super::format::{Format, RawFormat};
use super::moment::MomentFormat;
use super::pipeline::{Emit, Pipeline, RejectRule};
use super::quality::check_conditions;
use super::schedule::Schedule;
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
pub(super) struct Checker<'a> {
    pub(super) source: &'a Source,
    pub(super) raw: &'a RawPipeline,
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
        let time_zone = self.check_time_zone(&mut problems);
        let pulled_from = self.check_source(&columns, &format, time_zone, &mut problems);
        let mut pipeline = Pipeline {
            name: raw.pipeline.value.clone(),
            title: raw.title.clone(),
            description: raw.description.value.clone(),
            declared_in: source.path.clone(),
            contract: raw.contract.value.clone(),
            time_zone,
            source: pulled_from,
            quiet: self.check_watch(&mut problems),
            schedule: raw
                .schedule
                .as_ref()
                .and_then(|raw| Schedule::check(source, raw, self.settings.time_zone, &mut problems)),
            format,
            unpack: raw.unpack.check(source, &mut problems),
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
        self.check_cursor_is_open(&pipeline.columns, &mut problems);
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

    /// The format, and whether numbers have a decimal comma.
    fn check_format(&self, problems: &mut Problems) -> (Format, bool) {
        match &self.raw.format {
            Some(format) => (format.check(self.source, &self.raw.columns, problems), format.decimal_comma()),
            None => (self.format_of_source(problems), false),
        }
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
        // A cell of a workbook that is a date is a date, however dates are typed in cells of text.
        let or_iso = matches!(self.raw.format, Some(RawFormat::Xlsx(_)));
        let Some(pattern) = &raw.format else {
            if let Some(first) = &raw.two_digit_years {
                problems.push(self.source.problem(first, "`two_digit_years`: needs a `format` with `%y`"));
            }
            return MomentFormat::iso();
        };
        if !matches!(raw.column_type, SourceType::Date | SourceType::Timestamp) {
            problems.push(self.source.problem(pattern, "`format`: only dates and timestamps have one"));
        }
        let format = MomentFormat::from_pattern(pattern, or_iso).unwrap_or_else(|message| {
            let problem = self.source.problem(pattern, format!("`format`: {message}"));
            problems.push(problem.help("for instance `%d.%m.%Y`, `%Y-%m-%d`, `%d.%m.%Y %H:%M:%S`, `excel`"));
            MomentFormat::iso()
        });
        match (&raw.two_digit_years, format.has_two_digit_years()) {
            (None, true) => {
                let message =
                    format!("`format`: `{}` has years of two digits, whose century nobody can know", **pattern);
                let help =
                    "let the register write four digits, or add `two_digit_years: 1930`, the first year they can mean";
                problems.push(self.source.problem(pattern, message).help(help));
            }
            (Some(first), false) => {
                let message = format!("`two_digit_years`: `{}` has no `%y`", **pattern);
                problems.push(self.source.problem(first, message));
            }
            (Some(first), true) if !(1800..=2100).contains(&first.value) => {
                let message = format!("`two_digit_years`: expected a year from 1800 to 2100, found {}", **first);
                problems.push(self.source.problem(first, message));
            }
            _ => {}
        }
        format.with_century(raw.two_digit_years.as_ref().map(|first| first.value))
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

//! `svod indicators`.

use clap::Args;

use super::query::Format;
use super::{CliError, Place, output};
use crate::dashboards::passport_rows;
use crate::domain::language::Lang;
use crate::domain::table::{Cell, Table, TableColumn};
use crate::indicators::{Indicator, QueryError};
use crate::project::Project;
use crate::reports::{CsvFlavour, write_csv};
use crate::server::IndicatorResponse;

/// Which indicators to tell of.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  svod indicators                                 id, title, unit, entity and dimensions of each
  svod indicators support_rate --lang en          the passport of one
  svod indicators --entity cards --format csv

Only declarations are read, no data.")]
pub(super) struct IndicatorsArguments {
    /// Id of an indicator, for its passport; all indicators if none is named
    #[arg(value_name = "ID", conflicts_with = "entity")]
    id: Option<String>,
    /// Only indicators of one entity
    #[arg(long, value_name = "ENTITY")]
    entity: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Language of names: ru or en
    #[arg(long, default_value_t = Lang::Ru)]
    lang: Lang,
}

/// Prints the catalogue, or the passport of one indicator.
pub(super) fn indicators(place: &Place, arguments: &IndicatorsArguments) -> Result<(), CliError> {
    let project = Project::load(&place.project)?;
    let IndicatorsArguments { id, entity, format, lang } = arguments;
    let catalog = &project.indicators;
    let describe = |indicator: &Indicator| IndicatorResponse::of(&project, indicator, *lang);
    if let Some(id) = id {
        let found = catalog.get(id).ok_or_else(|| CliError::argument(QueryError::unknown_indicator(id, catalog)))?;
        return print_passport(&describe(found), *format, *lang);
    }
    if let Some(entity) = entity.as_ref().filter(|name| catalog.entities().all(|known| known.name() != name.as_str())) {
        let known: Vec<String> = catalog.entities().map(|known| format!("`{}`", known.name())).collect();
        return Err(CliError::argument(format!("there is no entity `{entity}`\nhelp: known: {}", known.join(", "))));
    }
    let is_wanted = |indicator: &&Indicator| entity.as_ref().is_none_or(|name| indicator.entity().name() == name);
    let all: Vec<IndicatorResponse> = catalog.iter().filter(is_wanted).map(describe).collect();
    match format {
        Format::Json => print_json(&all)?,
        Format::Csv => print_csv(&list(&all, *lang)),
        Format::Table => print_for_people(&list(&all, *lang), *lang),
    }
    Ok(())
}

/// A row per indicator.
fn list(all: &[IndicatorResponse], lang: Lang) -> Table {
    let row = |about: &IndicatorResponse| {
        let dimensions: Vec<&str> = about.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
        let passport = &about.passport;
        let cells = [&passport.id, &passport.title, &passport.unit.name, &about.entity, &dimensions.join(", ")];
        cells.map(|text| Cell::from(text.as_str())).into()
    };
    Table {
        title: lang.pick("Показатели", "Indicators").to_owned(),
        subtitle: all.len().to_string(),
        columns: vec![
            TableColumn::text("id", lang.pick("Код", "Id")),
            TableColumn::text("title", lang.pick("Показатель", "Indicator")),
            TableColumn::text("unit", lang.pick("Единица", "Unit")),
            TableColumn::text("entity", lang.pick("Сущность", "Entity")),
            TableColumn::text("dimensions", lang.pick("Разрезы", "Dimensions")),
        ],
        rows: all.iter().map(row).collect(),
    }
}

fn print_passport(about: &IndicatorResponse, format: Format, lang: Lang) -> Result<(), CliError> {
    match format {
        Format::Json => print_json(about)?,
        Format::Csv => print_csv(&passport(about, lang)),
        Format::Table => {
            let table = passport(about, lang);
            output::line(&format!("{} · {}", table.title, table.subtitle));
            table.displayed_rows(lang).for_each(|cells| output::line(&cells.join(": ")));
        }
    }
    Ok(())
}

/// A row per term of the passport, then what a query may name.
fn passport(about: &IndicatorResponse, lang: Lang) -> Table {
    let dimension = |name: &str, title: &str, list: Option<&str>| match list {
        Some(list) => format!("{name} ({title}, {list})"),
        None => format!("{name} ({title})"),
    };
    let dimensions = about.dimensions.iter().map(|one| dimension(&one.name, &one.title, one.list.as_deref()));
    let measures = about.measures.iter().map(|measure| measure.name.clone());
    let of_query = [
        (lang.pick("Сущность", "Entity"), about.entity.clone()),
        (lang.pick("Дата", "Date"), about.time.clone()),
        (lang.pick("Меры", "Measures"), measures.collect::<Vec<_>>().join(", ")),
        (lang.pick("Срезы (--by)", "Cuts (--by)"), dimensions.collect::<Vec<_>>().join(", ")),
        (lang.pick("Обязательный разрез", "Must be cut by"), about.requires.join(", ")),
    ];
    let rows = passport_rows(&about.passport, lang).chain(of_query).filter(|(_, text)| !text.is_empty());
    Table {
        title: about.passport.title.clone(),
        subtitle: about.passport.id.clone(),
        columns: vec![
            TableColumn::text("term", lang.pick("Реквизит", "Term")),
            TableColumn::text("text", lang.pick("Значение", "Text")),
        ],
        rows: rows.map(|(term, text)| vec![Cell::from(term), Cell::from(text.as_str())]).collect(),
    }
}

fn print_json(answer: &impl serde::Serialize) -> Result<(), CliError> {
    output::line(&serde_json::to_string_pretty(answer).map_err(CliError::failed)?);
    Ok(())
}

fn print_csv(table: &Table) {
    output::bytes(write_csv(table, CsvFlavour::Machine).as_bytes());
}

fn print_for_people(table: &Table, lang: Lang) {
    let header: Vec<&str> = table.columns.iter().map(|column| column.title.as_str()).collect();
    output::line(&format!("{} · {}", table.title, table.subtitle));
    output::line(&output::table_with_numbers(&header, table.displayed_rows(lang), |_| false));
}

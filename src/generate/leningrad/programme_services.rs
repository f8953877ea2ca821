//! Services of individual programmes: one row per service with its mark of performance or the waiver of it, Parquet.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use super::super::breakage::{Breakage, Defect};
use super::super::days::Day;
use super::super::dice::Weights;
use super::super::parquet_file::{ParquetFile, date32};
use super::super::report::{FileReport, Tally};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::lists::{MARKS, SERVICE_KINDS};
use super::programmes::for_each_programme;

const FILE: &str = "programme-services.parquet";
const DEFECTS: [Defect; 3] = [Defect::UnknownMunicipality, Defect::MissingNumber, Defect::UnknownCode];
const EVENTS: [&str; 3] = ["service_planned", "service_marked", "waived"];
/// After so many rows a row is written again.
const RESENT_AFTER: usize = 7;

/// One service of a programme.
#[derive(Debug, Clone)]
struct Service {
    programme: Option<String>,
    item: i64,
    municipality: String,
    form: &'static str,
    kind: &'static str,
    planned: Day,
    mark: Option<&'static str>,
    marked: Option<Day>,
    waived: Option<Day>,
}

/// Writes `programme-services.parquet`.
///
/// # Errors
/// [`GenerateError::Write`] or [`GenerateError::Parquet`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::ProgrammeServices);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let kinds = Weights::new(SERVICE_KINDS.map(|kind| kind.1));
    let marks = Weights::new(MARKS.map(|mark| mark.1));
    let mut rows: Vec<Service> = Vec::new();
    let mut resent: Option<(usize, Service)> = None;
    for_each_programme(world, |programme| {
        if programme.defect.is_some() {
            return Ok(());
        }
        let mut number = Vec::new();
        programme.write_number(&mut number);
        let number = String::from_utf8_lossy(&number).into_owned();
        let place = world.territory.municipalities.get(programme.municipality);
        for item in 1..=i64::from(dice.between(1, 4)) {
            let is_waived = dice.chance(45);
            let waived = world.calendar.after(programme.drawn_up, dice.between(1, 120));
            let waived = Some(waived).filter(|day| is_waived && *day <= programme.concluded.unwrap_or(world.to));
            // A programme carried out in full has no service left undone.
            let mark = if programme.is_fully { 0 } else { dice.weighted(&marks) };
            let marked = programme.concluded.filter(|_| waived.is_none());
            let defect = breakage.strike(&mut dice);
            let is = |kind: Defect| defect == Some(kind);
            let code = place.map_or("", |place| place.code.as_str());
            let kind = SERVICE_KINDS[dice.weighted(&kinds)].0;
            let service = Service {
                programme: Some(number.clone()).filter(|_| !is(Defect::MissingNumber)),
                item,
                municipality: if is(Defect::UnknownMunicipality) { "41000999" } else { code }.to_owned(),
                form: programme.form,
                kind: if is(Defect::UnknownCode) { "Социально-правильные" } else { kind },
                planned: programme.drawn_up,
                mark: marked.map(|_| MARKS[mark].0),
                marked,
                waived,
            };
            rows.push(service.clone());
            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            for (event, day) in [Some(service.planned), marked, waived].into_iter().enumerate() {
                if let Some(day) = day {
                    tally.add_event(programme.municipality, event, day);
                    tally.add_features(event, &[("kind", kind), ("form", programme.form)]);
                }
            }
            if marked.is_some() {
                tally.add_features(1, &[("mark", MARKS[mark].0)]);
            }
            if let Some((_, again)) = resent.take_if(|(place, _)| *place <= rows.len()) {
                rows.push(again);
                tally.duplicate += 1;
            }
            if resent.is_none() && dice.chance(20) {
                resent = Some((rows.len() + RESENT_AFTER, service));
            }
        }
        Ok(())
    })?;
    let schema = Arc::new(Schema::new(vec![
        Field::new("programme", DataType::Utf8, true),
        Field::new("item", DataType::Int64, true),
        Field::new("oktmo", DataType::Utf8, true),
        Field::new("form", DataType::Utf8, true),
        Field::new("kind", DataType::Utf8, true),
        Field::new("planned", DataType::Date32, true),
        Field::new("mark", DataType::Utf8, true),
        Field::new("marked", DataType::Date32, true),
        Field::new("waived", DataType::Date32, true),
    ]));
    let mut file = ParquetFile::create(&world.options.out.join(FILE), &schema)?;
    for rows in rows.chunks(ParquetFile::ROWS_PER_GROUP) {
        let dates = |day: fn(&Service) -> Option<Day>| -> ArrayRef {
            Arc::new(rows.iter().map(|row| day(row).map(|day| date32(&world.calendar, day))).collect::<Date32Array>())
        };
        let columns: [ArrayRef; 9] = [
            Arc::new(rows.iter().map(|row| row.programme.as_deref()).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.item)).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| Some(row.municipality.as_str())).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.form)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.kind)).collect::<StringArray>()),
            dates(|row| Some(row.planned)),
            Arc::new(rows.iter().map(|row| row.mark).collect::<StringArray>()),
            dates(|row| row.marked),
            dates(|row| row.waived),
        ];
        file.append(&columns)?;
    }
    let files = [(FILE.to_owned(), FileReport { rows: rows.len() as u64, bytes: file.finish()? })].into();
    Ok(tally.report("leningrad_programme_services", files, &world.territory, &world.calendar))
}

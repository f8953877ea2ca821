//! Debts of families as the passports show them: one row per debt, Parquet.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use super::super::breakage::{Breakage, Defect};
use super::super::days::Day;
use super::super::dice::Weights;
use super::super::parquet_file::{ParquetFile, date32};
use super::super::people::Person;
use super::super::report::{FileReport, Tally};
use super::super::text::push_number;
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::lists::DEBTS;

/// Debts for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 34;
const FILE: &str = "debts.parquet";
const DEFECTS: [Defect; 3] = [Defect::UnknownMunicipality, Defect::MissingNumber, Defect::UnknownCode];
const EVENTS: [&str; 3] = ["recorded", "restructured", "settled"];
/// Days from the record of a debt until it is settled.
const SETTLED: [u16; 21] =
    [8, 15, 22, 30, 38, 47, 56, 66, 77, 89, 102, 116, 131, 148, 167, 189, 215, 248, 296, 380, 560];
/// After so many rows a row is written again.
const RESENT_AFTER: usize = 6;

/// One debt.
#[derive(Debug, Clone)]
struct Debt {
    number: Option<String>,
    municipality: String,
    person: String,
    kind: &'static str,
    kopecks: u64,
    recorded: Day,
    restructured: Option<Day>,
    settled: Option<Day>,
}

/// Writes `debts.parquet`.
///
/// # Errors
/// [`GenerateError::Write`] or [`GenerateError::Parquet`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Debts);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let kinds = Weights::new(DEBTS.map(|debt| debt.1));
    let n_debts = world.options.events * PER_THOUSAND_EVENTS / 1_000;
    let mut rows: Vec<Debt> = Vec::new();
    let mut resent: Option<(usize, Debt)> = None;
    let mut number = 0;
    for load in world.loads(n_debts, &mut dice) {
        for _ in 0..load.n_rows {
            number += 1;
            let municipality = world.territory.pick(&mut dice);
            let person = Person::pick(&world.territory, municipality, n_debts * 12 + 50, &mut dice);
            let (kind, _, (from, to)) = DEBTS[dice.weighted(&kinds)];
            let kopecks = u64::from(dice.between(from, to)) * 100 + u64::from(dice.below(100));
            let known = |day: Day| Some(day).filter(|day| *day <= world.to);
            let recorded = world.calendar.after(load.day, 0).min(world.to);
            let is_restructured = dice.chance(220);
            let restructured = known(world.calendar.after(recorded, dice.between(3, 40))).filter(|_| is_restructured);
            let settled = world.calendar.after(recorded + dice.quantile(&SETTLED), 0);
            let is_settled = dice.chance(580);
            let settled = known(settled.max(restructured.map_or(0, |day| day + 1))).filter(|_| is_settled);
            let defect = breakage.strike(&mut dice);
            let is = |kind: Defect| defect == Some(kind);
            let written = |write: &dyn Fn(&mut Vec<u8>)| {
                let mut bytes = Vec::new();
                write(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            };
            let code = world.territory.municipalities.get(municipality).map_or("", |place| place.code.as_str());
            let debt = Debt {
                number: (!is(Defect::MissingNumber)).then(|| {
                    written(&|into| {
                        into.extend_from_slice("63-Д-".as_bytes());
                        push_number(into, number, 6);
                    })
                }),
                municipality: if is(Defect::UnknownMunicipality) { "36999000" } else { code }.to_owned(),
                person: written(&|into| person.write_number(into)),
                kind: if is(Defect::UnknownCode) { "Прочее" } else { kind },
                kopecks,
                recorded,
                restructured,
                settled,
            };
            rows.push(debt.clone());
            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            tally.add_person(person.key());
            for (event, day) in [Some(recorded), restructured, settled].into_iter().enumerate() {
                if let Some(day) = day {
                    tally.add_event(municipality, event, day);
                    tally.add_features(event, &[("kind", kind)]);
                }
            }
            tally.add_kopecks(0, kopecks);
            if let Some((_, again)) = resent.take_if(|(place, _)| *place <= rows.len()) {
                rows.push(again);
                tally.duplicate += 1;
            }
            if resent.is_none() && dice.chance(20) {
                resent = Some((rows.len() + RESENT_AFTER, debt));
            }
        }
    }
    let bytes = write_file(world, &rows)?;
    let files = [(FILE.to_owned(), FileReport { rows: rows.len() as u64, bytes })].into();
    Ok(tally.report("samara_debts", files, &world.territory, &world.calendar))
}

fn write_file(world: &World<'_>, rows: &[Debt]) -> Result<u64, GenerateError> {
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    let schema = Arc::new(Schema::new(vec![
        field("debt", DataType::Utf8),
        field("oktmo", DataType::Utf8),
        field("person", DataType::Utf8),
        field("kind", DataType::Utf8),
        field("amount", DataType::Float64),
        field("recorded", DataType::Date32),
        field("restructured", DataType::Date32),
        field("settled", DataType::Date32),
    ]));
    let mut file = ParquetFile::create(&world.options.out.join(FILE), &schema)?;
    for rows in rows.chunks(ParquetFile::ROWS_PER_GROUP) {
        let dates = |day: fn(&Debt) -> Option<Day>| -> ArrayRef {
            Arc::new(rows.iter().map(|row| day(row).map(|day| date32(&world.calendar, day))).collect::<Date32Array>())
        };
        #[expect(clippy::cast_precision_loss, reason = "sums are far below 2⁵³ kopecks")]
        let amounts = rows.iter().map(|row| Some(row.kopecks as f64 / 100.0)).collect::<Float64Array>();
        let columns: [ArrayRef; 8] = [
            Arc::new(rows.iter().map(|row| row.number.as_deref()).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.municipality.as_str())).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.person.as_str())).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.kind)).collect::<StringArray>()),
            Arc::new(amounts),
            dates(|row| Some(row.recorded)),
            dates(|row| row.restructured),
            dates(|row| row.settled),
        ];
        file.append(&columns)?;
    }
    file.finish()
}

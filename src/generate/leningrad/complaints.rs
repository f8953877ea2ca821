//! Complaints about the way a service was rendered: one line per complaint, dates only.

use super::super::breakage::{Breakage, Defect};
use super::super::dice::Weights;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{push_dotted, push_number};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::csv_line::{CsvLine, Encoding, LINE_END, header};
use super::lists::{NUMBERS, SUBJECTS};

/// Complaints for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 28;
const COLUMNS: &str = "N жалобы;Дата регистрации;ОКТМО;Способ;Предмет;Дата решения;Решение;Дата ответа";
const DEFECTS: [Defect; 4] =
    [Defect::ImpossibleDate, Defect::UnknownMunicipality, Defect::MissingNumber, Defect::UnknownCode];
const EVENTS: [&str; 3] = ["registered", "decided", "answered"];
/// Working days until the decision; the limit is 15, or 5 for subjects 4 and 7.
const DECIDED: [u16; 21] = [2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 11, 12, 12, 13, 13, 14, 14, 15, 15, 18, 30];

/// Writes `complaints.csv`.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Complaints);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Utf8), LINE_END);
    let subjects = Weights::new(SUBJECTS);
    let mut line = CsvLine::default();
    let mut number = 0;
    for load in world.loads(world.options.events * PER_THOUSAND_EVENTS / 1_000, &mut dice) {
        for arrival in world.arrivals(load, &mut dice) {
            number += 1;
            let municipality = world.territory.pick(&mut dice);
            let subject = dice.weighted(&subjects) + 1;
            let quicker = if matches!(subject, 4 | 7) { 3 } else { 1 };
            let lag = dice.quantile(&DECIDED) * world.slowing(load.day) / 1_000 / quicker;
            let decided = Some(world.calendar.after(load.day, lag.max(1))).filter(|day| *day <= world.to);
            let answered = decided.map(|day| day + 1).filter(|day| !dice.chance(60) && *day <= world.to);
            let decision = if dice.chance(310) {
                "Удовлетворена"
            } else {
                "Отказано в удовлетворении"
            };
            let way = if arrival.through_portal { "4" } else { dice.one_of(&["1", "1", "2", "3"]).unwrap_or("1") };
            let defect = breakage.strike(&mut dice);
            let is = |kind: Defect| defect == Some(kind);

            let row = line.start();
            row.ascii(|into| {
                if !is(Defect::MissingNumber) {
                    into.extend_from_slice(b"J-");
                    push_number(into, number, 5);
                }
            });
            if is(Defect::ImpossibleDate) {
                row.field("29.02.2025");
            } else {
                row.ascii(|into| push_dotted(into, &world.calendar, load.day));
            }
            let code = world.territory.municipalities.get(municipality).map_or("", |place| place.code.as_str());
            row.field(if is(Defect::UnknownMunicipality) { "4161500" } else { code });
            row.field(way).field(&if is(Defect::UnknownCode) { "9".to_owned() } else { subject.to_string() });
            match decided {
                Some(day) => {
                    row.ascii(|into| push_dotted(into, &world.calendar, day));
                    row.field(decision);
                }
                None => {
                    row.field("").field("");
                }
            }
            row.ascii(|into| {
                if let Some(day) = answered {
                    push_dotted(into, &world.calendar, day);
                }
            });
            let bytes = row.end(Encoding::Utf8, defect);
            sink.put("complaints.csv", &bytes)?;

            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            for (event, day) in [Some(load.day), decided, answered].into_iter().enumerate() {
                if let Some(day) = day {
                    tally.add_event(municipality, event, day);
                    tally.add_features(event, &[("subject", NUMBERS[subject - 1]), ("way", way)]);
                }
            }
            if decided.is_some() {
                tally.add_features(1, &[("decision", decision)]);
            }
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("leningrad_complaints", files, &world.territory, &world.calendar))
}

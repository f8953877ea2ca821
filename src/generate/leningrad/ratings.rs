//! Ratings of services: one line per visit that was measured or rated through the portal or a multifunctional centre.

use super::super::breakage::{Breakage, Defect};
use super::super::dice::Weights;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{push_dotted, push_number};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::csv_line::{CsvLine, Encoding, LINE_END, header};
use super::lists::RATED_SERVICES;

/// Ratings for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 140;
const FILE: &str = "ratings.csv";
const COLUMNS: &str =
    "N;Дата;ОКТМО;Способ;Услуга;Обращений при подаче;Обращений при получении;Ожидание в очереди, мин;Оценка";
const DEFECTS: [Defect; 4] =
    [Defect::ImpossibleDate, Defect::UnknownMunicipality, Defect::MissingNumber, Defect::UnknownCode];
const EVENTS: [&str; 1] = ["rated"];
/// Minutes in the queue; the limit is 15.
const QUEUE: [u16; 21] = [0, 1, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 22, 55];

/// Writes `ratings.csv`.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Ratings);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Utf8), LINE_END);
    let services = Weights::new(RATED_SERVICES.map(|(_, weight)| weight));
    let mut line = CsvLine::default();
    let mut number = 0;
    for load in world.loads(world.options.events * PER_THOUSAND_EVENTS / 1_000, &mut dice) {
        for arrival in world.arrivals(load, &mut dice) {
            number += 1;
            let municipality = world.territory.pick(&mut dice);
            let service = RATED_SERVICES[dice.weighted(&services)].0;
            let is_portal = arrival.through_portal;
            let way = if is_portal { "4" } else { dice.one_of(&["1", "1", "3", "3", "3"]).unwrap_or("3") };
            // Nobody queues before a portal. Who comes in person may be sent away for a paper.
            let to_apply = if is_portal { u32::from(dice.chance(120)) } else { 1 + u32::from(dice.chance(170)) };
            let to_receive = if dice.chance(930) { 1 } else { 2 };
            let queue = dice.quantile(&QUEUE);
            let stars = [1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5];
            let rating = dice.one_of(&stars).filter(|_| dice.chance(540));
            let defect = breakage.strike(&mut dice);
            let is = |kind: Defect| defect == Some(kind);

            let row = line.start();
            row.ascii(|into| {
                if !is(Defect::MissingNumber) {
                    into.extend_from_slice(b"Q-");
                    push_number(into, number, 6);
                }
            });
            if is(Defect::ImpossibleDate) {
                row.field("31.06.2025");
            } else {
                row.ascii(|into| push_dotted(into, &world.calendar, load.day));
            }
            let code = world.territory.municipalities.get(municipality).map_or("", |place| place.code.as_str());
            row.field(if is(Defect::UnknownMunicipality) { "416150" } else { code }).field(way);
            row.field(if is(Defect::UnknownCode) { "visa" } else { service });
            row.field(&to_apply.to_string()).field(&to_receive.to_string());
            row.field(&if is_portal { String::new() } else { queue.to_string() });
            row.field(&rating.map_or_else(String::new, |stars: u32| stars.to_string()));
            let bytes = row.end(Encoding::Utf8, defect);
            sink.put(FILE, &bytes)?;
            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            tally.add_event(municipality, 0, load.day);
            tally.add_features(0, &[("service", service), ("way", way)]);
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("leningrad_ratings", files, &world.territory, &world.calendar))
}

//! The journal of interagency requests: one line per request, dates only, numbered by year.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Day;
use super::super::dice::Weights;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{push_dotted, push_number};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::csv_line::{CsvLine, Encoding, LINE_END, header};
use super::lists::{ORGANISATIONS, SOCIAL_CATEGORIES};

/// Requests for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 138;
const COLUMNS: &str = "N;Дата обращения;ФИО;Социальная категория;Запрос;Организация;Дата направления;Дата ответа;\
                       Дата передачи;Примечание;ОКТМО";
const DEFECTS: [Defect; 6] = [
    Defect::ImpossibleDate,
    Defect::UnknownMunicipality,
    Defect::MissingNumber,
    Defect::UnknownCode,
    Defect::RaggedLine,
    Defect::StrayQuote,
];
const EVENTS: [&str; 3] = ["sent", "answered", "passed_on"];
/// Working days until the answer; three are allowed.
const ANSWERED: [u16; 21] = [1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 5, 6, 7, 9, 14, 32];

/// Writes `requests-2025.csv`, one file per year.
///
/// # Errors
/// [`GenerateError::Write`] if a file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Requests);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Windows1251), LINE_END);
    let organisations = Weights::new(ORGANISATIONS.map(|(_, _, weight, _)| weight));
    let categories = Weights::new(SOCIAL_CATEGORIES.map(|(_, weight)| weight));
    let mut line = CsvLine::default();
    let (mut year, mut number) = (0, 0);
    for load in world.loads(world.options.events * PER_THOUSAND_EVENTS / 1_000, &mut dice) {
        let year_of_load = chrono::Datelike::year(&world.calendar.date(load.day));
        if year_of_load != year {
            (year, number) = (year_of_load, 0);
        }
        let file = format!("requests-{year}.csv");
        for _ in 0..load.n_rows {
            number += 1;
            let municipality = world.territory.pick(&mut dice);
            let (organisation, asked, _, pace) = ORGANISATIONS[dice.weighted(&organisations)];
            let sent = world.calendar.after(load.day, dice.below(2)).min(world.to);
            let lag = dice.quantile(&ANSWERED) * pace * world.slowing(load.day) / 1_000_000;
            let is_paper = dice.chance(140);
            let answered = world.calendar.after(sent, lag.max(1) + if is_paper { 4 } else { 0 });
            let answered = Some(answered).filter(|day| !dice.chance(30) && *day <= world.to);
            let passed_on = answered.map(|day| world.calendar.after(day, dice.below(3)));
            let passed_on = passed_on.filter(|day| *day <= world.to);
            let category = SOCIAL_CATEGORIES[dice.weighted(&categories)].0;
            let defect = breakage.strike(&mut dice);
            let is = |kind: Defect| defect == Some(kind);

            let row = line.start();
            let date = |into: &mut CsvLine, day: Option<Day>| match day {
                Some(day) => {
                    into.ascii(|into| push_dotted(into, &world.calendar, day));
                }
                None => {
                    into.field("");
                }
            };
            if is(Defect::MissingNumber) {
                row.field("");
            } else {
                row.ascii(|into| push_number(into, number, 1));
            }
            date(row, Some(load.day));
            row.field("[скрыто]").field(category).field(asked);
            row.field(if is(Defect::UnknownCode) { "Росреестр" } else { organisation });
            if is(Defect::ImpossibleDate) {
                row.field(&format!("{year}-32-01"));
            } else {
                date(row, Some(sent));
            }
            date(row, answered);
            date(row, passed_on);
            row.field(if is_paper { "на бумаге" } else { "СМЭВ" });
            let code = world.territory.municipalities.get(municipality).map_or("", |place| place.code.as_str());
            row.field(if is(Defect::UnknownMunicipality) { "41000001" } else { code });
            let bytes = row.end(Encoding::Windows1251, defect);
            sink.put(&file, &bytes)?;

            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            for (event, day) in [Some(sent), answered, passed_on].into_iter().enumerate() {
                if let Some(day) = day {
                    tally.add_event(municipality, event, day);
                    tally.add_features(event, &[("organisation", organisation)]);
                }
            }
            if dice.chance(20) {
                sink.put_late(bytes, dice.between(2, 60));
                tally.duplicate += 1;
            }
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("leningrad_requests", files, &world.territory, &world.calendar))
}

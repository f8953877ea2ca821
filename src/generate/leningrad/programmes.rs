//! Individual programmes of social services (ИППСУ): one line per programme, dates only.

use super::super::breakage::{Breakage, Defect};
use super::super::dice::Weights;
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{push_dotted, push_number};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::csv_line::{CsvLine, Encoding, LINE_END, header};
use super::lists::FORMS;

/// Programmes for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 230;
const COLUMNS: &str = "Номер ИППСУ;ОКТМО;СНИЛС;Форма;Дата составления;Дата подписания;Дата вручения;Действует до;\
                       Дата заключения;Заключение";
const DEFECTS: [Defect; 5] = [
    Defect::ImpossibleDate,
    Defect::UnknownMunicipality,
    Defect::MissingNumber,
    Defect::UnknownCode,
    Defect::AlienBytes,
];
const EVENTS: [&str; 4] = ["drawn_up", "ready", "handed_over", "concluded"];
/// Working days from signing until the person comes for the programme.
const HANDED_OVER: [u16; 21] = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 5, 6, 8, 13, 30];

/// Writes `programmes-2025.csv`, one file per year.
///
/// # Errors
/// [`GenerateError::Write`] if a file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Programmes);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Utf8), LINE_END);
    // Urgent services have no programme.
    let forms = Weights::new(FORMS.iter().take(3).map(|(_, weight)| *weight));
    let n_programmes = world.options.events * PER_THOUSAND_EVENTS / 1_000;
    let mut line = CsvLine::default();
    let mut number = 0;
    for load in world.loads(n_programmes, &mut dice) {
        let year = chrono::Datelike::year(&world.calendar.date(load.day));
        for _ in 0..load.n_rows {
            number += 1;
            let municipality = world.territory.pick(&mut dice);
            let pace = world.territory.municipalities.get(municipality).map_or(1_000, |place| place.pace);
            let known = |day| Some(day).filter(|day| *day <= world.to);
            let drawn_up = world.calendar.after(load.day, 0).min(world.to);
            let ready = known(world.calendar.after(drawn_up, 1 + dice.below(3) * pace / 1_000));
            let lag = dice.quantile(&HANDED_OVER) * pace / 1_000;
            let handed_over = ready.and_then(|day| known(world.calendar.after(day, lag)));
            let until = drawn_up + dice.one_of(&[182, 365, 365, 1_096]).unwrap_or(365);
            let concluded = handed_over.and_then(|_| known(world.calendar.after(until, dice.below(8))));
            let is_fully = dice.chance(720);
            let form = FORMS[dice.weighted(&forms)].0;
            let person = Person::pick(&world.territory, municipality, n_programmes * 6 / 5 + 50, &mut dice);
            let defect = breakage.strike(&mut dice);
            let is = |kind: Defect| defect == Some(kind);

            let row = line.start();
            row.ascii(|into| {
                if !is(Defect::MissingNumber) {
                    into.extend_from_slice(b"47-");
                    push_number(into, u64::from(year.unsigned_abs()), 4);
                    into.push(b'-');
                    push_number(into, number, 6);
                }
            });
            let code = world.territory.municipalities.get(municipality).map_or("", |place| place.code.as_str());
            row.field(match defect {
                Some(Defect::UnknownMunicipality) => "Луга",
                Some(Defect::AlienBytes) => "41\u{fffd}6000",
                _ => code,
            });
            row.ascii(|into| person.write_number(into));
            row.field(if is(Defect::UnknownCode) { "Дистанционная" } else { form });
            if is(Defect::ImpossibleDate) {
                row.field("00.00.0000");
            } else {
                row.ascii(|into| push_dotted(into, &world.calendar, drawn_up));
            }
            for day in [ready, handed_over, Some(until), concluded] {
                row.ascii(|into| {
                    if let Some(day) = day {
                        push_dotted(into, &world.calendar, day);
                    }
                });
            }
            row.field(match concluded {
                Some(_) if is_fully => "полностью",
                Some(_) => "не полностью",
                None => "",
            });
            let bytes = row.end(Encoding::Utf8, defect);
            sink.put(&format!("programmes-{year}.csv"), &bytes)?;

            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            tally.add_person(person.key());
            for (event, day) in [Some(drawn_up), ready, handed_over, concluded].into_iter().enumerate() {
                if let Some(day) = day {
                    tally.add_event(municipality, event, day);
                }
            }
            if dice.chance(20) {
                sink.put_late(bytes, dice.between(2, 60));
                tally.duplicate += 1;
            }
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("leningrad_programmes", files, &world.territory, &world.calendar))
}

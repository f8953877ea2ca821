//! Individual programmes of social services (ИППСУ): one line per programme, dates only.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Day;
use super::super::dice::{Dice, Weights};
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
const COLUMNS: &str = "Номер ИППСУ;ОКТМО;СНИЛС;Форма;Дата заявления;Дата составления;Дата подписания;Дата вручения;Действует до;\
                       Дата заключения;Заключение";
const DEFECTS: [Defect; 5] = [
    Defect::ImpossibleDate,
    Defect::UnknownMunicipality,
    Defect::MissingNumber,
    Defect::UnknownCode,
    Defect::AlienBytes,
];
const EVENTS: [&str; 5] = ["drawn_up", "ready", "handed_over", "concluded", "applied"];
/// Stream of the choices about applications, apart from those of the programmes.
const ASIDE: u64 = 2 << 32;
/// Working days from signing until the person comes for the programme.
const HANDED_OVER: [u16; 21] = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 5, 6, 8, 13, 30];

/// One programme.
#[derive(Debug, Clone, Copy)]
pub(super) struct Programme {
    year: i32,
    number: u64,
    pub(super) municipality: usize,
    person: Person,
    /// Name of the form of service.
    pub(super) form: &'static str,
    /// When the application that it follows from was registered.
    applied: Day,
    pub(super) drawn_up: Day,
    ready: Option<Day>,
    handed_over: Option<Day>,
    until: Day,
    pub(super) concluded: Option<Day>,
    pub(super) is_fully: bool,
    /// What is wrong with its line, so that nothing else speaks of it.
    pub(super) defect: Option<Defect>,
    /// After how many rows its line comes a second time, if it does.
    resent_after: Option<u32>,
}

impl Programme {
    /// Writes the number as in `47-2025-000123`.
    pub(super) fn write_number(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(b"47-");
        push_number(into, u64::from(self.year.unsigned_abs()), 4);
        into.push(b'-');
        push_number(into, self.number, 6);
    }

    /// How its conclusion reads, when it comes.
    fn conclusion(&self) -> &'static str {
        if self.is_fully { "полностью" } else { "не полностью" }
    }
}

/// Hands every programme of a run to `take`, in order of time; the choices are always the same.
///
/// # Errors
/// Whatever `take` raises.
pub(super) fn for_each_programme(
    world: &World<'_>,
    mut take: impl FnMut(Programme) -> Result<(), GenerateError>,
) -> Result<(), GenerateError> {
    let mut dice = world.dice(Register::Programmes);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    // Urgent services have no programme.
    let forms = Weights::new(FORMS.iter().take(3).map(|(_, weight)| *weight));
    let n_programmes = world.options.events * PER_THOUSAND_EVENTS / 1_000;
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
            let is_resent = defect.is_none() && dice.chance(20);
            let resent_after = is_resent.then(|| dice.between(2, 60));
            take(Programme {
                year,
                number,
                municipality,
                person,
                form,
                applied: drawn_up.saturating_sub(Dice::new(world.options.seed, ASIDE + number).between(2, 9)),
                drawn_up,
                ready,
                handed_over,
                until,
                concluded,
                is_fully,
                defect,
                resent_after,
            })?;
        }
    }
    Ok(())
}

/// Writes `programmes-2025.csv`, one file per year.
///
/// # Errors
/// [`GenerateError::Write`] if a file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Utf8), LINE_END);
    let mut line = CsvLine::default();
    for_each_programme(world, |programme| {
        let bytes = write_line(&mut line, world, &programme);
        sink.put(&format!("programmes-{}.csv", programme.year), &bytes)?;
        if let Some(defect) = programme.defect {
            tally.add_broken(defect);
            return Ok(());
        }
        tally.add_person(programme.person.key());
        let Programme { applied, drawn_up, ready, handed_over, concluded, .. } = programme;
        for (event, day) in [Some(drawn_up), ready, handed_over, concluded, Some(applied)].into_iter().enumerate() {
            if let Some(day) = day {
                tally.add_event(programme.municipality, event, day);
                tally.add_features(event, &[("form", programme.form)]);
            }
        }
        if concluded.is_some() {
            tally.add_features(3, &[("conclusion", programme.conclusion())]);
        }
        if let Some(n_rows_later) = programme.resent_after {
            sink.put_late(bytes, n_rows_later);
            tally.duplicate += 1;
        }
        Ok(())
    })?;
    let files = sink.finish()?;
    Ok(tally.report("leningrad_programmes", files, &world.territory, &world.calendar))
}

fn write_line(line: &mut CsvLine, world: &World<'_>, of: &Programme) -> Vec<u8> {
    let is = |kind: Defect| of.defect == Some(kind);
    let row = line.start();
    row.ascii(|into| {
        if !is(Defect::MissingNumber) {
            of.write_number(into);
        }
    });
    let code = world.territory.municipalities.get(of.municipality).map_or("", |place| place.code.as_str());
    row.field(match of.defect {
        Some(Defect::UnknownMunicipality) => "Луга",
        Some(Defect::AlienBytes) => "41\u{fffd}6000",
        _ => code,
    });
    row.ascii(|into| of.person.write_number(into));
    row.field(if is(Defect::UnknownCode) { "Дистанционная" } else { of.form });
    row.ascii(|into| push_dotted(into, &world.calendar, of.applied));
    if is(Defect::ImpossibleDate) {
        row.field("00.00.0000");
    } else {
        row.ascii(|into| push_dotted(into, &world.calendar, of.drawn_up));
    }
    for day in [of.ready, of.handed_over, Some(of.until), of.concluded] {
        row.ascii(|into| {
            if let Some(day) = day {
                push_dotted(into, &world.calendar, day);
            }
        });
    }
    row.field(match of.concluded {
        Some(_) => of.conclusion(),
        None => "",
    });
    row.end(Encoding::Utf8, of.defect)
}

//! Electronic cases of the interagency system: one line per case with its invitation and what came of it, cp866.

use super::super::breakage::{Breakage, Defect};
use super::super::days::{Day, Moment};
use super::super::dice::Dice;
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{push_clock, push_dotted, push_number};
use super::super::world::{Arrival, World};
use super::super::{GenerateError, Register, RegisterReport};
use super::csv_line::{CsvLine, Encoding, LINE_END, header};

/// Cases for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 110;
const COLUMNS: &str = "Номер дела;Зарегистрировано;ОКТМО;СНИЛС;УКЭП;Статус;Номер приглашения;Приглашен;Дата приема;Прием окончен;В архиве";
const DEFECTS: [Defect; 5] = [
    Defect::ImpossibleDate,
    Defect::UnknownMunicipality,
    Defect::MissingNumber,
    Defect::RaggedLine,
    Defect::StrayQuote,
];
const EVENTS: [&str; 4] = ["filed", "invited", "received", "archived"];
/// Working days from the invitation to the appointment.
const APPOINTED: [u16; 21] = [1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7, 8, 9, 10, 12, 15];
/// A case is kept so many calendar days after the appointment.
const KEPT_DAYS: Day = 30;

/// One electronic case.
#[derive(Debug, Clone, Copy)]
struct Case {
    number: u64,
    municipality: usize,
    person: Person,
    filed: Moment,
    is_signed: bool,
    invited: Option<Day>,
    appointment: Option<Day>,
    received: Option<Day>,
    archived: Option<Day>,
}

/// Writes `electronic-cases.csv`.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::ElectronicCases);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Cp866), LINE_END);
    let n_cases = world.options.events * PER_THOUSAND_EVENTS / 1_000;
    let mut line = CsvLine::default();
    let mut number = 0;
    for load in world.loads(n_cases, &mut dice) {
        for arrival in world.arrivals(load, &mut dice) {
            number += 1;
            let case = make(world, (number, n_cases), arrival, &mut dice);
            let defect = breakage.strike(&mut dice);
            let bytes = write_line(&mut line, world, &case, defect);
            sink.put("electronic-cases.csv", &bytes)?;
            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            tally.add_person(case.person.key());
            let days = [Some(case.filed.day), case.invited, case.received, case.archived];
            for (event, day) in days.into_iter().enumerate() {
                if let Some(day) = day {
                    tally.add_event(case.municipality, event, day);
                }
            }
            if dice.chance(20) {
                sink.put_late(bytes, dice.between(2, 40));
                tally.duplicate += 1;
            }
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("leningrad_electronic_cases", files, &world.territory, &world.calendar))
}

fn make(world: &World<'_>, (number, n_cases): (u64, u64), arrival: Arrival, dice: &mut Dice) -> Case {
    let calendar = &world.calendar;
    let municipality = world.territory.pick(dice);
    let person = Person::pick(&world.territory, municipality, n_cases * 4 + 50, dice);
    let known = |day: Day| Some(day).filter(|day| *day <= world.to);
    let filed = arrival.at;
    // Whoever signed with a qualified signature has no need to come.
    let is_signed = dice.chance(240);
    let invited = calendar.after(filed.day, dice.below(3));
    let appointment = calendar.after(invited, dice.quantile(&APPOINTED));
    // Most come on the day, some a little later, some never.
    let (is_late, lateness, never) = (dice.chance(130), dice.between(1, 18), dice.chance(115));
    let visit = if is_late { calendar.after(appointment, lateness) } else { appointment };
    let mut case = Case {
        number,
        municipality,
        person,
        filed,
        is_signed,
        invited: None,
        appointment: None,
        received: None,
        archived: None,
    };
    if is_signed {
        case.archived = known(calendar.after(filed.day, dice.between(3, 12)));
        return case;
    }
    case.invited = known(invited);
    case.appointment = case.invited.map(|_| appointment);
    if never {
        case.archived = known(calendar.after(appointment + KEPT_DAYS + 1, 0));
    } else {
        case.received = known(visit);
        case.archived = known(calendar.after(visit, dice.between(3, 12)));
    }
    case
}

fn write_line(line: &mut CsvLine, world: &World<'_>, of: &Case, defect: Option<Defect>) -> Vec<u8> {
    let is = |kind: Defect| defect == Some(kind);
    let row = line.start();
    row.ascii(|into| {
        if !is(Defect::MissingNumber) {
            into.extend_from_slice(b"47-M-");
            push_number(into, of.number, 6);
        }
    });
    if is(Defect::ImpossibleDate) {
        row.field("31.06.2025 09:30:00");
    } else {
        row.ascii(|into| {
            push_dotted(into, &world.calendar, of.filed.day);
            into.push(b' ');
            push_clock(into, of.filed.second);
        });
    }
    let code = world.territory.municipalities.get(of.municipality).map_or("", |place| place.code.as_str());
    row.field(if is(Defect::UnknownMunicipality) { "41" } else { code });
    row.ascii(|into| of.person.write_number(into));
    row.field(if of.is_signed { "да" } else { "нет" });
    row.field(match (of.archived, of.received, of.invited) {
        (Some(_), _, _) => "архив",
        (None, Some(_), _) => "Прием заявителя окончен",
        (None, None, Some(_)) => "Заявитель приглашен на прием",
        (None, None, None) => "Зарегистрировано",
    });
    row.ascii(|into| {
        if of.invited.is_some() {
            into.push(b'P');
            push_number(into, of.number, 6);
        }
    });
    for day in [of.invited, of.appointment, of.received, of.archived] {
        row.ascii(|into| {
            if let Some(day) = day {
                push_dotted(into, &world.calendar, day);
            }
        });
    }
    row.end(Encoding::Cp866, defect)
}

//! Leaves of participants: one line per leave with its days, as the passport shows it.

use super::super::breakage::{Breakage, Defect};
use super::super::days::{Day, Moment};
use super::super::dice::Dice;
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{JsonLine, push_moment, push_number};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};

/// Leaves for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 12;
const FILE: &str = "leaves.ndjson";
const DEFECTS: [Defect; 4] =
    [Defect::ImpossibleDate, Defect::UnknownMunicipality, Defect::MissingNumber, Defect::CutLine];
const EVENTS: [&str; 3] = ["recorded", "ended", "cancelled"];

/// One leave.
#[derive(Debug, Clone, Copy)]
struct Leave {
    number: u64,
    municipality: usize,
    person: Person,
    recorded: Moment,
    from: Day,
    /// Last day of the leave.
    until: Day,
    ended: Option<Day>,
    cancelled: Option<Moment>,
}

/// Writes `leaves.ndjson`.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Leaves);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, Vec::new(), b"\n");
    let n_leaves = world.options.events * PER_THOUSAND_EVENTS / 1_000;
    let mut line = Vec::new();
    let mut number = 0;
    for load in world.loads(n_leaves, &mut dice) {
        for arrival in world.arrivals(load, &mut dice) {
            number += 1;
            let leave = make(world, (number, n_leaves), arrival.at, &mut dice);
            let defect = breakage.strike(&mut dice);
            write_line(&mut line, world, &leave, defect);
            sink.put(FILE, &line)?;
            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            tally.add_person(leave.person.key());
            let days = [Some(leave.recorded.day), leave.ended, leave.cancelled.map(|at| at.day)];
            for (event, day) in days.into_iter().enumerate() {
                if let Some(day) = day {
                    tally.add_event(leave.municipality, event, day);
                }
            }
            if dice.chance(20) {
                sink.put_late(line.clone(), dice.between(2, 20));
                tally.duplicate += 1;
            }
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("samara_leaves", files, &world.territory, &world.calendar))
}

fn make(world: &World<'_>, (number, n_all): (u64, u64), recorded: Moment, dice: &mut Dice) -> Leave {
    let municipality = world.territory.pick(dice);
    let person = Person::pick(&world.territory, municipality, n_all * 30 + 50, dice);
    let from = recorded.day + dice.between(1, 20);
    let until = from + dice.one_of(&[13, 13, 14, 14, 29]).unwrap_or(13);
    // Some go back earlier; a few leaves do not take place.
    let back = if dice.chance(80) { until - dice.between(1, 5) } else { until };
    let cancelled = Moment { day: recorded.day + 1, second: dice.between(9 * 3600, 17 * 3600) };
    let cancelled = Some(cancelled).filter(|at| dice.chance(45) && at.day <= world.to);
    let ended = Some(back).filter(|day| cancelled.is_none() && *day <= world.to && !dice.chance(120));
    Leave { number, municipality, person, recorded, from, until, ended, cancelled }
}

fn write_line(line: &mut Vec<u8>, world: &World<'_>, of: &Leave, defect: Option<Defect>) {
    let is = |kind: Defect| defect == Some(kind);
    let mut json = JsonLine::start(line);
    if !is(Defect::MissingNumber) {
        json.quoted("leave", |into| {
            into.extend_from_slice("63-О-".as_bytes());
            push_number(into, of.number, 6);
        });
    }
    json.quoted("recorded", |into| push_moment(into, &world.calendar, of.recorded));
    let code = world.territory.municipalities.get(of.municipality).map_or("", |place| place.code.as_str());
    json.text("oktmo", if is(Defect::UnknownMunicipality) { "36000001" } else { code });
    json.quoted("person", |into| of.person.write_number(into));
    if is(Defect::ImpossibleDate) {
        json.text("from", "2025-09-31");
    } else {
        json.quoted("from", |into| into.extend_from_slice(world.calendar.iso(of.from)));
    }
    json.quoted("until", |into| into.extend_from_slice(world.calendar.iso(of.until)));
    if let Some(day) = of.ended {
        json.quoted("ended", |into| into.extend_from_slice(world.calendar.iso(day)));
    }
    if let Some(at) = of.cancelled {
        json.quoted("cancelled", |into| push_moment(into, &world.calendar, at));
    }
    json.end();
    if is(Defect::CutLine) {
        line.truncate(line.len() / 2);
        while line.last().is_some_and(|byte| *byte >= 0x80) {
            line.pop();
        }
    }
}

//! Social passports of families: one line per passport with the moments when its six sections were filled.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Moment;
use super::super::dice::{Dice, Weights};
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{JsonLine, push_moment, push_number};
use super::super::world::{Arrival, World};
use super::super::{GenerateError, Register, RegisterReport};
use super::lists::{CATEGORIES, SECTIONS};

/// Passports for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 58;
const DEFECTS: [Defect; 5] =
    [Defect::ImpossibleDate, Defect::UnknownMunicipality, Defect::MissingNumber, Defect::UnknownCode, Defect::CutLine];
const EVENTS: [&str; 3] = ["opened", "section_filled", "closed"];

/// One passport.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passport {
    number: u64,
    pub(super) municipality: usize,
    person: Person,
    /// Place in [`CATEGORIES`].
    pub(super) category: usize,
    opened: Moment,
    filled: [Option<Moment>; SECTIONS.len()],
    closed: Option<Moment>,
}

impl Passport {
    /// The number as the platform writes it.
    pub(super) fn write_number(&self, into: &mut Vec<u8>) {
        into.extend_from_slice("63-СП-".as_bytes());
        push_number(into, self.number, 6);
    }

    /// When a section was filled, by its code.
    pub(super) fn filled(&self, section: &str) -> Option<Moment> {
        let place = SECTIONS.iter().position(|(code, _, _)| *code == section)?;
        self.filled[place]
    }
}

/// Writes `passports.ndjson`.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, Vec::new(), b"\n");
    let mut line = Vec::new();
    for_each_passport(world, |passport, defect, again| {
        write_line(&mut line, world, passport, defect);
        sink.put("passports.ndjson", &line)?;
        if let Some(defect) = defect {
            tally.add_broken(defect);
            return Ok(());
        }
        tally.add_person(passport.person.key());
        tally.add_event(passport.municipality, 0, passport.opened.day);
        for filled in passport.filled.iter().flatten() {
            tally.add_event(passport.municipality, 1, filled.day);
        }
        if let Some(closed) = passport.closed {
            tally.add_event(passport.municipality, 2, closed.day);
        }
        if let Some(n_rows_later) = again {
            sink.put_late(line.clone(), n_rows_later);
            tally.duplicate += 1;
        }
        Ok(())
    })?;
    let files = sink.finish()?;
    Ok(tally.report("samara_passports", files, &world.territory, &world.calendar))
}

/// Calls back with every passport, what is broken about its row, and after how many rows that row comes again.
///
/// # Errors
/// What the caller's own work fails with.
pub(super) fn for_each_passport(
    world: &World<'_>,
    mut visit: impl FnMut(&Passport, Option<Defect>, Option<u32>) -> Result<(), GenerateError>,
) -> Result<(), GenerateError> {
    let mut dice = world.dice(Register::Passports);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let categories = Weights::new(CATEGORIES.map(|(_, _, weight)| weight));
    let n_passports = world.options.events * PER_THOUSAND_EVENTS / 1_000;
    let mut number = 0;
    for load in world.loads(n_passports, &mut dice) {
        for arrival in world.arrivals(load, &mut dice) {
            number += 1;
            let passport = make(world, number, n_passports, arrival, &categories, &mut dice);
            let defect = breakage.strike(&mut dice);
            let again = (defect.is_none() && dice.chance(20)).then(|| dice.between(3, 80));
            visit(&passport, defect, again)?;
        }
    }
    Ok(())
}

fn make(
    world: &World<'_>,
    number: u64,
    n_passports: u64,
    arrival: Arrival,
    categories: &Weights,
    dice: &mut Dice,
) -> Passport {
    let municipality = world.territory.pick(dice);
    // Passports are kept for people, so hardly anybody has two.
    let person = Person::pick(&world.territory, municipality, n_passports * 30 + 50, dice);
    let pace = world.territory.municipalities.get(municipality).map_or(1_000, |place| place.pace);
    let opened = if arrival.through_portal { world.calendar.step(arrival.at, 1, dice) } else { arrival.at };
    let opened = if opened.day > world.to { arrival.at } else { opened };
    let mut filled = [None; SECTIONS.len()];
    for (section, (_, permille, quantiles)) in filled.iter_mut().zip(SECTIONS) {
        let at = world.calendar.step(opened, dice.quantile(&quantiles) * pace / 1_000, dice);
        let is_filled = dice.chance((permille * 1_000 / pace).min(995));
        *section = Some(at).filter(|at| is_filled && at.day <= world.to);
    }
    let closed = world.calendar.step(opened, dice.between(60, 400), dice);
    Passport {
        number,
        municipality,
        person,
        category: person.position(categories),
        opened,
        filled,
        closed: Some(closed).filter(|at| dice.chance(35) && at.day <= world.to),
    }
}

fn write_line(line: &mut Vec<u8>, world: &World<'_>, passport: &Passport, defect: Option<Defect>) {
    let is = |kind: Defect| defect == Some(kind);
    let mut json = JsonLine::start(line);
    if !is(Defect::MissingNumber) {
        json.quoted("passport", |into| passport.write_number(into));
    }
    if is(Defect::ImpossibleDate) {
        json.text("opened", "0000-00-00T00:00:00");
    } else {
        json.quoted("opened", |into| push_moment(into, &world.calendar, passport.opened));
    }
    let place = world.territory.municipalities.get(passport.municipality);
    let municipality = place.map_or("", |place| place.code.as_str());
    json.text("oktmo", if is(Defect::UnknownMunicipality) { "63000000" } else { municipality });
    json.quoted("person", |into| passport.person.write_number(into));
    json.text("category", if is(Defect::UnknownCode) { "Льготники" } else { CATEGORIES[passport.category].1 });
    for (section, (code, _, _)) in passport.filled.iter().zip(SECTIONS) {
        if let Some(at) = section {
            json.quoted(code, |into| push_moment(into, &world.calendar, *at));
        }
    }
    if let Some(closed) = passport.closed {
        json.quoted("closed", |into| push_moment(into, &world.calendar, closed));
    }
    json.end();
    if is(Defect::CutLine) {
        line.truncate(line.len() / 2);
        while line.last().is_some_and(|byte| *byte >= 0x80) {
            line.pop();
        }
    }
}

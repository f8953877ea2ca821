//! Kinship cards: one line per relative on the card of a passport, with the days when it was entered and struck out.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Moment;
use super::super::dice::{Dice, Weights};
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{JsonLine, push_moment, push_number};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::lists::KINSHIP;
use super::passports::{Passport, for_each_passport};

const FILE: &str = "family-members.ndjson";
const DEFECTS: [Defect; 4] =
    [Defect::ImpossibleDate, Defect::UnknownCode, Defect::MissingNumber, Defect::UnknownMunicipality];
const EVENTS: [&str; 2] = ["entered", "struck_out"];

/// One relative on a card.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// Place on the card, from 1.
    number: u32,
    /// Place in [`KINSHIP`].
    kinship: usize,
    person: Person,
    entered: Moment,
    struck_out: Option<Moment>,
}

/// Writes `family-members.ndjson`: a card of each passport whose section of kinship is filled.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::FamilyMembers);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, Vec::new(), b"\n");
    let kinds = Weights::new(KINSHIP.map(|(_, weight)| weight));
    let mut line = Vec::new();
    for_each_passport(world, |passport, defect, _| {
        let Some(filled) = passport.filled("kinship").filter(|_| defect.is_none()) else { return Ok(()) };
        // Some cards are filled with the note that there is nobody.
        let n_members = if dice.chance(450) { dice.between(1, 4) } else { 0 };
        for number in 1..=n_members {
            let member = make(world, passport, (number, filled), &kinds, &mut dice);
            let defect = breakage.strike(&mut dice);
            write_line(&mut line, world, passport, &member, defect);
            sink.put(FILE, &line)?;
            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            tally.add_person(member.person.key());
            tally.add_event(passport.municipality, 0, member.entered.day);
            tally.add_features(0, &[("kinship", KINSHIP[member.kinship].0)]);
            if let Some(at) = member.struck_out {
                tally.add_event(passport.municipality, 1, at.day);
            }
            if dice.chance(20) {
                sink.put_late(line.clone(), dice.between(3, 40));
                tally.duplicate += 1;
            }
        }
        Ok(())
    })?;
    let files = sink.finish()?;
    Ok(tally.report("samara_family_members", files, &world.territory, &world.calendar))
}

fn make(
    world: &World<'_>,
    passport: &Passport,
    (number, filled): (u32, Moment),
    kinds: &Weights,
    dice: &mut Dice,
) -> Member {
    let person = Person::pick(&world.territory, passport.municipality, world.options.events * 4 + 50, dice);
    // Most relatives are entered at once, some are found out later.
    let later = world.calendar.step(filled, dice.between(1, 60), dice);
    let is_later = dice.chance(150) && later.day <= world.to;
    let entered = if is_later { later } else { filled };
    let struck_out = world.calendar.step(entered, dice.between(30, 300), dice);
    Member {
        number,
        kinship: dice.weighted(kinds),
        person,
        entered,
        struck_out: Some(struck_out).filter(|at| dice.chance(60) && at.day <= world.to),
    }
}

fn write_line(line: &mut Vec<u8>, world: &World<'_>, passport: &Passport, of: &Member, defect: Option<Defect>) {
    let is = |kind: Defect| defect == Some(kind);
    let mut json = JsonLine::start(line);
    json.quoted("passport", |into| passport.write_number(into));
    if !is(Defect::MissingNumber) {
        json.bare("member", |into| push_number(into, u64::from(of.number), 1));
    }
    let code = world.territory.municipalities.get(passport.municipality).map_or("", |place| place.code.as_str());
    json.text("oktmo", if is(Defect::UnknownMunicipality) { "36000002" } else { code });
    json.text("kinship", if is(Defect::UnknownCode) { "Знакомый" } else { KINSHIP[of.kinship].0 });
    json.quoted("person", |into| of.person.write_number(into));
    if is(Defect::ImpossibleDate) {
        json.text("entered", "2025-11-31T10:00:00");
    } else {
        json.quoted("entered", |into| push_moment(into, &world.calendar, of.entered));
    }
    if let Some(at) = of.struck_out {
        json.quoted("struck_out", |into| push_moment(into, &world.calendar, at));
    }
    json.end();
}

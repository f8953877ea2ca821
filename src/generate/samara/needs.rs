//! Needs of citizens and their relatives: one line per need with what came of it.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Moment;
use super::super::dice::{Dice, Weights};
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{JsonLine, push_moment, push_number};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::lists::{CATEGORIES, KINSHIP, SUPPORTS, habits};
use super::passports::{Passport, for_each_passport};

const FILE: &str = "needs.ndjson";
const DEFECTS: [Defect; 4] =
    [Defect::ImpossibleDate, Defect::UnknownMunicipality, Defect::UnknownCode, Defect::MissingNumber];
const EVENTS: [&str; 3] = ["recorded", "fulfilled", "cancelled"];
/// Working days until a need is fulfilled.
const FULFILLED: [u16; 21] = [1, 3, 5, 7, 9, 11, 13, 15, 18, 21, 24, 28, 32, 37, 43, 50, 60, 72, 90, 120, 200];

/// One need.
#[derive(Debug, Clone, Copy)]
struct Need {
    number: u64,
    /// Place in [`KINSHIP`] of the relative who has the need; none for the citizen.
    kinship: Option<usize>,
    /// Place in [`SUPPORTS`].
    support: usize,
    recorded: Moment,
    fulfilled: Option<Moment>,
    cancelled: Option<Moment>,
}

/// Writes `needs.ndjson`: needs of each passport whose section of needs is filled.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Needs);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, Vec::new(), b"\n");
    let supports = Weights::new(SUPPORTS.map(|support| support.weight));
    let kinds = Weights::new(KINSHIP.map(|(_, weight)| weight));
    let mut line = Vec::new();
    let mut number = 0;
    for_each_passport(world, |passport, defect, _| {
        let Some(filled) = passport.filled("needs").filter(|_| defect.is_none()) else { return Ok(()) };
        // Most families say that they need nothing.
        let n_needs = if dice.chance(350) { dice.between(1, 3) } else { 0 };
        for _ in 0..n_needs {
            number += 1;
            let need = make(world, (number, filled), (&supports, &kinds), &mut dice);
            let defect = breakage.strike(&mut dice);
            write_line(&mut line, world, passport, &need, defect);
            sink.put(FILE, &line)?;
            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            for (event, at) in [Some(need.recorded), need.fulfilled, need.cancelled].into_iter().enumerate() {
                if let Some(at) = at {
                    tally.add_event(passport.municipality, event, at.day);
                    let support = SUPPORTS[need.support];
                    tally.add_features(event, &[("support", support.code), ("agency", support.agency)]);
                }
            }
            if dice.chance(20) {
                sink.put_late(line.clone(), dice.between(3, 40));
                tally.duplicate += 1;
            }
        }
        Ok(())
    })?;
    let files = sink.finish()?;
    Ok(tally.report("samara_needs", files, &world.territory, &world.calendar))
}

fn make(
    world: &World<'_>,
    (number, recorded): (u64, Moment),
    (supports, kinds): (&Weights, &Weights),
    dice: &mut Dice,
) -> Need {
    let support = dice.weighted(supports);
    let kinship = dice.weighted(kinds);
    let kinship = dice.chance(620).then_some(kinship);
    let lag = dice.quantile(&FULFILLED) * habits(SUPPORTS[support].agency).0 / 1_000;
    let over = world.calendar.step(recorded, lag.max(1), dice);
    let known = Some(over).filter(|at| at.day <= world.to);
    let (is_fulfilled, is_cancelled) = (dice.chance(760), dice.chance(150));
    Need {
        number,
        kinship,
        support,
        recorded,
        fulfilled: known.filter(|_| is_fulfilled),
        cancelled: known.filter(|_| !is_fulfilled && is_cancelled),
    }
}

fn write_line(line: &mut Vec<u8>, world: &World<'_>, passport: &Passport, of: &Need, defect: Option<Defect>) {
    let is = |kind: Defect| defect == Some(kind);
    let mut json = JsonLine::start(line);
    if !is(Defect::MissingNumber) {
        json.quoted("need", |into| {
            into.extend_from_slice("63-П-".as_bytes());
            push_number(into, of.number, 6);
        });
    }
    json.quoted("passport", |into| passport.write_number(into));
    let code = world.territory.municipalities.get(passport.municipality).map_or("", |place| place.code.as_str());
    json.text("oktmo", if is(Defect::UnknownMunicipality) { "36000003" } else { code });
    json.text("category", CATEGORIES[passport.category].1);
    if let Some(kinship) = of.kinship {
        json.text("relative", KINSHIP[kinship].0);
    }
    let support = SUPPORTS[of.support];
    json.text("support", if is(Defect::UnknownCode) { "payment_gold" } else { support.code });
    json.text("agency", support.agency);
    if is(Defect::ImpossibleDate) {
        json.text("recorded", "2025-04-31T09:30:00");
    } else {
        json.quoted("recorded", |into| push_moment(into, &world.calendar, of.recorded));
    }
    for (name, at) in [("fulfilled", of.fulfilled), ("cancelled", of.cancelled)] {
        if let Some(at) = at {
            json.quoted(name, |into| push_moment(into, &world.calendar, at));
        }
    }
    json.end();
}

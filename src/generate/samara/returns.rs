//! Questionnaires of returned citizens: one line per questionnaire with the kinds of support that it was routed to.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Moment;
use super::super::dice::Dice;
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{JsonLine, push_moment, push_number};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::lists::{RETURN_GROUPS, habits};

/// Questionnaires for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 9;
const FILE: &str = "returns.ndjson";
const DEFECTS: [Defect; 4] =
    [Defect::ImpossibleDate, Defect::UnknownMunicipality, Defect::MissingNumber, Defect::CutLine];
const EVENTS: [&str; 3] = ["filed", "routed", "provided"];
/// Working days from routing until the support was provided.
const PROVIDED: [u16; 21] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 21, 24, 28, 33, 40, 52, 90];

/// One questionnaire.
#[derive(Debug, Clone, Copy)]
struct Questionnaire {
    number: u64,
    municipality: usize,
    person: Person,
    filed: Moment,
    /// When it was routed to the agency of each of [`RETURN_GROUPS`], and when the support was provided.
    routed: [Option<Moment>; RETURN_GROUPS.len()],
    provided: [Option<Moment>; RETURN_GROUPS.len()],
}

/// Writes `returns.ndjson`.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Returns);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, Vec::new(), b"\n");
    let n_questionnaires = world.options.events * PER_THOUSAND_EVENTS / 1_000;
    let mut line = Vec::new();
    let mut number = 0;
    for load in world.loads(n_questionnaires, &mut dice) {
        for arrival in world.arrivals(load, &mut dice) {
            number += 1;
            let questionnaire = make(world, (number, n_questionnaires), arrival.at, &mut dice);
            let defect = breakage.strike(&mut dice);
            write_line(&mut line, world, &questionnaire, defect);
            sink.put(FILE, &line)?;
            if let Some(defect) = defect {
                tally.add_broken(defect);
                continue;
            }
            tally.add_person(questionnaire.person.key());
            tally.add_event(questionnaire.municipality, 0, questionnaire.filed.day);
            for (event, moments) in [(1, questionnaire.routed), (2, questionnaire.provided)] {
                for (at, (_, agency, _)) in moments.into_iter().zip(RETURN_GROUPS) {
                    if let Some(at) = at {
                        tally.add_event(questionnaire.municipality, event, at.day);
                        tally.add_features(event, &[("agency", agency)]);
                    }
                }
            }
            if dice.chance(20) {
                sink.put_late(line.clone(), dice.between(2, 20));
                tally.duplicate += 1;
            }
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("samara_returns", files, &world.territory, &world.calendar))
}

fn make(world: &World<'_>, (number, n_all): (u64, u64), filed: Moment, dice: &mut Dice) -> Questionnaire {
    let municipality = world.territory.pick(dice);
    let person = Person::pick(&world.territory, municipality, n_all * 30 + 50, dice);
    let known = |at: Moment| Some(at).filter(|at| at.day <= world.to);
    let mut questionnaire = Questionnaire {
        number,
        municipality,
        person,
        filed,
        routed: [None; RETURN_GROUPS.len()],
        provided: [None; RETURN_GROUPS.len()],
    };
    let parts = questionnaire.routed.iter_mut().zip(questionnaire.provided.iter_mut());
    for ((routed, provided), (_, agency, permille)) in parts.zip(RETURN_GROUPS) {
        // The platform routes by itself, within minutes; what it cannot judge waits for a person.
        let at = if dice.chance(870) && filed.second < 86_000 {
            Moment { second: filed.second + dice.between(10, 380), ..filed }
        } else {
            world.calendar.step(filed, dice.between(1, 3), dice)
        };
        let is_wanted = dice.chance(permille);
        let lag = dice.quantile(&PROVIDED) * habits(agency).0 / 1_000;
        let done = world.calendar.step(at, lag, dice);
        let is_done = dice.chance(810);
        *routed = known(at).filter(|_| is_wanted);
        *provided = known(done).filter(|_| is_wanted && is_done);
    }
    questionnaire
}

fn write_line(line: &mut Vec<u8>, world: &World<'_>, of: &Questionnaire, defect: Option<Defect>) {
    let is = |kind: Defect| defect == Some(kind);
    let mut json = JsonLine::start(line);
    if !is(Defect::MissingNumber) {
        json.quoted("questionnaire", |into| {
            into.extend_from_slice("63-В-".as_bytes());
            push_number(into, of.number, 6);
        });
    }
    if is(Defect::ImpossibleDate) {
        json.text("filed", "2025-02-29T12:00:00");
    } else {
        json.quoted("filed", |into| push_moment(into, &world.calendar, of.filed));
    }
    let code = world.territory.municipalities.get(of.municipality).map_or("", |place| place.code.as_str());
    json.text("oktmo", if is(Defect::UnknownMunicipality) { "36700000" } else { code });
    json.quoted("person", |into| of.person.write_number(into));
    for ((routed, provided), (group, _, _)) in of.routed.iter().zip(of.provided).zip(RETURN_GROUPS) {
        if let Some(at) = routed {
            json.quoted(group, |into| push_moment(into, &world.calendar, *at));
        }
        if let Some(at) = provided {
            json.quoted(&format!("{group}_provided"), |into| push_moment(into, &world.calendar, at));
        }
    }
    json.end();
    if is(Defect::CutLine) {
        line.truncate(line.len() / 2);
        while line.last().is_some_and(|byte| *byte >= 0x80) {
            line.pop();
        }
    }
}

//! The appeals as one event per line, in one file: the form in which speed is measured.

use super::super::breakage::{Breakage, Defect};
use super::super::course::Step;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{JsonLine, push_moment, push_sum};
use super::super::world::World;
use super::super::{GenerateError, Region, Register, RegisterReport};
use super::appeal::{EVENTS_PER_THOUSAND, for_each_appeal};
use super::appeals::EVENTS;
use super::lists::{CATEGORIES, CHANNELS};

const DEFECTS: [Defect; 4] =
    [Defect::ImpossibleDate, Defect::UnknownMunicipality, Defect::MissingNumber, Defect::CutLine];

/// Writes `case-events.ndjson` with as many lines as events were asked for.
///
/// A broken line is a line more: an event of its own that nobody counts.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, Vec::new(), b"\n");
    let mut line = Vec::new();
    let mut n_lines = 0;
    // A few appeals more than needed, since the number of their events is known only roughly.
    let n_appeals = world.options.events * 1_030 / EVENTS_PER_THOUSAND + 10;
    for_each_appeal(world, Register::CaseEvents, n_appeals, |appeal, dice| {
        let known = appeal.course.known_on(world.to);
        for (step, at) in known.steps() {
            if n_lines == world.options.events {
                return Ok(false);
            }
            n_lines += 1;
            let defect = breakage.strike(dice);
            match defect {
                Some(defect) => tally.add_broken(defect),
                None => tally.add_event(appeal.municipality, step as usize, at.day),
            }
            let is = |kind: Defect| defect == Some(kind);
            let mut json = JsonLine::start(&mut line);
            if !is(Defect::MissingNumber) {
                json.quoted("case_id", |into| appeal.write_number(into));
            }
            json.text("event", step.event());
            if is(Defect::ImpossibleDate) {
                json.text("occurred_at", "2025-13-01T00:00:00");
            } else {
                json.quoted("occurred_at", |into| push_moment(into, &world.calendar, at));
            }
            json.text("region", Region::Samara.code());
            let place = world.territory.municipalities.get(appeal.municipality);
            let municipality = place.map_or("", |place| place.code.as_str());
            json.text("municipality", if is(Defect::UnknownMunicipality) { "36999000" } else { municipality });
            json.text("agency", appeal.support.agency);
            json.text("service", appeal.support.code);
            json.text("category", CATEGORIES[appeal.category].0);
            json.text("channel", CHANNELS[appeal.channel].0);
            json.quoted("person_id", |into| appeal.person.write_number(into));
            if step == Step::Refused {
                json.text("ground", appeal.ground);
            }
            if let Some(kopecks) = appeal.kopecks.filter(|_| matches!(step, Step::Granted | Step::Provided)) {
                json.bare("amount", |into| push_sum(into, kopecks, b'.'));
            }
            json.end();
            if is(Defect::CutLine) {
                line.truncate(line.len() / 2);
            }
            sink.put("case-events.ndjson", &line)?;
        }
        tally.add_person(appeal.person.key());
        Ok(true)
    })?;
    let files = sink.finish()?;
    Ok(tally.report("case_events", files, &world.territory, &world.calendar))
}

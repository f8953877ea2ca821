//! Appeals for support as the platform exports them: one line per appeal with its whole state.

use super::super::breakage::{Breakage, Defect};
use super::super::course::{Course, Step};
use super::super::days::Moment;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{JsonLine, push_moment, push_sum};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::appeal::{Appeal, EVENTS_PER_THOUSAND, for_each_appeal};
use super::lists::{CATEGORIES, CHANNELS};

const DEFECTS: [Defect; 8] = [
    Defect::ImpossibleDate,
    Defect::UnknownMunicipality,
    Defect::MissingNumber,
    Defect::DecisionBeforeApplication,
    Defect::UnknownWay,
    Defect::UnknownCode,
    Defect::SumInWords,
    Defect::CutLine,
];

/// Events of appeals, in the order of [`Step::ALL`].
pub(super) const EVENTS: [&str; 8] =
    ["registered", "taken", "suspended", "resumed", "granted", "refused", "provided", "withdrawn"];

/// Writes `appeals-2025.ndjson`, one file per year.
///
/// # Errors
/// [`GenerateError::Write`] if a file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, Vec::new(), b"\n");
    let mut line = Vec::new();
    let n_appeals = world.options.events * 1_000 / EVENTS_PER_THOUSAND;
    for_each_appeal(world, Register::Appeals, n_appeals, |appeal, dice| {
        let file = format!("appeals-{}.ndjson", appeal.year);
        let known = appeal.course.known_on(world.to);
        let defect = breakage.strike(dice);
        if let Some(defect) = defect {
            tally.add_broken(defect);
            write_line(&mut line, world, &appeal, &known, Some(defect));
            sink.put(&file, &line)?;
            return Ok(true);
        }
        tally.add_person(appeal.person.key());
        for (step, at) in known.steps() {
            tally.add_event(appeal.municipality, step as usize, at.day);
            tally.add_features(
                step as usize,
                &[
                    ("category", CATEGORIES[appeal.category].1),
                    ("channel", CHANNELS[appeal.channel].1),
                    ("support", appeal.support.code),
                    ("agency", appeal.support.agency),
                ],
            );
            if step == Step::Refused {
                tally.add_features(step as usize, &[("ground", appeal.ground)]);
            }
        }
        let n_rows_later = dice.between(3, 200);
        match dice.below(1_000) {
            // The platform had exported the appeal before, when less was known.
            0..=27 => {
                let earlier = earlier_state(&known);
                if let Some(earlier) = earlier {
                    write_line(&mut line, world, &appeal, &earlier, None);
                    sink.put(&file, &line)?;
                    write_line(&mut line, world, &appeal, &known, None);
                    sink.put_late(line.clone(), n_rows_later);
                    tally.later_states += 1;
                    return Ok(true);
                }
                write_line(&mut line, world, &appeal, &known, None);
                sink.put(&file, &line)?;
            }
            // The category was corrected a day later.
            28..=37 => {
                let mistaken = Appeal { category: (appeal.category + 1) % CATEGORIES.len(), ..appeal };
                write_line(&mut line, world, &mistaken, &known, None);
                sink.put(&file, &line)?;
                let mut corrected = Vec::new();
                write_corrected(&mut corrected, world, &appeal, &known);
                sink.put_late(corrected, n_rows_later);
                tally.corrections += 1;
            }
            // The same line came twice.
            38..=57 => {
                write_line(&mut line, world, &appeal, &known, None);
                sink.put(&file, &line)?;
                sink.put_late(line.clone(), n_rows_later);
                tally.duplicate += 1;
            }
            _ => {
                write_line(&mut line, world, &appeal, &known, None);
                sink.put(&file, &line)?;
            }
        }
        Ok(true)
    })?;
    let files = sink.finish()?;
    Ok(tally.report("samara_appeals", files, &world.territory, &world.calendar))
}

/// What an export before the last step showed; none if nothing but the registration is known.
fn earlier_state(known: &Course) -> Option<Course> {
    let (last, at) = known.last()?;
    let before = known.known_on(at.day.checked_sub(1)?);
    (last != Step::Registered && before.at(Step::Registered).is_some()).then_some(before)
}

fn write_line(line: &mut Vec<u8>, world: &World<'_>, appeal: &Appeal, known: &Course, defect: Option<Defect>) {
    let updated = known.last().map(|(_, at)| at);
    write_state(line, world, appeal, known, updated, defect);
}

fn write_corrected(line: &mut Vec<u8>, world: &World<'_>, appeal: &Appeal, known: &Course) {
    let updated = known.last().map(|(_, at)| Moment { day: at.day + 1, second: 10 * 3600 + at.second % 3600 });
    write_state(line, world, appeal, known, updated, None);
}

fn write_state(
    line: &mut Vec<u8>,
    world: &World<'_>,
    appeal: &Appeal,
    known: &Course,
    updated: Option<Moment>,
    defect: Option<Defect>,
) {
    let calendar = &world.calendar;
    let is = |kind: Defect| defect == Some(kind);
    let mut json = JsonLine::start(line);
    if !is(Defect::MissingNumber) {
        json.quoted("number", |into| appeal.write_number(into));
    }
    let moment = |json: &mut JsonLine<'_>, key: &str, at: Option<Moment>| {
        if let Some(at) = at {
            json.quoted(key, |into| push_moment(into, calendar, at));
        }
    };
    if is(Defect::ImpossibleDate) {
        json.quoted("registered", |into| into.extend_from_slice(format!("{}-02-30T10:15:00", appeal.year).as_bytes()));
    } else {
        moment(&mut json, "registered", known.at(Step::Registered));
    }
    let municipality = world.territory.municipalities.get(appeal.municipality).map_or("", |place| place.code.as_str());
    json.text("oktmo", if is(Defect::UnknownMunicipality) { "36999000" } else { municipality });
    json.quoted("person", |into| appeal.person.write_number(into));
    json.text("category", if is(Defect::UnknownCode) { "Прочие" } else { CATEGORIES[appeal.category].1 });
    json.text("support", appeal.support.code);
    json.text("agency", appeal.support.agency);
    json.text("channel", if is(Defect::UnknownWay) { "7" } else { CHANNELS[appeal.channel].1 });
    json.text("status", known.last().map_or("", |(step, _)| step.status()));
    moment(&mut json, "taken", known.at(Step::Taken));
    moment(&mut json, "suspended", known.at(Step::Suspended));
    moment(&mut json, "resumed", known.at(Step::Resumed));
    let is_granted = known.at(Step::Granted).is_some();
    if is(Defect::DecisionBeforeApplication) {
        let early = known.at(Step::Registered).map(|at| Moment { day: at.day.saturating_sub(9), ..at });
        moment(&mut json, "decided", early);
        json.text("decision", "отказать");
        json.text("ground", appeal.ground);
    } else if let Some(decided) = known.at(Step::Granted).or(known.at(Step::Refused)) {
        moment(&mut json, "decided", Some(decided));
        json.text("decision", if is_granted { "оказать" } else { "отказать" });
        if !is_granted {
            json.text("ground", appeal.ground);
        }
        moment(&mut json, "provided", known.at(Step::Provided));
    }
    moment(&mut json, "withdrawn", known.at(Step::Withdrawn));
    if is(Defect::SumInWords) {
        json.text("amount", "пять тысяч");
    } else if let Some(kopecks) = appeal.kopecks.filter(|_| is_granted) {
        json.bare("amount", |into| push_sum(into, kopecks, b'.'));
    }
    moment(&mut json, "updated", updated);
    json.end();
    if is(Defect::CutLine) {
        line.truncate(line.len() * 2 / 3);
        while line.last().is_some_and(|byte| *byte >= 0x80) {
            line.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_those_of_the_steps() {
        assert_eq!(EVENTS, Step::ALL.map(Step::event));
    }
}

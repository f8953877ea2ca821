//! Partners of the virtual card: one line per institution with the days when it joined and left the project.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Day;
use super::super::dice::fixed_number;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::push_dotted;
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::card_uses::n_partners;
use super::csv_line::{CsvLine, Encoding, LINE_END, header};
use super::lists::PARTNERS;

const FILE: &str = "partners.csv";
const COLUMNS: &str = "Партнер;Вид;Собственность;ОКТМО;Присоединился;Вышел;Скидка от, %;Скидка до, %";
const DEFECTS: [Defect; 4] =
    [Defect::ImpossibleDate, Defect::UnknownMunicipality, Defect::MissingNumber, Defect::UnknownCode];
const EVENTS: [&str; 2] = ["joined", "left"];

/// Writes `partners.csv`: the partners where cards are shown, who joined before, and some who joined later.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Partners);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Utf8), LINE_END);
    let mut line = CsvLine::default();
    for (municipality, place) in world.territory.municipalities.iter().enumerate() {
        for (kind, _, private_permille, _) in PARTNERS {
            let n_used = n_partners(place.share);
            for number in 1..=n_used + dice.below(3) {
                let partner = format!("{}-{kind}-{number}", place.code);
                let is_private = fixed_number(&partner) % 1_000 < private_permille;
                let joined: Day = if number <= n_used {
                    world.from.saturating_sub(dice.between(1, 330))
                } else {
                    dice.between(world.from, world.to)
                };
                let left = joined + dice.between(40, 400);
                let left = Some(left).filter(|day| number > n_used && *day <= world.to && dice.chance(300));
                let defect = breakage.strike(&mut dice);
                let is = |kind: Defect| defect == Some(kind);

                let row = line.start();
                row.field(if is(Defect::MissingNumber) { "" } else { &partner });
                row.field(if is(Defect::UnknownCode) { "cinema" } else { kind });
                row.field(if is_private { "private" } else { "state" });
                row.field(if is(Defect::UnknownMunicipality) { "41000001" } else { &place.code });
                if is(Defect::ImpossibleDate) {
                    row.field("30.02.2025");
                } else {
                    row.ascii(|into| push_dotted(into, &world.calendar, joined));
                }
                row.ascii(|into| {
                    if let Some(day) = left {
                        push_dotted(into, &world.calendar, day);
                    }
                });
                row.field("10").field(dice.one_of(&["20", "30", "50", "100"]).unwrap_or("50"));
                let bytes = row.end(Encoding::Utf8, defect);
                sink.put(FILE, &bytes)?;
                if let Some(defect) = defect {
                    tally.add_broken(defect);
                    continue;
                }
                for (event, day) in [Some(joined), left].into_iter().enumerate() {
                    if let Some(day) = day {
                        tally.add_event(municipality, event, day);
                    }
                }
            }
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("leningrad_partners", files, &world.territory, &world.calendar))
}

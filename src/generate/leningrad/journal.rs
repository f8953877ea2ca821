//! The journal of applications for social services: one line per application, dates only, numbered by each municipality.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Day;
use super::super::dice::{Dice, Weights};
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{push_dotted, push_number};
use super::super::world::{Arrival, World};
use super::super::{GenerateError, Register, RegisterReport};
use super::csv_line::{CsvLine, Encoding, LINE_END, header};
use super::lists::{CIRCUMSTANCES, FORMS, GROUNDS, NUMBERS, WAYS};

/// Applications for a thousand events of cases.
pub(super) const PER_THOUSAND_EVENTS: u64 = 345;
const COLUMNS: &str = "N;Дата обращения;Способ;ФИО;ОКТМО;Район;СНИЛС;Обстоятельство;Дата решения;Решение;Примечание";
const DEFECTS: [Defect; 8] = [
    Defect::ImpossibleDate,
    Defect::UnknownMunicipality,
    Defect::MissingNumber,
    Defect::DecisionBeforeApplication,
    Defect::UnknownWay,
    Defect::RaggedLine,
    Defect::StrayQuote,
    Defect::AlienBytes,
];
const EVENTS: [&str; 4] = ["registered", "granted", "refused", "provided"];
/// Working days from application to decision; the limit is five.
const DECIDED: [u16; 21] = [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 6, 8, 17];

/// One application.
#[derive(Debug, Clone, Copy)]
struct Application {
    number: u64,
    municipality: usize,
    person: Person,
    way: &'static str,
    /// Circumstance 1–7.
    circumstance: usize,
    applied: Day,
    decided: Option<Day>,
    is_recognised: bool,
    form: &'static str,
    ground: &'static str,
}

/// Writes `journal-2025-q1.csv` and so on, by quarter of application.
///
/// # Errors
/// [`GenerateError::Write`] if a file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Journal);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Windows1251), LINE_END);
    let mut maker = Maker::new(world);
    for load in world.loads(maker.n_applications, &mut dice) {
        let date = world.calendar.date(load.day);
        let quarter = chrono::Datelike::month0(&date) / 3 + 1;
        let year = chrono::Datelike::year(&date);
        let file = format!("journal-{year}-q{quarter}.csv");
        for arrival in world.arrivals(load, &mut dice) {
            let application = maker.make(arrival, year, &mut dice);
            let defect = breakage.strike(&mut dice);
            if let Some(defect) = defect {
                tally.add_broken(defect);
                sink.put(&file, &maker.line(&application, Some(defect)))?;
                continue;
            }
            tally.add_person(application.person.key());
            tally.add_event(application.municipality, 0, application.applied);
            let circumstance = NUMBERS[application.circumstance - 1];
            let features = [("way", application.way), ("circumstance", circumstance)];
            tally.add_features(0, &features);
            if let Some(decided) = application.decided {
                let decision = if application.is_recognised { 1 } else { 2 };
                tally.add_event(application.municipality, decision, decided);
                tally.add_features(decision, &features);
                if !application.is_recognised {
                    tally.add_features(decision, &[("ground", application.ground)]);
                }
                if application.is_recognised {
                    tally.add_features(decision, &[("form", application.form)]);
                    tally.add_event(application.municipality, 3, decided);
                }
            }
            let line = maker.line(&application, None);
            let n_rows_later = dice.between(3, 150);
            match dice.below(1_000) {
                // The quarter's file had been sent before the decision.
                0..=29 if application.decided.is_some() => {
                    let undecided = Application { decided: None, ..application };
                    sink.put(&file, &maker.line(&undecided, None))?;
                    sink.put_late(line, n_rows_later);
                    tally.later_states += 1;
                }
                // The circumstance was corrected.
                30..=39 => {
                    let mistaken = Application { circumstance: application.circumstance % 7 + 1, ..application };
                    sink.put(&file, &maker.line(&mistaken, None))?;
                    sink.put_late(line, n_rows_later);
                    tally.corrections += 1;
                }
                // The same line came twice.
                40..=59 => {
                    sink.put(&file, &line)?;
                    sink.put_late(line, n_rows_later);
                    tally.duplicate += 1;
                }
                _ => sink.put(&file, &line)?,
            }
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("leningrad_journal", files, &world.territory, &world.calendar))
}

#[derive(Debug)]
struct Maker<'a> {
    world: &'a World<'a>,
    n_applications: u64,
    year: i32,
    /// Last number of each municipality in the year.
    numbers: Vec<u64>,
    circumstances: Weights,
    in_office: Weights,
    through_portal: Weights,
    forms: Weights,
    grounds: Weights,
    line: CsvLine,
}

impl<'a> Maker<'a> {
    fn new(world: &'a World<'a>) -> Self {
        let ways =
            |portal| Weights::new(WAYS.map(|(_, weight, is_portal)| if is_portal == portal { weight } else { 0 }));
        Self {
            world,
            n_applications: world.options.events * PER_THOUSAND_EVENTS / 1_000,
            year: 0,
            numbers: vec![0; world.territory.municipalities.len()],
            circumstances: Weights::new(CIRCUMSTANCES),
            in_office: ways(false),
            through_portal: ways(true),
            forms: Weights::new(FORMS.map(|(_, weight)| weight)),
            grounds: Weights::new(GROUNDS.map(|(_, weight)| weight)),
            line: CsvLine::default(),
        }
    }

    fn make(&mut self, arrival: Arrival, year: i32, dice: &mut Dice) -> Application {
        if year != self.year {
            self.year = year;
            self.numbers.fill(0);
        }
        let world = self.world;
        let municipality = world.territory.pick(dice);
        self.numbers[municipality] += 1;
        let pace = world.territory.municipalities.get(municipality).map_or(1_000, |place| place.pace);
        let ways = if arrival.through_portal { &self.through_portal } else { &self.in_office };
        let lag = dice.quantile(&DECIDED) * pace * world.slowing(arrival.at.day) / 1_000_000;
        let decided = world.calendar.after(arrival.at.day, lag.max(1));
        let is_undecided = dice.chance(25 * pace / 1_000);
        Application {
            number: self.numbers[municipality],
            municipality,
            person: Person::pick(&world.territory, municipality, self.n_applications * 4 / 5 + 50, dice),
            way: WAYS[dice.weighted(ways)].0,
            circumstance: dice.weighted(&self.circumstances) + 1,
            applied: arrival.at.day,
            decided: Some(decided).filter(|day| !is_undecided && *day <= world.to),
            is_recognised: !dice.chance(70 + 60 * pace / 1_000),
            form: FORMS[dice.weighted(&self.forms)].0,
            ground: GROUNDS[dice.weighted(&self.grounds)].0,
        }
    }

    fn line(&mut self, application: &Application, defect: Option<Defect>) -> Vec<u8> {
        let calendar = &self.world.calendar;
        let is = |kind: Defect| defect == Some(kind);
        let line = self.line.start();
        match defect {
            Some(Defect::MissingNumber) => line.field(""),
            Some(Defect::AlienBytes) => line.field("1\u{fffd}"),
            _ => line.ascii(|into| push_number(into, application.number, 1)),
        };
        if is(Defect::ImpossibleDate) {
            line.field(&format!("31.02.{}", self.year));
        } else {
            line.ascii(|into| push_dotted(into, calendar, application.applied));
        }
        line.field(if is(Defect::UnknownWay) { "7" } else { application.way });
        line.field("[скрыто]");
        let place = self.world.territory.municipalities.get(application.municipality);
        let code = place.map_or("", |place| place.code.as_str());
        line.field(if is(Defect::UnknownMunicipality) { "41999000" } else { code });
        line.field(place.map_or("", |place| place.name.as_str()));
        line.ascii(|into| application.person.write_number(into));
        line.field(&application.circumstance.to_string());
        if is(Defect::DecisionBeforeApplication) {
            line.ascii(|into| push_dotted(into, calendar, application.applied.saturating_sub(11)));
            line.field("отказано").field(application.ground);
        } else if let Some(decided) = application.decided {
            line.ascii(|into| push_dotted(into, calendar, decided));
            if application.is_recognised {
                line.field("признан нуждающимся").field(application.form);
            } else {
                line.field("отказано").field(application.ground);
            }
        } else {
            line.field("").field("").field("");
        }
        line.end(Encoding::Windows1251, defect)
    }
}

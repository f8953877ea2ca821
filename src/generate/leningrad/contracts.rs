//! Applications for social contracts: one line per application with its whole state and the moment of its last change.

use super::super::breakage::{Breakage, Defect};
use super::super::days::{Day, Moment};
use super::super::dice::{Dice, Weights};
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{push_clock, push_dotted, push_number, push_sum};
use super::super::world::{Arrival, World};
use super::super::{GenerateError, Register, RegisterReport};
use super::csv_line::{CsvLine, Encoding, LINE_END, header};
use super::lists::{CONTRACT_CATEGORIES, CONTRACT_GROUNDS, CONTRACT_WAYS, DIRECTIONS, EXTENSIONS};

/// Applications for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 190;
const COLUMNS: &str = "Номер дела;Направление;Соцкатегория;Способ;ОКТМО;СНИЛС;Поступило;Отказ в приеме;Зарегистрировано;\
                       Приостановлено;Возобновлено;Срок продлен;Основание продления;Дата решения;Решение;Основание отказа;\
                       Уведомление направлено;Выплачено;Сумма, руб.;Сведения получены;Уведомление о приостановлении;\
                       Уведомление о продлении;Заявление об исправлении;Исправлено;Изменено";
const DEFECTS: [Defect; 8] = [
    Defect::ImpossibleDate,
    Defect::UnknownMunicipality,
    Defect::MissingNumber,
    Defect::DecisionBeforeApplication,
    Defect::UnknownWay,
    Defect::UnknownCode,
    Defect::SumInWords,
    Defect::RaggedLine,
];
const EVENTS: [&str; 15] = [
    "received",
    "intake_refused",
    "registered",
    "suspended",
    "resumed",
    "extended",
    "granted",
    "refused",
    "notified",
    "provided",
    "data_complete",
    "suspension_notified",
    "extension_notified",
    "correction_requested",
    "corrected",
];
/// Stream of the choices about notices and corrections, apart from those of the applications.
const ASIDE: u64 = 1 << 32;
/// Working days until the last document and answer are there.
const COMPLETED: [u16; 21] = [0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 13, 21];
/// Working days from then until the decision; three are allowed.
const DECIDED: [u16; 21] = [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5, 7, 14];
/// Working days until the applicant brings what is missing; five are allowed.
const RESUMED: [u16; 21] = [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6, 9];
/// Working days from the decision until the money is paid; thirty are allowed.
const PAID: [u16; 21] = [3, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21, 23, 24, 26, 28, 30, 33, 47];

/// One application, as far as it is known.
#[derive(Debug, Clone, Copy)]
struct Application {
    number: u64,
    /// Place in [`DIRECTIONS`].
    direction: usize,
    category: &'static str,
    way: &'static str,
    municipality: usize,
    person: Person,
    received: Moment,
    intake_refused: Option<Day>,
    registered: Option<Day>,
    suspended: Option<Day>,
    resumed: Option<Day>,
    extended: Option<Day>,
    extension: &'static str,
    decided: Option<Day>,
    is_granted: bool,
    ground: &'static str,
    notified: Option<Day>,
    paid: Option<Day>,
    completed: Option<Day>,
    suspension_notified: Option<Day>,
    extension_notified: Option<Day>,
    correction_requested: Option<Day>,
    corrected: Option<Day>,
    kopecks: u64,
}

impl Application {
    /// What an export at the end of a day shows.
    fn known_on(&self, day: Day) -> Self {
        let known = |at: Option<Day>| at.filter(|at| *at <= day);
        Self {
            intake_refused: known(self.intake_refused),
            registered: known(self.registered),
            suspended: known(self.suspended),
            resumed: known(self.resumed),
            extended: known(self.extended),
            decided: known(self.decided),
            notified: known(self.notified),
            paid: known(self.paid),
            completed: known(self.completed),
            suspension_notified: known(self.suspension_notified),
            extension_notified: known(self.extension_notified),
            correction_requested: known(self.correction_requested),
            corrected: known(self.corrected),
            ..*self
        }
    }

    /// The days of its events, in the order of [`EVENTS`].
    fn days(&self) -> [Option<Day>; EVENTS.len()] {
        [
            Some(self.received.day),
            self.intake_refused,
            self.registered,
            self.suspended,
            self.resumed,
            self.extended,
            self.decided.filter(|_| self.is_granted),
            self.decided.filter(|_| !self.is_granted),
            self.notified,
            self.paid,
            self.completed,
            self.suspension_notified,
            self.extension_notified,
            self.correction_requested,
            self.corrected,
        ]
    }

    /// Tells what the line says of one of its events.
    fn tell_features(&self, event: usize, tally: &mut Tally) {
        let direction = DIRECTIONS[self.direction].0;
        tally.add_features(event, &[("direction", direction), ("category", self.category), ("way", self.way)]);
        match EVENTS[event] {
            "extended" => tally.add_features(event, &[("ground", self.extension)]),
            "refused" => tally.add_features(event, &[("ground", self.ground)]),
            "granted" => tally.add_kopecks(event, self.kopecks),
            _ => {}
        }
    }

    /// The same application with the notices on its way and, of some, a misprint in the order that has to be corrected in five
    /// working days.
    fn with_notices(self, world: &World<'_>) -> Self {
        let calendar = &world.calendar;
        let mut dice = Dice::new(world.options.seed, ASIDE + self.number);
        let mut notice = |of: Option<Day>, late_permille| {
            let lag = u32::from(dice.chance(late_permille));
            of.map(|day| calendar.after(day, lag))
        };
        let suspension_notified = notice(self.suspended, 60);
        let extension_notified = notice(self.extended, 700).map(|day| calendar.after(day, u32::from(dice.chance(50))));
        let correction_requested =
            self.notified.filter(|_| dice.chance(30)).map(|day| calendar.after(day, dice.between(1, 15)));
        let lag = dice.one_of(&[1, 2, 2, 3, 3, 4, 4, 5, 5, 7]).unwrap_or(3);
        let corrected = correction_requested.filter(|_| !dice.chance(50)).map(|day| calendar.after(day, lag));
        Self { suspension_notified, extension_notified, correction_requested, corrected, ..self }
    }

    /// When the record was changed last: in the evening of the last event.
    fn changed(&self) -> Moment {
        let day = self.days().into_iter().flatten().max().unwrap_or(self.received.day);
        let second = 18 * 3600 + u32::try_from(self.number * 37 % 3600).unwrap_or_default();
        Moment { day, second: if day == self.received.day { second.max(self.received.second) } else { second } }
    }
}

/// Writes `contracts-2025.csv`, one file per year.
///
/// # Errors
/// [`GenerateError::Write`] if a file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::Contracts);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Windows1251), LINE_END);
    let n_applications = world.options.events * PER_THOUSAND_EVENTS / 1_000;
    let directions = Weights::new(DIRECTIONS.map(|direction| direction.1));
    let mut line = CsvLine::default();
    let mut number = 0;
    for load in world.loads(n_applications, &mut dice) {
        let file = format!("contracts-{}.csv", chrono::Datelike::year(&world.calendar.date(load.day)));
        for arrival in world.arrivals(load, &mut dice) {
            number += 1;
            let direction = dice.weighted(&directions);
            let whole = make(world, (number, n_applications), direction, arrival, &mut dice).with_notices(world);
            let application = whole.known_on(world.to);
            let defect = breakage.strike(&mut dice);
            let bytes = write_line(&mut line, world, &application, defect);
            if let Some(defect) = defect {
                tally.add_broken(defect);
                sink.put(&file, &bytes)?;
                continue;
            }
            tally.add_person(application.person.key());
            for (event, day) in application.days().into_iter().enumerate() {
                if let Some(day) = day {
                    tally.add_event(application.municipality, event, day);
                    application.tell_features(event, &mut tally);
                }
            }
            let n_rows_later = dice.between(3, 60);
            match (dice.below(1_000), application.decided) {
                // The system had exported the application before its decision.
                (0..=44, Some(decided)) if decided > application.received.day => {
                    let earlier = application.known_on(decided - 1);
                    sink.put(&file, &write_line(&mut line, world, &earlier, None))?;
                    sink.put_late(bytes, n_rows_later);
                    tally.later_states += 1;
                }
                // The same line came twice.
                (45..=64, _) => {
                    sink.put(&file, &bytes)?;
                    sink.put_late(bytes, n_rows_later);
                    tally.duplicate += 1;
                }
                _ => sink.put(&file, &bytes)?,
            }
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("leningrad_contracts", files, &world.territory, &world.calendar))
}

fn make(
    world: &World<'_>,
    (number, n_applications): (u64, u64),
    direction: usize,
    arrival: Arrival,
    dice: &mut Dice,
) -> Application {
    let calendar = &world.calendar;
    let municipality = world.territory.pick(dice);
    let pace = world.territory.municipalities.get(municipality).map_or(1_000, |place| place.pace);
    let person = Person::pick(&world.territory, municipality, n_applications * 3 + 50, dice);
    let ways: Vec<_> = CONTRACT_WAYS.iter().filter(|way| way.2 == arrival.through_portal).collect();
    let way = ways.get(dice.weighted(&Weights::new(ways.iter().map(|way| way.1)))).map_or("ЦСЗН", |way| way.0);
    let (code, _, is_business, (from, to)) = DIRECTIONS[direction];
    let categories =
        CONTRACT_CATEGORIES.map(|(_, weight, is_special)| if is_special == (code == "Б1") { weight } else { 0 });
    let category = CONTRACT_CATEGORIES[dice.weighted(&Weights::new(categories))].0;
    let received = arrival.at;
    let mut application = Application {
        number,
        direction,
        category,
        way,
        municipality,
        person,
        received,
        intake_refused: None,
        registered: None,
        suspended: None,
        resumed: None,
        extended: None,
        extension: "",
        decided: None,
        is_granted: false,
        ground: "",
        notified: None,
        paid: None,
        completed: None,
        suspension_notified: None,
        extension_notified: None,
        correction_requested: None,
        corrected: None,
        kopecks: u64::from(dice.between(from / 100, to / 100)) * 10_000,
    };
    if !arrival.through_portal && dice.chance(26) {
        application.intake_refused = Some(received.day);
        return application;
    }
    let is_after_hours = arrival.through_portal && received.second >= 18 * 3600;
    let lag = u32::from(is_after_hours) + u32::from(dice.chance(35)) * dice.between(1, 3);
    let registered = calendar.after(received.day, lag);
    application.registered = Some(registered);
    let mut now = registered;
    if dice.chance(140) {
        now = calendar.after(registered, dice.below(3));
        application.suspended = Some(now);
        now = calendar.after(now, dice.quantile(&RESUMED));
        if dice.chance(860) {
            application.resumed = Some(now);
        } else {
            // Nothing was brought: refused because of the term.
            return decide(application, world, calendar.after(now, 1), CONTRACT_GROUNDS[3].0, dice);
        }
    }
    now = calendar.after(now, dice.quantile(&COMPLETED) * pace / 1_000);
    application.completed = Some(now);
    if dice.chance(160) {
        let extensions =
            Weights::new(EXTENSIONS.map(|(_, weight, business)| if business && !is_business { 0 } else { weight }));
        application.extension = EXTENSIONS[dice.weighted(&extensions)].0;
        application.extended = Some(now);
        now = calendar.after(now, dice.between(2, 21));
    }
    now = calendar.after(now, dice.quantile(&DECIDED) * world.slowing(now) / 1_000);
    if dice.chance(250) {
        // The ground of income is not for direction Б1.
        let grounds = CONTRACT_GROUNDS.map(|(_, weight, is_income)| if is_income && code == "Б1" { 0 } else { weight });
        let ground = CONTRACT_GROUNDS[dice.weighted(&Weights::new(grounds))].0;
        return decide(application, world, now, ground, dice);
    }
    application.is_granted = true;
    let application = decide(application, world, now, "", dice);
    let paid = calendar.after(now, dice.quantile(&PAID) * pace / 1_000);
    Application { paid: Some(paid).filter(|_| !dice.chance(15)), ..application }
}

/// The decision and the day when it was sent; three working days are allowed.
fn decide(application: Application, world: &World<'_>, day: Day, ground: &'static str, dice: &mut Dice) -> Application {
    let lag = dice.one_of(&[0, 0, 1, 1, 1, 2, 2, 3, 3, 5]).unwrap_or(1);
    let notified = Some(world.calendar.after(day, lag)).filter(|_| !dice.chance(12));
    Application { decided: Some(day), ground, notified, ..application }
}

fn write_line(line: &mut CsvLine, world: &World<'_>, of: &Application, defect: Option<Defect>) -> Vec<u8> {
    let is = |kind: Defect| defect == Some(kind);
    let calendar = &world.calendar;
    let date = |row: &mut CsvLine, day: Option<Day>| {
        row.ascii(|into| {
            if let Some(day) = day {
                push_dotted(into, calendar, day);
            }
        });
    };
    let moment = |row: &mut CsvLine, at: Moment| {
        row.ascii(|into| {
            push_dotted(into, calendar, at.day);
            into.push(b' ');
            push_clock(into, at.second);
        });
    };
    let row = line.start();
    row.ascii(|into| {
        if !is(Defect::MissingNumber) {
            into.extend_from_slice(b"47-SK-");
            push_number(into, of.number, 6);
        }
    });
    row.field(if is(Defect::UnknownCode) { "Д" } else { DIRECTIONS[of.direction].0 });
    row.field(of.category).field(if is(Defect::UnknownWay) { "ФАКС" } else { of.way });
    let code = world.territory.municipalities.get(of.municipality).map_or("", |place| place.code.as_str());
    row.field(if is(Defect::UnknownMunicipality) { "41700000" } else { code });
    row.ascii(|into| of.person.write_number(into));
    if is(Defect::ImpossibleDate) {
        row.field("30.02.2025 10:00:00");
    } else {
        moment(row, of.received);
    }
    let registered = if is(Defect::DecisionBeforeApplication) { Some(of.received.day) } else { of.registered };
    for day in [of.intake_refused, registered, of.suspended, of.resumed, of.extended] {
        date(row, day);
    }
    row.field(if of.extended.is_some() { of.extension } else { "" });
    if is(Defect::DecisionBeforeApplication) {
        date(row, Some(of.received.day.saturating_sub(20)));
        row.field("отказано").field(CONTRACT_GROUNDS[0].0);
    } else {
        date(row, of.decided);
        row.field(match (of.decided, of.is_granted) {
            (None, _) => "",
            (Some(_), true) => "назначено",
            (Some(_), false) => "отказано",
        });
        row.field(if of.decided.is_some() && !of.is_granted { of.ground } else { "" });
    }
    date(row, of.notified);
    date(row, of.paid);
    if is(Defect::SumInWords) {
        row.field("сто тысяч");
    } else {
        row.ascii(|into| {
            if of.decided.is_some() && of.is_granted {
                push_sum(into, of.kopecks, b',');
            }
        });
    }
    for day in [of.completed, of.suspension_notified, of.extension_notified, of.correction_requested, of.corrected] {
        date(row, day);
    }
    moment(row, of.changed());
    row.end(Encoding::Windows1251, defect)
}

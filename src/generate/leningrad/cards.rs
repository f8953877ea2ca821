//! Applications for virtual cards and electronic certificates: one line per application, dates with times.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Moment;
use super::super::dice::{Dice, Weights};
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{push_clock, push_dotted, push_number, push_sum};
use super::super::world::{Arrival, World};
use super::super::{GenerateError, Register, RegisterReport};
use super::csv_line::{CsvLine, Encoding, LINE_END, header};
use super::lists::{CERTIFICATES, HOLDERS};

/// Applications for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 345;
const COLUMNS: &str = "Номер заявления;Вид;Подано;ОКТМО;СНИЛС;Льготная категория;Мера;Решение;Дата решения;\
                       Номинал, руб.;Отозвано";
const DEFECTS: [Defect; 7] = [
    Defect::ImpossibleDate,
    Defect::UnknownMunicipality,
    Defect::MissingNumber,
    Defect::DecisionBeforeApplication,
    Defect::UnknownCode,
    Defect::SumInWords,
    Defect::RaggedLine,
];
const EVENTS: [&str; 4] = ["applied", "issued", "refused", "expired"];

/// One application.
#[derive(Debug, Clone, Copy)]
pub(super) struct Card {
    number: u64,
    pub(super) municipality: usize,
    pub(super) person: Person,
    /// Place in [`HOLDERS`].
    pub(super) holder: usize,
    /// Place in [`CERTIFICATES`] and nominal value in kopecks; none for a virtual card.
    pub(super) certificate: Option<(usize, u64)>,
    applied: Moment,
    decided: Option<Moment>,
    is_issued: bool,
    expired: Option<Moment>,
    /// What is wrong with its line, so that no use of it can be shown.
    pub(super) defect: Option<Defect>,
    /// After how many rows its line comes a second time, if it does.
    resent_after: Option<u32>,
}

impl Card {
    /// Writes the number as in `47-VSK-0001234`.
    pub(super) fn write_number(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(if self.certificate.is_some() { b"47-ES-" } else { b"47-VSK-" });
        push_number(into, self.number, 7);
    }

    /// What the register calls it.
    fn kind(&self) -> &'static str {
        if self.certificate.is_some() {
            "Электронный сертификат"
        } else {
            "Виртуальная социальная карта"
        }
    }

    /// What its line says beside place and day: of what kind it is, and who holds it or what it pays.
    fn features(&self) -> [(&'static str, &'static str); 2] {
        let of_kind = match self.certificate {
            Some((place, _)) => ("measure", CERTIFICATES[place].1),
            None => ("holder", HOLDERS[self.holder].1),
        };
        [("kind", self.kind()), of_kind]
    }

    /// When it was issued, if it was.
    pub(super) fn issued(&self) -> Option<Moment> {
        self.decided.filter(|_| self.is_issued)
    }

    /// Whether it can be used at a moment.
    pub(super) fn is_valid(&self, at: Moment) -> bool {
        self.issued().is_some_and(|issued| issued < at) && self.expired.is_none_or(|expired| at < expired)
    }
}

/// Hands every application of a run to `take`, in order of time; the choices are always the same.
///
/// # Errors
/// Whatever `take` raises.
pub(super) fn for_each_card(
    world: &World<'_>,
    mut take: impl FnMut(Card) -> Result<(), GenerateError>,
) -> Result<(), GenerateError> {
    let mut dice = world.dice(Register::Cards);
    let n_cards = world.options.events * PER_THOUSAND_EVENTS / 1_000;
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let holders = Weights::new(HOLDERS.map(|(_, _, weight)| weight));
    let certificates = Weights::new(CERTIFICATES.map(|(_, _, weight, _)| weight));
    let mut number = 0;
    for load in world.loads(n_cards, &mut dice) {
        for arrival in world.arrivals(load, &mut dice) {
            number += 1;
            let certificate = dice.chance(120).then(|| dice.weighted(&certificates));
            let certificate = certificate.map(|place| {
                let (from, to) = CERTIFICATES[place].3;
                (place, u64::from(dice.between(from / 100, to / 100)) * 10_000)
            });
            let mut card = make(world, number, n_cards, arrival, &holders, &mut dice);
            card.certificate = certificate;
            card.defect = breakage.strike(&mut dice);
            card.resent_after = dice.chance(20).then(|| dice.between(2, 90));
            take(card)?;
        }
    }
    Ok(())
}

fn make(world: &World<'_>, number: u64, n_cards: u64, arrival: Arrival, holders: &Weights, dice: &mut Dice) -> Card {
    let municipality = world.territory.pick(dice);
    let person = Person::pick(&world.territory, municipality, n_cards * 4 + 50, dice);
    let applied = arrival.at;
    // Two of three applications are decided by the service itself within minutes.
    let decided = if dice.chance(660) && applied.second < 86_000 {
        Moment { second: applied.second + dice.between(20, 380), ..applied }
    } else {
        let n_days = dice.between(1, 4) * world.slowing(applied.day) / 1_000;
        world.calendar.step(applied, n_days, dice)
    };
    let decided = Some(decided).filter(|at| !dice.chance(12) && at.day <= world.to);
    let is_issued = !dice.chance(85);
    let expired = decided.filter(|_| is_issued && dice.chance(30));
    let expired = expired.map(|at| world.calendar.step(at, dice.between(40, 300), dice));
    Card {
        number,
        municipality,
        person,
        holder: person.position(holders),
        certificate: None,
        applied,
        decided,
        is_issued,
        expired: expired.filter(|at| at.day <= world.to),
        defect: None,
        resent_after: None,
    }
}

/// Writes `cards-2025.csv`, one file per year.
///
/// # Errors
/// [`GenerateError::Write`] if a file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, header(COLUMNS, Encoding::Utf8), LINE_END);
    let mut line = CsvLine::default();
    for_each_card(world, |card| {
        let file = format!("cards-{}.csv", chrono::Datelike::year(&world.calendar.date(card.applied.day)));
        let bytes = write_line(&mut line, world, &card);
        sink.put(&file, &bytes)?;
        if let Some(defect) = card.defect {
            tally.add_broken(defect);
            return Ok(());
        }
        tally.add_person(card.person.key());
        let decision = if card.is_issued { 1 } else { 2 };
        for (event, day) in
            [(0, Some(card.applied.day)), (decision, card.decided.map(|at| at.day)), (3, card.expired.map(|at| at.day))]
        {
            if let Some(day) = day {
                tally.add_event(card.municipality, event, day);
                tally.add_features(event, &card.features());
            }
        }
        if let Some(n_rows_later) = card.resent_after {
            sink.put_late(bytes, n_rows_later);
            tally.duplicate += 1;
        }
        Ok(())
    })?;
    let files = sink.finish()?;
    Ok(tally.report("leningrad_cards", files, &world.territory, &world.calendar))
}

fn write_line(line: &mut CsvLine, world: &World<'_>, card: &Card) -> Vec<u8> {
    let is = |kind: Defect| card.defect == Some(kind);
    let row = line.start();
    let moment = |into: &mut CsvLine, at: Option<Moment>| {
        into.ascii(|into| {
            if let Some(at) = at {
                push_dotted(into, &world.calendar, at.day);
                into.push(b' ');
                push_clock(into, at.second);
            }
        });
    };
    row.ascii(|into| {
        if !is(Defect::MissingNumber) {
            card.write_number(into);
        }
    });
    row.field(if is(Defect::UnknownCode) { "Бумажная карта" } else { card.kind() });
    if is(Defect::ImpossibleDate) {
        row.field("31.04.2025 25:00:00");
    } else {
        moment(row, Some(card.applied));
    }
    let code = world.territory.municipalities.get(card.municipality).map_or("", |place| place.code.as_str());
    row.field(if is(Defect::UnknownMunicipality) { "47000000" } else { code });
    row.ascii(|into| card.person.write_number(into));
    row.field(HOLDERS[card.holder].1);
    row.field(card.certificate.map_or("", |(place, _)| CERTIFICATES[place].1));
    if is(Defect::DecisionBeforeApplication) {
        row.field("отказано");
        moment(row, Some(Moment { day: card.applied.day.saturating_sub(3), ..card.applied }));
    } else {
        row.field(match (card.decided, card.is_issued) {
            (None, _) => "",
            (Some(_), true) => "выдано",
            (Some(_), false) => "отказано",
        });
        moment(row, card.decided);
    }
    if is(Defect::SumInWords) {
        row.field("тысяча рублей");
    } else {
        row.ascii(|into| {
            if let Some((_, kopecks)) = card.certificate {
                push_sum(into, kopecks, b',');
            }
        });
    }
    moment(row, card.expired);
    row.end(Encoding::Utf8, card.defect)
}

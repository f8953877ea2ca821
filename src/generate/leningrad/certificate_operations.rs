//! Operations of the state system of electronic certificates: one line of JSON per issue, purchase, return of goods and closing.

use super::super::breakage::{Breakage, Defect};
use super::super::days::Moment;
use super::super::dice::{Dice, Weights};
use super::super::people::Person;
use super::super::report::Tally;
use super::super::sink::Sink;
use super::super::text::{JsonLine, push_moment, push_number, push_sum};
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::lists::{CERTIFICATES, HOLDERS};

/// Certificates for a thousand events of cases.
const PER_THOUSAND_EVENTS: u64 = 30;
const FILE: &str = "certificate-operations.ndjson";
const DEFECTS: [Defect; 6] = [
    Defect::ImpossibleDate,
    Defect::UnknownMunicipality,
    Defect::MissingNumber,
    Defect::UnknownCode,
    Defect::SumInWords,
    Defect::CutLine,
];
const EVENTS: [&str; 4] = ["issued", "used", "refunded", "expired"];
/// What the system calls the operations, in the order of [`EVENTS`].
const OPERATIONS: [&str; 4] = ["выпуск", "покупка", "возврат", "закрытие"];

/// One operation.
#[derive(Debug, Clone, Copy)]
struct Operation {
    /// Place in [`OPERATIONS`].
    kind: usize,
    /// Number of the certificate.
    certificate: u64,
    municipality: usize,
    person: Person,
    /// Place in [`HOLDERS`].
    holder: usize,
    /// Place in [`CERTIFICATES`].
    measure: usize,
    at: Moment,
    kopecks: Option<u64>,
}

/// Writes `certificate-operations.ndjson`.
///
/// # Errors
/// [`GenerateError::Write`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut dice = world.dice(Register::CertificateOperations);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut sink = Sink::new(&world.options.out, Vec::new(), b"\n");
    let n_certificates = world.options.events * PER_THOUSAND_EVENTS / 1_000;
    let mut operations = Vec::new();
    let mut number = 0;
    for load in world.loads(n_certificates, &mut dice) {
        for arrival in world.arrivals(load, &mut dice) {
            number += 1;
            add_operations(world, (number, n_certificates), arrival.at, &mut operations, &mut dice);
        }
    }
    operations.sort_by_key(|operation: &Operation| (operation.at, operation.certificate, operation.kind));
    let mut line = Vec::new();
    for (number, operation) in operations.iter().enumerate() {
        let defect = breakage.strike(&mut dice);
        write_line(&mut line, world, number as u64 + 1, operation, defect);
        sink.put(FILE, &line)?;
        if let Some(defect) = defect {
            tally.add_broken(defect);
            continue;
        }
        tally.add_person(operation.person.key());
        tally.add_event(operation.municipality, operation.kind, operation.at.day);
        tally.add_features(operation.kind, &[("measure", CERTIFICATES[operation.measure].1)]);
        if let Some(kopecks) = operation.kopecks {
            tally.add_kopecks(operation.kind, kopecks);
        }
        if dice.chance(20) {
            sink.put_late(line.clone(), dice.between(2, 30));
            tally.duplicate += 1;
        }
    }
    let files = sink.finish()?;
    Ok(tally.report("leningrad_certificate_operations", files, &world.territory, &world.calendar))
}

/// The life of one certificate: issued, spent in parts, some goods returned, closed when its term ends.
fn add_operations(
    world: &World<'_>,
    (number, n_certificates): (u64, u64),
    issued: Moment,
    into: &mut Vec<Operation>,
    dice: &mut Dice,
) {
    let municipality = world.territory.pick(dice);
    let person = Person::pick(&world.territory, municipality, n_certificates * 5 + 50, dice);
    let measure = dice.weighted(&Weights::new(CERTIFICATES.map(|(_, _, weight, _)| weight)));
    let (from, to) = CERTIFICATES[measure].3;
    let nominal = u64::from(dice.between(from / 100, to / 100)) * 10_000;
    let first = Operation {
        kind: 0,
        certificate: number,
        municipality,
        person,
        holder: person.position(&Weights::new(HOLDERS.map(|(_, _, weight)| weight))),
        measure,
        at: issued,
        kopecks: Some(nominal),
    };
    let mut life = vec![first];
    let (mut left, mut now) = (nominal, issued);
    for _ in 0..dice.between(0, 4) {
        now = Moment { day: now.day + dice.between(2, 45), second: dice.between(9 * 3600, 21 * 3600) };
        let spent = (nominal * u64::from(dice.between(10, 40)) / 100).min(left);
        if spent == 0 {
            break;
        }
        left -= spent;
        let is_away = dice.chance(180);
        let municipality = if is_away { world.territory.pick(dice) } else { municipality };
        life.push(Operation { kind: 1, municipality, at: now, kopecks: Some(spent), ..first });
        if dice.chance(70) {
            let at = Moment { day: now.day + dice.between(1, 10), second: dice.between(9 * 3600, 21 * 3600) };
            let returned = spent / 2;
            left += returned;
            life.push(Operation { kind: 2, municipality, at, kopecks: Some(returned), ..first });
        }
    }
    let closed = Moment { day: issued.day + 365, second: 3 * 3600 };
    life.push(Operation { kind: 3, at: closed, kopecks: None, ..first });
    into.extend(life.into_iter().filter(|operation| operation.at.day <= world.to));
}

fn write_line(line: &mut Vec<u8>, world: &World<'_>, number: u64, of: &Operation, defect: Option<Defect>) {
    let is = |kind: Defect| defect == Some(kind);
    let mut json = JsonLine::start(line);
    json.quoted("operation_id", |into| {
        into.extend_from_slice(b"OP-");
        push_number(into, number, 8);
    });
    json.text("operation", if is(Defect::UnknownCode) { "обмен" } else { OPERATIONS[of.kind] });
    if is(Defect::ImpossibleDate) {
        json.text("at", "2025-11-31T12:00:00");
    } else {
        json.quoted("at", |into| push_moment(into, &world.calendar, of.at));
    }
    if !is(Defect::MissingNumber) {
        json.quoted("certificate", |into| {
            into.extend_from_slice(b"GIS-47-");
            push_number(into, of.certificate, 8);
        });
    }
    let code = world.territory.municipalities.get(of.municipality).map_or("", |place| place.code.as_str());
    json.text("oktmo", if is(Defect::UnknownMunicipality) { "41999999" } else { code });
    json.quoted("person", |into| of.person.write_number(into));
    json.text("category", HOLDERS[of.holder].0);
    json.text("measure", CERTIFICATES[of.measure].1);
    if is(Defect::SumInWords) {
        json.text("amount", "две тысячи");
    } else if let Some(kopecks) = of.kopecks {
        json.bare("amount", |into| push_sum(into, kopecks, b'.'));
    }
    json.end();
    if is(Defect::CutLine) {
        line.truncate(line.len() / 2);
        while line.last().is_some_and(|byte| *byte >= 0x80) {
            line.pop();
        }
    }
}

//! Uses of virtual cards and electronic certificates at partners: one row per use, Parquet with typed columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::super::breakage::{Breakage, Defect};
use super::super::days::Moment;
use super::super::dice::{Dice, Weights, fixed_number};
use super::super::load::VISITS;
use super::super::parquet_file::ParquetFile;
use super::super::report::{FileReport, Tally};
use super::super::text::push_number;
use super::super::world::World;
use super::super::{GenerateError, Register, RegisterReport};
use super::cards::{Card, for_each_card};
use super::lists::{HOLDERS, PARTNERS};

/// Tried uses for a thousand events of cases; those of cards that are not valid on the day fall away.
const TRIED_PER_THOUSAND_EVENTS: u64 = 2_050;
const FILE: &str = "card-uses.parquet";
const DEFECTS: [Defect; 4] =
    [Defect::UnknownMunicipality, Defect::MissingNumber, Defect::UnknownCode, Defect::ImpossibleDiscount];
const EVENTS: [&str; 1] = ["used"];
/// Moscow is three hours ahead of UTC.
const OFFSET_SECONDS: i64 = 3 * 3600;
const DISCOUNTS: [u32; 10] = [10, 10, 15, 20, 20, 30, 50, 50, 50, 100];

/// One use.
#[derive(Debug, Clone, Copy)]
struct Use {
    number: u64,
    at: Moment,
    municipality: usize,
    /// Place in [`PARTNERS`] and the partner's number there; none for a certificate.
    partner: Option<(usize, u32)>,
    discount: Option<u32>,
    kopecks: u64,
    defect: Option<Defect>,
}

/// Writes `card-uses.parquet`.
///
/// # Errors
/// [`GenerateError::Write`] or [`GenerateError::Parquet`] if the file cannot be written.
pub(in super::super) fn write(world: &World<'_>) -> Result<RegisterReport, GenerateError> {
    let mut cards = Vec::new();
    for_each_card(world, |card| {
        if card.issued().is_some() && card.defect.is_none() {
            cards.push(card);
        }
        Ok(())
    })?;
    let mut dice = world.dice(Register::CardUses);
    let mut breakage = Breakage::new(&DEFECTS, world.broken_per_million);
    let mut tally = Tally::new(&world.territory, &EVENTS);
    let mut rows = Rows::new();
    let mut file = ParquetFile::create(&world.options.out.join(FILE), &rows.schema)?;
    let partners = Weights::new(PARTNERS.map(|(_, weight, _, _)| weight));
    let n_cards = u32::try_from(cards.len()).unwrap_or(u32::MAX);
    let mut resent: Option<(Card, Use)> = None;
    let (mut number, mut n_rows) = (0, 0);
    for load in world.loads_of(VISITS, world.options.events * TRIED_PER_THOUSAND_EVENTS / 1_000, &mut dice) {
        let mut seconds: Vec<u32> = (0..load.n_rows).map(|_| dice.between(10 * 3600, 21 * 3600)).collect();
        seconds.sort_unstable();
        for second in seconds {
            let at = Moment { day: load.day, second };
            let Some(card) = cards.get(dice.below(n_cards) as usize).copied() else { continue };
            if !card.is_valid(at) {
                continue;
            }
            number += 1;
            let once = choose(world, &card, number, at, (&partners, &mut breakage), &mut dice);
            rows.push(world, &card, &once);
            n_rows += 1;
            if let Some(defect) = once.defect {
                tally.add_broken(defect);
            } else {
                tally.add_person(card.person.key());
                tally.add_event(once.municipality, 0, at.day);
                if let Some((kind, _)) = once.partner {
                    // A certificate has no partner, and its uses are none of a card.
                    tally.add_features(0, &[("partner_kind", PARTNERS[kind].0), ("holder", HOLDERS[card.holder].0)]);
                    tally.add_kopecks(0, once.kopecks);
                }
                if dice.chance(20) {
                    resent = Some((card, once));
                }
            }
            // A resent row comes a little later, when another row has been written.
            if let Some((card, again)) = resent.filter(|(_, again)| again.number + 5 <= number) {
                resent = None;
                rows.push(world, &card, &again);
                tally.duplicate += 1;
                n_rows += 1;
            }
            if rows.n_waiting >= ParquetFile::ROWS_PER_GROUP {
                file.append(&rows.take_batch())?;
            }
        }
    }
    file.append(&rows.take_batch())?;
    let bytes = file.finish()?;
    let files = [(FILE.to_owned(), FileReport { rows: n_rows, bytes })].into();
    Ok(tally.report("leningrad_card_uses", files, &world.territory, &world.calendar))
}

/// How many partners of each kind a municipality has, by its share of the people in millionths.
pub(super) fn n_partners(share: u32) -> u32 {
    1 + share / 45_000
}

fn choose(
    world: &World<'_>,
    card: &Card,
    number: u64,
    at: Moment,
    (partners, breakage): (&Weights, &mut Breakage),
    dice: &mut Dice,
) -> Use {
    let is_away = dice.chance(240);
    let municipality = if is_away { world.territory.pick(dice) } else { card.municipality };
    let defect = breakage.strike(dice);
    let Some((_, nominal)) = card.certificate else {
        let kind = dice.weighted(partners);
        let share = world.territory.municipalities.get(municipality).map_or(0, |place| place.share);
        let partner = dice.below(n_partners(share)) + 1;
        let (from, to) = PARTNERS[kind].3;
        let discount = dice.one_of(&DISCOUNTS).unwrap_or(10);
        let kopecks = u64::from(dice.between(from / 10, to / 10)) * 10 * u64::from(discount);
        return Use {
            number,
            at,
            municipality,
            partner: Some((kind, partner)),
            discount: Some(discount),
            kopecks,
            defect,
        };
    };
    let kopecks = nominal * u64::from(dice.between(5, 35)) / 100;
    Use { number, at, municipality, partner: None, discount: None, kopecks, defect }
}

/// Rows that wait to be written.
#[derive(Debug)]
struct Rows {
    schema: SchemaRef,
    n_waiting: usize,
    texts: [StringBuilder; 9],
    used_at: TimestampMicrosecondBuilder,
    discount: Float64Builder,
    amount: Float64Builder,
}

impl Rows {
    fn new() -> Self {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let mut fields: Vec<Field> =
            ["use", "card", "kind", "oktmo", "person", "category", "partner_kind", "partner", "ownership"]
                .map(text)
                .into();
        fields.push(Field::new("used_at", DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), true));
        fields.push(Field::new("discount", DataType::Float64, true));
        fields.push(Field::new("amount", DataType::Float64, true));
        Self {
            schema: Arc::new(Schema::new(fields)),
            n_waiting: 0,
            texts: std::array::from_fn(|_| StringBuilder::new()),
            used_at: TimestampMicrosecondBuilder::new().with_timezone("+00:00"),
            discount: Float64Builder::new(),
            amount: Float64Builder::new(),
        }
    }

    fn push(&mut self, world: &World<'_>, card: &Card, once: &Use) {
        let is = |kind: Defect| once.defect == Some(kind);
        let written = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = Vec::new();
            write(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let code = world.territory.municipalities.get(once.municipality).map_or("", |place| place.code.as_str());
        let partner = once.partner.map(|(kind, number)| format!("{code}-{}-{number}", PARTNERS[kind].0));
        let ownership = once.partner.zip(partner.as_deref()).map(|((kind, _), partner)| {
            if fixed_number(partner) % 1_000 < PARTNERS[kind].2 { "private" } else { "state" }
        });
        let partner_kind =
            once.partner.map(|(kind, _)| if is(Defect::UnknownCode) { "cinema" } else { PARTNERS[kind].0 });
        let kind = match card.certificate {
            Some(_) if is(Defect::UnknownCode) => "paper_certificate",
            Some(_) => "electronic_certificate",
            None => "virtual_card",
        };
        let use_id = written(&|into| {
            into.push(b'U');
            push_number(into, once.number, 9);
        });
        let card_number = written(&|into| card.write_number(into));
        let person = written(&|into| card.person.write_number(into));
        let values = [
            Some(use_id.as_str()),
            Some(card_number.as_str()).filter(|_| !is(Defect::MissingNumber)),
            Some(kind),
            Some(if is(Defect::UnknownMunicipality) { "41999000" } else { code }),
            Some(person.as_str()),
            Some(HOLDERS[card.holder].0),
            partner_kind,
            partner.as_deref(),
            ownership,
        ];
        for (builder, value) in self.texts.iter_mut().zip(values) {
            builder.append_option(value);
        }
        let midnight = world.calendar.date(once.at.day).and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
        self.used_at.append_value((midnight + i64::from(once.at.second) - OFFSET_SECONDS) * 1_000_000);
        let discount = if is(Defect::ImpossibleDiscount) { Some(250) } else { once.discount };
        self.discount.append_option(discount.map(f64::from));
        #[expect(clippy::cast_precision_loss, reason = "sums are far below 2⁵³ kopecks")]
        self.amount.append_value(once.kopecks as f64 / 100.0);
        self.n_waiting += 1;
    }

    fn take_batch(&mut self) -> Vec<ArrayRef> {
        self.n_waiting = 0;
        let mut columns: Vec<ArrayRef> =
            self.texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        columns.push(Arc::new(self.used_at.finish()));
        columns.push(Arc::new(self.discount.finish()));
        columns.push(Arc::new(self.amount.finish()));
        columns
    }
}

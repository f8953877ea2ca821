//! One appeal for support, before it is written in one form or another.

use super::super::GenerateError;
use super::super::Register;
use super::super::course::{Circumstances, Course};
use super::super::days::Day;
use super::super::dice::{Dice, Weights};
use super::super::people::Person;
use super::super::text::push_number;
use super::super::world::{Arrival, World};
use super::lists::{CATEGORIES, CHANNELS, GROUNDS, SUPPORTS, Support, habits};

/// Events that a thousand appeals have by the end of the usual period.
pub(super) const EVENTS_PER_THOUSAND: u64 = 3_800;

/// One appeal with everything that will ever happen to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Appeal {
    /// Year of registration.
    pub(super) year: u32,
    /// Number within the year, from 1.
    pub(super) number: u64,
    /// Place in the territory's list.
    pub(super) municipality: usize,
    pub(super) person: Person,
    pub(super) support: Support,
    /// Place in [`CATEGORIES`].
    pub(super) category: usize,
    /// Place in [`CHANNELS`].
    pub(super) channel: usize,
    /// Code of the ground, should it be refused.
    pub(super) ground: &'static str,
    pub(super) kopecks: Option<u64>,
    /// The whole course, also what lies after the end of the period.
    pub(super) course: Course,
}

impl Appeal {
    /// Writes the number as in `63-2025-000123`.
    pub(super) fn write_number(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(b"63-");
        push_number(into, u64::from(self.year), 4);
        into.push(b'-');
        push_number(into, self.number, 6);
    }
}

/// Makes appeals in order of registration.
#[derive(Debug)]
pub(super) struct Maker<'a> {
    world: &'a World<'a>,
    n_people: u64,
    supports: Weights,
    categories: Weights,
    grounds: Weights,
    in_office: Weights,
    through_portal: Weights,
    year: u32,
    number: u64,
}

impl<'a> Maker<'a> {
    pub(super) fn new(world: &'a World<'a>, n_appeals: u64) -> Self {
        let channels = |portal| {
            Weights::new(CHANNELS.map(|(_, _, weight, is_portal)| if is_portal == portal { weight } else { 0 }))
        };
        Self {
            world,
            n_people: n_appeals * 7 / 10 + 50,
            supports: Weights::new(SUPPORTS.map(|support| support.weight)),
            categories: Weights::new(CATEGORIES.map(|(_, _, weight)| weight)),
            grounds: Weights::new(GROUNDS.map(|(_, weight)| weight)),
            in_office: channels(false),
            through_portal: channels(true),
            year: 0,
            number: 0,
        }
    }

    fn make(&mut self, arrival: Arrival, year: u32, dice: &mut Dice) -> Appeal {
        if year != self.year {
            self.year = year;
            self.number = 0;
        }
        self.number += 1;
        let world = self.world;
        let municipality = world.territory.pick(dice);
        let person = Person::pick(&world.territory, municipality, self.n_people, dice);
        let support = SUPPORTS[dice.weighted(&self.supports)];
        let channels = if arrival.through_portal { &self.through_portal } else { &self.in_office };
        let channel = dice.weighted(channels);
        let (pace_of_agency, refused_permille) = habits(support.agency);
        let pace_of_place = world.territory.municipalities.get(municipality).map_or(1_000, |place| place.pace);
        let pace = pace_of_place * pace_of_agency / 1_000 * world.slowing(arrival.at.day) / 1_000;
        let of = Circumstances { pace, refused_permille };
        let course = Course::run(&world.calendar, arrival.at, of, dice);
        let ground = GROUNDS[dice.weighted(&self.grounds)].0;
        let kopecks = support.roubles.map(|(from, to)| u64::from(dice.between(from / 50, to / 50)) * 5_000);
        Appeal {
            year,
            number: self.number,
            municipality,
            person,
            support,
            category: person.position(&self.categories),
            channel,
            ground,
            kopecks,
            course,
        }
    }
}

/// Hands every appeal of a run to `take`, in order of registration, until it answers `false`.
///
/// # Errors
/// Whatever `take` raises.
pub(super) fn for_each_appeal(
    world: &World<'_>,
    register: Register,
    n_appeals: u64,
    mut take: impl FnMut(Appeal, &mut Dice) -> Result<bool, GenerateError>,
) -> Result<(), GenerateError> {
    let mut dice = world.dice(register);
    let mut maker = Maker::new(world, n_appeals);
    for load in world.loads(n_appeals, &mut dice) {
        let year = year_of(world, load.day);
        for arrival in world.arrivals(load, &mut dice) {
            let appeal = maker.make(arrival, year, &mut dice);
            if !take(appeal, &mut dice)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The year of a day.
fn year_of(world: &World<'_>, day: Day) -> u32 {
    chrono::Datelike::year(&world.calendar.date(day)).unsigned_abs()
}

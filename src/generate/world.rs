//! What all registers of one run share.

use super::days::{Calendar, Day, Moment};
use super::dice::Dice;
use super::load::{APPLICATIONS, DayLoad, Week, divide_by_day};
use super::territory::Territory;
use super::{GenerateError, GenerateOptions, Register};

/// Minutes of the day at which people use portals, as quantiles.
const PORTAL_MINUTES: [u16; 21] =
    [0, 45, 470, 530, 565, 600, 630, 660, 690, 725, 765, 810, 860, 910, 965, 1_025, 1_095, 1_165, 1_235, 1_310, 1_439];

/// The options of a run with the calendar and the territory that they need.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) options: &'a GenerateOptions,
    pub(super) calendar: Calendar,
    pub(super) territory: Territory,
    /// First day.
    pub(super) from: Day,
    /// Last day.
    pub(super) to: Day,
    /// Broken rows in a million.
    pub(super) broken_per_million: u32,
}

/// One thing that comes in: when, and whether through a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    /// When.
    pub(super) at: Moment,
    /// True if it came through a portal, at any hour of any day; false if it came to an office in its hours.
    pub(super) through_portal: bool,
}

impl<'a> World<'a> {
    /// Checks the options.
    ///
    /// # Errors
    /// [`GenerateError`] of the option that cannot be used.
    pub(super) fn new(options: &'a GenerateOptions) -> Result<Self, GenerateError> {
        if options.to < options.from {
            return Err(GenerateError::EmptyPeriod { from: options.from, to: options.to });
        }
        if !(0.0..=1.0).contains(&options.broken) {
            return Err(GenerateError::BadShare { share: options.broken });
        }
        if let Some(register) = options.only.filter(|register| register.region() != options.region) {
            return Err(GenerateError::NoSuchRegister { region: options.region, register });
        }
        let calendar = Calendar::load()?;
        let day = |day| calendar.day(day).ok_or(GenerateError::OutsideCalendar { day });
        let (from, to) = (day(options.from)?, day(options.to)?);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a million is small")]
        let broken_per_million = (options.broken * 1e6).round() as u32;
        Ok(Self { options, territory: Territory::load(options.region)?, calendar, from, to, broken_per_million })
    }

    /// The choices of one register.
    pub(super) fn dice(&self, register: Register) -> Dice {
        Dice::new(self.options.seed, register as u64 + 1)
    }

    /// Divides so many applications among the days of the run.
    pub(super) fn loads(&self, n_rows: u64, dice: &mut Dice) -> Vec<DayLoad> {
        self.loads_of(APPLICATIONS, n_rows, dice)
    }

    /// The same for weeks of another shape.
    pub(super) fn loads_of(&self, week: Week, n_rows: u64, dice: &mut Dice) -> Vec<DayLoad> {
        divide_by_day(&self.calendar, (self.from, self.to), week, n_rows, dice)
    }

    /// The arrivals of one day, in order of time.
    pub(super) fn arrivals(&self, load: DayLoad, dice: &mut Dice) -> Vec<Arrival> {
        let closes = if self.calendar.is_short(load.day) { 17 } else { 18 };
        let mut arrivals: Vec<Arrival> = (0..load.n_rows)
            .map(|_| {
                let through_portal = dice.chance(load.portal_permille);
                let second = if through_portal {
                    dice.quantile(&PORTAL_MINUTES) * 60 + dice.below(60)
                } else {
                    dice.between(9 * 3600, closes * 3600 - 1)
                };
                Arrival { at: Moment { day: load.day, second }, through_portal }
            })
            .collect();
        arrivals.sort_by_key(|arrival| arrival.at);
        arrivals
    }

    /// How much slower work has become since the first day, in thousandths: the backlog grows.
    pub(super) fn slowing(&self, day: Day) -> u32 {
        1_000 + day.saturating_sub(self.from) * 320 / (self.to - self.from).max(1)
    }
}

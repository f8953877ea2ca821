//! The course of one case: when it is taken up, suspended, decided, provided or withdrawn, and when never.

use super::days::{Calendar, Day, Moment};
use super::dice::Dice;

/// Working days from registration until somebody takes the case.
const TAKEN: [u16; 21] = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 8];
/// Working days from then until the decision.
const DECIDED: [u16; 21] = [1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 7, 8, 9, 10, 12, 14, 19, 34];
/// Working days from a favourable decision until the support has reached the person.
const PROVIDED: [u16; 21] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12, 14, 17, 21, 28, 40, 75];
/// Working days of a suspension.
const SUSPENDED: [u16; 21] = [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6, 8];

/// Something that happens to a case; the names are those of the contract of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]

pub(super) enum Step {
    Registered,
    Taken,
    Suspended,
    Resumed,
    Granted,
    Refused,
    Provided,
    Withdrawn,
}

impl Step {
    /// All steps, in the order in which they can happen.
    pub(super) const ALL: [Self; 8] = [
        Self::Registered,
        Self::Taken,
        Self::Suspended,
        Self::Resumed,
        Self::Granted,
        Self::Refused,
        Self::Provided,
        Self::Withdrawn,
    ];

    /// Name of the event in the contract.
    pub(super) fn event(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Taken => "taken",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Provided => "provided",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Status after this step, as the register shows it.
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::Registered => "Новое",
            Self::Taken | Self::Resumed => "В работе",
            Self::Suspended => "Приостановлено",
            Self::Granted => "Назначено",
            Self::Refused => "Отказано",
            Self::Provided => "Оказано",
            Self::Withdrawn => "Отозвано",
        }
    }
}

/// What makes one case slower and less successful than another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    /// Lags in thousandths of the usual ones.
    pub(super) pace: u32,
    /// Of a thousand decisions, how many refuse.
    pub(super) refused_permille: u32,
}

/// The steps of a case in order of time, each at most once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Course {
    moments: [Option<Moment>; Step::ALL.len()],
}

impl Course {
    /// Lets a case run from its registration to its end, however far away that is.
    pub(super) fn run(calendar: &Calendar, registered: Moment, of: Circumstances, dice: &mut Dice) -> Self {
        let mut course = Self::default();
        let wait = |quantiles: &[u16; 21], dice: &mut Dice| (dice.quantile(quantiles) * of.pace + 500) / 1000;
        course.set(Step::Registered, registered);
        let lag = wait(&TAKEN, dice);
        let mut now = calendar.step(registered, lag, dice);
        if dice.chance(8) {
            course.set(Step::Withdrawn, calendar.step(now, dice.below(6), dice));
            return course;
        }
        course.set(Step::Taken, now);
        let is_suspended = dice.chance(55);
        if is_suspended {
            now = calendar.step(now, dice.below(3), dice);
            course.set(Step::Suspended, now);
            let n_days = dice.quantile(&SUSPENDED);
            now = calendar.step(now, n_days, dice);
            if dice.chance(850) {
                course.set(Step::Resumed, now);
            } else {
                course.set(Step::Refused, calendar.step(now, 1, dice));
                return course;
            }
        }
        // Some cases lie for ever; where work is slow, more of them.
        if dice.chance(38 * of.pace / 1000 * of.pace / 1000) {
            return course;
        }
        let lag = wait(&DECIDED, dice);
        let decided = calendar.step(now, lag.max(u32::from(is_suspended)), dice);
        if dice.chance(18) {
            course.set(Step::Withdrawn, calendar.step(now, dice.below(lag + 1), dice));
            return course;
        }
        if dice.chance(of.refused_permille) {
            course.set(Step::Refused, decided);
            return course;
        }
        course.set(Step::Granted, decided);
        if !dice.chance(30 * of.pace / 1000) {
            let lag = wait(&PROVIDED, dice);
            course.set(Step::Provided, calendar.step(decided, lag, dice));
        }
        course
    }

    /// Records a step.
    pub(super) fn set(&mut self, step: Step, at: Moment) {
        self.moments[step as usize] = Some(at);
    }

    /// When a step was done.
    pub(super) fn at(&self, step: Step) -> Option<Moment> {
        self.moments[step as usize]
    }

    /// What an export at the end of a day shows: later steps are not known yet.
    pub(super) fn known_on(&self, day: Day) -> Self {
        Self { moments: self.moments.map(|moment| moment.filter(|moment| moment.day <= day)) }
    }

    /// The steps in order of time.
    pub(super) fn steps(&self) -> impl Iterator<Item = (Step, Moment)> + '_ {
        Step::ALL.into_iter().filter_map(|step| self.at(step).map(|moment| (step, moment)))
    }

    /// The last step.
    pub(super) fn last(&self) -> Option<(Step, Moment)> {
        self.steps().last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn courses(pace: u32, n: usize) -> Vec<Course> {
        let calendar = Calendar::load().unwrap();
        let mut dice = Dice::new(11, 0);
        let of = Circumstances { pace, refused_permille: 110 };
        (0..n)
            .map(|place| {
                let registered =
                    Moment { day: 1_000 + u32::try_from(place % 300).unwrap(), second: dice.below(86_400) };
                Course::run(&calendar, registered, of, &mut dice)
            })
            .collect()
    }

    #[test]
    fn steps_stand_in_order_of_time() {
        for course in courses(1_000, 5_000) {
            let moments: Vec<Moment> = course.steps().map(|step| step.1).collect();
            assert!(moments.is_sorted_by(|earlier, later| earlier < later), "{course:?}");
        }
    }

    #[test]
    fn most_cases_end_well_and_slow_places_fare_worse() {
        let provided = |pace| courses(pace, 5_000).iter().filter(|course| course.at(Step::Provided).is_some()).count();
        let (quick, slow) = (provided(800), provided(1_250));
        assert!((3_700..4_400).contains(&quick), "{quick}");
        assert!(slow + 100 < quick, "{slow} {quick}");
    }

    #[test]
    fn an_export_knows_only_its_past() {
        let course = courses(1_000, 1)[0];
        let first = course.at(Step::Registered).unwrap();
        assert_eq!(course.known_on(first.day - 1).last(), None);
        assert!(course.known_on(first.day).at(Step::Registered).is_some());
    }
}

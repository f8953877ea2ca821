//! How far a fact attains its plan.

use serde::Serialize;
use utoipa::ToSchema;

use super::declaration::Direction;
use crate::domain::figure::Figure;

/// How far a fact attains its plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Attainment {
    /// Percent of the plan, not cut at 100; none where the ratio says nothing.
    pub percent: Option<f64>,
    /// The same, cut at 100, as methods of state programmes take it into a mean.
    pub capped_percent: Option<f64>,
    /// The judgement.
    pub state: AttainmentState,
}

/// Whether a plan is attained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttainmentState {
    /// The fact is as good as the plan, or better.
    Attained,
    /// The period is over and the fact is worse than the plan.
    Missed,
    /// The period is not over; the percentage tells the progress.
    NotDue,
    /// Nothing is planned.
    NoPlan,
    /// The fact is not known.
    NoFact,
    /// Neither more nor less is better.
    NoDirection,
}

/// Attainment of a plan, by the direction of the indicator: fact / plan where more is better, plan / fact where less is.
///
/// | case | percent | state |
/// |---|---|---|
/// | no plan; no fact; no direction | – | `no_plan`; `no_fact`; `no_direction` |
/// | the period is not over | as below | `not_due` |
/// | rising, plan above zero | fact / plan × 100; a negative fact gives a negative percentage | fact ≥ plan |
/// | rising, plan zero or below | –, for a ratio would say nothing or turn round | fact ≥ plan |
/// | falling, fact above zero, plan zero or above | plan / fact × 100; with plan zero it is 0 | fact ≤ plan |
/// | falling, fact zero, plan zero or above | 100: what should vanish has vanished | attained |
/// | falling, plan or fact below zero | –, for the same reason | fact ≤ plan |
#[must_use]
pub fn attain(direction: Direction, fact: Figure, plan: Option<f64>, is_over: bool) -> Attainment {
    let none = |state| Attainment { percent: None, capped_percent: None, state };
    let Some(plan) = plan else { return none(AttainmentState::NoPlan) };
    let Some(fact) = fact.value else { return none(AttainmentState::NoFact) };
    let (percent, is_attained) = match direction {
        Direction::None => return none(AttainmentState::NoDirection),
        Direction::Up => ((plan > 0.0).then(|| fact * 100.0 / plan), fact >= plan),
        Direction::Down if fact < 0.0 || plan < 0.0 => (None, fact <= plan),
        Direction::Down if fact == 0.0 => (Some(100.0), true),
        Direction::Down => (Some(plan * 100.0 / fact), fact <= plan),
    };
    let state = match (is_over, is_attained) {
        (false, _) => AttainmentState::NotDue,
        (true, true) => AttainmentState::Attained,
        (true, false) => AttainmentState::Missed,
    };
    Attainment { percent, capped_percent: percent.map(|percent| percent.min(100.0)), state }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::figure::State;

    #[test]
    fn every_case_of_zero_and_sign() {
        use AttainmentState::{Attained, Missed, NoDirection, NoFact, NoPlan, NotDue};
        use Direction::{Down, None as Neither, Up};
        let cases = [
            // rising
            (Up, 90.0, Some(100.0), true, Some(90.0), Missed),
            (Up, 120.0, Some(100.0), true, Some(120.0), Attained),
            (Up, -20.0, Some(100.0), true, Some(-20.0), Missed),
            (Up, 0.0, Some(0.0), true, None, Attained),
            (Up, 5.0, Some(0.0), true, None, Attained),
            (Up, -5.0, Some(0.0), true, None, Missed),
            (Up, -5.0, Some(-10.0), true, None, Attained),
            (Up, -20.0, Some(-10.0), true, None, Missed),
            // falling
            (Down, 50.0, Some(40.0), true, Some(80.0), Missed),
            (Down, 40.0, Some(50.0), true, Some(125.0), Attained),
            (Down, 0.0, Some(0.0), true, Some(100.0), Attained),
            (Down, 0.0, Some(5.0), true, Some(100.0), Attained),
            (Down, 5.0, Some(0.0), true, Some(0.0), Missed),
            (Down, -5.0, Some(5.0), true, None, Attained),
            (Down, 5.0, Some(-5.0), true, None, Missed),
            // the rest
            (Up, 30.0, Some(100.0), false, Some(30.0), NotDue),
            (Up, 30.0, None, true, None, NoPlan),
            (Neither, 30.0, Some(100.0), true, None, NoDirection),
        ];
        for (direction, fact, plan, is_over, percent, state) in cases {
            let found = attain(direction, Figure::new(fact), plan, is_over);
            assert_eq!((found.percent, found.state), (percent, state), "{direction:?} {fact} of {plan:?}");
            assert_eq!(found.capped_percent, percent.map(|percent| percent.min(100.0)));
        }
        let unknown = attain(Up, Figure::without(State::NotReported), Some(1.0), true);
        assert_eq!((unknown.percent, unknown.state), (None, NoFact));
    }
}

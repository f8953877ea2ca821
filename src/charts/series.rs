//! Figures in order, and what they stand for.

use crate::domain::figure::{Figure, State};

/// Figures over common buckets or labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Name at the end of the line or beside the parts.
    pub name: String,
    /// What they stand for.
    pub role: Role,
    /// A figure per bucket or label.
    pub points: Vec<Figure>,
}

/// What a mark stands for, which decides its colour and stroke.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// What the chart is about.
    #[default]
    Subject,
    /// What it is compared with.
    Context,
    /// What was planned.
    Plan,
    /// What is expected.
    Forecast,
    /// One of several equal categories.
    Category(usize),
}

/// The sign of a value that is not there; nothing where a value stands or none is due.
pub(super) fn absent_sign(state: State) -> &'static str {
    match state {
        State::Suppressed => "••",
        State::Missing => "–",
        State::Value | State::Provisional | State::NotDue | State::NotReported => "",
    }
}

/// Unbroken runs of values with the position of their first.
pub(super) fn runs<T: Copy>(values: &[Option<T>]) -> Vec<(usize, Vec<T>)> {
    let mut found: Vec<(usize, Vec<T>)> = Vec::new();
    let mut is_broken = true;
    for (index, value) in values.iter().enumerate() {
        match (value, found.last_mut()) {
            (Some(value), Some((_, run))) if !is_broken => run.push(*value),
            (Some(value), _) => found.push((index, vec![*value])),
            (None, _) => {}
        }
        is_broken = value.is_none();
    }
    found
}

/// A count as a number.
pub(super) fn count(n_things: usize) -> f64 {
    u32::try_from(n_things).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_break_the_line() {
        let values = [Some(1.0), None, Some(2.0), Some(3.0), None];
        assert_eq!(runs(&values), [(0, vec![1.0]), (2, vec![2.0, 3.0])]);
    }
}

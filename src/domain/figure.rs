//! A figure and its state: missing, zero, suppressed, not due and not reported are different things.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is known about a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is a value, which may be zero.
    #[default]
    Value,
    /// There is a value that later data may still change.
    Provisional,
    /// Nothing is known, for instance a ratio whose denominator is zero.
    Missing,
    /// Hidden by disclosure control.
    Suppressed,
    /// The time for which a value is expected has not come.
    NotDue,
    /// A value was expected and nobody sent it.
    NotReported,
}

impl State {
    /// Whether a number stands behind this state.
    #[must_use]
    pub fn has_value(self) -> bool {
        matches!(self, Self::Value | Self::Provisional)
    }

    /// The code of this state in the SDMX code list `CL_OBS_STATUS`. Each state has its own; a zero is a value like others.
    #[must_use]
    pub fn obs_status(self) -> &'static str {
        match self {
            Self::Value => "A",
            Self::Provisional => "P",
            Self::Missing => "M",
            Self::Suppressed => "Q",
            Self::NotDue => "O",
            Self::NotReported => "L",
        }
    }
}

/// One number with its state. `value` is `Some` exactly where [`State::has_value`] holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Figure {
    /// The number, in the unit of its indicator.
    pub value: Option<f64>,
    /// What is known about it.
    pub state: State,
}

impl Figure {
    /// A known value; a non-finite one counts as missing.
    #[must_use]
    pub fn new(value: f64) -> Self {
        if value.is_finite() { Self { value: Some(value), state: State::Value } } else { Self::without(State::Missing) }
    }

    /// The same, marked as one that later data may still change; an absent value stays as it is.
    #[must_use]
    pub fn provisional(self) -> Self {
        if self.state == State::Value { Self { state: State::Provisional, ..self } } else { self }
    }

    /// The absence of a value, for a reason.
    #[must_use]
    pub fn without(state: State) -> Self {
        debug_assert!(!state.has_value());
        Self { value: None, state }
    }
}

impl From<Option<f64>> for Figure {
    fn from(value: Option<f64>) -> Self {
        value.map_or_else(|| Self::without(State::Missing), Self::new)
    }
}

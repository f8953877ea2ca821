//! A request for the values of one indicator.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use utoipa::IntoParams;

use super::error::ApiError;
use super::params::{FromParams, Params, unknown_parameter};
use super::view::{read_snapshot, take_period};
use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};
use crate::indicators::{Dimension, Indicator, PlanVersion, Query};

/// Names of the parameters that every indicator has; all others are its dimensions.
const PARAMETERS: [&str; 7] = ["as_of", "by", "from", "grain", "lang", "plan", "to"];

/// What a request for values says.
#[derive(Debug, Clone)]
pub(crate) struct ValuesParams {
    /// Language of labels.
    pub lang: Lang,
    /// Version of the plan that stands beside the values.
    pub plan: Option<PlanVersion>,
    by: Vec<String>,
    period: Option<Period>,
    grain: Option<Grain>,
    as_of: Option<u64>,
    filters: IndexMap<String, Vec<String>>,
}

/// The parameters of a request for values, for the documentation of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `ValuesParams` reads")]
pub(crate) struct ValuesParamsDoc {
    /// Dimensions to cut by, repeated or with commas.
    #[param(example = "municipality")]
    by: Option<String>,
    /// First point of the period: `2024`, `2024-Q2`, `2024-03` or `2024-03-15`; comes with `to`.
    #[param(example = "2024-01")]
    from: Option<String>,
    /// Last point of the period, itself included.
    #[param(example = "2024-06")]
    to: Option<String>,
    /// Length of a bucket: `day`, `week`, `month`, `quarter` or `year`; one value for the whole period if not said.
    grain: Option<String>,
    /// Number of the snapshot to read; the last if not said.
    as_of: Option<u64>,
    /// Language of labels: `ru` or `en`.
    lang: Option<String>,
    /// Version of the plan that stands beside each value: `initial`, `current`, or that of a day, `2024-03-15`; none if not said.
    #[param(example = "current")]
    plan: Option<String>,
    /// Codes by dimension, each dimension under its own name: `municipality=36701000`; repeated or with commas.
    #[param(style = Form, explode)]
    dimensions: Option<BTreeMap<String, String>>,
}

impl FromParams for ValuesParams {
    fn from_params(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            as_of: params.take_as("as_of", read_snapshot)?,
            lang: params.take_as("lang", str::parse)?.unwrap_or_default(),
            plan: params.take_as("plan", str::parse)?,
            by: params.take_list("by"),
            period: take_period(params)?,
            grain: params.take_as("grain", str::parse)?,
            filters: params.take_rest(),
        })
    }

    fn names() -> &'static [&'static str] {
        &PARAMETERS
    }
}

impl ValuesParams {
    /// The query.
    ///
    /// # Errors
    /// [`ApiError::BadParameter`] for a parameter that is neither common nor a dimension of the indicator.
    pub(crate) fn check(&self, indicator: &Indicator) -> Result<Query, ApiError> {
        let dimensions = || indicator.entity().dimensions().iter().map(Dimension::name);
        if let Some(name) = self.filters.keys().find(|name| !dimensions().any(|dimension| dimension == name.as_str())) {
            return Err(unknown_parameter(name, dimensions().chain(PARAMETERS)));
        }
        Ok(Query {
            indicator: indicator.id().to_owned(),
            by: self.by.clone(),
            filters: self.filters.clone(),
            period: self.period,
            grain: self.grain,
            as_of: self.as_of,
        })
    }
}

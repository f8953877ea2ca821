//! A request for the values of one indicator.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use utoipa::IntoParams;

use super::error::ApiError;
use super::params::{FromParams, Params, unknown_parameter};
use super::view::{read_snapshot, take_period};
use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};
use crate::indicators::{Against, Cumulate, Dimension, Indicator, PlanVersion, Query};

/// Names of the parameters that every indicator has; all others are its dimensions.
const PARAMETERS: [&str; 12] = [
    "as_of",
    "by",
    "compare",
    "cumulative",
    "from",
    "grain",
    "lang",
    "per_working_day",
    "plan",
    "rolling",
    "share",
    "to",
];

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
    pub as_of: Option<u64>,
    compare: Vec<Against>,
    cumulate: Option<Cumulate>,
    rolling: Option<u32>,
    per_working_day: bool,
    share: bool,
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
    /// First point of the period: `2024`, `2024-H1`, `2024-Q2`, `2024-03` or `2024-03-15`; comes with `to`.
    #[param(example = "2024-01")]
    from: Option<String>,
    /// Last point of the period, itself included.
    #[param(example = "2024-06")]
    to: Option<String>,
    /// Length of a bucket: `day`, `week`, `month`, `quarter`, `half_year` or `year`; one value for the whole period if not said.
    grain: Option<String>,
    /// What each value is compared with: `previous`, `year_ago`, or both with a comma. A bucket that is not over is compared
    /// with the same part of the others.
    #[param(example = "previous,year_ago")]
    compare: Option<String>,
    /// A running total beside each value, which starts anew with every `month`, `quarter`, `half_year` or `year`, or with the `period`.
    cumulative: Option<String>,
    /// A value over the last so many buckets beside each one, its own bucket included; from 2.
    #[param(example = 12)]
    rolling: Option<u32>,
    /// `true` to give each value per working day as well.
    per_working_day: Option<bool>,
    /// `true` to give the share of each row in the sum of its bucket as well, in percent.
    share: Option<bool>,
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
            compare: read_all("compare", &params.take_list("compare"))?,
            cumulate: params.take_as("cumulative", str::parse)?,
            rolling: params
                .take_as("rolling", |text| text.parse().map_err(|_| "is not a number of buckets".to_owned()))?,
            per_working_day: params.take_as("per_working_day", read_flag)?.unwrap_or_default(),
            share: params.take_as("share", read_flag)?.unwrap_or_default(),
            filters: params.take_rest(),
        })
    }

    fn names() -> &'static [&'static str] {
        &PARAMETERS
    }
}

fn read_flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("`{text}` is neither `true` nor `false`"))
}

fn read_all(name: &str, texts: &[String]) -> Result<Vec<Against>, ApiError> {
    let read = texts.iter().map(|text| text.parse());
    read.collect::<Result<_, String>>().map_err(|message| ApiError::bad_parameter(name, message))
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
            compare: self.compare.clone(),
            cumulate: self.cumulate,
            rolling: self.rolling,
            per_working_day: self.per_working_day,
            share: self.share,
            coverage: true,
        })
    }
}

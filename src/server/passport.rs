//! An indicator and its passport as the API tells them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dashboards::{Passport, describe_indicator};
use crate::domain::language::Lang;
use crate::indicators::{Additivity, Indicator, Thresholds};
use crate::project::Project;

/// One indicator, in the language asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IndicatorResponse {
    /// What there is to know about it.
    #[serde(flatten)]
    pub passport: Passport,
    /// How values go together over time and dimensions.
    pub additivity: Additivity,
    /// The entity that is counted.
    pub entity: String,
    /// The date that a period and a grain cut.
    pub time: String,
    /// What is measured.
    pub measures: Vec<MeasureResponse>,
    /// What the indicator may be cut and filtered by.
    pub dimensions: Vec<DimensionResponse>,
    /// Dimensions that a request must cut by or fix to one value.
    pub requires: Vec<String>,
    /// Values at which the traffic light changes.
    pub thresholds: Option<Thresholds>,
    /// Address of its values.
    pub values: String,
}

/// One measure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeasureResponse {
    /// Name, as the formula uses it.
    pub name: String,
    /// How its values go together.
    pub additivity: Additivity,
}

/// Something that an indicator may be cut and filtered by.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DimensionResponse {
    /// Name of the parameter.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// The code list of its values, where there is one.
    pub list: Option<String>,
}

impl IndicatorResponse {
    /// The indicator in one language.
    #[must_use]
    pub(crate) fn of(project: &Project, indicator: &Indicator, lang: Lang) -> Self {
        let dimensions = indicator.entity().dimensions().iter().map(|dimension| DimensionResponse {
            name: dimension.name().to_owned(),
            title: dimension.title().get(lang).to_owned(),
            list: dimension.list().map(str::to_owned),
        });
        let measures = indicator.measures().iter();
        Self {
            passport: describe_indicator(indicator, &project.reference, lang),
            additivity: indicator.additivity(),
            entity: indicator.entity().name().to_owned(),
            time: indicator.time().to_owned(),
            measures: measures
                .map(|measure| MeasureResponse { name: measure.name().to_owned(), additivity: measure.additivity() })
                .collect(),
            dimensions: dimensions.collect(),
            requires: indicator.requires().to_vec(),
            thresholds: indicator.thresholds(),
            values: format!("/api/v1/indicators/{}/values", indicator.id()),
        }
    }
}

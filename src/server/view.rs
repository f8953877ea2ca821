//! What a reader chose: language, theme, period, grain, snapshot and filters. The address of a page holds it all, so
//! that a link is a view.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use url::form_urlencoded::Serializer;
use utoipa::IntoParams;

use super::error::ApiError;
use super::params::{FromParams, Params, advise, unknown_parameter};
use crate::charts::Theme;
use crate::dashboards::{Dashboard, WidgetRequest};
use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};
use crate::indicators::{Dimension, Entity, Indicator};
use crate::project::Project;

/// Names of the parameters that every view has; all others are dimensions.
pub(crate) const VIEW_PARAMETERS: [&str; 6] = ["as_of", "from", "grain", "lang", "theme", "to"];

/// What a reader chose.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct View {
    /// Language of texts and numbers.
    pub lang: Lang,
    /// Light or dark; as the reader's system has it if not said.
    pub theme: Option<Theme>,
    /// Both months included; the dashboard's own period if not said.
    pub period: Option<Period>,
    /// Length of a bucket; the widget's own if not said.
    pub grain: Option<Grain>,
    /// Number of the snapshot to read; the last if not said.
    pub as_of: Option<u64>,
    /// Codes by dimension.
    pub filters: IndexMap<String, Vec<String>>,
}

/// The parameters of a view, for the documentation of the API.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `View` reads")]
pub(crate) struct ViewParams {
    /// First point of the period: `2024`, `2024-Q2`, `2024-03` or `2024-03-15`; comes with `to`.
    #[param(example = "2024-01")]
    from: Option<String>,
    /// Last point of the period, itself included.
    #[param(example = "2024-06")]
    to: Option<String>,
    /// Length of a bucket of time: `day`, `week`, `month`, `quarter` or `year`.
    grain: Option<String>,
    /// Number of the snapshot to read; the last if not said.
    as_of: Option<u64>,
    /// Language of titles, labels and sentences: `ru` or `en`.
    lang: Option<String>,
    /// Colours of a picture: `light` or `dark`.
    theme: Option<String>,
    /// Codes by dimension, each dimension under its own name: `municipality=36701000`; repeated or with commas.
    #[param(style = Form, explode)]
    dimensions: Option<BTreeMap<String, String>>,
}

impl FromParams for View {
    fn from_params(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            lang: params.take_as("lang", str::parse)?.unwrap_or_default(),
            theme: params.take_as("theme", read_theme)?,
            period: take_period(params)?,
            grain: params.take_as("grain", str::parse)?,
            as_of: params.take_as("as_of", read_snapshot)?,
            filters: params.take_rest(),
        })
    }

    fn names() -> &'static [&'static str] {
        &VIEW_PARAMETERS
    }
}

impl View {
    /// Refuses a filter by a dimension that is not among `known`, with the nearest name.
    ///
    /// # Errors
    /// [`ApiError::BadParameter`] with the first such name.
    pub(crate) fn check_filters<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> Result<(), ApiError> {
        let known: Vec<&str> = known.into_iter().collect();
        match self.filters.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(unknown_parameter(name, known.into_iter().chain(VIEW_PARAMETERS))),
            None => Ok(()),
        }
    }

    /// What the widgets of a dashboard are asked for.
    ///
    /// # Errors
    /// [`ApiError::BadParameter`], if a filter is by nothing that the dashboard has, or its value is in no code list.
    pub(crate) fn request(&self, project: &Project, dashboard: &Dashboard) -> Result<WidgetRequest, ApiError> {
        let indicators = dashboard.widgets.iter().flat_map(|widget| &widget.indicators);
        let entities: Vec<&Entity> =
            indicators.filter_map(|id| project.indicators.get(id)).map(Indicator::entity).collect();
        let dimensions = entities.iter().flat_map(|entity| entity.dimensions().iter().map(Dimension::name));
        self.check_filters(dimensions.chain(dashboard.filters.iter().map(String::as_str)))?;
        for (name, codes) in &self.filters {
            let dimension = entities.iter().find_map(|entity| entity.dimension(name));
            let Some(list) = dimension.and_then(Dimension::list).and_then(|list| project.reference.list(list)) else {
                continue;
            };
            if let Some(code) = codes.iter().find(|code| !list.contains(code)) {
                let advice = advise(code, list.codes().iter().map(String::as_str));
                return Err(ApiError::bad_parameter(name, format!("has no value `{code}`; {advice}")));
            }
        }
        Ok(WidgetRequest {
            lang: self.lang,
            filters: self.filters.clone(),
            period: self.period,
            grain: self.grain,
            as_of: self.as_of,
        })
    }

    /// A link to another page in the same language, theme and snapshot.
    #[must_use]
    pub(crate) fn link(&self, path: &str) -> String {
        with_query(path, self.write_common())
    }

    /// A link with everything that was chosen.
    #[must_use]
    pub(crate) fn link_with_choice(&self, path: &str) -> String {
        let mut query = self.write_common();
        if let Some(period) = self.period {
            query.append_pair("from", &point(period.from, Grain::Month.start(period.from) == period.from));
            query.append_pair("to", &point(period.to, Grain::Month.end(period.to) == period.to));
        }
        if let Some(grain) = self.grain {
            query.append_pair("grain", grain.code());
        }
        for (name, codes) in &self.filters {
            query.append_pair(name, &codes.join(","));
        }
        with_query(path, query)
    }

    /// The same choice without one filter.
    #[must_use]
    pub(crate) fn without_filter(&self, name: &str) -> Self {
        let mut view = self.clone();
        view.filters.shift_remove(name);
        view
    }

    fn write_common(&self) -> Serializer<'static, String> {
        let mut query = Serializer::new(String::new());
        if self.lang == Lang::En {
            query.append_pair("lang", self.lang.code());
        }
        if let Some(theme) = self.theme {
            query.append_pair("theme", theme_code(theme));
        }
        if let Some(number) = self.as_of {
            query.append_pair("as_of", &number.to_string());
        }
        query
    }
}

/// `light` or `dark`.
#[must_use]
pub(crate) fn theme_code(theme: Theme) -> &'static str {
    match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    }
}

/// Takes `from` and `to`, which stand together.
///
/// # Errors
/// [`ApiError::BadParameter`], if one is missing, or they are no period.
pub(crate) fn take_period(params: &mut Params) -> Result<Option<Period>, ApiError> {
    match (params.take_one("from")?, params.take_one("to")?) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(ApiError::bad_parameter("to", "is missing: a period has `from` and `to`")),
        (None, Some(_)) => Err(ApiError::bad_parameter("from", "is missing: a period has `from` and `to`")),
        (Some(from), Some(to)) => Period::parse(&from, &to)
            .map(Some)
            .map_err(|message| ApiError::bad_parameter("from", format!("and `to`: {message}"))),
    }
}

/// Reads the number of a snapshot.
///
/// # Errors
/// A sentence, if it is none.
pub(crate) fn read_snapshot(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not the number of a snapshot"))
}

fn read_theme(text: &str) -> Result<Theme, String> {
    match text {
        "light" => Ok(Theme::Light),
        "dark" => Ok(Theme::Dark),
        _ => Err(format!("`{text}` is not a theme, expected `light` or `dark`")),
    }
}

fn point(date: chrono::NaiveDate, is_month: bool) -> String {
    date.format(if is_month { "%Y-%m" } else { "%Y-%m-%d" }).to_string()
}

fn with_query(path: &str, mut query: Serializer<'static, String>) -> String {
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(query: &str) -> Result<View, ApiError> {
        View::from_params(&mut Params::read(Some(query)))
    }

    #[test]
    fn a_link_is_a_view() {
        let query = "lang=en&theme=dark&as_of=3&from=2024-01&to=2024-06&grain=month&municipality=1%2C2";
        let read = view(query).unwrap();
        assert_eq!(read.link_with_choice("/x"), format!("/x?{query}"));
        assert_eq!(read.link("/x"), "/x?lang=en&theme=dark&as_of=3");
        assert_eq!(view("").unwrap().link_with_choice("/x"), "/x");
        assert_eq!(read.without_filter("municipality").filters.len(), 0);
    }

    #[test]
    fn wrong_values_are_named() {
        for query in ["lang=de", "theme=pink", "from=2024-01", "to=2024", "from=2025&to=2024", "grain=hour", "as_of=-1"]
        {
            assert!(matches!(view(query), Err(ApiError::BadParameter { .. })), "{query}");
        }
        let error = view("municipalty=1").unwrap().check_filters(["municipality"]).unwrap_err();
        assert_eq!(error.to_string(), "parameter `municipalty` is unknown; did you mean `municipality`?");
    }
}

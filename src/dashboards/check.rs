//! Checks a dashboard as written against the names that exist; reports all problems at once.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::coverage::RawCoverage;
use super::declaration::{Dashboard, DefaultPeriod, RawCodes, RawDashboard, RawPeriod, RawWidget, Widget};
use super::kind::{Compare, WidgetKind};
use super::vocabulary::{IndicatorNames, Vocabulary, dimensions};
use crate::declarations::{Problems, Source, Spanned};
use crate::domain::language::Text;
use crate::domain::period::Period;
use crate::indicators::CoverageRule;

/// Longest default period.
const MAX_MONTHS: u32 = 120;

/// The dashboard of one file.
///
/// # Errors
/// Every problem of the file, with its place.
pub(super) fn check_dashboard(source: &Source, vocabulary: &Vocabulary) -> Result<Dashboard, Problems> {
    let raw: RawDashboard = source.parse()?;
    let mut check = Check { source, vocabulary, problems: Problems::new() };
    check.id_of_file(&raw.dashboard);
    check.text(&raw.dashboard, "title", Some(&raw.title));
    check.text(&raw.dashboard, "question", Some(&raw.question));
    check.filters(&raw.filters);
    let period = raw.period.as_ref().map_or(DefaultPeriod::LastMonths(12), |period| check.period(period));
    let coverage = raw.coverage.as_ref().and_then(|coverage| check.coverage(coverage));
    if raw.widgets.is_empty() {
        check.problem(&raw.dashboard, "`widgets`: a dashboard needs at least one widget", None);
    }
    check.unique("id", raw.widgets.iter().map(|widget| &widget.id));
    let widgets = raw.widgets.iter().filter_map(|widget| check.widget(widget)).collect();
    let dashboard = Dashboard {
        id: raw.dashboard.value.clone(),
        order: raw.order,
        title: raw.title.clone(),
        question: raw.question.clone(),
        filters: raw.filters.iter().map(|filter| filter.value.clone()).collect(),
        period,
        coverage,
        widgets,
    };
    check.problems.into_result(dashboard)
}

struct Check<'a> {
    source: &'a Source,
    vocabulary: &'a Vocabulary,
    problems: Problems,
}

impl Check<'_> {
    fn problem<T>(&mut self, at: &Spanned<T>, message: impl Into<String>, help: Option<&str>) {
        let problem = self.source.problem(at, message);
        self.problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    /// A name that is not among the known ones.
    fn unknown<'k>(&mut self, at: &Spanned<String>, message: String, known: impl IntoIterator<Item = &'k str>) {
        self.problems.push(self.source.problem(at, message).suggest(at, known));
    }

    fn id_of_file(&mut self, id: &Spanned<String>) {
        let stem = self.source.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if **id != stem {
            self.problem(id, format!("`dashboard`: `{}` is not the name of the file, `{stem}`", **id), None);
        }
        self.identifier("dashboard", id);
    }

    fn identifier(&mut self, key: &str, id: &Spanned<String>) {
        let starts = id.starts_with(|sign: char| sign.is_ascii_lowercase());
        if !starts || !id.chars().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_') {
            let help = "small Latin letters, digits and `_`, first a letter";
            self.problem(id, format!("`{key}`: `{}` is not an id", **id), Some(help));
        }
    }

    fn text(&mut self, at: &Spanned<String>, key: &str, text: Option<&Text>) {
        for (lang, words) in text.iter().flat_map(|text| [("ru", &text.ru), ("en", &text.en)]) {
            if words.trim().is_empty() {
                self.problem(at, format!("`{key}`: `{lang}` is empty"), None);
            }
        }
    }

    fn filters(&mut self, filters: &[Spanned<String>]) {
        self.unique("filters", filters.iter());
        let known = dimensions(self.vocabulary);
        for filter in filters.iter().filter(|filter| !known.contains(filter.as_str())) {
            let message = format!("`filters`: no indicator has a dimension `{}`", **filter);
            self.unknown(filter, message, known.iter().copied());
        }
    }

    fn unique<'n>(&mut self, key: &str, names: impl Iterator<Item = &'n Spanned<String>>) {
        let mut lines: HashMap<&str, usize> = HashMap::new();
        for name in names {
            if let Some(line) = lines.insert(name.as_str(), name.line) {
                let help = format!("first on line {line}");
                self.problem(name, format!("`{key}`: `{}` stands here twice", **name), Some(&help));
            }
        }
    }

    fn period(&mut self, period: &Spanned<RawPeriod>) -> DefaultPeriod {
        let RawPeriod { last_months, year_to_date, from, to } = &period.value;
        let message = match (last_months, year_to_date, from.as_ref().zip(to.as_ref())) {
            (Some(months), None, None) if from.is_none() && to.is_none() => {
                if (1..=MAX_MONTHS).contains(months) {
                    return DefaultPeriod::LastMonths(*months);
                }
                format!("`last_months`: expected 1 to {MAX_MONTHS}, found {months}")
            }
            (None, Some(true), None) if from.is_none() && to.is_none() => return DefaultPeriod::YearToDate,
            (None, None, Some((from, to))) => match Period::parse(from, to) {
                Ok(period) => return DefaultPeriod::Fixed(period),
                Err(message) => format!("`period`: {message}"),
            },
            _ => "`period`: expected `last_months`, or `year_to_date`, or `from` and `to`".to_owned(),
        };
        let help = "for instance `{last_months: 12}`, `{year_to_date: true}` or `{from: 2024-01, to: 2024-12}`";
        self.problem(period, message, Some(help));
        DefaultPeriod::LastMonths(12)
    }

    fn widget(&mut self, raw: &RawWidget) -> Option<Widget> {
        self.identifier("id", &raw.id);
        self.text(&raw.id, "title", raw.title.as_ref());
        self.text(&raw.id, "note", raw.note.as_ref());
        let indicators = self.indicators(raw);
        self.unique("indicators", indicators.iter());
        self.unique("by", raw.by.iter());
        self.names(raw, &indicators);
        let columns = raw.columns.as_ref().map(|columns| {
            if !(1..=12).contains(&columns.value) {
                self.problem(columns, format!("`columns`: expected 1 to 12, found {}", columns.value), None);
            }
            u8::try_from(columns.value).unwrap_or(12).clamp(1, 12)
        });
        if let Some(limit) = raw.limit.as_ref().filter(|limit| limit.value == 0) {
            self.problem(limit, "`limit`: expected at least 1, found 0", None);
        }
        let kind = WidgetKind::ALL.into_iter().find(|kind| kind.code() == raw.kind.as_str());
        let Some(kind) = kind else {
            let message = format!("`kind`: unknown kind `{}`", *raw.kind);
            self.unknown(&raw.kind, message, WidgetKind::ALL.map(WidgetKind::code));
            return None;
        };
        self.shape(kind, raw, &indicators);
        Some(Widget {
            id: raw.id.value.clone(),
            kind,
            indicators: indicators.iter().map(|indicator| indicator.value.clone()).collect(),
            by: raw.by.iter().map(|dimension| dimension.value.clone()).collect(),
            grain: raw.grain.as_ref().map(|grain| grain.value),
            only: codes_of(&raw.only),
            period: raw.period.as_ref().map(|period| self.period(period)),
            compare: raw.compare.unwrap_or(if kind == WidgetKind::Tile { Compare::YearBefore } else { Compare::None }),
            sort: raw.sort,
            limit: raw.limit.as_ref().and_then(|limit| usize::try_from(limit.value).ok()),
            columns: columns.unwrap_or(kind.default_columns()),
            title: raw.title.clone(),
            note: raw.note.clone(),
        })
    }

    /// The indicators of either key.
    fn indicators(&mut self, raw: &RawWidget) -> Vec<Spanned<String>> {
        match (&raw.indicator, &raw.indicators) {
            (Some(indicator), None) => vec![indicator.clone()],
            (None, Some(indicators)) if !indicators.is_empty() => indicators.clone(),
            (Some(indicator), Some(_)) => {
                self.problem(indicator, "`indicator`: give `indicator` or `indicators`, not both", None);
                Vec::new()
            }
            _ => {
                let message = format!("widget `{}` names no indicator", *raw.id);
                self.problem(&raw.id, message, Some("for instance `indicator: appeals`"));
                Vec::new()
            }
        }
    }

    /// Indicators, dimensions and codes that a widget names.
    fn names(&mut self, raw: &RawWidget, indicators: &[Spanned<String>]) {
        let vocabulary = self.vocabulary;
        for indicator in indicators {
            let Some(names) = vocabulary.get(indicator.as_str()) else {
                let message = format!("unknown indicator `{}`", **indicator);
                self.unknown(indicator, message, vocabulary.keys().map(String::as_str));
                continue;
            };
            let known = || names.dimensions.keys().map(String::as_str);
            for dimension in raw.by.iter().filter(|dimension| !names.dimensions.contains_key(dimension.as_str())) {
                let message = format!("`by`: `{}` has no dimension `{}`", **indicator, **dimension);
                self.unknown(dimension, message, known());
            }
            self.only(indicator, names, &raw.only);
            self.requires(indicator, names, &raw.only, &raw.by);
        }
    }

    /// Dimensions and codes that are let through.
    fn only(&mut self, indicator: &Spanned<String>, names: &IndicatorNames, only: &RawCodes) {
        for (dimension, codes) in only {
            match names.dimensions.get(dimension) {
                None => {
                    let at = codes.with(dimension.clone());
                    let message = format!("`where`: `{}` has no dimension `{dimension}`", **indicator);
                    self.unknown(&at, message, names.dimensions.keys().map(String::as_str));
                }
                Some(Some(list)) => {
                    for code in codes.iter().filter(|code| !list.contains(code.as_str())) {
                        let message = format!("`where`: `{dimension}` has no code `{}`", **code);
                        self.unknown(code, message, list.iter().map(String::as_str));
                    }
                }
                Some(None) => {}
            }
        }
    }

    /// Dimensions that have to be cut by or fixed.
    fn requires(
        &mut self,
        indicator: &Spanned<String>,
        names: &IndicatorNames,
        only: &RawCodes,
        by: &[Spanned<String>],
    ) {
        for dimension in &names.requires {
            let is_fixed = only.get(dimension).is_some_and(|codes| codes.len() == 1);
            if !is_fixed && !by.iter().any(|by| by.as_str() == dimension) {
                let message = format!("`{}` has no meaning over several of `{dimension}`", **indicator);
                let help = format!("add `{dimension}` to `by`, or fix it to one code with `where`");
                self.problem(indicator, message, Some(&help));
            }
        }
    }

    /// What says whether the figures are complete.
    fn coverage(&mut self, raw: &RawCoverage) -> Option<CoverageRule> {
        let vocabulary = self.vocabulary;
        let Some(names) = vocabulary.get(raw.indicator.as_str()) else {
            let message = format!("unknown indicator `{}`", *raw.indicator);
            self.unknown(&raw.indicator, message, vocabulary.keys().map(String::as_str));
            return None;
        };
        if !names.measures.contains(raw.of.as_str()) {
            let message = format!("`of`: `{}` has no measure `{}`", *raw.indicator, *raw.of);
            self.unknown(&raw.of, message, names.measures.iter().map(String::as_str));
        }
        self.only(&raw.indicator, names, &raw.only);
        self.requires(&raw.indicator, names, &raw.only, &[]);
        Some(CoverageRule {
            indicator: raw.indicator.value.clone(),
            of: raw.of.value.clone(),
            only: codes_of(&raw.only),
        })
    }

    /// What the kind asks for.
    fn shape(&mut self, kind: WidgetKind, raw: &RawWidget, indicators: &[Spanned<String>]) {
        let rule = kind.rule();
        let example = format!("for instance `{}`", rule.example);
        let mut wrong = |message: String| self.problem(&raw.kind, message, Some(&example));
        if indicators.len() > rule.max_indicators {
            let most = count(rule.max_indicators, "indicator");
            wrong(format!("a `{kind}` shows at most {most}, found {}", indicators.len()));
        }
        let (least, most) = rule.cuts;
        if raw.by.len() < least || raw.by.len() > most {
            let expected = if least == most {
                count(least, "dimension")
            } else {
                format!("{least} to {}", count(most, "dimension"))
            };
            wrong(format!("a `{kind}` is cut by {expected}, found {}", raw.by.len()));
        }
        if !rule.has_time && raw.grain.is_some() {
            wrong(format!("a `{kind}` has no axis of time, so `grain` means nothing"));
        }
        if kind == WidgetKind::Line && indicators.len() > 1 && !raw.by.is_empty() {
            wrong("a `line` of several indicators cannot be cut by a dimension as well".to_owned());
        }
        let vocabulary = self.vocabulary;
        for indicator in indicators {
            let Some(names) = vocabulary.get(indicator.as_str()) else { continue };
            for measure in rule.measures.iter().filter(|measure| !names.measures.contains(**measure)) {
                let message = format!("a `{kind}` needs a measure `{measure}`, which `{}` has not", **indicator);
                self.problem(indicator, message, Some(&example));
            }
            for dimension in raw.by.iter().filter(|_| kind == WidgetKind::TileMap) {
                if !names.placed.contains(dimension.as_str()) {
                    let message = format!("the code list of `{}` does not say where its codes lie", **dimension);
                    self.problem(dimension, message, Some("a `tile_map` needs the columns `label`, `col` and `row`"));
                }
            }
            let first = indicators.first().and_then(|first| vocabulary.get(first.as_str()));
            if kind == WidgetKind::Line && first.is_some_and(|first| first.unit != names.unit) {
                let message = format!("a `line` has one axis, but the unit of `{}` is another", **indicator);
                self.problem(indicator, message, Some("show it in a widget of its own, or use a `table`"));
            }
        }
    }
}

/// `no dimension`, `1 dimension`, `2 dimensions`.
fn count(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

fn codes_of(only: &RawCodes) -> IndexMap<String, Vec<String>> {
    let codes = |codes: &Spanned<Vec<Spanned<String>>>| codes.iter().map(|code| code.value.clone()).collect();
    only.iter().map(|(dimension, values)| (dimension.clone(), codes(values))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dimensions: &[(&str, Option<&[&str]>)], measures: &[&str], unit: &str) -> IndicatorNames {
        let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
        IndicatorNames {
            dimensions: dimensions.iter().map(|(name, list)| ((*name).to_owned(), list.map(codes))).collect(),
            measures: measures.iter().map(|measure| (*measure).to_owned()).collect(),
            unit: unit.to_owned(),
            ..IndicatorNames::default()
        }
    }

    fn vocabulary() -> Vocabulary {
        let cases: &[(&str, Option<&[&str]>)] =
            &[("municipality", None), ("status", Some(&["new", "provided"])), ("channel", None)];
        let mut kpi = names(&[("kpi", Some(&["1.1", "1.2"]))], &["fact", "plan"], "796");
        kpi.requires = vec!["kpi".to_owned()];
        let mut rate = names(cases, &["registered", "provided"], "744");
        rate.placed.insert("municipality".to_owned());
        Vocabulary::from([
            ("appeals".to_owned(), names(cases, &["registered"], "642")),
            ("support_rate".to_owned(), rate),
            ("kpi_value".to_owned(), kpi),
        ])
    }

    fn check(text: &str) -> Result<Dashboard, String> {
        let source = Source { path: "dashboards/governor.yaml".into(), text: text.to_owned() };
        check_dashboard(&source, &vocabulary()).map_err(|problems| problems.to_string())
    }

    const HEAD: &str = "dashboard: governor\ntitle: {ru: Сводка, en: Summary}\nquestion: {ru: Что?, en: What?}\n";

    fn check_widgets(widgets: &str) -> String {
        check(&format!("{HEAD}widgets:\n{widgets}")).unwrap_err()
    }

    #[test]
    fn good_defaults_do_the_rest() {
        let dashboard =
            check(&format!("{HEAD}widgets:\n  - {{id: appeals, kind: tile, indicator: appeals}}\n")).unwrap();
        assert_eq!(dashboard.period, DefaultPeriod::LastMonths(12));
        let tile = dashboard.widget("appeals").unwrap();
        assert_eq!((tile.columns, tile.compare, tile.limit), (3, Compare::YearBefore, None));
    }

    #[test]
    fn an_unknown_indicator_is_named_with_the_nearest() {
        assert_eq!(
            check_widgets("  - {id: a, kind: tile, indicator: apeals}\n"),
            "error: dashboards/governor.yaml:5:36: unknown indicator `apeals`\n  \
             5 |   - {id: a, kind: tile, indicator: apeals}\n    \
             |                                    ^^^^^^  help: did you mean `appeals`?"
        );
    }

    #[test]
    fn all_problems_come_at_once_in_order_of_place() {
        let text = check_widgets(
            "  - {id: a, kind: pie, indicator: appeals}\n  \
             - {id: a, kind: ranking, indicator: appeals, by: [town], columns: 13}\n  \
             - {id: b, kind: tile, indicator: appeals, where: {status: [newer]}}\n  \
             - {id: c, kind: plan_fact, indicator: kpi_value}\n  \
             - {id: d, kind: tile}\n",
        );
        let messages: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(
            messages,
            [
                "error: dashboards/governor.yaml:5:19: `kind`: unknown kind `pie`",
                "error: dashboards/governor.yaml:6:10: `id`: `a` stands here twice",
                "error: dashboards/governor.yaml:6:53: `by`: `appeals` has no dimension `town`",
                "error: dashboards/governor.yaml:6:69: `columns`: expected 1 to 12, found 13",
                "error: dashboards/governor.yaml:7:62: `where`: `status` has no code `newer`",
                "error: dashboards/governor.yaml:8:41: `kpi_value` has no meaning over several of `kpi`",
                "error: dashboards/governor.yaml:9:10: widget `d` names no indicator",
            ]
        );
    }

    #[test]
    fn a_kind_says_what_it_needs() {
        let text = check_widgets("  - {id: a, kind: ranking, indicator: appeals}\n");
        assert!(text.contains("5:19: a `ranking` is cut by 1 dimension, found 0\n"), "{text}");
        assert!(
            text.contains("help: for instance `{kind: ranking, indicator: support_rate, by: [municipality]}`"),
            "{text}"
        );
        let text = check_widgets("  - {id: a, kind: tile, indicator: appeals, by: [status], grain: month}\n");
        assert!(text.contains("a `tile` is cut by no dimension, found 1\n"), "{text}");
        assert!(text.contains("a `tile` has no axis of time, so `grain` means nothing\n"), "{text}");
        let text = check_widgets("  - {id: a, kind: plan_fact, indicator: appeals}\n");
        assert!(text.contains("a `plan_fact` needs a measure `plan`, which `appeals` has not\n"), "{text}");
        let text = check_widgets("  - {id: a, kind: line, indicators: [appeals, support_rate]}\n");
        assert!(text.contains("a `line` has one axis, but the unit of `support_rate` is another\n"), "{text}");
        let text = check_widgets("  - {id: a, kind: tile_map, indicator: support_rate, by: [channel]}\n");
        assert!(text.contains("the code list of `channel` does not say where its codes lie\n"), "{text}");
    }

    #[test]
    fn the_file_names_its_dashboard_filters_and_period() {
        let text = HEAD.replace("governor", "Summary").replace("Что?", "' '");
        let text = check(&format!("{text}filters: [town]\nperiod: {{from: 2024-02, to: 2024-01}}\nwidgets: []\n"))
            .unwrap_err();
        let messages: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(
            messages,
            [
                "error: dashboards/governor.yaml:1:12: `dashboard`: `Summary` is not an id",
                "error: dashboards/governor.yaml:1:12: `dashboard`: `Summary` is not the name of the file, `governor`",
                "error: dashboards/governor.yaml:1:12: `question`: `ru` is empty",
                "error: dashboards/governor.yaml:1:12: `widgets`: a dashboard needs at least one widget",
                "error: dashboards/governor.yaml:4:11: `filters`: no indicator has a dimension `town`",
                "error: dashboards/governor.yaml:5:9: `period`: the period ends before it starts: `2024-02` to `2024-01`",
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = check_widgets("  - {id: a, kind: tile, indicator: appeals, colour: red}\n");
        assert!(text.starts_with("error: dashboards/governor.yaml:5:45: "), "{text}");
        assert!(text.contains("colour"), "{text}");
    }
}

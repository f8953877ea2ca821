//! Why a widget shows no figures, for the reader of a page.

use crate::dashboards::WidgetError;
use crate::domain::language::Lang;
use crate::domain::number::format_date;
use crate::indicators::QueryError;
use crate::server::error::ApiError;

/// One sentence without a full stop; a failure of the server is logged and told by its id only.
pub(crate) fn sentence(error: WidgetError, lang: Lang) -> String {
    let ru = match &error {
        WidgetError::UnknownFilter { dimension } => Some(format!("ни у одного показателя нет измерения «{dimension}»")),
        WidgetError::Query(error) => refusal_ru(error),
        WidgetError::UnknownIndicator { .. } | WidgetError::Unsteady { .. } => None,
    };
    let problem = ApiError::from(error).to_problem();
    let is_failure = problem.status >= 500;
    match (lang, ru) {
        (_, _) if is_failure => format!("{} {}", lang.pick("внутренняя ошибка", "internal error"), problem.error_id),
        (Lang::Ru, Some(ru)) => ru,
        (Lang::Ru | Lang::En, _) => problem.detail,
    }
}

/// The refusals that a reader can do something about, in Russian.
fn refusal_ru(error: &QueryError) -> Option<String> {
    match error {
        QueryError::NeedsDimension { dimension, .. } => {
            Some(format!("значения по измерению «{dimension}» нельзя сложить: выберите одно из них"))
        }
        QueryError::UnknownValue { dimension, value, .. } => {
            Some(format!("в измерении «{dimension}» нет значения «{value}»"))
        }
        QueryError::BadPeriod { from, to } => {
            Some(format!("период кончается раньше, чем начинается: {} – {}", format_date(*from), format_date(*to)))
        }
        QueryError::TooManyRows { n_rows, limit } => {
            Some(format!("в ответе {n_rows} строк, больше {limit}: возьмите период короче или шаг длиннее"))
        }
        QueryError::Senseless(refusal) => Some(refusal.sentence(Lang::Ru)),
        QueryError::UnknownIndicator { .. }
        | QueryError::UnknownDimension { .. }
        | QueryError::RepeatedDimension { .. }
        | QueryError::RepeatedComparison
        | QueryError::NoSnapshot
        | QueryError::UnknownSnapshot { .. }
        | QueryError::NoTable { .. }
        | QueryError::NoDefinitions { .. }
        | QueryError::NotSelect { .. }
        | QueryError::BadSql { .. }
        | QueryError::Snapshots(_)
        | QueryError::Open { .. }
        | QueryError::Start(_)
        | QueryError::NotSplittable { .. }
        | QueryError::NoValue { .. }
        | QueryError::NoPlan { .. }
        | QueryError::Compute { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> WidgetError {
        QueryError::NeedsDimension { indicator: "kpi_value".to_owned(), dimension: "kpi".to_owned() }.into()
    }

    #[test]
    fn a_refusal_is_said_in_the_language_of_the_page() {
        assert_eq!(sentence(refused(), Lang::Ru), "значения по измерению «kpi» нельзя сложить: выберите одно из них");
        assert!(sentence(refused(), Lang::En).starts_with("values of `kpi_value` cannot be put together"));
    }

    #[test]
    fn a_failure_is_told_by_its_id_only() {
        let failure = WidgetError::Query(QueryError::Start(Box::new(std::io::Error::other("/secret"))));
        let text = sentence(failure, Lang::Ru);
        assert!(text.starts_with("внутренняя ошибка "));
        assert!(!text.contains("secret"));
    }
}

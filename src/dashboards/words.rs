//! The words of a widget: its finding, the grey line under it, and the sentence for those who do not see it.

use super::context::Context;
use super::kind::{Compare, Sort, WidgetKind};
use super::widget::{ChangeKind, Comparison, Light, Row, Series, Status, Total, Unit};
use crate::domain::figure::Figure;
use crate::domain::language::Lang;
use crate::domain::number::{THIN_SPACE, format_change, format_compact, format_number, plural_ru};
use crate::domain::table::{display_figure, state_mark};
use crate::indicators::Additivity;

/// How many names a headline can hold.
const N_NAMED: usize = 3;

/// A figure as a tile shows it: `("648,2", "тыс. ед.")`, `("79,1", "%")`, `("–", "")`.
pub(super) fn total(figure: Figure, receipt: &str, decimals: usize, unit: &Unit, lang: Lang) -> Total {
    let (text, magnitude) = match figure.value {
        Some(value) => format_compact(value, decimals, lang),
        None => (state_mark(figure.state, lang).to_owned(), ""),
    };
    let symbol = if figure.value.is_some() { unit.symbol.as_str() } else { "" };
    let unit_text = [magnitude, symbol].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    Total { value: figure.value, state: figure.state, text, unit_text, receipt: receipt.to_owned() }
}

/// A number with its unit inside a sentence: `79,1 %`, `1 234 ед.`.
pub(super) fn with_unit(figure: Figure, decimals: usize, symbol: &str, lang: Lang) -> String {
    let text = display_figure(figure, decimals, lang);
    if symbol.is_empty() || figure.value.is_none() { text } else { format!("{text}{THIN_SPACE}{symbol}") }
}

/// Everything that the words are made from.
pub(super) struct Story<'a> {
    pub(super) context: &'a Context<'a>,
    /// All rows, before a limit drops some.
    pub(super) rows: &'a [Row],
    /// The rows that are shown, in their order.
    pub(super) shown: &'a [Row],
    pub(super) total: Option<Figure>,
    pub(super) comparison: Option<&'a Comparison>,
    pub(super) status: &'a Status,
    pub(super) symbol: &'a str,
    pub(super) n_keys: usize,
}

impl Story<'_> {
    fn lang(&self) -> Lang {
        self.context.lang
    }

    fn figure(&self, figure: Figure) -> String {
        with_unit(figure, self.context.indicator().decimals(), self.symbol, self.lang())
    }

    /// The rows of the main indicator with the largest and the smallest number, among those with known keys.
    fn extremes(&self) -> Option<(&Row, &Row)> {
        let main = self.context.indicator().id();
        let known = || {
            let rows = self.rows.iter().filter(|row| row.series == Series::Fact && row.indicator == main);
            rows.filter(|row| row.value.is_some() && row.keys.iter().all(|key| key.code.is_some()))
        };
        let largest = known().reduce(|best, row| if row.value > best.value { row } else { best })?;
        let smallest = known().reduce(|best, row| if row.value < best.value { row } else { best })?;
        (largest.value > smallest.value).then_some((largest, smallest))
    }

    /// The finding where one can be computed, else the name.
    pub(super) fn headline(&self) -> String {
        let finding = match self.context.widget.kind {
            WidgetKind::Ranking if self.starts_with_the_worst() => self.first_ones(),
            WidgetKind::Ranking | WidgetKind::TileMap | WidgetKind::Bar if !self.is_flow() => self.spread(),
            WidgetKind::Ranking | WidgetKind::TileMap | WidgetKind::Bar => self.largest(),
            WidgetKind::HeatGrid if self.is_flow() => self.largest(),
            WidgetKind::Line if self.context.widget.by.is_empty() => self.change(),
            WidgetKind::PlanFact => self.plan(),
            WidgetKind::Milestones => Some(self.slip()),
            WidgetKind::Tile | WidgetKind::Line | WidgetKind::StackedBar | WidgetKind::HeatGrid | WidgetKind::Table => {
                None
            }
        };
        finding.unwrap_or_else(|| self.context.title())
    }

    /// `Доля оказанных мер: от 61,5 % (Клявлинский) до 88,1 % (Тольятти)`.
    fn spread(&self) -> Option<String> {
        let (largest, smallest) = self.extremes()?;
        let (from, to) = (self.figure(smallest.figure()), self.figure(largest.figure()));
        let title = self.context.title();
        let (low, high) = (&smallest.label, &largest.label);
        Some(match self.lang() {
            Lang::Ru => format!("{title}: от {from} ({low}) до {to} ({high})"),
            Lang::En => format!("{title}: from {from} ({low}) to {to} ({high})"),
        })
    }

    fn is_flow(&self) -> bool {
        self.context.indicator().additivity() == Additivity::Flow
    }

    fn starts_with_the_worst(&self) -> bool {
        matches!(self.context.widget.sort, Some(Sort::Worst | Sort::Smallest))
    }

    /// `Где оказывают реже всего: Кинельский (47,1 %), Исаклинский (53,3 %), Октябрьск (54,5 %)`.
    fn first_ones(&self) -> Option<String> {
        let known =
            self.shown.iter().filter(|row| row.value.is_some() && row.keys.iter().all(|key| key.code.is_some()));
        let names = known.take(N_NAMED).map(|row| format!("{} ({})", row.label, self.figure(row.figure())));
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| format!("{}: {}", self.context.title(), names.join(", ")))
    }

    /// `Обращения по категориям: больше всего – Пенсионер, 22 %`.
    fn largest(&self) -> Option<String> {
        let (largest, _) = self.extremes()?;
        let share = self.total.and_then(|total| total.value).filter(|total| self.is_flow() && *total > 0.0);
        let figure = match largest.value.zip(share) {
            Some((value, total)) => {
                format!("{}{THIN_SPACE}%", format_number(value * 100.0 / total, 0, self.lang()))
            }
            None => self.figure(largest.figure()),
        };
        let most = self.lang().pick("больше всего –", "most of all –");
        Some(format!("{}: {most} {}, {figure}", self.context.title(), largest.label))
    }

    /// `Обращения: на 17,4 % больше, чем годом раньше`.
    fn change(&self) -> Option<String> {
        let words = change_words(
            self.comparison?,
            self.context.widget.compare,
            self.context.indicator().decimals(),
            self.lang(),
        )?;
        Some(format!("{}: {words}", self.context.title()))
    }

    /// `Акты: план выполнен, 2 из 2 шт.` for the last month with a fact.
    fn plan(&self) -> Option<String> {
        let known = |row: &&Row| row.value.is_some() && row.measures.get("plan").copied().flatten().is_some();
        let last = self.rows.iter().rfind(known)?;
        let (fact, plan) = (last.value?, last.measures.get("plan").copied().flatten()?);
        let decimals = self.context.indicator().decimals();
        let number = |value| format_number(value, decimals, self.lang());
        let words = match fact.total_cmp(&plan) {
            std::cmp::Ordering::Less => self.lang().pick("ниже плана", "below plan"),
            std::cmp::Ordering::Equal => self.lang().pick("план выполнен", "plan met"),
            std::cmp::Ordering::Greater => self.lang().pick("выше плана", "above plan"),
        };
        let (fact, plan, title) = (number(fact), number(plan), self.context.title());
        let symbol = if self.symbol.is_empty() { String::new() } else { format!("{THIN_SPACE}{}", self.symbol) };
        let month = last.label.clone();
        Some(match self.lang() {
            Lang::Ru => format!("{title}: {words}, {fact} из {plan}{symbol} ({month})"),
            Lang::En => format!("{title}: {words}, {fact} of {plan}{symbol} ({month})"),
        })
    }

    /// `Срок под угрозой на 16 дней`, or how many points were reached.
    fn slip(&self) -> String {
        let points: Vec<_> = self.rows.iter().filter_map(|row| row.milestone.as_ref()).collect();
        let open = || points.iter().filter(|point| point.is_forecast);
        let worst = open().filter(|point| point.slip_days > Some(0)).max_by_key(|point| point.slip_days);
        let worst = worst.and_then(|point| Some((point.slip_days?, point.light == Light::Bad)));
        let (n_points, n_done) = (points.len(), points.len() - open().count());
        let n_late = points.iter().filter(|point| !point.is_forecast && point.slip_days > Some(0)).count();
        match (self.lang(), worst) {
            (Lang::Ru, Some((days, false))) => format!("Срок под угрозой на {}", days_ru(days)),
            (Lang::Ru, Some((days, true))) => format!("Срок сорван, прогноз на {} позже плана", days_ru(days)),
            (Lang::En, Some((days, false))) => format!("The deadline is at risk by {}", days_en(days)),
            (Lang::En, Some((days, true))) => format!("A deadline is missed, the forecast is {} late", days_en(days)),
            (Lang::Ru, None) => format!("Достигнуто точек: {n_done} из {n_points}, из них с опозданием: {n_late}"),
            (Lang::En, None) => format!("{n_done} of {n_points} control points reached, {n_late} of them late"),
        }
    }

    /// What, unit, cut, period, and what is left out.
    pub(super) fn subtitle(&self) -> String {
        let context = self.context;
        let lang = self.lang();
        let titles: Vec<&str> = context.indicators.iter().map(|indicator| indicator.title().get(lang)).collect();
        let what = match (titles.as_slice(), context.widget.kind) {
            (_, WidgetKind::Milestones) => lang.pick("План и факт или прогноз", "Plan and fact or forecast").to_owned(),
            ([title], _) if self.symbol.is_empty() => (*title).to_owned(),
            ([title], _) => format!("{title}, {}", self.symbol),
            _ => lang.pick("Несколько показателей", "Several indicators").to_owned(),
        };
        let by = context.widget.by.iter().filter(|_| context.widget.kind != WidgetKind::Milestones);
        let cut: Vec<String> = by.map(|name| context.dimension(name).title.to_lowercase()).collect();
        let before = match context.widget.compare {
            Compare::YearBefore if context.widget.kind == WidgetKind::Line => {
                lang.pick("серым – годом раньше", "grey – a year earlier")
            }
            Compare::Previous if context.widget.kind == WidgetKind::Line => {
                lang.pick("серым – предыдущий период", "grey – the period before")
            }
            _ => "",
        };
        let shown = self.context.widget.limit.filter(|limit| *limit < self.n_keys).map_or_else(String::new, |limit| {
            let n_keys = self.n_keys;
            if lang == Lang::Ru {
                format!("показано {limit} из {n_keys}")
            } else {
                format!("{limit} of {n_keys} shown")
            }
        });
        let filters = context.filters();
        let fixed = filters.iter().map(|filter| {
            let labels: Vec<&str> = filter.values.iter().map(|key| key.label.as_str()).collect();
            format!("{}: {}", filter.title, labels.join(", "))
        });
        let parts = [what, cut.join(" × "), context.period.label(lang), before.to_owned(), shown];
        parts.into_iter().chain(fixed).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }

    /// One sentence with what the widget shows.
    pub(super) fn summary(&self) -> String {
        let lang = self.lang();
        let title = self.context.title();
        if self.context.widget.kind == WidgetKind::Tile {
            let figure = self.figure(self.total.unwrap_or_default());
            let change = self.comparison.and_then(|comparison| {
                change_words(comparison, self.context.widget.compare, self.context.indicator().decimals(), lang)
            });
            let reason = (self.status.light != Light::None).then(|| self.status.reason.clone());
            let parts = [Some(figure), change, reason].into_iter().flatten().collect::<Vec<_>>().join(", ");
            return sentence(&format!("{title}: {parts}"));
        }
        let headline = self.headline();
        let lead = if headline.starts_with(&title) { headline } else { format!("{title}: {headline}") };
        if self.context.widget.kind == WidgetKind::Milestones {
            return sentence(&lead);
        }
        let n_rows = self.rows.iter().filter(|row| row.series == Series::Fact).count();
        let span = self.extremes().map(|(largest, smallest)| {
            let least = lang.pick("наименьшее", "smallest");
            let most = lang.pick("наибольшее", "largest");
            format!(
                ", {least} {} – {}, {most} {} – {}",
                self.figure(smallest.figure()),
                smallest.label,
                self.figure(largest.figure()),
                largest.label
            )
        });
        let n_values = match lang {
            Lang::Ru => format!("{n_rows} {}", plural_ru(n_rows as u64, ["значение", "значения", "значений"])),
            Lang::En => format!("{n_rows} {}", if n_rows == 1 { "value" } else { "values" }),
        };
        sentence(&format!("{lead}; {n_values}{}", span.unwrap_or_default()))
    }
}

/// `на 17,4 % больше, чем годом раньше`; none without a change to speak of.
fn change_words(comparison: &Comparison, kind: Compare, decimals: usize, lang: Lang) -> Option<String> {
    let change = comparison.change?;
    let (sign, decimals) = match comparison.change_kind {
        ChangeKind::Percent => ("%", usize::from(change.abs() < 100.0)),
        ChangeKind::Points => (lang.pick("п. п.", "pp"), decimals.max(1)),
    };
    let size = format_change(change.abs(), decimals, lang);
    let size = size.trim_start_matches('+');
    let than = match kind {
        Compare::Previous => lang.pick("чем за предыдущий период", "than in the period before"),
        Compare::None | Compare::YearBefore => lang.pick("чем годом раньше", "than a year earlier"),
    };
    let words = match (comparison.change_kind, change > 0.0) {
        (ChangeKind::Percent, true) => lang.pick("больше", "more"),
        (ChangeKind::Percent, false) => lang.pick("меньше", "less"),
        (ChangeKind::Points, true) => lang.pick("выше", "higher"),
        (ChangeKind::Points, false) => lang.pick("ниже", "lower"),
    };
    let is_nothing = size.chars().all(|digit| matches!(digit, '0' | ',' | '.'));
    (!is_nothing).then(|| match lang {
        Lang::Ru => format!("на {size}{THIN_SPACE}{sign} {words}, {than}"),
        Lang::En => format!("{size}{THIN_SPACE}{sign} {words} {than}"),
    })
}

/// The words with one full stop, also behind `ед.`
fn sentence(words: &str) -> String {
    if words.ends_with('.') { words.to_owned() } else { format!("{words}.") }
}

fn days_en(days: i64) -> String {
    format!("{days} {}", if days == 1 { "day" } else { "days" })
}

/// `16 дней`.
fn days_ru(days: i64) -> String {
    format!("{days} {}", plural_ru(days.unsigned_abs(), ["день", "дня", "дней"]))
}

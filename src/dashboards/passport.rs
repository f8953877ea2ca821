//! A passport as terms and texts, for pages and the command line.

use chrono::NaiveDate;

use super::widget::{Passport, Unit};
use crate::domain::language::Lang;
use crate::indicators::Direction;

/// Terms of a passport with what is known about them; what nobody has declared has no row.
pub fn passport_rows(passport: &Passport, lang: Lang) -> impl Iterator<Item = (&'static str, String)> {
    let Unit { name, symbol, .. } = &passport.unit;
    let unit = if symbol.is_empty() || symbol == name { name.clone() } else { format!("{name}, {symbol}") };
    let better = match passport.direction {
        Direction::Up => lang.pick("больше", "more"),
        Direction::Down => lang.pick("меньше", "less"),
        Direction::None => "",
    };
    let rows = [
        (lang.pick("Что показывает", "What it says"), passport.description.clone()),
        (lang.pick("Единица", "Unit"), unit),
        (lang.pick("Желательно", "Better"), better.to_owned()),
        (lang.pick("Как считается", "Method"), passport.method.clone()),
        (lang.pick("Формула", "Formula"), passport.formula.clone()),
        (lang.pick("Источник", "Source"), passport.source.clone()),
        (lang.pick("Кто отвечает", "Owner"), passport.owner.clone()),
        (lang.pick("Обновление", "Periodicity"), passport.periodicity.clone()),
        (lang.pick("Основание", "Act"), passport.act.clone().unwrap_or_default()),
    ];
    let told = |text: &Option<String>| text.clone().unwrap_or_default();
    let day = |day: Option<NaiveDate>| day.map(|day| day.format("%d.%m.%Y").to_string()).unwrap_or_default();
    let more = [
        (lang.pick("Зачем", "Why"), told(&passport.rationale)),
        (lang.pick("Уровень", "Level"), told(&passport.level)),
        (lang.pick("Вид значения", "Kind of value"), told(&passport.value_type)),
        (lang.pick("Время", "Time"), passport.time_character.clone()),
        (lang.pick("Числитель", "Numerator"), told(&passport.numerator)),
        (lang.pick("Знаменатель", "Denominator"), told(&passport.denominator)),
        (lang.pick("Разрезы", "Breakdowns"), passport.breakdowns.join(", ")),
        (lang.pick("Сбор данных", "Collection"), told(&passport.collection)),
        (lang.pick("Охват", "Coverage"), told(&passport.coverage)),
        (lang.pick("Владелец данных", "Owner of the data"), told(&passport.data_owner)),
        (lang.pick("Кто утверждает", "Approved by"), told(&passport.approver)),
        (lang.pick("Срок", "Due"), told(&passport.due)),
        (lang.pick("Знаков после запятой", "Decimals"), passport.decimals.to_string()),
        (lang.pick("Не раскрывается", "Not disclosed"), told(&passport.disclosure)),
        (lang.pick("Базовое значение", "Base value"), told(&passport.base)),
        (lang.pick("Оговорки", "Caveats"), told(&passport.caveats)),
        (lang.pick("Разрывы ряда", "Breaks of the series"), told(&passport.breaks)),
        (lang.pick("Действует с", "Holds from"), day(passport.valid_from)),
        (lang.pick("Действует по", "Holds until"), day(passport.valid_to)),
        (lang.pick("Версия", "Version"), passport.version.to_string()),
        (lang.pick("Изменения", "Changes"), passport.changes.join("; ")),
    ];
    rows.into_iter().chain(more).filter(|(_, text)| !text.is_empty())
}

//! What a dashboard shows before the first figures.

use maud::{Markup, html};

use super::layout::heading;
use crate::domain::language::Lang;

/// The page of an empty warehouse: what to do.
pub(crate) fn welcome(lang: Lang) -> Markup {
    html! {
        div .head {
            (heading(
                lang.pick("Данных пока нет", "No data yet"),
                lang.pick("Ни одного снимка ещё не опубликовано.", "No snapshot was published so far."),
            ))
        }
        div .section { section .card .plain {
            h2 { (lang.pick("Загрузите данные", "Load the data")) }
            p {
                (lang.pick(
                    "Загрузите файлы реестров и опубликуйте первый снимок. После этого обновите страницу.",
                    "Pull the files of the registers and publish the first snapshot. Then reload this page.",
                ))
            }
            pre { code { "svod run" } }
            p {
                (lang.pick("Проверить описания конвейеров, показателей и панелей: ", "To check the declarations: "))
                code { "svod check" }
            }
        } }
    }
}

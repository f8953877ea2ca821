//! Wrong declarations and their exact messages.

use svod::domain::language::Text;
use svod::indicators::{Additivity, LEVELS, REGISTERS, VALUE_TYPES};

use super::memory::{catalog_of, declaration, reference, shipped_catalog};

/// All that is said of one wrong declaration `it`, whose lines that matter start at line 2.
fn complaint(lines: &str) -> String {
    catalog_of(&[("it", &declaration("it", lines))]).unwrap_err().to_string()
}

#[test]
fn every_shipped_indicator_is_complete() {
    let catalog = shipped_catalog();
    for indicator in catalog.iter() {
        assert!(!indicator.measures().is_empty(), "{}", indicator.id());
        assert!(indicator.title().ru != indicator.title().en, "{}", indicator.id());
        for required in indicator.requires() {
            assert!(indicator.entity().dimension(required).is_some(), "{}", indicator.id());
        }
    }
}

#[test]
fn every_passport_is_full() {
    let mut gaps = Vec::new();
    for indicator in shipped_catalog().iter() {
        let passport = indicator.passport();
        let is_share = passport.value_type.as_deref() == Some("share") && indicator.additivity() == Additivity::Ratio;
        let has_parts = passport.numerator.is_some() && passport.denominator.is_some();
        let fields = [
            ("rationale", passport.rationale.is_some()),
            ("level", passport.level.is_some()),
            ("value_type", passport.value_type.is_some()),
            ("register", passport.register.is_some()),
            ("caveats", passport.caveats.is_some()),
            ("valid_from", passport.valid_from.is_some()),
            ("numerator, denominator", has_parts || !is_share),
        ];
        gaps.extend(
            fields.iter().filter(|(_, is_there)| !is_there).map(|(field, _)| format!("{}: {field}", indicator.id())),
        );
        let says_more = |text: &Text| text.ru != indicator.title().ru && text.ru.chars().count() > 20;
        let told = [Some(&passport.method), passport.rationale.as_ref(), passport.caveats.as_ref()];
        let is_copied = told.into_iter().flatten().any(|text| !says_more(text));
        gaps.extend(is_copied.then(|| format!("{}: a text that says no more than the title", indicator.id())));
    }
    assert!(gaps.is_empty(), "{gaps:#?}");
}

#[test]
fn registers_of_passports_tell_everything_in_both_languages() {
    let reference = reference();
    for list in [LEVELS, VALUE_TYPES, REGISTERS] {
        let list = reference.list(list).unwrap();
        for (code, column) in list.codes().iter().flat_map(|code| list.column_names().map(move |column| (code, column)))
        {
            assert!(list.value(code, column).is_some_and(|cell| !cell.is_empty()), "{} {code} {column}", list.name);
        }
    }
}

#[test]
fn a_passport_names_known_codes_and_days_in_order() {
    let wrong = |field: &str| {
        let text = declaration("it", "entity: cases\ntime: registered_on\nmeasures: {it: {count: {}}}");
        let text = text.replace("passport: {", &format!("passport: {{{field}, "));
        catalog_of(&[("it", &text)]).unwrap_err().to_string()
    };
    assert_eq!(
        wrong("register: contract").lines().next(),
        Some("error: sql/indicators/it.yaml:9:22: the code list `indicator_registers` has no `contract`")
    );
    assert!(wrong("register: contract").contains("help: did you mean `contracts`?"));
    assert!(wrong("level: federal").contains("the code list `indicator_levels` has no `federal`"));
    assert!(wrong("value_type: number").contains("the code list `value_types` has no `number`"));
    assert_eq!(
        wrong("valid_from: 2025-02-01, valid_to: 2025-01-01").lines().next(),
        Some("error: sql/indicators/it.yaml:1:12: `valid_to` 2025-01-01 is before `valid_from` 2025-02-01")
    );
    assert!(wrong("caveats: {ru: а, en: \"\"}").contains("`caveats`: `en` is empty"));
}

#[test]
fn an_unknown_column_is_underlined_inside_the_expression() {
    assert_eq!(
        complaint(
            "entity: cases\ntime: registered_on\nmeasures: {it: {count: {where: \"amount > 0 AND providd_on IS NULL\"}}}"
        ),
        "error: sql/indicators/it.yaml:4:48: unknown column `providd_on`\n  \
         4 | measures: {it: {count: {where: \"amount > 0 AND providd_on IS NULL\"}}}\n    \
         |                                                ^^^^^^^^^^  help: did you mean `provided_on`?"
    );
}

#[test]
fn an_unknown_column_is_found_on_the_line_where_it_stands() {
    let text = complaint(
        "entity: cases\ntime: registered_on\nmeasures:\n  it:\n    count:\n      where: >-\n        amount > 0\n        AND providd_on IS NULL",
    );
    assert_eq!(
        text,
        "error: sql/indicators/it.yaml:9:13: unknown column `providd_on`\n  \
         9 |         AND providd_on IS NULL\n    \
         |             ^^^^^^^^^^  help: did you mean `provided_on`?"
    );
}

#[test]
fn a_condition_is_a_condition() {
    assert_eq!(
        complaint("entity: cases\ntime: registered_on\nmeasures: {it: {count: {where: \"amount + 1\"}}}"),
        "error: sql/indicators/it.yaml:4:32: expected a condition, found a number\n  \
         4 | measures: {it: {count: {where: \"amount + 1\"}}}\n    \
         |                                ^^^^^^^^^^^^"
    );
}

#[test]
fn a_sum_is_of_numbers() {
    assert_eq!(
        complaint("entity: cases\ntime: registered_on\nmeasures: {it: {sum: {column: status}}}"),
        "error: sql/indicators/it.yaml:4:31: expected a number, found a text\n  \
         4 | measures: {it: {sum: {column: status}}}\n    \
         |                               ^^^^^^"
    );
}

#[test]
fn time_is_a_date() {
    assert_eq!(
        complaint("entity: runs\ntime: finished_at\nmeasures: {it: {count: {}}}"),
        "error: sql/indicators/it.yaml:3:7: expected a column of dates, found a moment\n  \
         3 | time: finished_at\n    \
         |       ^^^^^^^^^^^  help: a moment becomes a local date in the model"
    );
}

#[test]
fn an_unknown_entity_names_the_nearest() {
    assert_eq!(
        complaint("entity: casses\ntime: registered_on\nmeasures: {it: {count: {}}}"),
        "error: sql/indicators/it.yaml:2:9: unknown entity `casses`\n  \
         2 | entity: casses\n    \
         |         ^^^^^^  help: did you mean `cases`?"
    );
}

#[test]
fn a_formula_names_measures() {
    assert_eq!(
        complaint("entity: cases\ntime: registered_on\nmeasures: {all_cases: {count: {}}}\nformula: \"all_case * 2\""),
        "error: sql/indicators/it.yaml:5:11: unknown measure `all_case`\n  \
         5 | formula: \"all_case * 2\"\n    \
         |           ^^^^^^^^  help: did you mean `all_cases`?"
    );
}

#[test]
fn several_measures_need_a_formula() {
    assert_eq!(
        complaint("entity: cases\ntime: registered_on\nmeasures:\n  one: {count: {}}\n  two: {count: {}}"),
        "error: sql/indicators/it.yaml:6:8: several measures and no `formula`\n  \
         6 |   two: {count: {}}\n    \
         |        ^  help: say which is the value, e.g. `formula: \"one\"`"
    );
}

#[test]
fn the_clock_is_not_read() {
    assert_eq!(
        complaint("entity: cases\ntime: registered_on\nmeasures: {it: {count: {where: \"closed_on < now()\"}}}"),
        "error: sql/indicators/it.yaml:4:32: `now` gives another value at every call\n  \
         4 | measures: {it: {count: {where: \"closed_on < now()\"}}}\n    \
         |                                ^^^^^^^^^^^^^^^^^^^  help: the present is `today` and `moment`"
    );
}

#[test]
fn an_unknown_way_of_measuring_is_named() {
    let text = complaint("entity: cases\ntime: registered_on\nmeasures: {it: {avg: {column: amount}}}");
    assert!(text.starts_with("error: sql/indicators/it.yaml:4:"), "{text}");
    assert!(text.contains("avg") && text.contains("mean"), "{text}");
}

#[test]
fn an_aggregate_or_a_query_is_no_expression() {
    for wrong in ["sum(amount) > 1", "amount > (SELECT 1)", "row_number() OVER () > 1", "amount >"] {
        let text = complaint(&format!(
            "entity: cases\ntime: registered_on\nmeasures: {{it: {{count: {{where: \"{wrong}\"}}}}}}"
        ));
        assert!(text.starts_with("error: sql/indicators/it.yaml:4:32: "), "{text}");
    }
}

#[test]
fn requires_unit_thresholds_and_names_are_checked_together() {
    let text = declaration(
        "other",
        "entity: cases\ntime: registered_on\nmeasures: {it: {count: {}}}\nrequires: [kpi]\nthresholds: {good: 1, bad: 2}",
    )
    .replace("642", "999");
    let all = catalog_of(&[("it", &text)]).unwrap_err();
    let messages: Vec<String> = all.sorted().iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(
        messages,
        [
            "the indicator `other` is not named as its file",
            "`cases` has no dimension `kpi`",
            "`good` is less than `bad`, though the direction is up",
            "unknown unit `999`",
        ]
    );
}

#[test]
fn a_value_is_one_column_or_one_expression() {
    assert_eq!(
        complaint("entity: cases\ntime: registered_on\nmeasures: {it: {sum: {}}}").lines().next(),
        Some("error: sql/indicators/it.yaml:4:16: expected `column` or `expr`, found neither")
    );
    assert_eq!(
        complaint("entity: cases\ntime: registered_on\nmeasures: {it: {sum: {column: amount, expr: \"1\"}}}")
            .lines()
            .next(),
        Some("error: sql/indicators/it.yaml:4:45: expected either `column` or `expr`, found both")
    );
}

#[test]
fn an_empty_text_is_refused() {
    let text = declaration("it", "entity: cases\ntime: registered_on\nmeasures: {it: {count: {}}}")
        .replace("title: {ru: а, en: a}", "title: {ru: а, en: \" \"}");
    let problems = catalog_of(&[("it", &text)]).unwrap_err().to_string();
    assert_eq!(problems.lines().next(), Some("error: sql/indicators/it.yaml:5:8: `title`: `en` is empty"));
}

#[test]
fn the_condition_of_a_state_is_over_measures() {
    let lines = |condition: &str| {
        format!(
            "entity: cases\ntime: registered_on\nmeasures: {{all_cases: {{count: {{}}}}}}\nstates: {{not_due: \"{condition}\"}}"
        )
    };
    assert_eq!(
        complaint(&lines("all_case = 0")),
        "error: sql/indicators/it.yaml:5:20: unknown measure `all_case`\n  \
         5 | states: {not_due: \"all_case = 0\"}\n    \
         |                    ^^^^^^^^  help: did you mean `all_cases`?"
    );
    assert_eq!(
        complaint(&lines("all_cases + 1")),
        "error: sql/indicators/it.yaml:5:19: expected a condition, found a number\n  \
         5 | states: {not_due: \"all_cases + 1\"}\n    \
         |                   ^^^^^^^^^^^^^^^"
    );
}

#[test]
fn a_percentile_lies_between_0_and_1() {
    assert_eq!(
        complaint("entity: cases\ntime: registered_on\nmeasures: {it: {percentile: {column: amount, at: 90}}}"),
        "error: sql/indicators/it.yaml:4:50: `at`: 90 is not between 0 and 1\n  \
         4 | measures: {it: {percentile: {column: amount, at: 90}}}\n    \
         |                                                  ^^  help: e.g. `at: 0.9` for the 90th percentile"
    );
}

#[test]
fn coverage_names_an_indicator_and_its_measure() {
    let with = |coverage: &str| {
        complaint(&format!(
            "entity: cases\ntime: registered_on\nmeasures: {{it: {{count: {{}}}}}}\ncoverage: {coverage}"
        ))
    };
    assert!(
        with("{indicator: itt, of: it}").contains("unknown indicator `itt`"),
        "{}",
        with("{indicator: itt, of: it}")
    );
    assert!(with("{indicator: it, of: itt}").contains("`it` has no measure `itt`"));
    assert!(with("{indicator: it, of: it, where: {x: [y]}}").contains("`it` has no dimension `x`"));
}

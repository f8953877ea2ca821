use serde_json::{Value, json};
use svod::charts::Chart;
use svod::dashboards::{Light, Series, WidgetError};
use svod::domain::figure::State;

use super::{build, build_with, cases, date, lines, table_lines};

#[tokio::test]
async fn a_tile_has_its_figure_change_and_sparkline() {
    let tile = build(&[("cases", cases())], "  - {id: t, kind: tile, indicator: appeals}").await;
    assert_eq!(tile.total.as_ref().unwrap().value, Some(4.0));
    let comparison = tile.comparison.as_ref().unwrap();
    // One case in the first eleven weeks of the year before: the days of March without data are not compared.
    assert_eq!((comparison.value, comparison.to.to), (Some(1.0), date("2023-03-15")));
    assert_eq!((comparison.text.as_str(), comparison.is_better), ("+300\u{202F}%", None));
    assert_eq!(lines(&tile), ["январь 2024 2", "февраль 2024 1", "март 2024 1"]);
    assert_eq!(tile.rows[2].state, State::Provisional, "the data end in the middle of March");
    assert_eq!(tile.status.light, Light::None);
    assert_eq!(tile.summary, "Количество обращений: 4\u{202F}ед., на 300\u{202F}% больше, чем годом раньше.");
    assert_eq!(tile.subtitle, "Количество обращений, ед. · январь – март 2024");
    let Some(Chart::Sparkline(sparkline)) = tile.chart() else { panic!("{:?}", tile.chart()) };
    assert_eq!(sparkline.points.len(), 3);
}

#[tokio::test]
async fn a_share_is_computed_from_its_parts_and_gets_a_light() {
    let tile = build(&[("cases", cases())], "  - {id: t, kind: tile, indicator: support_rate, compare: none}").await;
    let total = tile.total.as_ref().unwrap();
    assert_eq!((total.value, total.text.as_str(), total.unit_text.as_str()), (Some(50.0), "50,0", "%"));
    assert_eq!((tile.status.light, tile.status.reason.as_str()), (Light::Bad, "ниже допустимого 60"));
    assert_eq!(tile.comparison, None);
}

#[tokio::test]
async fn a_ranking_goes_from_best_to_worst_and_names_the_spread() {
    let widget = "  - {id: r, kind: ranking, indicator: support_rate, by: [municipality]}";
    let ranking = build(&[("cases", cases())], widget).await;
    assert_eq!(lines(&ranking), ["Алексеевский 100", "Тольятти 50", "не указано 0"]);
    assert_eq!(
        ranking.headline,
        "Процент оказания мер поддержки: от 50,0\u{202F}% (Тольятти) до 100,0\u{202F}% (Алексеевский)"
    );
    let Some(Chart::Ranking(chart)) = ranking.chart() else { panic!() };
    assert_eq!(chart.mean, Some(50.0));
    let worst = build(&[("cases", cases())], &widget.replace('}', ", sort: worst, limit: 1}")).await;
    assert_eq!((lines(&worst), worst.n_keys), (vec!["Тольятти 50".to_owned()], 3));
    assert!(worst.subtitle.ends_with("· показано 1 из 3"), "{}", worst.subtitle);
    assert_eq!(worst.headline, "Процент оказания мер поддержки: Тольятти (50,0\u{202F}%)");
}

#[tokio::test]
async fn a_line_has_the_year_before_in_the_buckets_of_this_year() {
    let widget = "  - {id: l, kind: line, indicator: appeals, compare: year_before}";
    let line = build(&[("cases", cases())], widget).await;
    let before: Vec<_> = line.rows.iter().filter(|row| row.series == Series::Before).collect();
    assert_eq!(before.iter().map(|row| row.value).collect::<Vec<_>>(), [Some(1.0), Some(0.0), Some(0.0)]);
    assert_eq!(before[0].bucket, Some(date("2024-01-01")));
    assert_eq!(table_lines(&line)[1..3], ["январь 2024|2|1", "февраль 2024|1|0"]);
    let Some(Chart::Line(chart)) = line.chart() else { panic!() };
    assert_eq!(chart.buckets, ["янв\n2024", "фев", "мар"]);
}

#[tokio::test]
async fn what_lies_before_the_data_is_unknown_and_not_zero() {
    let mut cases = cases();
    cases.as_array_mut().unwrap().pop();
    let widget = "  - {id: l, kind: line, indicator: appeals, compare: year_before}";
    let line = build(&[("cases", cases)], widget).await;
    let comparison = line.comparison.as_ref().unwrap();
    assert_eq!((comparison.value, comparison.text.as_str()), (None, "не с чем сравнить"));
    assert_eq!(table_lines(&line)[1], "январь 2024|2|–");
    assert_eq!(line.headline, "Количество обращений");
}

#[tokio::test]
async fn a_grid_shows_zero_where_nothing_happened() {
    let widget = "  - {id: g, kind: heat_grid, indicator: measures_by_category_status, by: [category, status]}";
    let grid = build(&[("cases", cases())], widget).await;
    assert_eq!(
        table_lines(&grid),
        [
            "Категория граждан|Новое, ед.|Оказано, ед.|Отказано, ед.",
            "Пенсионер|1|2|0",
            "Инвалид, ребенок-инвалид|0|0|1",
        ]
    );
    assert!(grid.headline.ends_with("больше всего – Пенсионер · Оказано, 50\u{202F}%"), "{}", grid.headline);
}

#[tokio::test]
async fn a_table_ends_with_the_whole_computed_anew() {
    let widget = "  - {id: t, kind: table, indicators: [appeals, support_rate], by: [municipality]}";
    let table = build(&[("cases", cases())], widget).await;
    assert_eq!(
        table_lines(&table),
        [
            "Муниципалитет|Количество обращений, ед.|Процент оказания мер поддержки, %",
            "Алексеевский|1|100,0",
            "Тольятти|2|50,0",
            "не указано|1|0,0",
            "Всего|4|50,0",
        ]
    );
}

#[tokio::test]
async fn a_tile_map_places_every_territory_of_the_region() {
    let widget = "  - {id: m, kind: tile_map, indicator: support_rate, by: [municipality]}";
    let map = build(&[("cases", cases())], widget).await;
    let Some(Chart::TileMap(chart)) = map.chart() else { panic!() };
    assert_eq!(chart.tiles.len(), 37, "the 37 districts and okrugs of Samara Oblast");
    let absent = chart.tiles.iter().filter(|tile| tile.figure.state == State::Missing).count();
    assert_eq!(absent, 35);
}

#[tokio::test]
async fn a_filter_narrows_or_is_named_as_ignored_but_never_lost() {
    let widget = "  - {id: t, kind: tile, indicator: appeals}";
    let tile = build_with(&[("cases", cases())], widget, &[("municipality", "36740000")]).await.unwrap();
    assert_eq!(tile.total.as_ref().unwrap().value, Some(2.0));
    assert!(tile.subtitle.ends_with("· Муниципалитет: Тольятти"), "{}", tile.subtitle);
    let ignored = build_with(&[("cases", cases())], widget, &[("partner_kind", "museum")]).await.unwrap();
    assert_eq!(ignored.total.as_ref().unwrap().value, Some(4.0));
    assert_eq!(ignored.ignored_filters[0].name, "partner_kind");
    let unknown = build_with(&[("cases", cases())], widget, &[("town", "x")]).await;
    assert!(matches!(unknown, Err(WidgetError::UnknownFilter { .. })), "{unknown:?}");
    let value = build_with(&[("cases", cases())], widget, &[("municipality", "1")]).await;
    assert!(matches!(value, Err(WidgetError::Query(_))), "{value:?}");
}

#[tokio::test]
async fn a_fixed_dimension_stays_fixed() {
    let widget = "  - {id: t, kind: tile, indicator: appeals, where: {municipality: [\"36602000\"]}}";
    let tile = build_with(&[("cases", cases())], widget, &[("municipality", "36740000")]).await.unwrap();
    assert_eq!(tile.total.as_ref().unwrap().value, Some(1.0));
    assert!(tile.filters[0].is_fixed);
}

fn milestones() -> Value {
    json!([
        {"project": "social_passport", "milestone": "1.1.К.2", "planned_on": "2024-02-15", "done_on": "2024-02-20",
         "slip_days": 5},
        {"project": "social_passport", "milestone": "1.1.К.1", "planned_on": "2024-02-01", "done_on": "2024-01-30",
         "slip_days": -2},
        {"project": "social_passport", "milestone": "1.1.К.3", "planned_on": "2024-03-01", "forecast_on": "2024-04-20",
         "slip_days": 50},
        {"project": "social_passport", "milestone": "1.1.К.4", "planned_on": "2024-03-31"}
    ])
}

#[tokio::test]
async fn control_points_have_plan_fact_and_forecast() {
    let widget = "  - {id: p, kind: milestones, indicators: [milestones, milestone_slip], by: [milestone, state]}";
    let points = build(&[("milestones", milestones())], widget).await;
    assert_eq!(
        table_lines(&points)[1..],
        [
            "1.1.К.1|Перечень ТРУ разработан|01.02.2024|30.01.2024|факт|\u{2212}2|● Достигнута в срок",
            "1.1.К.2|Перечень ТРУ согласован|15.02.2024|20.02.2024|факт|5|▲ Достигнута с опозданием",
            "1.1.К.3|Перечень ТРУ прошел экспертизу|01.03.2024|20.04.2024|прогноз|50|■ Просрочена",
            &format!("1.1.К.4|{}|31.03.2024|||–|■ Просрочена", points.rows[3].milestone.as_ref().unwrap().name),
        ]
    );
    assert_eq!(points.headline, "Срок сорван, прогноз на 50 дней позже плана");
    assert_eq!((points.status.light, points.status.reason.as_str()), (Light::Bad, "просрочена: 2"));
    let Some(Chart::Milestones(chart)) = points.chart() else { panic!() };
    assert_eq!((chart.rows.len(), chart.from, chart.rows[2].is_forecast), (4, date("2024-01-01"), true));
}

#[tokio::test]
async fn plan_stands_beside_fact() {
    let months = json!([
        {"project": "social_passport", "kpi": "1.1", "month_on": "2024-01-01", "plan": 0.0, "fact": 0.0},
        {"project": "social_passport", "kpi": "1.1", "month_on": "2024-02-01", "plan": 1.0, "fact": 2.0},
        {"project": "social_passport", "kpi": "1.1", "month_on": "2024-03-01", "plan": 2.0}
    ]);
    let widget =
        "  - {id: k, kind: plan_fact, indicator: kpi_value, where: {kpi: [\"1.1\"]}, title: {ru: Акты, en: Acts}}";
    let widget = build(&[("kpi_months", months)], widget).await;
    let table = table_lines(&widget);
    assert_eq!(table[0], "Месяц|План, шт.|Факт, шт.");
    assert_eq!(table[2..], ["февраль 2024|1|2", "март 2024|2|нет отчёта"]);
    assert_eq!(widget.headline, "Акты: выше плана, 2 из 1\u{202F}шт. (февраль 2024)");
}

#[tokio::test]
async fn nothing_at_all_is_said_as_such() {
    let tile = build(&[], "  - {id: t, kind: tile, indicator: support_rate}").await;
    assert_eq!(tile.total.as_ref().unwrap().text, "–");
    assert_eq!(tile.summary, "Процент оказания мер поддержки: –.");
    assert_eq!(tile.status.reason, "нет данных");
}

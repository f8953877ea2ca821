//! Charts with realistic and with nasty figures.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

use chrono::NaiveDate;
use svod::charts::{
    Bar, BarChart, Chart, HeatGrid, LineChart, LineEvent, MilestoneMark, MilestonesChart, PlanFactChart, RankingChart,
    RankingRow, Role, Series, Sparkline, StackedBarChart, Status, Tile, TileMap, bucket_labels,
};
use svod::domain::figure::{Figure, State};
use svod::domain::language::Lang;
use svod::domain::period::{Grain, Period};

pub(crate) fn figures(values: &[f64]) -> Vec<Figure> {
    values.iter().copied().map(Figure::new).collect()
}

fn padded(values: &[f64], before: usize, length: usize) -> Vec<Figure> {
    let mut points = vec![Figure::without(State::NotDue); length];
    for (index, value) in values.iter().enumerate() {
        points[before + index] = Figure::new(*value);
    }
    points
}

pub(crate) fn months(from: &str, to: &str) -> Vec<String> {
    bucket_labels(&Period::parse(from, to).unwrap().buckets(Grain::Month), Grain::Month, Lang::Ru)
}

fn series(name: &str, role: Role, points: Vec<Figure>) -> Series {
    Series { name: name.to_owned(), role, points }
}

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The trend of the Governor's summary: fact, last year, plan, forecast with its band, an event.
pub(crate) fn trend() -> Chart {
    let thousands = |values: &[f64]| values.iter().map(|value| value * 1000.0).collect::<Vec<_>>();
    let mut band = vec![None; 12];
    band[9] = Some((648_000.0, 648_000.0));
    band[10] = Some((642_000.0, 668_000.0));
    band[11] = Some((640_000.0, 702_000.0));
    Chart::Line(LineChart {
        buckets: months("2026-01", "2026-12"),
        series: vec![
            series(
                "",
                Role::Subject,
                padded(&thousands(&[412.0, 455.0, 520.0, 498.0, 471.0, 530.0, 545.0, 566.0, 610.0, 648.24]), 0, 12),
            ),
            series(
                "2025 год",
                Role::Context,
                figures(&thousands(&[
                    380.0, 402.0, 470.0, 452.0, 430.0, 468.0, 476.0, 480.0, 530.0, 552.0, 560.0, 590.0,
                ])),
            ),
            series(
                "план",
                Role::Plan,
                figures(&thousands(&[
                    420.0, 440.0, 500.0, 500.0, 490.0, 520.0, 540.0, 560.0, 600.0, 640.0, 660.0, 680.0,
                ])),
            ),
            series("прогноз", Role::Forecast, padded(&thousands(&[655.0, 671.0]), 10, 12)),
        ],
        unit: "случаев".to_owned(),
        decimals: 0,
        from_zero: false,
        band,
        events: vec![LineEvent {
            bucket: 3, label: "02.04 новая редакция регламента".to_owned()
        }],
    })
}

/// A share over two years with every kind of absence.
pub(crate) fn broken_line() -> Chart {
    let mut points = figures(&[
        71.2, 73.5, 74.0, 0.0, 76.1, 78.8, 0.0, 0.0, 79.9, 81.0, 80.2, 79.1, 78.0, 79.5, 80.4, 81.9, 82.2, 83.0,
    ]);
    points[3] = Figure::without(State::Missing);
    points[6] = Figure::without(State::NotReported);
    points[7] = Figure::without(State::NotReported);
    points[11] = Figure::without(State::Suppressed);
    points[17].state = State::Provisional;
    Chart::Line(LineChart {
        buckets: months("2025-01", "2026-06"),
        series: vec![series("Доля оказанных", Role::Subject, points)],
        unit: "%".to_owned(),
        decimals: 1,
        ..LineChart::default()
    })
}

/// Seven categories that end close to each other, with long names.
pub(crate) fn many_lines() -> Chart {
    let names = [
        "Участник специальной военной операции",
        "Многодетная семья",
        "Пенсионер",
        "Инвалид",
        "Ветеран боевых действий",
        "Ветеран труда",
        "Семья с ребёнком-инвалидом",
    ];
    let lines = names.iter().enumerate().map(|(index, name)| {
        let base = f64::from(u32::try_from(index).unwrap());
        let points = (0..12)
            .map(|month| 1200.0 + 40.0 * base + 18.0 * f64::from(month) * (1.0 - base * 0.12))
            .collect::<Vec<_>>();
        series(name, Role::Category(index), figures(&points))
    });
    Chart::Line(LineChart {
        buckets: months("2025-07", "2026-06"),
        series: lines.collect(),
        unit: "обращений".to_owned(),
        ..LineChart::default()
    })
}

pub(crate) fn plan_fact() -> Chart {
    Chart::PlanFact(PlanFactChart {
        buckets: months("2026-01", "2026-12"),
        plan: figures(&[0.0, 5.0, 5.0, 15.0, 15.0, 30.0, 30.0, 45.0, 60.0, 60.0, 80.0, 100.0]),
        fact: padded(&[0.0, 3.0, 6.0, 9.0, 14.0, 22.0, 28.0, 39.0], 0, 12),
        forecast: padded(&[48.0, 58.0, 70.0, 85.0], 8, 12),
        unit: "%".to_owned(),
        decimals: 0,
        step: true,
    })
}

pub(crate) fn columns() -> Chart {
    let values = [1820.0, 2010.0, 2290.0, 2105.0, 1990.0, 2240.0, 2330.0, 2410.0, 2580.0, 2655.0, 0.0, 1230.0];
    let mut bars: Vec<Bar> = months("2026-01", "2026-12")
        .into_iter()
        .zip(values)
        .map(|(label, value)| Bar { label, figure: Figure::new(value), role: Role::Subject })
        .collect();
    bars[10].figure = Figure::without(State::NotReported);
    bars[11].figure.state = State::Provisional;
    Chart::Bar(BarChart { bars, unit: "случаев".to_owned(), decimals: 0 })
}

pub(crate) fn lying_bars() -> Chart {
    let rows = [
        ("Министерство социально-демографической и семейной политики Самарской области", 124_830.0),
        ("Министерство здравоохранения", 58_112.0),
        ("Социальный фонд России", 31_007.0),
        ("Департамент опеки, попечительства и социальной поддержки администрации городского округа", 8_450.0),
        ("МФЦ", 912.0),
        ("Минтруд", 0.0),
    ];
    let mut bars: Vec<Bar> = rows
        .iter()
        .map(|(label, value)| Bar { label: (*label).to_owned(), figure: Figure::new(*value), role: Role::Context })
        .collect();
    bars[0].role = Role::Subject;
    bars.push(Bar {
        label: "Минобразования".to_owned(),
        figure: Figure::without(State::NotReported),
        role: Role::Context,
    });
    bars.push(Bar {
        label: "Минимущество".to_owned(),
        figure: Figure::without(State::Suppressed),
        role: Role::Context,
    });
    Chart::Bar(BarChart { bars, unit: "обращений".to_owned(), decimals: 0 })
}

/// Changes: some fall below zero.
pub(crate) fn negative_bars(are_rows: bool) -> Chart {
    let names = if are_rows {
        ["Городской округ Тольятти", "Муниципальный район Шигонский", "Безенчукский", "Самара"]
    } else {
        ["янв", "фев", "мар", "апр"]
    };
    let bars = names.iter().zip([2.4, -1.7, 0.0, -4.25]).map(|(label, value)| Bar {
        label: (*label).to_owned(),
        figure: Figure::new(value),
        role: Role::Subject,
    });
    Chart::Bar(BarChart { bars: bars.collect(), unit: "п. п.".to_owned(), decimals: 1 })
}

pub(crate) fn stacked_columns() -> Chart {
    Chart::StackedBar(StackedBarChart {
        labels: months("2026-01", "2026-10"),
        series: vec![
            series(
                "Оказано",
                Role::Category(0),
                figures(&[820.0, 910.0, 990.0, 960.0, 930.0, 1010.0, 1040.0, 1105.0, 1160.0, 1240.0]),
            ),
            series(
                "В работе",
                Role::Category(1),
                figures(&[210.0, 190.0, 230.0, 250.0, 240.0, 215.0, 205.0, 190.0, 220.0, 380.0]),
            ),
            series(
                "Отказано",
                Role::Category(3),
                figures(&[90.0, 95.0, 80.0, 102.0, 88.0, 76.0, 91.0, 85.0, 79.0, 60.0]),
            ),
            series("Отозвано", Role::Context, figures(&[12.0, 9.0, 15.0, 11.0, 8.0, 14.0, 10.0, 13.0, 9.0, 4.0])),
        ],
        unit: "случаев".to_owned(),
        decimals: 0,
    })
}

pub(crate) fn stacked_rows() -> Chart {
    Chart::StackedBar(StackedBarChart {
        labels: [
            "Участник СВО и члены его семьи",
            "Многодетная семья",
            "Пенсионер",
            "Инвалид",
            "Ветеран боевых действий",
        ]
        .map(str::to_owned)
        .to_vec(),
        series: vec![
            series("Оказано", Role::Category(0), figures(&[10_601.0, 9_299.0, 6_243.0, 4_368.0, 2_765.0])),
            series("В работе", Role::Category(1), figures(&[2_217.0, 1_433.0, 1_117.0, 731.0, 432.0])),
            series("Отказано", Role::Category(3), figures(&[1_659.0, 1_467.0, 1_060.0, 668.0, 401.0])),
        ],
        unit: "обращений".to_owned(),
        decimals: 0,
    })
}

/// Municipalities with limits, judged against the mean of the region.
pub(crate) fn ranking_dots() -> Chart {
    let rows = [
        ("Тольятти", 88.1, 1.5, Status::Good),
        ("Новокуйбышевск", 86.9, 2.2, Status::Good),
        ("Сызрань", 85.2, 2.3, Status::Good),
        ("Волжский", 83.7, 3.0, Status::Good),
        ("Самара", 82.4, 1.0, Status::Good),
        ("Чапаевск", 79.0, 2.9, Status::None),
        ("Кинель", 77.3, 3.2, Status::None),
        ("Отрадный", 72.8, 3.6, Status::Bad),
        ("Похвистнево", 66.2, 4.2, Status::Bad),
        ("Клявлинский", 61.5, 6.2, Status::Bad),
    ];
    let mut rows: Vec<RankingRow> = rows
        .iter()
        .map(|(label, value, spread, status)| RankingRow {
            label: (*label).to_owned(),
            figure: Figure::new(*value),
            status: *status,
            limits: Some((value - spread, value + spread)),
            ..RankingRow::default()
        })
        .collect();
    rows.push(RankingRow {
        label: "Челно-Вершинский".to_owned(),
        figure: Figure::without(State::NotReported),
        ..RankingRow::default()
    });
    Chart::Ranking(RankingChart {
        rows,
        mean: Some(80.0),
        mean_label: "область".to_owned(),
        unit: "%".to_owned(),
        decimals: 1,
    })
}

pub(crate) fn ranking_bars() -> Chart {
    let names =
        ["Социальный контракт", "Признание нуждающимися в социальном обслуживании", "ИППСУ", "Жалобы", "Справки"];
    let rows =
        names.iter().zip([1_204.0, 930.0, 415.0, 96.0, 0.0]).enumerate().map(|(index, (label, value))| RankingRow {
            label: (*label).to_owned(),
            figure: Figure::new(value),
            role: if index == 0 { Role::Subject } else { Role::Context },
            ..RankingRow::default()
        });
    Chart::Ranking(RankingChart { rows: rows.collect(), unit: "дел".to_owned(), ..RankingChart::default() })
}

pub(crate) fn heat_grid() -> Chart {
    let rows = [
        ("Участник СВО", [448.0, 2217.0, 312.0, 10601.0, 1659.0, 168.0]),
        ("Семья участника СВО", [479.0, 2416.0, 295.0, 8945.0, 1667.0, 130.0]),
        ("Многодетная семья", [281.0, 1433.0, 186.0, 9299.0, 1467.0, 127.0]),
        ("Пенсионер", [271.0, 1117.0, 145.0, 6243.0, 1060.0, 96.0]),
        ("Инвалид", [192.0, 731.0, 113.0, 4368.0, 668.0, 50.0]),
        ("Ветеран боевых действий", [97.0, 432.0, 75.0, 2765.0, 401.0, 31.0]),
        ("Ветеран труда", [46.0, 216.0, 29.0, 1116.0, 160.0, 0.0]),
    ];
    let mut cells: Vec<Vec<Figure>> = rows.iter().map(|(_, values)| figures(values)).collect();
    cells[6][5] = Figure::without(State::Suppressed);
    cells[4][2] = Figure::without(State::NotReported);
    cells[5][2] = Figure::without(State::Missing);
    Chart::HeatGrid(HeatGrid {
        rows: rows.iter().map(|(name, _)| (*name).to_owned()).collect(),
        columns: ["Новое", "В работе", "Приостановлено", "Оказано", "Отказано", "Просрочено"]
            .map(str::to_owned)
            .to_vec(),
        cells,
        unit: String::new(),
        decimals: 0,
        alarm_columns: vec![5],
    })
}

/// Many narrow columns, long names, shares.
pub(crate) fn wide_heat_grid() -> Chart {
    let buckets = months("2025-01", "2026-06");
    let rows = ["Городской округ Тольятти", "Муниципальный район Челно-Вершинский Самарской области", "Самара"];
    let cells = (0..3).map(|row| (0..18).map(|month| Figure::new(f64::from(row * 7 + month) * 2.5 + 40.0)).collect());
    Chart::HeatGrid(HeatGrid {
        rows: rows.map(str::to_owned).to_vec(),
        columns: buckets,
        cells: cells.collect(),
        unit: "%".to_owned(),
        decimals: 1,
        alarm_columns: Vec::new(),
    })
}

pub(crate) fn sparkline() -> Chart {
    let mut points = figures(&[10.0, 11.0, 13.0, 12.0, 14.0, 15.0, 0.0, 17.0, 18.0, 20.0, 19.5, 22.0]);
    points[6] = Figure::without(State::Missing);
    Chart::Sparkline(Sparkline { points })
}

pub(crate) fn milestones() -> Chart {
    let rows = [
        ("1.1.К.6", "Перечень ТРУ утверждён", "2026-04-01", "2026-04-06", false, Status::Attention),
        ("1.1.К.12", "Порядок утверждён", "2026-04-01", "2026-04-01", false, Status::Good),
        ("2.1.К.3", "Закупка размещена", "2026-03-25", "2026-03-25", false, Status::Good),
        ("2.1.К.4", "Испытания в тестовой среде", "2026-08-03", "2026-08-19", true, Status::Bad),
        (
            "2.1.К.5",
            "Промышленная эксплуатация электронного социального паспорта семьи",
            "2026-08-24",
            "2026-09-09",
            true,
            Status::Bad,
        ),
        ("2.1.К.6", "Презентация", "2026-08-31", "2026-09-16", true, Status::Bad),
    ];
    let mut rows: Vec<MilestoneMark> = rows
        .iter()
        .map(|(code, label, planned, actual, is_forecast, status)| MilestoneMark {
            code: (*code).to_owned(),
            label: (*label).to_owned(),
            planned: date(planned),
            actual: Some(date(actual)),
            is_forecast: *is_forecast,
            status: *status,
            note: String::new(),
        })
        .collect();
    rows.push(MilestoneMark {
        code: "2.1.К.7".to_owned(),
        label: "Отчёт о внедрении".to_owned(),
        planned: date("2026-07-10"),
        status: Status::Bad,
        ..MilestoneMark::default()
    });
    Chart::Milestones(MilestonesChart {
        from: date("2026-01-01"),
        to: date("2026-09-30"),
        today: Some(date("2026-07-28")),
        rows,
    })
}

pub(crate) fn tile_map() -> Chart {
    let names = ["Кошк", "ЧВер", "Шент", "Кляв", "Елхо", "Серг", "Исак", "Камы", "Тлт", "Став", "КрЯр", "КЧер"];
    let places = [(4, 0), (5, 0), (6, 0), (7, 0), (4, 1), (5, 1), (6, 1), (7, 1), (2, 2), (3, 2), (4, 2), (5, 2)];
    let values = [79.0, 0.0, 68.0, 67.0, 56.0, 70.0, 62.0, 68.0, 62.0, 82.0, 72.0, 55.0];
    let mut tiles: Vec<Tile> = names
        .iter()
        .zip(places)
        .zip(values)
        .map(|((label, (column, row)), value)| Tile {
            label: (*label).to_owned(),
            name: format!("{label} район"),
            column,
            row,
            figure: Figure::new(value),
        })
        .collect();
    tiles[1].figure = Figure::without(State::NotReported);
    tiles[6].figure = Figure::without(State::Suppressed);
    Chart::TileMap(TileMap { tiles, unit: "%".to_owned(), decimals: 0 })
}

/// Every kind with figures that are empty, alone, zero, negative, huge or absent.
pub(crate) fn nasty() -> Vec<(&'static str, Chart)> {
    let line = |name: &str, values: Vec<Figure>| {
        let buckets = months("2026-01", "2026-12").into_iter().take(values.len()).collect();
        Chart::Line(LineChart {
            buckets,
            series: vec![series(name, Role::Subject, values)],
            unit: "₽".to_owned(),
            ..LineChart::default()
        })
    };
    vec![
        ("line_empty", Chart::Line(LineChart::default())),
        ("line_zero", line("Жалобы", figures(&[0.0; 6]))),
        ("line_single", line("Жалобы", figures(&[1_250_300.0]))),
        ("line_negative", line("Изменение", figures(&[-3_200.0, 1_500.0, -800.0, 2_700.0, -4_100.0]))),
        ("line_huge", line("Выплаты", figures(&[1.2e12, 3.4e12, 2.2e15, 9.1e15]))),
        ("line_tiny", line("Доля", figures(&[0.0012, 0.0018, 0.0011, 0.0023]))),
        ("line_absent", line("", vec![Figure::without(State::NotReported); 4])),
        ("bar_empty", Chart::Bar(BarChart::default())),
        ("bar_negative", negative_bars(false)),
        ("bar_negative_rows", negative_bars(true)),
        (
            "bar_zero",
            Chart::Bar(BarChart {
                bars: vec![Bar { label: "янв".to_owned(), figure: Figure::new(0.0), role: Role::Subject }],
                ..BarChart::default()
            }),
        ),
        ("stacked_empty", Chart::StackedBar(StackedBarChart::default())),
        ("ranking_empty", Chart::Ranking(RankingChart::default())),
        (
            "ranking_equal",
            Chart::Ranking(RankingChart {
                rows: vec![
                    RankingRow {
                        label: "Одинаково".to_owned(),
                        figure: Figure::new(5.0),
                        ..RankingRow::default()
                    };
                    3
                ],
                mean: Some(5.0),
                ..RankingChart::default()
            }),
        ),
        ("heat_empty", Chart::HeatGrid(HeatGrid::default())),
        ("sparkline_empty", Chart::Sparkline(Sparkline::default())),
        ("sparkline_single", Chart::Sparkline(Sparkline { points: figures(&[7.0]) })),
        ("milestones_empty", Chart::Milestones(MilestonesChart::default())),
        ("tile_map_empty", Chart::TileMap(TileMap::default())),
        ("plan_fact_empty", Chart::PlanFact(PlanFactChart::default())),
    ]
}

/// One realistic chart of each kind, and more where a kind has more than one shape.
pub(crate) fn kinds() -> Vec<(&'static str, Chart)> {
    vec![
        ("line_trend", trend()),
        ("line_broken", broken_line()),
        ("line_many", many_lines()),
        ("plan_fact", plan_fact()),
        ("bar_columns", columns()),
        ("bar_rows", lying_bars()),
        ("stacked_columns", stacked_columns()),
        ("stacked_rows", stacked_rows()),
        ("ranking_dots", ranking_dots()),
        ("ranking_bars", ranking_bars()),
        ("heat_grid", heat_grid()),
        ("heat_grid_wide", wide_heat_grid()),
        ("sparkline", sparkline()),
        ("milestones", milestones()),
        ("tile_map", tile_map()),
    ]
}

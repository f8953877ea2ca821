//! No text leaves the frame, whatever the labels and numbers are.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

use ab_glyph::{Font as _, FontRef};
use proptest::prelude::*;
use resvg::usvg::roxmltree::{Document, Node};
use svod::charts::{
    Bar, BarChart, Chart, Frame, HeatGrid, LineChart, LineEvent, MilestoneMark, MilestonesChart, PlanFactChart,
    RankingChart, RankingRow, Role, Series, StackedBarChart, Status, Theme, Tile, TileMap, WebAssets, draw_svg,
};
use svod::domain::figure::{Figure, State};
use svod::domain::language::Lang;

use super::samples;

/// Width of a text by the metrics of the font file, independently of how the charts measure.
fn text_width(text: &str, size: f64, weight: &str) -> f64 {
    let name = match weight {
        "500" => "Medium",
        "600" => "SemiBold",
        _ => "Regular",
    };
    let file = WebAssets::get(&format!("fonts/GolosText-{name}.ttf")).unwrap();
    let font = FontRef::try_from_slice(&file.data).unwrap();
    let units: f32 = text.chars().map(|letter| font.h_advance_unscaled(font.glyph_id(letter))).sum();
    f64::from(units / font.units_per_em().unwrap()) * size
}

/// A text of a drawing and the box around its letters.
struct Placed {
    text: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Width and height of a drawing, and its texts.
fn read_texts(svg: &str) -> (f64, f64, Vec<Placed>) {
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    let number = |node: Node<'_, '_>, attribute: &str| node.attribute(attribute).unwrap().parse::<f64>().unwrap();
    let texts = root.children().filter(|node| node.has_tag_name("text")).map(|node| {
        let text: String = node.children().filter(Node::is_text).filter_map(|child| child.text()).collect();
        let (x, y, size) = (number(node, "x"), number(node, "y"), number(node, "font-size"));
        let width = text_width(&text, size, node.attribute("font-weight").unwrap_or(""));
        let left = match node.attribute("text-anchor") {
            Some("end") => x - width,
            Some("middle") => x - width / 2.0,
            _ => x,
        };
        Placed { text, left, right: left + width, top: y - size * 0.72, bottom: y }
    });
    (number(root, "width"), number(root, "height"), texts.collect())
}

/// Every text of a drawing lies inside its frame.
fn assert_inside(name: &str, svg: &str) {
    let (width, height, texts) = read_texts(svg);
    for Placed { text, left, right, top, bottom } in texts {
        assert!(left >= -0.1 && right <= width + 0.1, "{name}: `{text}` at {left:.1}..{right:.1} of {width}");
        assert!(top >= -0.5 && bottom <= height + 0.1, "{name}: `{text}` at {top:.1}..{bottom:.1} of {height}");
    }
}

#[test]
fn no_text_covers_another_in_charts_of_common_sizes() {
    for (name, chart) in samples::kinds() {
        for width in [340, 480, 640, 900, 1200] {
            let svg = draw_svg(&chart, &Frame::new(width, chart.height(width), Lang::Ru, Theme::Light)).unwrap();
            let (_, _, texts) = read_texts(&svg);
            for (index, one) in texts.iter().enumerate() {
                for two in texts.iter().skip(index + 1) {
                    let is_apart = one.right <= two.left || two.right <= one.left;
                    let is_over = one.bottom <= two.top || two.bottom <= one.top;
                    assert!(is_apart || is_over, "{name} {width}: `{}` and `{}`", one.text, two.text);
                }
            }
        }
    }
}

#[test]
fn text_of_every_kind_stays_inside_at_every_width() {
    for (name, chart) in samples::kinds().into_iter().chain(samples::nasty()) {
        for width in [60, 140, 320, 560, 1200] {
            for height in [40, chart.height(width)] {
                for lang in [Lang::Ru, Lang::En] {
                    let svg = draw_svg(&chart, &Frame::new(width, height, lang, Theme::Light)).unwrap();
                    assert_inside(name, &svg);
                }
            }
        }
    }
}

fn figure() -> impl Strategy<Value = Figure> {
    prop_oneof![
        6 => (-1e3..1e3).prop_map(Figure::new),
        3 => (0.0..1e13).prop_map(Figure::new),
        1 => Just(Figure::new(0.0)),
        1 => Just(Figure { value: Some(12_345.6), state: State::Provisional }),
        1 => prop_oneof![
            Just(State::Missing),
            Just(State::Suppressed),
            Just(State::NotDue),
            Just(State::NotReported)
        ]
        .prop_map(Figure::without),
    ]
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[А-Яа-яёЁ«»–,. -]{0,90}",
        1 => "[A-Za-z<>&\"'\n\u{1}…]{0,30}",
        1 => Just("янв\n2026".to_owned()),
        1 => any::<String>(),
    ]
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![
        Just(Role::Subject),
        Just(Role::Context),
        Just(Role::Plan),
        Just(Role::Forecast),
        (0usize..9).prop_map(Role::Category)
    ]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::Good), Just(Status::Attention), Just(Status::Bad), Just(Status::None)]
}

fn points() -> impl Strategy<Value = Vec<Figure>> {
    prop::collection::vec(figure(), 0..20)
}

fn series() -> impl Strategy<Value = Vec<Series>> {
    let one = (label(), role(), points()).prop_map(|(name, role, points)| Series { name, role, points });
    prop::collection::vec(one, 0..7)
}

fn labels() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(label(), 0..20)
}

fn chart() -> impl Strategy<Value = Chart> {
    let line = (labels(), series(), label(), 0usize..3, any::<bool>(), 0usize..20).prop_map(
        |(buckets, series, unit, decimals, from_zero, bucket)| {
            let events = vec![LineEvent { bucket, label: unit.clone() }];
            let band = vec![Some((1.0, 2.0)); buckets.len()];
            Chart::Line(LineChart { buckets, series, unit, decimals, from_zero, band, events })
        },
    );
    let bar = (prop::collection::vec((label(), figure(), role()), 0..20), label(), 0usize..3).prop_map(
        |(bars, unit, decimals)| {
            let bars = bars.into_iter().map(|(label, figure, role)| Bar { label, figure, role }).collect();
            Chart::Bar(BarChart { bars, unit, decimals })
        },
    );
    let stacked = (labels(), series(), label(), 0usize..3).prop_map(|(labels, series, unit, decimals)| {
        Chart::StackedBar(StackedBarChart { labels, series, unit, decimals })
    });
    let row = (label(), figure(), role(), status(), prop::option::of((-5e3..1e3, 1e3..5e3)));
    let ranking = (prop::collection::vec(row, 0..30), prop::option::of(-1e3..1e4), label(), 0usize..3).prop_map(
        |(rows, mean, unit, decimals)| {
            let rows = rows.into_iter().map(|(label, figure, role, status, limits)| RankingRow {
                label,
                figure,
                role,
                status,
                limits,
            });
            Chart::Ranking(RankingChart { rows: rows.collect(), mean, mean_label: unit.clone(), unit, decimals })
        },
    );
    let grid = (labels(), labels(), prop::collection::vec(points(), 0..20), label(), 0usize..3).prop_map(
        |(rows, columns, cells, unit, decimals)| {
            Chart::HeatGrid(HeatGrid { rows, columns, cells, unit, decimals, alarm_columns: vec![1] })
        },
    );
    let plan_fact =
        (labels(), points(), points(), points(), any::<bool>()).prop_map(|(buckets, plan, fact, forecast, step)| {
            Chart::PlanFact(PlanFactChart { buckets, plan, fact, forecast, unit: "%".to_owned(), decimals: 1, step })
        });
    let mark = (label(), label(), 0u64..1500, prop::option::of(0u64..1500), status(), label());
    let milestones = prop::collection::vec(mark, 0..12).prop_map(|marks| {
        let day = |days: u64| samples::date("2025-06-01") + chrono::Days::new(days);
        let rows = marks.into_iter().map(|(code, label, planned, actual, status, note)| MilestoneMark {
            code,
            label,
            planned: day(planned),
            actual: actual.map(day),
            is_forecast: planned % 2 == 0,
            status,
            note,
        });
        Chart::Milestones(MilestonesChart { from: day(100), to: day(900), today: Some(day(500)), rows: rows.collect() })
    });
    let tile = (label(), label(), 0u32..12, 0u32..9, figure());
    let tile_map = (prop::collection::vec(tile, 0..30), label()).prop_map(|(tiles, unit)| {
        let tiles =
            tiles.into_iter().map(|(label, name, column, row, figure)| Tile { label, name, column, row, figure });
        Chart::TileMap(TileMap { tiles: tiles.collect(), unit, decimals: 1 })
    });
    prop_oneof![line, bar, stacked, ranking, grid, plan_fact, milestones, tile_map]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_leaves_the_frame(chart in chart(), width in 30u32..1400, height in 20u32..700, is_dark in any::<bool>()) {
        let theme = if is_dark { Theme::Dark } else { Theme::Light };
        let svg = draw_svg(&chart, &Frame::new(width, height, Lang::Ru, theme)).unwrap();
        prop_assert!(!svg.contains("NaN"));
        assert_inside("random", &svg);
    }
}

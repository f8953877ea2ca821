//! What each kind draws, kept as a golden SVG, and the same as pixels.

use svod::charts::{Chart, Frame, Standalone, Theme, WebAssets, draw_png, draw_svg};
use svod::domain::language::Lang;

use super::samples;

fn frame(chart: &Chart, width: u32) -> Frame {
    Frame::new(width, chart.height(width), Lang::Ru, Theme::Light).with_texts("Название", "Одно предложение.")
}

#[test]
fn each_kind_draws_what_it_drew_before() {
    for (name, chart) in samples::kinds() {
        let width = if name == "sparkline" { 120 } else { 560 };
        insta::assert_snapshot!(name, draw_svg(&chart, &frame(&chart, width)).unwrap());
    }
}

#[test]
fn a_file_carries_heading_source_and_background() {
    let chart = samples::ranking_bars();
    let standalone = Standalone {
        title: "Социальных контрактов больше, чем признаний нуждающимися".to_owned(),
        subtitle: "Дел в работе на 01.07.2026".to_owned(),
        source: "Источник: журналы ведомств".to_owned(),
    };
    let frame = Frame::new(560, chart.height(560) + Standalone::height(), Lang::Ru, Theme::Dark)
        .with_texts("Ранжир", "")
        .with_standalone(standalone);
    insta::assert_snapshot!("standalone", draw_svg(&chart, &frame).unwrap());
}

#[test]
fn nasty_figures_are_drawn_and_empty_ones_say_so() {
    for (name, chart) in samples::nasty() {
        for width in [24, 200, 700] {
            let svg = draw_svg(&chart, &frame(&chart, width)).unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
            let is_sparkline = matches!(chart, Chart::Sparkline(_));
            if (name.ends_with("_empty") || name.ends_with("_absent")) && !is_sparkline && width > 100 {
                assert!(svg.contains("нет данных"), "{name}: {svg}");
            }
        }
    }
}

#[test]
fn missing_values_are_told_apart() {
    let svg = draw_svg(&samples::heat_grid(), &frame(&samples::heat_grid(), 560)).unwrap();
    for sign in [">••<", ">–<", "скрыто", "нет данных"] {
        assert!(svg.contains(sign), "{sign}");
    }
    let svg = draw_svg(&samples::ranking_dots(), &frame(&samples::ranking_dots(), 700)).unwrap();
    assert!(svg.contains("не отчитался"));
}

#[test]
fn the_same_figures_give_the_same_bytes() {
    for (name, chart) in samples::kinds() {
        let frame = frame(&chart, 480);
        assert_eq!(draw_svg(&chart, &frame).unwrap(), draw_svg(&chart, &frame).unwrap(), "{name}");
        assert_eq!(draw_png(&chart, &frame, 1.0).unwrap(), draw_png(&chart, &frame, 1.0).unwrap(), "{name}");
    }
}

#[test]
fn an_image_tells_its_name_to_those_who_do_not_see_it() {
    let chart = samples::trend();
    let frame = Frame::new(500, 300, Lang::En, Theme::Dark).with_texts("A < B & C", "Rises.");
    let svg = draw_svg(&chart, &frame).unwrap();
    assert!(svg.contains("role=\"img\""));
    assert!(svg.contains("<title>A &lt; B &amp; C</title>\n<desc>Rises.</desc>"));
    assert!(svg.contains("viewBox=\"0 0 500 300\""));
}

#[test]
fn pixels_have_the_size_of_the_frame_times_the_scale() {
    for (name, chart) in samples::kinds() {
        let frame = Frame::new(300, 200, Lang::Ru, Theme::Light);
        let image = draw_png(&chart, &frame, 2.0).unwrap();
        let pixels = resvg::tiny_skia::Pixmap::decode_png(&image).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (600, 400), "{name}");
        let n_drawn = pixels.pixels().iter().filter(|pixel| pixel.alpha() > 0).count();
        assert!(n_drawn > 500, "{name}: {n_drawn}");
    }
}

#[test]
fn text_is_drawn_by_the_embedded_font() {
    let chart = Chart::Line(svod::charts::LineChart::default());
    let image = draw_png(&chart, &Frame::new(200, 100, Lang::Ru, Theme::Light), 1.0).unwrap();
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&image).unwrap();
    let n_drawn = pixels.pixels().iter().filter(|pixel| pixel.alpha() > 0).count();
    assert!(n_drawn > 150, "the words `нет данных` are there: {n_drawn} pixels");
}

/// A page shows the drawing in its own theme by replacing the tokens of the light one.
#[test]
fn every_colour_of_a_drawing_is_a_token() {
    let tokens = Theme::Light.tokens();
    let mut known: Vec<String> = tokens.named().iter().map(|(_, colour)| colour.hex()).collect();
    known.extend(tokens.categorical.iter().map(|colour| tokens.as_text(*colour).hex()));
    known.extend(["#121A24", "none"].map(str::to_owned));
    for (name, chart) in samples::kinds() {
        let svg = draw_svg(&chart, &frame(&chart, 600)).unwrap();
        for attribute in [" fill=\"", " stroke=\""] {
            for colour in svg.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(known.iter().any(|token| token == colour), "{name}: {colour}");
            }
        }
    }
}

#[test]
fn the_assets_hold_the_fonts_of_the_page() {
    let css = WebAssets::get("fonts.css").unwrap();
    let css = std::str::from_utf8(&css.data).unwrap();
    for file in css.split("url(./").skip(1).filter_map(|part| part.split(')').next()) {
        assert!(WebAssets::get(file).is_some(), "{file}");
    }
    assert!(css.contains("U+202F"), "the separator of thousands is in a font");
}

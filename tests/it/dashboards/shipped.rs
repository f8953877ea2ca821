use svod::charts::{Frame, Theme, draw_svg};
use svod::dashboards::{Dashboard, WidgetKind, WidgetRequest};
use svod::domain::language::Lang;

use super::{build, build_all, cases};
use crate::indicators::memory::{reference, shipped_catalog, shipped_engine};
use crate::support::project_root;

fn shipped() -> Vec<Dashboard> {
    Dashboard::load_all(&project_root(), &shipped_catalog(), &reference())
        .unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_dashboards_are_shipped_in_their_order() {
    let ids: Vec<String> = shipped().into_iter().map(|dashboard| dashboard.id).collect();
    assert_eq!(
        ids,
        ["governor", "measures", "returned", "contracts", "card", "project", "families", "deadlines", "completeness"]
    );
}

#[test]
fn every_kind_of_widget_is_in_use() {
    let dashboards = shipped();
    for kind in WidgetKind::ALL {
        assert!(dashboards.iter().flat_map(|dashboard| &dashboard.widgets).any(|widget| widget.kind == kind), "{kind}");
    }
}

#[test]
fn rows_of_widgets_fill_the_twelve_columns() {
    for dashboard in shipped() {
        let mut filled = 0;
        for widget in &dashboard.widgets {
            assert!(filled + widget.columns <= 12, "{}/{} does not fit into its row", dashboard.id, widget.id);
            filled = (filled + widget.columns) % 12;
        }
        assert_eq!(filled, 0, "the last row of {} is not full", dashboard.id);
    }
}

#[tokio::test]
async fn every_shipped_widget_has_figures_table_chart_and_words_in_both_languages() {
    for tables in [vec![], vec![("cases", cases())]] {
        let engine = shipped_engine(&tables);
        for dashboard in shipped() {
            for lang in [Lang::Ru, Lang::En] {
                let request = WidgetRequest { lang, ..WidgetRequest::default() };
                for widget in build_all(&engine, &dashboard, &request).await.unwrap() {
                    let table = widget.table_with_codes();
                    assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}", widget.id);
                    let tidy = widget.tidy_table();
                    assert!(tidy.rows.iter().all(|row| row.len() == tidy.columns.len()), "{}", widget.id);
                    assert!(!widget.headline.is_empty() && widget.summary.ends_with('.'), "{}", widget.id);
                    if let Some(chart) = widget.chart() {
                        draw_svg(&chart, &Frame::new(640, chart.height(640), lang, Theme::Light)).unwrap();
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn the_widget_document_explains_itself() {
    let widget = "  - {id: rate, kind: ranking, indicator: support_rate, by: [municipality], columns: 6}";
    let widget = build(&[("cases", cases())], widget).await;
    // Receipts follow from the edition of the indicator, which other tests are about.
    insta::assert_json_snapshot!("ranking_widget", widget, { ".**.receipt" => "[receipt]" });
}

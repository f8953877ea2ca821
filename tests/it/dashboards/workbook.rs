use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use svod::dashboards::WidgetRequest;
use svod::domain::language::Lang;
use svod::reports::dashboard_workbook;

use super::{build_all, cases, dashboard};
use crate::indicators::memory::shipped_engine;

const WIDGETS: &str = "  - {id: a, kind: tile, indicator: appeals, title: {ru: Обращения, en: Appeals}}
  - {id: b, kind: ranking, indicator: support_rate, by: [municipality], title: {ru: 'Где лучше?', en: 'Where?'}}
  - {id: c, kind: heat_grid, indicator: support_rate, by: [municipality], grain: month}";

async fn workbook() -> Vec<u8> {
    let dashboard = dashboard(WIDGETS);
    let engine = shipped_engine(&[("cases", cases())]);
    let widgets = build_all(&engine, &dashboard, &WidgetRequest::default()).await.unwrap();
    dashboard_workbook(&dashboard, &widgets, Lang::Ru).unwrap()
}

fn rows(file: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &str) -> Vec<Vec<Data>> {
    file.worksheet_range(sheet).unwrap().rows().map(<[Data]>::to_vec).collect()
}

#[tokio::test]
async fn a_dashboard_is_one_workbook_with_a_sheet_per_widget() {
    let mut file: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(workbook().await)).unwrap();
    assert_eq!(file.sheet_names(), ["Сводка", "Где лучше", "Процент оказания мер поддержки", "Паспорта"]);

    let summary = rows(&mut file, "Сводка");
    assert_eq!(summary[4][0], Data::String("Обращения".to_owned()));
    assert_eq!(summary[4][1], Data::Float(4.0));

    let ranking = rows(&mut file, "Где лучше");
    assert_eq!(ranking[3][0], Data::String("Муниципалитет, код".to_owned()));
    assert_eq!(
        ranking[5][..3],
        [Data::String("36740000".to_owned()), Data::String("Тольятти".to_owned()), Data::Float(50.0)]
    );

    let passports = rows(&mut file, "Паспорта");
    let ids: Vec<String> = passports[4..6].iter().map(|row| row[0].to_string()).collect();
    assert_eq!(ids, ["appeals", "support_rate"]);
    assert!(passports[1][0].to_string().starts_with("Снимок 1 (2024-02-01T00:00:00Z) · данные по 15.03.2024"));
    let has_period = passports.iter().any(|row| row[0].to_string().starts_with("Период: январь – март 2024"));
    assert!(has_period, "{passports:?}");
}

#[tokio::test]
async fn the_same_snapshot_gives_the_same_bytes() {
    assert_eq!(workbook().await, workbook().await);
}

//! What people get.

use regex::Regex;

use super::test_app::TestApp;

async fn dashboards(app: &TestApp) -> Vec<String> {
    let all = app.get("/api/v1/dashboards").await.json();
    all.as_array().unwrap().iter().map(|dashboard| dashboard["page"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_page_of_every_dashboard_shows_its_figures() {
    let app = TestApp::with_samples().await;
    let mut paths = dashboards(&app).await;
    paths.extend(["/".to_owned(), "/indicators".to_owned(), "/data".to_owned()]);
    for path in paths {
        for query in ["", "?lang=en", "?theme=dark&grain=quarter"] {
            let answer = app.get(&format!("{path}{query}")).await;
            assert_eq!(answer.status, 200, "{path}{query}: {}", answer.text());
            let text = answer.text();
            assert!(!text.contains("class=\"problem\""), "{path}{query}: {text}");
            assert_eq!(text.matches("<h1").count(), 1, "{path}");
            assert!(text.contains(if query == "?lang=en" { "<html lang=\"en\"" } else { "<html lang=\"ru\"" }));
        }
    }
}

#[tokio::test]
async fn the_page_about_the_data_counts_what_is_in_quarantine() {
    let app = TestApp::with_samples().await;
    let answer = app.get("/data").await;
    let text = answer.text();
    // Of each pipeline of the samples every file was read once, so that what was rejected is what is in quarantine.
    let cells: Vec<&str> = text.split("</tbody>").next().unwrap().split("<tr>").skip(2).collect();
    assert!(text.contains("В карантине") && cells.len() > 10, "{text}");
    for row in cells {
        let numbers: Vec<&str> =
            row.split("<td class=\"number\">").skip(1).map(|cell| cell.split('<').next().unwrap()).collect();
        assert_eq!(numbers.len(), 5, "{row}");
        assert_eq!(numbers[3], numbers[4], "{row}");
    }
}

#[tokio::test]
async fn pages_obey_their_own_security_policy() {
    let app = TestApp::with_samples().await;
    let forbidden = Regex::new(r#" style="|<style|<script>| on[a-z]+="|javascript:|https?://"#).unwrap();
    for path in dashboards(&app).await {
        let text = app.get(&path).await.text().replace("http://www.w3.org/2000/svg", "");
        assert_eq!(forbidden.find(&text).map(|found| found.as_str().to_owned()), None, "{path}");
    }
}

#[tokio::test]
async fn every_picture_has_words_and_every_id_is_unique() {
    let app = TestApp::with_samples().await;
    let ids = Regex::new(r#" id="([^"]+)""#).unwrap();
    for path in dashboards(&app).await {
        let answer = app.get(&path).await;
        let text = answer.text();
        let mut seen = std::collections::HashSet::new();
        for id in ids.captures_iter(text) {
            assert!(seen.insert(id[1].to_owned()), "{path} {}", &id[1]);
        }
        for picture in text.split("<svg").skip(1) {
            let head: String = picture.chars().take(800).collect();
            assert!(head.contains("aria-hidden") || head.contains("<title>"), "{path}: {head}");
        }
    }
}

#[tokio::test]
async fn filters_stay_in_the_address_and_in_the_form() {
    let app = TestApp::with_samples().await;
    let answer = app.get("/dashboards/governor?region=36000000&from=2025-01&to=2025-06&lang=en").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    assert!(text.contains("value=\"36000000\" selected"), "{text}");
    assert!(text.contains("value=\"2025-01\" selected"));
    assert!(
        text.contains("/api/v1/dashboards/governor.xlsx?lang=en&amp;from=2025-01&amp;to=2025-06&amp;region=36000000")
    );
}

#[tokio::test]
async fn pages_say_who_has_reported() {
    let app = TestApp::with_samples().await;
    let badge = Regex::new("отчитались ([0-9]+) из ([0-9]+) за октябрь 2026").unwrap();
    for (filter, n_owing) in [("region=36000000", "46"), ("region=41000000", "18"), ("municipality=36740000", "1")] {
        let answer = app.get(&format!("/dashboards/governor?{filter}")).await;
        let found = badge.captures(answer.text()).unwrap_or_else(|| panic!("{filter}: {}", answer.text()));
        assert_eq!(&found[2], n_owing, "{filter}");
    }
    let english = app.get("/dashboards/contracts?lang=en").await;
    assert!(english.text().contains(" of 18 reported for October 2026"), "{}", english.text());
    // No report of the project is known, and its page does not speak of any.
    assert!(!badge.is_match(app.get("/dashboards/project").await.text()));
}

#[tokio::test]
async fn a_wrong_filter_says_what_is_wrong() {
    let app = TestApp::with_samples().await;
    let answer = app.get("/dashboards/governor?municipality=1&lang=ru").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("Отбор не подходит"));
    assert_eq!(app.get("/dashboards/governor?colour=red").await.status, 400);
}

#[tokio::test]
async fn an_empty_warehouse_has_friendly_pages() {
    let app = TestApp::empty().await;
    for path in ["/", "/dashboards/governor", "/data"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains("svod run"), "{path}");
    }
    assert_eq!(app.get("/indicators").await.status, 200);
}

//! An answer is sent once per edition.

use super::test_app::TestApp;

#[tokio::test]
async fn who_has_the_edition_gets_304() {
    let app = TestApp::with_samples().await;
    for path in ["/", "/indicators", "/api/v1/indicators/appeals/values?grain=month", "/api/v1/snapshots"] {
        let first = app.get(path).await;
        assert_eq!(first.status, 200, "{path}: {}", first.text());
        assert_eq!(first.header("cache-control"), "no-cache");
        let again = app.get_if_changed(path, first.header("etag")).await;
        assert_eq!(again.status, 304, "{path}");
        assert!(again.body.is_empty());
        assert_eq!(again.header("etag"), first.header("etag"));
    }
}

#[tokio::test]
async fn another_query_or_language_is_another_edition() {
    let app = TestApp::with_samples().await;
    let tag = app.get("/").await.header("etag").to_owned();
    for path in ["/?lang=en", "/?grain=quarter", "/indicators"] {
        assert_eq!(app.get_if_changed(path, &tag).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn assets_are_kept_for_long_only_under_the_hash_of_their_content() {
    let app = TestApp::empty().await;
    let page = app.get("/").await;
    let (_, rest) = page.text().split_once("/assets/style.css?v=").unwrap();
    let hash = rest.split('"').next().unwrap();
    let sheet = app.get(&format!("/assets/style.css?v={hash}")).await;
    assert!(sheet.header("content-type").starts_with("text/css"));
    assert!(sheet.header("cache-control").contains("immutable"));
    assert!(!app.get("/assets/style.css").await.header("cache-control").contains("immutable"));
    assert_eq!(app.get("/assets/theme.css").await.status, 200);
    assert_eq!(app.get("/assets/../Cargo.toml").await.status, 404);
}

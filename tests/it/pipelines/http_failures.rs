//! An endpoint that misbehaves: what passes is waited for, what does not is told, and nothing is half taken.

use std::time::{Duration, Instant};

use svod::domain::language::Lang;
use svod::pipelines::tell_file;

use super::http_register::{Register, SOON, answer, broken, failure, ok, project, rows, stuck};

const NDJSON: &str = "{ndjson: {}}";

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again_and_never_half_taken() {
    let register = Register::start(|asked| match (asked.path.as_str(), asked.n_before) {
        // The end of the chunks is missing, then bytes that were promised.
        ("/cases", 0) => ok(broken(&rows(0..3))),
        ("/cases", 1) => answer(200, &[("Content-Length", "5000")], broken(&rows(0..3))),
        ("/cases", _) => ok(rows(0..5)),
        _ => ok(broken(&rows(0..3))),
    })
    .await;
    let report = project(&format!("url: \"{}\", {SOON}", register.url("/cases")), NDJSON).run().await;
    assert_eq!((report.accepted, report.failures.len()), (5, 0));
    assert_eq!(register.asked().len(), 3);
    let always = project(&format!("url: \"{}\", {SOON}", register.url("/always")), NDJSON);
    let report = always.run().await;
    assert_eq!((report.files, report.read), (0, 0));
    let told = failure(report);
    assert!(told.contains("broke off; nothing of this page is taken"), "{told}");
    assert!(always.events(&["case_id"]).await.is_empty());
}

#[tokio::test]
async fn busy_servers_are_tried_again_and_their_wish_is_obeyed() {
    let register = Register::start(|asked| match (asked.path.as_str(), asked.n_before) {
        ("/seconds", 0) => answer(429, &[("Retry-After", "1")], ""),
        // The clock of the test stands at this moment.
        ("/moment", 0) => answer(503, &[("Retry-After", "Wed, 01 Jan 2025 00:00:01 GMT")], ""),
        ("/later", _) => answer(503, &[("Retry-After", "Wed, 01 Jan 2025 02:00:00 GMT")], ""),
        ("/gone", _) => answer(404, &[], "Иванов И. И."),
        ("/errors", 0 | 1) => answer(500, &[], ""),
        _ => ok(rows(0..2)),
    })
    .await;
    for path in ["/seconds", "/moment"] {
        let started = Instant::now();
        let report = project(&format!("url: \"{}\", {SOON}", register.url(path)), NDJSON).run().await;
        assert_eq!((report.accepted, report.failures.len()), (2, 0), "{path}");
        assert!(started.elapsed() >= Duration::from_secs(1), "{path}");
    }
    let report = project(&format!("url: \"{}\", {SOON}", register.url("/errors")), NDJSON).run().await;
    assert_eq!(report.accepted, 2);
    let told = failure(project(&format!("url: \"{}\", {SOON}", register.url("/later")), NDJSON).run().await);
    let expected = "the server asks to come back in 2h, which is longer than `retries.longest_wait`: ";
    assert!(told.contains(expected) && told.ends_with("answered 503 Service Unavailable"), "{told}");
    let told = failure(project(&format!("url: \"{}\", {SOON}", register.url("/gone")), NDJSON).run().await);
    assert!(told.ends_with("/gone` answered 404 Not Found; check `url`"), "{told}");
    let n_asked = |path: &str| register.asked().iter().filter(|asked| asked.path == path).count();
    assert_eq!(["/seconds", "/errors", "/later", "/gone"].map(n_asked), [2, 3, 1, 1]);
}

#[tokio::test]
async fn silence_and_endless_answers_end() {
    let register = Register::start(|_| ok(stuck(&rows(0..2)))).await;
    for timeouts in ["{idle: 300ms}", "{request: 300ms}"] {
        let source = format!("url: \"{}\", timeouts: {timeouts}, {SOON}", register.url("/cases"));
        let told = failure(project(&source, NDJSON).run().await);
        assert!(told.ends_with("/cases` did not answer in time; see `timeouts`"), "{told}");
    }
    assert_eq!(register.asked().len(), 6);
}

#[tokio::test]
async fn nobody_there_is_told() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let source = format!("url: \"http://127.0.0.1:{port}/cases\", query: {{name: Иванов}}, {SOON}");
    let told = failure(project(&source, NDJSON).run().await);
    assert!(
        told.contains(&format!("tried 3 times without success: `http://127.0.0.1:{port}/cases` cannot be reached"))
    );
    assert!(!told.contains("name="), "{told}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_and_without_its_length() {
    let register = Register::start(|asked| {
        let body = rows(0..100);
        if asked.path == "/length" { ok(body) } else { ok(stuck(&body)) }
    })
    .await;
    for path in ["/length", "/chunks"] {
        let source = format!("url: \"{}\", limits: {{body_bytes: 1000}}, {SOON}", register.url(path));
        let told = failure(project(&source, NDJSON).run().await);
        assert!(
            told.contains("has more than 1000 bytes; ask for smaller pages or raise `limits.body_bytes`"),
            "{told}"
        );
    }
    assert_eq!(register.asked().len(), 2);
}

#[tokio::test]
async fn pages_that_go_round_in_circles_are_noticed() {
    let register = Register::start(|asked| match (asked.path.as_str(), asked.parameter("cursor")) {
        ("/same", _) => ok(rows(0..2)),
        (_, "b") => answer(200, &[("X-Next", "a")], rows(0..2)),
        _ => answer(200, &[("X-Next", "b")], rows(2..4)),
    })
    .await;
    let told = |path: &'static str, paging: &'static str| {
        let source = format!("url: \"{}\", paging: {paging}", register.url(path));
        async move { failure(project(&source, NDJSON).run().await) }
    };
    let same = told("/same", "{page: {}}").await;
    assert!(
        same.contains("page 2 cannot be had")
            && same.ends_with("two pages that follow each other are the same; check `paging`")
    );
    let cursor = told("/cursor", "{cursor: {header: X-Next}}").await;
    assert!(cursor.ends_with("a page names one that was there already as the next; check `paging`"), "{cursor}");
    assert_eq!(register.asked_for("cursor"), ["", "", "", "b", "a"]);
}

#[tokio::test]
async fn a_web_page_and_broken_json_are_no_rows() {
    let register = Register::start(|asked| match asked.path.as_str() {
        "/login" => answer(200, &[("Content-Type", "text/html; charset=utf-8")], "<html>"),
        "/packed" => answer(200, &[("Content-Encoding", "gzip")], "\u{1f}"),
        "/json" => ok("{\"rows\": [{\"id\": Иванов}]}"),
        "/other" => ok("{\"error\": \"Иванов\"}"),
        _ => answer(204, &[], ""),
    })
    .await;
    let told = |path: &'static str| {
        let source = format!("url: \"{}\", rows: rows", register.url(path));
        async move { project(&source, NDJSON).run().await }
    };
    let login = failure(told("/login").await);
    assert!(login.contains("answered with a web page instead of rows; is a login needed"), "{login}");
    let packed = failure(told("/packed").await);
    assert!(packed.contains("packs its answer although it was not asked to"), "{packed}");
    let json = failure(told("/json").await);
    assert!(json.ends_with("the body is not JSON: error in line 1, position 18"), "{json}");
    let other = failure(told("/other").await);
    assert!(other.ends_with("`rows` is not there in the body"), "{other}");
    let nothing = told("/nothing").await;
    assert_eq!((nothing.files, nothing.failures.len()), (0, 0));
}

#[tokio::test]
async fn a_pull_that_broke_in_the_middle_of_a_page_ends_as_an_undisturbed_one() {
    // One register loses the connection in the middle of its second page as often as it is asked by the first run, the other never.
    let pull = async |n_broken: usize, n_runs: usize| {
        let register = Register::start(move |asked| match asked.parameter("page") {
            "1" => ok(rows(0..5)),
            "2" if asked.n_before < n_broken => ok(broken(&rows(5..8))),
            "2" => ok(rows(5..10)),
            "3" => ok(rows(10..12)),
            _ => ok(""),
        })
        .await;
        let project = project(&format!("url: \"{}\", paging: {{page: {{}}}}, {SOON}", register.url("/cases")), NDJSON);
        let mut failed = Vec::new();
        for _ in 0..n_runs {
            failed.extend(
                project.run().await.failures.into_iter().map(|failure| tell_file(&failure.file, &failure.error)),
            );
        }
        let columns = ["case_id", "event", "occurred_at", "recorded_at"];
        (failed, project.events(&columns).await, project.rejected(&["row", "rule"]).await)
    };
    let (failed, events, quarantined) = pull(3, 2).await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    let told = failed[0].get(Lang::Ru);
    assert!(told.contains("страницу 2 не получить: попыток 3, все неудачны: ответ http://"), "{told}");
    assert!(told.contains("из этой страницы ничего не взято; следующая загрузка продолжит с неё"), "{told}");
    let undisturbed = pull(0, 1).await;
    assert_eq!((events.len(), undisturbed.0.len()), (12, 0));
    assert_eq!((events, quarantined), (undisturbed.1, undisturbed.2));
}

//! Pages of an endpoint: in every kind of paging all rows come in once, and the next run knows where to go on.

use super::http_register::{Register, SOON, answer, failure, ok, position, project, row, rows};

const NDJSON: &str = "{ndjson: {}}";

/// Rows of the pages 1 to 4.
fn page_of(number: u32) -> std::ops::Range<u32> {
    (number - 1) * 5..(number * 5).min(17)
}

#[tokio::test]
async fn numbered_pages_of_json_become_one_batch() {
    let register = Register::start(|asked| {
        assert_eq!((asked.path.as_str(), asked.parameter("per_page")), ("/api/cases", "5"));
        let number: u32 = asked.parameter("p").parse().unwrap();
        let items: Vec<String> = if number > 4 { Vec::new() } else { page_of(number).map(row).collect() };
        ok(format!("{{\"data\": {{\"items\": [\n{}\n]}}}}", items.join(",\n")))
    })
    .await;
    let source = format!(
        "url: \"{}\", query: {{per_page: 5}}, rows: data.items, paging: {{page: {{parameter: p}}}}",
        register.url("/api/cases")
    );
    let project = project(&source, NDJSON);
    let report = project.run().await;
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_eq!((report.files, report.read, report.accepted), (1, 17, 17));
    assert_eq!(report.batches[0].file, format!("{}, pages 1–4", register.url("/api/cases")));
    assert_eq!(register.asked_for("p"), ["1", "2", "3", "4", "5"]);
    // The same answer is not brought in twice.
    let report = project.run().await;
    assert_eq!((report.files, report.unchanged, report.read), (0, 1, 0));
    assert!(fs_err::read_dir(project.data_dir().join("pulled/journal")).unwrap().next().is_none());
}

#[tokio::test]
async fn the_last_page_is_known_where_the_body_names_it() {
    let register = Register::start(|asked| {
        let number: u32 = asked.parameter("page").parse().unwrap();
        ok(format!("{{\"pages\": 4, \"rows\": [{}]}}", page_of(number).map(row).collect::<Vec<_>>().join(",")))
    })
    .await;
    let source = format!("url: \"{}\", rows: rows, paging: {{page: {{last: pages}}}}", register.url("/"));
    assert_eq!(project(&source, NDJSON).run().await.accepted, 17);
    assert_eq!(register.asked_for("page"), ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn an_offset_follows_the_rows_that_came_and_not_those_asked_for() {
    let register = Register::start(|asked| {
        let offset: u32 = asked.parameter("offset").parse().unwrap();
        // A hundred are asked for, four at most are given.
        ok(rows(offset..(offset + 4).min(10)))
    })
    .await;
    let source = format!("url: \"{}\", query: {{limit: 100}}, paging: {{offset: {{}}}}", register.url("/cases"));
    assert_eq!(project(&source, NDJSON).run().await.accepted, 10);
    assert_eq!(register.asked_for("offset"), ["0", "4", "8", "10"]);
}

#[tokio::test]
async fn cursors_are_taken_from_the_body_or_a_header() {
    let next = |cursor: &str| match cursor {
        "" => Some("b/2"),
        "b/2" => Some("в&3"),
        _ => None,
    };
    let register = Register::start(move |asked| {
        let number =
            if asked.parameter("from").is_empty() { 1 } else { 2 + u32::from(asked.parameter("from") == "в&3") };
        let token = next(asked.parameter("from"));
        if asked.path == "/body" {
            let items: Vec<String> = page_of(number).map(row).collect();
            return ok(serde_json::json!({"meta": {"next": token}}).to_string().replacen(
                '{',
                &format!("{{\"rows\": [{}],", items.join(",")),
                1,
            ));
        }
        let token = token.map(|token| url::form_urlencoded::byte_serialize(token.as_bytes()).collect::<String>());
        answer(200, &[("X-Next", &token.unwrap_or_default())], rows(page_of(number)))
    })
    .await;
    let body = "rows: rows, paging: {cursor: {parameter: from, path: meta.next}}";
    let report = project(&format!("url: \"{}\", {body}", register.url("/body")), NDJSON).run().await;
    assert_eq!((report.accepted, report.failures.len()), (15, 0));
    assert_eq!(register.asked_for("from"), ["", "b/2", "в&3"]);
    let header = "paging: {cursor: {parameter: from, header: X-Next}}";
    let report = project(&format!("url: \"{}\", {header}", register.url("/header")), NDJSON).run().await;
    assert_eq!((report.accepted, report.files), (10, 1));
    assert_eq!(register.asked_for("from")[3..], ["", "b%2F2"]);
}

#[tokio::test]
async fn links_are_followed_and_no_secret_of_theirs_is_kept() {
    let register = Register::start(|asked| {
        assert_eq!(asked.parameter("api_key"), "s3cret");
        let link = match asked.parameter("page") {
            "" => "</cases?page=2&api_key=s3cret>; rel=\"next\", </cases?page=3>; rel=\"last\"",
            "2" => "</cases?page=3&api_key=s3cret>; rel=\"next\"",
            _ => "</cases>; rel=\"first\"",
        };
        let number = asked.parameter("page").parse().unwrap_or(1);
        answer(200, &[("Link", link)], rows(page_of(number)))
    })
    .await;
    let source = format!(
        "url: \"{}\", query: {{api_key: {{file: key}}}}, paging: {{link: {{}}}}, limits: {{unit_bytes: 1}}",
        register.url("/cases")
    );
    let project = project(&source, NDJSON);
    project.write("key", "s3cret\n");
    let report = project.run().await;
    assert_eq!((report.files, report.accepted, report.failures.len()), (3, 15, 0));
    let position = report.batches[0].position.as_ref().unwrap();
    assert_eq!(position["rest"]["place"]["link"], register.url("/cases?page=2"));
    assert!(!format!("{:?}", report.batches).contains("s3cret"));
}

#[tokio::test]
async fn csv_pages_are_one_file_with_one_header() {
    let register = Register::start(|asked| {
        let lines = match asked.parameter("page") {
            "1" => "1;01.03.2024\r\n2;02.03.2024",
            "2" => "3;03.03.2024\r\n",
            _ => "",
        };
        ok(encoding_rs::WINDOWS_1251.encode(&format!("id;дата\r\n{lines}")).0.into_owned())
    })
    .await;
    let source = format!("url: \"{}\", paging: {{page: {{}}}}", register.url("/export.csv"));
    let project = project(&source, "{csv: {separator: \";\", encoding: windows-1251}}");
    let text = fs_err::read_to_string(project.root().join("pipelines/journal.yaml")).unwrap();
    let text = text.replace("{name: at, type: date,", "{name: at, from: дата, type: date, format: \"%d.%m.%Y\",");
    let text = text.replace("  - {name: saved, type: timestamp}\n", "").replace("recorded_at: saved\n", "");
    project.write("pipelines/journal.yaml", &text);
    let report = project.run().await;
    assert_eq!((report.files, report.read, report.accepted), (1, 3, 3), "{:?}", report.failures);
    assert_eq!(
        project.events(&["case_id", "occurred_on", "_row"]).await,
        ["1 | 2024-03-01 | 1", "2 | 2024-03-02 | 2", "3 | 2024-03-03 | 3"]
    );
}

#[tokio::test]
async fn only_what_is_new_is_asked_for_and_late_rows_come_in() {
    let register = Register::start(|asked| {
        ok(match asked.parameter("since") {
            "01.01.2020 03:00" => rows(0..10),
            // A row that came late, some that are known, one with a wrong year.
            "08.04.2024 03:00" => rows([40, 7, 8, 9, 10]) + &row(11).replace("\"2024-04", "\"2094-04"),
            other => panic!("{other}"),
        })
    })
    .await;
    let cursor = "cursor: {column: saved, parameter: since, format: \"%d.%m.%Y %H:%M\", start: \"2020-01-01T00:00:00Z\", late_window: 2d}";
    let project = project(&format!("url: \"{}\", {cursor}", register.url("/cases")), NDJSON);
    let report = project.run().await;
    assert_eq!((report.accepted, report.duplicate), (10, 0));
    assert_eq!(position(&project)["cursor"]["timestamp"], "2024-04-10T00:00:00Z");
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.duplicate, report.rejected), (6, 3, 3, 0));
    // Number 40 was saved on the 13th; what a typing error dates in 2094 does not count.
    assert_eq!(position(&project)["cursor"]["timestamp"], "2024-04-13T01:00:00Z");
}

#[tokio::test]
async fn a_pull_that_fails_goes_on_at_the_page_that_failed() {
    let register = Register::start(|asked| {
        let number: u32 = asked.parameter("page").parse().unwrap();
        match (asked.parameter("since"), number) {
            ("", 3) if asked.n_before < 3 => answer(503, &[], "busy"),
            ("", 1..=4) => ok(rows(page_of(number))),
            ("2024-04-17T00:00:00Z", 1) => ok(rows([16, 20])),
            _ => ok(""),
        }
    })
    .await;
    let source = format!(
        "url: \"{}\", paging: {{page: {{}}}}, cursor: {{column: saved, parameter: since}}, {SOON}",
        register.url("/cases")
    );
    let project = project(&source, NDJSON);
    let report = project.run().await;
    assert_eq!((report.files, report.accepted), (1, 10));
    assert_eq!(
        failure(report),
        format!(
            "page 3 cannot be had; the next run goes on with it: \
             tried 3 times without success: `{0}` answered 503 Service Unavailable",
            register.url("/cases")
        )
    );
    assert_eq!(position(&project)["rest"]["place"]["page"], 3);
    let n_asked = register.asked().len();
    let report = project.run().await;
    assert_eq!(report.failures.len(), 0, "{:?}", report.failures);
    assert_eq!((report.accepted, report.duplicate), (8, 1));
    // The rest first, as it was begun; then what is new since.
    assert_eq!(register.asked_for("page")[n_asked..], ["3", "4", "5", "1", "2"]);
    assert_eq!(register.asked_for("since")[n_asked..], ["", "", "", "2024-04-17T00:00:00Z", "2024-04-17T00:00:00Z"]);
    assert_eq!(project.events(&["case_id"]).await.len(), 18);
}

#[tokio::test]
async fn pages_after_one_that_cannot_be_read_wait_for_the_next_run() {
    let register = Register::start(|asked| {
        ok(match (asked.parameter("page"), asked.n_before) {
            ("1", _) => "id,at,saved\n1,2024-03-01,\n",
            ("2", 0) => "id,date,saved\n2,2024-03-02,\n",
            ("2", _) => "id,at,saved\n2,2024-03-02,\n",
            ("3", _) => "id,at,saved\n3,2024-03-03,\n",
            _ => "id,at,saved\n",
        })
    })
    .await;
    let source = format!("url: \"{}\", paging: {{page: {{}}}}, limits: {{unit_bytes: 1}}", register.url("/cases"));
    let project = project(&source, "{csv: {}}");
    let report = project.run().await;
    assert_eq!(report.accepted, 1);
    assert!(failure(report).contains("column `at` is not in the file"));
    let report = project.run().await;
    assert_eq!((report.accepted, report.failures.len()), (2, 0));
}

#[tokio::test]
async fn a_changed_declaration_is_read_from_the_start() {
    let register = Register::start(|asked| {
        assert_eq!(asked.parameter("since"), "");
        ok(if asked.parameter("kind") == "all" { rows(0..5) } else { rows(0..3) })
    })
    .await;
    let cursor = "cursor: {column: saved, parameter: since}";
    let project = project(&format!("url: \"{}\", query: {{kind: some}}, {cursor}", register.url("/")), NDJSON);
    assert_eq!(project.run().await.accepted, 3);
    let source = format!("url: \"{}\", query: {{kind: all}}, {cursor}", register.url("/"));
    super::http_register::declare(&project, &source, NDJSON);
    let report = project.run().await;
    assert_eq!((report.accepted, report.duplicate), (2, 3));
}

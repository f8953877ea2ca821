//! Rows of a real PostgreSQL.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::bench_project::BenchProject;
use super::http_register::{failure, position};
use super::postgres_server::PostgresServer;

const TABLE: &str = "
    CREATE TABLE cases (id bigint PRIMARY KEY, applied date, saved timestamptz NOT NULL, paid boolean, \"имя\" text);
    GRANT SELECT ON cases TO svod;
    CREATE TABLE closed (LIKE cases);
";

/// A project with a query. `source` are the keys of `postgres` besides the connection, in YAML of one line.
fn project(connection: &str, source: &str) -> BenchProject {
    let project = BenchProject::new();
    let text = format!(
        "pipeline: journal
title: {{ru: Журнал, en: Journal}}
description: Applications from a database.
contract: cases
source: {{postgres: {{connection: {{file: secrets/register}}, {source}}}}}
columns:
  - {{name: id, type: integer, required: true}}
  - {{name: at, from: applied, type: date, required: true}}
  - {{name: saved, type: timestamp}}
  - {{name: paid, type: boolean}}
  - {{name: person, from: имя, type: string}}
values:
  case_id: {{expr: \"CAST(id AS VARCHAR)\"}}
  municipality: {{const: \"41000001\"}}
  person_name: {{from: person}}
  channel: {{expr: \"CASE WHEN paid THEN 'portal' ELSE 'mfc' END\"}}
recorded_at: saved
emit:
  - {{event: registered, at: at}}
"
    );
    project.write("pipelines/journal.yaml", &text);
    project.write("secrets/register", &format!("{connection}\n"));
    project
}

const QUERY: &str = "query: \"SELECT * FROM cases -- all of them\"";

#[tokio::test]
async fn rows_come_in_with_their_types_and_only_what_is_new_is_asked_for() {
    let server = PostgresServer::start(None).await;
    server.execute("register", TABLE).await;
    server
        .execute(
            "register",
            "INSERT INTO cases VALUES
                (1, '2024-03-25', '2024-04-01 10:00+04', true, E'Иванов; \"И\"\\nИ.'),
                (2, '2024-03-26', '2024-04-02 10:00+04', NULL, ''),
                (3, NULL, '2024-04-03 10:00:00.123456+04', false, NULL),
                (4, '2024-03-28', '2094-04-04 10:00+04', false, NULL)",
        )
        .await;
    let cursor = "sslmode: disable, cursor: {column: saved, late_window: 1d}";
    let project = project(&server.connection(""), &format!("{QUERY}, {cursor}"));
    let report = project.run().await;
    assert_eq!((report.files, report.read, report.accepted, report.rejected), (1, 4, 3, 1), "{:?}", report.failures);
    assert_eq!(report.batches[0].file, "postgres:secrets/register");
    assert_eq!(
        project.events(&["case_id", "occurred_on", "recorded_at", "channel"]).await,
        [
            "1 | 2024-03-25 | 2024-04-01T06:00:00Z | portal",
            "2 | 2024-03-26 | 2024-04-02T06:00:00Z | mfc",
            "4 | 2024-03-28 | 2094-04-04T06:00:00Z | mfc",
        ]
    );
    // In the zone of the project; what a typing error dates in 2094 does not count.
    assert_eq!(position(&project)["cursor"], "2024-04-03 09:00:00.123456+03");
    // One row came late, one too late for the window, one is new.
    server
        .execute(
            "register",
            "INSERT INTO cases VALUES
                (5, '2024-03-25', '2024-04-02 11:00+04', true, NULL),
                (6, '2024-03-25', '2024-04-02 09:00+04', true, NULL),
                (7, '2024-03-25', '2024-04-03 11:00+04', true, NULL)",
        )
        .await;
    let report = project.run().await;
    assert_eq!((report.read, report.accepted, report.duplicate, report.rejected), (4, 2, 1, 1));
    // The same rows, not brought in twice.
    let report = project.run().await;
    assert_eq!((report.files, report.unchanged), (0, 1));
    assert_eq!(project.events(&["case_id"]).await, ["1", "2", "4", "5", "7"]);
}

#[tokio::test]
async fn numbers_and_texts_are_cursors_too_and_are_quoted() {
    let server = PostgresServer::start(None).await;
    server
        .execute(
            "register",
            "CREATE TABLE cases (id bigint, applied date DEFAULT '2024-03-25', saved timestamptz, paid boolean, \"имя\" text);
             INSERT INTO cases (id, \"имя\") VALUES (1, 'а'), (2, E'б''); DROP TABLE cases; --\\\\')",
        )
        .await;
    let project = project(&server.socket(), &format!("{QUERY}, cursor: {{column: id, late_window: \"1\"}}"));
    assert_eq!(project.run().await.accepted, 2);
    assert_eq!(position(&project)["cursor"], "2");
    server.execute("register", "INSERT INTO cases (id) VALUES (3)").await;
    let report = project.run().await;
    assert_eq!((report.accepted, report.duplicate), (1, 2));
    // A text as a cursor: the column is personal in the first contract, so another one takes its place.
    let text = fs_err::read_to_string(project.root().join("pipelines/journal.yaml")).unwrap();
    let text =
        text.replace("column: id, late_window: \"1\"", "column: person").replace("  person_name: {from: person}\n", "");
    project.write("pipelines/journal.yaml", &text);
    assert_eq!(project.run().await.read, 3);
    assert_eq!(position(&project)["cursor"], "б'); DROP TABLE cases; --\\");
    server.execute("register", "INSERT INTO cases (id, \"имя\") VALUES (4, 'в'), (5, 'а')").await;
    let report = project.run().await;
    assert_eq!((report.read, report.accepted), (2, 1), "{:?}", report.failures);
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_one_sentence() {
    let server = PostgresServer::start(None).await;
    server.execute("register", TABLE).await;
    server.execute("register", "INSERT INTO cases VALUES (1, '2024-03-25', '2024-04-01', true, 'Иванов')").await;
    let good = server.connection("");
    let cases = [
        (
            good.replace("s3cret", "wr0ng"),
            QUERY,
            "the database server lets nobody in: password authentication failed for user \"svod\"; check the connection string",
        ),
        (
            good.replace("/register", "/nowhere"),
            QUERY,
            "database \"nowhere\" does not exist; check the connection string",
        ),
        (
            good.replace("postgres://", "postgre://"),
            QUERY,
            "the connection string is not readable; expected `postgres://user:password@host:5432/database` or `host=… user=… dbname=…`",
        ),
        (
            good.clone(),
            "query: SELECT * FROM casses",
            "the database refuses the query: relation \"casses\" does not exist",
        ),
        (
            good.clone(),
            "query: SELECT * FROM closed",
            "the database refuses the query: permission denied for table closed",
        ),
        (good.clone(), "query: SELECT id FROM cases", "the query has no column `applied`; it has `id`"),
        (
            good.clone(),
            "query: \"SELECT *, \\\"имя\\\"::int AS number FROM cases WHERE \\\"имя\\\"::int > 0\"",
            "the query failed over its data with SQLSTATE 22P02; try it in psql",
        ),
        (
            good.clone(),
            "query: \"SELECT cases.* FROM cases, pg_sleep(20)\", statement_timeout: 200ms",
            "the query took longer than 200ms; see `statement_timeout`",
        ),
    ];
    for (connection, source, expected) in cases {
        let report = project(&connection, &format!("{source}, sslmode: disable")).run().await;
        assert_eq!(report.files, 0);
        let told = failure(report);
        assert!(told.starts_with("the rows cannot be had: "), "{told}");
        assert!(told.ends_with(expected), "{told}\n{expected}");
        assert!(!told.contains("wr0ng") && !told.contains("s3cret") && !told.contains("Иванов"), "{told}");
    }
    let told = failure(project(&good, QUERY).run().await);
    assert!(told.contains("no protected connection to the database server; see `sslmode` and `ca_file`"), "{told}");
    let port = server.port.to_string();
    drop(server);
    let told = failure(project(&good.replace(&port, "1"), &format!("{QUERY}, sslmode: disable")).run().await);
    assert!(told.contains("the database server cannot be reached"), "{told}");
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_leaves_nothing() {
    let server = PostgresServer::start(None).await;
    server.execute("register", TABLE).await;
    server
        .execute(
            "register",
            "INSERT INTO cases SELECT n, '2024-03-25', '2024-04-01', true, repeat('x', 1000) FROM generate_series(1, 3000) AS n",
        )
        .await;
    // The query copies slowly, so that somebody has the time to stop it.
    let slow =
        "query: \"SELECT cases.*, pg_sleep(CASE WHEN id > 2000 THEN 0.02 ELSE 0 END)::text AS pause FROM cases\"";
    let project = project(&server.connection(""), &format!("{slow}, sslmode: disable"));
    // Only declared columns are fetched, so the pause has to be one of them.
    let text = fs_err::read_to_string(project.root().join("pipelines/journal.yaml")).unwrap();
    project.write("pipelines/journal.yaml", &text.replace("values:", "  - {name: pause, type: string}\nvalues:"));
    let owner = server.owner("register").await.unwrap();
    let stop = tokio::spawn(async move {
        let stopping = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND pid <> pg_backend_pid()";
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            if !owner.query(stopping, &[]).await.unwrap().is_empty() {
                return;
            }
        }
    });
    let report = project.run().await;
    stop.await.unwrap();
    assert_eq!((report.files, report.read), (0, 0));
    let told = failure(report);
    assert!(
        told.contains("the connection to the database was lost; nothing of it is taken, the next run asks again"),
        "{told}"
    );
    assert!(project.events(&["case_id"]).await.is_empty());
}

#[tokio::test]
async fn tls_is_checked_as_the_mode_says() {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "Authority of a test");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let server = PostgresServer::start(Some((&certificate.pem(), &key.serialize_pem()))).await;
    server.execute("register", TABLE).await;
    server.execute("register", "INSERT INTO cases VALUES (1, '2024-03-25', '2024-04-01', true, NULL)").await;
    let authority = authority.pem();
    let run = |connection: String, source: &str| {
        let project = project(&connection, &format!("{QUERY}{source}"));
        project.write("certificates/region.pem", &authority);
        async move { project.run().await }
    };
    let by_address = || server.connection("");
    let by_name = || server.connection("").replace("127.0.0.1", "localhost");
    let trusted = ", ca_file: certificates/region.pem";
    for (connection, source) in [
        (by_name(), trusted.to_owned()),
        (by_name() + "?sslmode=verify-full", trusted.to_owned()),
        (by_address() + "?sslmode=verify-ca", trusted.to_owned()),
        (by_address(), format!("{trusted}, sslmode: verify-ca")),
        (by_address(), ", sslmode: require".to_owned()),
        (by_address(), ", sslmode: prefer".to_owned()),
    ] {
        let report = run(connection, &source).await;
        assert_eq!(report.accepted, 1, "{source} {:?}", report.failures);
    }
    for (connection, source) in [
        (by_name(), String::new()),
        (by_address(), trusted.to_owned()),
        (by_address(), ", sslmode: verify-ca".to_owned()),
    ] {
        let told = failure(run(connection, &source).await);
        assert!(told.contains("no protected connection to the database server; see `sslmode` and `ca_file`"), "{told}");
    }
    let told = failure(run(by_address(), ", sslmode: disable").await);
    assert!(told.contains("the database server lets nobody in: no pg_hba.conf entry"), "{told}");
}

//! Packed files: gzip, zstd, and the members of zip archives.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::bench_project::{BenchProject, HEADER, JOURNAL};

const ROW: &str = "15;25.03.2024;2;41000001;Иванов И. И.;112-233-445 95;29.03.2024;признан;1 234,50";
const OTHER: &str = "16;31.03.2024;1;41000002;Петров П. П.;;;-;";

fn journal(rows: &[&str]) -> Vec<u8> {
    encoding_rs::WINDOWS_1251.encode(&format!("{HEADER}\n{}\n", rows.join("\n"))).0.into_owned()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive(members: &[(&str, CompressionMethod, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("март/", SimpleFileOptions::default()).unwrap();
    for (name, method, bytes) in members {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(*method)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A project whose journal lies in `in/`, whatever its name, with more said on how it is unpacked.
fn project(unpack: &str) -> BenchProject {
    let project = BenchProject::new();
    let pipeline = JOURNAL.replace("in/journal-*.csv", "in/*").replace("columns:\n", &format!("{unpack}\ncolumns:\n"));
    project.write("pipelines/journal.yaml", &pipeline);
    project
}

/// Why nothing was taken of the only file that failed.
async fn failure(project: &BenchProject) -> String {
    let report = project.run().await;
    assert_eq!(report.failures.len(), 1, "{:?}", report.failures);
    let chain =
        std::iter::successors(Some(&report.failures[0].error as &dyn std::error::Error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn packed_files_are_known_by_their_content() {
    let project = project("");
    project.write_bytes("in/a.csv", &gzip(&journal(&[ROW])));
    project.write_bytes("in/b", &zstd::encode_all(&journal(&[OTHER])[..], 3).unwrap());
    let members = [gzip(&journal(&[&ROW.replace("15;", "17;")])), gzip(b"")];
    project.write_bytes("in/c.gz", &members.concat());
    let report = project.run().await;
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_eq!((report.files, report.read, report.accepted), (3, 3, 3));
    assert_eq!(project.run().await.unchanged, 3);
    assert_eq!(
        project.events(&["case_id", "_file", "_row"]).await,
        [
            "47-15 | in/a.csv | 1",
            "47-15 | in/a.csv | 1",
            "47-16 | in/b | 1",
            "47-17 | in/c.gz | 1",
            "47-17 | in/c.gz | 1"
        ]
    );
}

#[tokio::test]
async fn members_of_an_archive_are_batches_of_their_own() {
    let project = project("unpack: {member: \"*.csv*\"}");
    let bytes = archive(&[
        ("март/b.csv", CompressionMethod::Deflated, journal(&[ROW, "broken"])),
        ("a.csv", CompressionMethod::Stored, journal(&[OTHER])),
        ("c.csv.gz", CompressionMethod::Stored, gzip(&journal(&[&OTHER.replace("16;", "18;")]))),
        ("d.csv", CompressionMethod::Deflated, b"nothing\n".to_vec()),
        ("подпись.sig", CompressionMethod::Deflated, vec![0; 100]),
    ]);
    project.write_bytes("in/month.zip", &bytes);
    let report = project.run().await;
    assert_eq!((report.files, report.read, report.accepted, report.rejected), (3, 4, 3, 1));
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].file, "in/month.zip/d.csv");
    assert_eq!(
        project.events(&["case_id", "event", "_batch", "_file", "_row"]).await,
        [
            "47-15 | granted | 3 | in/month.zip/март/b.csv | 1",
            "47-15 | registered | 3 | in/month.zip/март/b.csv | 1",
            "47-16 | registered | 1 | in/month.zip/a.csv | 1",
            "47-18 | registered | 2 | in/month.zip/c.csv.gz | 1",
        ]
    );
    let report = project.run().await;
    assert_eq!((report.files, report.unchanged, report.failures.len()), (0, 3, 1));
}

#[tokio::test]
async fn a_damaged_archive_gives_nothing() {
    let whole = archive(&[("a.csv", CompressionMethod::Deflated, journal(&[ROW; 50]))]);
    let project = project("");
    project.write_bytes("in/a.zip", &whole[..whole.len() - 30]);
    assert!(failure(&project).await.starts_with("the archive `in/a.zip` cannot be read; is it whole?: "));
    let mut wrong = archive(&[("a.csv", CompressionMethod::Stored, journal(&[ROW]))]);
    let place = wrong.windows(3).position(|bytes| bytes == b"112").unwrap();
    wrong[place] = b'9';
    project.write_bytes("in/a.zip", &wrong);
    assert_eq!(
        failure(&project).await,
        "`in/a.zip/a.csv` is not taken: the file cannot be read: the archive is damaged: the checksum of its member is another"
    );
    let packed = gzip(&journal(&[ROW; 50]));
    project.write_bytes("in/a.zip", &packed[..packed.len() / 2]);
    assert!(failure(&project).await.starts_with("`in/a.zip` is not taken: the file cannot be read: "));
    project.write_bytes("in/a.zip", &archive(&[]));
    assert_eq!(
        failure(&project).await,
        "the archive `in/a.zip` has no member `*`; `member` of `unpack` says which are read"
    );
    assert!(project.events(&["case_id"]).await.is_empty());
}

#[tokio::test]
async fn a_bomb_is_stopped_by_the_limit_that_it_meets() {
    let project = project("unpack: {max_ratio: 10}");
    let row = format!("1;;;;{};;;;\n", "x".repeat(1 << 20));
    let rows = [journal(&[]), row.repeat(100).into_bytes()].concat();
    let bomb = gzip(&rows);
    project.write_bytes("in/a.csv", &bomb);
    let sentence = "unpacked it is larger than 67108864 bytes, the most that `max_ratio: 10` of `unpack` allows; if the file is right, raise that limit in the pipeline";
    assert_eq!(failure(&project).await, format!("`in/a.csv` is not taken: the file cannot be read: {sentence}"));
    project.write_bytes("in/a.csv", &zstd::encode_all(&rows[..], 3).unwrap());
    assert!(failure(&project).await.ends_with(sentence));
    project.write_bytes("in/a.csv", &archive(&[("x", CompressionMethod::Stored, bomb)]));
    assert!(failure(&project).await.ends_with(sentence));
    let small = self::project("unpack: {max_bytes: 20}");
    small.write_bytes("in/a.csv", &gzip(&journal(&[ROW])));
    assert!(failure(&small).await.contains("larger than 20 bytes, the most that `max_bytes: 20` of `unpack` allows"));
}

#[tokio::test]
async fn formats_that_jump_about_are_unpacked_to_a_temporary_file() {
    let project = BenchProject::with_format("in/*.zip", "  xlsx: {}");
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in HEADER.split(';').enumerate() {
        sheet.write(0, column as u16, name).unwrap();
    }
    sheet.write(1, 0, 15).unwrap().write(1, 1, "25.03.2024").unwrap().write(1, 3, "41000001").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    // A workbook is itself a zip archive, by whatever name.
    project.write_bytes("in/a.zip", &bytes);
    project.write_bytes("in/b.zip", &archive(&[("x.xlsx", CompressionMethod::Deflated, bytes.clone())]));
    project.write_bytes("in/c.zip", &gzip(&bytes));
    let report = project.run().await;
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_eq!((report.files, report.accepted, report.duplicate), (3, 1, 2));
}

//! Plain readers of the files, written without the generator's code, against its own count.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::Value;
use svod::generate::{GenerateOptions, Region, Register, RegisterReport, generate};

use super::make_sample;
use crate::support::project_root;

/// A column of a code list, by code.
fn list(name: &str, column: &str) -> BTreeMap<String, String> {
    let path = project_root().join(format!("warehouse/reference/{name}.csv"));
    let mut reader = csv::Reader::from_path(path).unwrap();
    let place = reader.headers().unwrap().iter().position(|header| header == column).unwrap();
    reader.records().map(|record| record.unwrap()).map(|row| (row[0].to_owned(), row[place].to_owned())).collect()
}

fn moment(row: &Value, key: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(row[key].as_str()?, "%Y-%m-%dT%H:%M:%S").ok()
}

/// Whether an appeal says nothing impossible.
fn is_good(row: &Value, municipalities: &BTreeMap<String, String>, categories: &BTreeSet<String>) -> bool {
    let registered = moment(row, "registered");
    row["number"].is_string()
        && registered.is_some()
        && municipalities.contains_key(row["oktmo"].as_str().unwrap())
        && categories.contains(row["category"].as_str().unwrap())
        && row["channel"] != "7"
        && !row["amount"].is_string()
        && moment(row, "decided").is_none_or(|decided| Some(decided) >= registered)
}

#[test]
fn appeals_hold_what_was_counted() {
    let folder = tempfile::tempdir().unwrap();
    let report = &make_sample(Region::Samara, folder.path()).registers["appeals"];
    let (municipalities, categories) = (list("municipalities", "name_ru"), list("categories", "short_ru"));
    let categories: BTreeSet<String> = categories.into_values().collect();
    let mut n_rows = 0;
    let mut n_broken = 0;
    let mut lines = BTreeSet::new();
    let mut n_repeated = 0;
    let mut latest: BTreeMap<String, Value> = BTreeMap::new();
    for file in report.files.keys() {
        for line in fs_err::read_to_string(folder.path().join(file)).unwrap().lines() {
            n_rows += 1;
            let row: Option<Value> = serde_json::from_str(line).ok();
            let Some(row) = row.filter(|row| is_good(row, &municipalities, &categories)) else {
                n_broken += 1;
                continue;
            };
            n_repeated += u64::from(!lines.insert(line.to_owned()));
            let number = row["number"].as_str().unwrap().to_owned();
            let is_later = latest.get(&number).is_none_or(|known| moment(known, "updated") <= moment(&row, "updated"));
            if is_later {
                latest.insert(number, row);
            }
        }
    }
    assert_eq!((n_rows, n_broken, n_repeated), (report.rows, report.rejected, report.duplicate));
    assert_eq!(report.accepted, n_rows - n_broken - n_repeated);
    let count = |key: &str| latest.values().filter(|row| moment(row, key).is_some()).count() as u64;
    for event in ["registered", "taken", "suspended", "resumed", "provided", "withdrawn"] {
        assert_eq!(count(event), report.events[event], "{event}");
    }
    let decided = |decision: &str| latest.values().filter(|row| row["decision"] == decision).count() as u64;
    assert_eq!((decided("оказать"), decided("отказать")), (report.events["granted"], report.events["refused"]));
    let people: BTreeSet<&str> = latest.values().filter_map(|row| row["person"].as_str()).collect();
    assert_eq!(people.len() as u64, report.people);
    let in_tolyatti = latest.values().filter(|row| row["oktmo"] == "36740000").count() as u64;
    assert_eq!(in_tolyatti, report.municipalities["36740000"]["registered"]);
}

/// Rows of a windows-1251 journal, with the number of fields of its header.
fn journal_rows(report: &RegisterReport, folder: &std::path::Path) -> Vec<csv::StringRecord> {
    let mut rows = Vec::new();
    for file in report.files.keys() {
        let bytes = fs_err::read(folder.join(file)).unwrap();
        let (text, _, _) = encoding_rs::WINDOWS_1251.decode(&bytes);
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').flexible(true).from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), 11, "{file}");
        rows.extend(reader.records().map(Result::unwrap));
    }
    rows
}

#[test]
fn the_journal_holds_what_was_counted() {
    let folder = tempfile::tempdir().unwrap();
    let report = &make_sample(Region::Leningrad, folder.path()).registers["journal"];
    let municipalities = list("municipalities", "name_ru");
    let rows = journal_rows(report, folder.path());
    assert_eq!(rows.len() as u64, report.rows);
    let date = |text: &str| NaiveDate::parse_from_str(text, "%d.%m.%Y").ok();
    let good: Vec<&csv::StringRecord> = rows
        .iter()
        .filter(|row| {
            row.len() == 11
                && row[0].parse::<u32>().is_ok()
                && date(&row[1]).is_some()
                && "1234".contains(&row[2])
                && municipalities.contains_key(&row[4])
                && (row[8].is_empty() || date(&row[8]) >= date(&row[1]))
        })
        .collect();
    assert_eq!((rows.len() - good.len()) as u64, report.rejected);
    let distinct: BTreeSet<String> = good.iter().map(|row| row.iter().collect::<Vec<_>>().join(";")).collect();
    assert_eq!((good.len() - distinct.len()) as u64, report.duplicate);
    // The last version of a number of a municipality and year counts.
    let latest: BTreeMap<_, _> = good
        .iter()
        .map(|row| ((row[4].to_owned(), row[1].rsplit('.').next().unwrap().to_owned(), row[0].to_owned()), *row))
        .collect();
    assert_eq!(latest.len() as u64, report.events["registered"]);
    let decided = |decision: &str| latest.values().filter(|row| &row[9] == decision).count() as u64;
    assert_eq!(decided("признан нуждающимся"), report.events["granted"]);
    assert_eq!(decided("отказано"), report.events["refused"]);
    assert_eq!(report.events["granted"], report.events["provided"]);
}

#[test]
fn offices_take_nothing_on_days_off() {
    let folder = tempfile::tempdir().unwrap();
    make_sample(Region::Samara, folder.path());
    let is_working = list("calendar", "is_working");
    let mut through_portals = 0;
    for line in fs_err::read_to_string(folder.path().join("appeals-2025.ndjson")).unwrap().lines() {
        let Ok(row) = serde_json::from_str::<Value>(line) else { continue };
        let Some(registered) = moment(&row, "registered") else { continue };
        let channel = row["channel"].as_str().unwrap();
        if is_working[&registered.date().to_string()] == "0" && channel != "7" {
            assert!(["ЕПГУ", "Анкета"].contains(&channel), "{line}");
            through_portals += 1;
        }
    }
    assert!(through_portals > 100, "{through_portals}");
}

#[test]
fn every_kind_of_broken_row_is_in_the_samples() {
    let folder = tempfile::tempdir().unwrap();
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    for region in [Region::Samara, Region::Leningrad] {
        for (name, register) in make_sample(region, folder.path()).registers {
            assert_eq!(register.rows, register.accepted + register.duplicate + register.rejected, "{name}");
            kinds.extend(register.broken.into_keys());
        }
    }
    assert_eq!(kinds.len(), 12, "{kinds:?}");
}

fn ratio(part: u64, whole: u64) -> f64 {
    f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap())
}

#[test]
fn rankings_differ_and_seasons_show() {
    let folder = tempfile::tempdir().unwrap();
    let options = GenerateOptions {
        only: Some(Register::Appeals),
        ..GenerateOptions::new(Region::Samara, 150_000, 5, folder.path())
    };
    let report = &generate(&options).unwrap().registers["appeals"];
    let rates: Vec<f64> = report
        .municipalities
        .values()
        .filter(|events| events["registered"] > 300)
        .map(|events| ratio(events["provided"], events["registered"]))
        .collect();
    let (low, high) = (rates.iter().copied().fold(1.0, f64::min), rates.iter().copied().fold(0.0, f64::max));
    assert!(low > 0.5 && high < 0.95 && high - low > 0.06, "{low} {high}");
    let share_of_broken = ratio(report.rejected, report.rows);
    assert!((0.008..0.012).contains(&share_of_broken), "{share_of_broken}");
    assert!(report.months["2025-09"] > report.months["2025-07"], "{:?}", report.months);
    assert_eq!(report.months.len(), 22);
}

#[test]
fn events_come_one_per_line_and_as_many_as_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let options = GenerateOptions {
        only: Some(Register::CaseEvents),
        broken: 0.0,
        ..GenerateOptions::new(Region::Samara, 20_000, 5, folder.path())
    };
    let report = &generate(&options).unwrap().registers["case_events"];
    let text = fs_err::read_to_string(folder.path().join("case-events.ndjson")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 20_000);
    let identities: BTreeSet<String> = rows.iter().map(|row| format!("{} {}", row["case_id"], row["event"])).collect();
    assert_eq!(identities.len(), 20_000, "every event has an identity of its own");
    assert_eq!(report.events.values().sum::<u64>(), 20_000);
    assert!((240..300).contains(&(text.len() / rows.len())), "{}", text.len());
}

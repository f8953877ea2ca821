//! The same options give the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use svod::generate::{GenerateError, GenerateOptions, Region, Register, generate};

use super::{make_sample, sample_options};
use crate::support::project_root;

/// Files of a folder by name, without its README.
fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs_err::read(entry.path()).unwrap()))
        .filter(|(name, _)| name != "README.md")
        .collect()
}

#[test]
fn the_shipped_samples_are_what_the_generator_makes() {
    for region in [Region::Samara, Region::Leningrad] {
        let folder = tempfile::tempdir().unwrap();
        make_sample(region, folder.path());
        let made = files_of(folder.path());
        let shipped = files_of(&project_root().join("data-samples").join(region.to_string()));
        assert_eq!(made.keys().collect::<Vec<_>>(), shipped.keys().collect::<Vec<_>>(), "{region}");
        let different: Vec<&String> = made.keys().filter(|name| made[*name] != shipped[*name]).collect();
        assert!(different.is_empty(), "{region}: made anew, these files differ: {different:?}");
    }
}

#[test]
fn samples_are_small_enough_to_be_kept_in_the_repository() {
    let n_bytes: usize = [Region::Samara, Region::Leningrad]
        .into_iter()
        .flat_map(|region| files_of(&project_root().join("data-samples").join(region.to_string())).into_values())
        .map(|bytes| bytes.len())
        .sum();
    assert!(n_bytes < 4_000_000, "{n_bytes}");
}

#[test]
fn a_register_made_alone_is_the_same() {
    let (together, alone) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    make_sample(Region::Leningrad, together.path());
    for register in
        [Register::Journal, Register::CardUses, Register::Contracts, Register::ProgrammeServices, Register::Partners]
    {
        let options = sample_options(Region::Leningrad, alone.path());
        generate(&GenerateOptions { only: Some(register), ..options }).unwrap();
    }
    for (name, bytes) in files_of(alone.path()) {
        let is_count = name == "expected.json";
        assert!(is_count || files_of(together.path())[&name] == bytes, "{name}");
    }
}

#[test]
fn another_seed_gives_other_rows() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (seed, folder) in [(1, &one), (2, &other)] {
        generate(&GenerateOptions::new(Region::Samara, 500, seed, folder.path())).unwrap();
    }
    assert_ne!(files_of(one.path())["passports.ndjson"], files_of(other.path())["passports.ndjson"]);
}

#[test]
fn wrong_options_are_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let good = GenerateOptions::new(Region::Samara, 100, 1, folder.path());
    let message = |options: GenerateOptions| generate(&options).unwrap_err().to_string();
    let backwards = GenerateOptions { from: good.to, to: good.from, ..good.clone() };
    assert_eq!(message(backwards), "the period ends before it starts: `2026-10-31` to `2025-01-01`");
    let early = GenerateOptions { from: "1999-01-01".parse().unwrap(), ..good.clone() };
    assert!(message(early).starts_with("there is no working-day calendar for `1999-01-01`"));
    let broken = GenerateOptions { broken: 2.0, ..good.clone() };
    assert!(message(broken).starts_with("`2` is not a share of broken rows"));
    let foreign = GenerateOptions { only: Some(Register::Journal), ..good };
    assert!(matches!(generate(&foreign), Err(GenerateError::NoSuchRegister { .. })));
    assert_eq!(
        message(foreign),
        "`samara` has no register `journal`\nhelp: it has `appeals`, `passports`, `case_events`, `returns`, `leaves`, `debts`, `family_members`, `needs`"
    );
}

//! What a run made, counted by the generator itself: an independent check for whatever reads the files.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::breakage::Defect;
use super::days::{Calendar, Day};
use super::territory::Territory;

/// What one run of the generator made. Written as `expected.json` beside the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GenerateReport {
    /// OKTMO code of the region.
    pub region: String,
    /// Number that all choices follow from.
    pub seed: u64,
    /// First day of the period, `2025-01-01`.
    pub from: String,
    /// Last day of the period; the exports know nothing after it.
    pub to: String,
    /// What each register made, by its name.
    pub registers: BTreeMap<String, RegisterReport>,
}

/// What one register exported, and what a correct reader finds in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RegisterReport {
    /// The pipeline that reads the register.
    pub pipeline: String,
    /// Rows and bytes of each file.
    pub files: BTreeMap<String, FileReport>,
    /// Rows of all files: accepted + duplicate + rejected.
    pub rows: u64,
    /// Rows that say something new.
    pub accepted: u64,
    /// Rows that say again what a row before said.
    pub duplicate: u64,
    /// Broken rows.
    pub rejected: u64,
    /// Broken rows by what is wrong with them.
    pub broken: BTreeMap<String, u64>,
    /// Among the accepted rows, those that show a later state of a row before.
    pub later_states: u64,
    /// Among the accepted rows, those that correct a value of a row before.
    pub corrections: u64,
    /// Distinct people in rows that are not broken.
    pub people: u64,
    /// Events by name; an event that was exported several times counts once.
    pub events: BTreeMap<String, u64>,
    /// Events by name for each municipality (OKTMO).
    pub municipalities: BTreeMap<String, BTreeMap<String, u64>>,
    /// First events (registered, opened, applied, sent) by local month, `2025-03`.
    pub months: BTreeMap<String, u64>,
    /// Events by name and local month; what is open at the end of a month follows from them.
    pub event_months: BTreeMap<String, BTreeMap<String, u64>>,
    /// Events by name, by what their rows say beside place and day (direction, category, ground), in the words of the file.
    pub features: BTreeMap<String, BTreeMap<String, BTreeMap<String, u64>>>,
    /// Kopecks of all events of a name, where its rows tell of money.
    pub kopecks: BTreeMap<String, u64>,
}

/// The size of one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// Rows without the header.
    pub rows: u64,
    /// Bytes with the header.
    pub bytes: u64,
}

/// Counts while a register is written.
#[derive(Debug)]
pub(super) struct Tally {
    events: &'static [&'static str],
    by_place: Vec<u64>,
    /// By the place of the event and its day.
    by_day: BTreeMap<(usize, Day), u64>,
    /// By the place of the event, the feature and its word.
    by_feature: BTreeMap<(usize, &'static str, &'static str), u64>,
    kopecks: BTreeMap<usize, u64>,
    broken: BTreeMap<Defect, u64>,
    people: HashSet<u32>,
    pub(super) duplicate: u64,
    pub(super) later_states: u64,
    pub(super) corrections: u64,
}

impl Tally {
    /// Nothing counted yet. The first of the events is the one that months are counted by.
    pub(super) fn new(territory: &Territory, events: &'static [&'static str]) -> Self {
        Self {
            events,
            by_place: vec![0; territory.municipalities.len() * events.len()],
            by_day: BTreeMap::new(),
            by_feature: BTreeMap::new(),
            kopecks: BTreeMap::new(),
            broken: BTreeMap::new(),
            people: HashSet::new(),
            duplicate: 0,
            later_states: 0,
            corrections: 0,
        }
    }

    /// One event, by its place in the list of events.
    pub(super) fn add_event(&mut self, municipality: usize, event: usize, day: Day) {
        if let Some(count) = self.by_place.get_mut(municipality * self.events.len() + event) {
            *count += 1;
        }
        *self.by_day.entry((event, day)).or_default() += 1;
    }

    /// What the row of one event says beside place and day: pairs of a feature and its word in the file.
    pub(super) fn add_features(&mut self, event: usize, features: &[(&'static str, &'static str)]) {
        for (feature, word) in features {
            *self.by_feature.entry((event, feature, word)).or_default() += 1;
        }
    }

    /// The money of one event.
    pub(super) fn add_kopecks(&mut self, event: usize, kopecks: u64) {
        *self.kopecks.entry(event).or_default() += kopecks;
    }

    /// One person of a row that is not broken.
    pub(super) fn add_person(&mut self, key: u32) {
        self.people.insert(key);
    }

    /// One broken row.
    pub(super) fn add_broken(&mut self, defect: Defect) {
        *self.broken.entry(defect).or_default() += 1;
    }

    /// The report of the register.
    pub(super) fn report(
        self,
        pipeline: &str,
        files: BTreeMap<String, FileReport>,
        territory: &Territory,
        calendar: &Calendar,
    ) -> RegisterReport {
        let rows = files.values().map(|file| file.rows).sum();
        let rejected = self.broken.values().sum();
        let mut report = RegisterReport {
            pipeline: pipeline.to_owned(),
            files,
            rows,
            accepted: rows - self.duplicate - rejected,
            duplicate: self.duplicate,
            rejected,
            broken: self.broken.iter().map(|(defect, n)| (defect.name().to_owned(), *n)).collect(),
            later_states: self.later_states,
            corrections: self.corrections,
            people: self.people.len() as u64,
            ..RegisterReport::default()
        };
        for (place, counts) in territory.municipalities.iter().zip(self.by_place.chunks(self.events.len())) {
            let local = report.municipalities.entry(place.code.clone()).or_default();
            for (event, count) in self.events.iter().zip(counts) {
                if *count > 0 {
                    local.insert((*event).to_owned(), *count);
                    *report.events.entry((*event).to_owned()).or_default() += count;
                }
            }
        }
        for ((event, day), count) in self.by_day {
            let name = self.events.get(event).copied().unwrap_or_default();
            let months = report.event_months.entry(name.to_owned()).or_default();
            *months.entry(calendar.date(day).format("%Y-%m").to_string()).or_default() += count;
        }
        for ((event, feature, word), count) in self.by_feature {
            let name = self.events.get(event).copied().unwrap_or_default();
            let words = report.features.entry(name.to_owned()).or_default().entry(feature.to_owned()).or_default();
            words.insert(word.to_owned(), count);
        }
        for (event, kopecks) in self.kopecks {
            report.kopecks.insert(self.events.get(event).copied().unwrap_or_default().to_owned(), kopecks);
        }
        report.months =
            self.events.first().and_then(|first| report.event_months.get(*first)).cloned().unwrap_or_default();
        report
    }
}

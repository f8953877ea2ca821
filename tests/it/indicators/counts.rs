//! What the generator counted itself, `expected.json`, against the figures of indicators: by month, by place and by what rows say.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{Datelike, NaiveDate};
use serde_json::Value;
use svod::domain::period::{Grain, Period};
use svod::indicators::{Engine, Query};

use super::memory::{ask, reference};

/// Indicator, region, and the events of registers that make it, with their signs.
type Counted = (&'static str, &'static str, &'static [(&'static str, &'static str, i64)]);

/// Indicators of what happened: region, and the events of registers that they count.
const HAPPENED: &[Counted] = &[
    ("appeals", "samara", &[("appeals", "registered", 1)]),
    ("appeals", "leningrad", &[("journal", "registered", 1), ("contracts", "registered", 1)]),
    ("measures_by_status", "samara", &[("appeals", "registered", 1)]),
    ("measures_by_category_status", "samara", &[("appeals", "registered", 1)]),
    ("support_provided", "samara", &[("appeals", "provided", 1)]),
    ("kinds_of_support", "leningrad", &[("journal", "provided", 1), ("contracts", "provided", 1)]),
    ("contract_applications", "leningrad", &[("contracts", "registered", 1)]),
    ("contract_rejected_intake", "leningrad", &[("contracts", "intake_refused", 1)]),
    ("contract_suspended", "leningrad", &[("contracts", "suspended", 1)]),
    ("contract_extended", "leningrad", &[("contracts", "extended", 1)]),
    ("contract_refusals", "leningrad", &[("contracts", "refused", 1)]),
    ("recognition_refusals", "leningrad", &[("journal", "refused", 1)]),
    ("recognition_by_form", "leningrad", &[("journal", "granted", 1)]),
    ("recognition_by_circumstance", "leningrad", &[("journal", "granted", 1)]),
    ("applications_by_channel", "leningrad", &[("journal", "registered", 1)]),
    ("passports", "samara", &[("passports", "opened", 1)]),
    ("returned", "samara", &[("returns", "filed", 1)]),
    ("return_routed", "samara", &[("returns", "routed", 1)]),
    ("debts", "samara", &[("debts", "recorded", 1)]),
    ("programme_services", "leningrad", &[("programme_services", "service_planned", 1)]),
    ("programme_waivers", "leningrad", &[("programme_services", "waived", 1)]),
    ("complaints", "leningrad", &[("complaints", "registered", 1)]),
    ("kinds_of_support", "samara", &[("appeals", "provided", 1)]),
    ("support_provided", "leningrad", &[("journal", "provided", 1), ("contracts", "provided", 1)]),
];

/// Indicators of what is open at the end of a month: region, and the events that open and close.
const OPEN: &[Counted] = &[
    (
        "appeals_open",
        "samara",
        &[
            ("appeals", "registered", 1),
            ("appeals", "provided", -1),
            ("appeals", "refused", -1),
            ("appeals", "withdrawn", -1),
        ],
    ),
    ("appeals_by_status", "samara", &[("appeals", "registered", 1)]),
    ("families", "samara", &[("passports", "opened", 1), ("passports", "closed", -1)]),
    ("family_members", "samara", &[("family_members", "entered", 1), ("family_members", "struck_out", -1)]),
    ("needs_open", "samara", &[("needs", "recorded", 1), ("needs", "fulfilled", -1), ("needs", "cancelled", -1)]),
    ("partners", "leningrad", &[("partners", "joined", 1), ("partners", "left", -1)]),
];

/// Indicator, region, what rows of which event of which registers say, and the dimension with the codes for the words of the files.
type Said = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, &'static str, Codes);

/// How a word of a file becomes a code of a dimension.
#[derive(Debug, Clone, Copy)]
enum Codes {
    /// It is the code.
    Same,
    /// It stands in this column of this list.
    Column(&'static str, &'static str),
    /// The same, and the code stands in another column.
    Other(&'static str, &'static str, &'static str),
}

use Codes::{Column, Other, Same};

/// Indicators by what the rows of their events say.
const SAID: &[Said] = &[
    ("appeals", "samara", &[("appeals", "registered")], "category", "category", Column("categories", "short_ru")),
    ("appeals", "samara", &[("appeals", "registered")], "channel", "channel", Column("channels", "short_ru")),
    ("appeals", "samara", &[("appeals", "registered")], "support", "service", Same),
    ("appeals", "samara", &[("appeals", "registered")], "agency", "agency", Same),
    (
        "support_provided",
        "samara",
        &[("appeals", "provided")],
        "category",
        "category",
        Column("categories", "short_ru"),
    ),
    ("support_provided", "samara", &[("appeals", "provided")], "support", "service", Same),
    ("kinds_of_support", "samara", &[("appeals", "provided")], "agency", "agency", Same),
    ("contract_applications", "leningrad", CONTRACTS, "direction", "service", DIRECTION),
    ("contract_applications", "leningrad", CONTRACTS, "category", "category", Column("categories", "short_ru")),
    ("contract_applications", "leningrad", CONTRACTS, "way", "channel", Column("channels", "contract_code")),
    ("contract_rejected_intake", "leningrad", &[("contracts", "intake_refused")], "direction", "service", DIRECTION),
    ("contract_suspended", "leningrad", &[("contracts", "suspended")], "direction", "service", DIRECTION),
    ("contract_extended", "leningrad", &[("contracts", "extended")], "direction", "service", DIRECTION),
    ("contract_extended", "leningrad", &[("contracts", "extended")], "ground", "extension_ground", GROUND),
    ("contract_refusals", "leningrad", &[("contracts", "refused")], "direction", "service", DIRECTION),
    ("contract_refusals", "leningrad", &[("contracts", "refused")], "ground", "refusal_ground", GROUND),
    ("recognition_refusals", "leningrad", &[("journal", "refused")], "ground", "refusal_ground", GROUND),
    (
        "recognition_by_circumstance",
        "leningrad",
        &[("journal", "granted")],
        "circumstance",
        "circumstance",
        CIRCUMSTANCE,
    ),
    ("recognition_by_form", "leningrad", &[("journal", "granted")], "form", "service", FORM),
    ("applications_by_channel", "leningrad", &[("journal", "registered")], "way", "channel", JOURNAL_WAY),
    (
        "applications_by_channel",
        "leningrad",
        &[("journal", "registered")],
        "circumstance",
        "circumstance",
        CIRCUMSTANCE,
    ),
    (
        "complaints",
        "leningrad",
        &[("complaints", "registered")],
        "subject",
        "subject",
        Column("complaint_subjects", "number"),
    ),
    ("complaints", "leningrad", &[("complaints", "registered")], "way", "channel", JOURNAL_WAY),
    (
        "complaints",
        "leningrad",
        &[("complaints", "decided")],
        "decision",
        "outcome",
        Column("complaint_outcomes", "name_ru"),
    ),
    (
        "programme_services",
        "leningrad",
        &[("programme_services", "service_planned")],
        "kind",
        "service_kind",
        SERVICE_KIND,
    ),
    ("programme_services", "leningrad", &[("programme_services", "service_planned")], "form", "form", FORM_ITSELF),
    ("programme_waivers", "leningrad", &[("programme_services", "waived")], "kind", "service_kind", SERVICE_KIND),
    ("programme_waivers", "leningrad", &[("programme_services", "waived")], "form", "form", FORM_ITSELF),
    ("cards_issued", "leningrad", &[("cards", "issued")], "holder", "category", Column("categories", "short_ru")),
    ("card_uses", "leningrad", &[("card_uses", "used")], "holder", "category", Same),
    ("card_uses", "leningrad", &[("card_uses", "used")], "partner_kind", "partner_kind", Same),
    (
        "certificates",
        "leningrad",
        &[("cards", "issued"), ("certificate_operations", "issued")],
        "measure",
        "service",
        Column("services", "name_ru"),
    ),
    ("return_routed", "samara", &[("returns", "routed")], "agency", "agency", Same),
    ("debts", "samara", &[("debts", "recorded")], "kind", "kind", Column("debt_kinds", "name_ru")),
];

const CONTRACTS: &[(&str, &str)] = &[("contracts", "registered")];
const DIRECTION: Codes = Column("services", "direction");
const GROUND: Codes = Column("refusal_grounds", "name_ru");
const CIRCUMSTANCE: Codes = Column("circumstances", "number");
const FORM: Codes = Other("service_forms", "name_ru", "service");
const FORM_ITSELF: Codes = Column("service_forms", "name_ru");
const JOURNAL_WAY: Codes = Column("channels", "journal_code");
const SERVICE_KIND: Codes = Column("service_kinds", "name_ru");

/// An event of a register, or what some of its rows say: `kind=Виртуальная социальная карта`.
type Part = (&'static str, &'static str, &'static str);

/// Shares: indicator, region, what is counted above the line, and what under it.
const SHARES: &[(&str, &str, Part, &[Part])] = &[
    ("support_rate", "samara", ("appeals", "provided", ""), &[("appeals", "registered", "")]),
    (
        "contract_refusal_share",
        "leningrad",
        ("contracts", "refused", ""),
        &[("contracts", "refused", ""), ("contracts", "granted", "")],
    ),
    (
        "cards_refused",
        "leningrad",
        ("cards", "refused", VIRTUAL_CARD),
        &[("cards", "refused", VIRTUAL_CARD), ("cards", "issued", VIRTUAL_CARD)],
    ),
    (
        "programme_fulfilment",
        "leningrad",
        ("programmes", "concluded", "conclusion=полностью"),
        &[("programmes", "concluded", "")],
    ),
    ("return_support_rate", "samara", ("returns", "provided", ""), &[("returns", "routed", "")]),
];

const VIRTUAL_CARD: &str = "kind=Виртуальная социальная карта";

/// Sums: indicator, region, and the event whose money is summed.
const SUMS: &[(&str, &str, &str, &str)] = &[
    ("contract_amount", "leningrad", "contracts", "granted"),
    ("debt_amount", "samara", "debts", "recorded"),
    ("card_discount", "leningrad", "card_uses", "used"),
];

/// The generator's own counts of both regions.
#[derive(Debug)]
pub(super) struct Counts(BTreeMap<&'static str, Value>);

impl Counts {
    /// Of the folders `samara` and `leningrad` in a folder.
    pub(super) fn read(folder: &Path) -> Self {
        let of_region = |region| {
            let text = fs_err::read_to_string(folder.join(region).join("expected.json")).unwrap();
            (region, serde_json::from_str(&text).unwrap())
        };
        Self(["samara", "leningrad"].map(of_region).into())
    }

    fn register(&self, region: &str, register: &str) -> &Value {
        &self.0[region]["registers"][register]
    }

    /// The events of a region's registers by month or by municipality: those that begin something less those that end it.
    fn events(&self, region: &str, events: &[(&str, &str, i64)], by: &str) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for (register, event, sign) in events {
            let register = self.register(region, register);
            let of_event: Vec<(String, &Value)> = if by == "month" {
                let months = register["event_months"][event].as_object();
                months.unwrap_or_else(|| panic!("{region} {event}")).iter().map(|(key, n)| (key.clone(), n)).collect()
            } else {
                let places = register["municipalities"].as_object().unwrap().iter();
                places.filter_map(|(code, of)| Some((code.clone(), of.get(event)?))).collect()
            };
            for (key, count) in of_event {
                *counts.entry(key).or_default() += sign * count.as_i64().unwrap();
            }
        }
        counts
    }

    fn part(&self, region: &str, (register, event, said): Part) -> i64 {
        let register = self.register(region, register);
        let count = match said.split_once('=') {
            Some((feature, word)) => &register["features"][event][feature][word],
            None => &register["events"][event],
        };
        count.as_i64().unwrap_or_else(|| panic!("{region} {event} {said}"))
    }

    /// Compares all that was counted with the figures of an engine. Returns how many values were compared.
    pub(super) async fn compare(&self, engine: &Engine) -> usize {
        let mut n_compared = 0;
        for (id, region, events) in HAPPENED {
            n_compared += same(
                &format!("{id} {region}"),
                &by_month(engine, id, region).await,
                &self.events(region, events, "month"),
            );
            let places = by_code(engine, id, region, "municipality").await;
            n_compared += same(&format!("{id} {region}"), &places, &self.events(region, events, "municipality"));
        }
        for (id, region, events) in OPEN {
            let (found, changes) = (by_month(engine, id, region).await, self.events(region, events, "month"));
            n_compared += same(&format!("{id} {region}"), &found, &open_at_month_ends(&changes));
        }
        for (id, region, events, feature, dimension, codes) in SAID {
            let mut expected: BTreeMap<String, i64> = BTreeMap::new();
            for (register, event) in *events {
                let words = &self.register(region, register)["features"][event][feature];
                for (word, count) in
                    words.as_object().unwrap_or_else(|| panic!("{region} {register} {event} {feature}"))
                {
                    *expected.entry(code_of(word, *codes)).or_default() += count.as_i64().unwrap();
                }
            }
            let what = format!("{id} {region} by {dimension}");
            n_compared += same(&what, &by_code(engine, id, region, dimension).await, &expected);
        }
        for (id, region, above, under) in SHARES {
            let under: i64 = under.iter().map(|part| self.part(region, *part)).sum();
            n_compared +=
                near(id, whole(engine, id, region).await, 100.0 * float(self.part(region, *above)) / float(under));
        }
        for (id, region, register, event) in SUMS {
            let kopecks = self.register(region, register)["kopecks"][event].as_i64().unwrap();
            n_compared += near(id, whole(engine, id, region).await, float(kopecks) / 100.0);
        }
        let people = self.register("samara", "appeals")["people"].as_i64().unwrap();
        n_compared + near("citizens", whole(engine, "citizens", "samara").await, float(people))
    }
}

/// The code for a word of a file.
fn code_of(word: &str, codes: Codes) -> String {
    let (list, column, of) = match codes {
        Same => return word.to_owned(),
        Column(list, column) => (list, column, None),
        Other(list, column, of) => (list, column, Some(of)),
    };
    let reference = reference();
    let list = reference.list(list).unwrap();
    let mut found = list.codes().iter().filter(|code| list.value(code, column) == Some(word));
    let code = found.next().unwrap_or_else(|| panic!("`{word}` is not in `{column}`"));
    assert!(found.next().is_none(), "`{word}` stands twice in `{column}`");
    of.map_or(code.clone(), |of| list.value(code, of).unwrap().to_owned())
}

/// What is open at the end of each month, from what was opened and closed in each.
fn open_at_month_ends(changes: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    let mut day = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let mut open: i64 = changes.iter().filter(|(month, _)| month.as_str() < "2024-01").map(|(_, change)| change).sum();
    let mut months = BTreeMap::new();
    while day.year() < 2026 || day.month() <= 10 {
        let month = day.format("%Y-%m").to_string();
        open += changes.get(&month).copied().unwrap_or_default();
        months.insert(month, open);
        day = day.checked_add_months(chrono::Months::new(1)).unwrap();
    }
    months
}

fn of_region(id: &str, region: &str) -> Query {
    Query::of(id).filter("region", if region == "samara" { "36000000" } else { "41000000" })
}

/// The values of an indicator for a region by month, `2025-03`.
async fn by_month(engine: &Engine, id: &str, region: &str) -> BTreeMap<String, f64> {
    let period = Period::parse("2024-01", "2026-10").unwrap();
    let figures = ask(engine, of_region(id, region).within(period).grain(Grain::Month)).await;
    let rows = figures.rows.iter();
    rows.filter_map(|row| Some((row.bucket?.to_string()[..7].to_owned(), row.figure.value?))).collect()
}

/// The values of an indicator for a region by a dimension, at all times; nothing of rows that do not say.
async fn by_code(engine: &Engine, id: &str, region: &str, dimension: &str) -> BTreeMap<String, f64> {
    let figures = ask(engine, of_region(id, region).by(dimension)).await;
    figures.rows.iter().filter_map(|row| Some((row.keys[0].clone()?, row.figure.value?))).collect()
}

async fn whole(engine: &Engine, id: &str, region: &str) -> f64 {
    let figures = ask(engine, of_region(id, region)).await;
    figures.rows[0].figure.value.unwrap_or_else(|| panic!("{id} {region}"))
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn float(count: i64) -> f64 {
    count as f64
}

fn near(what: &str, value: f64, expected: f64) -> usize {
    assert!((value - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what}: {value}, counted {expected}");
    1
}

/// Every count is a value; besides there are only zeros.
fn same(what: &str, found: &BTreeMap<String, f64>, expected: &BTreeMap<String, i64>) -> usize {
    for (key, count) in expected {
        near(&format!("{what} {key}"), found.get(key).copied().unwrap_or_default(), float(*count));
    }
    for (key, value) in found {
        assert!(*value == 0.0 || expected.contains_key(key), "{what} {key}: {value}, nothing counted");
    }
    expected.len()
}

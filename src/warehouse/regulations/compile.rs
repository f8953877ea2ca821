//! From checked regulations to the SQL of the clocks.

use indexmap::IndexMap;

use crate::declarations::Spanned;

use super::super::contracts::{Contract, Contracts};
use super::super::database::{name, text};
use super::super::reference::Reference;
use super::check::{EDITION, minutes_of};
use super::fold::{ATTRIBUTES, Fold, Moment, offset, quoted};
use super::{Counts, RawClock, RawMark, RawTerm, Regulation, Regulations, Resumes, Take, Unit};

/// The query around what is compiled.
const TEMPLATE: &str = include_str!("clocks.sql");
/// Where each clock of `{from}` begins to count.
const COUNTED: &str = "    SELECT
        item.*,
        terms.* EXCLUDE (term_id) REPLACE (CASE WHEN item.edition IS NOT NULL THEN terms.term_limit END AS term_limit),
        CAST(item.started_at AS DATE) AS started_on,
        CAST(item.stopped_at AS DATE) AS stopped_on,
        CASE
            WHEN terms.kind = 1 THEN days.n
                + CAST(terms.is_after_hours AND (NOT days.is_working OR {is_late}) AS BIGINT)
                - CAST(terms.is_day_of AND (days.is_working OR terms.is_after_hours) AS BIGINT)
            WHEN terms.kind IN (2, 3) THEN days.epoch - CAST(terms.is_day_of AS BIGINT)
        END AS origin
    FROM {from} AS item
    INNER JOIN terms USING (term_id)
    LEFT JOIN days ON days.day = CAST(item.counted_at AS DATE)";
/// Whether an office had closed when a clock started.
const IS_LATE: &str = "date_part('hour', item.counted_at) * 60 + date_part('minute', item.counted_at) \
                       >= CASE WHEN days.is_short THEN terms.closes_short ELSE terms.closes END";

/// What is compiled so far.
#[derive(Default)]
struct Parts {
    terms: Vec<String>,
    started: Vec<String>,
    started_paused: Vec<String>,
    turns: Vec<String>,
    folds: String,
    n_clocks: usize,
}

impl Regulations {
    /// The DuckDB query with one row per clock of a subject.
    pub(in super::super) fn sql(&self, contracts: &Contracts, reference: &Reference) -> String {
        let mut parts = Parts::default();
        for (table, regulations) in self.by_table() {
            let Some(contract) = contracts.get(table) else { continue };
            let mut fold = Fold::new(contract, &regulations);
            for regulation in &regulations {
                for clock in &regulation.raw.clocks {
                    parts.add(contract, regulation, clock, &mut fold);
                }
            }
            parts.folds.push_str(&fold.sql(reference));
        }
        if parts.started_paused.is_empty() {
            parts.started_paused.push("    SELECT * FROM started WHERE FALSE".to_owned());
            parts.turns.push(
                "    SELECT '' AS subject_id, 0 AS clock_id, DATE '2000-01-01' AS paused_on, DATE '2000-01-01' AS resumed_on WHERE FALSE"
                    .to_owned(),
            );
        }
        let counted = |from: &str| COUNTED.replace("{is_late}", IS_LATE).replace("{from}", from);
        let union = |parts: &[String]| parts.join("\n    UNION ALL\n");
        TEMPLATE
            .replace("{terms}", &parts.terms.join(",\n"))
            .replace("{folds}", &parts.folds)
            .replace("{counted}", &counted("started"))
            .replace("{counted_paused}", &counted("started_paused"))
            .replace("{started}", &union(&parts.started))
            .replace("{started_paused}", &union(&parts.started_paused))
            .replace("{turns}", &union(&parts.turns))
            .replace("{offset}", &offset(reference, "placed.region"))
    }
}

impl Parts {
    /// Adds one clock: its terms, its rows and its pauses.
    fn add<'a>(&mut self, contract: &Contract, regulation: &'a Regulation, clock: &'a RawClock, fold: &mut Fold<'a>) {
        let id = self.n_clocks;
        self.n_clocks += 1;
        let first_term = self.terms.len();
        for term in std::iter::once(&clock.term).chain(clock.overrides.iter().map(|other| &other.term)) {
            self.terms.push(term_row(self.terms.len(), regulation, clock, term));
        }
        let others = clock.overrides.iter().enumerate().map(|(position, other)| {
            let condition = conditions(&other.when, "item.");
            format!("WHEN {condition} THEN {}", first_term + 1 + position)
        });
        let others: Vec<String> = others.collect();
        // Before the first edition and after the last one nothing limits the clock.
        let edition = edition_of(regulation);
        let term = if others.is_empty() {
            first_term.to_string()
        } else {
            format!("CASE {} ELSE {first_term} END", others.join(" "))
        };
        let moments = Moments::new(regulation, clock, fold);
        let (extension, n_extensions) = clock.extend.as_ref().map_or(("0".to_owned(), "0".to_owned()), |extend| {
            let grounds = extend.grounds.iter().map(|ground| ground.as_str()).collect();
            let count = fold.extensions(id, &extend.on, grounds);
            (format!("{} * least({count}, {})", extend.by.value, extend.times), count)
        });
        let applies = conditions(&regulation.raw.applies, "folded.");
        let attributes: Vec<String> =
            ATTRIBUTES.iter().map(|column| format!("{} AS {column}", fold.attribute(column))).collect();
        let mut extra: Vec<&str> =
            clock.overrides.iter().flat_map(|other| other.when.keys()).map(String::as_str).collect();
        extra.retain(|column| *column != EDITION && !ATTRIBUTES.contains(column));
        extra.sort_unstable();
        extra.dedup();
        let extra = extra.iter().map(|column| format!("folded.{0} AS {0}", name(column)));
        let attributes: Vec<String> = attributes.into_iter().chain(extra).collect();
        let (from, repetition) = if clock.repeats {
            (
                format!("{} AS turn INNER JOIN {} AS folded USING (subject_id)", fold.turns(), fold.folded()),
                "turn.repetition",
            )
        } else {
            (format!("{} AS folded", fold.folded()), "1")
        };
        let rows = |filter: &str| {
            format!(
                "    SELECT
        item.subject_id, item.subject_kind, item.repetition, {id} AS clock_id, item.edition,
        {term} AS term_id,
        {clock_attributes}, item.stage,
        item.started_at, item.counted_at, item.stopped_at, item.cancelled_at, item.awaited_at,
        item.extension, item.n_extensions
    FROM (
        SELECT *, {edition} AS edition
        FROM (
            SELECT
                folded.subject_id, {subject} AS subject_kind, {repetition} AS repetition,
                {attributes}, {stage} AS stage,
                {started} AS started_at, {counted} AS counted_at, {stopped} AS stopped_at,
                {cancelled} AS cancelled_at, {awaited} AS awaited_at,
                {extension} AS extension, {n_extensions} AS n_extensions
            FROM {from}
            WHERE {applies}{filter}
        ) AS item
    ) AS item
    WHERE item.started_at IS NOT NULL
        OR (item.awaited_at IS NOT NULL AND item.stopped_at IS NULL AND item.cancelled_at IS NULL)",
                clock_attributes = ATTRIBUTES.map(|column| format!("item.{column}")).join(", "),
                subject = text(&contract.table),
                attributes = attributes.join(", "),
                stage = stage_of(regulation),
                started = moments.started,
                counted = moments.counted,
                stopped = moments.stopped,
                cancelled = moments.cancelled,
                awaited = moments.awaited,
            )
        };
        if let Some(pause) = &clock.pause {
            let paused = fold.moment(Moment { event: &pause.from, is_last: false, day: None }, true);
            let resumed = fold.moment(Moment { event: &pause.until, is_last: false, day: None }, true);
            self.turns.push(format!(
                "    SELECT turn.subject_id, {id} AS clock_id, CAST({paused} AS DATE) AS paused_on, CAST({resumed} AS DATE) AS resumed_on
    FROM {} AS turn
    WHERE {paused} IS NOT NULL",
                fold.turns(),
            ));
            let is_paused = format!(
                " AND folded.subject_id IN (SELECT turn.subject_id FROM {} AS turn WHERE {paused} IS NOT NULL)",
                fold.turns(),
            );
            self.started_paused.push(rows(&is_paused));
        }
        self.started.push(rows(""));
    }
}

/// Expressions of the moments of a clock over the folded events.
struct Moments {
    started: String,
    counted: String,
    stopped: String,
    cancelled: String,
    awaited: String,
}

impl Moments {
    fn new<'a>(regulation: &'a Regulation, clock: &'a RawClock, fold: &mut Fold<'a>) -> Self {
        let started = mark(&clock.start, fold, clock.repeats);
        let restarts = clock.pause.as_ref().filter(|pause| pause.resumes == Resumes::Restart);
        let counted = restarts.map_or_else(
            || started.clone(),
            |pause| {
                let resumed = fold.moment(Moment { event: &pause.until, is_last: true, day: None }, false);
                format!("greatest({started}, {resumed})")
            },
        );
        let ends = regulation.raw.states.iter().filter(|state| state.is_final).flat_map(|state| &state.on);
        let cancels: Vec<&str> = ends.chain(&clock.cancel).map(|event| event.as_str()).collect();
        let cancels = cancels.into_iter().filter(|event| clock.stop.on.iter().all(|stop| stop.value != *event));
        let cancels = cancels.map(|event| fold.moment(Moment { event, is_last: true, day: None }, false)).collect();
        let awaits = clock.awaits.iter().map(|event| fold.moment(Moment { event, is_last: false, day: None }, false));
        let awaits: Vec<String> = awaits.collect();
        Self {
            counted,
            stopped: mark(&clock.stop, fold, clock.repeats),
            cancelled: one_of("greatest", cancels),
            awaited: one_of("least", awaits),
            started,
        }
    }
}

/// The moment of a mark. `least` and `greatest` pass over nulls.
fn mark<'a>(mark: &'a RawMark, fold: &mut Fold<'a>, in_turn: bool) -> String {
    let day = mark.day.as_ref().map(|day| day.as_str());
    let is_last = mark.take == Take::Last;
    let moments = mark.on.iter().map(|event| fold.moment(Moment { event, is_last, day }, in_turn));
    let moments: Vec<String> = moments.collect();
    match mark.take {
        Take::First => one_of("least", moments),
        Take::Last => one_of("greatest", moments),
        Take::All => {
            let each = moments.iter().map(|moment| format!("{moment} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
            format!("CASE WHEN {each} THEN {} END", one_of("greatest", moments))
        }
    }
}

fn one_of(function: &str, moments: Vec<String>) -> String {
    match moments.len() {
        0 => "CAST(NULL AS TIMESTAMP)".to_owned(),
        1 => moments.into_iter().next().unwrap_or_default(),
        _ => format!("{function}({})", moments.join(", ")),
    }
}

/// One row of the terms.
fn term_row(id: usize, regulation: &Regulation, clock: &RawClock, term: &RawTerm) -> String {
    let (unit, kind, minutes) = match (term.unit.value, term.day_off) {
        (Unit::WorkingDays, _) => ("working_days", Some(1), None),
        (Unit::Days, None) => ("days", Some(2), None),
        (Unit::Days, Some(_)) => ("days", Some(3), None),
        (Unit::Hours, _) => ("hours", None, Some(60)),
        (Unit::Minutes, _) => ("minutes", None, Some(1)),
    };
    let hours = regulation.raw.work_hours.as_ref();
    let number = |value: Option<u32>| {
        value.map_or("CAST(NULL AS BIGINT)".to_owned(), |value| format!("CAST({value} AS BIGINT)"))
    };
    let row = [
        id.to_string(),
        text(&regulation.raw.regulation),
        text(&clock.clock),
        number(term.limit.map(|limit| limit.value)),
        text(unit),
        number(kind),
        number(minutes),
        (term.counts == Counts::DayOf).to_string(),
        term.after_hours.is_some().to_string(),
        number(hours.and_then(|hours| minutes_of(&hours.closes))),
        number(hours.and_then(|hours| minutes_of(&hours.closes_short))),
        number(clock.at_risk.map(|margin| margin.value)),
        number(clock.pause.as_ref().and_then(|pause| pause.at_most).map(|most| most.value)),
    ];
    format!("        ({})", row.join(", "))
}

/// All conditions together, over columns with a prefix.
fn conditions(conditions: &IndexMap<String, Vec<Spanned<String>>>, prefix: &str) -> String {
    let each = conditions.iter().filter(|(_, codes)| !codes.is_empty()).map(|(column, codes)| {
        format!("CAST({prefix}{} AS VARCHAR) IN ({})", name(column), quoted(codes.iter().map(|code| code.as_str())))
    });
    let each: Vec<String> = each.collect();
    if each.is_empty() { "TRUE".to_owned() } else { each.join(" AND ") }
}

/// The edition in force on the local day on which a clock starts, or is awaited.
fn edition_of(regulation: &Regulation) -> String {
    const DAY: &str = "CAST(coalesce(item.started_at, item.awaited_at) AS DATE)";
    let editions = &regulation.raw.editions;
    let cases = editions.iter().enumerate().map(|(position, edition)| {
        let until = edition.until.map(|until| format!(" AND {DAY} <= DATE '{}'", until.value));
        let next = editions.get(position + 1).map(|next| format!(" AND {DAY} < DATE '{}'", next.from.value));
        let end = until.or(next).unwrap_or_default();
        format!("WHEN {DAY} >= DATE '{}'{end} THEN {}", edition.from.value, text(&edition.edition))
    });
    format!("CASE {} END", cases.collect::<Vec<_>>().join(" "))
}

/// The stage after the last event.
fn stage_of(regulation: &Regulation) -> String {
    let cases = regulation.raw.states.iter().map(|state| {
        let events = quoted(state.on.iter().map(|event| event.as_str()));
        format!("WHEN folded.last_event IN ({events}) THEN {}", text(&state.state))
    });
    let cases: Vec<String> = cases.collect();
    if cases.is_empty() { "CAST(NULL AS VARCHAR)".to_owned() } else { format!("CASE {} END", cases.join(" ")) }
}

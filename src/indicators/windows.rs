//! Which days each value of an answer is about: buckets, what they are compared with, running totals, rolling windows.
//!
//! Every value is that of the indicator over one window of days. A change is taken between windows that cover the same part
//! of their periods: where a bucket is not over, both end on the same day of theirs.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};
use indexmap::IndexSet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::language::Lang;
use crate::domain::period::{Grain, Period};

/// What a value is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The bucket before, or the period before where time is not cut. For a running total that of the span before,
    /// for a rolling window that of one bucket before.
    Previous,
    /// The same bucket one year earlier; a week stands against the week with its ISO number.
    YearAgo,
}

impl Against {
    /// Its word in a query.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::YearAgo => "year_ago",
        }
    }
}

impl std::str::FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Previous, Self::YearAgo]
            .into_iter()
            .find(|against| against.code() == text.replace('-', "_"))
            .ok_or_else(|| format!("`{text}` is no comparison, expected `previous` or `year_ago`"))
    }
}

/// Where a running total starts anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cumulate {
    /// With every month.
    Month,
    /// With every quarter.
    Quarter,
    /// With every half-year.
    HalfYear,
    /// With every year; weeks run within the year of ISO 8601.
    Year,
    /// Nowhere: it starts with the period of the query.
    Period,
}

impl Cumulate {
    const ALL: [Self; 5] = [Self::Month, Self::Quarter, Self::HalfYear, Self::Year, Self::Period];

    /// The span within which it runs, none for the period of the query.
    #[must_use]
    pub fn within(self) -> Option<Grain> {
        match self {
            Self::Month => Some(Grain::Month),
            Self::Quarter => Some(Grain::Quarter),
            Self::HalfYear => Some(Grain::HalfYear),
            Self::Year => Some(Grain::Year),
            Self::Period => None,
        }
    }

    /// Its word in a query.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.within().map_or("period", Grain::code)
    }
}

impl std::str::FromStr for Cumulate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|cumulate| cumulate.code() == text.replace('-', "_")).ok_or_else(|| {
            format!("`{text}` is no span of a total, expected `month`, `quarter`, `half_year`, `year` or `period`")
        })
    }
}

/// What is worth knowing about a comparison, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The year before has no week 53.
    #[serde(rename = "no_week_53")]
    NoWeek53,
    /// 29 February stands against 28 February.
    LeapDay,
    /// The data begin later, so that what is not there is unknown and not zero.
    BeforeData,
    /// The bucket has no data yet.
    NotBegun,
}

impl Note {
    /// The note in words.
    #[must_use]
    pub fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::NoWeek53 => lang.pick("в прошлом году нет 53-й недели", "the year before has no week 53"),
            Self::LeapDay => {
                lang.pick("29 февраля сравнивается с 28 февраля", "29 February is compared with 28 February")
            }
            Self::BeforeData => lang.pick("данные начинаются позже", "the data begin later"),
            Self::NotBegun => lang.pick("данных за период еще нет", "the period has no data yet"),
        }
    }
}

/// What a query wants beside the values of its buckets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) compare: &'a [Against],
    pub(super) cumulate: Option<Cumulate>,
    /// How many buckets a rolling window has.
    pub(super) rolling: Option<u32>,
}

impl Wanted<'_> {
    pub(super) fn is_nothing(self) -> bool {
        self.compare.is_empty() && self.cumulate.is_none() && self.rolling.is_none()
    }
}

/// All windows of an answer, each once, and what they mean for its rows.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) windows: IndexSet<Period>,
    pub(super) rows: Vec<FrameRow>,
}

/// The windows of one bucket.
#[derive(Debug)]
pub(super) struct FrameRow {
    pub(super) bucket: Option<NaiveDate>,
    /// The day to which the data reach, where it lies within the bucket.
    pub(super) to_date: Option<NaiveDate>,
    pub(super) own: Spot,
    pub(super) cumulative: Option<Spot>,
    pub(super) rolling: Option<Spot>,
}

/// A window and what it is compared with, as positions in [`Frame::windows`].
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) window: usize,
    /// The part of the window that the data cover, which is what is compared; none if there is none yet.
    pub(super) covered: Option<usize>,
    pub(super) earlier: Vec<Earlier>,
}

/// A window to compare with.
#[derive(Debug)]
pub(super) struct Earlier {
    pub(super) against: Against,
    pub(super) window: Option<usize>,
    pub(super) note: Option<Note>,
}

impl Frame {
    /// The windows of a period by buckets, when the data reach to `data_to`.
    pub(super) fn new(period: Period, grain: Option<Grain>, wanted: Wanted<'_>, data_to: NaiveDate) -> Self {
        let mut framing = Framing { period, grain, wanted, data_to, windows: IndexSet::new() };
        let rows = match grain {
            Some(grain) => period.buckets(grain).into_iter().map(|start| framing.row(Some(start))).collect(),
            None => vec![framing.row(None)],
        };
        Self { windows: framing.windows, rows }
    }

    /// From the first to the last day of any window.
    pub(super) fn span(&self) -> Option<Period> {
        let from = self.windows.iter().map(|window| window.from).min()?;
        let to = self.windows.iter().map(|window| window.to).max()?;
        Some(Period { from, to })
    }

    /// First days of the stretches of time that no window cuts, so that each window is made of whole ones; sorted.
    pub(super) fn atoms(&self) -> Vec<NaiveDate> {
        let starts = self.windows.iter().map(|window| window.from);
        let ends = self.windows.iter().filter_map(|window| window.to.succ_opt());
        starts.chain(ends).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// A frame in the making.
struct Framing<'a> {
    period: Period,
    grain: Option<Grain>,
    wanted: Wanted<'a>,
    data_to: NaiveDate,
    windows: IndexSet<Period>,
}

/// An earlier window, and what is worth knowing about it or about its absence.
type Found = (Option<Period>, Option<Note>);

impl Framing<'_> {
    fn row(&mut self, bucket: Option<NaiveDate>) -> FrameRow {
        let whole = self.period;
        let part = match (bucket, self.grain) {
            (Some(start), Some(grain)) => Period { from: start.max(whole.from), to: grain.end(start).min(whole.to) },
            _ => whole,
        };
        let own = self.spot(part, |part| part, Self::earlier);
        let cumulative = self.wanted.cumulate.map(|cumulate| match cumulate.within() {
            None => self.total_of_the_period(part),
            Some(_) if self.grain == Some(Grain::Week) => self.total_of_the_iso_year(part),
            Some(span) => self.total_within(span, part),
        });
        let rolling = self.wanted.rolling.zip(self.grain).map(|(n_buckets, grain)| {
            let widen = |part: Period| Period { from: grain.back(grain.start(part.from), n_buckets - 1), ..part };
            self.spot(part, widen, |framing, against, part| {
                let (earlier, note) = framing.earlier(against, part);
                (earlier.map(widen), note)
            })
        });
        let to_date = Some(self.data_to).filter(|day| part.from <= *day && *day < part.to);
        FrameRow { bucket, to_date, own, cumulative, rolling }
    }

    /// From the first day of a span of the calendar to the end of a part.
    fn total_within(&mut self, span: Grain, part: Period) -> Spot {
        let total = |to: NaiveDate| Period { from: span.start(to), to };
        self.spot(
            part,
            |part| total(part.to),
            |_, against, part| match against {
                Against::Previous => (Some(total(total(part.to).back(span, 1).to)), None),
                Against::YearAgo => (Some(total(total(part.to).year_before().to)), leap_note(part)),
            },
        )
    }

    /// From the first day of the period of the query to the end of a part.
    fn total_of_the_period(&mut self, part: Period) -> Spot {
        let total = |framing: &Self, part: Period| Period { from: framing.period.from, ..part };
        let whole = total(self, part);
        self.spot(
            part,
            |_| whole,
            |framing, against, part| match against {
                Against::Previous => (Some(framing.period.previous_part(total(framing, part))), None),
                Against::YearAgo => (Some(total(framing, part).year_before()), leap_note(part)),
            },
        )
    }

    /// From the first week of the ISO year; up to week 53 it is compared with the whole of a year that has 52.
    fn total_of_the_iso_year(&mut self, part: Period) -> Spot {
        let total = |part: Period| Period { from: first_of_iso_year(part.from), ..part };
        self.spot(part, total, |_, _, part| {
            if let Some(earlier) = part.iso_year_before() {
                return (Some(total(earlier)), None);
            }
            let to = first_of_iso_year(part.from) - Days::new(1);
            (Some(Period { from: first_of_iso_year(to), to }), Some(Note::NoWeek53))
        })
    }

    /// The window that `widen` makes of a part of time, and the earlier windows.
    fn spot(
        &mut self,
        part: Period,
        widen: impl Fn(Period) -> Period,
        find: impl Fn(&Self, Against, Period) -> Found,
    ) -> Spot {
        let window = self.place(widen(part));
        let covered = part.until(self.data_to);
        let mut earlier = Vec::with_capacity(self.wanted.compare.len());
        for against in self.wanted.compare.iter().copied() {
            let (found, note) = covered.map_or((None, Some(Note::NotBegun)), |part| find(self, against, part));
            earlier.push(Earlier { against, window: found.map(|window| self.place(window)), note });
        }
        // Only what is compared has to be known up to the day to which the data reach.
        let covered = covered.map(|part| if earlier.is_empty() { window } else { self.place(widen(part)) });
        Spot { window, covered, earlier }
    }

    fn place(&mut self, window: Period) -> usize {
        self.windows.insert_full(window).0
    }

    /// The same part of an earlier bucket, or of an earlier period where time is not cut.
    fn earlier(&self, against: Against, part: Period) -> Found {
        match (against, self.grain) {
            (Against::Previous, Some(grain)) => (Some(part.back(grain, 1)), None),
            (Against::Previous, None) => (Some(self.period.previous_part(part)), None),
            (Against::YearAgo, Some(Grain::Week)) => {
                let found = part.iso_year_before();
                (found, found.is_none().then_some(Note::NoWeek53))
            }
            (Against::YearAgo, _) => (Some(part.year_before()), leap_note(part)),
        }
    }
}

/// Whether a part ends on a leap day that has no like, as against a whole February.
fn leap_note(part: Period) -> Option<Note> {
    (part.from == part.to && part.to.month() == 2 && part.to.day() == 29).then_some(Note::LeapDay)
}

/// The Monday of week 1 of the ISO year of a day.
fn first_of_iso_year(day: NaiveDate) -> NaiveDate {
    let week = Grain::Week.start(day);
    week - Days::new(7 * u64::from(week.iso_week().week0()))
}

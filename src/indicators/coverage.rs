//! How complete values are: how many of those who had to report for a bucket have done it.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::definitions::Definitions;
use super::figures::{Coverage, Figures};
use super::indicator::{CoverageRule, Indicator};
use super::query::Query;
use crate::domain::figure::State;
use crate::domain::period::{Grain, Period};

/// The question that tells how complete the values of another one are, if that wants to know: by its buckets, and by those of its
/// dimensions and filters that the rule's indicator has. Reports are monthly: a day or a week has those of the month in which it begins.
pub(super) fn coverage_query(definitions: &Definitions, query: &Query, period: Period) -> Option<Query> {
    let (rule, indicator) = rule_of(definitions, query)?;
    let knows = |name: &String| indicator.entity().dimension(name).is_some();
    let mut filters = rule.only.clone();
    for (dimension, codes) in query.filters.iter().filter(|(name, _)| knows(name)) {
        filters.entry(dimension.clone()).or_insert_with(|| codes.clone());
    }
    Some(Query {
        by: query.by.iter().filter(|name| knows(name)).cloned().collect(),
        filters,
        period: Some(Period { from: Grain::Month.start(period.from), ..period }),
        grain: query.grain.map(|grain| if grain.n_months().is_none() { Grain::Month } else { grain }),
        as_of: query.as_of,
        ..Query::of(&rule.indicator)
    })
}

/// Adds to every row what the answer to [`coverage_query`] says of it.
pub(super) fn add_coverage(
    definitions: &Definitions,
    query: &Query,
    asked: &Query,
    answer: Figures,
    figures: &mut Figures,
) {
    let of = rule_of(definitions, query).and_then(|(rule, _)| answer.measures.iter().position(|name| *name == rule.of));
    let Some(of) = of else { return };
    let mut found: HashMap<(Vec<Option<String>>, Option<NaiveDate>), Coverage> = HashMap::new();
    for row in answer.rows {
        let owing = row.measures.get(of).copied().flatten().filter(|owing| *owing > 0.0);
        let reported = if row.figure.state == State::NotReported { Some(0.0) } else { row.figure.value };
        if let (Some(owing), Some(reported)) = (owing, reported) {
            found.insert((row.keys, row.bucket), Coverage { reported, owing });
        }
    }
    for row in &mut figures.rows {
        let keys = query.by.iter().zip(&row.keys).filter(|(name, _)| asked.by.contains(name));
        let keys = keys.map(|(_, key)| key.clone()).collect();
        let bucket = row.bucket.zip(asked.grain).map(|(bucket, grain)| grain.start(bucket));
        row.coverage = found.get(&(keys, bucket)).copied();
    }
}

/// What tells how complete the values of a query are.
fn rule_of<'a>(definitions: &'a Definitions, query: &Query) -> Option<(&'a CoverageRule, &'a Indicator)> {
    let rule = definitions.catalog.get(&query.indicator)?.coverage.as_ref().filter(|_| query.coverage)?;
    Some((rule, definitions.catalog.get(&rule.indicator)?))
}

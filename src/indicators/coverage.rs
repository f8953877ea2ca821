//! How complete values are: how many of those who had to report for a bucket have done it.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::engine::Engine;
use super::error::QueryError;
use super::figures::{Coverage, Figures};
use super::indicator::CoverageRule;
use super::query::Query;
use super::scope::Scope;
use crate::domain::figure::State;
use crate::domain::period::Grain;

impl Engine {
    /// Adds to every row what the rule's indicator says of its bucket and of those of its codes that it knows. Reports are
    /// monthly: a day or a week carries those of the month in which it begins.
    pub(super) async fn add_coverage(
        &self,
        scope: &Scope,
        query: &Query,
        rule: &CoverageRule,
        figures: &mut Figures,
    ) -> Result<(), QueryError> {
        let definitions = self.definitions(query.as_of).await?;
        let Some(indicator) = definitions.catalog.get(&rule.indicator) else { return Ok(()) };
        let knows = |name: &String| indicator.entity().dimension(name).is_some();
        let mut filters = rule.only.clone();
        for (dimension, codes) in query.filters.iter().filter(|(name, _)| knows(name)) {
            filters.entry(dimension.clone()).or_insert_with(|| codes.clone());
        }
        let by: Vec<String> = query.by.iter().filter(|name| knows(name)).cloned().collect();
        let grain = query.grain.map(|grain| if grain.n_months().is_none() { Grain::Month } else { grain });
        let mut period = figures.period;
        if let Some(grain) = grain {
            period.from = Grain::Month.start(period.from).max(grain.start(period.from));
        } else {
            period.from = Grain::Month.start(period.from);
        }
        let asked = Query {
            by: by.clone(),
            filters,
            period: Some(period),
            grain,
            as_of: query.as_of,
            ..Query::of(&rule.indicator)
        };
        // The answer is of the same kind as the one that asks for it, and asks for no coverage itself.
        let answer = Box::pin(self.query(scope, &asked)).await?;
        let Some(of) = answer.measures.iter().position(|name| *name == rule.of) else { return Ok(()) };
        let mut found: HashMap<(Vec<Option<String>>, Option<NaiveDate>), Coverage> = HashMap::new();
        for row in answer.rows {
            let owing = row.measures.get(of).copied().flatten().filter(|owing| *owing > 0.0);
            let reported = match row.figure.state {
                State::NotReported => Some(0.0),
                _ => row.figure.value,
            };
            if let (Some(owing), Some(reported)) = (owing, reported) {
                found.insert((row.keys, row.bucket), Coverage { reported, owing });
            }
        }
        for row in &mut figures.rows {
            let keys = query.by.iter().zip(&row.keys).filter(|(name, _)| by.contains(name));
            let keys = keys.map(|(_, key)| key.clone()).collect();
            let bucket = row.bucket.zip(grain).map(|(bucket, grain)| grain.start(bucket));
            row.coverage = found.get(&(keys, bucket)).copied();
        }
        Ok(())
    }
}

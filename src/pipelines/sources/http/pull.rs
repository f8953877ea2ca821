//! One way through all pages of an endpoint.

use std::collections::HashSet;

use url::Url;

use super::page::Page;
use super::paging::Place;
use super::position::{Position, Rest};
use super::{HttpError, HttpSource};
use crate::pipelines::sources::cursor::CursorValue;
use crate::pipelines::state::PipelineState;
use crate::secrets::Parameter;

/// One way through all pages.
#[derive(Debug)]
pub(super) struct Pull {
    pub(super) since: Option<CursorValue>,
    pub(super) largest: Option<CursorValue>,
    pub(super) next: Option<(Place, u64)>,
    pub(super) is_rest: bool,
    pub(super) n_units: u64,
    /// A page that was looked at and did not fit into the unit before.
    pub(super) waiting: Option<Page>,
    pub(super) failure: Option<HttpError>,
    pub(super) asked: HashSet<Place>,
    pub(super) last_hash: Option<String>,
}

impl Pull {
    /// The rest of a former pull, or a new one.
    pub(super) fn begin(state: &PipelineState, source: &HttpSource) -> Self {
        let former = state.position.is_some().then(|| Position::read(state.position.as_ref(), source)).flatten();
        let (cursor, rest) = former.map_or((None, None), |position| (position.cursor, position.rest));
        let mut pull = Self::whole(cursor, source);
        if let Some(Rest { place, number, since }) = rest {
            pull.since = since;
            pull.asked = HashSet::from([place.clone()]);
            pull.next = Some((place, number));
            pull.is_rest = true;
        }
        pull
    }

    /// All pages of what is new since a cursor value.
    pub(super) fn whole(since: Option<CursorValue>, source: &HttpSource) -> Self {
        let first = source.paging.first();
        Self {
            largest: since.clone(),
            since,
            asked: HashSet::from([first.clone()]),
            next: Some((first, 1)),
            is_rest: false,
            n_units: 0,
            waiting: None,
            failure: None,
            last_hash: None,
        }
    }

    /// The address with everything that does not depend on the page.
    pub(super) fn first_url(&self, source: &HttpSource) -> Url {
        let mut url = source.url.clone();
        for (name, value) in &source.query {
            if let Parameter::Literal(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        if let Some(cursor) = &source.cursor {
            let since =
                self.since.as_ref().map(|value| value.minus(cursor.late_window)).or_else(|| cursor.start.clone());
            if let Some(value) = since {
                let text = value.written(cursor.format.as_deref(), cursor.column.time_zone);
                url.query_pairs_mut().append_pair(&cursor.parameter, &text);
            }
        }
        url
    }
}

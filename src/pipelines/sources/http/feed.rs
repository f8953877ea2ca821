//! One pull from an endpoint: which page comes next, which pages become one unit, where the next run goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;

use super::endpoint::Endpoint;
use super::page::{Joint, Page, count_rows, read_json, write_rows};
use super::paging::{PageFacts, Paging, Place};
use super::position::{Position, Rest, fingerprint};
use super::pull::Pull;
use super::{HttpError, HttpSource, shown};
use crate::clock::Clock;
use crate::pipelines::FileError;
use crate::pipelines::sources::files::SourceFile;
use crate::pipelines::sources::pulled::PulledFolder;
use crate::pipelines::sources::{Next, Surroundings, Unit};
use crate::pipelines::state::PipelineState;

/// Pages without rows in a row after which the pages are taken for endless.
const MAX_EMPTY_PAGES: u32 = 1000;

/// An endpoint that is read by one run.
#[derive(Debug)]
pub struct HttpFeed {
    source: Arc<HttpSource>,
    project: PathBuf,
    data_dir: PathBuf,
    clock: Clock,
    open: Option<Open>,
    pull: Option<Pull>,
    /// Position of the unit that was handed out last.
    handed: Option<serde_json::Value>,
    /// The unit's file, which is gone when the next one is asked for.
    unit: Option<tempfile::NamedTempFile>,
    is_over: bool,
}

/// What is opened with the first page.
#[derive(Debug)]
struct Open {
    endpoint: Endpoint,
    folder: PulledFolder,
}

/// Pages put together.
struct Gathered {
    file: tempfile::NamedTempFile,
    joint: Joint,
    n_bytes: u64,
    first: u64,
    last: u64,
}

impl HttpFeed {
    /// A feed that has asked nothing yet.
    #[must_use]
    pub fn new(source: Arc<HttpSource>, around: Surroundings<'_>) -> Self {
        let (project, data_dir, clock) = (around.project.to_owned(), around.data_dir.to_owned(), around.clock);
        Self { source, project, data_dir, clock, open: None, pull: None, handed: None, unit: None, is_over: false }
    }

    /// The next unit. Blocks the thread, which belongs to a runtime.
    pub fn next(&mut self, state: &PipelineState) -> Next {
        self.unit = None;
        // A unit that was not committed leaves a gap that only the next run can close.
        if self.is_over || self.handed.is_some() && self.handed != state.position {
            return Next::End;
        }
        match Handle::current().block_on(self.next_unit(state)) {
            Ok(Some(unit)) if unit.position == state.position => Next::Unchanged,
            Ok(Some(unit)) => Next::Unit(unit),
            Ok(None) => {
                self.is_over = true;
                Next::End
            }
            Err(error) => {
                self.is_over = true;
                Next::Failed(shown(&self.source.url), self.explain(error))
            }
        }
    }

    /// The error together with the page at which it came.
    fn explain(&self, error: HttpError) -> FileError {
        match error {
            HttpError::Rows(cause) => *cause,
            cause => {
                let number = self.pull.as_ref().and_then(|pull| pull.next.as_ref()).map_or(1, |(_, number)| *number);
                FileError::Http { page: number, cause }
            }
        }
    }

    async fn next_unit(&mut self, state: &PipelineState) -> Result<Option<Unit>, HttpError> {
        loop {
            if self.open.is_none() {
                let endpoint = Endpoint::open(Arc::clone(&self.source), &self.project, self.clock)?;
                let folder = PulledFolder::open(&self.data_dir, &self.source.pipeline)?;
                self.open = Some(Open { endpoint, folder });
            }
            let mut pull = match self.pull.take() {
                Some(pull) => pull,
                None => Pull::begin(state, &self.source),
            };
            let gathered = self.gather(&mut pull).await;
            let (is_rest, n_units) = (pull.is_rest, pull.n_units);
            let unit = match gathered {
                Ok(Some(gathered)) => Some(self.hand_out(gathered, &mut pull)?),
                Ok(None) => None,
                Err(error) => {
                    self.pull = Some(pull);
                    return Err(error);
                }
            };
            if unit.is_some() {
                self.pull = Some(pull);
                return Ok(unit);
            }
            // The rest of a former pull is done. What is new since then is asked for now.
            if !is_rest || self.source.cursor.is_none() && n_units > 0 {
                return Ok(None);
            }
            self.pull = Some(Pull::whole(pull.largest, &self.source));
        }
    }

    /// Puts pages together until there are enough bytes; none at the end.
    async fn gather(&mut self, pull: &mut Pull) -> Result<Option<Gathered>, HttpError> {
        let mut gathered: Option<Gathered> = None;
        loop {
            let page = match (pull.waiting.take(), pull.failure.take()) {
                (Some(page), _) => Ok(Some(page)),
                (None, Some(failure)) => Err(failure),
                (None, None) => self.next_page(pull).await,
            };
            match (page, &mut gathered) {
                (Ok(None), _) => return Ok(gathered),
                (Err(error), None) => return Err(error),
                (Err(error), Some(_)) => {
                    pull.failure = Some(error);
                    return Ok(gathered);
                }
                (Ok(Some(page)), None) => {
                    let Page { number, file, joint, n_bytes, largest, .. } = page;
                    pull.largest = std::mem::take(&mut pull.largest).max(largest);
                    gathered = Some(Gathered { file, joint, n_bytes, first: number, last: number });
                }
                (Ok(Some(mut page)), Some(unit)) => {
                    if !unit.joint.takes(&page.joint) || unit.n_bytes + page.n_bytes > self.source.max_unit_bytes {
                        pull.waiting = Some(page);
                        return Ok(gathered);
                    }
                    unit.joint.append(unit.file.as_file_mut(), page.file.as_file_mut())?;
                    unit.n_bytes += page.n_bytes;
                    unit.last = page.number;
                    pull.largest = std::mem::take(&mut pull.largest).max(page.largest);
                }
            }
        }
    }

    /// The next page that has rows; none at the end.
    async fn next_page(&mut self, pull: &mut Pull) -> Result<Option<Page>, HttpError> {
        let mut n_empty = 0;
        while let Some((place, number)) = pull.next.clone() {
            let (page, next) = self.fetch(pull, &place, number).await?;
            if let Some(next) = &next
                && !pull.asked.insert(next.clone())
            {
                return Err(HttpError::EndlessPaging { sign: "a page names one that was there already as the next" });
            }
            pull.next = next.map(|place| (place, number + 1));
            if page.is_some() {
                return Ok(page);
            }
            n_empty += 1;
            if n_empty > MAX_EMPTY_PAGES {
                return Err(HttpError::EndlessPaging { sign: "a thousand pages in a row have no rows" });
            }
        }
        Ok(None)
    }

    /// Gets one page, none if it has no rows, and the place of the page after it.
    async fn fetch(
        &mut self,
        pull: &mut Pull,
        place: &Place,
        number: u64,
    ) -> Result<(Option<Page>, Option<Place>), HttpError> {
        let source = Arc::clone(&self.source);
        let Some(Open { endpoint, folder }) = &mut self.open else { return Ok((None, None)) };
        let url = source.paging.url_of(place, &pull.first_url(&source))?;
        let mut file = folder.file()?;
        let answer = endpoint.get(&url, file.as_file_mut()).await?;
        let answered = |path: &Path| SourceFile { name: unit_name(&source, number, number), path: path.to_owned() };
        let hash = answered(file.path()).hash().map_err(|error| Box::new(error.into()))?;
        let mut body = None;
        if let Some(path) = &source.rows {
            body = read_json(file.as_file_mut())?;
            file = folder.file()?;
            if let Some(body) = &body {
                write_rows(body, path, file.as_file_mut())?;
            }
        }
        let facts = count_rows(&answered(file.path()), &source, self.clock.now())?;
        let told =
            PageFacts { n_rows: facts.n_rows, headers: &answer.headers, url: &answer.url, body: body.as_deref() };
        let next = source.paging.next(place, &told, &source)?;
        if facts.n_rows == 0 {
            return Ok((None, next));
        }
        if pull.last_hash.as_ref() == Some(&hash) {
            return Err(HttpError::EndlessPaging { sign: "two pages that follow each other are the same" });
        }
        pull.last_hash = Some(hash);
        let joint = Joint::of(file.as_file_mut(), &source.format)?;
        let n_bytes = file.as_file().metadata()?.len();
        let page = Page { number, place: place.clone(), file, joint, n_bytes, largest: facts.largest };
        Ok((Some(page), next))
    }

    /// The unit of some pages, with the position after it.
    fn hand_out(&mut self, gathered: Gathered, pull: &mut Pull) -> Result<Unit, HttpError> {
        let Gathered { file, first, last, .. } = gathered;
        let name = unit_name(&self.source, first, last);
        let path = file.path().to_owned();
        let file_of_unit = SourceFile { name, path };
        let hash = file_of_unit.hash().map_err(|error| Box::new(error.into()))?;
        let rest = match &pull.waiting {
            Some(page) => Some((page.place.clone(), page.number)),
            None => pull.next.clone(),
        };
        let since = pull.since.clone();
        let position = Position {
            declaration: fingerprint(&self.source),
            unit: hash.clone(),
            cursor: pull.largest.clone(),
            rest: rest.map(|(place, number)| Rest { place, number, since }),
        };
        let position = serde_json::to_value(position).map_err(std::io::Error::from)?;
        pull.n_units += 1;
        self.handed = Some(position.clone());
        self.unit = Some(file);
        Ok(Unit { file: file_of_unit, hash, position: Some(position) })
    }
}

/// How a unit is called in records and sentences.
fn unit_name(source: &HttpSource, first: u64, last: u64) -> String {
    let address = shown(&source.url);
    match (&source.paging, first == last) {
        (Paging::None, _) => address,
        (_, true) => format!("{address}, page {first}"),
        (_, false) => format!("{address}, pages {first}–{last}"),
    }
}

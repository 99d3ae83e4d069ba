//! The functions that SQL calls.

#![allow(unsafe_code)] // values as they are in memory

use pgrx::PgSqlErrorCode::{ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_PROGRAM_LIMIT_EXCEEDED};
use pgrx::pg_sys::Datum;
use serde_json::Value;

use super::arguments::{GroupOptions, HybridOptions, Options};
use super::grouping::Grouping;
use super::hybrid::Hybrid;
use super::leg::Search;
use super::range::{Range, Ranged};
use super::ranker::Ranker;
use super::reader::Row;
use super::request::Request;
use super::statement::Parameters;
use super::stored::{Stored, StoredArray};
use super::stream::Stream;
use super::table::Table;
use super::vector;
use crate::pg::error::Report;
use crate::pg::function::{Args, Itself, Return, TypeOf, pg_functions};
use crate::pg::json::Json;
use crate::pg::rows::ResultSet;
use crate::pg::setting::Settings;
use crate::pg::spi::Connection;

/// What a search for groups gives besides rows.
const GROUPED_COLUMNS: &str =
    "NULL::pg_catalog.float4, NULL::pg_catalog.int4, NULL::pg_catalog.int4";

/// Requests of one search at most.
const MAX_REQUESTS: usize = 64;

pg_functions! {
    /// The rows nearest to a vector, with scores.
    fn vector_search(
        itself: Itself, rel: TypeOf, request: Stored, options: Options,
    ) -> Result<Found<2>, Report> {
        of_vector(&itself, &rel, request, options).map(Found)
    }

    /// The statement of `vector_search`.
    fn vector_search_sql(
        itself: Itself, rel: TypeOf, request: Stored, options: Options,
    ) -> Result<String, Report> {
        of_vector(&itself, &rel, request, options).and_then(Call::inline)
    }

    /// The groups of rows nearest to a vector.
    fn grouped_search(
        itself: Itself, rel: TypeOf, request: Stored, options: GroupOptions,
    ) -> Result<Listed<4>, Report> {
        of_groups(&itself, &rel, request, options, false).map(Listed)
    }

    /// The statement that `grouped_search` reads until it has its groups.
    fn grouped_search_sql(
        itself: Itself, rel: TypeOf, request: Stored, options: GroupOptions,
    ) -> Result<String, Report> {
        of_groups(&itself, &rel, request, options, true)?.text()
    }

    /// The rows within a distance.
    fn range_search(
        itself: Itself, rel: TypeOf, request: Stored, range: Range, options: Options,
    ) -> Result<Listed<2>, Report> {
        within(&itself, &rel, request, range, options, false).map(Listed)
    }

    /// The statement that `range_search` reads until a row lies beyond the bound.
    fn range_search_sql(
        itself: Itself, rel: TypeOf, request: Stored, range: Range, options: Options,
    ) -> Result<String, Report> {
        within(&itself, &rel, request, range, options, true)?.text()
    }

    /// The rows that several searches find, in one ranking.
    fn hybrid_search(
        itself: Itself, rel: TypeOf, requests: StoredArray, ranker: Json, options: HybridOptions,
    ) -> Result<Found<4>, Report> {
        of_several(&itself, &rel, requests.0, &ranker.0, options, false).map(Found)
    }

    /// The statement of `hybrid_search`, or those that it reads for groups.
    fn hybrid_search_sql(
        itself: Itself, rel: TypeOf, requests: StoredArray, ranker: Json, options: HybridOptions,
    ) -> Result<String, Report> {
        of_several(&itself, &rel, requests.0, &ranker.0, options, true).and_then(Call::inline)
    }
}

/// A search as it will run.
struct Call {
    text: String,
    parameters: Parameters,
    requests: Vec<Request>,
}

impl Call {
    fn inline(self) -> Result<String, Report> {
        self.parameters.inline(&self.text)
    }
}

fn of_vector(
    itself: &Itself,
    rel: &TypeOf,
    request: Stored,
    options: Options,
) -> Result<Call, Report> {
    let table = Table::of_rows(rel.0)?;
    let request = Request::read(request)?;
    let page = options.page;
    let search = Search::new(&table, itself.0, options)?;
    let mut parameters = Parameters::default();
    let text = vector::statement(&search, &request, page, &mut parameters)?;
    Ok(Call { text, parameters, requests: vec![request] })
}

/// Rows that were read, in groups, or the statement that would read them.
enum Read {
    Statement(Call),
    Groups(Vec<Vec<Row>>),
}

impl Read {
    fn text(self) -> Result<String, Report> {
        match self {
            Read::Statement(call) => call.inline(),
            Read::Groups(_) => Ok(String::new()),
        }
    }
}

/// Reads the rows, unless what reads them is to be `shown`.
fn within(
    itself: &Itself,
    rel: &TypeOf,
    request: Stored,
    range: Range,
    options: Options,
    shown: bool,
) -> Result<Read, Report> {
    let table = Table::of_rows(rel.0)?;
    let requests = vec![Request::read(request)?];
    let search = Search::new(&table, itself.0, options)?;
    let mut parameters = Parameters::default();
    let Some(leg) = search.leg(&requests[0], &mut parameters)? else {
        let text = search.nothing(vector::COLUMNS);
        return Ok(Read::Statement(Call { text, parameters, requests }));
    };
    let ranged = Ranged::new(&search, &leg, range)?;
    if shown {
        return Ok(Read::Statement(Call { text: ranged.statement(), parameters, requests }));
    }
    let _settings = settings(&requests)?;
    Ok(Read::Groups(vec![ranged.rows(&parameters)?]))
}

/// Reads the groups, unless what reads them is to be `shown`.
fn of_groups(
    itself: &Itself,
    rel: &TypeOf,
    request: Stored,
    options: GroupOptions,
    shown: bool,
) -> Result<Read, Report> {
    let GroupOptions { by, sizes, options } = options;
    let table = Table::of_rows(rel.0)?;
    let requests = vec![Request::read(request)?];
    let grouping = Grouping::find(&table, &by, sizes)?;
    let (k, skip) = options.page;
    let search = Search::new(&table, itself.0, options)?;
    let mut parameters = Parameters::default();
    let Some(leg) = search.leg(&requests[0], &mut parameters)? else {
        let text = search.nothing(GROUPED_COLUMNS);
        return Ok(Read::Statement(Call { text, parameters, requests }));
    };
    let wanted = leg.k.unwrap_or(i64::MAX).min(k.saturating_add(skip));
    let stream = Stream { search: &search, leg: &leg, grouping: &grouping, wanted };
    if shown {
        return Ok(Read::Statement(Call { text: stream.statement(), parameters, requests }));
    }
    let _settings = settings(&requests)?;
    let mut groups = stream.groups(&parameters)?;
    for skipped in groups.iter_mut().take(usize::try_from(skip).unwrap_or(usize::MAX)) {
        skipped.clear();
    }
    Ok(Read::Groups(groups))
}

/// Reads groups, unless what reads them is to be `shown`.
fn of_several(
    itself: &Itself,
    rel: &TypeOf,
    requests: Vec<Stored>,
    ranker: &Value,
    options: HybridOptions,
    shown: bool,
) -> Result<Call, Report> {
    let HybridOptions { options, by, sizes, scorer } = options;
    let table = Table::of_rows(rel.0)?;
    if requests.is_empty() {
        return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "no search requests")
            .hint("Give one or more: ARRAY[ann('embedding', …), fts('body', …)]."));
    }
    if requests.len() > MAX_REQUESTS {
        let message = format!("{} search requests, more than {MAX_REQUESTS}", requests.len());
        return Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
            .hint("Join the results of several searches."));
    }
    let requests: Vec<Request> =
        requests.into_iter().map(Request::read).collect::<Result<_, _>>()?;
    let ranker = Ranker::read(ranker, requests.len())?;
    let grouping = by.map(|by| Grouping::find(&table, &by, sizes)).transpose()?;
    let groups = grouping.map(|grouping| (grouping, scorer));
    let is_shown = shown && groups.is_some();
    let search = Search::new(&table, itself.0, options)?;
    let mut parameters = Parameters::default();
    let hybrid = Hybrid::new(&search, &requests, &ranker, groups, &mut parameters)?;
    let text = if is_shown {
        hybrid.streams()
    } else {
        let _settings = settings(&requests)?;
        hybrid.statement(&mut parameters)?
    };
    Ok(Call { text, parameters, requests })
}

/// The rows that a search finds, in `N` columns.
struct Found<const N: usize>(Call);

impl<const N: usize> Return for Found<N> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        let Call { text, parameters, requests } = self.0;
        let _settings = settings(&requests)?;
        let rows = ResultSet::begin::<N>(args)?;
        Connection::begin()?.fill::<N>(&rows, &text, &parameters.values)?;
        Ok(Datum::null())
    }
}

/// The rows that a search has read, in `N` columns: row and score, and their numbers where they are
/// grouped.
struct Listed<const N: usize>(Read);

impl<const N: usize> Return for Listed<N> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        let groups = match self.0 {
            Read::Statement(call) => return Found::<N>(call).into_datum(args),
            Read::Groups(groups) => groups,
        };
        let set = ResultSet::begin::<N>(args)?;
        for (group, rows) in (1_i32..).zip(&groups) {
            for (n, row) in (1_i32..).zip(rows) {
                let all =
                    [row.hit(), row.score_datum(), Some(Datum::from(group)), Some(Datum::from(n))];
                let values: [Option<Datum>; N] =
                    std::array::from_fn(|column| all.get(column).copied().flatten());
                let nulls = values.map(|value| value.is_none());
                let values = values.map(|value| value.unwrap_or(Datum::null()));
                // SAFETY: the statement that gave them casts them to the types of the columns.
                unsafe { set.put(values, nulls) };
            }
        }
        Ok(Datum::null())
    }
}

/// Makes the settings that requests ask for. One statement has one setting: that of the request that
/// wants most.
fn settings(requests: &[Request]) -> Result<Settings, Report> {
    let settings = Settings::new();
    // What a statement may have to read counts as costly, even if it hardly ever does.
    settings.set("jit", "off")?;
    let most = |of: fn(&Request) -> Option<i64>| requests.iter().filter_map(of).max();
    if let Some(ef) = most(|request| request.params.ef) {
        settings.set("hnsw.ef_search", &ef.to_string())?;
    }
    if let Some(nprobe) = most(|request| request.params.nprobe) {
        settings.set("ivf.probes", &nprobe.to_string())?;
        settings.set("ivfflat.probes", &nprobe.to_string())?;
    }
    Ok(settings)
}

//! One call of a search function: what it searches, and the rows that it returns.

use pgrx::PgSqlErrorCode::{ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_PROGRAM_LIMIT_EXCEEDED};
use pgrx::pg_sys::Datum;
use serde_json::Value;

use super::arguments::{GroupOptions, HybridOptions, Options};
use super::grouping::Grouping;
use super::groups::GroupReader;
use super::hybrid::{Groups, Hybrid};
use super::leg::{Leg, Search};
use super::parameters::Parameters;
use super::range::{self, RangeReader};
use super::ranker::Ranker;
use super::reader::Row;
use super::request::Request;
use super::stored::StoredArray;
use super::table::Table;
use crate::pg::error::Report;
use crate::pg::function::{Args, Return};
use crate::pg::rows::ResultSet;
use crate::pg::setting::Settings;
use crate::pg::spi::Connection;
use crate::pg::value::SqlValue;
use crate::ranking::bound::Bounds;

/// Columns besides the row, of statements that find nothing.
const SCORE: &str = "NULL::pg_catalog.float4";
const SCORE_AND_NUMBERS: &str =
    "NULL::pg_catalog.float4, NULL::pg_catalog.int4, NULL::pg_catalog.int4";

/// Most requests of one search.
const MAX_REQUESTS: usize = 64;

/// A call that is ready to run. Returned to SQL, it gives its rows.
pub struct Call<const COLUMNS: usize> {
    search: Search,
    requests: Vec<Request>,
    parameters: Parameters,
    method: Method,
}

/// How the rows are found.
enum Method {
    /// There are none; these are the columns besides the row.
    Nothing(&'static str),
    /// The rows of a leg.
    Leg(Leg),
    /// Its rows, read in groups.
    Groups(Leg, Grouping),
    /// Its rows, read up to a bound.
    Range(Leg, Bounds),
    /// One ranking of several legs.
    Hybrid(Ranker, Vec<Option<Leg>>, Option<Groups>),
}

impl<const COLUMNS: usize> Call<COLUMNS> {
    fn new(table: Table, requests: Vec<Request>, options: Options) -> Self {
        let (search, parameters) = (Search { table, options }, Parameters::default());
        Self { search, requests, parameters, method: Method::Nothing(SCORE) }
    }

    fn leg(&mut self, number: usize) -> Result<Option<Leg>, Report> {
        self.search.leg(&self.requests[number], &mut self.parameters)
    }

    /// The statement, with its values, for people to read and explain: that whose rows are
    /// returned, or those that are read for them.
    ///
    /// # Errors
    /// Where the request does not fit the table.
    pub fn text(self) -> Result<String, Report> {
        let Self { search, mut parameters, method, .. } = self;
        let text = match &method {
            Method::Groups(leg, grouping) => GroupReader::new(&search, leg, grouping).statement(),
            Method::Range(leg, bounds) => RangeReader { search: &search, leg, bounds }.statement(),
            Method::Hybrid(ranker, legs, Some(groups)) => {
                Hybrid { search: &search, ranker, legs, groups: Some(groups) }.group_statements()
            }
            Method::Nothing(_) | Method::Leg(_) | Method::Hybrid(_, _, None) => {
                statement(&search, &method, &mut parameters)?
            }
        };
        parameters.inline(&text)
    }
}

impl Call<2> {
    /// The rows nearest to a vector.
    ///
    /// # Errors
    /// Where the request does not fit the table.
    pub fn vector(table: Table, request: Request, options: Options) -> Result<Self, Report> {
        let mut call = Self::new(table, vec![request], options);
        if let Some(leg) = call.leg(0)? {
            call.method = Method::Leg(leg);
        }
        Ok(call)
    }

    /// The rows within a distance.
    ///
    /// # Errors
    /// Where the request does not fit the table, or no score can lie between the bounds.
    pub fn range(
        table: Table,
        request: Request,
        bounds: Bounds,
        options: Options,
    ) -> Result<Self, Report> {
        let mut call = Self::new(table, vec![request], options);
        if let Some(leg) = call.leg(0)? {
            range::check(&bounds, leg.score_type)?;
            call.method = Method::Range(leg, bounds);
        }
        Ok(call)
    }
}

impl Call<4> {
    /// The groups of rows nearest to a vector.
    ///
    /// # Errors
    /// Where the request or the column does not fit the table.
    pub fn grouped(table: Table, request: Request, options: GroupOptions) -> Result<Self, Report> {
        let GroupOptions { by, sizes, options } = options;
        let grouping = Grouping::find(&table, &by, sizes)?;
        let mut call = Self::new(table, vec![request], options);
        call.method = match call.leg(0)? {
            Some(leg) => Method::Groups(leg, grouping),
            None => Method::Nothing(SCORE_AND_NUMBERS),
        };
        Ok(call)
    }

    /// The rows that several searches find, in one ranking.
    ///
    /// # Errors
    /// Where there are no requests or too many, or they, the ranker or the column do not fit.
    pub fn hybrid(
        table: Table,
        requests: StoredArray,
        ranker: Value,
        options: HybridOptions,
    ) -> Result<Self, Report> {
        table.check_places()?;
        let StoredArray(requests) = requests;
        if requests.is_empty() {
            return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "no search requests")
                .hint("Give one or more: ARRAY[ann('embedding', …), bm25('body', …)]."));
        }
        if requests.len() > MAX_REQUESTS {
            let message = format!("{} search requests, more than {MAX_REQUESTS}", requests.len());
            return Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
                .hint("Join the results of several searches."));
        }
        let requests = requests.into_iter().map(Request::read).collect::<Result<Vec<_>, _>>()?;
        let ranker = Ranker::read(ranker, requests.len())?;
        let HybridOptions { options, by, sizes, scorer } = options;
        let grouping = by.map(|by| Grouping::find(&table, &by, sizes)).transpose()?;
        let groups = grouping.map(|grouping| (grouping, scorer));
        let mut call = Self::new(table, requests, options);
        let legs = (0..call.requests.len()).map(|number| call.leg(number));
        let legs = legs.collect::<Result<_, _>>()?;
        call.method = Method::Hybrid(ranker, legs, groups);
        Ok(call)
    }
}

impl<const COLUMNS: usize> Return for Call<COLUMNS> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        let Self { search, requests, mut parameters, method } = self;
        let _settings = settings(&requests)?;
        let groups = match &method {
            Method::Groups(leg, grouping) => {
                let mut groups = GroupReader::new(&search, leg, grouping).groups(&parameters)?;
                groups.iter_mut().take(search.options.page.skipped()).for_each(Vec::clear);
                groups
            }
            Method::Range(leg, bounds) => {
                vec![RangeReader { search: &search, leg, bounds }.rows(&parameters)?]
            }
            Method::Nothing(_) | Method::Leg(_) | Method::Hybrid(..) => {
                let text = statement(&search, &method, &mut parameters)?;
                let set = ResultSet::begin::<COLUMNS>(args)?;
                Connection::begin()?.fill::<COLUMNS>(&set, &text, &parameters.values)?;
                return Ok(Datum::null());
            }
        };
        let set = ResultSet::begin::<COLUMNS>(args)?;
        for (group, rows) in (1..).zip(&groups) {
            for (number, row) in (1..).zip(rows) {
                set.add(columns_of::<COLUMNS>(row, [group, number]))?;
            }
        }
        Ok(Datum::null())
    }
}

/// Row and score, and the numbers of group and row, or as many of these as there are columns.
fn columns_of<const N: usize>(row: &Row, numbers: [i32; 2]) -> [Option<SqlValue<'_>>; N] {
    let [group, number] = numbers.map(SqlValue::from);
    let all = [row.hit(), row.sql_score(), Some(group), Some(number)];
    std::array::from_fn(|column| all.get(column).copied().flatten())
}

/// The statement whose rows are returned.
fn statement(
    search: &Search,
    method: &Method,
    parameters: &mut Parameters,
) -> Result<String, Report> {
    match method {
        Method::Nothing(columns) => Ok(search.nothing(columns)),
        Method::Leg(leg) | Method::Groups(leg, _) | Method::Range(leg, _) => {
            Ok(search.ranking(leg, parameters).to_string())
        }
        Method::Hybrid(ranker, legs, groups) => {
            Hybrid { search, ranker, legs, groups: groups.as_ref() }.statement(parameters)
        }
    }
}

/// Makes the settings that requests ask for. One statement has one setting: that of the request
/// that wants most.
fn settings(requests: &[Request]) -> Result<Settings, Report> {
    let settings = Settings::new();
    // The planner overestimates statements that rarely read as far as they may, so it would use
    // JIT.
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

//! Arguments that the functions take.

use filter::Templates;
use pgrx::PgSqlErrorCode::{
    ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE,
};

use super::filtering::templates;
use super::grouping::{Scorer, Sizes};
use super::request::{MAX_ROWS, rows};
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument};
use crate::pg::json::Json;

/// Which rows, or groups, of a ranking.
#[derive(Clone, Copy)]
pub struct Page {
    /// How many, from 1.
    pub k: i64,
    /// How many before them to leave out, from 0.
    pub skip: i64,
}

impl Page {
    fn new(k: i64, skip: i64) -> Result<Page, Report> {
        if !(0..=MAX_ROWS).contains(&skip) {
            let message =
                format!("skip [{skip}] is invalid, it should be in range [0, {MAX_ROWS}]");
            return Err(Report::new(ERRCODE_INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE, message)
                .hint("It is the number of rows to leave out before the first."));
        }
        Ok(Page { k: rows(k, "k")?, skip })
    }

    /// How many before them to leave out.
    pub fn skipped(self) -> usize {
        usize::try_from(self.skip).unwrap_or(usize::MAX)
    }

    /// Number of rows up to the last one of the page.
    pub fn end(self) -> i64 {
        self.skip.saturating_add(self.k)
    }
}

/// What all searches take: `k`, `skip`, `filter`, `filter_params`.
pub struct Options {
    /// Which rows.
    pub page: Page,
    /// A filter of all legs.
    pub filter: Option<String>,
    /// Values in filters.
    pub templates: Templates,
}

impl Options {
    /// Takes `k`, what `between` takes, and the others.
    pub fn take_around<T>(
        args: &mut Args,
        between: impl FnOnce(&mut Args) -> Result<T, Report>,
    ) -> Result<(Options, T), Report> {
        let k = args.take::<Option<i32>>()?.unwrap_or(10);
        let taken = between(args)?;
        let skip = args.take::<Option<i32>>()?.unwrap_or(0);
        let page = Page::new(k.into(), skip.into())?;
        let (filter, params) = (args.take()?, args.take::<Json>()?);
        Ok((Options { page, filter, templates: templates(&params.0)? }, taken))
    }
}

impl Argument<'_> for Options {
    const COUNT: usize = 4;
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<Options, Report> {
        Options::take_around(args, |_| Ok(())).map(|(options, ())| options)
    }
}

/// The options of a search for groups.
pub struct GroupOptions {
    /// The column whose values make the groups.
    pub by: String,
    /// How large they are.
    pub sizes: Sizes,
    /// The others.
    pub options: Options,
}

impl Argument<'_> for GroupOptions {
    const COUNT: usize = 1 + Sizes::COUNT + Options::COUNT;
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<GroupOptions, Report> {
        let by = args.take::<Option<String>>()?.ok_or_else(|| {
            Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "group_by is missing")
                .hint("It is the name of a column, whose values make the groups.")
        })?;
        let (options, sizes) = Options::take_around(args, |args| args.take())?;
        Ok(GroupOptions { by, sizes, options })
    }
}

/// The options of a search of several legs.
pub struct HybridOptions {
    /// Those of all searches.
    pub options: Options,
    /// The column whose values make groups, if the result is grouped.
    pub by: Option<String>,
    /// How large groups are.
    pub sizes: Sizes,
    /// How they are ranked.
    pub scorer: Scorer,
}

impl Argument<'_> for HybridOptions {
    const COUNT: usize = Options::COUNT + 1 + Sizes::COUNT + Scorer::COUNT;
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<HybridOptions, Report> {
        let (options, by) = (args.take()?, args.take()?);
        Ok(HybridOptions { options, by, sizes: args.take()?, scorer: args.take()? })
    }
}

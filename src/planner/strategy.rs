//! How to find the nearest rows that pass a filter: which way, and when to change it.
//!
//! A search walks the index and *looks* at each row that it finds. That is the best as long as many
//! rows pass. If few do, it pays to learn from other indexes which rows pass at all: then the walk
//! goes on *inline*, and looks only at these. And if these are so few, or so far from the query, that
//! the walk would take longer than to measure them all, this is done: *exact*. Without other indexes,
//! all rows of the table are measured.
//!
//! Estimates of how many rows pass are often wrong, and say nothing of where these are. So what
//! counts is what the search has seen so far. Costs are in pages of the table: what is least is to be
//! little time and few pages, so that the constants are between what either says.

/// Rows that an index adds to a bitmap at the cost of a page.
const ROWS_OF_BITMAP: f64 = 10.0;

/// Rows tested at the cost of a page that the index leads to, if the whole table is read.
const ROWS_TESTED: f64 = 13.0;

/// How many times as many rows are wanted as are estimated to pass, for no walk to be begun: it would go
/// past the whole index.
const FAR_MORE: f64 = 10.0;

/// For each row that passes, pages that reading the whole table must spare for a walk to be given up: where
/// many pass, the walk ends soon, too, and all of them are measured and put in order.
const SPARED: f64 = 0.5;

/// Rows of a set read, tested and measured at the cost of a page, beside the pages themselves.
const ROWS_MEASURED: f64 = 10.0;

/// What a row costs that the index leaves out as it is not in the set, beside pages.
const ROW_PASSED_OVER: f64 = 0.3;

/// How many times as much as the beginning of a walk it may take to measure all rows, for that to be done
/// at once: whatever the walk finds, and if it is expected to take longer than that.
const AT_ONCE: f64 = 1.3;
const AT_ONCE_IF_LESS: f64 = 2.5;

/// The part of what a walk takes that looks at each row, for other indexes to be asked before it begins.
const MUCH_LESS: f64 = 0.6;

/// The part of what it takes to measure all rows that a walk may cost while nothing says that it ends soon; and
/// if it is far from the rows that pass. This bounds what a search costs whose rows are measured in the end.
const HOPE: f64 = 0.7;
const HOPE_IF_FAR: f64 = 0.35;

/// The same of the pages: of those of an index, what is computed of them takes time, too.
const PAGES: f64 = 0.6;

/// The same part of what a walk may cost beyond that, with what is left: the last rows may be farther away than
/// what has passed so far lets expect.
const LAST: f64 = 0.5;

/// The part of the rows that other indexes find of which so much is wanted that all are measured at once.
const MOST: f64 = 0.5;

/// A walk on which this many times fewer rows pass than expected, by no accident, is taken to be far from
/// those that pass. It is then expected to take longer still, by as many times more, up to the second
/// number; up to the third, if that many rows pass is only estimated.
const FEWER: f64 = 4.0;
const FARTHER: f64 = 10.0;
const FARTHER_IF_ESTIMATED: f64 = 4.0;

/// Rows that should have passed, for it to mean something that none has: of twenty such walks, one has bad luck.
const SEVERAL: f64 = 3.0;

/// How many times more or fewer pages a walk may take for a row than was estimated.
const SURPRISE: f64 = 2.0;

/// Rows that are looked at before anything is concluded from how many of them pass.
const SAMPLE: u64 = 10;

/// The same for each page of the table before all of it is read: that is much to do on a few rows' word.
const SAMPLE_OF_TABLE: f64 = 0.03;

/// What is known before the search.
#[derive(Clone, Copy, Debug)]
pub struct Outlook {
    /// Rows that other indexes are estimated to find, if there are such indexes.
    pub members: Option<f64>,
    /// Pages of the table.
    pub table_pages: f64,
    /// Rows of the table.
    pub table_rows: f64,
    /// Share of the rows of the table that are estimated to pass.
    pub share: f64,
    /// Pages of the index that a walk is expected to read before it finds the first row.
    pub begun_pages: f64,
    /// The same for each row that it finds when it goes on.
    pub row_pages: f64,
    /// The same if it knows which rows may pass.
    pub inline_pages: f64,
    /// What a page of the index costs.
    pub page_cost: f64,
}

impl Outlook {
    /// The same of a table that has so many pages now: it may have grown since the plan was made.
    pub fn of_table(self, pages: f64) -> Self {
        let grown = (pages / self.table_pages.max(1.0)).max(1.0);
        let (table_pages, table_rows) = (self.table_pages * grown, self.table_rows * grown);
        Self { table_pages, table_rows, ..self }
    }
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Rows that the index has found.
    pub looked: u64,
    /// Those that passed.
    pub passed: u64,
    /// Rows wanted.
    pub wanted: u64,
    /// Pages of the index read.
    pub index_pages: u64,
    /// Rows that the index is known to have at hand.
    pub ahead: u64,
    /// Rows and pages when the walk began to go the way that it goes.
    pub begun: (u64, u64),
    /// What both were before pages were read last: these are for rows that are yet to be found.
    pub settled: (u64, u64),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Go on.
    Walk,
    /// Learn from other indexes which rows pass.
    Collect,
    /// Measure all rows that may pass.
    Exact,
}

/// Before anything is known; so many rows are wanted.
pub fn begin(outlook: &Outlook, wanted: f64) -> Step {
    let passing = outlook.share * outlook.table_rows;
    let wants_all = wanted >= outlook.table_rows.min(FAR_MORE * passing.max(1.0));
    if wants_all { measure(outlook) } else { begin_walk(outlook, wanted) }
}

/// The same of an index that leaves out rows that do not match the query: however many are wanted, a walk
/// does not go past all rows.
pub fn begin_ranked(outlook: &Outlook, wanted: f64) -> Step {
    begin_walk(outlook, wanted.min(outlook.share * outlook.table_rows))
}

/// A walk for so many rows, unless it is known to be too long.
fn begin_walk(outlook: &Outlook, wanted: f64) -> Step {
    if measures_at_once(outlook.members, outlook, wanted) {
        return measure(outlook);
    }
    let [look, inline] = whole_walks(outlook, wanted);
    let asks = |members: f64| members / ROWS_OF_BITMAP + 1.0 + inline < MUCH_LESS * look;
    if outlook.members.is_some_and(asks) { Step::Collect } else { Step::Walk }
}

/// The step towards measuring all rows that may pass.
fn measure(outlook: &Outlook) -> Step {
    if outlook.members.is_some() { Step::Collect } else { Step::Exact }
}

/// Before a walk, but with `members` rows that may pass.
pub fn begin_among(members: f64, outlook: &Outlook, wanted: f64) -> Step {
    // A walk would go past most of the index.
    let wants_most = wanted >= MOST * members;
    let at_once = wants_most || measures_at_once(Some(members), outlook, wanted);
    if at_once { Step::Exact } else { Step::Walk }
}

/// Whether it takes hardly longer to measure all rows that may pass than to begin a walk, or not much longer,
/// and less than a walk to the end is expected to take.
fn measures_at_once(members: Option<f64>, outlook: &Outlook, wanted: f64) -> bool {
    let begun = outlook.begun_pages * outlook.page_cost + wanted;
    let exact = exact(members, outlook);
    let [look, inline] = whole_walks(outlook, wanted);
    let walk = if members.is_some() { look.min(inline) } else { look };
    exact <= AT_ONCE * begun || exact <= walk.min(AT_ONCE_IF_LESS * begun)
}

/// What walks to the end take, if as many rows pass near the query as elsewhere: one that looks at each row, and
/// one that knows which may pass.
fn whole_walks(outlook: &Outlook, wanted: f64) -> [f64; 2] {
    let rows = (wanted / outlook.share).clamp(wanted, outlook.table_rows.max(wanted));
    let index = |of_row: f64| (outlook.begun_pages + (rows - wanted) * of_row) * outlook.page_cost;
    [index(outlook.row_pages) + rows, index(outlook.inline_pages) + rows * ROW_PASSED_OVER + wanted]
}

/// What it takes to measure all rows that may pass: `members`, else those of the table.
fn exact(members: Option<f64>, outlook: &Outlook) -> f64 {
    let &Outlook { table_pages, table_rows, share, .. } = outlook;
    members.map_or_else(
        // Pages are what is read; what takes the time are their rows.
        || table_pages.max(table_rows / ROWS_TESTED) + table_rows * share / ROWS_MEASURED,
        |members| pages_of(members, table_pages) + members / ROWS_MEASURED,
    )
}

/// The pages of the table that this reads.
fn least_pages(members: Option<f64>, outlook: &Outlook) -> f64 {
    members.map_or(outlook.table_pages, |members| pages_of(members, outlook.table_pages))
}

/// Pages that so many rows lie on, of a table with so many (Mackert and Lohman, as in PostgreSQL).
pub fn pages_of(rows: f64, pages: f64) -> f64 {
    (2.0 * pages * rows / (2.0 * pages + rows)).min(pages)
}

/// A walk that looks at each row.
pub fn look(outlook: &Outlook, progress: &Progress) -> Step {
    let rows = rows_to_look_at(progress, outlook.share, FARTHER_IF_ESTIMATED);
    let of_row = pages_of_row(outlook.row_pages, progress);
    let index = pages_to_read(rows, of_row, progress) * outlook.page_cost;
    let rest = index + rows;
    let read = progress.index_pages as f64 * outlook.page_cost;
    let walk = Spent {
        all: read + progress.looked as f64,
        pages: (progress.index_pages + progress.looked) as f64,
        page: of_row * outlook.page_cost,
        row: 1.0,
    };
    let exact = exact(outlook.members, outlook);
    let pages = least_pages(outlook.members, outlook);
    let Some(members) = outlook.members else {
        let sample = (SAMPLE as f64).max(outlook.table_pages * SAMPLE_OF_TABLE);
        let is_known = progress.looked as f64 >= sample;
        let spared = outlook.table_rows * outlook.share * SPARED;
        let takes_longer = exact + spared < rest && is_known;
        let gives_up = takes_longer || walk.is_too_much((exact, pages), outlook.share, progress);
        return if gives_up { Step::Exact } else { Step::Walk };
    };
    let collect = members / ROWS_OF_BITMAP + 1.0;
    if progress.looked < SAMPLE {
        return Step::Walk;
    }
    if walk.is_too_much((collect + exact, pages), outlook.share, progress) {
        return Step::Collect;
    }
    // By then as much was spent otherwise.
    let spent = (progress.looked - progress.passed) as f64;
    if spent + read < collect {
        return Step::Walk;
    }
    let inline = index * (outlook.inline_pages / outlook.row_pages.max(0.01)).min(1.0)
        + rows * ROW_PASSED_OVER;
    if collect + inline.min(exact) < rest { Step::Collect } else { Step::Walk }
}

/// A walk that knows that `members` rows may pass.
pub fn inline(members: f64, outlook: &Outlook, progress: &Progress) -> Step {
    let share = (members / outlook.table_rows).min(1.0);
    let rows = rows_to_look_at(progress, share, FARTHER);
    let of_row = pages_of_row(outlook.inline_pages, progress);
    let index = pages_to_read(rows, of_row, progress) * outlook.page_cost;
    let rest = index + rows * ROW_PASSED_OVER;
    let before = progress.begun.0;
    let passed_over = progress.looked.saturating_sub(before) as f64 * ROW_PASSED_OVER;
    let read = progress.index_pages as f64 * outlook.page_cost;
    let walk = Spent {
        all: read + before as f64 + passed_over,
        pages: (progress.index_pages + before + progress.passed) as f64,
        page: of_row * outlook.page_cost,
        row: ROW_PASSED_OVER,
    };
    let exact = exact(Some(members), outlook);
    let pages = least_pages(Some(members), outlook);
    let takes_longer = exact < rest || walk.is_too_much((exact, pages), share, progress);
    if takes_longer && progress.looked >= SAMPLE { Step::Exact } else { Step::Walk }
}

/// What a walk has cost so far.
struct Spent {
    /// In all.
    all: f64,
    /// Pages of the index and of the table.
    pages: f64,
    /// Pages of the index for each further row.
    page: f64,
    /// The row itself.
    row: f64,
}

impl Spent {
    /// Whether that is so much of what it takes to measure all rows, `exact`, of which some are pages, that the
    /// walk is given up, unless it is sure to end soon. An estimate of how many rows pass makes nothing sure.
    fn is_too_much(&self, (exact, pages): (f64, f64), share: f64, progress: &Progress) -> bool {
        let Progress { looked, passed, wanted, .. } = *progress;
        let hope = if is_far(progress, share) { HOPE_IF_FAR } else { HOPE };
        if looked < SAMPLE || self.all < hope * exact && self.pages < PAGES * hope * pages {
            return false;
        }
        let missing = wanted.saturating_sub(passed) as f64;
        let (looked, passed) = (looked as f64, passed as f64);
        let ahead = rows_ahead(progress);
        let cost = |rows: f64| (rows - ahead).max(0.0) * self.page + rows * self.row;
        if passed < 1.0 {
            // One was to be expected of rows that had to be paid for, several of those that a walk for many
            // rows begins with; or so few are that the walk would have to be lucky.
            let ahead = looked < wanted as f64;
            let expected = looked * share >= if ahead { SEVERAL } else { 1.0 };
            return expected || cost(missing / share) > exact;
        }
        // Before that, what rows that pass took so far tells enough. Pages may have been read ahead.
        let rate = (passed - 0.5 * passed.sqrt()) / looked;
        let (beyond, rest) = (self.all - exact, cost(missing / rate));
        beyond >= 0.0 && rest > 0.0 && beyond + rest > LAST * exact
    }
}

/// Whether fewer rows have passed than the `share` of all rows lets expect, and not by accident.
fn is_far(progress: &Progress, share: f64) -> bool {
    let passed = progress.passed as f64;
    // Of a Poisson distribution, about two thousandths are below.
    progress.looked as f64 * share > passed + 3.0 * ((passed + 1.0).sqrt() + 1.0)
}

/// How many rows the index has yet to find, if as many of them pass as did so far. If these are fewer than
/// the `share` of all rows lets expect, and may be so by accident, it is the mean of both. Of the first that
/// pass nothing else can be said but that they are few.
fn rows_to_look_at(progress: &Progress, share: f64, farther: f64) -> f64 {
    let Progress { looked, passed, wanted, .. } = *progress;
    let missing = wanted.saturating_sub(passed) as f64;
    let (looked, passed) = (looked as f64, passed as f64);
    let rate = passed.max(0.5) / looked;
    if is_far(progress, share) {
        let fewer = share / rate / FEWER;
        return missing / rate * fewer.clamp(1.0, farther);
    }
    missing / rate.max(f64::midpoint(rate, share))
}

/// Rows that are yet to be found, but whose pages of the index were read. A walk begins as wide as the rows that
/// are wanted need.
fn rows_ahead(progress: &Progress) -> f64 {
    progress.ahead.max(progress.wanted.saturating_sub(progress.looked)) as f64
}

/// Pages of the index that are yet to be read for so many more rows.
fn pages_to_read(rows: f64, of_row: f64, progress: &Progress) -> f64 {
    (rows - rows_ahead(progress)).max(0.0) * of_row
}

/// Pages of the index for each row that the walk has found since it began to go as it goes; at first as many
/// as `estimated`. Those read last are for rows to come, too: for those known to be at hand, for as many again
/// at least, or for many more, so that the estimate bounds what is measured.
fn pages_of_row(estimated: f64, progress: &Progress) -> f64 {
    let Progress { looked, index_pages, begun, settled, ahead, .. } = *progress;
    if settled.1 <= begun.1 {
        return estimated;
    }
    let share = |pages: u64, rows: u64| pages as f64 / rows.max(1) as f64;
    let ahead = share(index_pages.saturating_sub(begun.1), looked + looked.max(ahead));
    let before = share(settled.1 - begun.1, settled.0.saturating_sub(begun.0));
    before.max(ahead).clamp(estimated / SURPRISE, estimated * SURPRISE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Outlook = Outlook {
        members: None,
        table_pages: 10_000.0,
        table_rows: 50_000.0,
        share: 0.01,
        begun_pages: 100.0,
        row_pages: 2.0,
        inline_pages: 2.0,
        page_cost: 3.0,
    };

    /// A walk for ten rows that has read `pages` for the rows that it has found since it began.
    fn walk(looked: u64, pages: u64) -> Progress {
        let index_pages = 50 + pages;
        let (begun, settled) = ((0, 50), (looked, index_pages));
        Progress { looked, passed: 0, wanted: 10, index_pages, ahead: 0, begun, settled }
    }

    /// What is done after `looked` rows, of which a part passes.
    fn after(members: Option<f64>, looked: u64, passing: f64) -> Step {
        let passed = (looked as f64 * passing) as u64;
        let progress = Progress { passed, ..walk(looked, looked) };
        let share = members.map_or(passing, |members| members / TABLE.table_rows);
        look(&Outlook { members, share, ..TABLE }, &progress)
    }

    /// Rows that are looked at before another way is taken.
    fn looked(members: Option<f64>, passing: f64) -> Option<u64> {
        (1..(10.0 / passing) as u64).find(|&looked| after(members, looked, passing) != Step::Walk)
    }

    #[test]
    fn a_filter_that_many_rows_pass_is_looked_at() {
        for passing in [0.9, 0.5, 0.1] {
            assert_eq!(looked(Some(passing * 50_000.0), passing), None, "{passing}");
            assert_eq!(looked(None, passing), None, "{passing}");
        }
    }

    #[test]
    fn rows_are_collected_once_looking_was_as_dear() {
        let members = 500.0;
        let first = looked(Some(members), 0.01).expect("collected");
        assert!(first < 40, "{first}");
        assert_eq!(after(Some(members), first, 0.01), Step::Collect);
        // Few rows pass in all, but those near the query do.
        assert_eq!(looked(Some(members), 0.5), None);
    }

    #[test]
    fn few_rows_are_measured_at_once() {
        let begun = |members: Option<f64>| begin(&Outlook { members, ..TABLE }, 10.0);
        assert_eq!(begun(None), Step::Walk);
        assert_eq!(begun(Some(50.0)), Step::Collect);
        assert_eq!(begin_among(50.0, &TABLE, 10.0), Step::Exact);
        // Not much longer than the beginning of a walk, but less than all of it.
        assert_eq!(begun(Some(500.0)), Step::Collect);
        assert_eq!(begin_among(500.0, &TABLE, 10.0), Step::Exact);
        let many = Outlook { share: 0.3, ..TABLE };
        assert_eq!(begin_among(500.0, &many, 10.0), Step::Walk);
        assert_eq!(begun(Some(2_000.0)), Step::Walk);
        let small = Outlook { table_pages: 20.0, table_rows: 100.0, ..TABLE };
        assert_eq!(begin(&small, 10.0), Step::Exact);
        // The same if all rows pass.
        let all = Outlook { table_pages: 80.0, table_rows: 1_000.0, share: 1.0, ..TABLE };
        assert_eq!(begin(&all, 100.0), Step::Exact);
        // All that pass are wanted, if that is known.
        assert_eq!(begin_among(500.0, &TABLE, 500.0), Step::Exact);
        assert_eq!(begin(&TABLE, 500.0), Step::Walk);
        assert_eq!(begin(&TABLE, f64::INFINITY), Step::Exact);
        // A walk would find all that pass, and go on.
        assert_eq!(begin(&Outlook { share: 0.0001, ..TABLE }, 100.0), Step::Exact);
        assert_eq!(begin(&Outlook { share: 0.001, ..TABLE }, 100.0), Step::Walk);
    }

    #[test]
    fn a_walk_past_rows_that_match_is_begun_for_any_number_of_them() {
        for wanted in [10.0, 100_000.0, f64::INFINITY] {
            for share in [0.0001, 0.01] {
                let table = Outlook { share, ..TABLE };
                assert_eq!(begin_ranked(&table, wanted), Step::Walk, "{wanted}, {share}");
            }
        }
        let few = Outlook { members: Some(50.0), ..TABLE };
        assert_eq!(begin_ranked(&few, 10.0), Step::Collect);
        let small = Outlook { table_pages: 20.0, table_rows: 100.0, ..TABLE };
        assert_eq!(begin_ranked(&small, 10.0), Step::Exact);
    }

    #[test]
    fn what_is_far_from_the_query_is_measured() {
        let progress = Progress { passed: 1, ..walk(300, 400) };
        assert_eq!(inline(3_000.0, &TABLE, &progress), Step::Exact);
        let near = Progress { passed: 9, ..progress };
        assert_eq!(inline(3_000.0, &TABLE, &near), Step::Walk);
    }

    #[test]
    fn what_is_farther_than_expected_is_measured() {
        let none = |looked, share| look(&Outlook { share, ..TABLE }, &walk(looked, 2 * looked));
        assert_eq!(none(100, 0.01), Step::Walk);
        assert_eq!(none(400, 0.5), Step::Exact);
        assert_eq!(none(100, 0.5), Step::Walk);
        assert_eq!(none(5, 0.5), Step::Walk);
    }

    #[test]
    fn a_walk_that_finds_nothing_ends_before_it_costs_as_much_as_measuring_all() {
        for share in [0.5, 0.1, 0.01, 0.001, 0.0001] {
            let table = Outlook { share, ..TABLE };
            let spent =
                |looked: u64, row: f64| (50 + 2 * looked) as f64 * 3.0 + looked as f64 * row;
            let end = (1..).find(|&rows| look(&table, &walk(rows, 2 * rows)) == Step::Exact);
            let bound = exact(None, &table) * 0.75;
            assert!(end.is_some_and(|rows| spent(rows, 1.0) < bound), "{share}: {end:?}");
            let pages = |rows: u64| (50 + 3 * rows) as f64;
            assert!(end.is_some_and(|rows| pages(rows) < 5_000.0), "{share}: {end:?}");
            let members = (share * 50_000.0).max(500.0);
            let end =
                (1..).find(|&rows| inline(members, &table, &walk(rows, 2 * rows)) == Step::Exact);
            let bound = exact(Some(members), &table) * 0.75;
            assert!(end.is_some_and(|rows| spent(rows, 0.3) < bound), "{share}: {end:?}");
        }
        // It goes on if it is about to end.
        let most = Progress { passed: 9, ..walk(1_000, 2_000) };
        assert_eq!(look(&Outlook { share: 0.001, ..TABLE }, &most), Step::Walk);
        let some = Progress { passed: 2, ..most };
        assert_eq!(look(&Outlook { share: 0.001, ..TABLE }, &some), Step::Exact);
    }

    #[test]
    fn a_walk_for_many_rows_is_not_given_up_for_the_first_few() {
        // Its beginning alone has cost more than half of measuring all.
        let table = Outlook { table_pages: 1_000.0, share: 0.1, row_pages: 0.5, ..TABLE };
        let none = |looked| Progress { wanted: 100, ..walk(looked, 700) };
        assert_eq!(look(&table, &none(12)), Step::Walk);
        assert_eq!(look(&table, &none(40)), Step::Exact);
        assert_eq!(look(&table, &Progress { wanted: 10, ..none(12) }), Step::Exact);
    }

    #[test]
    fn other_indexes_are_asked_at_once_if_they_save_most_of_a_walk() {
        let table = Outlook { members: Some(5_000.0), share: 0.1, row_pages: 2.0, ..TABLE };
        assert_eq!(begin(&table, 100.0), Step::Walk);
        let inline = Outlook { inline_pages: 0.2, ..table };
        assert_eq!(begin(&inline, 100.0), Step::Collect);
        // What they cost is more than what they save.
        assert_eq!(begin(&inline, 10.0), Step::Walk);
        assert_eq!(begin(&Outlook { members: None, ..inline }, 100.0), Step::Walk);
    }

    #[test]
    fn pages_read_ahead_are_no_measure() {
        let ahead = Progress { passed: 2, index_pages: 1_250, ..walk(400, 500) };
        let table = Outlook { share: 0.005, ..TABLE };
        assert_eq!(look(&table, &ahead), Step::Walk);
        let settled = Progress { settled: (400, 1_250), ..ahead };
        assert_eq!(look(&table, &settled), Step::Exact);
    }

    #[test]
    fn rows_at_hand_cost_no_pages() {
        // Members enough for the next pages of the index to cost more than to measure them all.
        let table = Outlook { members: Some(5_000.0), share: 0.1, ..TABLE };
        let progress = Progress { passed: 41, wanted: 100, ..walk(412, 1_500) };
        assert_eq!(inline(5_000.0, &table, &progress), Step::Exact);
        let at_hand = Progress { ahead: 700, ..progress };
        assert_eq!(inline(5_000.0, &table, &at_hand), Step::Walk);
    }

    #[test]
    fn a_walk_does_not_wait_for_the_last_rows_for_ever() {
        let table = Outlook { share: 0.0002, ..TABLE };
        let progress = |looked| Progress { passed: 9, ..walk(looked, 2 * looked) };
        // More than to measure all rows is spent, but one row is missing.
        assert_eq!(look(&table, &progress(1_600)), Step::Walk);
        assert_eq!(look(&table, &progress(2_400)), Step::Exact);
    }

    #[test]
    fn the_whole_table_is_measured_where_walking_takes_longer() {
        assert_eq!(looked(None, 0.01), None);
        assert!(looked(None, 0.001).is_some_and(|looked| looked < 2_000));
        // What has cost as much as measuring all rows does not go on for long.
        assert!(looked(None, 0.0001).is_some_and(|looked| looked < 1_000));
        let done = Progress { passed: 10, ..walk(5_000, 5_000) };
        assert_eq!(look(&TABLE, &done), Step::Walk);
    }
}

//! How to find the nearest rows that pass a filter: which way, and when to change it.
//!
//! A search walks the index and *looks* at each row that it finds. That is the best as long as many
//! rows pass. If few do, it pays to learn from other indexes which rows pass at all: then the walk
//! goes on *inline*, and looks only at these. And if these are so few, or so far from the query, that
//! the walk would take longer than to measure them all, this is done: *exact*. Without other indexes,
//! all rows of the table are measured.
//!
//! Estimates of how many rows pass are often wrong, and say nothing of where these are. So what
//! counts is what the search has met so far. Costs are in pages read.

/// Rows passing an index to a bitmap in the time of reading a page, about.
const ROWS_OF_BITMAP: f64 = 12.0;

/// Rows tested in the time of reading a page, about, if all rows of a table are read.
const ROWS_OF_TABLE: f64 = 20.0;

/// What is known before the search.
#[derive(Clone, Copy, Debug)]
pub struct Outlook {
    /// Rows that other indexes are estimated to find, if there are such indexes.
    pub members: Option<f64>,
    /// Pages of the table.
    pub table_pages: f64,
    /// Rows of the table.
    pub table_rows: f64,
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
    /// Pages read before it found the first row.
    pub begun_pages: u64,
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

/// A walk that looks at each row.
pub fn look(outlook: &Outlook, progress: &Progress) -> Step {
    let rest = rows_to_look_at(progress) * (pages_of_row(progress) + 1.0);
    let exact = match outlook.members {
        Some(members) => {
            let collect = members / ROWS_OF_BITMAP + 1.0;
            // By then as much was spent otherwise.
            if ((progress.looked - progress.passed + progress.index_pages) as f64) < collect {
                return Step::Walk;
            }
            let inline = rows_to_look_at(progress) * pages_of_row(progress);
            let best = inline.min(members.min(outlook.table_pages));
            return if collect + best < rest { Step::Collect } else { Step::Walk };
        }
        None => outlook.table_pages + outlook.table_rows / ROWS_OF_TABLE,
    };
    if exact < rest { Step::Exact } else { Step::Walk }
}

/// A walk that knows that `members` rows may pass.
pub fn inline(members: f64, outlook: &Outlook, progress: &Progress) -> Step {
    let rest = rows_to_look_at(progress) * pages_of_row(progress);
    if members.min(outlook.table_pages) < rest { Step::Exact } else { Step::Walk }
}

/// How many rows the index has yet to find, if as many of them pass as did so far. Of the first that
/// pass nothing can be said but that they are few.
fn rows_to_look_at(progress: &Progress) -> f64 {
    let Progress { looked, passed, wanted, .. } = *progress;
    let missing = wanted.saturating_sub(passed) as f64;
    missing * looked as f64 / (passed as f64).max(0.5)
}

/// Pages of the index for each row that the walk has found since it began. Those read last are for rows
/// to come, too: for as many again at least.
fn pages_of_row(progress: &Progress) -> f64 {
    let Progress { looked, index_pages, begun_pages, begun, settled, .. } = *progress;
    let share = |pages: u64, rows: u64| pages as f64 / rows.max(1) as f64;
    let ahead = share(index_pages.saturating_sub(begun_pages), looked * 2);
    let before = share(settled.1.saturating_sub(begun.1), settled.0.saturating_sub(begun.0));
    before.max(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Outlook = Outlook { members: None, table_pages: 10_000.0, table_rows: 50_000.0 };

    /// A walk for ten rows that has read `pages` for the rows that it has found since it began.
    fn walk(looked: u64, pages: u64) -> Progress {
        let index_pages = 50 + pages;
        let (begun, settled) = ((0, 50), (looked, index_pages));
        Progress { looked, passed: 0, wanted: 10, index_pages, begun_pages: 50, begun, settled }
    }

    /// What is done after `looked` rows, of which a part passes.
    fn after(members: Option<f64>, looked: u64, passing: f64) -> Step {
        let passed = (looked as f64 * passing) as u64;
        let progress = Progress { passed, ..walk(looked, looked) };
        look(&Outlook { members, ..TABLE }, &progress)
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
    fn what_is_far_from_the_query_is_measured() {
        let progress = Progress { passed: 1, ..walk(300, 400) };
        assert_eq!(inline(3_000.0, &TABLE, &progress), Step::Exact);
        assert_eq!(inline(30_000.0, &TABLE, &progress), Step::Walk);
        let near = Progress { passed: 9, ..progress };
        assert_eq!(inline(3_000.0, &TABLE, &near), Step::Walk);
    }

    #[test]
    fn pages_read_ahead_are_no_measure() {
        let ahead = Progress { passed: 1, index_pages: 1_500, ..walk(160, 200) };
        assert_eq!(look(&TABLE, &ahead), Step::Walk);
        let settled = Progress { settled: (160, 1_500), ..ahead };
        assert_eq!(look(&TABLE, &settled), Step::Exact);
    }

    #[test]
    fn the_whole_table_is_measured_where_walking_takes_longer() {
        assert_eq!(looked(None, 0.01), None);
        assert!(looked(None, 0.001).is_some_and(|looked| looked < 2_000));
        let done = Progress { passed: 10, ..walk(5_000, 5_000) };
        assert_eq!(look(&TABLE, &done), Step::Walk);
    }
}

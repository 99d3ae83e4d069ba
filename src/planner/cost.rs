//! What the node costs.
//!
//! Without a filter, that is what PostgreSQL's index scan costs, less what the node spares.
//!
//! With one, it is what the search costs once it has found out which strategy is the cheapest (see
//! [`strategy`](super::strategy)), if the rows that pass lie anywhere: a walk through the index as far as
//! that takes, or what PostgreSQL's plans without the index read, and a little more. So these are chosen
//! where all rows that pass are to be measured.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::pg_sys::{self, BMS_Membership, BitmapHeapPath, IndexOptInfo, PlannerInfo, RelOptInfo};

use super::bitmap_path::{self, Bitmap};
use super::private::Wanted;
use super::recognize::Recognized;
use super::strategy::pages_of;
use super::strategy::{self, Outlook, Step};
use crate::am::cost::{Rows, Walk, order_cost, page_costs};
use crate::pg::version;

/// The part of filters that nearly all rows near the query pass, though few rows do elsewhere. The search
/// then ends as it began; other plans cost the same whichever rows pass.
const NEAR: f64 = 0.1;

/// A walk that goes on is past so many times as many rows, or as many times as these few, or past as many as it
/// is expected to take: not all methods read as much for each further row.
const FARTHER: f64 = 20.0;
const FEW: f64 = 10.0;

/// Simple operators that take as long as to make a tuple of the scan of a row.
const TUPLE: f64 = 2.0;

/// Cost up to the first row, and to the last. `bitmap` is what other indexes serve, null if nothing; none
/// if the strategy never changes. `returned` is the part of all rows that the index returns.
///
/// # Safety
/// Arguments are what the planner gave, a path of the relation, and one of a bitmap or null.
pub unsafe fn costs(
    root: *mut PlannerInfo,
    rel: &RelOptInfo,
    found: &Recognized,
    bitmap: Option<*mut BitmapHeapPath>,
    returned: f64,
) -> (f64, f64) {
    let path = &found.path.path;
    // SAFETY: the planner's own state, and a list of its expressions.
    unsafe {
        let distance = order_cost(root, found.path.indexorderbys);
        let Some(bitmap) = bitmap else {
            // For whichever path, PostgreSQL adds what the sort key of each row costs above the scan.
            // The node hands it up, so that is taken off here.
            let spared = rel.rows * distance;
            let run = (path.total_cost - path.startup_cost - spared).max(0.0) * returned;
            return (path.startup_cost, path.startup_cost + run);
        };
        let mut filtered = Filtered::new(rel, found, bitmap_path::bitmap(bitmap, rel), distance);
        filtered.returned *= returned;
        let (startup, total) = filtered.costs(wanted(&*root), Filtered::cost);
        let disabled = version::disabled_cost(path);
        (disabled + startup, disabled + total)
    }
}

/// What is known of a filtered search when it begins.
///
/// # Safety
/// As [`costs`].
pub unsafe fn outlook(
    wanted: Wanted,
    rel: &RelOptInfo,
    found: &Recognized,
    bitmap: *mut BitmapHeapPath,
) -> Outlook {
    // SAFETY: the planner's own state.
    unsafe {
        let bitmap = bitmap_path::bitmap(bitmap, rel);
        Filtered::new(rel, found, bitmap, 0.0).outlook_for(wanted)
    }
}

/// Keys of another relation, and the rows that an index finds by them.
pub struct Keys<'p> {
    /// The index.
    pub index: &'p IndexOptInfo,
    /// How many different keys there are, and what reading them costs.
    pub count: f64,
    pub cost: f64,
    /// Different keys in the index.
    pub in_index: f64,
    /// Rows that have one of the keys and meet all conditions.
    pub rows: f64,
}

/// Cost and outlook of a search among the rows that keys lead to, which are looked up first.
///
/// # Safety
/// As [`costs`].
pub unsafe fn among_keys(
    root: *mut PlannerInfo,
    rel: &RelOptInfo,
    found: &Recognized,
    keys: &Keys,
) -> ((f64, f64), Outlook) {
    // SAFETY: the planner's own state, and a list of its expressions.
    unsafe {
        let distance = order_cost(root, found.path.indexorderbys);
        let mut filtered = Filtered::new(rel, found, None, distance);
        let share = (keys.rows / rel.rows.max(1.0)).min(1.0);
        filtered.passing = keys.rows.max(1.0);
        filtered.returned = filtered.passing;
        let members = share * filtered.table_rows;
        // Whatever other conditions say of them.
        let entries = (keys.count / keys.in_index.max(1.0)).min(1.0) * keys.index.tuples;
        // As PostgreSQL does of a look-up in a btree.
        let of_key = keys.index.tuples.max(1.0).log2().ceil()
            + 50.0 * (f64::from(keys.index.tree_height.max(0)) + 1.0);
        let pages = f64::from(keys.index.pages);
        let (page, _) = page_costs(pages, keys.index.reltablespace);
        let cost = keys.cost
            + keys.count * of_key * pg_sys::cpu_operator_cost
            + entries.max(members) * pg_sys::cpu_index_tuple_cost
            + pages_of(keys.count, pages) * page;
        let rows = pages_of(members, filtered.table_pages) * filtered.page + members * filtered.row;
        filtered.bitmap = Some(Bitmap { members, cost, read: cost + rows });
        let wanted = Wanted::of(&*root);
        let (startup, total) = filtered.costs(wanted, Filtered::cost_among);
        let disabled = version::disabled_cost(&found.path.path);
        ((disabled + startup, disabled + total), filtered.outlook_for(wanted))
    }
}

/// Rows that a query wants of a relation: only if it has no other, that is what its LIMIT says.
///
/// # Safety
/// `root` is the planner's.
unsafe fn wanted(root: &PlannerInfo) -> Wanted {
    // SAFETY: the planner's own state.
    let relations = unsafe { pg_sys::bms_membership(root.all_baserels) };
    let wanted = Wanted::of(root);
    let is_known = relations == BMS_Membership::BMS_SINGLETON || wanted == Wanted::All;
    if is_known { wanted } else { Wanted::Unknown }
}

/// A search with conditions that drop rows, in the planner's units.
struct Filtered<'a> {
    found: &'a Recognized<'a>,
    /// Rows of the table, its pages, and rows that pass.
    table_rows: f64,
    table_pages: f64,
    passing: f64,
    /// Rows that pass and that the index returns.
    returned: f64,
    /// What other indexes find, if there are any.
    bitmap: Option<Bitmap>,
    /// Of a page of the table that is read because the index has found a row.
    page: f64,
    /// Of a page that is read because all are.
    sequential_page: f64,
    /// Of a row read: its conditions, and the executor.
    row: f64,
    /// What a row takes more than in a plan of PostgreSQL's that reads all rows that may pass.
    tuple: f64,
    /// Of a distance.
    distance: f64,
    /// Of comparing two distances.
    comparison: f64,
}

impl<'a> Filtered<'a> {
    /// # Safety
    /// As [`costs`].
    unsafe fn new(
        rel: &RelOptInfo,
        found: &'a Recognized,
        bitmap: Option<Bitmap>,
        distance: f64,
    ) -> Self {
        // SAFETY: the relation is being planned; settings are read on the backend's own thread.
        unsafe {
            let pages = f64::from(rel.pages).max(1.0);
            let (page, sequential_page) = page_costs(pages, rel.reltablespace);
            Self {
                found,
                table_rows: rel.tuples.max(1.0),
                table_pages: pages,
                passing: rel.rows.max(1.0),
                returned: rel.rows.max(1.0),
                bitmap,
                page,
                sequential_page,
                row: pg_sys::cpu_tuple_cost + rel.baserestrictcost.per_tuple,
                tuple: TUPLE * pg_sys::cpu_operator_cost,
                distance,
                comparison: 2.0 * pg_sys::cpu_operator_cost,
            }
        }
    }

    /// Cost up to the first row, and to the last.
    ///
    /// Rows that are known to be wanted are gathered before the first is returned. PostgreSQL takes a
    /// LIMIT's part of what is between both, so the first is such that this part makes the right cost.
    fn costs(&self, wanted: Wanted, cost: fn(&Self, f64) -> f64) -> (f64, f64) {
        let all = self.returned.max(1.0);
        let total = cost(self, all);
        let rows = match wanted {
            Wanted::All => return (total, total),
            Wanted::Some(count) => (count as f64).min(all),
            Wanted::Unknown => 1.0,
        };
        let share = rows / all;
        if share >= 1.0 {
            return (total, total);
        }
        let startup = (cost(self, rows) - share * total) / (1.0 - share);
        // Costs may be infinite: that is no number then, which `max` and `min` take for the other.
        (startup.max(0.0).min(total), total)
    }

    /// What it costs to find so many rows that pass, in all.
    fn cost(&self, wanted: f64) -> f64 {
        let in_index = self.found.index.tuples.max(1.0);
        let looked = (wanted * in_index / self.passing).clamp(1.0, in_index);
        let found = |found, returned| Rows { found, returned };
        let [begun, look, inline] =
            self.walk([found(wanted, wanted), found(looked, looked), found(looked, wanted)]);
        let row = self.page + self.row;
        let exact = self.exact(wanted);
        let is_ranked = self.found.inspector.matches;
        let begin = if is_ranked { strategy::begin_ranked } else { strategy::begin };
        let begun_with = begin(&self.outlook(wanted, &[begun; 3]), wanted);
        let looking = look.cost + looked * row;
        if begun_with != Step::Walk {
            return exact.min(looking);
        }
        let begun = begun.cost + wanted * row;
        let inline = self.bitmap.map(|bitmap| inline.cost + bitmap.cost + wanted * row);
        let least = looking.min(begun + exact).min(inline.unwrap_or(f64::INFINITY));
        NEAR * begun + (1.0 - NEAR) * least.max(begun)
    }

    /// The same if the rows that may pass are found out first.
    fn cost_among(&self, wanted: f64) -> f64 {
        let in_index = self.found.index.tuples.max(1.0);
        let found = (wanted * in_index / self.passing).clamp(1.0, in_index);
        let [inline] = self.walk([Rows { found, returned: wanted }]);
        let made = self.bitmap.map_or(0.0, |bitmap| bitmap.cost);
        let inline = inline.cost + made + wanted * (self.page + self.row);
        self.exact(wanted).min(inline)
    }

    /// A walk for so many rows that pass if all do; one that goes on; and the same if it knows which rows
    /// may pass.
    fn begun(&self, wanted: f64) -> [Walk; 3] {
        let rows = |found, returned| Rows { found, returned };
        let further = self.further(wanted);
        self.walk([rows(wanted, wanted), rows(further, further), rows(further, wanted)])
    }

    /// Rows that a walk which goes on is past.
    fn further(&self, wanted: f64) -> f64 {
        let expected = wanted / self.passing * self.table_rows;
        expected.min(self.table_rows).max(wanted.max(FEW) * FARTHER)
    }

    /// What it costs to measure all rows that may pass.
    fn exact(&self, wanted: f64) -> f64 {
        let order = self.passing * self.comparison * (wanted + 1.0).log2();
        let measured = self.passing * self.distance + order;
        let read = match self.bitmap {
            Some(Bitmap { members, read, .. }) => read + members * self.tuple,
            None => {
                let row = self.row + self.tuple;
                self.table_pages * self.sequential_page + self.table_rows * row
            }
        };
        read + measured
    }

    fn outlook_for(&self, wanted: Wanted) -> Outlook {
        let rows = match wanted {
            Wanted::Some(count) => count as f64,
            Wanted::All => self.returned.max(1.0),
            Wanted::Unknown => 1.0,
        };
        self.outlook(rows, &self.begun(rows))
    }

    fn outlook(&self, wanted: f64, [begun, look, inline]: &[Walk; 3]) -> Outlook {
        let rows = self.further(wanted) - wanted.max(FEW);
        let of_row = |walk: &Walk| (walk.pages - begun.pages).max(0.0) / rows;
        Outlook {
            members: self.bitmap.map(|bitmap| bitmap.members),
            table_pages: self.table_pages,
            table_rows: self.table_rows,
            share: (self.passing / self.table_rows).min(1.0),
            begun_pages: begun.pages,
            row_pages: of_row(look),
            inline_pages: of_row(inline),
            page_cost: begun.page_cost,
        }
    }

    fn walk<const N: usize>(&self, rows: [Rows; N]) -> [Walk; N] {
        // SAFETY: the inspector is that of the index.
        let walks = unsafe { (self.found.inspector.walk)(self.found.index, &rows) };
        walks.try_into().unwrap_or([Walk::default(); N])
    }
}

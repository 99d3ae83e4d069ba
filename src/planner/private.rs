//! What a node of a plan says beyond expressions: its `custom_private`.

#![allow(unsafe_code)] // reads a node of a plan

use pgrx::pg_sys::{self, CustomScan, List, Oid, PlannerInfo};

use super::join_keys::JoinKeys;
use super::strategy::Outlook;
use crate::pg::node::{integer_list, integers};
use crate::pg::version;

/// What the node says, of plain values.
pub struct Private {
    /// The index.
    pub index: Oid,
    /// Operators and their collations: the distance's, then those of conditions of the index.
    pub operators: Vec<(Oid, Oid)>,
    /// How many entries of the scan tuple, the last ones, are the distance.
    pub distances: usize,
    /// Rows that are wanted.
    pub wanted: Wanted,
    /// Whether the index may have to find more rows than it does at first: some may fail
    /// conditions, or the table hardly has as many as are wanted.
    pub is_tight: bool,
    /// Whether joins are expected to drop rows: those that are left are to be found as reliably as all.
    pub joins_drop: bool,
    /// Whether rows at a distance of 0 are none that a search finds.
    pub matches: bool,
    /// What is expected of the conditions, if they drop rows.
    pub outlook: Option<Outlook>,
    /// Keys that tell which rows may pass.
    pub keys: Option<JoinKeys>,
}

impl Private {
    /// The list that a plan keeps.
    pub fn into_list(self) -> *mut List {
        let number = |oid: Oid| oid.to_u32().cast_signed();
        let (index, distances) = (number(self.index), self.distances as i32);
        let flags = [self.is_tight, self.joins_drop, self.matches].map(i32::from);
        let head = [index, distances, self.wanted.into_number()].into_iter().chain(flags);
        let outlook = into_numbers(self.outlook);
        let keys = self.keys.map_or([0; 4], |keys| {
            let JoinKeys { index, operator: (operator, collation), column } = keys;
            [number(index), number(operator), number(collation), column]
        });
        let operators = self.operators.into_iter().flat_map(<[Oid; 2]>::from).map(number);
        integer_list(head.chain(outlook).chain(keys).chain(operators))
    }

    /// What [`into_list`](Self::into_list) has made.
    ///
    /// # Safety
    /// `node` is one of ours.
    pub unsafe fn of(node: &CustomScan) -> Option<Self> {
        // SAFETY: a node of ours has a list of numbers.
        let numbers: Vec<i32> = unsafe { integers(node.custom_private).collect() };
        let (&[index, distances, wanted, flags @ ..], rest) = numbers.split_first_chunk::<6>()?;
        let [is_tight, joins_drop, matches] = flags.map(|flag| flag > 0);
        let (outlook, rest) = rest.split_first_chunk()?;
        let (&[key_index, operator, collation, column], operators) = rest.split_first_chunk()?;
        let oid = |number: i32| Oid::from(number.cast_unsigned());
        let (operators, _) = operators.as_chunks();
        Some(Self {
            index: oid(index),
            operators: operators.iter().map(|&[of, collation]| (oid(of), oid(collation))).collect(),
            distances: usize::try_from(distances).ok()?,
            wanted: Wanted::from_number(wanted),
            is_tight,
            joins_drop,
            matches,
            outlook: from_numbers(*outlook),
            keys: (column > 0).then(|| JoinKeys {
                index: oid(key_index),
                operator: (oid(operator), oid(collation)),
                column,
            }),
        })
    }
}

/// An outlook as a list that a path keeps.
pub fn outlook_list(outlook: Outlook) -> *mut List {
    integer_list(into_numbers(Some(outlook)))
}

/// What [`outlook_list`] has made.
///
/// # Safety
/// `list` is such a list.
pub unsafe fn outlook_of(list: *mut List) -> Option<Outlook> {
    // SAFETY: a list of numbers.
    let numbers: Vec<i32> = unsafe { integers(list).collect() };
    from_numbers(numbers.try_into().ok()?)
}

/// The numbers that stand for a share of 1, and for one page.
const SHARE: f64 = 1e9;
const PAGE: f64 = 1e3;

/// What is expected of conditions, in a list of numbers: -1 for what is not known.
fn into_numbers(outlook: Option<Outlook>) -> [i32; 8] {
    outlook.map_or([-1; 8], |outlook| {
        let Outlook { members, table_pages, table_rows, share, .. } = outlook;
        let Outlook { begun_pages, row_pages, inline_pages, page_cost, .. } = outlook;
        // A float to integer cast saturates.
        [
            table_pages as i32,
            table_rows as i32,
            members.map_or(-1, |members| members as i32),
            (share * SHARE) as i32,
            begun_pages as i32,
            (row_pages * PAGE) as i32,
            (inline_pages * PAGE) as i32,
            (page_cost * PAGE) as i32,
        ]
    })
}

fn from_numbers(numbers: [i32; 8]) -> Option<Outlook> {
    let [table_pages, table_rows, members, share, begun_pages, rest @ ..] = numbers.map(f64::from);
    let [row_pages, inline_pages, page_cost] = rest.map(|number| number / PAGE);
    (table_pages >= 0.0).then(|| Outlook {
        members: (members >= 0.0).then_some(members),
        table_pages,
        table_rows,
        share: share / SHARE,
        begun_pages,
        row_pages,
        inline_pages,
        page_cost,
    })
}

/// How many rows joins are taken to drop at most for one that they return: an estimate may be wrong, and a
/// search that gathers very many rows is a poor one.
const MOST_DROPPED: f64 = 20.0;

/// How many rows a query wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All, as it has no LIMIT.
    All,
    /// So many at least.
    Some(usize),
    /// That is not known.
    Unknown,
}

impl Wanted {
    /// As a number: `usize::MAX` of all, 0 if that is not known.
    pub fn rows(self) -> usize {
        match self {
            Self::All => usize::MAX,
            Self::Some(count) => count,
            Self::Unknown => 0,
        }
    }

    /// Of a query that is being planned.
    pub fn of(root: &PlannerInfo) -> Self {
        if root.limit_tuples > 0.0 {
            // A float to integer cast saturates.
            Self::Some(root.limit_tuples.ceil() as usize)
        } else if root.tuple_fraction <= 0.0 {
            Self::All
        } else {
            Self::Unknown
        }
    }

    /// The same of one relation of the query: joins may drop rows, so that more of it are wanted.
    ///
    /// # Safety
    /// The paths of the query are complete; `rows` are those of the path that was chosen for the relation.
    pub unsafe fn before_joins(root: &mut PlannerInfo, rows: f64) -> Self {
        let wanted = Self::of(root);
        let Self::Some(count) = wanted else { return wanted };
        // SAFETY: the planner's own state. There is no such relation if the query joins nothing.
        let joined = unsafe {
            let all = version::all_relations(root);
            pg_sys::find_join_rel(root, all).as_ref()
        };
        let more = joined.map_or(1.0, |joined| rows / joined.rows.max(1.0));
        // A float to integer cast saturates.
        Self::Some((count as f64 * more.clamp(1.0, MOST_DROPPED)).ceil() as usize)
    }

    fn into_number(self) -> i32 {
        match self {
            Self::All => i32::MAX,
            Self::Some(count) => i32::try_from(count).unwrap_or(i32::MAX).min(i32::MAX - 1),
            Self::Unknown => 0,
        }
    }

    fn from_number(number: i32) -> Self {
        match number {
            i32::MAX => Self::All,
            0 => Self::Unknown,
            count => Self::Some(count.unsigned_abs() as usize),
        }
    }
}

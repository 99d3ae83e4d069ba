//! Lists of about equal length about the middle of their rows, whatever rows come and go.

use kernels::BLOCK;
use memory::{Grow, copied};
use pages::{Error, PageStore, Result};

use crate::block::ROOT;
use crate::index::{Ivf, lists_for};
use crate::lists::List;
use crate::reclaim::reclaim;
use crate::regroup::{Length, MAX_PARTS, Regrouping};
use crate::relocate::reopen;

/// A list is split when it is so many quarters as long as it should be; where there are fewer lists
/// than wanted, sooner.
const LONG: u64 = 7;
const RATHER_LONG: u64 = 6;
/// A list is merged when it is less than one of so many parts of what it should be; where there
/// are more lists than wanted, sooner.
const SHORT: u64 = 4;
const RATHER_SHORT: u64 = 2;
/// A list is renewed when a greater share of its rows is nearer to others.
const STALE: f64 = 0.1;
/// What renewing it must gain (see [`Refined::gain`](crate::regroup::Refined)).
const GAIN: f64 = 0.015;

/// What is wanted of a reorganization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebalance {
    /// Lists that the rows should be divided into; 0 for as many as [`lists_for`] says.
    pub lists: u64,
    /// Rows that may be moved, and vectors looked at, before the rest is left for another time.
    /// Lists that are begun with are moved as a whole.
    pub work: u64,
}

/// What a reorganization did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rebalanced {
    /// Long lists that were split.
    pub split: u64,
    /// Short lists that were merged with others.
    pub merged: u64,
    /// Lists whose rows, and those of the lists around, were divided anew.
    pub renewed: u64,
    /// Rows of lists that are no more.
    pub moved: u64,
    /// Rows of all lists.
    pub rows: u64,
    /// Why it was cut short, where the store has no room for more pages.
    pub no_room: Option<String>,
}

/// Splits lists that are far longer than others, merges those that are far shorter, and divides
/// those anew whose rows are nearer to others, while readers and inserts go on. Only one process
/// may do so at a time, and none may vacuum meanwhile. Ends where there is no room for more pages.
///
/// # Errors
/// Those of the store, and [`pages::Error::Corrupted`].
pub fn rebalance<S: PageStore>(store: &S, wanted: &Rebalance) -> Result<Rebalanced> {
    reclaim(store)?;
    let ivf = Ivf::open(store)?;
    let lists = lengths(store, &ivf)?;
    let rows: u64 = lists.iter().map(|list| list.rows).sum();
    let wanted_lists =
        if wanted.lists == 0 { lists_for(rows as usize) as u64 } else { wanted.lists };
    let length = rows / wanted_lists;
    let work = Regrouping::new(store, &ivf, lists, wanted.work)?;
    let done = Rebalanced { rows, ..Rebalanced::default() };
    let part = length.max(BLOCK as u64);
    let mut pass = Pass { work, wanted: wanted_lists as usize, length, part, done };
    let no_room = match pass.run() {
        Err(Error::NoRoom(why)) => Some(why),
        done => done.map(|()| None)?,
    };
    Ok(Rebalanced { moved: pass.work.moved(), no_room, ..pass.done })
}

/// Counts the rows of all lists; opens those that a crash left closed.
fn lengths<S: PageStore>(store: &S, ivf: &Ivf) -> Result<Vec<Length>> {
    let (mut lists, mut lengths) = (Vec::new(), Vec::new());
    ivf.blocks_of(store, (ivf.meta().root, ROOT), |no, block| {
        let root = no.page(ivf.geometry());
        lists.try_extend(block.entries().map(|(_, entry)| (root, List::of(entry))))?;
        Ok(true)
    })?;
    for (root, list) in lists {
        let (mut rows, mut closed) = (0, false);
        ivf.blocks_of(store, (list.first, list.id()), |_, block| {
            rows += u64::from(block.live().count_ones());
            closed |= block.closed();
            Ok(true)
        })?;
        if closed {
            reopen(store, ivf, &list)?;
        }
        lengths.try_push(Length { list, rows, root })?;
    }
    Ok(lengths)
}

/// One going through the lists.
struct Pass<'a, S: PageStore> {
    work: Regrouping<'a, S>,
    /// Lists wanted.
    wanted: usize,
    /// Rows that each should have.
    length: u64,
    /// The same, but at least those of a block.
    part: u64,
    done: Rebalanced,
}

impl<S: PageStore> Pass<'_, S> {
    fn run(&mut self) -> Result<()> {
        self.split()?;
        self.merge()?;
        self.renew()
    }

    /// Splits long lists, the longest first.
    fn split(&mut self) -> Result<()> {
        for list in self.in_order(|list| std::cmp::Reverse(list.rows))? {
            if !self.is_long(list.rows) || self.work.is_spent() {
                break;
            }
            if self.work.has(&list) {
                let group = self.work.group(&list, MAX_PARTS as u64 * self.part)?;
                let most = MAX_PARTS + 1 - group.len();
                let parts = ((list.rows + self.part / 2) / self.part).clamp(2, most as u64);
                let mut centroids = self.work.parts(&list, parts as usize)?;
                if centroids.len() > self.work.dims() {
                    centroids.extend(self.work.centroids(&group[1..])?);
                    let refined = self.work.refined(&group, centroids)?;
                    let done = shortens(list.rows, &group, &refined.lengths)
                        && self.work.regroup(&group, &refined.centroids)?;
                    self.done.split += u64::from(done);
                }
            }
        }
        Ok(())
    }

    /// Merges short lists, the shortest first: their rows are divided among the lists around. A list whose
    /// rows are far from all others stays: one of the others would become theirs.
    fn merge(&mut self) -> Result<()> {
        for list in self.in_order(|list| list.rows)? {
            if !self.is_short(list.rows) || self.work.is_spent() {
                break;
            }
            if self.work.has(&list) {
                let group = self.work.group(&list, MAX_PARTS as u64 * self.part)?;
                if group.len() > 1 {
                    let others = self.work.centroids(&group[1..])?;
                    let refined = self.work.refined(&group, others)?;
                    let done = self.levels(&group, &refined.lengths)
                        && self.work.regroup(&group, &refined.centroids)?;
                    self.done.merged += u64::from(done);
                }
            }
        }
        Ok(())
    }

    fn is_long(&self, rows: u64) -> bool {
        let few = self.work.lists().len() < self.wanted;
        rows * 4 > if few { RATHER_LONG } else { LONG } * self.part
    }

    fn is_short(&self, rows: u64) -> bool {
        let many = self.work.lists().len() > self.wanted;
        rows * if many { RATHER_SHORT } else { SHORT } < self.length
    }

    /// Whether lists of these lengths in place of the `group` are fewer short ones, and no more long ones.
    fn levels(&self, group: &[Length], lengths: &[u64]) -> bool {
        let short = |rows: &u64| self.is_short(*rows);
        let long = |rows: &u64| self.is_long(*rows);
        let before = || group.iter().map(|list| &list.rows);
        lengths.iter().filter(|rows| short(rows)).count()
            < before().filter(|rows| short(rows)).count()
            && lengths.iter().filter(|rows| long(rows)).count()
                <= before().filter(|rows| long(rows)).count()
    }

    /// Renews lists of whose rows too many are nearer to others, and those around.
    fn renew(&mut self) -> Result<()> {
        let mut lists = copied(self.work.lists())?;
        // What is left for another time is not always the same.
        let start = self.done.rows % lists.len().max(1) as u64;
        lists.rotate_left(start as usize);
        for list in lists {
            if self.work.is_spent() {
                break;
            }
            if self.work.has(&list) && self.work.strays(&list)? > STALE {
                let group = self.work.group(&list, MAX_PARTS as u64 * self.part)?;
                let centroids = self.work.centroids(&group)?;
                let refined = self.work.refined(&group, centroids)?;
                if refined.gain > GAIN {
                    let done = self.work.regroup(&group, &refined.centroids)?;
                    self.done.renewed += u64::from(done);
                }
            }
        }
        Ok(())
    }

    fn in_order<K: Ord>(&self, key: impl Fn(&Length) -> K) -> Result<Vec<Length>> {
        let mut lists = copied(self.work.lists())?;
        lists.sort_unstable_by_key(|list| (key(list), list.list.id()));
        Ok(lists)
    }
}

/// Whether lists of these lengths in place of the `group`, one of which has so many `rows`, are shorter: by
/// half of what halving this one gains in the sum of squares, which the rows of the list that a row belongs to
/// are in the mean.
fn shortens(rows: u64, group: &[Length], lengths: &[u64]) -> bool {
    let square = |rows: u64| u128::from(rows) * u128::from(rows);
    let before: u128 = group.iter().map(|list| square(list.rows)).sum();
    let after: u128 = lengths.iter().map(|&rows| square(rows)).sum();
    after + square(rows) / 4 <= before
}

//! Structural check: finds what a scan would trip over.
//!
//! Follows every list, and remembers one bit of each block and each vector.

use memory::{Grow, filled};
use pages::{HeapTid, META_BLOCK, PageStore, Problem, Result, Rows, lastingly_repeated};

use crate::block::{Entry, FREE, ROOT};
use crate::geometry::BlockNo;
use crate::index::Ivf;
use crate::lists::List;
use crate::radius::Radius;
use crate::reader::Reader;
use crate::vector::Stored;

/// Follows all lists and reports every problem. `table_blocks` tells how many blocks the table has now.
///
/// Sound while rows are inserted and vacuumed beside it; begins anew where lists are reorganized.
///
/// # Errors
/// Those of the store.
pub fn check<S: PageStore>(
    store: &S,
    table_blocks: &dyn Fn() -> u32,
    report: &mut dyn FnMut(Problem),
) -> Result<()> {
    let problems = Ivf::undisturbed(store, |ivf| {
        let pages = store.blocks()? as usize;
        let geometry = ivf.geometry();
        let (mut problems, mut refused) = (Vec::new(), Ok(()));
        let mut check = Check {
            store,
            ivf,
            pages,
            blocks: filled(pages * geometry.blocks_per_page(), false)?,
            vectors: filled(pages * geometry.run_vectors, false)?,
            report: &mut |problem| {
                if refused.is_ok() {
                    refused = problems.try_push(problem);
                }
            },
        };
        check.all()?;
        check.rows(&mut Rows::new(table_blocks))?;
        refused?;
        Ok(problems)
    });
    match problems {
        Ok(problems) => problems.into_iter().for_each(report),
        Err(error) => report(Problem::reading(META_BLOCK, error)?),
    }
    Ok(())
}

struct Check<'a, S> {
    store: &'a S,
    ivf: &'a Ivf,
    /// Pages when the check began.
    pages: usize,
    /// Whether a list holds the block.
    blocks: Vec<bool>,
    /// Whether an entry holds the vector.
    vectors: Vec<bool>,
    report: &'a mut dyn FnMut(Problem),
}

impl<S: PageStore> Check<'_, S> {
    fn problem(&mut self, block: u32, what: impl Into<String>) {
        (self.report)(Problem { block: Some(block), what: what.into() });
    }

    fn all(&mut self) -> Result<()> {
        let meta = self.ivf.meta();
        if (self.pages as u64) < u64::from(meta.next_page) {
            self.problem(META_BLOCK, "metapage counts more pages than there are");
        }
        self.pages()?;
        let lists = self.list((meta.root, ROOT))?;
        if lists.len() != meta.lists as usize {
            let what = format!("metapage counts {} lists, there are {}", meta.lists, lists.len());
            self.problem(META_BLOCK, what);
        }
        let mut centroid = vec![0.0; self.ivf.geometry().dims];
        for (block, entry) in lists {
            self.vector(block, entry, |ivf, stored| ivf.holder().widen(stored, &mut centroid))?;
            let list = List::of(entry);
            let (mut reach, mut row) = (Radius::NONE, centroid.clone());
            for (block, entry) in self.list((list.first, list.id()))? {
                self.vector(block, entry, |ivf, stored| {
                    ivf.holder().widen(stored, &mut row);
                    ivf.place(&mut row);
                    reach = reach.max(Radius::of_row(ivf, stored, &row, &centroid));
                })?;
            }
            // Most are, as the check first saw them.
            if !list.radius().covers(reach) && !self.radius_now(&list)?.covers(reach) {
                let page = block.page(self.ivf.geometry());
                self.problem(page, "row is beyond the radius of its list");
            }
        }
        self.free()
    }

    /// Each page as a whole.
    fn pages(&mut self) -> Result<()> {
        let end = self.ivf.meta().next_page;
        for block in META_BLOCK..u32::try_from(self.pages).unwrap_or(u32::MAX) {
            self.store.pause()?;
            let problem = Problem::of_page(&self.store.read(block)?, block, block < end);
            problem.into_iter().for_each(&mut *self.report);
        }
        Ok(())
    }

    /// Reports rows that several entries stand for, and those beyond the table.
    fn rows(&mut self, rows: &mut Rows<'_>) -> Result<()> {
        let repeated = lastingly_repeated(|first| self.repeated_rows(rows, first))?;
        for (page, HeapTid { block, offset }) in repeated {
            self.problem(page, format!("row ({block},{offset}) is in the index more than once"));
        }
        Ok(())
    }

    /// Rows seen more than once, each with the page of its entry. Lists that cannot be followed were
    /// reported already.
    fn repeated_rows(&mut self, rows: &mut Rows<'_>, first: bool) -> Result<Vec<(u32, HeapTid)>> {
        let (mut repeated, mut beyond) = (Vec::new(), Vec::new());
        let geometry = self.ivf.geometry();
        let lists = match self.ivf.all_lists(self.store) {
            Err(error) if error.ends_work() => return Err(error),
            lists => lists.unwrap_or_default(),
        };
        for list in lists {
            let walked = self.ivf.blocks_of(self.store, (list.first, list.id()), |no, block| {
                for (_, Entry { tid, .. }) in block.entries() {
                    if !rows.add(tid)? {
                        beyond.try_push((no.page(geometry), tid))?;
                    }
                    if rows.is_repeated(tid) {
                        repeated.try_push((no.page(geometry), tid))?;
                    }
                }
                Ok(true)
            });
            if let Err(error) = walked
                && error.ends_work()
            {
                return Err(error);
            }
        }
        for (page, HeapTid { block, offset }) in beyond.into_iter().filter(|_| first) {
            self.problem(page, format!("row ({block},{offset}) lies beyond the end of the table"));
        }
        rows.begin_anew();
        Ok(repeated)
    }

    /// The radius of a list: rows that were seen may have been added since the check began.
    fn radius_now(&self, list: &List) -> Result<Radius> {
        let lists = self.ivf.all_lists(self.store)?;
        let now = lists.iter().find(|now| now.id() == list.id());
        Ok(now.unwrap_or(list).radius())
    }

    /// Follows the free blocks, which belong to no list. Where some were taken meanwhile, what was
    /// found means nothing.
    fn free(&mut self) -> Result<()> {
        let first = || Ivf::open(self.store).map(|ivf| ivf.meta().reorganized.free);
        let Some(free) = first()? else { return Ok(()) };
        let mut twice = None;
        let blocks = &mut self.blocks;
        let walked = self.ivf.blocks_of(self.store, (free, FREE), |no, _| {
            let seen = blocks.get_mut(no.0 as usize);
            let known = seen.is_some_and(|seen| std::mem::replace(seen, true));
            twice = twice.or(known.then_some(no));
            Ok(twice.is_none())
        });
        if first()? != Some(free) {
            return Ok(());
        }
        if let Err(error) = walked {
            (self.report)(Problem::reading(free.page(self.ivf.geometry()), error)?);
        }
        if let Some(no) = twice {
            self.problem(no.page(self.ivf.geometry()), "free block belongs to a list");
        }
        Ok(())
    }

    /// Follows a list and returns its entries, each with its block.
    fn list(&mut self, (first, list): (BlockNo, u32)) -> Result<Vec<(BlockNo, Entry)>> {
        let (mut found, mut twice) = (Vec::new(), Vec::new());
        let blocks = &mut self.blocks;
        let walked = self.ivf.blocks_of(self.store, (first, list), |no, block| {
            // Blocks that came since the check began have no place here.
            if let Some(seen) = blocks.get_mut(no.0 as usize)
                && std::mem::replace(seen, true)
            {
                twice.try_push(no)?;
            }
            found.try_extend(block.entries().map(|(_, entry)| (no, entry)))?;
            Ok(true)
        });
        let page = first.page(self.ivf.geometry());
        if let Err(error) = walked {
            (self.report)(Problem::reading(page, error)?);
        }
        for no in twice {
            self.problem(no.page(self.ivf.geometry()), "block belongs to two lists");
        }
        Ok(found)
    }

    /// Looks at the vector of an entry of `block`, and hands it to `look` where it is sound.
    fn vector(
        &mut self,
        block: BlockNo,
        entry: Entry,
        look: impl FnOnce(&Ivf, &Stored<'_>),
    ) -> Result<()> {
        let page = block.page(self.ivf.geometry());
        if entry.vector.0 == 0 {
            self.problem(page, "entry has no vector");
            return Ok(());
        }
        if let Some(seen) = self.vectors.get_mut(entry.vector.0 as usize)
            && std::mem::replace(seen, true)
        {
            self.problem(page, "two entries have the same vector");
        }
        self.store.pause()?;
        let mut reader = Reader::new(self.store, self.ivf.geometry());
        let ivf = self.ivf;
        let looked = reader.read(entry.vector, |stored| {
            let sound = stored.is_sound();
            if sound {
                look(ivf, &stored);
            }
            sound
        });
        match looked {
            Ok(true) => {}
            Ok(false) => {
                let page = entry.vector.run(self.ivf.geometry());
                self.problem(page, "vector has an impossible header");
            }
            Err(error) if error.ends_work() => return Err(error),
            Err(error) => (self.report)(Problem::reading(page, error)?),
        }
        Ok(())
    }
}

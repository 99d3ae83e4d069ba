//! Structural check: finds what a scan would trip over, pages that are lost or used twice, and wrong
//! counts.

mod buffer;
mod owners;
mod rows;
mod segment;

use memory::Grow;
use pages::{META_BLOCK, PageStore, Problem, Result};

use crate::meta::Meta;

/// Follows everything that the metapage leads to and reports every problem. `table_blocks` tells how
/// many blocks the table has now.
///
/// Sound while rows are inserted and vacuumed beside it: each part looks again, a few times, at what
/// others have changed meanwhile.
///
/// # Errors
/// Those of the store.
pub fn check<S: PageStore>(
    store: &S,
    table_blocks: &dyn Fn() -> u32,
    report: &mut dyn FnMut(Problem),
) -> Result<()> {
    let meta = match Meta::read(store) {
        Ok(meta) => meta,
        Err(error) => {
            report(Problem::reading(META_BLOCK, error)?);
            return Ok(());
        }
    };
    let mut problems = Problems::default();
    whole_pages(store, &mut problems)?;
    for listed in &meta.segments {
        segment::check(store, listed, &meta, &mut problems)?;
    }
    buffer::check(store, &mut problems)?;
    owners::check(store, &mut problems)?;
    rows::check(store, table_blocks, &mut problems)?;
    if let Err(error) = crate::create::definition(store) {
        problems.add(Problem::reading(crate::meta::DEFINITION_BLOCK, error)?)?;
    }
    problems.0.into_iter().for_each(report);
    Ok(())
}

/// What was found so far.
#[derive(Debug, Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, problem: Problem) -> Result<()> {
        Ok(self.0.try_push(problem)?)
    }

    fn push(&mut self, block: u32, what: impl Into<String>) -> Result<()> {
        self.add(Problem { block: Some(block), what: what.into() })
    }

    /// Takes the failure of a part of the check as a problem of `block`, unless it names another.
    fn failed(&mut self, block: u32, result: Result<()>) -> Result<()> {
        match result {
            Ok(()) => Ok(()),
            Err(error) => self.add(Problem::reading(block, error)?),
        }
    }
}

/// Each page as a whole. Pages that were added and never written may be among them.
fn whole_pages<S: PageStore>(store: &S, problems: &mut Problems) -> Result<()> {
    for block in META_BLOCK..store.blocks()? {
        store.pause()?;
        if let Some(problem) = Problem::of_page(&store.read(block)?, block, false) {
            problems.add(problem)?;
        }
    }
    Ok(())
}

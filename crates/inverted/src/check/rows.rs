//! Rows that are in the index twice, or in no table.

use memory::Grow;
use pages::{HeapTid, PageStore, Result, Rows, lastingly_repeated};

use super::Problems;
use crate::buffer::Page;
use crate::meta::Meta;
use crate::segment::Reader;

/// Reports rows that several documents stand for, and those beyond the table.
pub(super) fn check<S: PageStore>(
    store: &S,
    table_blocks: &dyn Fn() -> u32,
    problems: &mut Problems,
) -> Result<()> {
    let mut rows = Rows::new(table_blocks);
    let mut beyond = Vec::new();
    let repeated = lastingly_repeated(|first| {
        let mut repeated = Vec::new();
        let looked = each_row(store, &mut |block, tid| {
            if !rows.add(tid)? && first {
                beyond.try_push((block, tid))?;
            }
            if rows.is_repeated(tid) {
                repeated.try_push((block, tid))?;
            }
            Ok(())
        });
        rows.begin_anew();
        // What cannot be read was reported already.
        match looked {
            Err(error) if error.ends_work() => Err(error),
            _ => Ok(repeated),
        }
    })?;
    for (block, HeapTid { block: table, offset }) in beyond {
        let what = format!("row ({table},{offset}) lies beyond the end of the table");
        problems.push(block, what)?;
    }
    for (block, HeapTid { block: table, offset }) in repeated {
        problems.push(block, format!("row ({table},{offset}) is in the index more than once"))?;
    }
    Ok(())
}

/// Tells the living documents, each with the page that names its row or leads to it.
fn each_row<S: PageStore>(
    store: &S,
    tell: &mut dyn FnMut(u32, HeapTid) -> Result<()>,
) -> Result<()> {
    let meta = Meta::read(store)?;
    for listed in &meta.segments {
        let reader = Reader::open(store, &listed.info, meta.options.scoring)?;
        for group in 0..reader.groups() {
            let group = reader.documents(group)?;
            for (_, &tid) in group.tids.iter().enumerate().filter(|&(i, _)| !group.is_dead(i)) {
                tell(group.block, tid)?;
            }
        }
    }
    for (sequence, &block) in (meta.first_sequence..).zip(&meta.buffer) {
        store.pause()?;
        let body = store.read(block)?;
        let Some(page) = Page::open(&body, block, sequence)? else { return Ok(()) };
        for part in page.parts() {
            let part = part?;
            if !part.is_continued() {
                tell(block, part.tid())?;
            }
        }
    }
    Ok(())
}

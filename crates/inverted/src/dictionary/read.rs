//! Looks terms up.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{Error, PageStore, Result};

use super::entry::Entry;
use super::keys;
use super::write::Tree;
use crate::Scoring;
use crate::page::{Header, NONE, Part, Source};

/// The entry of a term, in a segment of so many documents. `top` is the root of the tree, if it is known.
pub(crate) fn find<S: PageStore>(
    source: Source<'_, S>,
    tree: Tree,
    top: Option<(Header, &[u8])>,
    term: &[u8],
    documents: u32,
    scoring: Scoring,
) -> Result<Option<Entry>> {
    let Some(block) = leaf(source, tree, top, term)? else { return Ok(None) };
    source.read(block, Part::Dictionary, |header, body| {
        if header.level != 0 {
            return Err(Error::corrupted(block, "page of the dictionary has another level"));
        }
        let pass = |bytes: &mut _| Entry::pass(bytes);
        match keys::find(body, header, block, term, pass)? {
            Some((mut value, true)) => Entry::read(&mut value, block, documents, scoring).map(Some),
            _ => Ok(None),
        }
    })
}

/// The block of the leaf that holds a term, if any does.
pub(crate) fn leaf<S: PageStore>(
    source: Source<'_, S>,
    tree: Tree,
    top: Option<(Header, &[u8])>,
    term: &[u8],
) -> Result<Option<u32>> {
    let mut block = tree.root;
    if block == NONE {
        return Ok(None);
    }
    for level in (1..=tree.level).rev() {
        let child = |header: Header, body: &[u8]| {
            if header.level != level {
                return Err(Error::corrupted(block, "page of the dictionary has another level"));
            }
            match keys::find(body, header, block, term, |bytes| bytes.u32().map(drop))? {
                Some((mut value, _)) => value.u32().map(Some),
                None => Ok(None),
            }
        };
        let child = match top.filter(|_| level == tree.level) {
            Some((header, body)) => child(header, body),
            None => source.read(block, Part::Dictionary, child),
        }?;
        let Some(child) = child else { return Ok(None) };
        block = child;
    }
    Ok(Some(block))
}

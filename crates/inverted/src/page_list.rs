//! Pages that list the numbers of other pages: those of a segment, those that are free, those that
//! wait until they are. A list is a chain of such pages, which belong to it themselves.
//!
//! Body: the next page of the chain (u32, 0 = none), the count (u32), so many page numbers (u32).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{Error, PAGE_USABLE, PageKind, PageStore, Result, init_page, page_kind};

use crate::fields::{put, u32_at};
use crate::meta::FIRST_BLOCK;

const HEADER: usize = 8;

/// The most page numbers of a page.
pub(crate) const CAPACITY: usize = (PAGE_USABLE - HEADER) / 4;

/// Makes the page of `block` a list page.
pub(crate) fn write(body: &mut [u8], block: u32, next: Option<u32>, numbers: &[u32]) {
    init_page(body, PageKind::PageList, block);
    put(body, 0, &next.unwrap_or(0).to_le_bytes());
    put(body, 4, &(numbers.len().min(CAPACITY) as u32).to_le_bytes());
    let place = body[HEADER..PAGE_USABLE].as_chunks_mut::<4>().0.iter_mut();
    place.zip(numbers).for_each(|(place, number)| *place = number.to_le_bytes());
}

/// Has the page of `block`, which is a list page, lead to `next`.
pub(crate) fn set_next(body: &mut [u8], block: u32, next: Option<u32>) -> Result<()> {
    read(body, block)?;
    put(body, 0, &next.unwrap_or(0).to_le_bytes());
    Ok(())
}

/// The next page of the chain and the numbers in the page of `block`.
pub(crate) fn read(body: &[u8], block: u32) -> Result<(Option<u32>, Vec<u32>)> {
    if page_kind(body, block)? != PageKind::PageList {
        return Err(Error::corrupted(block, "page is not a list of pages"));
    }
    let (next, count) = (u32_at(body, 0), u32_at(body, 4) as usize);
    if count > CAPACITY {
        return Err(Error::corrupted(block, "list of pages is too long"));
    }
    let numbers = body[HEADER..PAGE_USABLE].as_chunks::<4>().0.iter().take(count);
    let numbers: Vec<u32> = numbers.map(|&bytes| u32::from_le_bytes(bytes)).collect();
    if numbers.iter().any(|&number| number < FIRST_BLOCK) || next == 1 {
        return Err(Error::corrupted(block, "list of pages names a page that is never free"));
    }
    Ok((Some(next).filter(|&next| next != 0), numbers))
}

/// Tells each page of the chain from `first` to `last`, or to its end, with the numbers in it.
///
/// # Errors
/// Those of the store and of `tell`; [`Error::Corrupted`] if the chain does not end at its last page.
pub(crate) fn walk<S: PageStore>(
    store: &S,
    first: u32,
    last: Option<u32>,
    mut tell: impl FnMut(u32, &[u32]) -> Result<()>,
) -> Result<()> {
    let mut left = store.blocks()?;
    let mut block = first;
    loop {
        store.pause()?;
        let (next, numbers) = read(&store.read(block)?, block)?;
        tell(block, &numbers)?;
        match next {
            Some(next) if last != Some(block) => block = next,
            None if last.is_some_and(|last| last != block) => {
                return Err(Error::corrupted(block, "chain of pages ends early"));
            }
            _ => return Ok(()),
        }
        left = left.checked_sub(1).ok_or(Error::corrupted(block, "chain of pages leads back"))?;
    }
}

#[cfg(test)]
mod tests {
    use pages::PAGE_BODY;

    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        let numbers: Vec<u32> = (5..5 + CAPACITY as u32).collect();
        let mut body = vec![0; PAGE_BODY];
        write(&mut body, 3, Some(9), &numbers);
        assert_eq!(read(&body, 3), Ok((Some(9), numbers)));
        set_next(&mut body, 3, None).expect("is a list");
        assert_eq!(read(&body, 3).expect("is a list").0, None);
        body[4..8].fill(0xFF);
        assert!(read(&body, 3).is_err());
    }
}

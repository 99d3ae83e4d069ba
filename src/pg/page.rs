//! The frame of an index page: PostgreSQL's header before the body, nothing behind it.
//!
//! A body ends in a trailer of the index's own, which is what PostgreSQL calls the special space.
//! `pd_lower` is set to `pd_upper`, so that nobody takes the middle of the page for a hole that
//! need not be logged.

#![allow(unsafe_code)] // pages are raw memory

use std::slice;

use pages::{PAGE_BODY, PAGE_USABLE};
use pgrx::pg_sys::{self, BLCKSZ, Page, PageHeader};

/// Bytes of the header.
const HEADER: usize = BLCKSZ as usize - PAGE_BODY;

const _: () = assert!(HEADER == 24 && BLCKSZ == 8192, "bodies are made for pages of 8 kB");

/// Writes the header of an empty page; the body becomes zero.
///
/// # Safety
/// `page` is writable memory of a page.
pub unsafe fn init(page: Page) {
    // SAFETY: the caller's promise; `PageInit` raises no error for these sizes.
    unsafe {
        pg_sys::PageInit(page, BLCKSZ as usize, PAGE_BODY - PAGE_USABLE);
        let header = page.cast::<pg_sys::PageHeaderData>();
        (*header).pd_lower = (*header).pd_upper;
    }
}

/// Whether a page was added to the file but never written.
///
/// # Safety
/// `page` is readable memory of a page.
pub unsafe fn is_new(page: Page) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*(page as PageHeader)).pd_upper == 0 }
}

/// The body of a page.
///
/// # Safety
/// `page` is readable memory of a page that nobody writes to during `'a`.
#[inline]
pub unsafe fn body<'a>(page: Page) -> &'a [u8] {
    // SAFETY: the caller's promise; header and body make up the page.
    unsafe { slice::from_raw_parts(page.cast::<u8>().add(HEADER), PAGE_BODY) }
}

/// The body of a page, to be written.
///
/// # Safety
/// `page` is memory of a page that nobody else reads or writes during `'a`.
#[inline]
pub unsafe fn body_mut<'a>(page: Page) -> &'a mut [u8] {
    // SAFETY: the caller's promise; header and body make up the page.
    unsafe { slice::from_raw_parts_mut(page.cast::<u8>().add(HEADER), PAGE_BODY) }
}

//! An index without documents, and what it was made with.

use pages::{Batch, Error, META_BLOCK, PAGE_BODY, PAGE_USABLE, PageKind, PageStore, Result};
use pages::{init_page, page_kind};

use crate::fields::{put, u32_at};
use crate::meta::{DEFINITION_BLOCK, Meta, Options};

/// The most bytes of a definition.
pub const MAX_DEFINITION: usize = 8_000;

/// Writes an index without documents into an empty store. `definition` tells the host how documents
/// are made of rows, and is kept as it is.
///
/// # Errors
/// [`Error::Limit`] if options are out of range or the definition is longer than [`MAX_DEFINITION`], and
/// those of the store.
pub fn create<S: PageStore>(store: &S, options: Options, definition: &[u8]) -> Result<()> {
    let [meta, kept] = first_pages(options, definition)?;
    let mut batch = store.batch();
    batch.create(META_BLOCK)?.copy_from_slice(&meta);
    batch.create(DEFINITION_BLOCK)?.copy_from_slice(&kept);
    batch.commit()
}

/// The first two pages of an index without documents.
pub(crate) fn first_pages(options: Options, definition: &[u8]) -> Result<[Vec<u8>; 2]> {
    if !options.validate() {
        return Err(Error::Limit("options of an inverted index"));
    }
    if definition.len() > MAX_DEFINITION {
        return Err(Error::Limit("definition of an inverted index"));
    }
    let [mut meta, mut kept] = [(); 2].map(|()| vec![0; PAGE_BODY]);
    Meta::new(options).encode(&mut meta);
    init_page(&mut kept, PageKind::Definition, DEFINITION_BLOCK);
    put(&mut kept, 0, &(definition.len() as u32).to_le_bytes());
    put(&mut kept, 4, definition);
    Ok([meta, kept])
}

/// The definition that the index was made with.
///
/// # Errors
/// Those of the store, and [`Error::Corrupted`].
pub fn definition<S: PageStore>(store: &S) -> Result<Vec<u8>> {
    let body = store.read(DEFINITION_BLOCK)?;
    if page_kind(&body, DEFINITION_BLOCK)? != PageKind::Definition {
        return Err(Error::corrupted(DEFINITION_BLOCK, "page is not a definition"));
    }
    let len = u32_at(&body, 0) as usize;
    let bytes = body.get(4..PAGE_USABLE).and_then(|bytes| bytes.get(..len));
    bytes.map(<[u8]>::to_vec).ok_or(Error::corrupted(DEFINITION_BLOCK, "definition is too long"))
}

/// The options that the index was made with.
///
/// # Errors
/// Those of the store, and [`Error::Corrupted`].
pub fn options<S: PageStore>(store: &S) -> Result<Options> {
    Ok(Meta::read(store)?.options)
}

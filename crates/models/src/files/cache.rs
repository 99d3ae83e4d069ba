//! Models that a process has loaded.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Folder, Identity};
use crate::Error;

struct Loaded<M> {
    folder: PathBuf,
    sha256: Option<[u8; 32]>,
    identity: Identity,
    model: Arc<M>,
}

/// The models of a kind, the one used last at the end.
pub(crate) struct Cache<M> {
    loaded: Mutex<Vec<Loaded<M>>>,
    most: usize,
}

impl<M> Cache<M> {
    /// One that keeps at most so many.
    pub(crate) const fn new(most: usize) -> Self {
        Self { loaded: Mutex::new(Vec::new()), most }
    }

    /// The model of a folder. It is loaded if the process does not have it yet, or the files are
    /// others than they were.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File), and those of `load`.
    pub(crate) fn get(
        &self,
        folder: &Folder<'_>,
        sha256: Option<&[u8; 32]>,
        load: impl FnOnce() -> Result<M, Error>,
    ) -> Result<Arc<M>, Error> {
        let identity = folder.identity()?;
        let is_same =
            |loaded: &Loaded<M>| loaded.folder == folder.path && loaded.sha256.as_ref() == sha256;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(position) = loaded.iter().position(is_same) {
            let found = loaded.remove(position);
            if found.identity == identity {
                let model = Arc::clone(&found.model);
                loaded.push(found);
                return Ok(model);
            }
        }
        // Others wait, and then find it.
        let model = Arc::new(load()?);
        if loaded.len() == self.most {
            loaded.remove(0);
        }
        let (folder, sha256) = (folder.path.to_path_buf(), sha256.copied());
        loaded.push(Loaded { folder, sha256, identity, model: Arc::clone(&model) });
        Ok(model)
    }
}

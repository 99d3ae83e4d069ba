//! Models that a process has loaded.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::StaticModel;
use super::files::{Identity, identity};
use crate::Error;

/// How many models a process keeps.
const MOST: usize = 8;

struct Loaded {
    folder: PathBuf,
    sha256: Option<[u8; 32]>,
    identity: Identity,
    model: Arc<StaticModel>,
}

static LOADED: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());

/// The model of a folder. It is loaded if the process does not have it yet, or the files are others
/// than they were.
///
/// # Errors
/// [`ErrorKind::File`](crate::ErrorKind::File)
pub(crate) fn model(folder: &Path, sha256: Option<&[u8; 32]>) -> Result<Arc<StaticModel>, Error> {
    let identity = identity(folder)?;
    let is_same = |loaded: &Loaded| loaded.folder == folder && loaded.sha256.as_ref() == sha256;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(position) = loaded.iter().position(is_same) {
        let found = loaded.remove(position);
        if found.identity == identity {
            let model = Arc::clone(&found.model);
            loaded.push(found);
            return Ok(model);
        }
    }
    // Others wait, and then find it.
    let model = Arc::new(StaticModel::load(folder, sha256)?);
    if loaded.len() == MOST {
        loaded.remove(0);
    }
    let folder = folder.to_path_buf();
    loaded.push(Loaded { folder, sha256: sha256.copied(), identity, model: Arc::clone(&model) });
    Ok(model)
}

//! The files of a model.

#![allow(unsafe_code)] // maps a file

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use memmap2::Mmap;

use super::failure;
use crate::Error;
use crate::error::out_of_memory;

const LONGEST_CONFIG: u64 = 1 << 20;
const LONGEST_TOKENIZER: u64 = 1 << 27;

/// The contents of a folder.
pub(super) struct Files {
    pub(super) config: Vec<u8>,
    pub(super) tokenizer: Vec<u8>,
    /// Shared by all processes that use the model.
    pub(super) model: Mmap,
}

/// What tells a file from one that has taken its place.
pub(super) type Identity = [(u64, u64, i64, i64, u64); 3];

const NAMES: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

/// Which files a folder has now.
///
/// # Errors
/// [`ErrorKind::File`](crate::ErrorKind::File) if one cannot be looked at.
pub(super) fn identity(folder: &Path) -> Result<Identity, Error> {
    let mut identity = [(0, 0, 0, 0, 0); 3];
    for (name, file) in NAMES.iter().zip(&mut identity) {
        let found = std::fs::metadata(folder.join(name))
            .map_err(|error| failure(folder, name, &error.to_string()))?;
        *file = (found.dev(), found.ino(), found.mtime(), found.mtime_nsec(), found.len());
    }
    Ok(identity)
}

impl Files {
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if one cannot be read, or they are not those with
    /// the hash.
    pub(super) fn open(folder: &Path, sha256: Option<&[u8; 32]>) -> Result<Self, Error> {
        let [config_name, model_name, tokenizer_name] = NAMES;
        let config = read(folder, config_name, LONGEST_CONFIG)?;
        let tokenizer = read(folder, tokenizer_name, LONGEST_TOKENIZER)?;
        let file = open(folder, model_name)?;
        // SAFETY: The mapping is read as bytes, each of which may have any value, and no reference
        // into it outlives it. `open` has made sure that only the owner of the file can write to it;
        // the documentation says that a model is replaced and never changed, as with libraries.
        let model = unsafe { Mmap::map(&file) }
            .map_err(|error| failure(folder, model_name, &error.to_string()))?;
        if let Some(expected) = sha256 {
            let mut context = ring::digest::Context::new(&ring::digest::SHA256);
            [&config[..], &model, &tokenizer].iter().for_each(|bytes| context.update(bytes));
            if context.finish().as_ref() != expected {
                let what = "the files are not those of the option \"sha256\"";
                return Err(failure(folder, "", what));
            }
        }
        Ok(Self { config, tokenizer, model })
    }
}

/// A regular file that nobody but its owner can change.
fn open(folder: &Path, name: &str) -> Result<File, Error> {
    let path = folder.join(name);
    let fail = |error: std::io::Error| failure(folder, name, &error.to_string());
    // Opening a pipe would wait for whoever writes to it.
    if !std::fs::metadata(&path).map_err(fail)?.is_file() {
        return Err(failure(folder, name, "it is not a regular file"));
    }
    let file = File::open(&path).map_err(fail)?;
    let found = file.metadata().map_err(fail)?;
    if !found.is_file() {
        return Err(failure(folder, name, "it is not a regular file"));
    }
    if found.mode() & 0o022 != 0 {
        let what = "others than its owner can write to it; use chmod go-w";
        return Err(failure(folder, name, what));
    }
    Ok(file)
}

/// All of a file that is not too long.
fn read(folder: &Path, name: &str, longest: u64) -> Result<Vec<u8>, Error> {
    let file = open(folder, name)?;
    let fail = |error: std::io::Error| failure(folder, name, &error.to_string());
    let length = file.metadata().map_err(fail)?.len();
    if length > longest {
        return Err(failure(folder, name, &format!("it is longer than {longest} bytes")));
    }
    let mut bytes = memory::with_room(length as usize + 1).map_err(out_of_memory)?;
    // One more byte than there should be shows that it grows.
    file.take(length + 1).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

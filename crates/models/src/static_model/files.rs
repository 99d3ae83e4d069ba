//! The files of a model.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::{failure, unreadable};
use crate::Error;
use crate::error::out_of_memory;

const LONGEST_CONFIG: u64 = 1 << 20;
const LONGEST_TOKENIZER: u64 = 1 << 27;
/// Bytes of a file that are hashed at a time.
const HASHED: usize = 1 << 16;

/// The contents of a folder.
pub(super) struct Files {
    pub(super) config: Vec<u8>,
    pub(super) tokenizer: Vec<u8>,
    pub(super) model: Parts,
}

/// A file that is read in parts: its pages are in the operating system's cache, which all processes
/// share. It is not mapped, as the process would end where a mapped file becomes shorter.
#[derive(Debug)]
pub(super) struct Parts {
    file: File,
    len: usize,
}

impl Parts {
    fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len: usize::try_from(len).map_err(io::Error::other)? })
    }

    /// Bytes of the file when it was opened.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Fills `bytes` with what is at a position.
    ///
    /// # Errors
    /// Those of the operating system, and where the file has become shorter.
    pub(super) fn fill(&self, bytes: &mut [u8], at: usize) -> io::Result<()> {
        let read = self.file.read_exact_at(bytes, at as u64);
        read.map_err(|error| {
            let is_short = error.kind() == io::ErrorKind::UnexpectedEof;
            if is_short { io::Error::other("it has become shorter") } else { error }
        })
    }

    /// A part of the file.
    ///
    /// # Errors
    /// As [`Parts::fill`], and [`io::ErrorKind::OutOfMemory`].
    pub(super) fn part(&self, range: Range<usize>) -> io::Result<Vec<u8>> {
        let mut bytes = memory::filled(range.len(), 0).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.fill(&mut bytes, range.start)?;
        Ok(bytes)
    }

    /// Adds all of it to a hash.
    fn hash(&self, context: &mut ring::digest::Context) -> io::Result<()> {
        for start in (0..self.len).step_by(HASHED) {
            context.update(&self.part(start..self.len.min(start + HASHED))?);
        }
        Ok(())
    }
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
        let fail = |error| unreadable(folder, model_name, &error);
        let model = Parts::new(file).map_err(fail)?;
        if let Some(expected) = sha256 {
            let mut context = ring::digest::Context::new(&ring::digest::SHA256);
            context.update(&config);
            model.hash(&mut context).map_err(fail)?;
            context.update(&tokenizer);
            if context.finish().as_ref() != expected {
                let what = "the files are not those of the option \"sha256\"";
                return Err(failure(folder, "", what));
            }
        }
        Ok(Self { config, tokenizer, model })
    }
}

/// A regular file that nobody but its owner can change: vectors are read from it after its hash was
/// checked.
fn open(folder: &Path, name: &str) -> Result<File, Error> {
    let path = folder.join(name);
    let fail = |error: io::Error| failure(folder, name, &error.to_string());
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
    let fail = |error: io::Error| failure(folder, name, &error.to_string());
    let length = file.metadata().map_err(fail)?.len();
    if length > longest {
        return Err(failure(folder, name, &format!("it is longer than {longest} bytes")));
    }
    let mut bytes = memory::with_room(length as usize + 1).map_err(out_of_memory)?;
    // One more byte than there should be shows that it grows.
    file.take(length + 1).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

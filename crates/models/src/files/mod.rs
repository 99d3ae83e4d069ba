//! The files of a model: a folder of the machine that this runs on.

mod cache;
mod parts;

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use memory::Grow;

pub(crate) use cache::Cache;
pub(crate) use parts::{Parts, lost};

use self::parts::failure_of;
use crate::error::out_of_memory;
use crate::{Error, ErrorKind};

const LONGEST_CONFIG: u64 = 1 << 20;
const LONGEST_TOKENIZER: u64 = 1 << 27;

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const MODEL: &str = "model.safetensors";
pub(crate) const TOKENIZER: &str = "tokenizer.json";

/// The files that a folder must have.
const REQUIRED: [&str; 3] = [CONFIG, MODEL, TOKENIZER];

/// A folder with a model.
#[derive(Clone, Copy)]
pub(crate) struct Folder<'f> {
    pub(crate) path: &'f Path,
    /// Files that it may have besides [`CONFIG`], [`MODEL`], and [`TOKENIZER`].
    pub(crate) optional: &'static [&'static str],
    /// What it has to be, in full sentences.
    pub(crate) hint: &'static str,
}

/// The contents of a folder.
pub(crate) struct Files {
    pub(crate) config: Vec<u8>,
    pub(crate) tokenizer: Vec<u8>,
    pub(crate) model: Parts,
    /// Those of the optional files that there are.
    optional: Vec<(&'static str, Vec<u8>)>,
}

impl Files {
    /// An optional file, if there is one.
    pub(crate) fn optional(&self, name: &str) -> Option<&[u8]> {
        self.optional.iter().find(|(found, _)| *found == name).map(|(_, bytes)| &bytes[..])
    }
}

/// What tells the files of a folder from those that have taken their place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity(Vec<Option<Which>>);

/// Device, inode, time of the last change with its nanoseconds, and length of a file.
type Which = (u64, u64, i64, i64, u64);

impl Folder<'_> {
    /// Which files it has now.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if one cannot be looked at.
    fn identity(&self) -> Result<Identity, Error> {
        let mut files =
            memory::with_room(REQUIRED.len() + self.optional.len()).map_err(out_of_memory)?;
        let of =
            |file: Metadata| (file.dev(), file.ino(), file.mtime(), file.mtime_nsec(), file.len());
        for name in REQUIRED {
            let found = std::fs::metadata(self.path.join(name));
            files.push(Some(of(found.map_err(|error| self.unreadable(name, &error))?)));
        }
        for name in self.optional {
            files.push(self.metadata(name)?.map(of));
        }
        Ok(Identity(files))
    }

    /// What the operating system tells of an optional file, if there is one.
    fn metadata(&self, name: &str) -> Result<Option<Metadata>, Error> {
        match std::fs::metadata(self.path.join(name)) {
            Ok(found) => Ok(Some(found)),
            // The folder that it would be in may be missing, or be a file.
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.unreadable(name, &error)),
        }
    }

    /// Reads all files but [`MODEL`].
    ///
    /// # Errors
    /// [`ErrorKind::File`] if one cannot be read, or they are not those with the hash: of
    /// [`CONFIG`], [`MODEL`], [`TOKENIZER`], and the optional files that there are, in their order.
    pub(crate) fn open(
        &self,
        sha256: Option<&[u8; 32]>,
        stop: &AtomicBool,
    ) -> Result<Files, Error> {
        let config = self.read(CONFIG, LONGEST_CONFIG)?;
        let tokenizer = self.read(TOKENIZER, LONGEST_TOKENIZER)?;
        let file = self.open_file(MODEL)?;
        let fail = |error| self.unreadable(MODEL, &error);
        let model = Parts::new(file).map_err(fail)?;
        let mut optional = Vec::new();
        for name in self.optional {
            if self.metadata(name)?.is_some() {
                let file = (*name, self.read(name, LONGEST_CONFIG)?);
                optional.try_push(file).map_err(out_of_memory)?;
            }
        }
        if let Some(expected) = sha256 {
            let mut context = ring::digest::Context::new(&ring::digest::SHA256);
            context.update(&config);
            if !model.hash(&mut context, stop).map_err(fail)? {
                return Err(Error::stopped());
            }
            context.update(&tokenizer);
            optional.iter().for_each(|(_, bytes)| context.update(bytes));
            if context.finish().as_ref() != expected {
                let what = "the files are not those of the option \"sha256\"";
                return Err(self.failure("", what));
            }
        }
        Ok(Files { config, tokenizer, model, optional })
    }

    /// A regular file that nobody but its owner can change: vectors are read from it after its hash
    /// was checked.
    fn open_file(&self, name: &str) -> Result<File, Error> {
        let path = self.path.join(name);
        let fail = |error: io::Error| self.unreadable(name, &error);
        // Opening a pipe would wait for whoever writes to it.
        if !std::fs::metadata(&path).map_err(fail)?.is_file() {
            return Err(self.failure(name, "it is not a regular file"));
        }
        let file = File::open(&path).map_err(fail)?;
        let found = file.metadata().map_err(fail)?;
        if !found.is_file() {
            return Err(self.failure(name, "it is not a regular file"));
        }
        if found.mode() & 0o022 != 0 {
            let what = "others than its owner can write to it; use chmod go-w";
            return Err(self.failure(name, what));
        }
        Ok(file)
    }

    /// All of a file that is not too long.
    fn read(&self, name: &str, longest: u64) -> Result<Vec<u8>, Error> {
        let file = self.open_file(name)?;
        let fail = |error: io::Error| self.unreadable(name, &error);
        let length = file.metadata().map_err(fail)?.len();
        if length > longest {
            return Err(self.failure(name, &format!("it is longer than {longest} bytes")));
        }
        let mut bytes = memory::with_room(length as usize + 1).map_err(out_of_memory)?;
        // One more byte than there should be shows that it grows.
        file.take(length + 1).read_to_end(&mut bytes).map_err(fail)?;
        Ok(bytes)
    }

    /// The error of a file that cannot be read, or has another form.
    pub(crate) fn unreadable(&self, file: &str, error: &io::Error) -> Error {
        failure_of(error, || self.failure(file, &error.to_string()))
    }

    /// The error of a file of JSON that has another form.
    pub(crate) fn malformed(&self, file: &str, error: &serde_json::Error) -> Error {
        self.failure(file, &crate::error::bounded(&error.to_string(), 200))
    }

    /// The error of a file.
    pub(crate) fn failure(&self, file: &str, what: &str) -> Error {
        Error {
            kind: ErrorKind::File,
            message: format!("could not use \"{}\": {what}", self.path.join(file).display()),
            hint: Some(self.hint.into()),
            input: None,
        }
    }
}

/// Whether there is no file of a name.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

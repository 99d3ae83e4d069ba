//! Copies of models in files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use models::{Endpoint, Error};
use serde::Deserialize;

use crate::{embed, options};

/// A copy of a model, which is removed at the end.
pub(crate) struct Folder {
    provider: &'static str,
    pub(crate) path: PathBuf,
}

/// Where a model of the tests is.
pub(crate) fn data(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(model)
}

/// Texts, and their vectors by the library that the model is of.
#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) texts: Vec<String>,
    pub(crate) vectors: Vec<Vec<f32>>,
}

pub(crate) fn expected(model: &str) -> Expected {
    let json = fs::read(data(model).join("expected.json")).expect("a file");
    serde_json::from_slice(&json).expect("a valid file")
}

impl Folder {
    pub(crate) fn new(provider: &'static str, model: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("models-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Self { provider, path: std::env::temp_dir().join(name) };
        fs::create_dir(&folder.path).expect("a folder");
        for file in files(&data(model)) {
            folder.write(&file, &fs::read(data(model).join(&file)).expect("a file"));
        }
        folder
    }

    /// Replaces a file, as a model is to be replaced.
    pub(crate) fn write(&self, file: &str, bytes: &[u8]) {
        let new = self.path.join("new");
        fs::write(&new, bytes).expect("a file");
        fs::set_permissions(&new, PermissionsExt::from_mode(0o644)).expect("a file");
        let file = self.path.join(file);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::rename(new, file).expect("a file");
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.path.join(file)).expect("a file")
    }

    /// Replaces a part of a file, which is there.
    pub(crate) fn replace(&self, file: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.read(file)).expect("a text");
        assert!(text.contains(from), "{file} has no {from}");
        self.write(file, text.replace(from, to).as_bytes());
    }

    /// The files that it has, and those in its folders.
    pub(crate) fn files(&self) -> Vec<String> {
        files(&self.path)
    }

    pub(crate) fn endpoint(&self, more: &[(&str, &str)]) -> Endpoint {
        let path = self.path.to_str().expect("a path");
        let mut pairs = vec![("provider", self.provider), ("path", path)];
        pairs.extend(more);
        Endpoint::new("words", &options(&pairs), &[]).expect("valid options")
    }

    pub(crate) fn error(&self) -> Error {
        embed(&self.endpoint(&[]), &["green tea"]).expect_err("a bad model")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The files of a model, in their order.
fn files(path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).expect("a folder") {
        let entry = entry.expect("a file");
        let name = entry.file_name().into_string().expect("a name");
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|file| format!("{name}/{file}")));
        } else if name != "expected.json" {
            found.push(name);
        }
    }
    found.sort();
    found
}

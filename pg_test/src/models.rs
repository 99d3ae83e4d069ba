//! What tests ask of a provider of models.

use std::fs;
use std::path::{Path, PathBuf};

use model_server::{ModelServer, embedding};

use crate::place::give_to_server_user;
use crate::{Cluster, Result};

/// Dimensions of the vectors of [`ModelServer`].
const DIMENSIONS: usize = model_server::DIMENSIONS;

/// The texts that a provider was sent since this was asked last, a list for each request.
pub fn sent(models: &ModelServer) -> Vec<Vec<String>> {
    let requests = models.requests();
    models.forget();
    let texts = requests.iter().map(|request| {
        let texts =
            ["input", "documents", "texts"].iter().find_map(|name| request.body[name].as_array());
        let texts = texts.into_iter().flatten();
        texts.filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    });
    texts.collect()
}

/// The vector of a text, as SQL shows it.
pub fn vector_of(text: &str) -> String {
    let numbers: Vec<String> = embedding(text, DIMENSIONS).iter().map(f32::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// `CREATE SERVER` of a model that embeds, with more options.
pub fn create_model(name: &str, models: &ModelServer, options: &str) -> String {
    format!(
        "CREATE SERVER {name} FOREIGN DATA WRAPPER vector_ext_model
             OPTIONS (provider 'openai', model 'words', url '{}/v1' {options})",
        models.url()
    )
}

/// The files of a static model, in the order of their hash.
pub const MODEL_FILES: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

/// Copies the files of a model, and its folders, to where a server can read them; the new folder.
pub fn copy_model(cluster: &Cluster, name: &str, files: &Path) -> Result<PathBuf> {
    let folder = cluster.data_dir().with_file_name(format!("model_{name}"));
    copy_folder(files, &folder)?;
    Ok(folder)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let from = entry?.path();
        let Some(name) = from.file_name() else { continue };
        let copy = to.join(name);
        if from.is_dir() {
            copy_folder(&from, &copy)?;
        } else {
            fs::copy(&from, &copy)?;
            give_to_server_user(&copy)?;
        }
    }
    give_to_server_user(to)
}

//! What sentence-transformers does before and after the encoder: `modules.json`, and the files that
//! belong to modules.

use serde::Deserialize;

use super::pooling::Pooling;
use crate::Error;
use crate::error::bounded;
use crate::files::{Files, Folder};

pub(super) const MODULES: &str = "modules.json";
pub(super) const POOLING: &str = "1_Pooling/config.json";
pub(super) const PROMPTS: &str = "config_sentence_transformers.json";
/// Older versions named the file after the model.
pub(super) const SENTENCES: [&str; 3] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_xlm-roberta_config.json",
];

/// What is done with texts and with the vectors of their tokens.
#[derive(Debug)]
pub(super) struct Modules {
    pub(super) pooling: Pooling,
    pub(super) is_normalized: bool,
    /// Tokens of a text at most.
    pub(super) longest: Option<usize>,
    pub(super) is_lowercase: bool,
    /// What goes before a text, unless something else is to.
    pub(super) prompt: Option<String>,
}

impl Modules {
    /// Of a folder without a list of them: the mean of the tokens' vectors.
    fn usual() -> Self {
        Self {
            pooling: Pooling::Mean,
            is_normalized: false,
            longest: None,
            is_lowercase: false,
            prompt: None,
        }
    }

    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) for a file with another form, or a module that is
    /// not known.
    pub(super) fn new(folder: &Folder<'_>, files: &Files) -> Result<Self, Error> {
        let Some(json) = files.optional(MODULES) else { return Ok(Self::usual()) };
        #[derive(Deserialize)]
        struct Module {
            r#type: String,
            path: String,
        }
        let modules: Vec<Module> =
            serde_json::from_slice(json).map_err(|error| folder.malformed(MODULES, &error))?;
        let names = modules.iter().map(|module| module.r#type.rsplit('.').next().unwrap_or(""));
        for (position, name) in names.enumerate() {
            if ["Transformer", "Pooling", "Normalize"].get(position) != Some(&name) {
                let what = format!("module \"{}\" is not supported there", bounded(name, 60));
                return Err(folder.failure(MODULES, &what));
            }
        }
        let [first, second, rest @ ..] = &modules[..] else {
            return Err(
                folder.failure(MODULES, "it has no modules \"Transformer\" and \"Pooling\"")
            );
        };
        if !first.path.is_empty() || second.path.trim_end_matches('/') != "1_Pooling" {
            let what = "modules in folders other than \"\" and \"1_Pooling\" are not supported";
            return Err(folder.failure(MODULES, what));
        }
        let (longest, is_lowercase) = sentences(folder, files)?;
        Ok(Self {
            pooling: pooling(folder, files)?,
            is_normalized: !rest.is_empty(),
            longest,
            is_lowercase,
            prompt: prompt(folder, files)?,
        })
    }
}

fn pooling(folder: &Folder<'_>, files: &Files) -> Result<Pooling, Error> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(default)]
        pooling_mode_cls_token: bool,
        #[serde(default)]
        pooling_mode_mean_tokens: bool,
        #[serde(default)]
        pooling_mode_max_tokens: bool,
        #[serde(default)]
        pooling_mode_mean_sqrt_len_tokens: bool,
        #[serde(default)]
        pooling_mode_weightedmean_tokens: bool,
        #[serde(default)]
        pooling_mode_lasttoken: bool,
        #[serde(default = "yes")]
        include_prompt: bool,
    }
    let json = files.optional(POOLING);
    let json = json.ok_or_else(|| folder.failure(POOLING, "there is no such file"))?;
    let config: Config =
        serde_json::from_slice(json).map_err(|error| folder.malformed(POOLING, &error))?;
    let modes = [
        (config.pooling_mode_cls_token, "pooling_mode_cls_token", Some(Pooling::First)),
        (config.pooling_mode_mean_tokens, "pooling_mode_mean_tokens", Some(Pooling::Mean)),
        (config.pooling_mode_max_tokens, "pooling_mode_max_tokens", Some(Pooling::Greatest)),
        (config.pooling_mode_mean_sqrt_len_tokens, "pooling_mode_mean_sqrt_len_tokens", None),
        (config.pooling_mode_weightedmean_tokens, "pooling_mode_weightedmean_tokens", None),
        (config.pooling_mode_lasttoken, "pooling_mode_lasttoken", None),
        (!config.include_prompt, "include_prompt", None),
    ];
    let mut chosen = modes.into_iter().filter(|(is_chosen, ..)| *is_chosen);
    let Some((_, name, mode)) = chosen.next() else {
        return Err(folder.failure(POOLING, "it has no pooling mode"));
    };
    let (name, mode) = match chosen.next() {
        Some((_, second, _)) if mode.is_some() => (second, None),
        _ => (name, mode),
    };
    mode.ok_or_else(|| folder.failure(POOLING, &format!("\"{name}\" is not supported with this")))
}

fn yes() -> bool {
    true
}

/// How long a text may be, and whether it is made lower case first.
fn sentences(folder: &Folder<'_>, files: &Files) -> Result<(Option<usize>, bool), Error> {
    #[derive(Deserialize)]
    struct Config {
        max_seq_length: Option<usize>,
        #[serde(default)]
        do_lower_case: bool,
    }
    let found = SENTENCES.iter().find_map(|name| Some((name, files.optional(name)?)));
    let Some((name, json)) = found else { return Ok((None, false)) };
    let config: Config =
        serde_json::from_slice(json).map_err(|error| folder.malformed(name, &error))?;
    Ok((config.max_seq_length, config.do_lower_case))
}

fn prompt(folder: &Folder<'_>, files: &Files) -> Result<Option<String>, Error> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(default)]
        prompts: std::collections::HashMap<String, String>,
        default_prompt_name: Option<String>,
    }
    let Some(json) = files.optional(PROMPTS) else { return Ok(None) };
    let mut config: Config =
        serde_json::from_slice(json).map_err(|error| folder.malformed(PROMPTS, &error))?;
    let Some(name) = config.default_prompt_name else { return Ok(None) };
    let prompt = config.prompts.remove(&name);
    prompt.map(Some).ok_or_else(|| folder.failure(PROMPTS, "it does not have the default prompt"))
}

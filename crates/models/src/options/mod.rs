//! The options of servers and user mappings.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use crate::Invalid;
use crate::http::Url;
use crate::provider::{self, Provider};
use crate::secret::{KeySource, Secret};

use self::values::{
    api_version, boolean, path, required, sha256, shown, task, timeout, truncate, value_error,
    variable, whole,
};

/// Most dimensions of a vector.
pub(crate) const MOST_DIMENSIONS: usize = 16_000;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Options of all providers that are called over a network.
const REMOTE: [&str; 8] =
    ["provider", "url", "model", "dim", "batch", "timeout", "allow_http", "prompt"];
/// Options of models in files.
const IN_FILES: [&str; 5] = ["provider", "path", "sha256", "dim", "prompt"];
const USER_MAPPING: [&str; 3] = ["api_key", "api_key_env", "api_key_file"];
/// Options that let whoever sets them read files and variables of the database server.
const SUPERUSER_ONLY: [&str; 3] = ["path", "api_key_env", "api_key_file"];

/// What the options belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `CREATE FOREIGN DATA WRAPPER`
    Wrapper,
    /// `CREATE SERVER`
    Server,
    /// `CREATE USER MAPPING`
    UserMapping,
}

/// Checks options as they are given to a wrapper, server, or user mapping.
///
/// # Errors
/// [`Invalid`] for an option that does not exist there, a value that is not allowed, or an option
/// that only superusers may set.
pub fn validate(
    place: Place,
    options: &[(String, String)],
    is_superuser: bool,
) -> Result<(), Invalid> {
    match place {
        Place::Wrapper => known(options, &[])?,
        Place::Server => drop(Settings::new(options)?),
        Place::UserMapping => drop(key_source(options)?),
    }
    match options.iter().find(|(name, _)| SUPERUSER_ONLY.contains(&name.as_str())) {
        Some((name, _)) if !is_superuser => Err(Invalid {
            message: format!("only superusers may set the option \"{name}\""),
            detail: Some("It refers to a file or variable of the database server.".into()),
            hint: None,
        }),
        _ => Ok(()),
    }
}

/// What computes vectors and scores.
#[derive(Clone, Debug)]
pub(crate) enum Backend {
    /// A provider over HTTP.
    Remote(Remote),
    /// A folder with a static model.
    Static(Source),
    /// A folder with a model that is run here.
    Local(Source),
}

/// A folder with a model.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// The SHA-256 that its files must have.
    pub(crate) sha256: Option<[u8; 32]>,
}

/// The options of a provider over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) provider: &'static dyn Provider,
    pub(crate) url: Url,
    /// Whether `url` is the provider's own.
    pub(crate) is_default_url: bool,
    pub(crate) model: Option<String>,
    pub(crate) batch: usize,
    pub(crate) timeout: Duration,
    pub(crate) task: Option<String>,
    pub(crate) truncate: Option<Truncate>,
    pub(crate) max_tokens: Option<usize>,
    pub(crate) user: Option<String>,
    pub(crate) api_version: Option<String>,
}

impl Remote {
    /// The model; empty where the server has only one.
    pub(crate) fn model(&self) -> &str {
        self.model.as_deref().unwrap_or_default()
    }
}

/// What is cut off from inputs that are too long for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truncate {
    /// Nothing: they are errors.
    None,
    Start,
    End,
}

/// The options of a server.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) backend: Backend,
    pub(crate) dim: Option<usize>,
    pub(crate) prompt: Option<String>,
}

impl Settings {
    /// # Errors
    /// [`Invalid`]
    pub(crate) fn new(options: &[(String, String)]) -> Result<Self, Invalid> {
        let get = |name: &str| {
            options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
        };
        let Some(name) = get("provider") else {
            return Err(Invalid {
                hint: Some(format!("Providers are: {}.", provider::names().join(", "))),
                ..Invalid::new("option \"provider\" is required")
            });
        };
        let backend = if [provider::STATIC, provider::LOCAL].contains(&name) {
            known(options, &IN_FILES)?;
            let source = Source {
                path: get("path").map(path).transpose()?.ok_or_else(|| required("path", name))?,
                sha256: get("sha256").map(sha256).transpose()?,
            };
            if name == provider::STATIC { Backend::Static(source) } else { Backend::Local(source) }
        } else {
            let provider = provider::find(name).ok_or_else(|| Invalid {
                hint: Some(format!("Providers are: {}.", provider::names().join(", "))),
                ..value_error("provider", name)
            })?;
            let mut allowed = REMOTE.to_vec();
            allowed.extend(provider.options());
            known(options, &allowed)?;
            Backend::Remote(remote(provider, &get)?)
        };
        Ok(Self {
            backend,
            dim: get("dim").map(|value| whole("dim", value, MOST_DIMENSIONS)).transpose()?,
            prompt: get("prompt").map(Into::into),
        })
    }
}

fn remote<'o>(
    provider: &'static dyn Provider,
    get: &impl Fn(&str) -> Option<&'o str>,
) -> Result<Remote, Invalid> {
    let allow_http = get("allow_http").map(|value| boolean("allow_http", value)).transpose()?;
    let url = get("url").or(provider.url()).ok_or_else(|| required("url", provider.name()))?;
    let model = get("model");
    if let Some(model) = model
        && (model.is_empty() || model.len() > 500 || model.contains(char::is_control))
    {
        return Err(value_error("model", model));
    }
    if model.is_none() && provider.needs_model() {
        return Err(required("model", provider.name()));
    }
    let batch = provider.batch();
    let max_tokens = get("max_tokens").map(|value| whole("max_tokens", value, 1 << 20));
    Ok(Remote {
        provider,
        url: Url::new(url, allow_http.unwrap_or(false))?,
        is_default_url: get("url").is_none(),
        model: model.map(Into::into),
        batch: get("batch").map_or(Ok(batch.usual), |value| whole("batch", value, batch.most))?,
        timeout: get("timeout").map_or(Ok(DEFAULT_TIMEOUT), timeout)?,
        task: get("task").map(|value| task(provider, value)).transpose()?,
        truncate: get("truncate").map(truncate).transpose()?,
        max_tokens: max_tokens.transpose()?,
        user: get("user").map(Into::into),
        api_version: get("api_version").map(api_version).transpose()?,
    })
}

/// Where the key of a user mapping comes from.
///
/// # Errors
/// [`Invalid`], which does not tell the values.
pub(crate) fn key_source(options: &[(String, String)]) -> Result<KeySource, Invalid> {
    known(options, &USER_MAPPING)?;
    let [(name, value)] = options else {
        return match options {
            [] => Ok(KeySource::None),
            _ => Err(Invalid {
                hint: Some(format!("Set only one of: {}.", USER_MAPPING.join(", "))),
                ..Invalid::new("user mapping has more than one key")
            }),
        };
    };
    let source = match name.as_str() {
        "api_key" => Secret::new(value).map(KeySource::Given),
        "api_key_env" => variable(value).map(KeySource::Environment),
        _ => path(value).ok().map(KeySource::File),
    };
    source.ok_or_else(|| Invalid {
        hint: Some(
            match name.as_str() {
                "api_key" => "A key consists of visible ASCII characters.",
                "api_key_env" => "The value must be the name of an environment variable.",
                _ => "The value must be an absolute path.",
            }
            .into(),
        ),
        ..Invalid::new(format!("invalid value for option \"{name}\""))
    })
}

/// Whether all options are among those `allowed`.
fn known(options: &[(String, String)], allowed: &[&str]) -> Result<(), Invalid> {
    match options.iter().find(|(name, _)| !allowed.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(Invalid {
            hint: Some(match allowed {
                [] => "There are no valid options in this context.".into(),
                _ => format!("Valid options in this context are: {}.", allowed.join(", ")),
            }),
            ..Invalid::new(format!("invalid option \"{}\"", shown(name)))
        }),
    }
}

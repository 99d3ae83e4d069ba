//! The little languages that values are translated to: they travel as parameters.

pub(crate) mod json_path;
pub(crate) mod like;
pub(crate) mod regex;
pub(crate) mod text_search;
pub(crate) mod time;

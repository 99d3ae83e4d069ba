//! The analyzers that are compared.

/// An analyzer of full text.
#[derive(Debug, Clone, Copy)]
pub struct Analyzer {
    /// How reports call it.
    pub name: &'static str,
    /// The option `analyzer` of the index.
    pub option: &'static str,
}

/// Lower case, split at what is neither letter nor digit.
pub const STANDARD: Analyzer = Analyzer { name: "standard", option: "standard" };
/// Milvus's `english`: stems, then 33 stop words.
pub const MILVUS_ENGLISH: Analyzer =
    Analyzer { name: "Milvus's english", option: r#"{"type": "english"}"# };
/// PostgreSQL's `english`: 127 stop words, then stems.
pub const ENGLISH: Analyzer = Analyzer { name: "english", option: "english" };

/// All of them.
pub const ANALYZERS: [Analyzer; 4] = [
    STANDARD,
    Analyzer {
        name: "standard, stop",
        option: r#"{"tokenizer": "standard", "filter": ["lowercase", {"type": "stop", "stop_words": ["_english_"]}]}"#,
    },
    MILVUS_ENGLISH,
    ENGLISH,
];

/// Text search configurations for GIN and `ts_rank`.
pub const CONFIGURATIONS: [&str; 2] = ["simple", "english"];

impl Analyzer {
    /// The statement that builds an index of `column` of `items`, called `items_` and the column.
    pub fn create_index(&self, column: &str, positions: bool) -> String {
        let option = self.option;
        format!(
            "CREATE INDEX items_{column} ON items USING inverted ({column}) \
             WITH (analyzer = $${option}$$, positions = {positions})"
        )
    }
}

//! What an analyzer consists of, and the canonical JSON for it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// An analyzer as it was described.
#[derive(Debug, PartialEq)]
pub(crate) struct Specification {
    pub tokenizer: TokenizerKind,
    pub filters: Vec<FilterKind>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum TokenizerKind {
    Standard,
    Whitespace,
    Jieba(Jieba),
    Icu,
}

/// Options of the tokenizer `jieba`.
#[derive(Debug, PartialEq)]
pub(crate) struct Jieba {
    /// Whether to use the dictionary of jieba.
    pub default_dictionary: bool,
    /// Further words.
    pub words: BTreeSet<String>,
    /// Whether to return words inside words too, instead of a partition of the text.
    pub search: bool,
    /// Whether to guess words that no dictionary has, by a hidden Markov model.
    pub hmm: bool,
}

impl Default for Jieba {
    fn default() -> Self {
        Self { default_dictionary: true, words: BTreeSet::new(), search: true, hmm: true }
    }
}

#[derive(Debug, PartialEq)]
pub(crate) enum FilterKind {
    Lowercase,
    AsciiFolding,
    AlphaNumOnly,
    CnAlphaNumOnly,
    CnCharOnly,
    RemovePunct,
    DecimalDigit,
    ArabicNormalization,
    /// Longest token in bytes.
    Length(u64),
    /// Words and names of lists.
    Stop(BTreeSet<String>),
    Stemmer(Language),
    Decompounder(BTreeSet<String>),
    Regex(String),
}

macro_rules! languages {
    ($($variant:ident $name:literal $algorithm:ident,)*) => {
        /// Languages that have a stemmer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Language { $($variant,)* }

        impl Language {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(crate) fn algorithm(self) -> frostem::Algorithm {
                match self { $(Self::$variant => frostem::Algorithm::$algorithm,)* }
            }
        }
    };
}

languages! {
    Arabic "arabic" Arabic,
    Danish "danish" Danish,
    // Snowball's `dutch` became another algorithm in version 3; Milvus has the older one.
    Dutch "dutch" DutchPorter,
    English "english" English,
    Finnish "finnish" Finnish,
    French "french" French,
    German "german" German,
    Greek "greek" Greek,
    Hungarian "hungarian" Hungarian,
    Italian "italian" Italian,
    Norwegian "norwegian" Norwegian,
    Portuguese "portuguese" Portuguese,
    Romanian "romanian" Romanian,
    Russian "russian" Russian,
    Spanish "spanish" Spanish,
    Swedish "swedish" Swedish,
    Tamil "tamil" Tamil,
    Turkish "turkish" Turkish,
}

impl Specification {
    /// The JSON of the analyzer: the tokenizer and the filters, without options that have their
    /// default.
    pub(crate) fn to_json(&self) -> String {
        let tokenizer = match &self.tokenizer {
            TokenizerKind::Standard => json!("standard"),
            TokenizerKind::Whitespace => json!("whitespace"),
            TokenizerKind::Icu => json!("icu"),
            TokenizerKind::Jieba(options) => options.to_json(),
        };
        let filters: Vec<Value> = self.filters.iter().map(FilterKind::to_json).collect();
        json!({ "tokenizer": tokenizer, "filter": filters }).to_string()
    }
}

impl Jieba {
    fn to_json(&self) -> Value {
        if *self == Self::default() {
            return json!("jieba");
        }
        let mut dictionary: Vec<&str> = Vec::new();
        if self.default_dictionary {
            dictionary.push("_default_");
        }
        dictionary.extend(self.words.iter().map(String::as_str));
        let mode = if self.search { "search" } else { "exact" };
        json!({ "type": "jieba", "dict": dictionary, "mode": mode, "hmm": self.hmm })
    }
}

impl FilterKind {
    /// The name that Milvus gives the filter.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Lowercase => "lowercase",
            Self::AsciiFolding => "asciifolding",
            Self::AlphaNumOnly => "alphanumonly",
            Self::CnAlphaNumOnly => "cnalphanumonly",
            Self::CnCharOnly => "cncharonly",
            Self::RemovePunct => "removepunct",
            Self::DecimalDigit => "decimaldigit",
            Self::ArabicNormalization => "arabic_normalization",
            Self::Length(_) => "length",
            Self::Stop(_) => "stop",
            Self::Stemmer(_) => "stemmer",
            Self::Decompounder(_) => "decompounder",
            Self::Regex(_) => "regex",
        }
    }

    fn to_json(&self) -> Value {
        let kind = self.name();
        match self {
            Self::Lowercase
            | Self::AsciiFolding
            | Self::AlphaNumOnly
            | Self::CnAlphaNumOnly
            | Self::CnCharOnly
            | Self::RemovePunct
            | Self::DecimalDigit
            | Self::ArabicNormalization => json!(kind),
            Self::Length(max) => json!({ "type": kind, "max": max }),
            Self::Stop(words) => json!({ "type": kind, "stop_words": words }),
            Self::Stemmer(language) => json!({ "type": kind, "language": language.name() }),
            Self::Decompounder(words) => json!({ "type": kind, "word_list": words }),
            Self::Regex(expression) => json!({ "type": kind, "expr": expression }),
        }
    }
}

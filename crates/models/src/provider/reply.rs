//! What replies of several providers have in common.

use std::fmt;

use memory::Grow;
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// How the message of an error begins that is caused by a lack of memory.
pub(crate) const OUT_OF_MEMORY: &str = "out of memory";

/// Vectors in the order of the inputs, or with the positions of these.
pub(crate) struct Vectors(pub(crate) Vec<(Option<usize>, Vec<f32>)>);

/// Scores in the order of the documents, or with the positions of these.
pub(crate) struct Scores(pub(crate) Vec<(Option<usize>, f32)>);

/// A sequence that fails with an error where there is no memory for it.
pub(super) struct Sequence<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sequence<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Sequence<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.try_push(item).map_err(|_| A::Error::custom(OUT_OF_MEMORY))?;
                }
                Ok(Sequence(items))
            }
        }

        deserializer.deserialize_seq(Items(std::marker::PhantomData))
    }
}

/// A number that `real` has.
pub(super) struct Number(pub(super) f32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f32::deserialize(deserializer)?;
        match number.is_finite() {
            true => Ok(Self(number)),
            false => Err(D::Error::custom("number out of range")),
        }
    }
}

/// A vector.
pub(super) type Numbers = Sequence<Number>;

impl Sequence<Number> {
    /// The numbers. They have the layout of what they are made of, so this moves nothing.
    pub(super) fn into_vec(self) -> Vec<f32> {
        self.0.into_iter().map(|number| number.0).collect()
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body)
}

/// `[[…], …]`
pub(super) fn arrays(body: &[u8]) -> serde_json::Result<Vectors> {
    Ok(in_order(parse(body)?))
}

/// Vectors without positions.
pub(super) fn in_order(vectors: Sequence<Numbers>) -> Vectors {
    Vectors(vectors.0.into_iter().map(|vector| (None, vector.into_vec())).collect())
}

/// `{"data": [{"index": 0, "embedding": […]}, …]}`
pub(super) fn data(body: &[u8]) -> serde_json::Result<Vectors> {
    #[derive(Deserialize)]
    struct Reply {
        data: Sequence<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        index: Option<usize>,
        embedding: Numbers,
    }
    let items = parse::<Reply>(body)?.data.0.into_iter();
    Ok(Vectors(items.map(|item| (item.index, item.embedding.into_vec())).collect()))
}

/// One score of a document.
#[derive(Deserialize)]
pub(super) struct Score {
    index: usize,
    #[serde(alias = "relevance_score")]
    score: Number,
}

/// Scores with positions.
pub(super) fn positioned(scores: Sequence<Score>) -> Scores {
    Scores(scores.0.into_iter().map(|item| (Some(item.index), item.score.0)).collect())
}

/// `{"results": [{"index": 0, "relevance_score": 0.5}, …]}`, or `data` in place of `results`.
pub(super) fn results(body: &[u8]) -> serde_json::Result<Scores> {
    #[derive(Deserialize)]
    struct Reply {
        #[serde(alias = "data")]
        results: Sequence<Score>,
    }
    Ok(positioned(parse::<Reply>(body)?.results))
}

/// `[{"index": 0, "score": 0.5}, …]`
pub(super) fn scores(body: &[u8]) -> serde_json::Result<Scores> {
    Ok(positioned(parse(body)?))
}

/// `[0.5, …]`
pub(super) fn numbers(body: &[u8]) -> serde_json::Result<Scores> {
    let numbers: Numbers = parse(body)?;
    Ok(Scores(numbers.0.into_iter().map(|number| (None, number.0)).collect()))
}

/// What a reply tells about an error, in whichever of the providers' forms.
pub(crate) fn message(body: &[u8]) -> Option<String> {
    fn told(value: &Value) -> Option<&str> {
        match value {
            Value::String(text) => Some(text),
            Value::Array(items) => items.iter().find_map(told),
            Value::Object(fields) => ["message", "error", "detail", "msg", "error_msg"]
                .iter()
                .find_map(|name| told(fields.get(*name)?)),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
    match serde_json::from_slice(body) {
        Ok(value) => told(&value).map(Into::into),
        // Proxies answer with pages in HTML, of which nothing can be said in a line.
        Err(_) => {
            let text = std::str::from_utf8(body).ok()?.trim();
            (!text.is_empty() && !text.starts_with('<')).then(|| text.into())
        }
    }
}

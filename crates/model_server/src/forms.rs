//! Replies in the forms of the providers.

use serde_json::{Value, json};

use crate::{Fault, Request};

/// Dimensions of the vectors, unless a request asks for others.
pub const DIMENSIONS: usize = 8;

/// The vector of a text, or of an image as base 64: the same every time, another for every text, and
/// of length one. Texts of the same words in another order have the same.
pub fn embedding(text: &str, dimensions: usize) -> Vec<f32> {
    let mut sum = vec![0.0f64; dimensions];
    for word in text.split_whitespace() {
        // FNV-1a, then SplitMix64.
        let seed = word.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        for (number, value) in (1u64..).zip(&mut sum) {
            let mut z = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *value += ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
        }
    }
    let norm = sum.iter().map(|value| value * value).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    sum.into_iter().map(|value| (value / norm) as f32).collect()
}

/// The score of a document: the share of its words that are in the query.
pub fn score(query: &str, document: &str) -> f32 {
    let words: Vec<&str> = document.split_whitespace().collect();
    let shared = words.iter().filter(|word| query.split_whitespace().any(|other| other == **word));
    shared.count() as f32 / words.len().max(1) as f32
}

/// The reply to a request; none if its path or form is no provider's.
pub(crate) fn reply(request: &Request, fault: &Fault) -> Option<String> {
    let path = request.path.split('?').next().unwrap_or_default();
    let body = &request.body;
    let value = if path.ends_with("/multimodalembeddings") {
        data(vectors(contents(&body["inputs"])?, &body["output_dimension"], fault), fault)
    } else if path.ends_with("/embeddings") {
        let inputs = match body.get("messages") {
            Some(messages) => contents(messages)?,
            None => texts(&body["input"])?,
        };
        let dimensions = body.get("dimensions").or(body.get("output_dimension"));
        data(vectors(inputs, dimensions.unwrap_or(&Value::Null), fault), fault)
    } else if path.ends_with("/v2/embed") {
        let inputs = texts(&body["texts"]).or_else(|| texts(&body["images"]))?;
        json!({ "embeddings": { "float": vectors(inputs, &body["output_dimension"], fault) } })
    } else if path.ends_with("/embed") {
        json!(vectors(texts(&body["inputs"])?, &body["dimensions"], fault))
    } else if path.ends_with("/pipeline/feature-extraction") {
        json!(vectors(texts(&body["inputs"])?, &Value::Null, fault))
    } else if path.ends_with(":batchEmbedContents") {
        let requests = body["requests"].as_array()?;
        let inputs = requests.iter().map(|request| part(&request["content"]["parts"][0]));
        let dimensions = &requests.first()?["outputDimensionality"];
        let vectors = vectors(inputs.collect::<Option<_>>()?, dimensions, fault);
        json!({ "embeddings": vectors.into_iter().map(|v| json!({ "values": v })).collect::<Vec<_>>() })
    } else if path.ends_with("/pipeline/sentence-similarity") {
        let query = body["inputs"]["source_sentence"].as_str()?;
        json!(scores(query, &texts(&body["inputs"]["sentences"])?, fault))
    } else if path.ends_with("/rerank") {
        rerank(body, fault)?
    } else {
        return None;
    };
    let text = value.to_string();
    Some(if *fault == Fault::OutOfRange { text.replacen("0.", "1e39, 0.", 1) } else { text })
}

/// TEI has texts and replies with an array; all others have documents and reply with an object.
fn rerank(body: &Value, fault: &Fault) -> Option<Value> {
    let query = body["query"].as_str()?;
    let is_tei = body.get("texts").is_some();
    let documents = texts(if is_tei { &body["texts"] } else { &body["documents"] })?;
    let name = if is_tei { "score" } else { "relevance_score" };
    let mut results: Vec<Value> = scores(query, &documents, fault)
        .into_iter()
        .enumerate()
        .map(|(index, score)| json!({ "index": position(index, fault), name: score }))
        .collect();
    // All sort by relevance.
    results.reverse();
    results.sort_by(|a, b| {
        b[name].as_f64().unwrap_or(0.0).total_cmp(&a[name].as_f64().unwrap_or(0.0))
    });
    Some(if is_tei { json!(results) } else { json!({ "results": results }) })
}

/// As OpenAI has vectors, but in another order, which it does not promise.
fn data(vectors: Vec<Vec<f32>>, fault: &Fault) -> Value {
    let items = vectors.into_iter().enumerate().map(|(index, vector)| {
        json!({ "object": "embedding", "index": position(index, fault), "embedding": vector })
    });
    json!({ "object": "list", "data": items.rev().collect::<Vec<_>>(), "usage": { "total_tokens": 1 } })
}

fn position(index: usize, fault: &Fault) -> usize {
    if *fault == Fault::WrongPositions { 0 } else { index }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| Some(text.as_str()?.to_string())).collect()
}

/// The texts and images of contents in the forms of Voyage AI and of chats.
fn contents(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| part(&item["content"][0])).collect()
}

/// A text, or an image as base 64.
fn part(value: &Value) -> Option<String> {
    let found = [
        &value["text"],
        &value["image_base64"],
        &value["image_url"]["url"],
        &value["inlineData"]["data"],
    ];
    found.into_iter().find_map(Value::as_str).map(Into::into)
}

fn vectors(inputs: Vec<String>, dimensions: &Value, fault: &Fault) -> Vec<Vec<f32>> {
    let dimensions = dimensions.as_u64().map_or(DIMENSIONS, |dimensions| dimensions as usize);
    let mut vectors: Vec<_> = inputs.iter().map(|text| embedding(text, dimensions)).collect();
    match fault {
        Fault::WrongCount => drop(vectors.pop()),
        Fault::WrongDimension => drop(vectors.last_mut().and_then(Vec::pop)),
        _ => {}
    }
    vectors
}

fn scores(query: &str, documents: &[String], fault: &Fault) -> Vec<f32> {
    let count = documents.len() - usize::from(*fault == Fault::WrongCount);
    documents[..count].iter().map(|document| score(query, document)).collect()
}

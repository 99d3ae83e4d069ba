//! What each provider is sent, and that its replies are understood.

use model_server::{DIMENSIONS, ModelServer, embedding, score};
use models::{Endpoint, ErrorKind, Input};
use serde_json::{Value, json};

use crate::{embed, endpoint, go, openai};

const TEXTS: [&str; 3] = ["green tea", "a \"pot\"\n", "kettle \u{1f375}"];
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of an image";
const PNG_URL: &str = "data:image/png;base64,iVBORw0KGgpub3QgbXVjaCBvZiBhbiBpbWFnZQ==";

/// The endpoint of a provider at a server, with more options.
fn provider(server: &ModelServer, path: &str, pairs: &[(&str, &str)]) -> Endpoint {
    let url = server.url() + path;
    let mut all = vec![("url", url.as_str())];
    all.extend(pairs);
    endpoint(&all)
}

/// Embeds texts and compares the only request.
fn check_embed(path: &str, pairs: &[(&str, &str)], expected_path: &str, body: Value) {
    let server = ModelServer::start();
    let vectors = embed(&provider(&server, path, pairs), &TEXTS).expect("vectors");
    let dimensions = pairs.iter().find(|(name, _)| *name == "dim");
    let dimensions = dimensions.map_or(DIMENSIONS, |(_, value)| value.parse().expect("a number"));
    assert_eq!(vectors, TEXTS.map(|text| embedding(text, dimensions)), "{pairs:?}");
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert_eq!((request.path.as_str(), &request.body), (expected_path, &body));
}

/// Scores documents and compares the only request.
fn check_rerank(path: &str, pairs: &[(&str, &str)], expected_path: &str, body: Value) {
    let server = ModelServer::start();
    let documents = ["coffee pot", "green tea", "tea pot"];
    let scores = provider(&server, path, pairs).rerank("green tea", &documents, &go());
    assert_eq!(scores.expect("scores"), documents.map(|text| score("green tea", text)));
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert_eq!((request.path.as_str(), &request.body), (expected_path, &body));
}

/// Embeds images and compares the first request.
fn check_images(path: &str, pairs: &[(&str, &str)], expected_path: &str, body: Value, given: &str) {
    let server = ModelServer::start();
    let endpoint = provider(&server, path, pairs);
    let inputs = [Input::Image(PNG), Input::Image(PNG), Input::Text("tea")];
    let vectors = endpoint.embed(&inputs, &go()).expect("vectors");
    assert_eq!(vectors, [given, given, "tea"].map(|text| embedding(text, DIMENSIONS)));
    let request = &server.requests()[0];
    assert_eq!((request.path.as_str(), &request.body), (expected_path, &body));
}

#[test]
fn openai_embeds() {
    check_embed(
        "/v1",
        &[("provider", "openai"), ("model", "text-embedding-3-small")],
        "/v1/embeddings",
        json!({ "model": "text-embedding-3-small", "input": TEXTS, "encoding_format": "float" }),
    );
    check_embed(
        "/v1/",
        &[("provider", "openai"), ("model", "m"), ("dim", "4"), ("user", "u")],
        "/v1/embeddings",
        json!({ "model": "m", "input": TEXTS, "encoding_format": "float", "dimensions": 4, "user": "u" }),
    );
}

#[test]
fn azure_openai_embeds() {
    let pairs = [("provider", "azure_openai"), ("model", "my deployment")];
    check_embed(
        "",
        &pairs,
        "/openai/deployments/my%20deployment/embeddings?api-version=2024-10-21",
        json!({ "input": TEXTS, "encoding_format": "float" }),
    );
    check_embed(
        "/openai/v1",
        &pairs,
        "/openai/v1/embeddings",
        json!({ "model": "my deployment", "input": TEXTS, "encoding_format": "float" }),
    );
}

#[test]
fn cohere_embeds_and_reranks() {
    let pairs = [("provider", "cohere"), ("model", "embed-v4.0")];
    check_embed(
        "",
        &pairs,
        "/v2/embed",
        json!({ "model": "embed-v4.0", "texts": TEXTS, "input_type": "search_document",
                "embedding_types": ["float"] }),
    );
    check_embed(
        "",
        &[&pairs[..], &[("task", "query"), ("truncate", "start"), ("dim", "5")]].concat(),
        "/v2/embed",
        json!({ "model": "embed-v4.0", "texts": TEXTS, "input_type": "search_query",
                "embedding_types": ["float"], "truncate": "START", "output_dimension": 5 }),
    );
    check_images(
        "",
        &pairs,
        "/v2/embed",
        json!({ "model": "embed-v4.0", "images": [PNG_URL], "input_type": "image",
                "embedding_types": ["float"] }),
        PNG_URL,
    );
    check_rerank(
        "",
        &[("provider", "cohere"), ("model", "rerank-v3.5"), ("max_tokens", "99")],
        "/v2/rerank",
        json!({ "model": "rerank-v3.5", "query": "green tea", "max_tokens_per_doc": 99,
                "documents": ["coffee pot", "green tea", "tea pot"] }),
    );
}

#[test]
fn voyageai_embeds_and_reranks() {
    check_embed(
        "/v1",
        &[("provider", "voyageai"), ("model", "voyage-3.5")],
        "/v1/embeddings",
        json!({ "model": "voyage-3.5", "input": TEXTS }),
    );
    check_embed(
        "/v1",
        &[
            ("provider", "voyageai"),
            ("model", "v"),
            ("task", "query"),
            ("truncate", "none"),
            ("dim", "4"),
        ],
        "/v1/embeddings",
        json!({ "model": "v", "input": TEXTS, "input_type": "query", "truncation": false,
                "output_dimension": 4 }),
    );
    check_images(
        "/v1",
        &[("provider", "voyageai"), ("model", "voyage-multimodal-3")],
        "/v1/multimodalembeddings",
        json!({ "model": "voyage-multimodal-3", "inputs": [
            { "content": [{ "type": "image_base64", "image_base64": PNG_URL }] },
            { "content": [{ "type": "image_base64", "image_base64": PNG_URL }] },
        ] }),
        PNG_URL,
    );
    check_rerank(
        "/v1",
        &[("provider", "voyageai"), ("model", "rerank-2.5"), ("truncate", "end")],
        "/v1/rerank",
        json!({ "model": "rerank-2.5", "query": "green tea", "truncation": true,
                "documents": ["coffee pot", "green tea", "tea pot"] }),
    );
}

#[test]
fn tei_embeds_and_reranks() {
    check_embed("", &[("provider", "tei")], "/embed", json!({ "inputs": TEXTS }));
    check_embed(
        "/a/b",
        &[("provider", "tei"), ("truncate", "start"), ("dim", "3")],
        "/a/b/embed",
        json!({ "inputs": TEXTS, "truncate": true, "truncation_direction": "Left", "dimensions": 3 }),
    );
    check_rerank(
        "",
        &[("provider", "tei"), ("truncate", "none")],
        "/rerank",
        json!({ "query": "green tea", "truncate": false,
                "texts": ["coffee pot", "green tea", "tea pot"] }),
    );
}

#[test]
fn vllm_embeds_and_reranks() {
    check_embed(
        "/v1",
        &[("provider", "vllm"), ("model", "m")],
        "/v1/embeddings",
        json!({ "model": "m", "input": TEXTS, "encoding_format": "float" }),
    );
    check_images(
        "/v1",
        &[("provider", "vllm"), ("model", "m")],
        "/v1/embeddings",
        json!({ "model": "m", "encoding_format": "float", "messages": [{ "role": "user",
                "content": [{ "type": "image_url", "image_url": { "url": PNG_URL } }] }] }),
        PNG_URL,
    );
    check_rerank(
        "/v1",
        &[("provider", "vllm"), ("model", "m"), ("max_tokens", "512")],
        "/v1/rerank",
        json!({ "model": "m", "query": "green tea", "truncate_prompt_tokens": 512,
                "documents": ["coffee pot", "green tea", "tea pot"] }),
    );
}

#[test]
fn gemini_embeds() {
    let request = |text: &str| json!({ "model": "models/gemini-embedding-001", "content": { "parts": [{ "text": text }] } });
    check_embed(
        "/v1beta",
        &[("provider", "gemini"), ("model", "gemini-embedding-001")],
        "/v1beta/models/gemini-embedding-001:batchEmbedContents",
        json!({ "requests": TEXTS.map(request) }),
    );
    let request = |text: &str| {
        json!({ "model": "models/g", "content": { "parts": [{ "text": text }] },
                "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 6 })
    };
    check_embed(
        "",
        &[("provider", "gemini"), ("model", "models/g"), ("task", "query"), ("dim", "6")],
        "/models/g:batchEmbedContents",
        json!({ "requests": TEXTS.map(request) }),
    );
    let data = PNG_URL.split_once(',').expect("a URL").1;
    let image = json!({ "model": "models/g", "content": { "parts": [
        { "inlineData": { "mimeType": "image/png", "data": data } }] } });
    check_images(
        "",
        &[("provider", "gemini"), ("model", "g")],
        "/models/g:batchEmbedContents",
        json!({ "requests": [image, image] }),
        data,
    );
}

#[test]
fn huggingface_embeds_and_reranks() {
    let pairs = [("provider", "huggingface"), ("model", "intfloat/e5?")];
    check_embed(
        "/hf",
        &[&pairs[..], &[("truncate", "end")]].concat(),
        "/hf/models/intfloat/e5%3F/pipeline/feature-extraction",
        json!({ "inputs": TEXTS, "truncate": true, "truncation_direction": "right" }),
    );
    check_rerank(
        "/hf",
        &pairs,
        "/hf/models/intfloat/e5%3F/pipeline/sentence-similarity",
        json!({ "inputs": { "source_sentence": "green tea",
                "sentences": ["coffee pot", "green tea", "tea pot"] } }),
    );
}

#[test]
fn keys_are_in_the_provider_s_header() {
    let server = ModelServer::start();
    let sent = |name: &str, header: &str| {
        server.forget();
        let pairs = [("provider", name), ("model", "m")];
        let pairs = if name == "tei" { &pairs[..1] } else { &pairs[..] };
        embed(&provider(&server, "", pairs), &["tea"]).expect("a vector");
        server.requests()[0].header(header).map(String::from)
    };
    for name in ["openai", "cohere", "voyageai", "tei", "vllm", "huggingface"] {
        assert_eq!(sent(name, "authorization").as_deref(), Some("Bearer key-0123456789"), "{name}");
    }
    assert_eq!(sent("azure_openai", "api-key").as_deref(), Some("key-0123456789"));
    assert_eq!(sent("gemini", "x-goog-api-key").as_deref(), Some("key-0123456789"));
}

#[test]
fn what_a_provider_cannot_do_is_an_error() {
    let server = ModelServer::start();
    for name in ["openai", "azure_openai", "tei", "huggingface"] {
        let pairs = [("provider", name), ("model", "m")];
        let pairs = if name == "tei" { &pairs[..1] } else { &pairs[..] };
        let endpoint = provider(&server, "", pairs);
        let error = endpoint.embed(&[Input::Image(PNG)], &go()).expect_err("no images");
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert_eq!(error.message, format!("provider \"{name}\" cannot embed images"));
    }
    for name in ["openai", "azure_openai", "gemini"] {
        let endpoint = provider(&server, "", &[("provider", name), ("model", "m")]);
        let error = endpoint.rerank("a", &["b"], &go()).expect_err("no reranking");
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert_eq!(error.message, format!("provider \"{name}\" cannot rerank"));
    }
    let endpoint = provider(&server, "", &[("provider", "cohere"), ("model", "m")]);
    let error = endpoint.embed(&[Input::Image(b"BM, a bitmap")], &go()).expect_err("no bitmaps");
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(server.requests().is_empty());
}

#[test]
fn a_prompt_goes_before_every_text() {
    let server = ModelServer::start();
    let vectors = embed(&openai(&server, &[("prompt", "query: ")]), &TEXTS).expect("vectors");
    assert_eq!(vectors, TEXTS.map(|text| embedding(&format!("query: {text}"), DIMENSIONS)));
}

//! Transformer models: the vectors and scores of sentence-transformers, and how files and options change
//! them.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use models::{Endpoint, ErrorKind, Input};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::folder::{Expected, Folder, data, expected};
use crate::{embed, go};

/// Of numbers around 1.
const TOLERANCE: f32 = 2e-5;

/// The greatest difference of two vectors.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn one(endpoint: &Endpoint, text: &str) -> Vec<f32> {
    embed(endpoint, &[text]).expect("a vector").remove(0)
}

#[test]
fn vectors_are_those_of_sentence_transformers() {
    for model in ["bert_mean", "bert_cls", "bert_max", "xlm_roberta"] {
        let model = format!("local/{model}");
        let folder = Folder::new("local", &model);
        let endpoint = folder.endpoint(&[]);
        assert!(!endpoint.is_static());
        let Expected { texts, vectors } = expected(&model);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let together = embed(&endpoint, &texts).expect("vectors");
        for ((text, found), vector) in texts.iter().zip(&together).zip(&vectors) {
            let off = difference(found, vector);
            assert!(off < TOLERANCE, "{model}, {text:?}: off by {off}");
            assert!(difference(&one(&endpoint, text), vector) < TOLERANCE, "{model}, {text:?}");
        }
    }
}

#[test]
fn scores_are_those_of_sentence_transformers() {
    #[derive(Deserialize)]
    struct Expected {
        pairs: Vec<(String, String)>,
        scores: Vec<f32>,
    }
    for model in ["local/bert_judge", "local/roberta_judge"] {
        let endpoint = Folder::new("local", model);
        let endpoint_of = endpoint.endpoint(&[]);
        let json = fs::read(data(model).join("expected.json")).expect("a file");
        let Expected { pairs, scores } = serde_json::from_slice(&json).expect("a valid file");
        for ((query, document), expected) in pairs.iter().zip(&scores) {
            // Among others, a document has the same score.
            let documents = ["green tea", document, "a lazy dog"];
            let found = endpoint_of.rerank(query, &documents, &go()).expect("scores");
            assert!((found[1] - expected).abs() < TOLERANCE, "{model}, {query:?}, {document:?}");
        }
        let error = embed(&endpoint_of, &["tea"]).expect_err("no vectors");
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert_eq!(
            error.message,
            "could not embed with server \"words\": the model is a reranker, and has no vectors"
        );
    }
}

#[test]
fn what_a_model_cannot_do_is_an_error() {
    let folder = Folder::new("local", "local/bert_mean");
    let error = folder.endpoint(&[]).rerank("a", &["b"], &go()).expect_err("no scores");
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("is not a reranker"), "{error}");
    let error = folder.endpoint(&[]).embed(&[Input::Image(b"\xff\xd8\xff")], &go());
    let error = error.expect_err("an image");
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert_eq!(error.message, "provider \"local\" cannot embed images");
}

#[test]
fn vectors_may_be_shorter() {
    let folder = Folder::new("local", "local/bert_mean");
    let short = one(&folder.endpoint(&[("dim", "5")]), "green tea");
    let full = one(&folder.endpoint(&[]), "green tea");
    let norm = full[..5].iter().map(|value| value * value).sum::<f32>().sqrt();
    let expected: Vec<f32> = full[..5].iter().map(|value| value / norm).collect();
    assert!(difference(&short, &expected) < 1e-6);
    let error = embed(&folder.endpoint(&[("dim", "17")]), &["tea"]).expect_err("too many");
    assert_eq!(error.message, "the model of server \"words\" has 16 dimensions, not 17");
}

#[test]
fn a_prompt_goes_before_every_text() {
    let folder = Folder::new("local", "local/bert_mean");
    let endpoint = folder.endpoint(&[]);
    let expected = embed(&endpoint, &["green tea", "green pot"]).expect("vectors");
    let prompted = folder.endpoint(&[("prompt", "green ")]);
    assert_eq!(embed(&prompted, &["tea", "pot"]).expect("vectors"), expected);
    // One of the model itself, unless the options have another.
    let file = "config_sentence_transformers.json";
    folder.replace(file, "\"default_prompt_name\": null", "\"default_prompt_name\": \"query\"");
    folder.replace(file, "\"prompts\": {}", "\"prompts\": {\"query\": \"green \"}");
    assert_eq!(embed(&endpoint, &["tea", "pot"]).expect("vectors"), expected);
    assert_eq!(embed(&prompted, &["tea", "pot"]).expect("vectors"), expected);
    let none = folder.endpoint(&[("prompt", "")]);
    assert_eq!(embed(&none, &["green tea", "green pot"]).expect("vectors"), expected);
}

#[test]
fn only_the_beginning_of_a_text_counts() {
    let folder = Folder::new("local", "local/bert_mean");
    let endpoint = folder.endpoint(&[]);
    let words = "the ".repeat(100);
    // 24 tokens, of which two are around the text.
    assert_eq!(one(&endpoint, &words[..4 * 22]), one(&endpoint, &words));
    assert_ne!(one(&endpoint, &words[..4 * 21]), one(&endpoint, &words));
    let before = one(&endpoint, &words);
    folder.replace("sentence_bert_config.json", "24", "23");
    assert_ne!(one(&endpoint, &words), before);
    // The model has 40 positions.
    folder.replace("sentence_bert_config.json", "23", "1000");
    assert_eq!(one(&endpoint, &words[..4 * 38]), one(&endpoint, &words));
    let long = format!("{}a", "the ".repeat(1 << 18));
    assert_eq!(one(&endpoint, &long), one(&endpoint, &long[..1000]));
}

#[test]
fn files_that_change_are_noticed() {
    let folder = Folder::new("local", "local/bert_mean");
    let endpoint = folder.endpoint(&[]);
    let before = one(&endpoint, "green tea");
    assert_eq!(one(&endpoint, "green tea"), before);
    let pooling = "1_Pooling/config.json";
    folder.replace(
        pooling,
        "\"pooling_mode_mean_tokens\": true",
        "\"pooling_mode_cls_token\": true",
    );
    folder.replace(pooling, "\"pooling_mode_cls_token\": false,", "");
    let first = one(&endpoint, "green tea");
    assert_ne!(first, before);
    fs::remove_file(folder.path.join("modules.json")).expect("a file");
    assert_ne!(one(&endpoint, "green tea"), first);
}

#[test]
fn files_have_the_hash_of_the_options() {
    let folder = Folder::new("local", "local/bert_mean");
    // cat config.json model.safetensors tokenizer.json modules.json 1_Pooling/config.json
    //     sentence_bert_config.json config_sentence_transformers.json tokenizer_config.json | sha256sum
    let hash = "8ffdd7bcf95ab7170914738667e6e84bf90c326b05adce35ab3700515afd0684";
    let endpoint = folder.endpoint(&[("sha256", hash)]);
    assert!(embed(&endpoint, &["tea"]).is_ok());
    folder.replace("sentence_bert_config.json", "24", "23");
    let error = embed(&endpoint, &["tea"]).expect_err("another model");
    assert_eq!(error.kind, ErrorKind::File);
    assert!(error.message.contains("sha256"), "{error}");
}

/// A model that takes a second or more for a text of 8192 tokens; all its numbers are zero.
fn slow() -> Folder {
    const HIDDEN: usize = 512;
    const WIDE: usize = 2048;
    let folder = Folder::new("local", "local/bert_mean");
    folder.replace("config.json", "hidden_size\": 16", "hidden_size\": 512");
    folder.replace("config.json", "intermediate_size\": 32", "intermediate_size\": 2048");
    folder.replace("sentence_bert_config.json", "24", "8192");
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_string(), vec![120, HIDDEN]),
        ("embeddings.position_embeddings.weight".into(), vec![8192, HIDDEN]),
        ("embeddings.token_type_embeddings.weight".into(), vec![2, HIDDEN]),
    ];
    let mut layer = |name: &str, outputs, inputs: Option<usize>| {
        shapes.push((format!("{name}.bias"), vec![outputs]));
        shapes.push((
            format!("{name}.weight"),
            [Some(outputs), inputs].into_iter().flatten().collect(),
        ));
    };
    layer("embeddings.LayerNorm", HIDDEN, None);
    for number in 0..2 {
        for (name, outputs, inputs) in [
            ("attention.self.query", HIDDEN, Some(HIDDEN)),
            ("attention.self.key", HIDDEN, Some(HIDDEN)),
            ("attention.self.value", HIDDEN, Some(HIDDEN)),
            ("attention.output.dense", HIDDEN, Some(HIDDEN)),
            ("attention.output.LayerNorm", HIDDEN, None),
            ("intermediate.dense", WIDE, Some(HIDDEN)),
            ("output.dense", HIDDEN, Some(WIDE)),
            ("output.LayerNorm", HIDDEN, None),
        ] {
            layer(&format!("encoder.layer.{number}.{name}"), outputs, inputs);
        }
    }
    let (mut header, mut end) = (serde_json::Map::new(), 0);
    for (name, shape) in shapes {
        let start = end;
        end += 2 * shape.iter().product::<usize>();
        let tensor = json!({"dtype": "F16", "shape": shape, "data_offsets": [start, end]});
        header.insert(name, tensor);
    }
    let header = Value::from(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    folder.write("model.safetensors", &file);
    let path = folder.path.join("model.safetensors");
    let file_end = (file.len() + end) as u64;
    let file = fs::File::options().write(true).open(path).expect("a file");
    file.set_len(file_end).expect("a longer file");
    folder
}

#[test]
fn a_call_can_be_stopped() {
    let folder = slow();
    let endpoint = folder.endpoint(&[]);
    // There are 8192 positions, which the configuration may not know of.
    let text = "the ".repeat(9000);
    let inputs = [Input::Text(&text)];
    let stop = Arc::new(AtomicBool::new(true));
    assert_eq!(endpoint.embed(&inputs, &stop).expect_err("stopped").kind, ErrorKind::Stopped);
    embed(&endpoint, &["tea"]).expect("a model that is loaded");
    assert_eq!(endpoint.embed(&inputs, &stop).expect_err("stopped").kind, ErrorKind::Stopped);
    for wait in [100, 400, 700] {
        stop.store(false, Ordering::Relaxed);
        let setter = Arc::clone(&stop);
        let set = thread::spawn(move || {
            thread::sleep(Duration::from_millis(wait));
            setter.store(true, Ordering::Relaxed);
            Instant::now()
        });
        let error = endpoint.embed(&inputs, &stop).expect_err("stopped");
        let took = set.join().expect("a time").elapsed();
        assert_eq!(error.kind, ErrorKind::Stopped);
        // On a machine with much else to do.
        assert!(took < Duration::from_millis(300), "{took:?}");
    }
}

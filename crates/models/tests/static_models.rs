//! Static models: the vectors of Model2Vec's own library, and files that are damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use models::{ErrorKind, Input};
use rand::Rng;
use rand::seq::IndexedRandom;

use crate::folder::{Expected, Folder, expected};
use crate::{embed, go};

const MODELS: [&str; 3] = ["wordpiece", "unigram", "mapped"];
const FILES: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

#[test]
fn vectors_are_those_of_model2vec() {
    for model in MODELS {
        let folder = Folder::new("static", model);
        let endpoint = folder.endpoint(&[]);
        assert!(endpoint.is_static());
        let Expected { texts, vectors } = expected(model);
        // The reference rounds to the precision of the model's numbers.
        let tolerance = if model == "mapped" { 1e-3 } else { 1e-4 };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found = embed(&endpoint, &texts).expect("vectors");
        for ((text, found), vector) in texts.iter().zip(&found).zip(&vectors) {
            let is_close = found.iter().zip(vector).all(|(a, b)| (a - b).abs() < tolerance);
            assert!(
                is_close && found.len() == 8,
                "{model}, {text:?}: {found:?}, expected {vector:?}"
            );
        }
    }
}

#[test]
fn vectors_may_be_shorter() {
    let folder = Folder::new("static", "wordpiece");
    let short = embed(&folder.endpoint(&[("dim", "3")]), &["green tea"]).expect("vectors");
    let full = embed(&folder.endpoint(&[]), &["green tea"]).expect("vectors");
    let norm = full[0][..3].iter().map(|value| value * value).sum::<f32>().sqrt();
    assert!(short[0].iter().zip(&full[0]).all(|(a, b)| (a - b / norm).abs() < 1e-6));
    assert_eq!(short[0].len(), 3);
    let error = embed(&folder.endpoint(&[("dim", "9")]), &["tea"]).expect_err("too many");
    assert_eq!(error.message, "the model of server \"words\" has 8 dimensions, not 9");
}

#[test]
fn a_prompt_goes_before_every_text() {
    let folder = Folder::new("static", "wordpiece");
    let prompted = embed(&folder.endpoint(&[("prompt", "green ")]), &["table", "cup"]);
    assert_eq!(prompted, embed(&folder.endpoint(&[]), &["green table", "green cup"]));
}

#[test]
fn a_model_that_was_replaced_is_loaded_again() {
    let folder = Folder::new("static", "wordpiece");
    let endpoint = folder.endpoint(&[]);
    let before = embed(&endpoint, &["green table"]).expect("vectors");
    assert_eq!(embed(&endpoint, &["green table"]).expect("vectors"), before);
    folder.write("config.json", b"{\"normalize\": false}");
    assert_ne!(embed(&endpoint, &["green table"]).expect("vectors"), before);
}

#[test]
fn files_have_the_hash_of_the_options() {
    let folder = Folder::new("static", "wordpiece");
    // cat config.json model.safetensors tokenizer.json | sha256sum
    let hash = "a98a8208806341c17f1240cb1148559f3059e0d430cf8ae2fb4e0075fc74b118";
    let endpoint = folder.endpoint(&[("sha256", hash)]);
    assert!(embed(&endpoint, &["tea"]).is_ok());
    folder.write("config.json", b"{\"normalize\": false}");
    let error = embed(&endpoint, &["tea"]).expect_err("another model");
    assert_eq!(error.kind, ErrorKind::File);
    assert!(error.message.contains("sha256"), "{error}");
}

#[test]
fn what_is_not_supported_is_named() {
    let folder = Folder::new("static", "wordpiece");
    for (tokenizer, expected) in [
        (
            r#"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}"#,
            "model \"BPE\" is not supported",
        ),
        (r#"{"model": {"vocab": {"a": 0}}}"#, "model without a type"),
        (
            r#"{"model": {"type": "WordLevel", "vocab": {}}, "normalizer": {"type": "Nmt"}}"#,
            "normalizer \"Nmt\" is not supported",
        ),
        (
            r#"{"model": {"type": "WordLevel", "vocab": {}}, "pre_tokenizer": {"type": "ByteLevel"}}"#,
            "pre-tokenizer \"ByteLevel\" is not supported",
        ),
        (
            r#"{"model": {"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 1}}"#,
            "vocabulary has no token with the number \"unk_id\"",
        ),
        (
            r#"{"model": {"type": "Unigram", "vocab": {"a": 0, "t": 1}}}"#,
            "vocabulary has no scores",
        ),
        (r#"{"model": {"type": "WordLevel", "vocab": {"a": 4000000000}}}"#, "fewer vectors"),
        (r#"{"model": {"type": "WordLevel", "vocab": {"a": 0}}}"#, "no token for unknown words"),
        (r#"{"model": {"type": "WordLevel", "vocab": {}}}"#, "vocabulary is empty"),
        ("{", "EOF while parsing"),
    ] {
        folder.write("tokenizer.json", tokenizer.as_bytes());
        let error = folder.error();
        assert_eq!(error.kind, ErrorKind::File, "{error}");
        assert!(error.message.contains(expected), "{error}");
    }
    let image = Folder::new("static", "wordpiece")
        .endpoint(&[])
        .embed(&[Input::Image(b"\xff\xd8\xff")], &go());
    assert_eq!(image.expect_err("an image").kind, ErrorKind::Unsupported);
    let rerank = folder.endpoint(&[]).rerank("a", &["b"], &go());
    assert_eq!(rerank.expect_err("reranking").kind, ErrorKind::Unsupported);
}

#[test]
fn files_that_others_can_change_are_refused() {
    let folder = Folder::new("static", "wordpiece");
    let path = folder.path.join("model.safetensors");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o664)).expect("a file");
    assert!(folder.error().message.contains("chmod go-w"));
    fs::remove_file(&path).expect("a file");
    assert_eq!(folder.error().kind, ErrorKind::File);
    fs::create_dir(&path).expect("a folder");
    assert!(folder.error().message.contains("not a regular file"));
}

#[test]
fn texts_cannot_grow_without_bound() {
    let folder = Folder::new("static", "wordpiece");
    let double = r#"{"type": "Replace", "pattern": {"String": "a"}, "content": "aaaa"}"#;
    let steps = vec![double; 100].join(",");
    let tokenizer = format!(
        r#"{{"normalizer": {{"type": "Sequence", "normalizers": [{steps}]}},
             "model": {{"type": "WordLevel", "vocab": {{"a": 0}}, "unk_token": "a"}}}}"#
    );
    folder.write("tokenizer.json", tokenizer.as_bytes());
    let error = embed(&folder.endpoint(&[]), &["a"]).expect_err("too long");
    assert!(error.message.contains("normalizers make texts too long"), "{error}");
}

#[test]
fn a_text_that_is_too_long_is_refused_alone() {
    let folder = Folder::new("static", "wordpiece");
    let text = "tea ".repeat(1 << 18) + "cup";
    // Only the beginning of a text counts here.
    assert!(embed(&folder.endpoint(&[]), &[&text]).is_ok());
    folder.write("config.json", b"{\"max_length\": null}");
    let endpoint = folder.endpoint(&[]);
    assert!(embed(&endpoint, &["tea", &text[..1 << 20]]).is_ok());
    let error = embed(&endpoint, &["tea", &text]).expect_err("too long");
    assert_eq!((error.kind, error.input), (ErrorKind::Rejected, Some(1)));
    assert_eq!(
        error.message,
        "could not embed with server \"words\": text of more than 1048576 bytes"
    );
    assert!(error.hint.is_some());
}

#[test]
fn damaged_files_are_errors_or_other_models() {
    let expected = MODELS.map(expected);
    fuzz::run("static-models", |case| {
        let number = case.rng.random_range(0..MODELS.len());
        let folder = Folder::new("static", MODELS[number]);
        let file = *FILES.choose(&mut case.rng).expect("a file");
        let mut bytes = fs::read(folder.path.join(file)).expect("a file");
        fuzz::mutate(&mut case.rng, &mut bytes);
        case.input(&bytes);
        folder.write(file, &bytes);
        let texts: Vec<&str> = expected[number].texts.iter().map(String::as_str).collect();
        match embed(&folder.endpoint(&[]), &texts) {
            Ok(vectors) => assert!(vectors.iter().flatten().all(|value| value.is_finite())),
            Err(error) => assert_eq!(error.kind, ErrorKind::File, "{error}"),
        }
    });
}

//! Models in files where memory is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memory::refusing::{Refusing, alone, refuse_each};
use models::{Endpoint, Error, ErrorKind, Input};

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Texts of which each step of the tokenizers makes something long.
fn texts() -> [String; 4] {
    [
        "green tea, \u{8336} caf\u{e9} ".repeat(4000),
        "unknown".repeat(9000),
        // Normalization puts marks in their order, however many there are.
        format!("tea{}", "\u{301}\u{323}".repeat(9000)),
        "[UNK]<unk>".repeat(9000),
    ]
}

/// A copy of a model's files, without its folders.
fn copy(model: &str) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(model);
    let name = model.replace('/', "-");
    let folder = std::env::temp_dir().join(format!("models-{}-{name}", std::process::id()));
    fs::create_dir(&folder).expect("a folder");
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(data.join(file), folder.join(file)).expect("a file");
    }
    folder
}

fn endpoint(provider: &str, folder: &Path) -> Endpoint {
    let options = [("provider", provider), ("path", folder.to_str().expect("a path"))];
    let options = options.map(|(name, value)| (name.to_string(), value.to_string()));
    Endpoint::new("words", &options, &[]).expect("valid options")
}

/// Whether there was memory for a call.
fn had_memory<T: std::fmt::Debug>(result: Result<T, Error>) -> Result<(), Error> {
    match result {
        Err(error) if error.kind == ErrorKind::Memory => Err(error),
        result => {
            result.expect("no other error");
            Ok(())
        }
    }
}

#[test]
fn a_refused_allocation_is_an_error() {
    let _alone = alone();
    for model in ["wordpiece", "unigram", "mapped"] {
        let folder = copy(model);
        fs::write(folder.join("config.json"), r#"{"max_length": null}"#).expect("a file");
        let endpoint = endpoint("static", &folder);
        for text in texts() {
            let embed = || had_memory(endpoint.embed(&[Input::Text(&text)], &Arc::default()));
            // The model is loaded now.
            embed().expect("memory");
            let refused = refuse_each(1000, embed);
            assert!((1..1000).contains(&refused), "{model}: {refused}");
        }
        fs::remove_dir_all(&folder).expect("a folder");
    }
}

#[test]
fn a_refused_allocation_of_a_transformer_is_an_error() {
    let _alone = alone();
    for model in ["bert_mean", "xlm_roberta", "bert_judge"] {
        let folder = copy(&format!("local/{model}"));
        let endpoint = endpoint("local", &folder);
        let texts = texts();
        let inputs: Vec<Input<'_>> = texts.iter().map(|text| Input::Text(text)).collect();
        let documents: Vec<&str> = texts.iter().map(String::as_str).collect();
        let call = || match model {
            "bert_judge" => had_memory(endpoint.rerank(&texts[0], &documents, &Arc::default())),
            _ => had_memory(endpoint.embed(&inputs, &Arc::default())),
        };
        let load = || {
            // Another file is another model.
            let file = folder.join("model.safetensors");
            fs::copy(&file, folder.join("new")).expect("a file");
            fs::rename(folder.join("new"), file).expect("a file");
            call()
        };
        call().expect("memory");
        let refused = refuse_each(1000, call);
        assert!((1..1000).contains(&refused), "{model}: {refused}");
        let loading = refuse_each(1000, load);
        assert!((refused + 1..1000).contains(&loading), "{model}: {loading}");
        fs::remove_dir_all(&folder).expect("a folder");
    }
}

#[test]
fn a_refused_allocation_of_a_vocabulary_is_an_error() {
    let _alone = alone();
    let folder = copy("local/bert_max");
    let vocabulary: Vec<String> = (0..2000).map(|i| format!(r#""token{i}": {i}"#)).collect();
    let tokenizer = format!(
        r#"{{"model": {{"type": "WordLevel", "unk_token": "token0", "vocab": {{{}}}}}}}"#,
        vocabulary.join(",")
    );
    fs::write(folder.join("tokenizer.json"), tokenizer).expect("a file");
    let endpoint = endpoint("local", &folder);
    let load = || {
        // There are fewer vectors, so it is loaded again each time.
        let error = endpoint.embed(&[Input::Text("tea")], &Arc::default()).expect_err("no model");
        if error.kind == ErrorKind::Memory {
            return Err(error);
        }
        assert!(error.message.contains("fewer vectors"), "{error}");
        Ok(())
    };
    let refused = refuse_each(1000, load);
    assert!((4..1000).contains(&refused), "{refused}");
    fs::remove_dir_all(&folder).expect("a folder");
}

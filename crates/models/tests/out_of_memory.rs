//! Static models where memory is refused.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use memory::refusing::{Refusing, alone, refuse_each};
use models::{Endpoint, ErrorKind, Input};

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

#[test]
fn a_refused_allocation_is_an_error() {
    let _alone = alone();
    for model in ["wordpiece", "unigram", "mapped"] {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(model);
        let folder = std::env::temp_dir().join(format!("models-{}-{model}", std::process::id()));
        fs::create_dir(&folder).expect("a folder");
        for file in ["model.safetensors", "tokenizer.json"] {
            fs::copy(data.join(file), folder.join(file)).expect("a file");
        }
        fs::write(folder.join("config.json"), r#"{"max_length": null}"#).expect("a file");
        let path = folder.to_str().expect("a path");
        let options = [("provider", "static"), ("path", path)];
        let options = options.map(|(name, value)| (name.to_string(), value.to_string()));
        let endpoint = Endpoint::new("words", &options, &[]).expect("valid options");
        for text in texts() {
            let embed = || match endpoint.embed(&[Input::Text(&text)], &Arc::default()) {
                Err(error) if error.kind == ErrorKind::Memory => Err(error),
                result => {
                    result.expect("vectors");
                    Ok(())
                }
            };
            // The model is loaded now.
            embed().expect("memory");
            let refused = refuse_each(1000, embed);
            assert!((1..1000).contains(&refused), "{model}: {refused}");
        }
        fs::remove_dir_all(&folder).expect("a folder");
    }
}

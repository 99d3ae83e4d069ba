//! Transformer models with files that are damaged, hostile, or of other kinds.

use models::ErrorKind;
use rand::Rng;
use rand::seq::IndexedRandom;

use crate::folder::Folder;
use crate::{embed, go};

const MODELS: [&str; 6] =
    ["bert_mean", "bert_cls", "bert_max", "xlm_roberta", "bert_judge", "roberta_judge"];
const TEXTS: [&str; 4] = ["green tea", "", "[MASK] \u{fc}ber", "tea and lemon, milk and sugar"];

/// That the model with a changed file has an error of this text.
#[track_caller]
fn check(model: &str, file: &str, from: &str, to: &str, expected: &str) {
    let folder = Folder::new("local", &format!("local/{model}"));
    folder.replace(file, from, to);
    let error = folder.error();
    assert_eq!(error.kind, ErrorKind::File, "{error}");
    assert!(error.message.contains(expected), "{error}, not {expected}");
}

#[test]
fn what_is_not_supported_is_named() {
    let config = |from, to, expected| check("bert_mean", "config.json", from, to, expected);
    config("\"bert\"", "\"mpnet\"", "model_type \"mpnet\" is not supported");
    config("\"model_type\": \"bert\",", "", "model_type \"\" is not supported");
    config("\"absolute\"", "\"relative_key\"", "position_embedding_type \"relative_key\"");
    config("\"gelu\"", "\"swish\"", "hidden_act \"swish\" is not supported");
    config("\"use_cache\"", "\"is_decoder\": true, \"use_cache\"", "only encoders");
    let modules = |from, to, expected| check("bert_mean", "modules.json", from, to, expected);
    modules("models.Normalize", "models.Dense", "module \"Dense\" is not supported");
    modules("models.Pooling", "models.WeightedLayerPooling", "module \"WeightedLayerPooling\"");
    modules("\"1_Pooling\"", "\"../1_Pooling\"", "folders other than");
    modules("\"path\": \"\"", "\"path\": \"/etc\"", "folders other than");
    let pooling =
        |from, to, expected| check("bert_mean", "1_Pooling/config.json", from, to, expected);
    pooling("_mean_tokens\": true", "_mean_tokens\": false", "it has no pooling mode");
    pooling("_lasttoken\": false", "_lasttoken\": true", "\"pooling_mode_lasttoken\" is not");
    pooling("_max_tokens\": false", "_max_tokens\": true", "\"pooling_mode_max_tokens\" is not");
    pooling("\"include_prompt\": true", "\"include_prompt\": false", "\"include_prompt\" is not");
    let side = "\"truncation_side\": \"left\", \"unk_token\"";
    check("bert_mean", "tokenizer_config.json", "\"unk_token\"", side, "truncation_side \"left\"");
    let tokenizer = |from, to, expected| check("bert_mean", "tokenizer.json", from, to, expected);
    tokenizer("\"TemplateProcessing\"", "\"ByteLevel\"", "post-processor \"ByteLevel\"");
    tokenizer("          2\n        ],", "          9999\n        ],", "fewer vectors");
}

#[test]
fn sizes_that_do_not_fit_are_errors() {
    let config = |from, to, expected| check("bert_mean", "config.json", from, to, expected);
    config("heads\": 4", "heads\": 0", "not a multiple of num_attention_heads");
    config("heads\": 4", "heads\": 3", "not a multiple of num_attention_heads");
    config("hidden_size\": 16", "hidden_size\": 0", "hidden_size must be between");
    config("hidden_size\": 16", "hidden_size\": -16", "invalid value");
    config("hidden_size\": 16", "hidden_size\": 12", "has another shape");
    config("hidden_size\": 16", "hidden_size\": 18446744073709551612", "hidden_size must be");
    config("intermediate_size\": 32", "intermediate_size\": 0", "intermediate_size must be");
    config("intermediate_size\": 32", "intermediate_size\": 64", "has another shape");
    config("layers\": 2", "layers\": 18446744073709551615", "encoder.layer.2.");
    config("eps\": 1e-12", "eps\": -1", "layer_norm_eps must be");
    config("eps\": 1e-12", "eps\": 1e99", "layer_norm_eps must be");
    check("bert_mean", "sentence_bert_config.json", "24", "2", "texts have no room for tokens");
    check("xlm_roberta", "config.json", "\"pad_token_id\": 1", "\"pad_token_id\": 39", "no room");
    let huge = "\"pad_token_id\": 4294967295";
    check("xlm_roberta", "config.json", "\"pad_token_id\": 1", huge, "no room");
}

/// A file of tensors, changed by `change` of its header and its numbers.
fn tensors(folder: &Folder, change: impl FnOnce(&mut String, &mut Vec<u8>)) {
    let file = folder.read("model.safetensors");
    let (len, rest) = file.split_first_chunk::<8>().expect("a header");
    let (header, numbers) = rest.split_at(u64::from_le_bytes(*len) as usize);
    let mut header = String::from_utf8(header.to_vec()).expect("a header");
    let mut numbers = numbers.to_vec();
    change(&mut header, &mut numbers);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(numbers);
    folder.write("model.safetensors", &file);
}

#[test]
fn bad_tensors_are_errors() {
    let with = |change: &dyn Fn(&mut String, &mut Vec<u8>), expected: &str| {
        let folder = Folder::new("local", "local/bert_mean");
        tensors(&folder, |header, numbers| change(header, numbers));
        let error = folder.error();
        assert_eq!(error.kind, ErrorKind::File, "{error}");
        assert!(error.message.contains(expected), "{error}, not {expected}");
    };
    let nan = f32::NAN.to_le_bytes();
    // Of the layers they are found when the model is loaded, of tokens when one is used.
    with(&|_, numbers| numbers[..4].copy_from_slice(&nan), "numbers that are not finite");
    with(
        &|_, numbers| numbers.as_chunks_mut::<4>().0.fill(f32::MAX.to_le_bytes()),
        "model gives vectors with infinite numbers",
    );
    with(
        &|header, _| *header = header.replace("word_embeddings", "world_embeddings"),
        "no tensor \"embeddings.word_embeddings.weight\"",
    );
    with(
        &|header, _| *header = header.replace("layer.1.attention.self.value", "layer.1.x"),
        "no tensor \"encoder.layer.1.attention.self.value.weight\"",
    );
    with(&|header, _| *header = header.replace("[32,16]", "[16,32]"), "has another shape");
    with(&|header, _| *header = header.replace("F32", "I32"), "are not F32, F16, or BF16");
    with(&|header, _| *header = header.replace("F32", "F8_E4M3"), "no tensor");
    with(&|_, numbers| numbers.truncate(1000), "no valid safetensors file");
}

#[test]
fn a_reranker_with_several_labels_is_an_error() {
    let folder = Folder::new("local", "local/bert_judge");
    folder.replace("config.json", "\"bert\"", "\"roberta\"");
    let rerank = |folder: &Folder| folder.endpoint(&[]).rerank("tea", &["pot"], &go());
    let error = rerank(&folder).expect_err("other layers");
    assert!(error.message.contains("no tensor \"classifier.dense.weight\""), "{error}");
    let folder = Folder::new("local", "local/bert_judge");
    tensors(&folder, |header, _| {
        *header = header.replace(
            "\"classifier.weight\":{\"dtype\":\"F32\",\"shape\":[1,16]",
            "\"classifier.weight\":{\"dtype\":\"F32\",\"shape\":[2,8]",
        );
    });
    let error = rerank(&folder).expect_err("more labels");
    assert!(error.message.contains("\"classifier.weight\" has another shape"), "{error}");
    let folder = Folder::new("local", "local/roberta_judge");
    folder.replace("config.json", "linear.Identity", "activation.Tanh");
    let error = rerank(&folder).expect_err("another function");
    assert!(error.message.contains("activation function \"Tanh\""), "{error}");
}

#[test]
fn damaged_files_are_errors_or_other_models() {
    fuzz::run("local-models", |case| {
        let model = MODELS.choose(&mut case.rng).expect("a model");
        let folder = Folder::new("local", &format!("local/{model}"));
        let files = folder.files();
        let file = files.choose(&mut case.rng).expect("a file");
        let mut bytes = folder.read(file);
        // Numbers in a text are what sizes are made of.
        let digits: Vec<usize> =
            (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        if case.rng.random_bool(0.5) && !file.ends_with("safetensors") && !digits.is_empty() {
            bytes[*digits.choose(&mut case.rng).expect("a digit")] =
                case.rng.random_range(b'0'..=b'9');
        } else {
            fuzz::mutate(&mut case.rng, &mut bytes);
        }
        case.input(&bytes);
        folder.write(file, &bytes);
        let endpoint = folder.endpoint(&[]);
        let is_known = |kind| matches!(kind, ErrorKind::File | ErrorKind::Unsupported);
        match embed(&endpoint, &TEXTS) {
            Ok(vectors) => assert!(vectors.iter().flatten().all(|value| value.is_finite())),
            Err(error) => assert!(is_known(error.kind), "{error}"),
        }
        match endpoint.rerank("tea", &TEXTS, &go()) {
            Ok(scores) => assert!(scores.iter().all(|value| value.is_finite())),
            Err(error) => assert!(is_known(error.kind), "{error}"),
        }
    });
}

//! Which options are valid.

use models::{Endpoint, ErrorKind, Place, validate};

use crate::{embed, options};

fn server(pairs: &[(&str, &str)]) -> Result<(), models::Invalid> {
    validate(Place::Server, &options(pairs), true)
}

#[test]
fn valid_options() {
    for pairs in [
        &[("provider", "openai"), ("model", "m")][..],
        &[
            ("provider", "openai"),
            ("model", "m"),
            ("url", "https://example.com/v1"),
            ("dim", "16000"),
        ],
        &[
            ("provider", "openai"),
            ("model", "m"),
            ("url", "http://localhost:11434/v1"),
            ("timeout", "500ms"),
        ],
        &[
            ("provider", "tei"),
            ("url", "http://10.0.0.1"),
            ("allow_http", "on"),
            ("timeout", "60min"),
        ],
        &[
            ("provider", "cohere"),
            ("model", "m"),
            ("task", "query"),
            ("truncate", "end"),
            ("batch", "96"),
        ],
        &[("provider", "cohere"), ("model", "m"), ("task", "search_query")],
        &[
            ("provider", "azure_openai"),
            ("model", "m"),
            ("url", "https://a.b"),
            ("api_version", "2025-01-01-preview"),
        ],
        &[("provider", "static"), ("path", "/srv/models/m"), ("dim", "64"), ("prompt", "query: ")],
        &[("provider", "static"), ("path", "/m"), ("sha256", &"0aF9".repeat(16))],
        &[("provider", "local"), ("path", "/m"), ("sha256", &"0aF9".repeat(16)), ("dim", "64")],
    ] {
        assert_eq!(server(pairs), Ok(()), "{pairs:?}");
    }
}

#[test]
fn invalid_options() {
    let tei = [("provider", "tei"), ("url", "https://a.b")];
    let with = |name, value| [&tei[..], &[(name, value)]].concat();
    for (pairs, message) in [
        (vec![], "option \"provider\" is required"),
        (vec![("provider", "milvus")], "invalid value for option \"provider\": \"milvus\""),
        (vec![("provider", "tei")], "option \"url\" is required for provider \"tei\""),
        (vec![("provider", "openai")], "option \"model\" is required for provider \"openai\""),
        (vec![("provider", "static")], "option \"path\" is required for provider \"static\""),
        (vec![("provider", "local")], "option \"path\" is required for provider \"local\""),
        (vec![("provider", "local"), ("path", "/m"), ("batch", "2")], "invalid option \"batch\""),
        (with("host", "x"), "invalid option \"host\""),
        (with("api_key", "x"), "invalid option \"api_key\""),
        (with("task", "query"), "invalid option \"task\""),
        (with("path", "/x"), "invalid option \"path\""),
        (with("dim", "0"), "invalid value for option \"dim\": \"0\""),
        (with("dim", "16001"), "invalid value for option \"dim\": \"16001\""),
        (with("dim", "-1"), "invalid value for option \"dim\": \"-1\""),
        (with("batch", "2049"), "invalid value for option \"batch\": \"2049\""),
        (with("timeout", "30"), "invalid value for option \"timeout\": \"30\""),
        (with("timeout", "0s"), "invalid value for option \"timeout\": \"0s\""),
        (with("timeout", "61min"), "invalid value for option \"timeout\": \"61min\""),
        (
            with("timeout", "99999999999999999999s"),
            "invalid value for option \"timeout\": \"99999999999999999999s\"",
        ),
        (
            with("timeout", "999999999999999999min"),
            "invalid value for option \"timeout\": \"999999999999999999min\"",
        ),
        (with("timeout", "é"), "invalid value for option \"timeout\": \"é\""),
        (with("truncate", "yes"), "invalid value for option \"truncate\": \"yes\""),
        (with("allow_http", "maybe"), "invalid value for option \"allow_http\": \"maybe\""),
        (
            vec![("provider", "static"), ("path", "models/m")],
            "invalid value for option \"path\": \"models/m\"",
        ),
        (
            vec![("provider", "static"), ("path", "/m"), ("sha256", "+f")],
            "invalid value for option \"sha256\": \"+f\"",
        ),
        (
            vec![("provider", "cohere"), ("model", "m"), ("task", "tea")],
            "invalid value for option \"task\": \"tea\"",
        ),
        (
            vec![
                ("provider", "azure_openai"),
                ("model", "m"),
                ("url", "https://a.b"),
                ("api_version", "1&x=2"),
            ],
            "invalid value for option \"api_version\": \"1&x=2\"",
        ),
    ] {
        let invalid = server(&pairs).expect_err(message);
        assert_eq!(invalid.message, message);
    }
    let hint = server(&with("host", "x")).expect_err("no such option").hint.expect("a hint");
    assert_eq!(
        hint,
        "Valid options in this context are: provider, url, model, dim, batch, timeout, allow_http, \
         prompt, truncate."
    );
    let hint = server(&[]).expect_err("no provider").hint.expect("a hint");
    assert!(hint.contains(
        "openai, azure_openai, cohere, voyageai, tei, vllm, gemini, huggingface, static, local"
    ));
}

#[test]
fn wrappers_have_no_options() {
    assert_eq!(validate(Place::Wrapper, &[], false), Ok(()));
    let invalid = validate(Place::Wrapper, &options(&[("url", "x")]), true).expect_err("an option");
    assert_eq!(invalid.hint.as_deref(), Some("There are no valid options in this context."));
}

#[test]
fn secrets_are_not_repeated() {
    for pairs in [
        &[("api_key", "hidden key")][..],
        &[("api_key", "hidden\n")],
        &[("api_key", "")],
        &[("api_key", "hidden"), ("api_key_env", "hidden")],
        &[("api_key_env", "hidden=")],
        &[("api_key_file", "hidden")],
        &[("password", "hidden")],
    ] {
        let invalid =
            validate(Place::UserMapping, &options(pairs), true).expect_err("an invalid mapping");
        assert!(!format!("{invalid:?}").contains("hidden"), "{invalid:?}");
    }
    let server = options(&[("provider", "openai"), ("model", "m")]);
    let endpoint = Endpoint::new("s", &server, &options(&[("api_key", "hidden")]));
    assert!(!format!("{:?}", endpoint.expect("valid")).contains("hidden"));
}

#[test]
fn what_reads_files_is_for_superusers() {
    for provider in ["static", "local"] {
        let model = options(&[("provider", provider), ("path", "/m")]);
        assert_eq!(validate(Place::Server, &model, true), Ok(()));
        let invalid = validate(Place::Server, &model, false).expect_err("no superuser");
        assert_eq!(invalid.message, "only superusers may set the option \"path\"");
    }
    for (name, value) in [("api_key_env", "KEY"), ("api_key_file", "/key")] {
        let mapping = options(&[(name, value)]);
        assert_eq!(validate(Place::UserMapping, &mapping, true), Ok(()));
        assert!(validate(Place::UserMapping, &mapping, false).is_err(), "{name}");
    }
    assert_eq!(validate(Place::UserMapping, &options(&[("api_key", "k")]), false), Ok(()));
}

#[test]
fn a_provider_s_own_address_needs_a_key() {
    let server = options(&[("provider", "openai"), ("model", "m")]);
    let invalid = Endpoint::new("texts", &server, &[]).expect_err("no key");
    assert_eq!(invalid.message, "model server \"texts\" has no key for the current user");
    let local = options(&[("provider", "openai"), ("model", "m"), ("url", "http://localhost/v1")]);
    assert!(Endpoint::new("texts", &local, &[]).is_ok());
}

#[test]
fn a_key_that_cannot_be_read_is_an_error_of_files() {
    let server = options(&[("provider", "tei"), ("url", "http://localhost:1")]);
    let mapping = options(&[("api_key_file", "/no/such/key")]);
    let endpoint = Endpoint::new("texts", &server, &mapping).expect("valid");
    let error = embed(&endpoint, &["tea"]).expect_err("no key");
    assert_eq!(error.kind, ErrorKind::File);
    assert_eq!(error.message, "could not read the key of model server \"texts\"");
}

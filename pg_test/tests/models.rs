//! `embed` and `rerank` call a model: once for what is the same, without holding up the session, and with
//! errors that tell what happened but no secret.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use model_server::{Fault, ModelServer};
use pg_test::{
    TestDb, create_model, explain_plan, hint, message, refusal, scans_index, sent, sqlstate, text,
    vector_of,
};

/// A database with the model `texts`, and its provider.
fn start() -> (TestDb, ModelServer) {
    let (mut db, models) = (TestDb::new(), ModelServer::start());
    db.batch_execute(&create_model("texts", &models, "")).unwrap();
    (db, models)
}

#[test]
fn a_text_becomes_a_vector() {
    let (mut db, models) = start();
    let made = text(&mut db, "SELECT embed('texts', 'a green tea pot')").unwrap();
    assert_eq!(made, vector_of("a green tea pot"));
    assert_eq!(sent(&models), [["a green tea pot"]]);
    assert_eq!(text(&mut db, "SELECT embed('texts', NULL::text)"), None);
    assert_eq!(text(&mut db, "SELECT embed(NULL, 'tea')"), None);
    assert!(sent(&models).is_empty());
    db.batch_execute(&create_model("small", &models, ", dim '3'")).unwrap();
    assert_eq!(text(&mut db, "SELECT vector_dims(embed('small', 'tea'))").unwrap(), "3");
}

#[test]
fn texts_become_vectors_in_their_order() {
    let (mut db, models) = start();
    let query = "SELECT embed('texts', ARRAY['tea', NULL, 'pot', 'tea', ''])::text[]";
    let vectors: Vec<Option<String>> = db.query_one(query, &[]).unwrap().get(0);
    let expected = [Some("tea"), None, Some("pot"), Some("tea"), Some("")];
    assert_eq!(vectors, expected.map(|input| input.map(vector_of)));
    // Equal ones are asked for once.
    assert_eq!(sent(&models), [["tea", "pot", ""]]);
    assert_eq!(text(&mut db, "SELECT embed('texts', ARRAY[]::text[])").unwrap(), "{}");
    assert_eq!(text(&mut db, "SELECT embed('texts', ARRAY[NULL]::text[])").unwrap(), "{NULL}");
    assert_eq!(text(&mut db, "SELECT embed('texts', NULL::text[])"), None);
    assert!(sent(&models).is_empty());
    db.batch_execute(&create_model("pairs", &models, ", batch '2'")).unwrap();
    let query = "SELECT array_length(embed('pairs', ARRAY['a', 'b', 'c']), 1)";
    assert_eq!(text(&mut db, query).unwrap(), "3");
    let requests: Vec<usize> = sent(&models).iter().map(Vec::len).collect();
    assert_eq!(requests, [2, 1]);
}

#[test]
fn a_statement_embeds_a_text_once() {
    let (mut db, models) = start();
    db.batch_execute("CREATE TABLE docs (body text)").unwrap();
    db.batch_execute("INSERT INTO docs SELECT 'text ' || i % 5 FROM generate_series(1, 200) i")
        .unwrap();
    let query = "SELECT count(DISTINCT embed('texts', body)) FROM docs
        WHERE embed('texts', body) <-> embed('texts', 'text 1') < 100";
    assert_eq!(text(&mut db, query).unwrap(), "5");
    let requests = sent(&models);
    let texts: HashSet<&String> = requests.iter().flatten().collect();
    assert_eq!((requests.len(), texts.len()), (5, 5), "{requests:?}");
    // The next statement asks again.
    assert_eq!(text(&mut db, query).unwrap(), "5");
    assert_eq!(sent(&models).len(), 5);
    // What has no room is asked for again.
    db.batch_execute("SET work_mem = 64").unwrap();
    let long =
        "SELECT count(embed('texts', repeat(i % 3 || ' ', 40000))) FROM generate_series(1, 6) i";
    assert_eq!(text(&mut db, long).unwrap(), "6");
    assert_eq!(sent(&models).len(), 6);
}

#[test]
fn an_index_serves_the_order_by_an_embedded_text() {
    let (mut db, models) = start();
    db.batch_execute(
        "CREATE TABLE docs (id int PRIMARY KEY, body text, embedding vector(8));
         INSERT INTO docs SELECT i, 'text ' || i FROM generate_series(1, 300) i;
         UPDATE docs SET embedding = v FROM (SELECT array_agg(id ORDER BY id) AS ids,
             embed('texts', array_agg(body ORDER BY id)) AS vs FROM docs) AS made,
             unnest(ids, vs) AS u(n, v) WHERE id = n;
         CREATE INDEX docs_e ON docs USING hnsw (embedding vector_cosine_ops);
         ANALYZE docs;",
    )
    .unwrap();
    assert_eq!(sent(&models).concat().len(), 300);
    let query = "SELECT id FROM docs ORDER BY embedding <=> embed('texts', 'text 7') LIMIT 3";
    let plan = explain_plan(&mut db, query).unwrap();
    assert!(scans_index(&plan, "docs_e"), "{plan}");
    // Nobody is called for a plan.
    assert!(sent(&models).is_empty());
    let filtered =
        "SELECT id FROM docs WHERE id > 5 AND embedding <=> embed('texts', 'text 7') < 0.9
        ORDER BY embedding <=> embed('texts', 'text 7') LIMIT 3";
    for query in [query, filtered] {
        assert_eq!(text(&mut db, query).unwrap(), "7");
        assert_eq!(sent(&models), [["text 7"]]);
    }
    let search = "SELECT (hit).id FROM vector_search(NULL::docs, ann('embedding', embed('texts', 'text 7')))";
    assert_eq!(text(&mut db, search).unwrap(), "7");
}

#[test]
fn documents_are_scored_for_a_query() {
    let (mut db, models) = start();
    for provider in ["tei", "cohere"] {
        db.batch_execute(&format!(
            "CREATE SERVER {provider} FOREIGN DATA WRAPPER vector_ext_model
                 OPTIONS (provider '{provider}', url '{}/v1' {})",
            models.url(),
            if provider == "cohere" { ", model 'words'" } else { "" }
        ))
        .unwrap();
        db.batch_execute(&format!(
            "CREATE USER MAPPING FOR PUBLIC SERVER {provider} OPTIONS (api_key 'k')"
        ))
        .unwrap();
        let query = format!(
            "SELECT rerank('{provider}', 'green tea',
            ARRAY['green tea', NULL, 'tea pot', 'coffee'])"
        );
        assert_eq!(text(&mut db, &query).unwrap(), "{1,NULL,0.5,0}", "{provider}");
        assert_eq!(sent(&models), [["green tea", "tea pot", "coffee"]]);
        let none = format!("SELECT rerank('{provider}', 'tea', '{{}}')");
        assert_eq!(text(&mut db, &none).unwrap(), "{}");
        assert!(sent(&models).is_empty());
    }
    let (state, message, _) = refusal(&mut db, "SELECT rerank('texts', 'tea', ARRAY['tea'])");
    assert_eq!(state, "0A000", "{message}");
}

#[test]
fn a_model_that_does_not_answer_holds_up_nobody() {
    let (mut db, models) = start();
    models.misbehave(Fault::Silent);
    db.batch_execute("SET statement_timeout = 200").unwrap();
    let began = Instant::now();
    assert_eq!(refusal(&mut db, "SELECT embed('texts', 'tea')").0, "57014");
    // Well before the timeout of the model, of 30 s.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    db.batch_execute("SET statement_timeout = 0").unwrap();
    sent(&models);

    // Cancelled, and terminated, by another session.
    let mut admin = db.connect();
    for (function, state) in [("pg_cancel_backend", "57014"), ("pg_terminate_backend", "57P01")] {
        let mut other = db.connect();
        let pid = text(&mut other, "SELECT pg_backend_pid()").unwrap();
        let call =
            std::thread::spawn(move || refusal(&mut other, "SELECT embed('texts', 'tea')").0);
        models.wait_for_requests(1);
        models.forget();
        assert_eq!(text(&mut admin, &format!("SELECT {function}({pid})")).unwrap(), "t");
        assert_eq!(call.join().unwrap(), state);
    }
    assert_eq!(text(&mut admin, "SELECT 1").unwrap(), "1");
    assert!(!db.cluster().has_crashed());

    // Its own limit is an error of the connection.
    db.batch_execute(&create_model("hasty", &models, ", timeout '100ms'")).unwrap();
    let (state, message, _) = refusal(&mut db, "SELECT embed('hasty', 'tea')");
    assert_eq!(state, "08006", "{message}");
    assert!(message.contains("hasty"), "{message}");
}

#[test]
fn no_message_tells_a_key() {
    let (mut db, models) = start();
    models.misbehave(Fault::Echo);
    db.batch_execute(
        "CREATE USER MAPPING FOR CURRENT_USER SERVER texts OPTIONS (api_key 'sk-unspeakable')",
    )
    .unwrap();
    let error = db.simple_query("SELECT embed('texts', 'tea')").unwrap_err();
    assert_eq!(sqlstate(&error), "08004");
    assert!(models.requests()[0].headers.contains("sk-unspeakable"), "{:?}", models.requests());
    assert!(message(&error).contains("401"), "{error:?}");
    assert!(!format!("{error:?}").contains("unspeakable"), "{error:?}");
    let plan = explain_plan(&mut db, "SELECT embed('texts', 'tea')").unwrap();
    assert!(!plan.contains("unspeakable"), "{plan}");
    let wrong = "ALTER USER MAPPING FOR CURRENT_USER SERVER texts OPTIONS (SET api_key $$sk-un\u{e4}speakable$$)";
    let error = db.simple_query(wrong).unwrap_err();
    assert!(
        !message(&error).contains("speakable") && !hint(&error).contains("speakable"),
        "{error:?}"
    );
    // The log has statements that failed, as the user wrote them. The one that set the key did not fail,
    // and log_statement is off.
    let log = db.cluster().log();
    assert!(!log.contains("sk-unspeakable"), "{log}");
}

#[test]
fn errors_name_the_server_and_what_it_said() {
    let (mut db, models) = start();
    models.misbehave(Fault::Poison);
    let (state, message, _) = refusal(&mut db, "SELECT embed('texts', ARRAY['tea', 'poison'])");
    assert_eq!(state, "08004", "{message}");
    for part in ["texts", "400", "a failure of the test server"] {
        assert!(message.contains(part), "{message}");
    }
    // A port that nobody listens to.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    db.batch_execute(&format!(
        "ALTER SERVER texts OPTIONS (SET url 'http://{nobody}', ADD timeout '1s')"
    ))
    .unwrap();
    assert_eq!(refusal(&mut db, "SELECT embed('texts', 'tea')").0, "08006");
    assert_eq!(refusal(&mut db, "SELECT embed('nobody', 'tea')").0, "42704");
}

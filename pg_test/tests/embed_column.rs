//! `embed_column` and `embed_pending`: vectors follow the texts that they are of, however these come and go,
//! and each text is embedded once.

use std::collections::HashSet;
use std::io::Write;
use std::thread;

use model_server::{Fault, ModelServer, embedding};
use pg_test::{Cluster, TestDb, create_model, refusal, sent, text, wait_until};
use postgres::Client;

const DOCS: &str =
    "CREATE TABLE docs (id int PRIMARY KEY, body text, embedding vector(8), seen int);
    SELECT embed_column('docs', source => 'body', target => 'embedding', server => 'texts');";

/// A database with a table whose vectors the model `texts` computes.
fn start() -> (TestDb, ModelServer) {
    let (mut db, models) = (TestDb::new(), ModelServer::start());
    db.batch_execute(&create_model("texts", &models, ", batch '10', dim '8'")).unwrap();
    db.batch_execute(DOCS).unwrap();
    (db, models)
}

fn embed(db: &mut Client) {
    db.batch_execute("CALL embed_pending('docs')").unwrap();
}

/// The ids of rows without a vector.
fn pending(db: &mut Client) -> Option<String> {
    text(db, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM docs WHERE embedding IS NULL")
}

/// The ids of rows whose vector is not that of their text.
fn wrong(db: &mut Client) -> Vec<i32> {
    let rows =
        db.query("SELECT id, body, embedding::text FROM docs WHERE embedding IS NOT NULL", &[]);
    let is_wrong = |row: &postgres::Row| {
        let numbers = row.get::<_, &str>(2).trim_matches(['[', ']']).split(',');
        let vector: Vec<f32> = numbers.map(|number| number.parse().unwrap()).collect();
        vector != embedding(row.get(1), 8)
    };
    rows.unwrap().iter().filter(|row| is_wrong(row)).map(|row| row.get(0)).collect()
}

#[test]
fn vectors_follow_their_texts() {
    let (mut db, models) = start();
    db.batch_execute("INSERT INTO docs SELECT i, 'text ' || i FROM generate_series(1, 25) i; INSERT INTO docs VALUES (26)")
        .unwrap();
    embed(&mut db);
    assert_eq!(sent(&models).iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!((pending(&mut db).unwrap(), wrong(&mut db)), ("26".into(), vec![]));
    embed(&mut db);
    assert!(sent(&models).is_empty());

    // Only where the text changes.
    db.batch_execute(
        "UPDATE docs SET seen = 1; UPDATE docs SET body = body WHERE id = 1;
         UPDATE docs SET body = 'other' WHERE id IN (2, 26); UPDATE docs SET body = NULL WHERE id = 3;
         UPDATE docs SET embedding = NULL WHERE id = 4; DELETE FROM docs WHERE id = 5;
         UPDATE docs SET body = 'given', embedding = embed('texts', 'given') WHERE id = 6;
         INSERT INTO docs VALUES (7, 'text 7', embed('texts', 'text 7')) ON CONFLICT (id) DO UPDATE
             SET body = 'merged';",
    )
    .unwrap();
    sent(&models);
    assert_eq!(pending(&mut db).unwrap(), "2 3 4 7 26");
    embed(&mut db);
    let texts: HashSet<String> = sent(&models).concat().into_iter().collect();
    assert_eq!(texts, ["other", "text 4", "merged"].map(String::from).into());
    assert_eq!((pending(&mut db).unwrap(), wrong(&mut db)), ("3".into(), vec![]));

    let mut copy = db.copy_in("COPY docs (id, body) FROM STDIN").unwrap();
    copy.write_all(b"100\tcopied\n").unwrap();
    copy.finish().unwrap();
    embed(&mut db);
    assert_eq!((sent(&models), wrong(&mut db)), (vec![vec!["copied".into()]], vec![]));
}

#[test]
fn the_model_is_called_between_transactions() {
    let (mut db, models) = start();
    db.batch_execute("INSERT INTO docs VALUES (1, 'tea'), (2, 'pot')").unwrap();
    models.misbehave(Fault::Silent);
    let mut other = db.connect();
    let pid = text(&mut other, "SELECT pg_backend_pid()").unwrap();
    let call = thread::spawn(move || other.batch_execute("CALL embed_pending('docs')"));
    models.wait_for_requests(1);
    // It holds neither the table nor a snapshot, and others write rows that it works on.
    let held =
        format!("SELECT count(*) FROM pg_locks WHERE pid = {pid} AND relation = 'docs'::regclass");
    assert_eq!(text(&mut db, &held).unwrap(), "0");
    let snapshot = format!("SELECT backend_xmin FROM pg_stat_activity WHERE pid = {pid}");
    assert_eq!(text(&mut db, &snapshot), None);
    db.batch_execute("ALTER TABLE docs ADD more int; UPDATE docs SET body = 'coffee' WHERE id = 1")
        .unwrap();
    db.batch_execute(&format!("SELECT pg_terminate_backend({pid})")).unwrap();
    assert!(call.join().unwrap().is_err());
    // What it had claimed is free.
    models.misbehave(Fault::None);
    wait_until("claims to end", || {
        let claims = "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        Ok(text(&mut db, claims).unwrap() == "t")
    })
    .unwrap();
    embed(&mut db);
    assert_eq!((pending(&mut db), wrong(&mut db)), (None, vec![]));
    assert_eq!(refusal(&mut db, "BEGIN; CALL embed_pending('docs')").0, "2D000");
    db.batch_execute("ROLLBACK").unwrap();
}

#[test]
fn a_text_that_changes_meanwhile_keeps_no_vector() {
    let (mut db, models) = start();
    db.batch_execute("INSERT INTO docs VALUES (1, 'tea'), (2, 'pot')").unwrap();
    // A request that is tried again until the text has changed.
    models.misbehave(Fault::Status { status: 503, times: usize::MAX, retry_after: None });
    let mut other = db.connect();
    let call = thread::spawn(move || other.batch_execute("CALL embed_pending('docs')"));
    models.wait_for_requests(1);
    db.batch_execute("UPDATE docs SET body = 'coffee' WHERE id = 2").unwrap();
    // Another row takes the place of the first.
    let first = "SELECT ctid FROM docs WHERE id <> 2";
    let place = text(&mut db, first);
    db.batch_execute("DELETE FROM docs WHERE id = 1").unwrap();
    db.batch_execute("VACUUM docs").unwrap();
    db.batch_execute("INSERT INTO docs VALUES (3, 'jug')").unwrap();
    assert_eq!(text(&mut db, first), place);
    models.misbehave(Fault::None);
    call.join().unwrap().unwrap();
    assert_eq!((pending(&mut db), wrong(&mut db)), (None, vec![]));
}

#[test]
fn several_sessions_embed_each_row_once() {
    let (mut db, models) = start();
    db.batch_execute("INSERT INTO docs SELECT i, 'text ' || i FROM generate_series(1, 10000) i")
        .unwrap();
    let sessions: Vec<_> = (0..4)
        .map(|_| {
            let mut session = db.connect();
            thread::spawn(move || session.batch_execute("CALL embed_pending('docs')"))
        })
        .collect();
    for session in sessions {
        session.join().unwrap().unwrap();
    }
    let mut texts = sent(&models).concat();
    assert_eq!(texts.len(), 10_000);
    texts.sort_unstable();
    texts.dedup();
    assert_eq!((texts.len(), pending(&mut db), wrong(&mut db)), (10_000, None, vec![]));

    // One of them is killed in the middle: what it had is embedded again, and nothing else.
    db.batch_execute("UPDATE docs SET body = body || ' again'").unwrap();
    models.misbehave(Fault::Silent);
    let mut killed = db.connect();
    let pid = text(&mut killed, "SELECT pg_backend_pid()").unwrap();
    let call = thread::spawn(move || killed.batch_execute("CALL embed_pending('docs')"));
    models.wait_for_requests(1);
    models.misbehave(Fault::None);
    let lost = sent(&models).concat();
    assert_eq!(lost.len(), 10);
    let mut session = db.connect();
    let others = thread::spawn(move || session.batch_execute("CALL embed_pending('docs')"));
    others.join().unwrap().unwrap();
    assert_eq!(pending(&mut db).map(|ids| ids.split(' ').count()), Some(10));
    db.batch_execute(&format!("SELECT pg_terminate_backend({pid})")).unwrap();
    assert!(call.join().unwrap().is_err());
    wait_until("the session to end", || {
        let ended = format!("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {pid}");
        Ok(text(&mut db, &ended).unwrap() == "t")
    })
    .unwrap();
    embed(&mut db);
    let mut texts = sent(&models).concat();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!((texts.len(), pending(&mut db), wrong(&mut db)), (10_000, None, vec![]));
}

const STATUS: &str =
    "SELECT concat_ws(' ', rel, source, target, server, pending, failed) FROM embed_status";

const LAST_RUN: &str = "SELECT to_char(last_run, 'IYYY-MM-DD HH24:MI:SS.US') FROM embed_status";

#[test]
fn a_text_that_the_model_refuses_is_left_alone_for_a_while() {
    let (mut db, models) = start();
    db.batch_execute(
        "INSERT INTO docs SELECT i, CASE i WHEN 7 THEN 'poison' ELSE 'text ' || i END FROM generate_series(1, 20) i",
    )
    .unwrap();
    models.misbehave(Fault::Poison);
    assert_eq!(text(&mut db, LAST_RUN), None);
    embed(&mut db);
    let run = text(&mut db, LAST_RUN);
    assert_eq!((pending(&mut db).unwrap(), wrong(&mut db)), ("7".into(), vec![]));
    assert_eq!(text(&mut db, STATUS).unwrap(), "docs body embedding texts 1 1");
    let reason = text(&mut db, "SELECT reason FROM embed_status").unwrap();
    assert!(reason.contains("400"), "{reason}");
    sent(&models);
    embed(&mut db);
    assert!(sent(&models).is_empty());
    // A run with nothing to do is one.
    assert!(run.is_some() && text(&mut db, LAST_RUN) > run);
    // After a while it is tried again, and later each time.
    let due = "UPDATE embed_failure SET retry = now()";
    let wait = "SELECT next_retry - last_failure FROM embed_status";
    assert_eq!(text(&mut db, wait).unwrap(), "00:01:00");
    for after in ["00:02:00", "00:04:00"] {
        db.batch_execute(due).unwrap();
        embed(&mut db);
        assert_eq!(text(&mut db, wait).unwrap(), after);
    }
    assert!(sent(&models).concat().contains(&"poison".into()));
    db.batch_execute("UPDATE embed_failure SET retry = now(), attempts = 2147483647").unwrap();
    embed(&mut db);
    // A failure is that of the text.
    db.batch_execute("UPDATE docs SET body = 'tea' WHERE id = 7").unwrap();
    embed(&mut db);
    assert_eq!((pending(&mut db), wrong(&mut db)), (None, vec![]));
    assert_eq!(text(&mut db, STATUS).unwrap(), "docs body embedding texts 0 0");
}

#[test]
fn a_model_that_fails_altogether_is_no_failure_of_texts() {
    let (mut db, models) = start();
    db.batch_execute("INSERT INTO docs SELECT i, 'text ' || i FROM generate_series(1, 20) i")
        .unwrap();
    for (fault, state) in [
        (Fault::Status { status: 401, times: usize::MAX, retry_after: None }, "08004"),
        (Fault::NotJson, "08P01"),
        (Fault::WrongDimension, "08P01"),
    ] {
        models.misbehave(fault.clone());
        let (found, message, _) = refusal(&mut db, "CALL embed_pending('docs')");
        assert_eq!(found, state, "{fault:?}: {message}");
        assert_eq!(text(&mut db, STATUS).unwrap(), "docs body embedding texts 20 0");
        let claims =
            "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'";
        assert_eq!(text(&mut db, claims).unwrap(), "0");
    }
    models.misbehave(Fault::None);
    embed(&mut db);
    assert_eq!((pending(&mut db), wrong(&mut db)), (None, vec![]));
}

#[test]
fn an_image_that_is_none_stops_no_others() {
    let (mut db, models) = (TestDb::new(), ModelServer::start());
    db.batch_execute(&format!(
        "CREATE SERVER images FOREIGN DATA WRAPPER vector_ext_model
             OPTIONS (provider 'voyageai', model 'voyage-multimodal-3', url '{}/v1', dim '8', batch '10');
         CREATE USER MAPPING FOR CURRENT_USER SERVER images OPTIONS (api_key 'key');
         CREATE TABLE docs (id int PRIMARY KEY, body bytea, embedding vector(8));
         SELECT embed_column('docs', 'body', 'embedding', 'images');
         INSERT INTO docs VALUES (1, 'none'), (2, '\\x89504e4701'), (3, '\\x89504e4702')",
        models.url()
    ))
    .unwrap();
    // A wrong key is no failure of images.
    models.misbehave(Fault::Status { status: 401, times: usize::MAX, retry_after: None });
    db.batch_execute("DELETE FROM docs WHERE id = 1").unwrap();
    assert_eq!(refusal(&mut db, "CALL embed_pending('docs')").0, "08004");
    assert_eq!(models.requests().len(), 1);
    // Nor is a model that refuses all images.
    models.misbehave(Fault::Status { status: 400, times: usize::MAX, retry_after: None });
    assert_eq!(refusal(&mut db, "CALL embed_pending('docs')").0, "08004");
    assert_eq!(text(&mut db, STATUS).unwrap(), "docs body embedding images 2 0");
    models.misbehave(Fault::None);
    db.batch_execute("INSERT INTO docs VALUES (1, 'none')").unwrap();
    embed(&mut db);
    assert_eq!(pending(&mut db).unwrap(), "1");
    assert_eq!(text(&mut db, STATUS).unwrap(), "docs body embedding images 1 1");
    let reason = text(&mut db, "SELECT reason FROM embed_status").unwrap();
    assert!(reason.contains("not an image"), "{reason}");
}

#[test]
fn rows_that_cannot_be_written_stop_no_others() {
    let (mut db, models) = start();
    let writer = format!("writer_{}", db.name());
    db.batch_execute(&format!(
        "CREATE ROLE {writer}; GRANT SELECT, UPDATE ON docs TO {writer};
         GRANT USAGE ON FOREIGN SERVER texts TO {writer};
         ALTER TABLE docs ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON docs USING (true);
         INSERT INTO docs VALUES (1, 'poison'), (2, 'tea'), (3, 'pot')"
    ))
    .unwrap();
    // Others lock a row.
    let mut other = db.connect();
    other.batch_execute("BEGIN; UPDATE docs SET seen = 1 WHERE id = 3").unwrap();
    // Failures cannot be kept under row-level security.
    models.misbehave(Fault::Poison);
    db.batch_execute(&format!("SET ROLE {writer}; SET lock_timeout = '10s'")).unwrap();
    embed(&mut db);
    assert_eq!((pending(&mut db).unwrap(), wrong(&mut db)), ("1 3".into(), vec![]));
    other.batch_execute("ROLLBACK").unwrap();
    embed(&mut db);
    assert_eq!((pending(&mut db).unwrap(), wrong(&mut db)), ("1".into(), vec![]));
    db.batch_execute(&format!("RESET ROLE; DROP OWNED BY {writer}; DROP ROLE {writer}")).unwrap();
    assert_eq!(text(&mut db, "SELECT count(*) FROM embed_failure").unwrap(), "0");
}

#[test]
fn a_trigger_that_removes_vectors_is_an_error() {
    let (mut db, models) = start();
    db.batch_execute(
        "CREATE FUNCTION remove() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN NEW.embedding := NULL; RETURN NEW; END $$;
         CREATE TRIGGER z BEFORE UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION remove();
         INSERT INTO docs VALUES (1, 'tea'); SET statement_timeout = '30s'",
    )
    .unwrap();
    let (state, message, _) = refusal(&mut db, "CALL embed_pending('docs')");
    assert_eq!(state, "27000", "{message}");
    assert_eq!(sent(&models).len(), 1);
}

#[test]
fn a_run_follows_changes_of_its_column() {
    let (mut db, models) = start();
    let others = ModelServer::start();
    let writer = format!("writer_{}", db.name());
    db.batch_execute(&create_model("others", &others, ", batch '1', dim '8'")).unwrap();
    db.batch_execute(&format!(
        "CREATE ROLE {writer}; GRANT SELECT, UPDATE ON docs TO {writer};
         GRANT USAGE ON FOREIGN SERVER texts, others TO {writer};
         INSERT INTO docs VALUES (1, 'tea'), (2, 'pot')"
    ))
    .unwrap();
    let busy = Fault::Status { status: 503, times: usize::MAX, retry_after: None };
    let call = |db: &TestDb| {
        let mut session = db.connect();
        session.batch_execute(&format!("SET ROLE {writer}")).unwrap();
        thread::spawn(move || session.batch_execute("CALL embed_pending('docs')"))
    };
    // The column gets another model while the old one is asked.
    models.misbehave(busy.clone());
    let running = call(&db);
    models.wait_for_requests(1);
    db.batch_execute("SELECT embed_column('docs', 'body', 'embedding', 'others')").unwrap();
    models.misbehave(Fault::None);
    running.join().unwrap().unwrap();
    let texts: HashSet<String> = sent(&others).concat().into_iter().collect();
    assert_eq!(texts, ["pot", "tea"].map(String::from).into());
    assert_eq!((pending(&mut db), wrong(&mut db)), (None, vec![]));
    // A privilege ends with the batch.
    db.batch_execute("UPDATE docs SET embedding = NULL").unwrap();
    others.misbehave(busy);
    let running = call(&db);
    others.wait_for_requests(1);
    db.batch_execute(&format!("REVOKE USAGE ON FOREIGN SERVER others FROM {writer}")).unwrap();
    others.misbehave(Fault::None);
    let error = running.join().unwrap().unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{error:?}");
    assert_eq!(pending(&mut db).unwrap().len(), 1);
    db.batch_execute(&format!("DROP OWNED BY {writer}; DROP ROLE {writer}")).unwrap();
}

#[test]
fn partitions_are_embedded_with_their_table() {
    let (mut db, models) = (TestDb::new(), ModelServer::start());
    db.batch_execute(&create_model("texts", &models, "")).unwrap();
    db.batch_execute(
        "CREATE TABLE docs (id int, body text, embedding vector(8)) PARTITION BY RANGE (id);
         CREATE TABLE low PARTITION OF docs FOR VALUES FROM (0) TO (10);
         CREATE TABLE high (embedding vector(8), extra int, body text, id int);
         ALTER TABLE high DROP extra;
         SELECT embed_column('docs', 'body', 'embedding', 'texts');
         ALTER TABLE docs ATTACH PARTITION high FOR VALUES FROM (10) TO (20);
         INSERT INTO docs SELECT i, 'text ' || i FROM generate_series(1, 19) i;",
    )
    .unwrap();
    embed(&mut db);
    assert_eq!((pending(&mut db), wrong(&mut db)), (None, vec![]));
    db.batch_execute("UPDATE high SET body = 'other' WHERE id = 12; UPDATE docs SET id = 15, body = 'moved' WHERE id = 3")
        .unwrap();
    assert_eq!(pending(&mut db).unwrap(), "12 15");
    embed(&mut db);
    assert_eq!((pending(&mut db), wrong(&mut db)), (None, vec![]));
    assert_eq!(text(&mut db, "SELECT count(*) FROM embed_status").unwrap(), "1");
}

#[test]
fn columns_may_be_renamed_and_dropped() {
    let (mut db, models) = start();
    db.batch_execute(
        "ALTER TABLE docs RENAME body TO \"the \"\"text\"; ALTER TABLE docs RENAME embedding TO \"V\";
         CREATE SCHEMA \"S\"; ALTER TABLE docs SET SCHEMA \"S\"; ALTER TABLE \"S\".docs RENAME TO \"D\";
         INSERT INTO \"S\".\"D\" VALUES (1, 'tea');",
    )
    .unwrap();
    let call = "CALL embed_pending('\"S\".\"D\"')";
    db.batch_execute(call).unwrap();
    db.batch_execute("UPDATE \"S\".\"D\" SET \"the \"\"text\" = 'pot'").unwrap();
    assert_eq!(text(&mut db, STATUS).unwrap(), "\"S\".\"D\" the \"text V texts 1 0");
    assert_eq!(sent(&models).concat(), ["tea"]);
    // Both columns are part of the trigger.
    for column in ["\"the \"\"text\"", "\"V\""] {
        let (state, ..) =
            refusal(&mut db, &format!("ALTER TABLE \"S\".\"D\" DROP {column} RESTRICT"));
        assert_eq!(state, "2BP01");
    }
    models.misbehave(Fault::Poison);
    db.batch_execute("UPDATE \"S\".\"D\" SET \"the \"\"text\" = 'poison'").unwrap();
    db.batch_execute(call).unwrap();
    let failures = "SELECT count(*) FROM embed_failure";
    assert_eq!(text(&mut db, failures).unwrap(), "1");
    let runs = "SELECT count(*) FROM embed_run";
    assert_eq!(text(&mut db, runs).unwrap(), "1");
    db.batch_execute("ALTER TABLE \"S\".\"D\" DROP \"V\" CASCADE").unwrap();
    assert_eq!(text(&mut db, "SELECT count(*) FROM embed_status").unwrap(), "0");
    assert_eq!(refusal(&mut db, call).0, "22023");
    // What is left of it goes with the next run.
    db.batch_execute(DOCS).unwrap();
    embed(&mut db);
    assert_eq!(text(&mut db, failures).unwrap(), "0");
    assert_eq!(text(&mut db, runs).unwrap(), "1");
}

#[test]
fn what_does_not_fit_is_refused() {
    let (mut db, models) = start();
    db.batch_execute(
        "CREATE FOREIGN DATA WRAPPER other; CREATE SERVER plain FOREIGN DATA WRAPPER other;
         CREATE TABLE made (body text, both_ text GENERATED ALWAYS AS (body || body) STORED,
             embedding vector(8), copy vector(8) GENERATED ALWAYS AS (embedding) STORED)",
    )
    .unwrap();
    for (arguments, state) in [
        ("'docs', 'nothing', 'embedding', 'texts'", "42703"),
        ("'docs', 'body', 'nothing', 'texts'", "42703"),
        ("'docs', 'id', 'embedding', 'texts'", "42804"),
        ("'docs', 'body', 'seen', 'texts'", "42804"),
        ("'docs', 'body', 'embedding', 'nobody'", "42704"),
        ("'docs', 'body', 'embedding', 'plain'", "42809"),
        ("'nowhere', 'body', 'embedding', 'texts'", "42P01"),
        ("'made', 'both_', 'embedding', 'texts'", "428C9"),
        ("'made', 'body', 'copy', 'texts'", "428C9"),
    ] {
        assert_eq!(
            refusal(&mut db, &format!("SELECT embed_column({arguments})")).0,
            state,
            "{arguments}"
        );
    }
    assert_eq!(refusal(&mut db, "CALL embed_pending(NULL)").0, "22023");
    assert_eq!(refusal(&mut db, "SELECT embed_stale()").0, "39P01");
    db.batch_execute(
        "CREATE TRIGGER t BEFORE INSERT ON docs FOR EACH ROW EXECUTE FUNCTION embed_stale()",
    )
    .unwrap();
    assert_eq!(refusal(&mut db, "INSERT INTO docs VALUES (1)").0, "39P01");
    assert!(sent(&models).is_empty());
}

#[test]
fn nobody_does_for_another_what_that_one_could_not() {
    let (mut db, models) = start();
    let (reader, writer) = (format!("reader_{}", db.name()), format!("writer_{}", db.name()));
    db.batch_execute(&format!(
        "CREATE ROLE {reader}; CREATE ROLE {writer};
         INSERT INTO docs VALUES (1, 'poison'), (2, 'tea');
         GRANT SELECT ON docs TO {reader}; GRANT SELECT, INSERT, UPDATE ON docs TO {writer};
         GRANT USAGE ON FOREIGN SERVER texts TO {reader};"
    ))
    .unwrap();
    models.misbehave(Fault::Poison);
    let failure = "INSERT INTO embed_failure VALUES ('docs'::regclass, 3, 1, 'x', 1, now(), now())";
    let with = |role: &str, statement: &str| format!("SET ROLE {role}; {statement}");
    // Who may not write the vectors neither embeds nor tells of failures, nor sees them.
    let run = "INSERT INTO embed_run VALUES ('docs'::regclass, 3, now())";
    assert_eq!(refusal(&mut db, &with(&reader, failure)).0, "42501");
    assert_eq!(refusal(&mut db, &with(&reader, run)).0, "42501");
    assert_eq!(
        refusal(
            &mut db,
            &with(&reader, "SELECT embed_column('docs', 'body', 'embedding', 'texts')")
        )
        .0,
        "42501"
    );
    db.batch_execute(&format!("SET ROLE {reader}")).unwrap();
    assert_eq!(refusal(&mut db, "CALL embed_pending('docs')").0, "42501");
    // Who may not use the model embeds nothing, but writes texts.
    db.batch_execute(&format!("RESET ROLE; SET ROLE {writer}")).unwrap();
    db.batch_execute(
        "INSERT INTO docs VALUES (3, 'pot'); UPDATE docs SET body = 'jug' WHERE id = 3",
    )
    .unwrap();
    assert_eq!(refusal(&mut db, "CALL embed_pending('docs')").0, "42501");
    db.batch_execute(&format!(
        "RESET ROLE; GRANT USAGE ON FOREIGN SERVER texts TO {writer}; SET ROLE {writer}"
    ))
    .unwrap();
    embed(&mut db);
    assert_eq!(text(&mut db, "SELECT count(*) FROM embed_failure").unwrap(), "1");
    assert!(text(&mut db, LAST_RUN).is_some());
    // Rows are counted for the owner.
    assert_eq!(text(&mut db, STATUS).unwrap(), "docs body embedding texts 1");
    db.batch_execute(&format!("RESET ROLE; SET ROLE {reader}")).unwrap();
    assert_eq!(text(&mut db, "SELECT count(*) FROM embed_failure").unwrap(), "0");
    assert_eq!(text(&mut db, LAST_RUN), None);
    assert_eq!(text(&mut db, STATUS).unwrap(), "docs body embedding texts 0");
    db.batch_execute(&format!(
        "RESET ROLE; DROP OWNED BY {reader}, {writer}; DROP ROLE {reader}, {writer}"
    ))
    .unwrap();
}

/// The code of a table's owner runs as nobody else: here a predicate of an index, which is evaluated as a query
/// is planned.
#[test]
fn nobody_runs_the_code_of_another() {
    let (mut db, models) = start();
    let owner = format!("owner_{}", db.name());
    db.batch_execute(&format!(
        "CREATE ROLE {owner}; GRANT ALL ON SCHEMA public TO {owner};
         GRANT USAGE ON FOREIGN SERVER texts TO {owner}; SET ROLE {owner};
         CREATE TABLE trap (body text, embedding vector(8));
         SELECT embed_column('trap', 'body', 'embedding', 'texts');
         INSERT INTO trap VALUES ('tea');
         CREATE FUNCTION spring() RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
             IF current_user <> '{owner}' THEN RAISE 'sprung by %', current_user; END IF;
             RETURN true;
         END $$;
         CREATE INDEX ON trap (body) WHERE spring();
         CREATE TABLE whole (body text, embedding vector(8)) PARTITION BY LIST (body);
         CREATE TABLE part PARTITION OF whole DEFAULT;
         CREATE INDEX ON part (body) WHERE spring();
         SELECT embed_column('whole', 'body', 'embedding', 'texts'); RESET ROLE;"
    ))
    .unwrap();
    let mut other = db.connect();
    let status = "SELECT string_agg(concat_ws(' ', rel, pending), ', ' ORDER BY rel::text) FROM embed_status";
    assert_eq!(refusal(&mut other, "SELECT * FROM whole").1, "sprung by postgres");
    assert_eq!(text(&mut other, status).unwrap(), "docs 0, trap, whole");
    for table in ["trap", "whole"] {
        let (state, message, _) = refusal(&mut other, &format!("CALL embed_pending('{table}')"));
        assert_eq!(state, "42501", "{table}: {message}");
    }
    // Not even where the whole belongs to the superuser.
    other.batch_execute("ALTER TABLE whole OWNER TO postgres").unwrap();
    assert_eq!(text(&mut other, status).unwrap(), "docs 0, trap, whole");
    assert_eq!(refusal(&mut other, "CALL embed_pending('whole')").0, "42501");
    assert!(sent(&models).is_empty());
    other.batch_execute(&format!("SET ROLE {owner}")).unwrap();
    assert_eq!(text(&mut other, status).unwrap(), "docs, trap 1, whole");
    other.batch_execute("CALL embed_pending('trap')").unwrap();
    assert_eq!(sent(&models).concat(), ["tea"]);
    other
        .batch_execute(&format!(
            "RESET ROLE; DROP TABLE whole; DROP OWNED BY {owner}; DROP ROLE {owner}"
        ))
        .unwrap();
}

#[test]
fn a_dump_goes_on_where_it_was() {
    let (mut db, models) = start();
    db.batch_execute("INSERT INTO docs VALUES (1, 'tea'), (2, 'pot')").unwrap();
    embed(&mut db);
    db.batch_execute("UPDATE docs SET body = 'jug' WHERE id = 2").unwrap();
    let mut dump = db.cluster().program("pg_dump");
    let dump = dump.args(["--dbname", db.name()]).output().unwrap();
    assert!(dump.status.success(), "{dump:?}");
    let mut copy = TestDb::without_extension();
    let mut psql = db.cluster().program("psql");
    let psql = psql.args(["-q", "-v", "ON_ERROR_STOP=1", "--dbname", copy.name()]);
    let mut psql = psql
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    psql.stdin.take().unwrap().write_all(&dump.stdout).unwrap();
    assert!(psql.wait().unwrap().success());
    copy.batch_execute("SET search_path = public").unwrap();
    sent(&models);
    assert_eq!(pending(&mut copy).unwrap(), "2");
    embed(&mut copy);
    assert_eq!((sent(&models), wrong(&mut copy)), (vec![vec!["jug".into()]], vec![]));
    copy.batch_execute("UPDATE docs SET body = 'cup' WHERE id = 1").unwrap();
    assert_eq!(text(&mut copy, STATUS).unwrap(), "docs body embedding texts 1 0");
}

#[test]
fn a_subscriber_gets_vectors_and_makes_none() {
    let models = ModelServer::start();
    let settings = [("wal_level", "logical")];
    let publisher = Cluster::new("embed_pub", &settings).unwrap();
    let subscriber = Cluster::new("embed_sub", &settings).unwrap();
    let (mut here, mut there) = (publisher.connect().unwrap(), subscriber.connect().unwrap());
    for db in [&mut here, &mut there] {
        db.batch_execute("CREATE EXTENSION vector_ext").unwrap();
        db.batch_execute(&create_model("texts", &models, "")).unwrap();
        db.batch_execute(DOCS).unwrap();
    }
    here.batch_execute("CREATE PUBLICATION docs FOR TABLE docs").unwrap();
    there
        .batch_execute(&format!(
            "CREATE SUBSCRIPTION docs CONNECTION 'host={} user=postgres dbname=postgres' PUBLICATION docs",
            publisher.socket_dir().display()
        ))
        .unwrap();
    here.batch_execute("INSERT INTO docs VALUES (1, 'tea'), (2, 'pot')").unwrap();
    embed(&mut here);
    // The text changes here, and the vector comes with the next run.
    here.batch_execute("UPDATE docs SET body = 'jug' WHERE id = 2").unwrap();
    embed(&mut here);
    let rows = "SELECT string_agg(concat_ws(' ', id, body, embedding), ', ' ORDER BY id) FROM docs";
    let expected = text(&mut here, rows);
    wait_until("the subscriber", || Ok(text(&mut there, rows) == expected)).unwrap();
    assert_eq!(sent(&models).concat(), ["tea", "pot", "jug"]);
    assert_eq!((pending(&mut there), wrong(&mut there)), (None, vec![]));
    there.batch_execute("DROP SUBSCRIPTION docs").unwrap();
}

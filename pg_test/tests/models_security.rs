//! Who may use models, and where secrets go: the wrapper of models gives nobody more than PostgreSQL's own
//! wrappers do.

use model_server::ModelServer;
use pg_test::{TestDb, create_model, refusal, sent, text};
use postgres::Client;

/// A role for this test alone, since roles are those of the whole server.
struct Role(String);

impl Role {
    fn create(db: &mut TestDb, name: &str) -> Role {
        let name = format!("{name}_{}", db.name());
        db.batch_execute(&format!("CREATE ROLE {name}")).unwrap();
        Role(name)
    }

    fn become_it(&self, db: &mut Client) {
        db.batch_execute(&format!("RESET ROLE; SET ROLE {}", self.0)).unwrap();
    }
}

fn drop_roles(db: &mut TestDb, roles: &[&Role]) {
    db.batch_execute("RESET ROLE").unwrap();
    for Role(name) in roles {
        db.batch_execute(&format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}")).unwrap();
    }
}

#[test]
fn models_have_no_tables() {
    let (mut db, models) = (TestDb::new(), ModelServer::start());
    db.batch_execute(&create_model("texts", &models, "")).unwrap();
    for statement in [
        "CREATE FOREIGN TABLE t (a int) SERVER texts",
        "IMPORT FOREIGN SCHEMA public FROM SERVER texts INTO public",
    ] {
        let (state, message, _) = refusal(&mut db, statement);
        assert_eq!(state, "0A000", "{message}");
        assert_eq!(message, "servers of vector_ext_model have no tables");
    }
    // Not even if a superuser takes the validator away.
    db.batch_execute(
        "ALTER FOREIGN DATA WRAPPER vector_ext_model NO VALIDATOR;
         CREATE FOREIGN TABLE t (a int) SERVER texts;",
    )
    .unwrap();
    assert_eq!(refusal(&mut db, "SELECT * FROM t").0, "0A000");
    assert_eq!(refusal(&mut db, "INSERT INTO t VALUES (1)").0, "0A000");
}

#[test]
fn options_are_checked() {
    let mut db = TestDb::new();
    for options in ["provider 'nobody'", "colour 'red'", "provider 'openai', model 'm', batch '0'"]
    {
        let statement =
            format!("CREATE SERVER s FOREIGN DATA WRAPPER vector_ext_model OPTIONS ({options})");
        assert_eq!(refusal(&mut db, &statement).0, "22023", "{options}");
    }
    assert_eq!(
        refusal(&mut db, "CREATE SERVER s FOREIGN DATA WRAPPER vector_ext_model").0,
        "22023"
    );
}

#[test]
fn a_wrapper_of_the_same_name_is_not_replaced() {
    let mut db = TestDb::without_extension();
    db.batch_execute("CREATE FOREIGN DATA WRAPPER vector_ext_model").unwrap();
    assert_eq!(refusal(&mut db, "CREATE EXTENSION vector_ext").0, "42710");
    db.batch_execute(
        "ALTER FOREIGN DATA WRAPPER vector_ext_model RENAME TO other; CREATE EXTENSION vector_ext",
    )
    .unwrap();
    // A server of another wrapper is no model.
    db.batch_execute("CREATE SERVER s FOREIGN DATA WRAPPER other").unwrap();
    let (state, message, _) = refusal(&mut db, "SELECT embed('s', 'tea')");
    assert_eq!((&*state, &*message), ("42809", "server \"s\" is not a model"));
}

#[test]
fn models_are_for_those_who_may_use_them() {
    let (mut db, models) = (TestDb::new(), ModelServer::start());
    let (owner, user) = (Role::create(&mut db, "owner"), Role::create(&mut db, "user"));
    db.batch_execute(&create_model("texts", &models, "")).unwrap();
    owner.become_it(&mut db);
    assert_eq!(refusal(&mut db, &create_model("own", &models, "")).0, "42501");
    assert_eq!(refusal(&mut db, "SELECT embed('texts', 'tea')").0, "42501");
    let names = (&owner.0, &user.0);
    db.batch_execute(&format!(
        "RESET ROLE; GRANT USAGE ON FOREIGN DATA WRAPPER vector_ext_model TO {}",
        names.0
    ))
    .unwrap();
    owner.become_it(&mut db);
    db.batch_execute(&create_model("own", &models, "")).unwrap();
    assert!(text(&mut db, "SELECT embed('own', 'tea')").is_some());
    user.become_it(&mut db);
    for call in
        ["embed('own', 'tea')", "embed('own', ARRAY['tea'])", "rerank('own', 'tea', ARRAY['tea'])"]
    {
        let (state, message, _) = refusal(&mut db, &format!("SELECT {call}"));
        assert_eq!((&*state, &*message), ("42501", "permission denied for foreign server own"));
    }
    owner.become_it(&mut db);
    db.batch_execute(&format!("GRANT USAGE ON FOREIGN SERVER own TO {}", names.1)).unwrap();
    user.become_it(&mut db);
    assert!(text(&mut db, "SELECT embed('own', 'tea')").is_some());

    // Each with the own key.
    let mapping = |user: &str, key: &str| {
        format!("CREATE USER MAPPING FOR {user} SERVER own OPTIONS (api_key '{key}')")
    };
    db.batch_execute(&mapping("CURRENT_USER", "of-user")).unwrap();
    let key = |db: &mut TestDb| {
        models.forget();
        assert!(text(db, "SELECT embed('own', 'tea')").is_some());
        let headers = models.requests()[0].headers.clone();
        ["of-user", "of-all"].into_iter().find(|key| headers.contains(*key))
    };
    assert_eq!(key(&mut db), Some("of-user"));
    owner.become_it(&mut db);
    assert_eq!(key(&mut db), None);
    db.batch_execute(&mapping("PUBLIC", "of-all")).unwrap();
    assert_eq!(key(&mut db), Some("of-all"));
    drop_roles(&mut db, &[&user, &owner]);
}

#[test]
fn secrets_of_the_server_go_only_where_a_superuser_sends_them() {
    let (mut db, good, evil) = (TestDb::new(), ModelServer::start(), ModelServer::start());
    let mallory = Role::create(&mut db, "mallory");
    db.batch_execute(&create_model("texts", &good, "")).unwrap();
    db.batch_execute(&format!(
        "GRANT USAGE ON FOREIGN DATA WRAPPER vector_ext_model TO {0};
         GRANT USAGE ON FOREIGN SERVER texts TO {0};
         CREATE USER MAPPING FOR {0} SERVER texts OPTIONS (api_key_env 'PATH')",
        mallory.0
    ))
    .unwrap();
    let to_evil = format!("ALTER SERVER texts OPTIONS (SET url '{}/v1')", evil.url());

    // She may use the key where it is, and neither name one nor change where it goes.
    mallory.become_it(&mut db);
    assert!(text(&mut db, "SELECT embed('texts', 'tea')").is_some());
    assert_eq!(refusal(&mut db, &to_evil).0, "42501");
    db.batch_execute(&create_model("evil", &evil, "")).unwrap();
    for option in ["api_key_env 'PATH'", "api_key_file '/etc/passwd'"] {
        let mapping =
            format!("CREATE USER MAPPING FOR CURRENT_USER SERVER evil OPTIONS ({option})");
        assert_eq!(refusal(&mut db, &mapping).0, "22023");
    }
    let path =
        "ALTER SERVER evil OPTIONS (SET provider 'static', DROP url, DROP model, ADD path '/etc')";
    assert_eq!(refusal(&mut db, path).0, "22023");
    // Nor does she keep it beside another change of the mapping.
    let keep = "ALTER USER MAPPING FOR CURRENT_USER SERVER texts OPTIONS (SET api_key_env 'HOME')";
    assert_eq!(refusal(&mut db, keep).0, "22023");

    // A superuser gives her the server: the key of the mapping stays at home.
    db.batch_execute(&format!("RESET ROLE; ALTER SERVER texts OWNER TO {}", mallory.0)).unwrap();
    mallory.become_it(&mut db);
    db.batch_execute(&to_evil).unwrap();
    let (state, message, _) = refusal(&mut db, "SELECT embed('texts', 'tea')");
    assert_eq!(state, "42501", "{message}");
    assert!(sent(&evil).is_empty());
    // Nor does a superuser who calls it for her give one away.
    db.batch_execute(
        "RESET ROLE; CREATE USER MAPPING FOR CURRENT_USER SERVER texts OPTIONS (api_key_env 'PATH')",
    )
    .unwrap();
    assert_eq!(refusal(&mut db, "SELECT embed('texts', 'tea')").0, "42501");
    assert!(sent(&evil).is_empty());
    drop_roles(&mut db, &[&mallory]);
}

//! Installing the extension gives nobody rights: whoever owns the schema that it goes to may have
//! filled it with traps for the superuser as whom the script runs, and for all who use it later.

use pg_test::{
    Cluster, Prefix, Signature, TestDb, message, set_operator_traps, set_traps, signatures, text,
};
use postgres::Client;

/// Lets the ordinary user `mallory` create extensions, and gives her the schema `lair`.
fn admit_mallory(db: &mut Client) {
    db.batch_execute(
        "DO $$ BEGIN
             BEGIN CREATE ROLE mallory; EXCEPTION WHEN duplicate_object OR unique_violation THEN END;
             EXECUTE format('GRANT CREATE ON DATABASE %I TO mallory', current_database());
         END $$;
         CREATE SCHEMA lair AUTHORIZATION mallory",
    )
    .unwrap();
}

/// The functions of the extension, for traps beside them.
fn own_functions() -> Vec<Signature> {
    let members = "p.oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass
        AND deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vector_ext'))";
    signatures(&mut TestDb::new(), members).unwrap()
}

/// Members of extensions that depend on something of mallory's other than the schema.
const CAUGHT: &str = "WITH member AS (
        SELECT classid, objid FROM pg_depend
        WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
        UNION SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r
        JOIN pg_depend d ON d.objid = r.ev_class AND d.deptype = 'e'),
    hers AS (
        SELECT 'pg_proc'::regclass AS classid, oid FROM pg_proc WHERE proowner = 'mallory'::regrole
        UNION SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprowner = 'mallory'::regrole
        UNION SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typowner = 'mallory'::regrole
        UNION SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relowner = 'mallory'::regrole)
    SELECT string_agg(pg_describe_object(d.classid, d.objid, 0) || ' needs '
        || pg_describe_object(d.refclassid, d.refobjid, 0), ', ')
    FROM pg_depend d JOIN member USING (classid, objid)
    JOIN hers ON hers.classid = d.refclassid AND hers.oid = d.refobjid";

#[test]
fn no_trap_springs() {
    let mut db = TestDb::without_extension();
    admit_mallory(&mut db);
    db.batch_execute("SET ROLE mallory; SET search_path = pg_catalog").unwrap();
    set_traps(&mut db, "lair", &own_functions()).unwrap();
    db.batch_execute("CREATE EXTENSION vector_ext SCHEMA lair").unwrap();
    let types = ["lair.vector", "lair.halfvec", "lair.sparsevec", "lair.search_request"];
    set_operator_traps(&mut db, "lair", &types).unwrap();
    db.batch_execute("RESET ROLE").unwrap();
    assert_eq!(text(&mut db, CAUGHT), None);

    // A superuser whose search_path leads into the traps, but whose own calls are exact.
    db.batch_execute(
        "CREATE TABLE public.items (id pg_catalog.int4 PRIMARY KEY, v lair.vector(2));
         INSERT INTO public.items SELECT i, ARRAY[i, 1]::pg_catalog.float4[]
             FROM pg_catalog.generate_series(1, 30) i;
         CREATE INDEX items_v ON public.items USING hnsw (v lair.vector_l2_ops);
         SET search_path = lair, pg_catalog",
    )
    .unwrap();
    let (float, time, span) = (
        "0.5::pg_catalog.float8",
        "'2026-01-01'::pg_catalog.timestamptz",
        "'1 day'::pg_catalog.interval",
    );
    let word = "'gauss'::pg_catalog.text";
    for call in [
        format!("lair.rrf(1::pg_catalog.int8, {float}, {float})"),
        format!("lair.decay_gauss({time}, {time}, {span}, {span}, {float})"),
        format!("lair.decay_exp({time}, {time}, {span}, {span}, {float})"),
        format!("lair.decay_linear({time}, {time}, {span}, {span}, {float})"),
        format!("lair.sphere('[1]'::lair.vector, {float}, {float})"),
        format!("lair.sphere('[1]'::lair.halfvec, {float}, {float})"),
        format!("lair.sphere('[1]'::lair.bf16vec, {float}, {float})"),
        format!("lair.sphere('[1]'::lair.i8vec, {float}, {float})"),
        format!("lair.sphere('{{1:1}}/1'::lair.sparsevec, {float}, {float})"),
        format!("lair.rrf_ranker({float}, ARRAY[{float}])"),
        format!("lair.weighted_ranker(ARRAY[{float}], true)"),
        format!("lair.min_max_ranker(ARRAY[{float}])"),
        format!(
            "lair.decay_ranker({word}, {word}, {float}, {float}, {float}, {float}, {word}, true)"
        ),
        format!("lair.decay_ranker({word}, {word}, {time}, {span}, {span}, {float}, {word}, true)"),
        "lair.vector_index_recall('public.items_v'::pg_catalog.regclass, 3, 3)".into(),
        "* FROM lair.pg_stat_vector_indexes".into(),
        "* FROM lair.hybrid_search(NULL::public.items, ARRAY[lair.ann('v'::pg_catalog.text,
             '[1,1]'::lair.vector, 3, NULL::pg_catalog.text, NULL::pg_catalog.jsonb)])"
            .into(),
    ] {
        assert!(text(&mut db, &format!("SELECT {call}")).is_some(), "{call}");
    }
}

#[test]
fn no_trap_springs_for_the_alias() {
    let prefix = Prefix::new("security").unwrap();
    prefix.make("install-alias").unwrap();
    let cluster = Cluster::in_prefix(&prefix, "security", &[]).unwrap();
    let mut db = cluster.connect().unwrap();
    admit_mallory(&mut db);
    db.batch_execute("SET ROLE mallory; SET search_path = pg_catalog").unwrap();
    set_traps(&mut db, "lair", &own_functions()).unwrap();
    for extension in ["vector", "vector_ext"] {
        db.batch_execute(&format!("CREATE EXTENSION {extension} SCHEMA lair; RESET ROLE")).unwrap();
        assert_eq!(text(&mut db, CAUGHT), None);
        db.batch_execute(&format!("SET ROLE mallory; DROP EXTENSION {extension}")).unwrap();
    }
    db.batch_execute(
        "CREATE EXTENSION vector SCHEMA lair VERSION '0.8.6'; ALTER EXTENSION vector UPDATE; RESET ROLE",
    )
    .unwrap();
    assert_eq!(text(&mut db, CAUGHT), None);
    db.batch_execute("SET ROLE mallory; DROP EXTENSION vector").unwrap();
    // Beside vector_ext it is only a name.
    db.batch_execute(
        "CREATE EXTENSION vector_ext SCHEMA lair; CREATE EXTENSION vector SCHEMA lair",
    )
    .unwrap();
}

#[test]
fn an_owner_of_the_schema_does_not_become_superuser() {
    let mut db = TestDb::without_extension();
    admit_mallory(&mut db);
    // With statistics the planner already asks the operator, by its estimator.
    db.batch_execute(
        "ANALYZE pg_depend;
         SET ROLE mallory;
         CREATE FUNCTION lair.seize(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
             IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
                 ALTER ROLE mallory SUPERUSER;
             END IF;
             RETURN $1 = $2::oid;
         END $$;
         CREATE OPERATOR lair.= (FUNCTION = lair.seize, LEFTARG = oid, RIGHTARG = regclass,
             RESTRICT = eqsel);
         CREATE EXTENSION vector_ext SCHEMA lair;
         RESET ROLE",
    )
    .unwrap();
    let superuser = "SELECT rolsuper::text FROM pg_roles WHERE rolname = 'mallory'";
    assert_eq!(text(&mut db, superuser).as_deref(), Some("false"));
}

/// What takes a place of the extension stops it: nothing of others is overwritten or adopted.
#[test]
fn an_update_calls_nothing_of_an_owner_of_the_schema() {
    let mut db = TestDb::without_extension();
    admit_mallory(&mut db);
    // A better match for a call with an OID than a function that takes a regclass.
    db.batch_execute(
        "SET ROLE mallory; CREATE EXTENSION vector_ext SCHEMA lair VERSION '0.1.0';
         CREATE TABLE lair.items (v lair.vector(2));
         CREATE INDEX ON lair.items USING hnsw (v lair.vector_l2_ops);
         CREATE FUNCTION lair.vector_index_format(oid) RETURNS int LANGUAGE plpgsql
             AS $$BEGIN RAISE 'a trap sprang for %', current_user; END$$;
         ALTER EXTENSION vector_ext UPDATE; RESET ROLE",
    )
    .unwrap();
}

#[test]
fn nothing_that_others_made_is_replaced() {
    let mut db = TestDb::without_extension();
    admit_mallory(&mut db);
    for (make, taken) in [
        (
            "FUNCTION lair.rrf(bigint, float8, float8) RETURNS float8 LANGUAGE sql AS 'SELECT 1.0::float8'",
            "rrf",
        ),
        (
            "FUNCTION lair.rrf_ranker(float8, float8[]) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb'",
            "rrf_ranker",
        ),
        ("DOMAIN lair.ranker AS int", "ranker"),
        ("DOMAIN lair.vector AS int", "vector"),
        ("TABLE lair.vsphere ()", "vsphere"),
        ("VIEW lair.pg_stat_vector_indexes AS SELECT 1", "pg_stat_vector_indexes"),
        (
            "FUNCTION lair.differs(bit, bit) RETURNS boolean LANGUAGE sql AS 'SELECT false';
          CREATE OPERATOR lair.@#@ (FUNCTION = lair.differs, LEFTARG = bit, RIGHTARG = bit,
              NEGATOR = OPERATOR(lair.<~>))",
            "<~>",
        ),
    ] {
        db.batch_execute(&format!("BEGIN; SET LOCAL ROLE mallory; CREATE {make}")).unwrap();
        let refused = db.batch_execute("CREATE EXTENSION vector_ext SCHEMA lair").unwrap_err();
        assert!(message(&refused).contains(taken), "{taken}: {}", message(&refused));
        db.batch_execute("ROLLBACK").unwrap();
    }
}

/// A schema keeps what is in it when it is renamed, and its old name can be given to another.
#[test]
fn a_renamed_schema_takes_its_functions_along() {
    let mut db = TestDb::without_extension();
    admit_mallory(&mut db);
    db.batch_execute(
        "SET ROLE mallory;
         CREATE EXTENSION vector_ext SCHEMA lair;
         ALTER SCHEMA lair RENAME TO moved;
         CREATE SCHEMA lair;
         CREATE FUNCTION lair.vector_scan_stats() RETURNS int LANGUAGE plpgsql AS
             'BEGIN RAISE EXCEPTION $$trap$$; END';
         CREATE DOMAIN lair.ranker AS jsonb CHECK (false);
         CREATE FUNCTION lair.decay_exp(float8, float8, float8, float8, float8) RETURNS float8
             LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$trap$$; END';
         CREATE TYPE lair.vsphere AS (a int);
         RESET ROLE;
         CREATE TABLE items (v moved.vector(2));
         INSERT INTO items SELECT ARRAY[i, 1]::float4[] FROM generate_series(1, 30) i;
         CREATE INDEX items_v ON items USING hnsw (v moved.vector_l2_ops);
         SELECT moved.vector_index_recall('items_v', 3, 3);
         SELECT moved.rrf_ranker(), moved.weighted_ranker(ARRAY[1.0]);
         SELECT moved.decay_exp(now(), now(), '1 day'::interval);
         SELECT moved.sphere('[1]'::moved.vector, 1)",
    )
    .unwrap();
}

-- Makes vector_ext out of pgvector in this database, in place: no row is rewritten, indexes are built
-- anew.  As a superuser, with nobody else in the database:
--
--   psql -d app -f from_pgvector/move.sql
--
-- Should the second part fail, it undoes itself: the database has pgvector, and the table
-- vector_ext_move.indexes the definitions of its indexes.  The script can then be run again.
-- docs/migrate-from-pgvector.md tells more.
\set ON_ERROR_STOP on
\set QUIET on

-- Users of the database may have made objects to be found instead of PostgreSQL's.
SET search_path = pg_catalog, pg_temp;

-- First part: indexes.  It has pgvector's library loaded, so what needs the other comes in a new session.
BEGIN;
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper) THEN
		RAISE EXCEPTION 'only a superuser can move a database' USING ERRCODE = 'insufficient_privilege';
	ELSIF NOT EXISTS (SELECT FROM pg_extension e JOIN pg_depend d ON d.refobjid = e.oid AND d.deptype = 'e'
			JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass
			WHERE extname = 'vector' AND extversion LIKE '0.8.%' AND probin = '$libdir/vector') THEN
		RAISE EXCEPTION 'pgvector 0.8 is not in this database'
			USING HINT = 'An older one can be brought to 0.8 by ALTER EXTENSION vector UPDATE.';
	ELSIF NOT EXISTS (SELECT FROM pg_extension_update_paths('vector_ext') WHERE source = 'pgvector') THEN
		RAISE EXCEPTION 'vector_ext is not installed in this server' USING HINT = 'Run make install.';
	ELSIF EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
			AND pid <> pg_backend_pid() AND backend_type = 'client backend') THEN
		RAISE EXCEPTION 'others are connected to this database'
			USING HINT = 'Sessions that have loaded pgvector cannot go on with vector_ext: close them first.';
	END IF;
END
$$;

-- What the second part executes comes from a table that nobody else can have written.
DO $$
BEGIN
	IF to_regnamespace('vector_ext_move') IS NULL THEN
		CREATE SCHEMA vector_ext_move;
		CREATE TABLE vector_ext_move.indexes (schema name, name name, definition text NOT NULL,
			tablespace name, comment text, PRIMARY KEY (schema, name));
	ELSIF NOT EXISTS (SELECT FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
			WHERE n.nspname = 'vector_ext_move' AND pg_get_userbyid(n.nspowner) = current_user
				AND c.relname = 'indexes' AND c.relkind = 'r' AND c.relowner = n.nspowner) THEN
		RAISE EXCEPTION 'schema vector_ext_move is not of an earlier run of this script'
			USING DETAIL = 'It or its table "indexes" belongs to another user.',
				HINT = 'Run the script as the user who ran it first, or drop the schema if it is of no use.';
	END IF;
END
$$;

DO $$
DECLARE
	moved record;
BEGIN
	-- The index of a partitioned table stands for those of its partitions, which its definition leaves out.
	FOR moved IN
		SELECT n.nspname, c.relname, t.spcname, obj_description(c.oid, 'pg_class') AS comment, CASE c.relkind
				WHEN 'i' THEN pg_get_indexdef(c.oid)
				ELSE regexp_replace(pg_get_indexdef(c.oid), '^(CREATE INDEX ([^" ]+|"([^"]|"")+") ON) ONLY ', '\1 ')
			END AS definition
		FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND a.amname IN ('hnsw', 'ivfflat')
		JOIN pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
		WHERE c.relkind IN ('i', 'I') AND NOT c.relispartition
	LOOP
		INSERT INTO vector_ext_move.indexes
			VALUES (moved.nspname, moved.relname, moved.definition, moved.spcname, moved.comment)
			ON CONFLICT (schema, name) DO UPDATE SET definition = excluded.definition,
				tablespace = excluded.tablespace, comment = excluded.comment;
		EXECUTE format('DROP INDEX %I.%I', moved.nspname, moved.relname);
	END LOOP;
END
$$;
COMMIT;

\connect
SET search_path = pg_catalog, pg_temp;
BEGIN;
UPDATE pg_extension SET extname = 'vector_ext', extversion = 'pgvector' WHERE extname = 'vector';
ALTER EXTENSION vector_ext UPDATE;
DO $$
DECLARE
	comment text := (SELECT comment FROM pg_available_extensions WHERE name = 'vector_ext');
	moved record;
BEGIN
	EXECUTE format('COMMENT ON EXTENSION vector_ext IS %L', comment);
	FOR moved IN SELECT * FROM vector_ext_move.indexes LOOP
		PERFORM set_config('default_tablespace', coalesce(moved.tablespace, ''), true);
		EXECUTE moved.definition;
		EXECUTE format('COMMENT ON INDEX %I.%I IS %L', moved.schema, moved.name, moved.comment);
	END LOOP;
END
$$;
DROP TABLE vector_ext_move.indexes;
DROP SCHEMA vector_ext_move;
COMMIT;
\echo This database has vector_ext now.

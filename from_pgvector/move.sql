-- Makes vector_ext out of pgvector in this database, in place: no row is rewritten, indexes are built
-- anew.  As a superuser, with nobody else in the database:
--
--   psql -d app -f from_pgvector/move.sql
--
-- Should the second part fail, it undoes itself: the database has pgvector, and table
-- vector_ext_moved_indexes the definitions of its indexes.  The script can then be run again.
-- docs/migrate-from-pgvector.md tells more.
\set ON_ERROR_STOP on
\set QUIET on

-- First part: indexes.  It has pgvector's library loaded, so what needs the other comes in a new session.
BEGIN;
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_extension e JOIN pg_depend d ON d.refobjid = e.oid AND d.deptype = 'e'
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
CREATE TABLE IF NOT EXISTS vector_ext_moved_indexes (index text, definition text, tablespace text, comment text);
-- The index of a partitioned table stands for those of its partitions.
INSERT INTO vector_ext_moved_indexes
	SELECT c.oid::regclass, replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON '), t.spcname,
		obj_description(c.oid, 'pg_class')
	FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND a.amname IN ('hnsw', 'ivfflat')
	LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
	WHERE c.relkind IN ('i', 'I') AND NOT c.relispartition;
DO $$
DECLARE
	moved record;
BEGIN
	FOR moved IN SELECT * FROM vector_ext_moved_indexes WHERE to_regclass(index) IS NOT NULL LOOP
		EXECUTE format('DROP INDEX %s', moved.index);
	END LOOP;
END
$$;
COMMIT;

\connect
BEGIN;
UPDATE pg_extension SET extname = 'vector_ext', extversion = 'pgvector' WHERE extname = 'vector';
ALTER EXTENSION vector_ext UPDATE;
DO $$
DECLARE
	comment text := (SELECT comment FROM pg_available_extensions WHERE name = 'vector_ext');
	moved record;
BEGIN
	EXECUTE format('COMMENT ON EXTENSION vector_ext IS %L', comment);
	FOR moved IN SELECT * FROM vector_ext_moved_indexes LOOP
		PERFORM set_config('default_tablespace', coalesce(moved.tablespace, ''), true);
		EXECUTE moved.definition;
		EXECUTE format('COMMENT ON INDEX %s IS %L', moved.index, moved.comment);
	END LOOP;
END
$$;
DROP TABLE vector_ext_moved_indexes;
COMMIT;
\echo This database has vector_ext now.

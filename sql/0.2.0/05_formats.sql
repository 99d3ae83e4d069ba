-- Indexes whose pages this version cannot read would fail in the next search. A library that is older than
-- this script does not have the function.
CREATE FUNCTION vector_index_format(regclass) RETURNS int
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
DO $formats$
DECLARE
	index record;
	unread pg_catalog.text[] := '{}';
BEGIN
	FOR index IN
		SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_am a ON a.oid OPERATOR(pg_catalog.=) c.relam
			AND a.amname OPERATOR(pg_catalog.=) ANY (ARRAY['hnsw', 'ivf', 'ivfflat', 'inverted']::pg_catalog.name[])
		JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE c.relkind OPERATOR(pg_catalog.=) 'i' AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
		ORDER BY n.nspname, c.relname
	LOOP
		BEGIN
			-- The exact type: a function for an OID could be that of the schema's owner.
			PERFORM @extschema@.vector_index_format(index.oid::pg_catalog.regclass);
		EXCEPTION
			WHEN feature_not_supported THEN
				unread := pg_catalog.array_append(unread, index.name);
			WHEN index_corrupted THEN
				-- Searches tell of it; the update does not make it worse.
				NULL;
		END;
	END LOOP;
	IF unread OPERATOR(pg_catalog.<>) '{}' THEN
		RAISE EXCEPTION 'indexes have a format that this version of vector_ext does not support: %',
				pg_catalog.array_to_string(unread, ', ')
			USING ERRCODE = 'feature_not_supported',
				HINT = pg_catalog.concat('Rebuild them, then update again: REINDEX INDEX CONCURRENTLY ',
					pg_catalog.array_to_string(unread, '; REINDEX INDEX CONCURRENTLY '), ';');
	END IF;
END
$formats$;
DROP FUNCTION vector_index_format(regclass);

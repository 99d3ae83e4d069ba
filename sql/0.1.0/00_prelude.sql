-- The files of this folder, in the order of their numbers, are the script of CREATE EXTENSION.
\echo Use "CREATE EXTENSION vector_ext" to load this file. \quit

-- Names of access methods are global in a database, and clients look for the one type "vector".
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'vector')
		OR EXISTS (SELECT FROM pg_catalog.pg_am WHERE amname IN ('hnsw', 'ivfflat')) THEN
		RAISE EXCEPTION 'cannot create vector_ext in a database that has pgvector'
			USING ERRCODE = 'duplicate_object',
				HINT = 'A database has either vector_ext or pgvector: use another database, or drop the extension "vector" first.';
	END IF;
END
$$;

	IF EXISTS (SELECT FROM pg_catalog.pg_am
			WHERE amname OPERATOR(pg_catalog.=) ANY (ARRAY['hnsw', 'ivfflat']::pg_catalog.name[])) THEN
		RAISE EXCEPTION 'cannot create vector_ext in a database that has another extension''s access method hnsw or ivfflat'
			USING ERRCODE = 'duplicate_object',
				HINT = 'Use another database, or drop the other extension first.';
	END IF;
	EXECUTE $vector_ext$

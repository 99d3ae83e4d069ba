-- What an index holds, what it does, how well it finds.

CREATE FUNCTION vector_index_info(index regclass) RETURNS TABLE (property text, value text)
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION vector_index_info(regclass) IS 'what a vector index is made with and holds';

CREATE FUNCTION vector_index_check(index regclass) RETURNS TABLE (block bigint, problem text)
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION vector_index_check(regclass) IS 'structural problems of a vector index, none if it is sound';

CREATE FUNCTION vector_index_memory(rows bigint, dims int, m int DEFAULT 16,
	opclass text DEFAULT 'vector_l2_ops', quantization text DEFAULT 'auto', nonzero int DEFAULT 100,
	OUT build_memory bigint, OUT index_size bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION vector_index_memory(bigint, int, int, text, text, int) IS 'bytes that the build of a vector index takes in memory, and the index';

CREATE FUNCTION vector_scan_stats(OUT index regclass, OUT ef bigint, OUT beam bigint, OUT expanded bigint,
	OUT lists bigint, OUT probes bigint, OUT probed bigint, OUT scored bigint, OUT exact bigint,
	OUT tuples bigint, OUT dropped bigint, OUT pages bigint, OUT time_us double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vector_scan_stats() IS 'what the last vector index scan of this session did';

-- Searches for rows of the table, each without itself, and compares with the exact answer. It is
-- the caller who searches: privileges, row security and settings are the caller's.
CREATE FUNCTION vector_index_recall(index regclass, k int DEFAULT 10, sample int DEFAULT 100,
	OUT queries bigint, OUT recall double precision, OUT expanded double precision,
	OUT probed double precision, OUT pages double precision, OUT time_us double precision)
	LANGUAGE plpgsql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
	SET enable_indexscan = on SET enable_seqscan = on SET enable_bitmapscan = on SET enable_sort = on
AS $$
DECLARE
	source text;
	filter text; -- for the rows that the index is made of
	value text; -- what it is made of
	distance text;
	near text; -- distances of the nearest rows
	q record;
	last record;
	truth double precision[];
	got double precision[];
	hits bigint := 0;
	wanted bigint := 0;
BEGIN
	IF k < 1 OR sample < 1 THEN
		RAISE EXCEPTION 'k and sample must be at least 1' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT i.indrelid::regclass, coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
		d.value, format('%s OPERATOR(%I.%s) $1', d.value, n.nspname, o.oprname)
		INTO source, filter, value, distance
		FROM pg_index AS i
		JOIN pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
		JOIN pg_am AS m ON m.oid = c.relam AND m.amname IN ('hnsw', 'ivf', 'ivfflat')
		JOIN pg_opclass AS p ON p.oid = i.indclass[0]
		JOIN pg_amop AS a ON a.amopfamily = p.opcfamily AND a.amoppurpose = 'o' AND a.amopstrategy = 1
		JOIN pg_operator AS o ON o.oid = a.amopopr
		JOIN pg_namespace AS n ON n.oid = o.oprnamespace
		CROSS JOIN LATERAL (SELECT format('(%s)', pg_get_indexdef(i.indexrelid, 1, true))) AS d (value)
		WHERE i.indexrelid = index;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% is not a vector index', index USING ERRCODE = 'wrong_object_type',
			HINT = 'Name an index made with USING hnsw, ivf or ivfflat; of a partitioned one, a partition''s.';
	END IF;
	near := format('SELECT coalesce(array_agg(d), ''{}'') FROM (SELECT %1$s AS d FROM %2$s AS t'
		' WHERE (%3$s) AND t.ctid <> $2 ORDER BY %1$s LIMIT $3) AS nearest WHERE d IS NOT NULL',
		distance, source, filter);
	queries := 0;
	expanded := 0;
	probed := 0;
	pages := 0;
	time_us := 0;
	FOR q IN EXECUTE format('SELECT t.ctid AS self, %1$s AS v FROM %2$s AS t'
		' WHERE CASE WHEN %3$s THEN %1$s IS NOT NULL END ORDER BY random() LIMIT $1', value, source, filter)
		USING sample
	LOOP
		PERFORM set_config('enable_indexscan', 'off', true);
		PERFORM set_config('enable_seqscan', 'on', true);
		PERFORM set_config('enable_bitmapscan', 'on', true);
		PERFORM set_config('enable_sort', 'on', true);
		EXECUTE near INTO truth USING q.v, q.self, k;
		PERFORM set_config('enable_indexscan', 'on', true);
		PERFORM set_config('enable_seqscan', 'off', true);
		PERFORM set_config('enable_bitmapscan', 'off', true);
		PERFORM set_config('enable_sort', 'off', true);
		EXECUTE near INTO got USING q.v, q.self, k;
		SELECT * INTO last FROM @extschema@.vector_scan_stats();
		IF last.index IS DISTINCT FROM index THEN
			RAISE EXCEPTION 'a search does not use index %', index
				USING ERRCODE = 'object_not_in_prerequisite_state',
					HINT = 'It may be invalid, or another index may serve the same searches.';
		END IF;
		queries := queries + 1;
		wanted := wanted + cardinality(truth);
		-- Rows as near as the farthest of the true ones are as good as these.
		hits := hits + (SELECT count(*) FROM unnest(got) AS d WHERE d <= truth[cardinality(truth)]);
		expanded := expanded + last.expanded;
		probed := probed + last.probed;
		pages := pages + last.pages;
		time_us := time_us + last.time_us;
	END LOOP;
	recall := hits::double precision / nullif(wanted, 0);
	expanded := expanded / nullif(queries, 0);
	probed := probed / nullif(queries, 0);
	pages := pages / nullif(queries, 0);
	time_us := time_us / nullif(queries, 0);
END
$$;
COMMENT ON FUNCTION vector_index_recall(regclass, int, int) IS 'recall and work of searches for rows of the table, at the current settings';

CREATE FUNCTION vector_index_counters(index oid, OUT expanded bigint, OUT probed bigint, OUT scored bigint,
	OUT exact bigint, OUT tuples bigint, OUT dropped bigint, OUT pages bigint, OUT time_ms double precision,
	OUT inserts bigint, OUT vacuums bigint, OUT removed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT ROWS 1;
COMMENT ON FUNCTION vector_index_counters(oid) IS 'what an index did since the server started, NULL unless the library is preloaded';

CREATE VIEW pg_stat_vector_indexes AS
	SELECT s.relid, s.indexrelid, s.schemaname, s.relname, s.indexrelname, m.amname AS method,
		pg_catalog.pg_relation_size(s.indexrelid) AS bytes, s.idx_scan AS scans,
		io.idx_blks_hit AS blocks_hit, io.idx_blks_read AS blocks_read,
		CASE WHEN m.amname = 'hnsw' THEN c.expanded END AS expanded,
		CASE WHEN m.amname <> 'hnsw' THEN c.probed END AS probed,
		c.scored, c.exact, c.tuples, c.dropped, c.pages, c.time_ms, c.inserts, c.vacuums, c.removed
	FROM pg_catalog.pg_stat_all_indexes AS s
	JOIN pg_catalog.pg_statio_all_indexes AS io USING (indexrelid)
	JOIN pg_catalog.pg_class AS i ON i.oid = s.indexrelid
	JOIN pg_catalog.pg_am AS m ON m.oid = i.relam AND m.amname IN ('hnsw', 'ivf', 'ivfflat')
	CROSS JOIN LATERAL vector_index_counters(s.indexrelid) AS c;
COMMENT ON VIEW pg_stat_vector_indexes IS 'use of the vector indexes of this database';
GRANT SELECT ON pg_stat_vector_indexes TO PUBLIC;

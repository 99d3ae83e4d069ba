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
	OUT tuples bigint, OUT late bigint, OUT pages bigint, OUT time_us double precision,
	OUT strategy text, OUT looked bigint, OUT members bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vector_scan_stats() IS 'what the last vector index scan of this session did';

CREATE FUNCTION vector_index_recall(index regclass, k int DEFAULT 10, sample int DEFAULT 100,
	OUT queries bigint, OUT recall double precision, OUT expanded double precision,
	OUT probed double precision, OUT pages double precision, OUT time_us double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT ROWS 1;
COMMENT ON FUNCTION vector_index_recall(regclass, int, int) IS 'recall and work of searches for rows of the table, at the current settings';

CREATE FUNCTION vector_index_counters(index oid, OUT expanded bigint, OUT probed bigint, OUT scored bigint,
	OUT exact bigint, OUT tuples bigint, OUT late bigint, OUT pages bigint, OUT time_ms double precision,
	OUT filtered_look bigint, OUT filtered_inline bigint, OUT filtered_exact bigint,
	OUT inserts bigint, OUT vacuums bigint, OUT removed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT ROWS 1;
COMMENT ON FUNCTION vector_index_counters(oid) IS 'what an index did since the server started, NULL unless the library is preloaded';

CREATE VIEW pg_stat_vector_indexes AS
	SELECT s.relid, s.indexrelid, s.schemaname, s.relname, s.indexrelname, m.amname AS method,
		pg_catalog.pg_relation_size(s.indexrelid) AS bytes, s.idx_scan AS scans,
		io.idx_blks_hit AS blocks_hit, io.idx_blks_read AS blocks_read,
		CASE WHEN m.amname OPERATOR(pg_catalog.=) 'hnsw' THEN c.expanded END AS expanded,
		CASE WHEN m.amname OPERATOR(pg_catalog.=) ANY (ARRAY['ivf', 'ivfflat']::pg_catalog.name[]) THEN c.probed END AS probed,
		c.scored, c.exact, c.tuples, c.late, c.pages, c.time_ms,
		c.filtered_look, c.filtered_inline, c.filtered_exact, c.inserts, c.vacuums, c.removed
	FROM pg_catalog.pg_stat_all_indexes AS s
	JOIN pg_catalog.pg_statio_all_indexes AS io ON io.indexrelid OPERATOR(pg_catalog.=) s.indexrelid
	JOIN pg_catalog.pg_class AS i ON i.oid OPERATOR(pg_catalog.=) s.indexrelid
	JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) i.relam
		AND m.amname OPERATOR(pg_catalog.=) ANY (ARRAY['hnsw', 'inverted', 'ivf', 'ivfflat']::pg_catalog.name[])
	CROSS JOIN LATERAL @extschema@.vector_index_counters(s.indexrelid) AS c;
COMMENT ON VIEW pg_stat_vector_indexes IS 'use of the vector indexes of this database';
GRANT SELECT ON @extschema@.pg_stat_vector_indexes TO PUBLIC;

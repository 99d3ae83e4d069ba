-- Columns whose vectors a model computes from another column. A row is pending while its vector is NULL and
-- its source is not; so nothing lists the pending rows, and dumps, replicas, and partitions need no care. A
-- trigger sets the vector to NULL when the source changes, and tells which columns belong together.

CREATE FUNCTION embed_stale() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION embed_stale() IS 'trigger that sets a vector to NULL when its source changes: embed_column()';

CREATE VIEW embed_columns AS
	SELECT g.tgrelid::pg_catalog.regclass AS rel, s.attname AS source, t.attname AS target,
		pg_catalog.convert_from(pg_catalog.substr(g.tgargs, 1, pg_catalog.octet_length(g.tgargs) OPERATOR(pg_catalog.-) 1),
			pg_catalog.getdatabaseencoding()) AS server,
		t.attnum AS target_number
	FROM pg_catalog.pg_trigger AS g
	JOIN pg_catalog.pg_attribute AS s ON s.attrelid OPERATOR(pg_catalog.=) g.tgrelid
		AND s.attnum OPERATOR(pg_catalog.=) g.tgattr[0]
	JOIN pg_catalog.pg_attribute AS t ON t.attrelid OPERATOR(pg_catalog.=) g.tgrelid
		AND t.attnum OPERATOR(pg_catalog.=) g.tgattr[1]
	WHERE g.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
		AND g.tgnargs OPERATOR(pg_catalog.=) 1::pg_catalog.int2
		AND g.tgfoid OPERATOR(pg_catalog.=) '@extschema@.embed_stale()'::pg_catalog.regprocedure::pg_catalog.oid;
COMMENT ON VIEW embed_columns IS 'columns whose vectors a model computes: embed_column()';
GRANT SELECT ON @extschema@.embed_columns TO PUBLIC;

-- Sources that a model refused. Everybody may write here, but only of tables whose vectors they may write
-- anyway, and read what they may read there anyway.
CREATE TABLE embed_failure (
	rel oid NOT NULL,
	target smallint NOT NULL,
	source bigint NOT NULL,
	reason text NOT NULL,
	attempts int NOT NULL,
	failed timestamptz NOT NULL,
	retry timestamptz NOT NULL,
	PRIMARY KEY (rel, target, source)
);
COMMENT ON TABLE embed_failure IS 'sources that a model refused, by a hash, and when embed_pending() tries them again';
ALTER TABLE @extschema@.embed_failure ENABLE ROW LEVEL SECURITY;
CREATE POLICY embed_failure ON @extschema@.embed_failure USING
	(pg_catalog.has_table_privilege(rel, 'SELECT')
	AND pg_catalog.has_column_privilege(rel, target, 'UPDATE')
	AND NOT pg_catalog.row_security_active(rel));
GRANT SELECT, INSERT, UPDATE, DELETE ON @extschema@.embed_failure TO PUBLIC;

CREATE TABLE embed_run (
	rel oid NOT NULL,
	target smallint NOT NULL,
	ended timestamptz NOT NULL,
	PRIMARY KEY (rel, target)
);
COMMENT ON TABLE embed_run IS 'when embed_pending() last came to the end of a column';
ALTER TABLE @extschema@.embed_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY embed_run ON @extschema@.embed_run USING
	(pg_catalog.has_table_privilege(rel, 'SELECT')
	AND pg_catalog.has_column_privilege(rel, target, 'UPDATE')
	AND NOT pg_catalog.row_security_active(rel));
GRANT SELECT, INSERT, UPDATE, DELETE ON @extschema@.embed_run TO PUBLIC;

-- The policies show rows of tables that are gone to nobody, so that this removes them for all.
CREATE FUNCTION embed_forget_dropped() RETURNS void
	LANGUAGE sql VOLATILE SECURITY DEFINER
BEGIN ATOMIC
	DELETE FROM @extschema@.embed_failure AS f WHERE NOT EXISTS (
		SELECT FROM pg_catalog.pg_attribute AS a
		WHERE a.attrelid OPERATOR(pg_catalog.=) f.rel AND a.attnum OPERATOR(pg_catalog.=) f.target
			AND NOT a.attisdropped);
	DELETE FROM @extschema@.embed_run AS r WHERE NOT EXISTS (
		SELECT FROM pg_catalog.pg_attribute AS a
		WHERE a.attrelid OPERATOR(pg_catalog.=) r.rel AND a.attnum OPERATOR(pg_catalog.=) r.target
			AND NOT a.attisdropped);
END;
COMMENT ON FUNCTION embed_forget_dropped() IS 'removes what is known of columns that are gone';

CREATE FUNCTION embed_column(rel regclass, source text, target text, server text) RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION embed_column(regclass, text, text, text) IS 'has a model compute the vectors of a column from another';

CREATE PROCEDURE embed_pending(rel regclass)
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON PROCEDURE embed_pending(regclass) IS 'computes the vectors that a table lacks, in batches, a transaction each';

CREATE FUNCTION embed_pending_count(rel regclass, source text, target text) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION embed_pending_count(regclass, text, text) IS 'number of rows whose vectors are to be computed; NULL for tables of others';

-- A function, so that it reads with the privileges of whoever asks, not of the view.
CREATE FUNCTION embed_progress(OUT rel regclass, OUT source text, OUT target text, OUT server text,
	OUT pending bigint, OUT failed bigint, OUT reason text, OUT last_failure timestamptz, OUT next_retry timestamptz,
	OUT last_run timestamptz)
	RETURNS SETOF record
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT c.rel, c.source::pg_catalog.text, c.target::pg_catalog.text, c.server,
		CASE WHEN pg_catalog.has_table_privilege(c.rel::pg_catalog.oid, 'SELECT')
			THEN @extschema@.embed_pending_count(c.rel, c.source::pg_catalog.text, c.target::pg_catalog.text) END,
		pg_catalog.count(f.rel), (pg_catalog.array_agg(f.reason ORDER BY f.failed DESC))[1],
		pg_catalog.max(f.failed), pg_catalog.min(f.retry), r.ended
	FROM @extschema@.embed_columns AS c
	LEFT JOIN @extschema@.embed_failure AS f ON f.rel OPERATOR(pg_catalog.=) c.rel::pg_catalog.oid
		AND f.target OPERATOR(pg_catalog.=) c.target_number
	LEFT JOIN @extschema@.embed_run AS r ON r.rel OPERATOR(pg_catalog.=) c.rel::pg_catalog.oid
		AND r.target OPERATOR(pg_catalog.=) c.target_number
	GROUP BY c.rel, c.source, c.target, c.server, r.ended;
END;
COMMENT ON FUNCTION embed_progress() IS 'rows of embed_status';

CREATE VIEW embed_status AS
	SELECT p.rel, p.source, p.target, p.server, p.pending, p.failed, p.reason, p.last_failure, p.next_retry,
		p.last_run
	FROM @extschema@.embed_progress() AS p;
COMMENT ON VIEW embed_status IS 'what embed_pending() has left to do';
GRANT SELECT ON @extschema@.embed_status TO PUBLIC;

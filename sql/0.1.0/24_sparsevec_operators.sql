-- Distances; ORDER BY one of them and LIMIT is a nearest-neighbor search.

CREATE OPERATOR <-> (
	FUNCTION = l2_distance, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (sparsevec, sparsevec) IS 'Euclidean distance';

CREATE OPERATOR <#> (
	FUNCTION = sparsevec_negative_inner_product, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (sparsevec, sparsevec) IS 'negative inner product';

CREATE OPERATOR <=> (
	FUNCTION = cosine_distance, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (sparsevec, sparsevec) IS 'cosine distance';

CREATE OPERATOR <+> (
	FUNCTION = l1_distance, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (sparsevec, sparsevec) IS 'taxicab distance';

-- Arithmetic, dimension by dimension.

CREATE OPERATOR + (
	FUNCTION = sparsevec_add, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = +
);
COMMENT ON OPERATOR + (sparsevec, sparsevec) IS 'add';

CREATE OPERATOR - (
	FUNCTION = sparsevec_sub, LEFTARG = sparsevec, RIGHTARG = sparsevec
);
COMMENT ON OPERATOR - (sparsevec, sparsevec) IS 'subtract';

CREATE OPERATOR * (
	FUNCTION = sparsevec_mul, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = *
);
COMMENT ON OPERATOR * (sparsevec, sparsevec) IS 'multiply';

-- Order: that of the vectors they stand for, by the first dimension that differs, then by length.

CREATE OPERATOR < (
	FUNCTION = sparsevec_lt, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (sparsevec, sparsevec) IS 'less than';

CREATE OPERATOR <= (
	FUNCTION = sparsevec_le, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (sparsevec, sparsevec) IS 'less than or equal';

CREATE OPERATOR = (
	FUNCTION = sparsevec_eq, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (sparsevec, sparsevec) IS 'equal';

CREATE OPERATOR <> (
	FUNCTION = sparsevec_ne, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (sparsevec, sparsevec) IS 'not equal';

CREATE OPERATOR >= (
	FUNCTION = sparsevec_ge, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (sparsevec, sparsevec) IS 'greater than or equal';

CREATE OPERATOR > (
	FUNCTION = sparsevec_gt, LEFTARG = sparsevec, RIGHTARG = sparsevec,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (sparsevec, sparsevec) IS 'greater than';

-- Sorting, grouping, unique constraints.

CREATE OPERATOR CLASS sparsevec_ops
	DEFAULT FOR TYPE sparsevec USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 sparsevec_cmp(sparsevec, sparsevec);

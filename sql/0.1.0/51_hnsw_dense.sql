-- Access method hnsw on the other dense types.

CREATE FUNCTION hnsw_halfvec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION hnsw_halfvec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION hnsw_halfvec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION hnsw_halfvec_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE OPERATOR CLASS halfvec_l2_ops
	FOR TYPE halfvec USING hnsw AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (halfvec, halfvec_sphere),
	FUNCTION 1 halfvec_l2_squared_distance(halfvec, halfvec),
	FUNCTION 3 hnsw_halfvec_l2_support(internal);

CREATE OPERATOR CLASS halfvec_ip_ops
	FOR TYPE halfvec USING hnsw AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (halfvec, halfvec_sphere),
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 3 hnsw_halfvec_ip_support(internal);

CREATE OPERATOR CLASS halfvec_cosine_ops
	FOR TYPE halfvec USING hnsw AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (halfvec, halfvec_sphere),
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 2 l2_norm(halfvec),
	FUNCTION 3 hnsw_halfvec_cosine_support(internal);

CREATE OPERATOR CLASS halfvec_l1_ops
	FOR TYPE halfvec USING hnsw AS
	OPERATOR 1 <+> (halfvec, halfvec) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(halfvec, halfvec),
	FUNCTION 3 hnsw_halfvec_l1_support(internal);

CREATE FUNCTION hnsw_bf16vec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION hnsw_bf16vec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION hnsw_bf16vec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION hnsw_bf16vec_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE OPERATOR CLASS bf16vec_l2_ops
	FOR TYPE bf16vec USING hnsw AS
	OPERATOR 1 <-> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (bf16vec, bf16vec_sphere),
	FUNCTION 1 bf16vec_l2_squared_distance(bf16vec, bf16vec),
	FUNCTION 3 hnsw_bf16vec_l2_support(internal);

CREATE OPERATOR CLASS bf16vec_ip_ops
	FOR TYPE bf16vec USING hnsw AS
	OPERATOR 1 <#> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (bf16vec, bf16vec_sphere),
	FUNCTION 1 bf16vec_negative_inner_product(bf16vec, bf16vec),
	FUNCTION 3 hnsw_bf16vec_ip_support(internal);

CREATE OPERATOR CLASS bf16vec_cosine_ops
	FOR TYPE bf16vec USING hnsw AS
	OPERATOR 1 <=> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (bf16vec, bf16vec_sphere),
	FUNCTION 1 bf16vec_negative_inner_product(bf16vec, bf16vec),
	FUNCTION 2 l2_norm(bf16vec),
	FUNCTION 3 hnsw_bf16vec_cosine_support(internal);

CREATE OPERATOR CLASS bf16vec_l1_ops
	FOR TYPE bf16vec USING hnsw AS
	OPERATOR 1 <+> (bf16vec, bf16vec) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(bf16vec, bf16vec),
	FUNCTION 3 hnsw_bf16vec_l1_support(internal);

CREATE FUNCTION hnsw_i8vec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION hnsw_i8vec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION hnsw_i8vec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION hnsw_i8vec_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE OPERATOR CLASS i8vec_l2_ops
	FOR TYPE i8vec USING hnsw AS
	OPERATOR 1 <-> (i8vec, i8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<->> (i8vec, i8vec_sphere),
	FUNCTION 1 i8vec_l2_squared_distance(i8vec, i8vec),
	FUNCTION 3 hnsw_i8vec_l2_support(internal);

CREATE OPERATOR CLASS i8vec_ip_ops
	FOR TYPE i8vec USING hnsw AS
	OPERATOR 1 <#> (i8vec, i8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<#>> (i8vec, i8vec_sphere),
	FUNCTION 1 i8vec_negative_inner_product(i8vec, i8vec),
	FUNCTION 3 hnsw_i8vec_ip_support(internal);

CREATE OPERATOR CLASS i8vec_cosine_ops
	FOR TYPE i8vec USING hnsw AS
	OPERATOR 1 <=> (i8vec, i8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <<=>> (i8vec, i8vec_sphere),
	FUNCTION 1 i8vec_negative_inner_product(i8vec, i8vec),
	FUNCTION 2 l2_norm(i8vec),
	FUNCTION 3 hnsw_i8vec_cosine_support(internal);

CREATE OPERATOR CLASS i8vec_l1_ops
	FOR TYPE i8vec USING hnsw AS
	OPERATOR 1 <+> (i8vec, i8vec) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(i8vec, i8vec),
	FUNCTION 3 hnsw_i8vec_l1_support(internal);

// pgx asks for the binary form of every type that is registered with it, and its CopyFrom knows no other.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgtype"
	"github.com/jackc/pgx/v4"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(found, expected any) {
	if !reflect.DeepEqual(found, expected) {
		panic(fmt.Sprintf("%v, expected %v", found, expected))
	}
}

func encode(buf []byte, parts ...any) ([]byte, error) {
	out := bytes.NewBuffer(buf)
	for _, part := range parts {
		check(binary.Write(out, binary.BigEndian, part))
	}
	return out.Bytes(), nil
}

func decode(in io.Reader, part any) { check(binary.Read(in, binary.BigEndian, part)) }

// Vector is the type vector.
type Vector struct{ elements []float32 }

func vector(elements ...float32) *Vector { return &Vector{elements} }

func (v *Vector) Set(src any) error { *v = *src.(*Vector); return nil }

func (v Vector) Get() any { return v.elements }

func (v *Vector) AssignTo(dst any) error { *dst.(*[]float32) = v.elements; return nil }

func (v Vector) EncodeBinary(_ *pgtype.ConnInfo, buf []byte) ([]byte, error) {
	return encode(buf, uint16(len(v.elements)), uint16(0), v.elements)
}

func (v *Vector) DecodeBinary(_ *pgtype.ConnInfo, src []byte) error {
	in := bytes.NewReader(src)
	var head [2]uint16
	decode(in, &head)
	v.elements = make([]float32, head[0])
	decode(in, v.elements)
	equal(in.Len(), 0)
	return nil
}

// Sparse is the type sparsevec; its indices begin at 0.
type Sparse struct {
	Dimensions int32
	Indices    []int32
	Values     []float32
}

func (s *Sparse) Set(src any) error { *s = *src.(*Sparse); return nil }

func (s Sparse) Get() any { return s }

func (s *Sparse) AssignTo(dst any) error { *dst.(*Sparse) = *s; return nil }

func (s Sparse) EncodeBinary(_ *pgtype.ConnInfo, buf []byte) ([]byte, error) {
	return encode(buf, s.Dimensions, int32(len(s.Indices)), int32(0), s.Indices, s.Values)
}

func (s *Sparse) DecodeBinary(_ *pgtype.ConnInfo, src []byte) error {
	in := bytes.NewReader(src)
	var head [3]int32
	decode(in, &head)
	*s = Sparse{head[0], make([]int32, head[1]), make([]float32, head[1])}
	decode(in, s.Indices)
	decode(in, s.Values)
	equal(in.Len(), 0)
	return nil
}

func register(ctx context.Context, conn *pgx.Conn, name string, value pgtype.Value) {
	var oid uint32
	check(conn.QueryRow(ctx, "SELECT $1::text::regtype::oid", name).Scan(&oid))
	conn.ConnInfo().RegisterDataType(pgtype.DataType{Value: value, Name: name, OID: oid})
}

func ids(ctx context.Context, conn *pgx.Conn, sql string, query any) (found []int32) {
	rows, err := conn.Query(ctx, sql, query)
	check(err)
	for rows.Next() {
		var id int32
		check(rows.Scan(&id))
		found = append(found, id)
	}
	check(rows.Err())
	return found
}

func main() {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, "")
	check(err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS vector")
	check(err)
	register(ctx, conn, "vector", &Vector{})
	register(ctx, conn, "sparsevec", &Sparse{})
	_, err = conn.Exec(ctx, "CREATE TABLE items (id int, v vector(3), h halfvec(3), b bit(3), s sparsevec(3))")
	check(err)

	sparse := func(values ...float32) *Sparse { return &Sparse{3, []int32{0, 1, 2}, values} }
	rows := [][]any{
		{int32(1), vector(1, 1, 1), sparse(1, 1, 1)},
		{int32(2), vector(2, 2, 2), sparse(2, 2, 2)},
		{int32(3), vector(1, 1, 2), &Sparse{3, []int32{2}, []float32{2}}},
	}
	copied, err := conn.CopyFrom(ctx, pgx.Identifier{"items"}, []string{"id", "v", "s"}, pgx.CopyFromRows(rows))
	check(err)
	equal(copied, int64(3))
	_, err = conn.Exec(ctx, "UPDATE items SET h = v, b = binary_quantize(v - '[1,1,1]')")
	check(err)
	_, err = conn.Exec(ctx, "CREATE INDEX ON items USING hnsw (v vector_l2_ops)")
	check(err)

	equal(ids(ctx, conn, "SELECT id FROM items ORDER BY v <-> $1 LIMIT 5", vector(1, 1, 1)), []int32{1, 3, 2})
	equal(ids(ctx, conn, "SELECT id FROM items ORDER BY s <+> $1 LIMIT 5", sparse(2, 2, 2)), []int32{2, 1, 3})
	// Types that are not registered, as text.
	equal(ids(ctx, conn, "SELECT id FROM items ORDER BY h <#> $1::text::halfvec", "[1,1,1]"), []int32{2, 3, 1})
	equal(ids(ctx, conn, "SELECT id FROM items ORDER BY b <~> $1::text::bit(3)", "000"), []int32{1, 3, 2})

	var elements []float32
	var values Sparse
	var half, bits, i8 string
	sql := "SELECT v, s, h::text, b::text, v::i8vec::text FROM items WHERE id = 3"
	check(conn.QueryRow(ctx, sql).Scan(&elements, &values, &half, &bits, &i8))
	equal(elements, []float32{1, 1, 2})
	equal(values, Sparse{3, []int32{2}, []float32{2}})
	equal([]string{half, bits, i8}, []string{"[1,1,2]", "001", "[1,1,2]"})

	_, err = conn.Exec(ctx, "SELECT $1 <-> '[1]'::vector", vector(1, 2))
	var refused *pgconn.PgError
	equal(errors.As(err, &refused), true)
	equal([]string{refused.Code, refused.Message}, []string{"22000", "different vector dimensions 2 and 1"})
}

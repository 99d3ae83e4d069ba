require 'pg'

# The type vector, in both formats of the wire.
class Vector
  attr_reader :elements

  def initialize(elements) = @elements = elements.map(&:to_f)
  def ==(other) = elements == other.elements

  class TextEncoder < PG::SimpleEncoder
    def encode(vector) = "[#{vector.elements.join(',')}]"
  end

  class TextDecoder < PG::SimpleDecoder
    def decode(text, _row = nil, _field = nil) = Vector.new(text[1..-2].split(','))
  end

  class BinaryEncoder < PG::SimpleEncoder
    def encode(vector) = [vector.elements.size, 0, *vector.elements].pack('s>s>g*')
  end

  class BinaryDecoder < PG::SimpleDecoder
    def decode(bytes, _row = nil, _field = nil) = Vector.new(bytes.unpack('@4g*'))
  end
end

def equal(found, expected)
  raise "#{found.inspect}, expected #{expected.inspect}" unless found == expected
end

conn = PG.connect
conn.exec('SET client_min_messages = warning')
conn.exec('CREATE EXTENSION IF NOT EXISTS vector')
oid = conn.exec("SELECT 'vector'::regtype::oid").getvalue(0, 0).to_i

results = PG::BasicTypeMapForResults.new(conn)
results.add_coder(Vector::TextDecoder.new(oid: oid, name: 'vector', format: 0))
results.add_coder(Vector::BinaryDecoder.new(oid: oid, name: 'vector', format: 1))
conn.type_map_for_results = results
parameters = [Vector::TextEncoder.new(oid: oid, format: 0), Vector::BinaryEncoder.new(oid: oid, format: 1)]

conn.exec('CREATE TABLE items (id serial, v vector(3), h halfvec(3), b bit(3), s sparsevec(3))')
[[1, 1, 1], [2, 2, 2], [1, 1, 2]].each_with_index do |row, i|
  conn.type_map_for_queries = PG::BasicTypeMapForQueries.new(conn)
                                .tap { |map| map[Vector] = parameters[i % 2] }
  bits = row.map { |x| x > 1 ? '1' : '0' }.join
  sparse = "{#{row.each_with_index.map { |x, at| "#{at + 1}:#{x}" }.join(',')}}/3"
  sql = 'INSERT INTO items (v, h, b, s) VALUES ($1, $1, $2::text::bit(3), $3::text::sparsevec)'
  conn.exec_params(sql, [Vector.new(row), bits, sparse])
end
conn.exec('CREATE INDEX ON items USING hnsw (v vector_l2_ops)')

conn.prepare('nearest', 'SELECT id, v, h::vector AS h FROM items ORDER BY v <-> $1 LIMIT 5')
parameters.each do |encoder|
  [0, 1].each do |format|
    conn.type_map_for_queries = PG::BasicTypeMapForQueries.new(conn).tap { |map| map[Vector] = encoder }
    found = conn.exec_prepared('nearest', [Vector.new([1, 1, 1])], format)
    equal(found.column_values(0), [1, 3, 2])
    equal(found[1]['v'], Vector.new([1, 1, 2]))
    equal(found[1]['h'], Vector.new([1, 1, 2]))
  end
end

{ "h <#> '[1,1,1]'" => [2, 3, 1], "b <~> '000'" => [1, 3, 2], "s <+> '{1:2,2:2,3:2}/3'" => [2, 3, 1] }
  .each { |order, ids| equal(conn.exec("SELECT id FROM items ORDER BY #{order}").column_values(0), ids) }
equal(conn.exec('SELECT s::text, v::i8vec::text FROM items WHERE id = 3').values, [['{1:1,2:1,3:2}/3', '[1,1,2]']])

begin
  conn.exec_params("SELECT $1 <-> '[1]'::vector", [Vector.new([1, 2])])
  raise 'vectors of different dimensions were accepted'
rescue PG::DataException => e
  equal(e.result.error_field(PG::PG_DIAG_MESSAGE_PRIMARY), 'different vector dimensions 2 and 1')
end

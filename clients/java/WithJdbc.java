import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.util.PGBinaryObject;
import org.postgresql.util.PGobject;
import org.postgresql.util.PSQLException;

public class WithJdbc {
    /** The type vector, in both formats of the wire. */
    public static class Vector extends PGobject implements PGBinaryObject {
        float[] elements;

        public Vector() {
            type = "vector";
        }

        public Vector(float... elements) {
            this();
            this.elements = elements;
        }

        @Override
        public void setValue(String text) {
            String[] parts = text.substring(1, text.length() - 1).split(",");
            elements = new float[parts.length];
            for (int i = 0; i < parts.length; i++) elements[i] = Float.parseFloat(parts[i]);
        }

        @Override
        public String getValue() {
            return Arrays.toString(elements);
        }

        @Override
        public void setByteValue(byte[] bytes, int offset) {
            received++;
            ByteBuffer in = ByteBuffer.wrap(bytes, offset, bytes.length - offset);
            elements = new float[in.getShort()];
            in.getShort();
            for (int i = 0; i < elements.length; i++) elements[i] = in.getFloat();
        }

        @Override
        public int lengthInBytes() {
            return 4 + 4 * elements.length;
        }

        @Override
        public void toBytes(byte[] bytes, int offset) {
            sent++;
            ByteBuffer out = ByteBuffer.wrap(bytes, offset, lengthInBytes());
            out.putShort((short) elements.length).putShort((short) 0);
            for (float element : elements) out.putFloat(element);
        }
    }

    /** How often the driver has used the binary form. */
    static int sent = 0;
    static int received = 0;

    static void equal(Object found, Object expected) {
        if (!found.equals(expected)) throw new AssertionError(found + ", expected " + expected);
    }

    static PGobject object(String type, String text) throws SQLException {
        PGobject object = new PGobject();
        object.setType(type);
        object.setValue(text);
        return object;
    }

    static Connection connect(String... settings) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("PGUSER"));
        properties.setProperty("socketFactory", "UnixSocketFactory");
        for (String setting : settings) properties.setProperty(setting.split("=")[0], setting.split("=")[1]);
        Connection conn = DriverManager.getConnection("jdbc:postgresql:" + System.getenv("PGDATABASE"), properties);
        try (Statement statement = conn.createStatement()) {
            statement.execute("CREATE EXTENSION IF NOT EXISTS vector");
        }
        conn.unwrap(PGConnection.class).addDataType("vector", Vector.class);
        return conn;
    }

    static List<Integer> ids(Connection conn, String order, Object query) throws SQLException {
        List<Integer> ids = new ArrayList<>();
        try (PreparedStatement nearest = conn.prepareStatement("SELECT id FROM items ORDER BY " + order + " LIMIT 5")) {
            nearest.setObject(1, query);
            ResultSet rows = nearest.executeQuery();
            while (rows.next()) ids.add(rows.getInt(1));
        }
        return ids;
    }

    static void use(Connection conn) throws SQLException {
        Statement statement = conn.createStatement();
        statement.execute("DROP TABLE IF EXISTS items");
        statement.execute("CREATE TABLE items (id serial, v vector(3), h halfvec(3), b bit(3), s sparsevec(3))");
        PreparedStatement insert = conn.prepareStatement("INSERT INTO items (v, h, b, s) VALUES (?, ?, ?, ?)");
        for (float[] row : new float[][] {{1, 1, 1}, {2, 2, 2}, {1, 1, 2}}) {
            StringBuilder bits = new StringBuilder();
            StringBuilder sparse = new StringBuilder("{");
            for (int i = 0; i < 3; i++) {
                bits.append(row[i] > 1 ? '1' : '0');
                sparse.append(i == 0 ? "" : ",").append(i + 1).append(':').append(row[i]);
            }
            insert.setObject(1, new Vector(row));
            insert.setObject(2, object("halfvec", Arrays.toString(row)));
            insert.setObject(3, object("bit", bits.toString()));
            insert.setObject(4, object("sparsevec", sparse + "}/3"));
            insert.addBatch();
        }
        equal(insert.executeBatch().length, 3);
        statement.execute("CREATE INDEX ON items USING hnsw (v vector_l2_ops)");

        // More often than the driver needs to make a statement a prepared one.
        for (int turn = 0; turn < 10; turn++) {
            equal(ids(conn, "v <-> ?", new Vector(1, 1, 1)), List.of(1, 3, 2));
        }
        equal(ids(conn, "h <#> ?", object("halfvec", "[1,1,1]")), List.of(2, 3, 1));
        equal(ids(conn, "b <~> ?", object("bit", "000")), List.of(1, 3, 2));
        equal(ids(conn, "s <+> ?", object("sparsevec", "{1:2,2:2,3:2}/3")), List.of(2, 3, 1));

        PreparedStatement values = conn.prepareStatement("SELECT v, h, b, s, v::i8vec FROM items WHERE id = ?");
        values.setInt(1, 3);
        ResultSet row = values.executeQuery();
        row.next();
        equal(row.getObject(1).getClass(), Vector.class);
        List<String> found = new ArrayList<>();
        for (int column = 1; column <= 5; column++) found.add(row.getObject(column).toString());
        equal(found.get(0), "[1.0, 1.0, 2.0]");
        equal(found.subList(1, 5), List.of("[1,1,2]", "001", "{1:1,2:1,3:2}/3", "[1,1,2]"));

        try (PreparedStatement wrong = conn.prepareStatement("SELECT ? <-> '[1]'::vector")) {
            wrong.setObject(1, new Vector(1, 2));
            wrong.executeQuery();
            throw new AssertionError("vectors of different dimensions were accepted");
        } catch (PSQLException error) {
            equal(error.getServerErrorMessage().getMessage(), "different vector dimensions 2 and 1");
        }
    }

    public static void main(String[] args) throws SQLException {
        String oid;
        try (Connection conn = connect()) {
            use(conn);
            // The driver asks for the text of a type that it does not know, and sends what the class offers.
            equal(List.of(sent, received), List.of(14, 0));
            ResultSet row = conn.createStatement().executeQuery("SELECT 'vector'::regtype::oid");
            row.next();
            oid = row.getString(1);
        }
        // Told that the type has a binary form, it asks for that of prepared statements: here, of all.
        try (Connection conn = connect("binaryTransferEnable=" + oid, "prepareThreshold=-1")) {
            use(conn);
            equal(List.of(sent, received), List.of(28, 2));
        }
    }
}

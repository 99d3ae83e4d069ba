//! What a filter may name: the columns of a table.

use crate::sql::Sql;

/// The columns of the table that a filter is for.
///
/// A column `$meta` of kind [`Kind::Jsonb`] holds the fields that have no column of their own:
/// names that are no columns are then its keys.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    reader: Option<Reader>,
    /// Where the host has the functions that are not its own, quoted; empty for its usual schema.
    schema: String,
}

/// Says why a text is no value of the type that the named column is of.
pub type Reader = fn(Scalar, &str, &str) -> Result<(), String>;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, as the catalog has it, not quoted.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// What the host calls the type of its values, with the schema, in SQL.
    pub type_name: String,
    /// What the type is called in messages.
    pub shown_type: String,
    /// Whether it is of a domain, so that its values must be cast to the type that this is over.
    pub of_domain: bool,
    /// Whether an index has split its texts by an analyzer, which the host's functions then do.
    pub is_analyzed: bool,
}

impl Column {
    /// A column of a type that needs no name.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        let (type_name, shown_type) = (String::new(), String::new());
        Self {
            name: name.into(),
            kind,
            type_name,
            shown_type,
            of_domain: false,
            is_analyzed: false,
        }
    }

    /// The column in SQL, of the type that filters know.
    pub(crate) fn sql(&self) -> Sql {
        let base = match self.kind {
            Kind::Scalar(Scalar::Other(_)) | Kind::Array(Scalar::Other(_)) => {
                self.type_name.clone()
            }
            Kind::Scalar(scalar) => format!("pg_catalog.{}", scalar.sql_name()),
            Kind::Array(scalar) => format!("pg_catalog.{}[]", scalar.sql_name()),
            Kind::Json => "pg_catalog.json".into(),
            Kind::Jsonb => "pg_catalog.jsonb".into(),
            Kind::Vector | Kind::Other => String::new(),
        };
        let base = Some(base).filter(|base| self.of_domain && !base.is_empty());
        Sql::Column(self.name.clone(), base)
    }
}

/// What a column holds, as far as filters care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A simple value.
    Scalar(Scalar),
    /// `type[]`
    Array(Scalar),
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// A vector of any type.
    Vector,
    /// A type that filters can only test for null.
    Other,
}

/// Types of simple values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric`
    Numeric,
    /// `text`
    Text,
    /// `character varying`
    Varchar,
    /// `character(n)`
    Bpchar,
    /// `name`
    Name,
    /// `timestamp with time zone`
    Timestamptz,
    /// Another type that has an order, by the host's number for it. Its constants are strings.
    Other(u32),
}

/// Name of the column that holds dynamic fields.
pub const DYNAMIC: &str = "$meta";

impl Table {
    /// A table without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column.
    pub fn column(mut self, name: impl Into<String>, kind: Kind) -> Self {
        self.columns.push(Column::new(name, kind));
        self
    }

    /// Has strings for values of other types read before they get into a condition.
    pub fn reader(mut self, reader: Reader) -> Self {
        self.reader = Some(reader);
        self
    }

    /// Names the schema, quoted, of the functions that the host has for filters: `standard_tsvector`,
    /// `text_match`, `phrase_match`, and `text_match_fuzzy`.
    pub fn functions_in(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// The host's function `name` of `arguments`.
    pub(crate) fn function(&self, name: &'static str, arguments: Vec<Sql>) -> Sql {
        let schema = if self.schema.is_empty() { "public" } else { &self.schema };
        Sql::Extension(schema.into(), name, arguments)
    }

    pub(crate) fn read(&self, scalar: Scalar, column: &Column, text: &str) -> Result<(), String> {
        self.reader.map_or(Ok(()), |reader| reader(scalar, &column.name, text))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column of dynamic fields.
    pub(crate) fn dynamic(&self) -> Option<&Column> {
        self.find(DYNAMIC).filter(|column| column.kind == Kind::Jsonb)
    }

    /// The column whose name differs from `name` in case only, to be named in a hint.
    pub(crate) fn similar(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.to_lowercase() == name.to_lowercase())
    }
}

impl Extend<Column> for Table {
    fn extend<T: IntoIterator<Item = Column>>(&mut self, columns: T) {
        self.columns.extend(columns);
    }
}

impl Scalar {
    /// The type's name in the schema `pg_catalog`; empty for [`Scalar::Other`].
    pub fn sql_name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int2 => "int2",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Float4 => "float4",
            Self::Float8 => "float8",
            Self::Numeric => "numeric",
            Self::Text => "text",
            Self::Varchar => "varchar",
            Self::Bpchar => "bpchar",
            Self::Name => "name",
            Self::Other(_) => "",
            Self::Timestamptz => "timestamptz",
        }
    }

    /// What Milvus calls the type.
    pub(crate) fn milvus_name(self) -> &'static str {
        match self {
            Self::Bool => "Bool",
            Self::Int2 => "Int16",
            Self::Int4 => "Int32",
            Self::Int8 => "Int64",
            Self::Float4 => "Float",
            Self::Float8 => "Double",
            Self::Numeric => "Decimal",
            Self::Text | Self::Varchar | Self::Bpchar | Self::Name => "VarChar",
            Self::Other(_) => "another type",
            Self::Timestamptz => "Timestamptz",
        }
    }

    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8)
    }

    pub(crate) fn is_number(self) -> bool {
        self.is_integer() || matches!(self, Self::Float4 | Self::Float8 | Self::Numeric)
    }

    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Varchar | Self::Bpchar | Self::Name)
    }

    /// Whether the integer type has the value.
    pub(crate) fn holds(self, value: i64) -> bool {
        match self {
            Self::Int2 => i16::try_from(value).is_ok(),
            Self::Int4 => i32::try_from(value).is_ok(),
            _ => true,
        }
    }
}

impl Kind {
    /// What Milvus calls the type.
    pub(crate) fn milvus_name(self) -> &'static str {
        match self {
            Self::Scalar(scalar) => scalar.milvus_name(),
            Self::Array(_) => "Array",
            Self::Json | Self::Jsonb => "JSON",
            Self::Vector => "FloatVector",
            Self::Other => "unknown type",
        }
    }
}

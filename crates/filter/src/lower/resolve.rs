//! Resolves fields of a filter to columns, elements of arrays, and values in documents.

use super::Lowering;
use crate::error::{Error, ErrorKind};
use crate::parameter::Parameter;
use crate::sql::{Sql, json_path};
use crate::syntax::{Field, Span, Step};
use crate::table::{Column, Kind, Scalar};
use crate::translate;
use crate::value::Value;

/// A field of a filter, resolved against the table.
pub(super) enum ResolvedField<'a> {
    Column(&'a Column, Scalar),
    /// The index is counted from 0.
    Element {
        column: &'a Column,
        element: Scalar,
        index: i64,
    },
    Array(&'a Column, Scalar),
    Json(Json<'a>),
    /// A vector or a type that filters do not know.
    Opaque(&'a Column),
}

/// A value in a document.
pub(super) struct Json<'a> {
    pub column: &'a Column,
    pub path: Vec<Step>,
}

impl Lowering<'_> {
    pub(super) fn resolve(&self, field: &Field, span: Span) -> Result<ResolvedField<'_>, Error> {
        let Some(column) = self.table.find(&field.name) else {
            return self.dynamic(field, span);
        };
        match (column.kind, field.path.as_slice()) {
            (Kind::Json | Kind::Jsonb, path) => {
                Ok(ResolvedField::Json(Json { column, path: path.to_vec() }))
            }
            (Kind::Scalar(scalar), []) => Ok(ResolvedField::Column(column, scalar)),
            (Kind::Array(element), []) => Ok(ResolvedField::Array(column, element)),
            (Kind::Array(element), [Step::Index(index)]) => {
                Ok(ResolvedField::Element { column, element, index: *index })
            }
            (Kind::Array(_), _) => {
                Err(Error::mismatch(span, "can only access array field with integer index"))
            }
            (Kind::Vector | Kind::Other, []) => Ok(ResolvedField::Opaque(column)),
            (kind, _) => Err(Error::mismatch(
                span,
                format!("{} data type not supported accessed with []", kind.milvus_name()),
            )),
        }
    }

    /// A field without a column of its own.
    fn dynamic(&self, field: &Field, span: Span) -> Result<ResolvedField<'_>, Error> {
        let name = &field.name;
        let null = name.eq_ignore_ascii_case("null");
        if let Some(column) = self.table.dynamic().filter(|_| !null) {
            let first = Step::Key(name.clone());
            let path = std::iter::once(first).chain(field.path.iter().cloned()).collect();
            return Ok(ResolvedField::Json(Json { column, path }));
        }
        let error = Error::new(ErrorKind::Unknown, span, format!("field {name} not exist"));
        Err(match self.table.similar(name) {
            _ if null => error.hint("Test for null by: field is null."),
            Some(column) => error.hint(format!("Perhaps you meant {}.", column.name)),
            None => error,
        })
    }
}

impl<'a> ResolvedField<'a> {
    pub(super) fn column(&self) -> &'a Column {
        match self {
            Self::Column(column, _)
            | Self::Element { column, .. }
            | Self::Array(column, _)
            | Self::Json(Json { column, .. })
            | Self::Opaque(column) => column,
        }
    }

    /// The type and the SQL of a simple value that is no document's.
    pub(super) fn scalar(&self) -> Option<(Scalar, Sql)> {
        match self {
            Self::Column(column, scalar) => Some((*scalar, column.sql())),
            Self::Element { column, element, index } => {
                // What is beyond the host's largest subscript is beyond the end of any array.
                let index = i32::try_from(index.saturating_add(1)).unwrap_or(i32::MAX);
                let index = Parameter::scalar(Scalar::Int4, index).into();
                let array = column.sql();
                Some((*element, Sql::Element(Box::new(array), Box::new(index))))
            }
            Self::Array(..) | Self::Json(_) | Self::Opaque(_) => None,
        }
    }

    /// The SQL of a text as a `text`, for what other types of text have no function or operator for.
    pub(super) fn text(&self) -> Option<Sql> {
        let (scalar, value) = self.scalar().filter(|(scalar, _)| scalar.is_text())?;
        let other = matches!(scalar, Scalar::Bpchar | Scalar::Name);
        Some(if other { value.cast("text") } else { value })
    }

    /// What Milvus calls the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Column(_, scalar) | Self::Element { element: scalar, .. } => scalar.milvus_name(),
            Self::Array(column, _) | Self::Opaque(column) => column.kind.milvus_name(),
            Self::Json(_) => "JSON",
        }
    }
}

impl Json<'_> {
    pub(super) fn document(&self) -> Sql {
        let column = self.column.sql();
        if self.column.kind == Kind::Json { column.cast("jsonb") } else { column }
    }

    /// The document meets a condition in SQL's path language.
    pub(super) fn matches(&self, condition: String) -> Sql {
        self.document().operator("@@", json_path(condition))
    }

    /// The value as a text: strings without quotes.
    pub(super) fn text(&self) -> Sql {
        let steps = self.path.iter().map(|step| match step {
            Step::Key(key) => Value::Text(key.clone()),
            Step::Index(index) => Value::Text(index.to_string()),
        });
        let path = Parameter::array(Scalar::Text, steps.collect());
        self.document().operator("#>>", path.into())
    }

    /// There is a value, or there is none: never unknown.
    pub(super) fn exists(&self, negated: bool) -> Sql {
        let exists = self.matches(translate::json_path::exists(&self.path));
        if negated { Sql::IsNotTrue(exists.into()) } else { exists }
    }

    /// The value is a string for which `test` of its text holds.
    pub(super) fn text_test(&self, test: impl FnOnce(Sql) -> Sql) -> Sql {
        let guard = self.matches(translate::json_path::is_text(&self.path));
        Sql::and([guard, test(self.text())])
    }
}

//! Constants, as filters and templates give them.

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A number with more digits than a float has, as it is written: exact where it is compared with
    /// `numeric`, rounded to a float elsewhere.
    Decimal(String),
    /// A string.
    Text(String),
    /// A list, whose elements may be lists again where they are compared with JSON.
    List(Vec<Value>),
}

impl Value {
    /// What the type is called in messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "Bool",
            Self::Int(_) => "Int64",
            Self::Float(_) | Self::Decimal(_) => "Double",
            Self::Text(_) => "VarChar",
            Self::List(_) => "Array",
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Float(_) | Self::Decimal(_))
    }

    /// How the value looks in messages: a short text.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(value) | Self::Decimal(value) if value.chars().count() > 40 => {
                value.chars().take(40).chain("...".chars()).collect()
            }
            Self::Text(value) | Self::Decimal(value) => value.clone(),
            Self::List(values) => format!("list of {} values", values.len()),
        }
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident),*) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

from!(bool => Bool, i64 => Int, i32 => Int, f64 => Float, &str => Text, String => Text);

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

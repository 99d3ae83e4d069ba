//! Reads the messages of `pgoutput`, PostgreSQL's plugin for logical decoding, as a consumer of changes
//! does. The format, protocol version 1, is that of PostgreSQL's manual, "Logical Replication Message
//! Formats".

use std::collections::HashMap;

use crate::Result;

/// A value of a changed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// Stored apart from the row and not changed: not sent.
    Unchanged,
    /// As the type's output function writes it.
    Text(String),
}

/// A row: names of columns and values.
pub type Row = Vec<(String, Value)>;

/// A change of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new row.
    Insert {
        /// The table.
        table: String,
        /// The row.
        row: Row,
    },
    /// A row has other values.
    Update {
        /// The table.
        table: String,
        /// The key, or the whole row, as it was; empty if the key did not change.
        old: Row,
        /// The row.
        row: Row,
    },
    /// A row is gone.
    Delete {
        /// The table.
        table: String,
        /// The key of the row, or the whole row.
        old: Row,
    },
    /// All rows are gone.
    Truncate {
        /// The tables.
        tables: Vec<String>,
    },
}

/// A table as the messages describe it.
struct Relation {
    name: String,
    columns: Vec<String>,
}

/// Keeps what earlier messages told of tables.
#[derive(Default)]
pub struct Decoder {
    relations: HashMap<u32, Relation>,
}

impl Decoder {
    /// The change that a message tells of; none for one that begins or ends a transaction, or describes
    /// a table or a type.
    ///
    /// # Errors
    /// If the message is not one of protocol version 1.
    pub fn decode(&mut self, message: &[u8]) -> Result<Option<Change>> {
        let mut bytes = Bytes(message);
        let change = match bytes.byte()? {
            b'R' => {
                let id = bytes.u32()?;
                let (_schema, name) = (bytes.string()?, bytes.string()?);
                let _identity = bytes.byte()?;
                let columns = (0..bytes.u16()?).map(|_| bytes.column()).collect::<Result<_>>()?;
                self.relations.insert(id, Relation { name, columns });
                return Ok(None);
            }
            b'I' => {
                let relation = self.relation(bytes.u32()?)?;
                let _new = bytes.byte()?;
                Change::Insert { table: relation.name.clone(), row: bytes.row(relation)? }
            }
            b'U' => {
                let relation = self.relation(bytes.u32()?)?;
                let old = if matches!(bytes.byte()?, b'K' | b'O') {
                    let old = bytes.row(relation)?;
                    let _new = bytes.byte()?;
                    old
                } else {
                    Row::new()
                };
                Change::Update { table: relation.name.clone(), old, row: bytes.row(relation)? }
            }
            b'D' => {
                let relation = self.relation(bytes.u32()?)?;
                let _old = bytes.byte()?;
                Change::Delete { table: relation.name.clone(), old: bytes.row(relation)? }
            }
            b'T' => {
                let count = bytes.u32()?;
                let _options = bytes.byte()?;
                let name = |_| Ok(self.relation(bytes.u32()?)?.name.clone());
                Change::Truncate { tables: (0..count).map(name).collect::<Result<_>>()? }
            }
            b'B' | b'C' | b'O' | b'Y' => return Ok(None),
            other => return Err(format!("unknown message {:?}", char::from(other)).into()),
        };
        Ok(Some(change))
    }

    fn relation(&self, id: u32) -> Result<&Relation> {
        self.relations.get(&id).ok_or_else(|| format!("table {id} was not described").into())
    }
}

/// The rest of a message.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("the message is cut off")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.take(2)?.try_into()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into()?))
    }

    /// A string that ends with a zero.
    fn string(&mut self) -> Result<String> {
        let end = self.0.iter().position(|&byte| byte == 0).ok_or("the message is cut off")?;
        let string = self.take(end)?;
        self.byte()?;
        Ok(String::from_utf8(string.to_vec())?)
    }

    /// The name of a column.
    fn column(&mut self) -> Result<String> {
        let _flags = self.byte()?;
        let name = self.string()?;
        let (_type, _modifier) = (self.u32()?, self.u32()?);
        Ok(name)
    }

    fn row(&mut self, relation: &Relation) -> Result<Row> {
        let count = self.u16()?;
        let names = relation.columns.iter().take(count.into());
        names.map(|name| Ok((name.clone(), self.value()?))).collect()
    }

    fn value(&mut self) -> Result<Value> {
        match self.byte()? {
            b'n' => Ok(Value::Null),
            b'u' => Ok(Value::Unchanged),
            b't' => {
                let length = self.u32()?;
                Ok(Value::Text(String::from_utf8(self.take(length as usize)?.to_vec())?))
            }
            other => Err(format!("a value of kind {:?}", char::from(other)).into()),
        }
    }
}

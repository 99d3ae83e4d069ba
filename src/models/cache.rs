//! Vectors of the statement that runs: the same text is embedded once in it, however often it is asked
//! for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use memory::{OutOfMemory, Result};
use models::Input;

use crate::pg::memory::work_mem;
use crate::pg::statement;

/// A vector, as often as it is used.
pub type Vector = Rc<[f32]>;

/// Bytes of an entry besides its input and vector, about.
const ENTRY: usize = 96;

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

/// Vectors by the number of the model, and the input. Takes at most `work_mem`.
#[derive(Default)]
pub struct Cache {
    vectors: HashMap<Key, Vector>,
    bytes: usize,
    /// When the statement began that they are of.
    statement: i64,
}

type Key = (u64, Box<[u8]>);

impl Cache {
    /// That of the statement that runs, as the client sent it.
    pub fn of_statement<R>(body: impl FnOnce(&mut Cache) -> R) -> R {
        let statement = statement::began();
        CACHE.with_borrow_mut(|cache| {
            if cache.statement != statement {
                *cache = Cache { statement, ..Cache::default() };
            }
            body(cache)
        })
    }

    /// The vector of an input.
    ///
    /// # Errors
    /// If there is no memory to look for it.
    pub fn get(&self, model: u64, input: Input) -> Result<Option<Vector>> {
        if self.vectors.is_empty() {
            return Ok(None);
        }
        Ok(self.vectors.get(&key(model, input)?).cloned())
    }

    /// Keeps a vector, if there is room.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn put(&mut self, model: u64, input: Input, vector: &Vector) -> Result<()> {
        let key = key(model, input)?;
        let bytes = ENTRY + key.1.len() + size_of_val::<[f32]>(vector);
        if self.bytes.saturating_add(bytes) <= work_mem() {
            self.vectors.try_reserve(1).map_err(|_| OutOfMemory)?;
            if self.vectors.insert(key, vector.clone()).is_none() {
                self.bytes += bytes;
            }
        }
        Ok(())
    }
}

fn key(model: u64, input: Input) -> Result<Key> {
    let (kind, bytes) = match input {
        Input::Text(text) => (0, text.as_bytes()),
        Input::Image(image) => (1, image),
    };
    let mut key = memory::with_room(bytes.len() + 1)?;
    key.push(kind);
    key.extend_from_slice(bytes);
    Ok((model, key.into_boxed_slice()))
}

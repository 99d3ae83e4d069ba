//! Texts that are made of others, as far as there is memory for them.

use memory::OutOfMemory;

use super::json::Bad;

/// A text of bounded length.
#[derive(Debug)]
pub(super) struct Text {
    text: String,
    most: usize,
}

impl Text {
    /// An empty text of at most `most` bytes, with room for `len`.
    pub(super) fn new(len: usize, most: usize) -> Result<Self, Bad> {
        let mut text = Self { text: String::new(), most };
        text.reserve(len.min(most))?;
        Ok(text)
    }

    fn reserve(&mut self, len: usize) -> Result<(), Bad> {
        self.text.try_reserve(len).map_err(|_| Bad::out_of_memory(OutOfMemory))
    }

    /// # Errors
    /// [`Bad`] if it would be too long, or memory is refused, as of the others.
    pub(super) fn push_str(&mut self, more: &str) -> Result<(), Bad> {
        if more.len() > self.most.saturating_sub(self.text.len()) {
            return Err(Bad::new("normalizers make texts too long"));
        }
        if more.len() > self.text.capacity() - self.text.len() {
            self.reserve(more.len())?;
        }
        self.text.push_str(more);
        Ok(())
    }

    pub(super) fn push(&mut self, c: char) -> Result<(), Bad> {
        self.push_str(c.encode_utf8(&mut [0; 4]))
    }

    pub(super) fn extend(&mut self, chars: impl IntoIterator<Item = char>) -> Result<(), Bad> {
        chars.into_iter().try_for_each(|c| self.push(c))
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }
}

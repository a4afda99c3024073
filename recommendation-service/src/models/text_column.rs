//! Many texts in one allocation.

use std::ops::Range;

/// Texts, addressed by their index.
#[derive(Debug, Default)]
pub struct TextColumn {
    text: String,
    ends: Vec<u32>,
}

impl TextColumn {
    /// Adds a text. False when four gigabytes are full.
    pub(super) fn push(&mut self, text: &str) -> bool {
        let Ok(end) = u32::try_from(self.text.len() + text.len()) else { return false };
        self.text.push_str(text);
        self.ends.push(end);
        true
    }

    /// Adds the texts of another column with these indexes. False when four gigabytes are full.
    pub(super) fn push_range(&mut self, from: &Self, range: Range<usize>) -> bool {
        let start_of = |index: usize| if index == 0 { 0 } else { from.ends[index - 1] as usize };
        let (start, end) = (start_of(range.start), start_of(range.end));
        let added = self.text.len();
        if u32::try_from(added + end - start).is_err() {
            return false;
        }
        self.text.push_str(&from.text[start..end]);
        self.ends.extend(from.ends[range].iter().map(|end| (*end as usize - start + added) as u32));
        true
    }

    /// The same texts in another order: what comes first is the one at `order[0]`.
    pub(super) fn reordered(&self, order: &[u32]) -> Self {
        let mut column =
            Self { text: String::with_capacity(self.text.len()), ends: Vec::with_capacity(self.ends.len()) };
        for index in order {
            // As long as the texts together, so there is room.
            column.push(self.get(*index as usize));
        }
        column
    }

    pub(super) fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start as usize..self.ends[index] as usize]
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}

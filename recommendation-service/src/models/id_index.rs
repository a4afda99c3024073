//! From the id of a movie to its index.

use std::mem::size_of_val;

/// The ids of the catalogue, ascending, with the index of each.
#[derive(Debug, Default)]
pub struct IdIndex {
    ids: Box<[i32]>,
    indexes: Box<[u32]>,
}

impl IdIndex {
    /// Of the ids in the order of their indexes; each once.
    pub(super) fn new(ids: &[i32]) -> Self {
        let mut pairs: Vec<(i32, u32)> = ids.iter().copied().zip(0..).collect();
        pairs.sort_unstable();
        let (ids, indexes): (Vec<i32>, Vec<u32>) = pairs.into_iter().unzip();
        Self { ids: ids.into(), indexes: indexes.into() }
    }

    /// The index of a movie.
    pub(super) fn get(&self, id: i32) -> Option<usize> {
        let first = *self.ids.first()?;
        // Ids are nearly gapless: where none is missing the first look finds it, and it is never further to the right.
        let furthest = usize::try_from(i64::from(id) - i64::from(first)).ok()?.min(self.ids.len() - 1);
        let position = match self.ids[furthest] == id {
            true => furthest,
            false => self.ids[..furthest].binary_search(&id).ok()?,
        };
        Some(self.indexes[position] as usize)
    }

    /// All indexes in the order of the ids.
    pub(super) fn by_id(&self) -> &[u32] {
        &self.indexes
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.ids) + size_of_val(&*self.indexes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_id_is_found_and_no_other(ids in proptest::collection::btree_set(any::<i32>(), 0..50), other: i32) {
            let ids: Vec<i32> = ids.into_iter().rev().collect();
            let index = IdIndex::new(&ids);
            for (position, id) in ids.iter().enumerate() {
                prop_assert_eq!(index.get(*id), Some(position));
            }
            prop_assert_eq!(index.get(other), ids.iter().position(|id| *id == other));
        }

        #[test]
        fn ids_with_few_gaps_are_found_too(ids in proptest::collection::btree_set(1..80_i32, 1..60), other in -5..100_i32) {
            let ids: Vec<i32> = ids.into_iter().collect();
            let index = IdIndex::new(&ids);
            prop_assert_eq!(index.get(other), ids.iter().position(|id| *id == other));
        }
    }
}

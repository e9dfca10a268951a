//! Rows that keep the order in which they came and are found by id; none is ever taken out.

use std::collections::HashMap;

/// A growing table.
#[derive(Debug)]
pub(super) struct Table<T> {
    rows: Vec<T>,
    by_id: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            by_id: HashMap::new(),
        }
    }
}

impl<T> Table<T> {
    /// Appends a row, and answers its place.
    pub(super) fn insert(&mut self, id: &str, row: T) -> usize {
        let place = self.rows.len();
        self.rows.push(row);
        self.by_id.insert(id.to_owned(), place);
        place
    }

    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.by_id.get(id).map(|place| &self.rows[*place])
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.by_id.get(id).map(|place| &mut self.rows[*place])
    }

    /// The row at a place that [`Table::insert`] answered.
    pub(super) fn at(&self, place: usize) -> &T {
        &self.rows[place]
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

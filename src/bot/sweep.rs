//! Lets go of what has been kept long enough, a page at a time.

use crate::store::{self, Collection, Record};

/// Small enough that a sweep never holds much in memory.
const PAGE: usize = 500;

/// Removes the records for which `is_old` holds, and says how many those were.
pub(super) async fn sweep<T: Record>(
    collection: &Collection<T>,
    is_old: impl Fn(&T) -> bool,
) -> Result<usize, store::Error> {
    let mut removed = 0;
    let mut after: Option<String> = None;
    loop {
        let page = collection.scan("", after.as_deref(), PAGE).await?;
        for (key, _) in page.iter().filter(|(_, record)| is_old(record)) {
            collection.delete(key).await?;
            removed += 1;
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
            _ => return Ok(removed),
        }
    }
}

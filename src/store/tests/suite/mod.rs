//! What every engine must do. Each test is a function of a freshly opened, empty place; the macro at the
//! end runs them all for one kind of place, so a second engine is one more line.

mod records;
mod together;
mod versions;

use std::{collections::BTreeMap, sync::Arc};

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{NewNote, Note, Notebook, Shapeless, Votes, long_note, note, open};
use crate::store::{
    Change, Error, Record, Store, Write,
    record::{self, PART_BYTES, RECORD_BYTES_MAX},
};

use records::*;
use together::*;
use versions::*;

/// Somewhere a store can be opened, closed and opened again.
trait Place {
    fn new() -> Self;
    async fn open(&self) -> Store;
}

struct SledPlace(TempDir);

impl Place for SledPlace {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> Store {
        open(&self.0).await
    }
}

async fn keys_of<T: Record>(
    store: &Store,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Vec<String> {
    let found = store
        .collection::<T>()
        .scan(prefix, after, limit)
        .await
        .unwrap();
    found.into_iter().map(|(key, _)| key).collect()
}

/// How many parts of long records there are, whoever they belong to.
async fn count_parts(store: &Store) -> usize {
    store
        .engine()
        .scan(b"p".to_vec(), None, usize::MAX)
        .await
        .unwrap()
        .len()
}

async fn write_raw(store: &Store, changes: Vec<Change>) {
    let write = Write {
        changes,
        ..Write::default()
    };
    assert!(store.engine().write(write).await.unwrap());
}

/// Runs the tests above for one kind of place.
macro_rules! suite {
    ($engine:ident, $place:ty: $($test:ident),* $(,)?) => {
        mod $engine {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(<$place>::new()).await;
                }
            )*
        }
    };
    ($engine:ident, $place:ty) => {
        suite! {
            $engine, $place:
            a_record_is_there_from_put_to_delete,
            what_was_committed_or_closed_is_there_after_opening_again,
            a_closed_store_refuses_every_clone,
            a_scan_goes_by_prefix_in_order_from_after_to_limit,
            long_records_are_one_record_and_leave_nothing_behind,
            what_is_too_large_is_refused_whole,
            what_has_no_json_is_refused,
            a_batch_reaches_over_collections_in_its_order,
            everything_that_was_committed_at_once_is_there,
            a_swap_happens_only_on_what_was_expected,
            equal_maps_are_equal_in_whatever_order_they_were_written,
            many_who_count_with_swaps_lose_no_count,
            a_reader_never_sees_a_record_half_written,
            an_older_version_is_read_and_a_newer_one_is_left_alone,
            a_form_that_only_a_newer_version_knows_is_left_alone,
            what_cannot_be_read_is_set_aside_and_stops_nobody,
            an_older_version_that_nobody_can_upgrade_is_set_aside,
            the_store_does_what_a_sorted_map_does,
        }
    };
}

suite!(sled, SledPlace);

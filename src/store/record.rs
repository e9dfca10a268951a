//! How a record lies in the engine: which keys it has, and what its bytes mean.
//!
//! A record is a *head* and, if it is long, *parts* that hold its body. The head says how long the body is
//! and carries its checksum, so a head that meets the parts of another write is noticed.
//!
//! ```text
//! head key   'r' collection 0 key
//! head       checksum of the rest (8) | form (1) | version (1) | the JSON, or its length (4) and checksum (8)
//! part key   'p' length of what follows up to the number (2) | collection 0 key | number (2)
//! set aside  as above under 'a' and 'b', the key followed by the time in milliseconds (8)
//! ```
//!
//! Numbers in keys are big-endian, so that they sort; in values little-endian.

use std::sync::Arc;

use super::{
    Error, Record,
    engine::{Change, Key, Pair, Value, within},
};

/// The longest key of a record, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 512;

/// The longest JSON of one record, in bytes.
pub(super) const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The longest JSON that lies in the head, and the length of a part, in bytes.
///
/// sled keeps up to 17 neighbours in one node, and a node over 128 KiB goes to a file of its own, which sled
/// writes without ever syncing it (`blob_io.rs`, 0.34.7): a power cut then damages the database. With
/// 6 KiB and the longest keys a node stays below that. Larger parts are faster (a third at 3 MB), and would
/// be safe against the death of the process, but not of the machine.
pub(super) const PART_BYTES: usize = 6 * 1024;

/// The whole JSON follows.
const FORM_WHOLE: u8 = 1;
/// The JSON lies in parts; its length and checksum follow.
const FORM_PARTS: u8 = 2;

/// Checksum, form, version.
const PREAMBLE_BYTES: usize = 10;

/// What a head says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// The version of the JSON.
    pub(super) version: u8,
    /// Where the JSON is. `None`: in a way that only a newer version knows.
    pub(super) body: Option<Body<'a>>,
}

/// Where the JSON of a record is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// In the head.
    Whole(&'a [u8]),
    /// In parts, whose bytes together have this length and this checksum.
    Parts { size_bytes: usize, checksum: u64 },
}

/// The changes that set a record.
pub(super) fn put<T: Record>(key: &str, value: &T) -> Result<Vec<Change>, Error> {
    within("a key", key.len(), KEY_BYTES_MAX)?;
    let json = serde_json::to_vec(value).map_err(|source| Error::Unencodable {
        collection: T::COLLECTION,
        source: Arc::new(source),
    })?;
    if json.len() > RECORD_BYTES_MAX {
        within(
            &format!("the record {}/{key}", T::COLLECTION),
            json.len(),
            RECORD_BYTES_MAX,
        )?;
    }

    // The parts of what was there before go in any case: it may have been longer.
    let mut changes = vec![Change::DeletePrefix(parts_prefix::<T>(key))];
    if json.len() <= PART_BYTES {
        let head = head(FORM_WHOLE, T::VERSION, &json);
        changes.push(Change::Put(head_key::<T>(key), head));
        return Ok(changes);
    }
    let mut rest = (json.len() as u32).to_le_bytes().to_vec();
    rest.extend(checksum(&json).to_le_bytes());
    let head = head(FORM_PARTS, T::VERSION, &rest);
    changes.push(Change::Put(head_key::<T>(key), head));
    for (number, part) in json.chunks(PART_BYTES).enumerate() {
        let mut key = parts_prefix::<T>(key);
        key.extend((number as u16).to_be_bytes());
        changes.push(Change::Put(key, part.to_vec()));
    }
    Ok(changes)
}

/// The changes that remove a record.
pub(super) fn delete<T: Record>(key: &str) -> Result<Vec<Change>, Error> {
    within("a key", key.len(), KEY_BYTES_MAX)?;
    Ok(vec![
        Change::DeletePrefix(parts_prefix::<T>(key)),
        Change::Delete(head_key::<T>(key)),
    ])
}

/// The changes that move a damaged record out of the way, its bytes as they are.
pub(super) fn set_aside<T: Record>(
    key: &str,
    head: Value,
    parts: Vec<Pair>,
    at_ms: u64,
) -> Vec<Change> {
    let mut name = name::<T>(key);
    name.extend(at_ms.to_be_bytes());
    let mut changes = vec![
        Change::DeletePrefix(parts_prefix::<T>(key)),
        Change::Delete(head_key::<T>(key)),
        Change::Put(area(b'a', &name), head),
    ];
    for (part_key, part) in parts {
        let number = &part_key[part_key.len() - 2..];
        let mut key = numbered_area(b'b', &name);
        key.extend(number);
        changes.push(Change::Put(key, part));
    }
    changes
}

/// Reads a head. An error says what is wrong with it, without showing any of it.
pub(super) fn read_head(bytes: &[u8]) -> Result<Head<'_>, &'static str> {
    let (preamble, rest) = bytes
        .split_at_checked(PREAMBLE_BYTES)
        .ok_or("it is too short")?;
    let (sum, sealed) = bytes.split_at(8);
    if sum != checksum(sealed).to_le_bytes() {
        return Err("its checksum is wrong");
    }
    let body = match (preamble[8], rest) {
        (FORM_WHOLE, json) => Some(Body::Whole(json)),
        (FORM_PARTS, rest) => {
            let (size, sum) = rest.split_at_checked(4).ok_or("it is too short")?;
            Some(Body::Parts {
                size_bytes: u32::from_le_bytes(size.try_into().expect("split at 4")) as usize,
                checksum: u64::from_le_bytes(sum.try_into().map_err(|_| "it is too short")?),
            })
        }
        // The checksum is right, so this was not damaged but written by someone who knows more.
        _ => None,
    };
    Ok(Head {
        version: preamble[9],
        body,
    })
}

/// Whether parts belong to this head, or may: what cannot be read should be set aside with all it has.
pub(super) fn has_parts(head: &[u8]) -> bool {
    !matches!(
        read_head(head),
        Ok(Head {
            body: Some(Body::Whole(_)),
            ..
        })
    )
}

/// Puts the body together from its parts.
pub(super) fn join_parts(
    parts: &[Pair],
    size_bytes: usize,
    sum: u64,
) -> Result<Vec<u8>, &'static str> {
    let json: Vec<u8> = parts.iter().flat_map(|(_, part)| part).copied().collect();
    if json.len() != size_bytes {
        return Err("its parts have the wrong length");
    }
    if checksum(&json) != sum {
        return Err("the checksum of its parts is wrong");
    }
    Ok(json)
}

/// Makes the value of its JSON. `Err` says what is wrong with it.
///
/// serde's own message is not passed on, since it quotes what it could not read.
pub(super) fn from_json<T: Record>(version: u8, json: &[u8]) -> Result<T, &'static str> {
    if version == T::VERSION {
        return serde_json::from_slice(json).map_err(|_| "it does not fit its type");
    }
    let value = serde_json::from_slice(json).map_err(|_| "it is not JSON")?;
    T::upgrade(version, value).ok_or("nothing knows how to read its old version")
}

/// Where the head of a record is.
pub(super) fn head_key<T: Record>(key: &str) -> Key {
    area(b'r', &name::<T>(key))
}

/// What the keys of all parts of a record start with, and no others.
pub(super) fn parts_prefix<T: Record>(key: &str) -> Key {
    numbered_area(b'p', &name::<T>(key))
}

/// The record's own key, of the key of its head.
pub(super) fn key_of<T: Record>(head_key: &[u8]) -> Option<&str> {
    std::str::from_utf8(head_key.get(T::COLLECTION.len() + 2..)?).ok()
}

/// What all set-aside records of a collection start with.
pub(super) fn aside_prefix<T: Record>() -> Key {
    area(b'a', &name::<T>(""))
}

fn name<T: Record>(key: &str) -> Vec<u8> {
    const {
        assert!(!T::COLLECTION.is_empty() && T::COLLECTION.len() <= 64);
        let mut name = T::COLLECTION.as_bytes();
        while let [first, rest @ ..] = name {
            assert!(*first != 0, "a NUL ends the collection's name");
            name = rest;
        }
    }
    let mut name = Vec::with_capacity(T::COLLECTION.len() + 1 + key.len());
    name.extend(T::COLLECTION.as_bytes());
    name.push(0);
    name.extend(key.as_bytes());
    name
}

fn area(area: u8, name: &[u8]) -> Key {
    [&[area], name].concat()
}

/// The length comes first: without it the parts of `a` would be found under a record called `a` and more.
fn numbered_area(area: u8, name: &[u8]) -> Key {
    [&[area], &(name.len() as u16).to_be_bytes()[..], name].concat()
}

fn head(form: u8, version: u8, rest: &[u8]) -> Value {
    let mut head = vec![0; 8];
    head.extend([form, version]);
    head.extend(rest);
    let sum = checksum(&head[8..]);
    head[..8].copy_from_slice(&sum.to_le_bytes());
    head
}

/// FNV-1a, 64 bits: against mix-ups and damage, not against malice, and a gigabyte a second is enough.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    impl Record for Note {
        const COLLECTION: &'static str = "note";
        const VERSION: u8 = 3;
    }

    fn shown(changes: &[Change]) -> String {
        let shown = |bytes: &[u8]| bytes[..bytes.len().min(40)].escape_ascii().to_string();
        let lines = changes.iter().map(|change| match change {
            Change::Put(key, value) => format!("{} = {}", shown(key), shown(value)),
            Change::Delete(key) => format!("{} deleted", shown(key)),
            Change::DeletePrefix(key) => format!("{}... deleted", shown(key)),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What is on people's disks. A change here needs a way to read what was written before it.
    #[test]
    fn records_lie_in_the_database_as_they_always_did() {
        let note = |length| Note {
            text: "n".repeat(length),
        };
        insta::assert_snapshot!(shown(&put("a/1", &note(2)).unwrap()), @r#"
        p\x00\x08note\x00a/1... deleted
        rnote\x00a/1 = \xee\xcf\xa1\xc2I`\x15\xe3\x01\x03{\"text\":\"nn\"}
        "#);
        insta::assert_snapshot!(shown(&put("a/1", &note(PART_BYTES)).unwrap()), @r#"
        p\x00\x08note\x00a/1... deleted
        rnote\x00a/1 = _\xad* \xa4\x18\x94g\x02\x03\x0b\x18\x00\x00\xde\x81-\x84\xfd\x96\n\xbd
        p\x00\x08note\x00a/1\x00\x00 = {\"text\":\"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
        p\x00\x08note\x00a/1\x00\x01 = nnnnnnnnn\"}
        "#);
        insta::assert_snapshot!(shown(&delete::<Note>("a/1").unwrap()), @r#"
        p\x00\x08note\x00a/1... deleted
        rnote\x00a/1 deleted
        "#);
        let parts = vec![(
            [&parts_prefix::<Note>("a/1")[..], &[0, 1]].concat(),
            b"part".to_vec(),
        )];
        let aside = set_aside::<Note>("a/1", b"head".to_vec(), parts, 1_763_640_000_000);
        insta::assert_snapshot!(shown(&aside), @r#"
        p\x00\x08note\x00a/1... deleted
        rnote\x00a/1 deleted
        anote\x00a/1\x00\x00\x01\x9a\xa1\"\xbe\x00 = head
        b\x00\x10note\x00a/1\x00\x00\x01\x9a\xa1\"\xbe\x00\x00\x01 = part
        "#);
    }

    #[test]
    fn any_bytes_may_lie_where_a_head_should() {
        let whole = head(FORM_WHOLE, 3, br#"{"text":"hello"}"#);
        assert!(read_head(&whole).is_ok());
        for index in 0..whole.len() {
            assert!(read_head(&whole[..index]).is_err(), "cut at {index}");
            let mut flipped = whole.clone();
            flipped[index] ^= 0x10;
            assert!(read_head(&flipped).is_err(), "flipped at {index}");
        }
        // Sealed, but too short for what they say they are.
        for length in 0..12 {
            let sealed = head(FORM_PARTS, 3, &vec![0; length]);
            assert_eq!(read_head(&sealed), Err("it is too short"));
        }
    }
}

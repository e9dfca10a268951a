//! A transcript as a file: a header line, then a line for each message, oldest first.

use std::{collections::HashSet, fmt::Write as _};

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Message, Person, Room, Transcript};

/// The version of the format that this program writes, and the only one it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Why a file is no transcript. The line is counted from 1; the header is line 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ReadError {
    /// Where.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl ReadError {
    fn new(line: usize, what: impl Into<String>) -> Self {
        Self {
            line,
            what: what.into(),
        }
    }
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    nightjar_transcript: u32,
    room: Room,
    time_zone: String,
    frozen_at: Timestamp,
    people: Vec<Person>,
    /// How many lines follow; a file that was cut off is found by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    messages: Option<usize>,
    /// Missing in a file that was written by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

impl Transcript {
    /// The transcript as a file.
    pub fn to_ndjson(&self) -> String {
        let mut header = header(self);
        header.messages = Some(self.messages.len());
        header.hash = Some(self.hash.clone());
        let mut text = line(&header);
        for message in &self.messages {
            text.push('\n');
            text.push_str(&line(message));
        }
        text.push('\n');
        text
    }

    /// Reads a file. What is written twice, by nobody, or out of order is an error, and so is a hash or a count
    /// that does not agree with the messages.
    pub fn from_ndjson(text: &str) -> Result<Self, ReadError> {
        let mut lines = text.lines().enumerate();
        let (_, first) = lines
            .next()
            .ok_or_else(|| ReadError::new(1, "the file is empty"))?;
        let header: Header = read(1, first.trim_start_matches('\u{feff}'))?;
        if header.nightjar_transcript != FORMAT_VERSION {
            let found = header.nightjar_transcript;
            let what = format!("version {found} of the format is not known, only {FORMAT_VERSION}");
            return Err(ReadError::new(1, what));
        }
        let time_zone = TimeZone::get(&header.time_zone)
            .map_err(|_| ReadError::new(1, format!("`{}` is not a time zone", header.time_zone)))?;
        let mut messages = Vec::new();
        let mut known = Known::new(&header.people)?;
        for (at, text) in lines {
            if text.trim().is_empty() {
                continue;
            }
            let message: Message = read(at + 1, text)?;
            known.check(at + 1, &message)?;
            messages.push(message);
        }
        known.check_all(&messages, &header)?;
        let expected = header.hash.clone();
        let transcript = Self::freeze(
            header.room,
            time_zone,
            header.frozen_at,
            header.people,
            messages,
        );
        match expected {
            Some(expected) if expected != transcript.hash => Err(ReadError::new(
                1,
                "the hash does not agree with the content: the file was changed after it was frozen",
            )),
            _ => Ok(transcript),
        }
    }
}

/// What a reader has seen so far.
struct Known<'a> {
    people: HashSet<&'a str>,
    messages: HashSet<String>,
    newest: Timestamp,
}

impl<'a> Known<'a> {
    fn new(people: &'a [Person]) -> Result<Self, ReadError> {
        let mut ids = HashSet::new();
        for person in people {
            if !ids.insert(person.id.0.as_str()) {
                return Err(ReadError::new(
                    1,
                    format!("`{}` is listed twice", person.id.0),
                ));
            }
        }
        Ok(Self {
            people: ids,
            messages: HashSet::new(),
            newest: Timestamp::MIN,
        })
    }

    fn check(&mut self, line: usize, message: &Message) -> Result<(), ReadError> {
        let author = message.author.0.as_str();
        let wrong = if !self.people.contains(author) {
            format!("the author `{author}` is not among the people of the header")
        } else if message.at < self.newest {
            "the message is older than the one before it".to_owned()
        } else if !self.messages.insert(message.id.0.clone()) {
            format!("the message `{}` is there twice", message.id)
        } else {
            self.newest = message.at;
            return Ok(());
        };
        Err(ReadError::new(line, wrong))
    }

    fn check_all(&self, messages: &[Message], header: &Header) -> Result<(), ReadError> {
        match header.messages {
            Some(expected) if expected != messages.len() => {
                let what = format!("{expected} messages should follow, {} do", messages.len());
                Err(ReadError::new(1, what))
            }
            _ => Ok(()),
        }
    }
}

fn read<'a, T: Deserialize<'a>>(line: usize, text: &'a str) -> Result<T, ReadError> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| ReadError::new(line, error.to_string()))
}

fn line<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data can be written as JSON")
}

fn header(transcript: &Transcript) -> Header {
    let zone = transcript.time_zone.iana_name().unwrap_or("UTC");
    Header {
        nightjar_transcript: FORMAT_VERSION,
        room: transcript.room.clone(),
        time_zone: zone.to_owned(),
        frozen_at: transcript.frozen_at,
        people: transcript.people.clone(),
        messages: None,
        hash: None,
    }
}

/// The hash over the lines as this program writes them: spaces in a file written by hand change nothing.
pub(super) fn hash(transcript: &Transcript) -> String {
    let mut hasher = Sha256::new();
    hasher.update(line(&header(transcript)));
    for message in &transcript.messages {
        hasher.update("\n");
        hasher.update(line(message));
    }
    let mut text = "sha256:".to_owned();
    for byte in hasher.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
